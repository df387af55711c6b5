import { sizeOf } from '@thalweg/graph'
import { sampleCount } from '@thalweg/landscape'
import type { Dataset } from '@thalweg/landscape'

export interface DatasetDescription {
  /** For `--json`. */
  readonly data: object
  /** For people. */
  readonly lines: readonly string[]
}

function classCounts(dataset: Dataset): number[] | undefined {
  if (dataset.targets.dtype !== 'int64' || dataset.classCount === undefined) return undefined
  const counts = new Array<number>(dataset.classCount).fill(0)
  for (const label of dataset.targets.data) counts[Number(label)]++
  return counts
}

/** Smallest and largest value of a tensor. */
function extremes(data: ArrayLike<number | bigint>): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < data.length; i++) {
    const v = Number(data[i])
    if (v < low) low = v
    if (v > high) high = v
  }
  return [low, high]
}

/** What there is to know of a data set before using it. */
export function describeDataset(dataset: Dataset): DatasetDescription {
  const samples = sampleCount(dataset)
  const counts = classCounts(dataset)
  const inputs = Object.entries(dataset.inputs).map(([name, value]) => {
    const [minimum, maximum] = extremes(value.data)
    return { name, dtype: value.dtype, shape: value.shape.slice(1), minimum, maximum }
  })
  const { name, origin, task, classNames, digest, targets } = dataset
  return {
    data: {
      name,
      origin,
      task,
      samples,
      inputs,
      targets: { dtype: targets.dtype, shape: targets.shape.slice(1) },
      classCounts: counts,
      classNames,
      digest,
    },
    lines: [
      `${name}: ${samples} samples, ${task}`,
      `origin   ${origin}`,
      ...inputs.map(
        (i) =>
          `input    ${i.name} ${i.dtype} [${i.shape.join(' × ')}], ${sizeOf(i.shape)} numbers in ${i.minimum}…${i.maximum}`,
      ),
      counts
        ? `classes  ${counts.map((c, k) => `${classNames?.[k] ?? k}: ${c}`).join(', ')}`
        : `targets  ${targets.dtype} [${targets.shape.slice(1).join(' × ')}]`,
      `digest   ${digest}`,
    ],
  }
}
