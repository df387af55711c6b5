/** How many steps the next call should take, so that a call lasts about `targetMs`: long enough to cost nothing, short
 * enough for progress and cancelling. Without a clock, by the arithmetic of a step. Only the cutting into calls depends
 * on time, never a result. */
export class CallLength {
  #steps: number

  constructor(flopsPerStep: number, timed: boolean) {
    this.#steps = timed ? 1 : Math.max(1, Math.floor(flopsPerCall / Math.max(1, flopsPerStep)))
  }

  /** Steps wanted now. */
  get steps(): number {
    return this.#steps
  }

  /** Learns from a call of `steps` steps. The first call is slow for other reasons: growth is limited per call, shrinking
   * is not. */
  record(steps: number, elapsedMs: number): void {
    const wanted = Math.floor((targetMs * steps) / Math.max(elapsedMs, 1e-3))
    this.#steps = Math.max(1, Math.min(wanted, growth * Math.max(steps, this.#steps)))
  }
}

const targetMs = 200
const growth = 8
/** About 0.2 s of arithmetic on one slow core. */
const flopsPerCall = 4e8
