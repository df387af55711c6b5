import { unitSphere } from '../../data/unit-sphere.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { Model } from '../../model/model.ts'
import { residualMlp, scaledMlp } from '../../model/residual-mlp.ts'

/** One kind of network of Du et al. 2019, by width. */
export interface Family {
  readonly name: string
  readonly modelOf: (width: number) => Model
}

const inputs = 6

export const shallow: Family = {
  name: 'plain, H = 1',
  modelOf: (width) => scaledMlp({ depth: 1, width, inputs }),
}

/** The setting of the reproduction targets: eight unit vectors in six dimensions, labels ±1, softplus, c_res = ½. */
export const families: readonly Family[] = [
  shallow,
  { name: 'plain, H = 2', modelOf: (width) => scaledMlp({ depth: 2, width, inputs }) },
  { name: 'residual, H = 3', modelOf: (width) => residualMlp({ depth: 3, width, inputs }) },
]

export function eightPoints(seed: number): Dataset {
  return unitSphere({ samples: 8, dimension: inputs, seed })
}

/** Starts of experiments with different seeds have none in common. */
export function firstStart(seed: number): number {
  return 1000 * seed
}

/** At most `count` of the places 0 … length − 1, evenly spread, with both ends: figures need no more. */
export function places(length: number, count: number = 101): number[] {
  if (length <= count) return Array.from({ length }, (_, i) => i)
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1)))
}
