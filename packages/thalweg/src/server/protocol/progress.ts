export interface Progress {
  readonly stage: string
  readonly done: number
  readonly total: number
  readonly detail: string | null
  /** Since the job started. */
  readonly elapsedMs: number
  /** Of this stage, estimated from its rate; null while it cannot be told. */
  readonly remainingMs: number | null
}
