import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorToWire } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError, InvariantError, TaskError } from '@thalweg/graph'
import type { Job, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { BlobFolder } from '../../tasks/blob-folder.ts'
import { parseTask } from '../../tasks/perform-task.ts'
import { TaskProcess, TaskProcessDeath } from '../../tasks/task-process.ts'
import type { QueueAddress } from './queue-address.ts'
import { RedisBlobs, keptSeconds, redisBytesMax } from './redis-blobs.ts'
import { connectRedis, connectionOptions, keyPrefix, queueLibrary, queueNameOf, resultKey } from './redis-connection.ts'
import { sealResult } from './result-bytes.ts'
import { showPresence } from './worker-presence.ts'

export interface RedisWorkerOptions {
  /** Processes that compute: tasks done at once. */
  readonly workers: number
  /** Of the engine of each. */
  readonly threads: number
  /** A task whose worker has not been heard of for so long goes to another. Default 15 s. */
  readonly leaseMs?: number
  readonly taskTimeLimitMs?: number
  /** For tests: the program of the processes. */
  readonly entry?: string
}

/** Times that a task is given to yet another worker because one was lost. */
const stalledMax = 10
/** Blobs kept on this machine; beyond it they are fetched again. */
const cacheBytesMax = 4 * 2 ** 30

/** Takes tasks from a queue until it is closed. This process only talks: computing is done by child processes, so a long
 * task never keeps it from saying that it is alive. It does registered kinds on blobs of known digest, never code or paths from
 * the queue. */
export class RedisWorker {
  readonly #redis: Redis
  readonly #worker: Worker
  readonly #folder: string
  readonly #cache: BlobFolder
  readonly #blobs: RedisBlobs
  readonly #idle: TaskProcess[]
  readonly #processes: readonly TaskProcess[]
  readonly #hide: () => void
  readonly #fetching = new Map<string, Promise<void>>()
  #cachedBytes = 0
  #done = 0
  /** When a task was last begun or ended. */
  #activeMs = performance.now()

  private constructor(parts: {
    readonly redis: Redis
    readonly address: QueueAddress
    readonly library: typeof import('bullmq')
    readonly folder: string
    readonly options: RedisWorkerOptions
  }) {
    const { redis, address, library, folder, options } = parts
    const { workers, threads, entry, taskTimeLimitMs, leaseMs = 15_000 } = options
    this.#redis = redis
    this.#folder = folder
    const blobs = join(folder, 'blobs')
    this.#cache = new BlobFolder(blobs)
    this.#blobs = new RedisBlobs(redis, address.blobFolder)
    const limits = { timeLimitMs: taskTimeLimitMs, entry }
    this.#processes = Array.from({ length: workers }, () => new TaskProcess({ blobs, threads, ...limits }))
    this.#idle = [...this.#processes]
    const { fingerprint } = nativeEngine({ threads })
    this.#hide = showPresence(redis, fingerprint, workers)
    const fail = (error: unknown): Error => new library.UnrecoverableError(JSON.stringify(errorToWire(error)))
    this.#worker = new library.Worker(queueNameOf(fingerprint), async (job) => this.#perform(job, fail), {
      connection: connectionOptions(address),
      prefix: keyPrefix,
      concurrency: workers,
      lockDuration: leaseMs,
      stalledInterval: Math.max(1_000, leaseMs / 2),
      maxStalledCount: stalledMax,
    })
    // the connection comes back by itself; what it says meanwhile must not end the process
    this.#worker.on('error', () => undefined)
    redis.on('error', () => undefined)
  }

  /** @throws {TaskError} if the server cannot be reached. */
  static async start(address: QueueAddress, options: RedisWorkerOptions): Promise<RedisWorker> {
    const redis = await connectRedis(address)
    const library = await queueLibrary()
    const folder = await mkdtemp(join(tmpdir(), 'thalweg-worker-'))
    return new RedisWorker({ redis, address, library, folder, options })
  }

  get done(): number {
    return this.#done
  }

  /** How long there has been nothing to do. */
  get idleMs(): number {
    return this.#idle.length < this.#processes.length ? 0 : performance.now() - this.#activeMs
  }

  /** Finishes what is being done, unless `now`, and leaves. */
  async close(now: boolean = false): Promise<void> {
    this.#hide()
    if (now) for (const child of this.#processes) child.end()
    await this.#worker.close(now)
    for (const child of this.#processes) child.end()
    this.#redis.disconnect()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #perform(job: Job, fail: (error: unknown) => Error): Promise<null> {
    const key = String(job.id)
    const child = this.#idle.pop()
    if (!child) throw new InvariantError('worker: more tasks than processes.')
    this.#activeMs = performance.now()
    try {
      const body: unknown = (job.data as { readonly body?: unknown } | undefined)?.body
      if (typeof body !== 'string') throw new DomainError('worker: a task is text.')
      const { blobs } = parseTask(key, body)
      for (const digest of Object.values(blobs)) await this.#fetch(digest)
      const bytes = await child.perform(key, body)
      if (bytes.length > redisBytesMax)
        throw new TaskError(`worker: a result has ${bytes.length} bytes, at most ${redisBytesMax} go through Redis.`)
      await this.#redis.set(resultKey(key), sealResult(bytes), 'EX', keptSeconds)
      this.#done++
      return null
    } catch (error) {
      // a process that died may do better next time; what a task throws, it throws again
      if (error instanceof TaskProcessDeath) throw error
      throw fail(error)
    } finally {
      this.#idle.push(child)
      this.#activeMs = performance.now()
    }
  }

  /** Brings a blob to this machine, once however many tasks want it. */
  #fetch(digest: string): Promise<void> {
    const known = this.#fetching.get(digest)
    if (known) return known
    const fetching = this.#bring(digest).catch((error: unknown) => {
      this.#fetching.delete(digest)
      throw error
    })
    this.#fetching.set(digest, fetching)
    return fetching
  }

  async #bring(digest: string): Promise<void> {
    const bytes = await this.#blobs.receive(digest)
    this.#cachedBytes += bytes.length
    // only where no other task is about to read it
    const alone = this.#idle.length === this.#processes.length - 1
    if (this.#cachedBytes > cacheBytesMax && alone) await this.#forget(bytes.length)
    await this.#cache.put(bytes)
  }

  /** Empties the cache of this machine. */
  async #forget(kept: number): Promise<void> {
    this.#fetching.clear()
    this.#cachedBytes = kept
    await rm(join(this.#folder, 'blobs'), { recursive: true, force: true })
  }
}
