import type { Redis } from 'ioredis'
import { DomainError, FormatError, TaskError } from '@thalweg/graph'
import { BlobFolder } from '../../tasks/blob-folder.ts'
import { digestOf } from '../../tasks/task.ts'
import { blobKey } from './redis-connection.ts'

/** Of one blob or result in Redis; what is larger needs a folder that all machines see. */
export const redisBytesMax: number = 64 * 2 ** 20
/** After this long without being asked for, Redis forgets them. */
export const keptSeconds: number = 24 * 3600

/** Blobs on their way to workers: in Redis, or in a shared folder where there is one. */
export class RedisBlobs {
  readonly #redis: Redis
  readonly #shared: BlobFolder | undefined

  constructor(redis: Redis, sharedFolder: string | undefined) {
    this.#redis = redis
    this.#shared = sharedFolder === undefined ? undefined : new BlobFolder(sharedFolder)
  }

  /** @throws {DomainError} if the blob is too large for Redis. */
  async send(digest: string, read: () => Promise<Uint8Array>): Promise<void> {
    if (this.#shared) {
      if (!this.#shared.has(digest)) await this.#shared.put(await read())
      return
    }
    if ((await this.#redis.expire(blobKey(digest), keptSeconds)) === 1) return
    const bytes = await read()
    if (bytes.length > redisBytesMax)
      throw new DomainError(
        `--queue: a file of the task has ${bytes.length} bytes, at most ${redisBytesMax} go through Redis. Pass --blob-folder with a folder that all machines see.`,
      )
    await this.#redis.set(blobKey(digest), Buffer.from(bytes), 'EX', keptSeconds)
  }

  /** @throws {TaskError} if it is not there; {FormatError} if its bytes are not what the digest says. */
  async receive(digest: string): Promise<Uint8Array> {
    if (this.#shared) return this.#shared.get(digest)
    const bytes = await this.#redis.getBuffer(blobKey(digest))
    if (!bytes) throw new TaskError(`queue: blob ${digest} is not there any more. Start the work again.`)
    if (digestOf(bytes) !== digest)
      throw new FormatError(`queue: blob ${digest} has other bytes. Somebody else writes there.`)
    return bytes
  }
}
