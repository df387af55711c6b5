import type { Claim } from '@thalweg/landscape/claims'
import type { JobContext } from '../../jobs/job-context.ts'
import { runJob } from '../../jobs/job-process.ts'
import type { Progress } from '../../jobs/messages.ts'
import type { ClaimJobResult } from './reproduce-claim-job.ts'

export interface PoolOptions extends Pick<JobContext, 'signal' | 'onProgress'> {
  readonly claims: readonly Claim[]
  readonly seed: number
  readonly workers: number
  readonly onFinished: (claim: Claim, result: ClaimJobResult) => Promise<void>
  readonly onFailed: (claim: Claim, problem: string) => void
}

/** A stopped experiment has nothing to save. */
const graceMs = 1000
const watchEveryMs = 200

/** Runs claims in child processes, `workers` at a time, the longest first so that none of them is left alone at the end.
 * Returns when all are done, or soon after the signal was aborted; what had not finished then is neither finished nor
 * failed. */
export async function runClaims(options: PoolOptions): Promise<void> {
  const { claims, workers, signal } = options
  const waiting = [...claims].sort((a, b) => b.estimateSeconds - a.estimateSeconds)
  const controller = new AbortController()
  // the signal of a job is a flag, that of a process an event
  const watch = setInterval(() => signal.aborted && controller.abort(), watchEveryMs)
  const board = new ProgressBoard(options)
  const work = async (): Promise<void> => {
    for (let claim = waiting.shift(); claim && !signal.aborted; claim = waiting.shift())
      await runOne(claim, options, controller.signal, board)
  }
  try {
    await Promise.all(Array.from({ length: Math.max(1, Math.min(workers, claims.length)) }, work))
  } finally {
    clearInterval(watch)
  }
}

async function runOne(claim: Claim, options: PoolOptions, signal: AbortSignal, board: ProgressBoard): Promise<void> {
  board.set(claim.id, '')
  try {
    const result = await runJob<ClaimJobResult>(
      'reproduce-claim',
      { id: claim.id, seed: options.seed },
      { signal, graceMs, onProgress: ({ done, total }) => board.set(claim.id, ` ${done}/${total}`) },
    )
    await options.onFinished(claim, result)
  } catch (error) {
    if (!options.signal.aborted) options.onFailed(claim, error instanceof Error ? error.message : String(error))
  }
  board.end(claim.id)
}

/** The one progress line of several experiments. */
class ProgressBoard {
  readonly #running = new Map<string, string>()
  readonly #onProgress: (progress: Progress) => void
  readonly #total: number
  #done = 0

  constructor({ onProgress, claims }: PoolOptions) {
    this.#onProgress = onProgress
    this.#total = claims.length
    this.#tell()
  }

  set(id: string, text: string): void {
    this.#running.set(id, text)
    this.#tell()
  }

  end(id: string): void {
    this.#running.delete(id)
    this.#done++
    this.#tell()
  }

  #tell(): void {
    const detail = [...this.#running].map(([id, text]) => id + text).join(', ')
    this.#onProgress({ stage: 'claims', done: this.#done, total: this.#total, detail })
  }
}
