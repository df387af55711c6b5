import { DomainError, ShapeError, castTensor, sizeOf, tensor } from '@thalweg/graph'
import type { DataOf, DType, FloatDType, Tensor } from '@thalweg/graph'
import type { Dataset } from '../data/dataset.ts'
import { sampleCount } from '../data/dataset.ts'
import { inputDType } from '../model/model.ts'
import type { Model } from '../model/model.ts'

/** Consecutive samples that are evaluated together, as the named values of a loss graph (all but θ). */
export interface Chunk {
  readonly start: number
  readonly size: number
  readonly values: Readonly<Record<string, Tensor>>
}

/** Rows start … start+size of the first axis, as a view. */
export function rows(value: Tensor, start: number, size: number): Tensor {
  const stride = sizeOf(value.shape.slice(1))
  const data = (value.data as Float64Array).subarray(start * stride, (start + size) * stride)
  return tensor(value.dtype, [size, ...value.shape.slice(1)], data as DataOf[DType])
}

/** The data set's tensor for each model input: by name, or the only one there is.
 * @throws {ShapeError} naming both sides when they do not fit. */
function matchInputs(model: Model, dataset: Dataset): Record<string, Tensor> {
  const names = Object.keys(dataset.inputs)
  return Object.fromEntries(
    model.inputs.map((input) => {
      const name = names.includes(input.name)
        ? input.name
        : model.inputs.length === 1 && names.length === 1
          ? names[0]
          : undefined
      if (name === undefined)
        throw new ShapeError(
          `loss: model input ${input.name} has no data; the data set has ${names.join(', ')}. Name them alike, or pass --input ${input.name}=KEY.`,
        )
      const value = dataset.inputs[name]
      if (sizeOf(value.shape.slice(1)) !== sizeOf(input.shape))
        throw new ShapeError(
          `loss: model input ${input.name} takes [${input.shape}] per sample, got [${value.shape.slice(1)}] from ${name}.`,
        )
      return [`input_${input.name}`, reshaped(value, [value.shape[0], ...input.shape])]
    }),
  )
}

function reshaped(value: Tensor, shape: readonly number[]): Tensor {
  return tensor(value.dtype, shape, value.data)
}

/** Sizes of at most `largest`, as equal as possible, larger ones first; they add up to `count`. */
export function chunkSizes(count: number, largest: number): number[] {
  if (!(Number.isInteger(largest) && largest >= 1))
    throw new DomainError(`chunkSizes: the chunk size must be a positive integer, got ${largest}.`)
  const chunks = Math.ceil(count / largest)
  const base = Math.floor(count / chunks)
  const larger = count - base * chunks
  return Array.from({ length: chunks }, (_, i) => base + (i < larger ? 1 : 0))
}

/** The whole data set cut into chunks, cast once. Chunks of at most two sizes: no padding, nothing weighted wrong. */
export function makeChunks(model: Model, dataset: Dataset, dtype: FloatDType, chunkSize: number): Chunk[] {
  const whole: Record<string, Tensor> = {}
  const matched = matchInputs(model, dataset)
  for (const input of model.inputs) {
    const name = `input_${input.name}`
    whole[name] = castTensor(matched[name], inputDType(input, dtype))
  }
  whole.targets = dataset.targets.dtype === 'int64' ? dataset.targets : castTensor(dataset.targets, dtype)
  if (dataset.sampleWeights)
    whole.weights = castTensor(tensor('float64', [dataset.sampleWeights.length], dataset.sampleWeights), dtype)
  let start = 0
  return chunkSizes(sampleCount(dataset), chunkSize).map((size) => {
    const values = Object.fromEntries(Object.entries(whole).map(([name, value]) => [name, rows(value, start, size)]))
    const chunk = { start, size, values }
    start += size
    return chunk
  })
}
