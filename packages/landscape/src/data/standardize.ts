import { DomainError, ShapeError, allocate, isFloat, numbersOf, tensor } from '@thalweg/graph'
import type { FloatDType, Tensor } from '@thalweg/graph'
import { inputNamed, sampleCount, withFields } from './dataset.ts'
import type { Dataset } from './dataset.ts'

/** x ← (x − mean) / scale, with one pair per feature or one pair per channel (second axis). */
export interface Standardization {
  readonly input: string
  readonly mean: Float64Array
  readonly scale: Float64Array
}

export interface StandardizeOptions {
  /** Name of the input; default `x`. */
  readonly input?: string
  /** `feature`: every element of a sample on its own (default). `channel`: one pair per index of the second axis. */
  readonly per?: 'feature' | 'channel'
}

/** Mean and population standard deviation (divisor: count) of an input. A constant feature gets scale 1, and its
 * exact value as mean: standardized, it is 0.
 *
 * @throws {ShapeError} if per channel is asked of an input without a second axis.
 * @throws {DomainError} if a mean or deviation overflows. Cost: two passes. */
export function fitStandardization(dataset: Dataset, options: StandardizeOptions = {}): Standardization {
  const { input = 'x', per = 'feature' } = options
  const value = inputNamed(dataset, input)
  const { groups, inner } = groupsOf(value, input, per)
  const values = numbersOf(value)
  const count = values.length / groups
  const mean = new Float64Array(groups)
  const scale = new Float64Array(groups)
  const lowest = new Float64Array(groups).fill(Infinity)
  const highest = new Float64Array(groups).fill(-Infinity)
  forEachElement(values.length, groups, inner, (i, g) => {
    mean[g] += values[i] / count
    lowest[g] = Math.min(lowest[g], values[i])
    highest[g] = Math.max(highest[g], values[i])
  })
  for (let g = 0; g < groups; g++) if (lowest[g] === highest[g]) mean[g] = lowest[g]
  forEachElement(values.length, groups, inner, (i, g) => {
    scale[g] += (values[i] - mean[g]) ** 2 / count
  })
  for (let g = 0; g < groups; g++) {
    scale[g] = lowest[g] === highest[g] ? 1 : Math.sqrt(scale[g])
    if (!(Number.isFinite(mean[g]) && Number.isFinite(scale[g]) && scale[g] > 0))
      throw new DomainError(
        `standardize: ${per} ${g} of input '${input}' must have a mean and deviation in float64's range, ` +
          `got values from ${lowest[g]} to ${highest[g]}. Rescale it first.`,
      )
  }
  return { input, mean, scale }
}

/** The data set with one input standardized: floats keep their dtype, other inputs become float64.
 * @throws {ShapeError} if `mean` fits neither the features nor the channels. */
export function applyStandardization(dataset: Dataset, standardization: Standardization): Dataset {
  const { input, mean, scale } = standardization
  const value = inputNamed(dataset, input)
  const features = value.data.length / value.shape[0]
  const per = mean.length === features ? 'feature' : 'channel'
  const { groups, inner } = groupsOf(value, input, per)
  if (mean.length !== groups || scale.length !== groups)
    throw new ShapeError(
      `standardize: input '${input}' of shape [${value.shape}] needs ${features} means and scales (or one per channel), ` +
        `got ${mean.length} and ${scale.length}.`,
    )
  const dtype: FloatDType = isFloat(value.dtype) ? value.dtype : 'float64'
  const result = allocate(dtype, value.data.length)
  const values = numbersOf(value)
  forEachElement(values.length, groups, inner, (i, g) => {
    result[i] = (values[i] - mean[g]) / scale[g]
  })
  return withFields(dataset, {
    inputs: { ...dataset.inputs, [input]: tensor(dtype, value.shape, result) },
    origin: `${dataset.origin}, standardized`,
  })
}

export interface Standardized extends Standardization {
  readonly train: Dataset
  readonly test?: Dataset
}

/** Fits mean and scale on `train` and applies them to both, so that nothing of the test part leaks into training. */
export function standardize(train: Dataset, test?: Dataset, options: StandardizeOptions = {}): Standardized {
  const fitted = fitStandardization(train, options)
  return {
    ...fitted,
    train: applyStandardization(train, fitted),
    ...(test && { test: applyStandardization(test, fitted) }),
  }
}

/** The input with its samples in another shape, elements in the same order: [n × 64] ↔ [n × 1 × 8 × 8].
 * @throws {ShapeError} if a sample has another number of elements. */
export function reshapeInput(dataset: Dataset, input: string, sampleShape: readonly number[]): Dataset {
  const { dtype, shape, data } = inputNamed(dataset, input)
  const wanted = sampleShape.reduce((size, d) => size * d, 1)
  const features = data.length / shape[0]
  if (wanted !== features)
    throw new ShapeError(
      `reshapeInput: a sample of '${input}' has ${features} elements (shape [${shape.slice(1)}]), ` +
        `got [${sampleShape}] with ${wanted}.`,
    )
  const reshaped = tensor(dtype, [sampleCount(dataset), ...sampleShape], data)
  return withFields(dataset, { inputs: { ...dataset.inputs, [input]: reshaped } })
}

function groupsOf(
  { shape, data }: Tensor,
  input: string,
  per: 'feature' | 'channel',
): { groups: number; inner: number } {
  if (per === 'feature') return { groups: data.length / shape[0], inner: 1 }
  if (shape.length < 2)
    throw new ShapeError(`standardize: input '${input}' of shape [${shape}] has no channels (second axis).`)
  return { groups: shape[1], inner: data.length / (shape[0] * shape[1]) }
}

/** Visits every element with its group: the data lies as [n × groups × inner]. */
function forEachElement(
  length: number,
  groups: number,
  inner: number,
  visit: (i: number, group: number) => void,
): void {
  let i = 0
  while (i < length)
    for (let g = 0; g < groups; g++) {
      const end = i + inner
      for (; i < end; i++) visit(i, g)
    }
}
