import { DomainError, allocate, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import { sampleCount, withFields } from './dataset.ts'
import type { Dataset } from './dataset.ts'

/** The samples at `indices`, in that order; an index may occur more than once.
 * @throws {DomainError} if there is no index, or one outside 0 … n−1. */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const n = sampleCount(dataset)
  if (indices.length === 0) throw new DomainError(`subset: needs at least one sample of '${dataset.name}', got none.`)
  for (let i = 0; i < indices.length; i++)
    if (!(Number.isInteger(indices[i]) && indices[i] >= 0 && indices[i] < n))
      throw new DomainError(`subset: indices must be in 0…${n - 1}, got ${indices[i]} at ${i}.`)
  const inputs = Object.entries(dataset.inputs).map(([name, value]) => [name, takeRows(value, indices)] as const)
  const weights = dataset.sampleWeights
  return withFields(dataset, {
    inputs: Object.fromEntries(inputs),
    targets: takeRows(dataset.targets, indices),
    sampleWeights: weights && Float64Array.from(indices, (i) => weights[i]),
    origin: `${dataset.origin}, ${indices.length} of ${n} samples`,
  })
}

export interface SplitOptions {
  readonly seed?: number
  /** Keep each class's share in both parts, as far as whole samples allow. Default: true where targets are labels. */
  readonly stratified?: boolean
}

/** Two disjoint parts: round(fraction · n) samples to train on, at least 1 and at most n − 1, and the rest to test.
 * Both keep the order of the data. Stratified: each class gives ⌊fraction · n_c⌋ samples, and the largest
 * remainders one more.
 *
 * @param fraction  share of the training part, between 0 and 1.
 * @throws {DomainError} if fraction is not inside (0, 1), n < 2, or a stratified split lacks labels. */
export function split(
  dataset: Dataset,
  fraction: number,
  options: SplitOptions = {},
): { readonly train: Dataset; readonly test: Dataset } {
  const n = sampleCount(dataset)
  const labelled = dataset.task === 'classification' && dataset.targets.dtype === 'int64'
  const { seed = 0, stratified = labelled } = options
  if (!(fraction > 0 && fraction < 1))
    throw new DomainError(`split: fraction must be between 0 and 1, got ${fraction}.`)
  if (n < 2) throw new DomainError(`split: '${dataset.name}' needs at least 2 samples, got ${n}.`)
  if (stratified && !labelled)
    throw new DomainError(`split: '${dataset.name}' has no class labels to stratify by. Use stratified: false.`)
  const trainCount = Math.min(n - 1, Math.max(1, Math.round(fraction * n)))
  const order = randomStream(seed, 'data/split', 0).permutation(n)
  const inTrain = new Uint8Array(n)
  const quota = stratified ? classQuotas(dataset, fraction, trainCount) : undefined
  let taken = 0
  for (const sample of order) {
    if (taken === trainCount) break
    const label = quota ? Number(dataset.targets.data[sample]) : 0
    if (quota && quota[label]-- <= 0) continue
    inTrain[sample] = 1
    taken++
  }
  const part = (flag: number): number[] => Array.from(inTrain.keys()).filter((i) => inTrain[i] === flag)
  return { train: subset(dataset, part(1)), test: subset(dataset, part(0)) }
}

/** Training samples per class, adding up to `trainCount`; ties of the remainder go to the lower class. */
function classQuotas(dataset: Dataset, fraction: number, trainCount: number): Float64Array {
  const counts = new Float64Array(dataset.classCount as number)
  for (const label of dataset.targets.data) counts[Number(label)]++
  const quotas = counts.map((count) => Math.floor(fraction * count))
  const remainders = counts.map((count, c) => fraction * count - quotas[c])
  const order = Array.from(counts.keys()).sort((a, b) => remainders[b] - remainders[a] || a - b)
  let left = trainCount - quotas.reduce((sum, q) => sum + q, 0)
  for (const c of order) {
    if (left === 0) break
    if (quotas[c] < counts[c]) {
      quotas[c]++
      left--
    }
  }
  return quotas
}

function takeRows({ dtype, shape, data }: Tensor, indices: ArrayLike<number>): Tensor {
  const width = data.length / shape[0]
  const rows = allocate(dtype, indices.length * width)
  for (let i = 0; i < indices.length; i++) {
    const row = data.subarray(indices[i] * width, (indices[i] + 1) * width)
    ;(rows as Float64Array).set(row as Float64Array, i * width)
  }
  return tensor(dtype, [indices.length, ...shape.slice(1)], rows)
}
