import { DomainError, ShapeError, allocate, castTensor, numbersOf, sameShape, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { Dataset } from '../data/dataset.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { chunkSizes, makeChunks } from '../loss/chunks.ts'
import { populationGraph, valuesAt } from '../loss/loss-batch.ts'
import type { LossValues } from '../loss/loss-batch.ts'
import { feedsFor } from '../loss/loss.ts'
import type { Loss } from '../loss/loss.ts'
import { CallLength } from './call-length.ts'
import { LoopStepper, disposeLoops, stepWork } from './loop-stepper.ts'
import type { LoopsByBatch, Population } from './loop-stepper.ts'
import type { Optimizer } from './optimizer.ts'
import { SampleOrder } from './sample-order.ts'
import type { Schedule } from './schedule.ts'
import { learningRatesOf } from './train.ts'
import { initialState } from './training-state.ts'

export interface TrainManyOptions {
  /** Model, data, loss function and arithmetic of every network. */
  readonly loss: Loss
  /** One per network, in place of the loss's own data: same shapes. Tensors that are the same object in all are shared. */
  readonly datasets?: readonly Dataset[]
  /** Starting points [B × p]. */
  readonly thetas: Float64Array
  readonly optimizer: Optimizer
  readonly steps: number
  /** One for all, or one per network [B]. */
  readonly learningRates: number | Float64Array
  readonly schedule?: Schedule
  /** Default `full`. The order of samples is the same for all networks. */
  readonly batchSize?: number | 'full'
  readonly dropLast?: boolean
  /** Of the order of samples. Default 0. */
  readonly seed?: number
  /** Memory for the intermediate values of the networks that train together. Default 32 MiB: about what
   * caches hold; everything at once was 5 to 10 % slower. */
  readonly memoryBytes?: number
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  readonly signal?: CancelSignal
  /** Milliseconds from any origin; without it calls are cut by arithmetic. */
  readonly now?: () => number
}

export interface TrainManyResult {
  /** [B × p]; not finite where a network diverged. */
  readonly thetas: Float64Array
  /** Loss of each network at its end, on all samples [B]. */
  readonly losses: Float64Array
  /** Accuracy likewise; null where targets are not classes. */
  readonly accuracies: Float64Array | null
  /** Loss of each step's batch before the step [steps × B]; NaN where a step was not taken. */
  readonly lossHistory: Float64Array
  readonly status: readonly ('finished' | 'diverged' | 'aborted')[]
}

const cacheBytes = 32 * 2 ** 20

/** Trains many networks of one architecture together: their steps are one batched graph, so that what a small network
 * wastes on dispatch is shared.
 *
 * Networks differ in starting point, learning rate and, where given, data. Row b is what `train` gives for network b, up to
 * rounding; perturbations are each network's own, row 0 has those of `train`. A network that diverges stays alone with its NaN. Groups of networks are as large as the memory allows.
 * @throws {ShapeError} if sizes do not fit; {DomainError} if an option is out of range. */
export async function trainMany(options: TrainManyOptions): Promise<TrainManyResult> {
  const { loss, thetas, steps } = options
  const count = thetas.length / loss.size
  if (!(Number.isInteger(count) && count >= 1))
    throw new ShapeError(`trainMany: thetas must have B × ${loss.size} entries, got ${thetas.length}.`)
  if (!(Number.isSafeInteger(steps) && steps >= 0))
    throw new DomainError(`trainMany: steps must be an integer ≥ 0, got ${steps}.`)
  const order = new SampleOrder({
    samples: loss.samples,
    batchSize: options.batchSize ?? 'full',
    dropLast: options.dropLast,
    seed: options.seed ?? 0,
  })
  const rates = ratesOf(options, count)
  const own = ownData(options, count)
  const bytes = stepWork(loss, options.optimizer, order.batchSize).bytes
  const largest = Math.max(1, Math.floor((options.memoryBytes ?? cacheBytes) / bytes))
  const result: Result = {
    thetas: thetas.slice(),
    losses: new Float64Array(count),
    accuracies: loss.dataset.targets.dtype === 'int64' ? new Float64Array(count) : null,
    lossHistory: new Float64Array(steps * count).fill(Number.NaN),
    status: [],
  }
  const loops = new Map<number, LoopsByBatch>()
  try {
    let start = 0
    for (const size of chunkSizes(count, largest)) {
      if (!loops.has(size)) loops.set(size, new Map())
      await trainGroup(options, { start, size, total: count }, { order, rates, own, loops: loops.get(size)! }, result)
      start += size
    }
  } finally {
    for (const each of loops.values()) await disposeLoops(each)
  }
  return result
}

/** The result under construction: each group of networks fills its part. */
interface Result extends TrainManyResult {
  readonly status: ('finished' | 'diverged' | 'aborted')[]
}

interface Group {
  readonly start: number
  readonly size: number
  readonly total: number
}

interface Shared {
  readonly order: SampleOrder
  readonly rates: (network: number, step: number) => number
  readonly own: (start: number, size: number) => Record<string, Tensor>
  /** Of groups of this size. */
  readonly loops: LoopsByBatch
}

async function trainGroup(options: TrainManyOptions, group: Group, shared: Shared, result: Result): Promise<void> {
  const { loss, optimizer, steps, now, signal, onProgress } = options
  const { start, size, total } = group
  const population: Population = { count: size, first: start, data: shared.own(start, size) }
  const learningRates = (step: number): number[] =>
    Array.from({ length: size }, (_, b) => shared.rates(start + b, step))
  const { order, loops } = shared
  const stepper = new LoopStepper({ loss, optimizer, order, learningRates, population, loops })
  const length = new CallLength(stepper.flopsPerStep, now !== undefined)
  const thetas = options.thetas.slice(start * loss.size, (start + size) * loss.size)
  let state = initialState(optimizer, castTensor(tensor('float64', [size, loss.size], thetas), loss.dtype), [size])
  let stopped: string | undefined
  try {
    while (state.step < steps && !signal?.aborted && stopped === undefined) {
      const calledMs = now?.() ?? 0
      const advance = await stepper.advance(state, Math.min(length.steps, steps - state.step))
      if (now) length.record(advance.state.step - state.step, now() - calledMs)
      recordLosses(result.lossHistory, advance.losses, state.step, group)
      ;({ state, stopped } = { stopped: undefined, ...advance })
      onProgress?.({ done: start * steps + state.step * size, total: total * steps })
    }
  } finally {
    await stepper.dispose()
  }
  const ended = numbersOf(state.theta)
  result.thetas.set(ended, start * loss.size)
  const { values, accuracies } = await measure(loss, shared.own, start, ended)
  result.losses.set(values, start)
  if (accuracies) result.accuracies?.set(accuracies, start)
  const unfinished = state.step < steps && stopped === undefined
  for (let b = start; b < start + size; b++)
    result.status.push(!Number.isFinite(result.losses[b]) ? 'diverged' : unfinished ? 'aborted' : 'finished')
}

/** Puts [steps × size] into the columns of the group in [steps × total]. */
function recordLosses(history: Float64Array, losses: Float64Array, step: number, { start, size, total }: Group): void {
  for (let t = 0; t * size < losses.length; t++)
    history.set(losses.subarray(t * size, (t + 1) * size), (step + t) * total + start)
}

/** Loss and accuracy on all samples of the networks from `first` on, `thetas` [count × p]. */
async function measure(loss: Loss, own: Shared['own'], first: number, thetas: Float64Array): Promise<LossValues> {
  const p = loss.size
  const count = thetas.length / p
  const names = Object.keys(own(first, 1))
  if (names.length === 0) return valuesAt(loss, thetas, count)
  const [whole] = makeChunks(loss.model, loss.dataset, loss.dtype, loss.samples)
  const values = new Float64Array(count)
  const accuracies = loss.dataset.targets.dtype === 'int64' ? new Float64Array(count) : null
  let start = 0
  for (const size of chunkSizes(count, networksThatFit(loss))) {
    const part = tensor('float64', [size, p], thetas.subarray(start * p, (start + size) * p))
    const key = `population/${size}/${names.join()}`
    const run = await loss.compiled(key, () => populationGraph(loss, loss.samples, size, names))
    const data = { ...whole.values, ...own(first + start, size), theta: castTensor(part, loss.dtype) }
    const { sum, correct } = await run.run(feedsFor(run.graph, data))
    values.set(numbersOf(sum), start)
    if (correct) accuracies?.set(numbersOf(correct), start)
    start += size
  }
  for (let b = 0; b < count; b++)
    values[b] = values[b] / loss.normalizer + loss.penalty(thetas.subarray(b * p, (b + 1) * p))
  return { values, accuracies: accuracies?.map((c) => c / loss.samples) ?? null }
}

/** Networks whose loss on all samples fits the memory together. */
function networksThatFit(loss: Loss): number {
  return Math.max(1, Math.floor(loss.memoryBytes / workOf([loss.graph(loss.samples).sum]).bytes))
}

function ratesOf({ learningRates, schedule, steps }: TrainManyOptions, count: number): Shared['rates'] {
  if (typeof learningRates === 'number') {
    const rate = learningRatesOf('trainMany', learningRates, schedule)
    return (_, step) => rate(step, steps)
  }
  if (learningRates.length !== count)
    throw new ShapeError(`trainMany: learningRates must be one number or ${count}, got ${learningRates.length}.`)
  const each = Array.from(learningRates, (base) => learningRatesOf('trainMany', base, schedule))
  return (network, step) => each[network](step, steps)
}

/** Data that differ between networks, stacked for a group of them. What equals the loss's own is shared. */
function ownData({ loss, datasets }: TrainManyOptions, count: number): Shared['own'] {
  if (!datasets) return () => ({})
  if (datasets.length !== count)
    throw new ShapeError(`trainMany: datasets must be one per network, ${count}, got ${datasets.length}.`)
  const valuesOf = (dataset: Dataset): Readonly<Record<string, Tensor>> =>
    makeChunks(loss.model, dataset, loss.dtype, dataset.targets.shape[0])[0].values
  const reference = valuesOf(loss.dataset)
  const all = datasets.map(valuesOf)
  all.forEach((values, network) => requireSameTypes(reference, values, network))
  const names = Object.keys(reference).filter((name) => !all.every((values) => sameData(values[name], reference[name])))
  return (start, size) => {
    const part = all.slice(start, start + size)
    return Object.fromEntries(names.map((name) => [name, stacked(part.map((values) => values[name]))]))
  }
}

function requireSameTypes(
  reference: Readonly<Record<string, Tensor>>,
  values: Readonly<Record<string, Tensor>>,
  network: number,
): void {
  for (const [name, { dtype, shape }] of Object.entries(reference)) {
    const value = values[name]
    if (value?.dtype === dtype && sameShape(value.shape, shape)) continue
    throw new ShapeError(
      `trainMany: ${name} of network ${network} must be ${dtype}[${shape}] as in the loss's data, got ${value ? `${value.dtype}[${value.shape}]` : 'nothing'}.`,
    )
  }
}

function sameData({ data: a }: Tensor, { data: b }: Tensor): boolean {
  if (a.buffer === b.buffer && a.byteOffset === b.byteOffset) return true
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Tensors of one type along a new first axis. */
function stacked(parts: readonly Tensor[]): Tensor {
  const { dtype, shape, data } = parts[0]
  const all = allocate(dtype, data.length * parts.length)
  parts.forEach((part, i) => (all as Float64Array).set(part.data as Float64Array, i * data.length))
  return tensor(dtype, [parts.length, ...shape], all)
}
