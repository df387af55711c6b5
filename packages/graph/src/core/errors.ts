/** One child per thing the caller can do about it; messages read `where: rule, got value. Cure.` */
export type ErrorDetails = Readonly<Record<string, unknown>>

export class ThalwegError extends Error {
  readonly code: string
  readonly details: ErrorDetails

  constructor(code: string, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.details = details
  }
}

/** Shapes or dtypes that do not fit together. */
export class ShapeError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('shape', message, details, cause)
  }
}

/** A value outside the set in which the operation is defined. */
export class DomainError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('domain', message, details, cause)
  }
}

/** Something legal that Thalweg cannot do; names the operator or feature. */
export class UnsupportedError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('unsupported', message, details, cause)
  }
}

/** Bytes or text that are not what they claim to be. */
export class FormatError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('format', message, details, cause)
  }
}

/** An iteration that did not converge where convergence was required. */
export class ConvergenceError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('convergence', message, details, cause)
  }
}

/** Work in another process that failed, was cancelled, or ran out of its budget. */
export class TaskError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('task', message, details, cause)
  }
}

/** An internal invariant is broken: our bug. */
export class InvariantError extends ThalwegError {
  constructor(message: string, details?: ErrorDetails, cause?: unknown) {
    super('invariant', message, details, cause)
  }
}
