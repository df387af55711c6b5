import { tensorOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import { makeDataset } from '../../data/dataset.ts'
import type { Dataset } from '../../data/dataset.ts'
import { Loss } from '../../loss/loss.ts'
import type { LossSpec } from '../../loss/loss-function.ts'
import type { Model } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'
import { expressionObjective } from '../finders/objective.ts'
import type { ExpressionObjective } from '../finders/objective.ts'
import { testFunctions } from '../finders/test-functions.ts'

type Rows = readonly (readonly number[])[]

/** Rows of numbers as a regression problem. */
export function regression(x: Rows, y: Rows): Dataset {
  return makeDataset({
    name: 'rows',
    inputs: { x: tensorOf('float64', [x.length, x[0].length], x.flat()) },
    targets: tensorOf('float64', [y.length, y[0].length], y.flat()),
    task: 'regression',
    origin: 'test',
  })
}

export function labeled(x: Rows, labels: readonly number[], classCount: number): Dataset {
  return makeDataset({
    name: 'rows',
    inputs: { x: tensorOf('float64', [x.length, x[0].length], x.flat()) },
    targets: tensorOf('int64', [labels.length], labels),
    task: 'classification',
    classCount,
    origin: 'test',
  })
}

export function normalRows(seed: number, rows: number, width: number): number[][] {
  const stream = randomStream(seed, 'test rows')
  return Array.from({ length: rows }, () => Array.from({ length: width }, () => stream.normal()))
}

/** The corners of the unit square with their exclusive or. */
export const xorRows: readonly (readonly [x: readonly number[], y: number])[] = [
  [[0, 0], 0],
  [[0, 1], 1],
  [[1, 0], 1],
  [[1, 1], 0],
]

/** X = I₂, Y = [[2, 1], [1, 1]]: Σ has the eigenvalues φ⁴ and φ⁻⁴. */
export const worked: Dataset = regression(
  [
    [1, 0],
    [0, 1],
  ],
  [
    [2, 1],
    [1, 1],
  ],
)

export const halfSum: LossSpec = { name: 'half-sum-squares', reduction: 'sum' }
export const meanSquares: LossSpec = { name: 'mse', reduction: 'mean' }
export const crossEntropy: LossSpec = { name: 'cross-entropy', reduction: 'mean' }

export function lossOf(engine: Engine, model: Model, dataset: Dataset, spec: LossSpec, weightDecay = 0): Loss {
  return new Loss({ engine, model, dataset, spec, weightDecay })
}

/** A test function in its smallest size. */
export function namedObjective(engine: Engine, name: string): ExpressionObjective {
  const { sizeMin, build } = testFunctions[name]
  return expressionObjective({ engine, name, size: sizeMin, build })
}
