import {
  ConvergenceError,
  DomainError,
  FormatError,
  InvariantError,
  ShapeError,
  TaskError,
  ThalwegError,
  UnsupportedError,
} from '@thalweg/graph'

/** What a job tells while it runs: `done` of `total` of the named stage, and what there is to say about it. */
export interface Progress {
  readonly stage: string
  readonly done: number
  readonly total: number
  readonly detail?: string
  /** A line of its own that is worth reading without a terminal too, such as an estimate of the time to come. */
  readonly note?: string
}

/** An error on its way between processes, which would otherwise lose its class and fields. */
export interface PlainError {
  readonly name: string
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly stack?: string
}

export type ToWorker =
  | { readonly kind: 'start'; readonly job: string; readonly argument: unknown }
  | { readonly kind: 'stop' }

export type FromWorker =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: PlainError }

const classes = { ShapeError, DomainError, UnsupportedError, FormatError, ConvergenceError, TaskError, InvariantError }

export function toPlainError(error: unknown): PlainError {
  if (error instanceof ThalwegError) {
    const { name, code, message, details, stack } = error
    return { name, code, message, details, stack }
  }
  if (error instanceof Error)
    return { name: error.name, code: 'unknown', message: error.message, details: {}, stack: error.stack }
  return { name: 'Error', code: 'unknown', message: String(error), details: {} }
}

/** The error as it was thrown in the other process; one that is not ours becomes an InvariantError. */
export function fromPlainError({ name, message, details, stack }: PlainError): ThalwegError {
  const known = Object.hasOwn(classes, name) ? classes[name as keyof typeof classes] : undefined
  const error = known ? new known(message, details) : new InvariantError(`${name}: ${message}`, details)
  if (stack) error.stack = stack
  return error
}
