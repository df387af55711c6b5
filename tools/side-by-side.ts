/** Contestants that do the same work, timed in turns so that a drifting machine is unfair to none. */
import { Bench } from 'tinybench'

/** Numbers that a contestant computed, so that speed is compared only between equal results. */
export type BenchResult = ArrayLike<number>

/** What a contestant says about its result: products spent, residuals, the rule it chose. */
export type Facts = Readonly<Record<string, unknown>>

/** Work timed in this process: `step` is one unit of it. */
export interface LocalContestant {
  readonly name: string
  step(): unknown
  result(): BenchResult | Promise<BenchResult>
  facts?(): Facts
  dispose?(): unknown
}

/** What work in another process answers: one time per repetition in ms, and the most memory that the process held. */
export interface RemoteTimes {
  readonly elapsedMs: readonly number[]
  readonly result: BenchResult
  readonly memoryMiB?: number
  readonly facts?: Facts
}

/** Work timed elsewhere, such as in Python. */
export interface RemoteContestant {
  readonly name: string
  measure(repetitions: number): Promise<RemoteTimes>
}

/** A contestant that cannot take part here, and why. */
export interface SkippedContestant {
  readonly name: string
  readonly skipped: string
}

export type Contestant = LocalContestant | RemoteContestant | SkippedContestant

/** What a file `bench/NAME.bench.ts` exports as `benchmark`. */
export interface Benchmark {
  /** The NAME of the file. */
  readonly name: string
  /** The unit of work in words, with its sizes. */
  readonly work: string
  /** Largest allowed disagreement between the contestants' results. */
  readonly tolerance: number
  /** The contestant whose result is the truth. Then all are held against it instead of against ours, and only ours has to
   * be within the tolerance: that others are not is a finding. */
  readonly truth?: string
  /** Rounds (default 5), in each of which every contestant repeats its work (default 5) after one warm-up. */
  readonly rounds?: number
  readonly repetitions?: number
  /** By contestant: their median over ours that we aim at. */
  readonly targetRatios?: Readonly<Record<string, number>>
  /** Ours first, which is never skipped. */
  contestants(): Promise<readonly Contestant[]>
}

export type ContestantTimes = ({ readonly name: string } & RemoteTimes) | SkippedContestant

async function timeLocal(contestant: LocalContestant, repetitions: number): Promise<number[]> {
  // tinybench calls a task once beforehand, to learn whether it is asynchronous: that is the warm-up.
  const bench = new Bench({ iterations: repetitions, warmup: false, time: 0, retainSamples: true, throws: true })
  bench.add(contestant.name, () => contestant.step())
  const [task] = await bench.run()
  const samples = task?.result && 'latency' in task.result ? task.result.latency.samples : undefined
  return [...(samples ?? [])]
}

/** Every contestant's times over all rounds, and the result of its last one.
 *
 * @throws whatever a contestant throws; every contestant is disposed of either way. */
export async function timeContestants(benchmark: Benchmark): Promise<ContestantTimes[]> {
  const { rounds = 5, repetitions = 5 } = benchmark
  const contestants = await benchmark.contestants()
  const times = contestants.map(() => [] as number[])
  const results: BenchResult[] = []
  const others: Partial<Pick<RemoteTimes, 'memoryMiB' | 'facts'>>[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [index, contestant] of contestants.entries()) {
        if ('step' in contestant) {
          times[index].push(...(await timeLocal(contestant, repetitions)))
          results[index] = await contestant.result()
          others[index] = { facts: contestant.facts?.() }
        } else if ('measure' in contestant) {
          const { elapsedMs, result, memoryMiB, facts } = await contestant.measure(repetitions)
          times[index].push(...elapsedMs)
          results[index] = result
          others[index] = { memoryMiB, facts }
        }
      }
    }
  } finally {
    for (const contestant of contestants) if ('dispose' in contestant) await contestant.dispose?.()
  }
  return contestants.map((contestant, index) =>
    'skipped' in contestant
      ? { name: contestant.name, skipped: contestant.skipped }
      : {
          name: contestant.name,
          elapsedMs: times[index],
          result: results[index],
          ...(others[index].memoryMiB !== undefined && { memoryMiB: others[index].memoryMiB }),
          ...(others[index].facts && { facts: others[index].facts }),
        },
  )
}

/** The entry that results are held against: the truth where the benchmark names one, else ours. */
export function referenceOf({ truth }: Pick<Benchmark, 'truth'>, times: readonly ContestantTimes[]): ContestantTimes {
  if (truth === undefined) return times[0]
  const found = times.find(({ name }) => name === truth)
  if (found === undefined || 'skipped' in found) throw new Error(`The truth, ${truth}, did not take part.`)
  return found
}

/** The contestants whose wrong results are an error: all, or ours alone where the truth is known. */
export function wrongOnes(benchmark: Benchmark, times: readonly ContestantTimes[]): ContestantTimes[] {
  const reference = referenceOf(benchmark, times)
  return times
    .slice(0, benchmark.truth === undefined ? times.length : 1)
    .filter((entry) => !('skipped' in entry) && !(disagreement(entry, reference) <= benchmark.tolerance))
}

/** Middle of the sorted values; mean of the two middles of an even count. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Smallest and median time, and the median absolute deviation as a fraction of the median. */
export function summarize(elapsedMs: readonly number[]): { min: number; median: number; spread: number } {
  const median = medianOf(elapsedMs)
  const deviation = medianOf(elapsedMs.map((value) => Math.abs(value - median)))
  return { min: Math.min(...elapsedMs), median, spread: deviation / median }
}

/** Median of `entry` over the median of `ours`: above 1 where we are faster. */
export function ratioTo(entry: ContestantTimes, ours: ContestantTimes | undefined): number {
  if (ours === undefined || 'skipped' in entry || 'skipped' in ours) return Number.NaN
  return summarize(entry.elapsedMs).median / summarize(ours.elapsedMs).median
}

/** Largest difference between two results over the largest magnitude of ours; ∞ where lengths differ, NaN stays NaN. */
export function disagreement(entry: ContestantTimes, ours: ContestantTimes | undefined): number {
  if (ours === undefined || 'skipped' in entry || 'skipped' in ours) return Number.NaN
  if (entry.result.length !== ours.result.length) return Number.POSITIVE_INFINITY
  let scale = Number.MIN_VALUE
  let largest = 0
  for (let index = 0; index < ours.result.length; index++) {
    scale = Math.max(scale, Math.abs(ours.result[index]))
    largest = Math.max(largest, Math.abs(entry.result[index] - ours.result[index]))
  }
  return largest / scale
}
