/** Raised when an old page could misread a new server, or the other way round. */
export type ProtocolVersion = 1

/** `error.code` and the statuses that go with it. */
export type ErrorCode =
  /** 400: the request is not what its route takes; the message says what is. */
  | 'bad-request'
  /** 401: a token is needed. */
  | 'unauthorized'
  /** 403: wrong Host or Origin, or a path that leads outside the root. */
  | 'forbidden'
  /** 404 */
  | 'not-found'
  /** 405 */
  | 'method-not-allowed'
  /** 408: the body came too slowly. */
  | 'timeout'
  /** 409: the run is in a state in which this cannot be done. */
  | 'conflict'
  /** 413 */
  | 'too-large'
  /** 415: the content type is not what the route takes. */
  | 'unsupported-type'
  /** 422: a file or an experiment is wrong; the message says where and how to mend it. */
  | 'invalid-input'
  /** 429: too many uploads, event streams or jobs at once. */
  | 'too-many'
  /** 500: a bug of Thalweg. */
  | 'internal'
  /** 503: the lab is going down. */
  | 'unavailable'

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string }
}

export interface Health {
  readonly service: 'thalweg-lab'
  readonly version: string
  readonly protocol: ProtocolVersion
  /** Last part of the root's path, for the title. */
  readonly root: string
  readonly startedAt: string
  /** Threads that a job of the engine gets. */
  readonly threads: number
  readonly limits: Limits
  /** Names that {@link LossChoice} takes. */
  readonly losses: readonly string[]
  /** Names of built-in data, such as `digits`. */
  readonly datasets: readonly string[]
}

export interface Limits {
  /** Of one uploaded file. */
  readonly uploadBytesMax: number
  readonly filesPerUploadMax: number
  readonly uploadsAtOnceMax: number
  readonly eventStreamsMax: number
  /** Jobs that compute at once; more wait as `queued`. */
  readonly jobsAtOnceMax: number
  readonly jsonBytesMax: number
  readonly comparedRunsMax: number
}
