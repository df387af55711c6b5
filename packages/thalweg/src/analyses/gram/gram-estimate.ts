import { sizeOf } from '@thalweg/graph'
import { networkGram, parameterCount, sampleCount } from '@thalweg/landscape'
import type { Loss } from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'

/** Beyond this an estimate is printed before the work begins. */
const longMs = 5000
/** One pair of rows through one layer: closed form, series or quadrature; measured 25 and 300 ns. */
const pairMs = { closed: 3e-5, series: 3e-4 }
const probeSamples = 32

/** What the kernels of a limit will take: H n² p²/2 pairs, seven matrices of n² p² numbers. */
export function estimateKernel(
  rows: number,
  depth: number,
  closedForm: boolean,
  { onProgress }: Pick<JobContext, 'onProgress'>,
): void {
  const elapsedMs = (depth * rows * rows * (closedForm ? pairMs.closed : pairMs.series)) / 2 + rows ** 3 * 1e-6
  const memoryBytes = 7 * 8 * rows * rows + process.memoryUsage.rss()
  if (elapsedMs > longMs)
    onProgress({
      stage: 'estimate',
      done: 0,
      total: 0,
      note: `kernels of ${rows} rows, depth ${depth}: up to ${inWords(elapsedMs)} and ${gibibytes(memoryBytes)}.`,
    })
}

export interface GramWork {
  readonly steps?: number
  readonly widths?: readonly number[]
  readonly width?: number
  readonly seeds: number
  readonly depths?: readonly number[]
  readonly labelSets: number
}

const measurements = 8

/** What the Gram matrix of a network and the experiments with it will take, from one gradient and one Gram matrix of few
 * samples that are timed. */
export async function estimateNetwork(
  loss: Loss,
  theta: Float64Array,
  work: GramWork,
  { now, onProgress }: Pick<JobContext, 'now' | 'onProgress'>,
  lossOf: (samples: readonly number[]) => Loss,
): Promise<void> {
  const n = sampleCount(loss.dataset)
  const few = Math.min(n, probeSamples)
  const probe = lossOf(Array.from({ length: few }, (_, i) => i))
  const gramMs = (await secondTime(() => networkGram(probe, theta), now)) * (n / few) ** 2
  const gradientMs = await secondTime(() => loss.valueAndGradient(theta), now)
  const steps = work.steps ?? 400
  const rows = n * sizeOf(loss.model.outputShape)
  const eigenMs = 8e-6 * rows ** 3
  const one = gramMs + eigenMs
  const run = work.steps === undefined ? 0 : steps * gradientMs + (measurements + 1) * one
  // the work of a layer grows with the square of the width
  const relative = (work.widths ?? []).reduce(
    (sum, width) => sum + Math.max(0.1, (width / (work.width ?? width)) ** 2),
    0,
  )
  const sweeps = (relative + (work.depths ?? []).length) * work.seeds * (steps * gradientMs + 2 * one)
  const elapsedMs = one + run + sweeps + work.labelSets * steps * gradientMs
  const memoryBytes = process.memoryUsage.rss() + 3 * 8 * rows * rows + 2 ** 29
  if (elapsedMs > longMs)
    onProgress({
      stage: 'estimate',
      done: 0,
      total: 0,
      note: `Gram matrices of ${rows} rows and ${parameterCount(loss.model)} parameters: up to ${inWords(elapsedMs)} and ${gibibytes(memoryBytes)}.`,
    })
}

/** Of the second call: the first one compiles. */
async function secondTime(work: () => Promise<unknown>, now: () => number): Promise<number> {
  await work()
  const begun = now()
  await work()
  return now() - begun
}

function inWords(ms: number): string {
  const [value, unit] = ms < 9e4 ? [ms / 1e3, 's'] : ms < 5.4e6 ? [ms / 6e4, 'min'] : [ms / 3.6e6, 'h']
  return `${Number(value.toPrecision(2))} ${unit}`
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(2)} GiB of memory`
}
