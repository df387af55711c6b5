import type { Progress } from './messages.ts'

/** What a job may use of the process around it. */
export interface JobContext {
  readonly signal: { readonly aborted: boolean }
  readonly onProgress: (progress: Progress) => void
  /** Milliseconds from any origin. */
  readonly now: () => number
}
