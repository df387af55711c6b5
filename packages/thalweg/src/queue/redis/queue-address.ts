/** Where a queue is and how to get in. Plain data; it is never written to disk. */
export interface QueueAddress {
  /** `redis://` or, encrypted, `rediss://`, with user and password where they are not given apart. */
  readonly url: string
  readonly username?: string
  readonly password?: string
  /** Certificates (PEM) that the server's must descend from, instead of the system's. */
  readonly certificates?: string
  /** Of the workers that are to do the tasks; default that of this machine. */
  readonly fingerprint?: string
  /** A folder that all machines see, for blobs that are too large for the queue. */
  readonly blobFolder?: string
}
