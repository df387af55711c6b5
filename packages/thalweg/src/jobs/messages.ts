import type { WireError } from '@thalweg/engine'

/** What a job tells while it runs: `done` of `total` of the named stage, and what there is to say about it. */
export interface Progress {
  readonly stage: string
  readonly done: number
  readonly total: number
  readonly detail?: string
  /** A line of its own that is worth reading without a terminal too, such as an estimate of the time to come. */
  readonly note?: string
}

export type ToWorker =
  | { readonly kind: 'start'; readonly job: string; readonly argument: unknown }
  | { readonly kind: 'stop' }

export type FromWorker =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: WireError }
