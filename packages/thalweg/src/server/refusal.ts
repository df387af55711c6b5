import { FormatError, ThalwegError } from '@thalweg/graph'
import type { ErrorBody, ErrorCode } from './protocol.ts'

type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 500 | 503

const statusOf = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  timeout: 408,
  conflict: 409,
  'too-large': 413,
  'unsupported-type': 415,
  'invalid-input': 422,
  'too-many': 429,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<ErrorCode, RefusalStatus>

/** A request that gets an error for an answer. The message is shown to whoever asked: it names nothing outside the root. */
export class Refusal extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }

  get status(): RefusalStatus {
    return statusOf[this.code]
  }

  get body(): ErrorBody {
    return { error: { code: this.code, message: this.message } }
  }
}

/** Any error as an answer: what the caller can mend is told, a bug is only named (its stack is for the terminal). */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof FormatError) return new Refusal('invalid-input', error.message, error)
  if (error instanceof ThalwegError && error.code !== 'invariant')
    return new Refusal('invalid-input', error.message, error)
  return new Refusal('internal', 'This is a bug of Thalweg: see the terminal that runs the lab.', error)
}
