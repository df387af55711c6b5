import type { JobContext } from '../jobs/job-context.ts'

/** A signal that is aborted by the caller or by the clock. */
export interface Deadline {
  readonly signal: { readonly aborted: boolean }
  /** Whether it was the clock. */
  readonly expired: () => boolean
}

export function deadlineOf({ signal, now }: Pick<JobContext, 'signal' | 'now'>, timeLimitMs?: number): Deadline {
  const begun = now()
  const expired = (): boolean => timeLimitMs !== undefined && now() - begun > timeLimitMs
  return {
    signal: {
      get aborted(): boolean {
        return signal.aborted || expired()
      },
    },
    expired,
  }
}
