import type { JobContext } from '../jobs/job-context.ts'

/** A signal that is aborted by the caller or by the clock. */
export interface Deadline {
  readonly signal: { readonly aborted: boolean }
  /** Whether it was the clock, at this moment or when the signal was last asked. */
  readonly expired: () => boolean
  /** Keeps time for what must follow after the signal, half of the limit at most: the clock aborts that much earlier. */
  readonly reserve: (ms: number) => void
}

export function deadlineOf({ signal, now }: Pick<JobContext, 'signal' | 'now'>, timeLimitMs?: number): Deadline {
  const begun = now()
  let reserved = 0
  let stopped = false
  const expired = (): boolean => {
    stopped ||= timeLimitMs !== undefined && now() - begun > timeLimitMs
    return stopped
  }
  return {
    signal: {
      get aborted(): boolean {
        stopped ||= timeLimitMs !== undefined && now() - begun > timeLimitMs - reserved
        return signal.aborted || stopped
      },
    },
    expired,
    reserve: (ms) => {
      reserved = timeLimitMs === undefined ? 0 : Math.min(ms, timeLimitMs / 2)
    },
  }
}
