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
import type { ErrorDetails } from '@thalweg/graph'

/** An error as it travels between processes: cloning would drop its class and fields. */
export interface WireError {
  readonly code: string
  readonly message: string
  readonly details: ErrorDetails
  readonly stack: string | undefined
}

type ErrorClass = new (message: string, details?: ErrorDetails, cause?: unknown) => ThalwegError

const classes: Readonly<Record<string, ErrorClass>> = {
  shape: ShapeError,
  domain: DomainError,
  unsupported: UnsupportedError,
  format: FormatError,
  convergence: ConvergenceError,
  task: TaskError,
  invariant: InvariantError,
}

/** Anything that was thrown, ready to travel. Errors that are not ours get the code `invariant`. */
export function errorToWire(error: unknown): WireError {
  if (error instanceof ThalwegError) {
    const { code, message, details, stack } = error
    return { code, message, details, stack }
  }
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
  return { code: 'invariant', message, details: {}, stack }
}

/** The error that was thrown on the other side, of its class, with the stack it had there. */
export function errorFromWire({ code, message, details, stack }: WireError): ThalwegError {
  const error = new (classes[code] ?? TaskError)(message, details)
  if (stack !== undefined) error.stack = stack
  return error
}
