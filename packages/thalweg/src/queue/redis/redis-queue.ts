import { errorFromWire } from '@thalweg/engine'
import type { WireError } from '@thalweg/engine'
import { TaskError } from '@thalweg/graph'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { parseTask } from '../../tasks/perform-task.ts'
import type { RemoteQueue } from '../../tasks/run-tasks-options.ts'
import { WakeUp } from '../../tasks/wake-up.ts'
import type { QueueAddress } from './queue-address.ts'
import { RedisBlobs, keptSeconds } from './redis-blobs.ts'
import { connectRedis, connectionOptions, keyPrefix, queueLibrary, queueNameOf, resultKey } from './redis-connection.ts'
import { openResult } from './result-bytes.ts'
import { presentWorkers } from './worker-presence.ts'

/** Tasks that are out at once: enough for many workers, few enough to look after. */
const width = 256
const collectMs = 100
/** Between looks at tasks whose result does not come: the server may have lost them, or they failed. */
const careMs = 2_000
/** Results that were collected stay for others who wait for the same for so long. */
const collectedSeconds = 60
const attempts = 4

interface Pending {
  readonly body: string
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/** Where tasks go to be done by `thalweg worker`s elsewhere, through BullMQ on Redis or Valkey. Redis is on the way only: what is done is
 * kept by the caller, and what Redis loses is sent again.
 * @throws {TaskError} if the server cannot be reached. */
export async function openRedisQueue(address: QueueAddress, fingerprint: string): Promise<RemoteQueue> {
  const redis = await connectRedis(address)
  const { Queue: BullQueue } = await queueLibrary()
  const queue = new BullQueue(queueNameOf(fingerprint), { connection: connectionOptions(address), prefix: keyPrefix })
  // reconnecting is the connection's own business; its errors must not end the process
  queue.on('error', () => undefined)
  return new RedisTaskQueue(redis, queue, new RedisBlobs(redis, address.blobFolder))
}

/** Fingerprints of the workers that wait at an address, by how many tasks they do at once. */
export async function fingerprintsAt(address: QueueAddress): Promise<ReadonlyMap<string, number>> {
  const redis = await connectRedis(address)
  try {
    return await presentWorkers(redis)
  } finally {
    redis.disconnect()
  }
}

class RedisTaskQueue implements RemoteQueue {
  readonly width: number = width
  readonly #redis: Redis
  readonly #queue: Queue
  readonly #blobs: RedisBlobs
  readonly #pending = new Map<string, Pending>()
  readonly #sent = new Map<string, Promise<void>>()
  readonly #work = new WakeUp()
  readonly #collecting: Promise<void>
  #closed = false

  constructor(redis: Redis, queue: Queue, blobs: RedisBlobs) {
    this.#redis = redis
    this.#queue = queue
    this.#blobs = blobs
    this.#collecting = this.#collect()
  }

  async compute(key: string, body: string, blob: (digest: string) => Promise<Uint8Array>): Promise<Uint8Array> {
    const { blobs } = parseTask(key, body)
    for (const digest of Object.values(blobs)) await this.#send(digest, blob)
    if (this.#closed) throw closedError()
    const result = new Promise<Uint8Array>((resolve, reject) => this.#pending.set(key, { body, resolve, reject }))
    result.catch(() => undefined)
    await this.#submit(key, body)
    this.#work.all()
    return result
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const { reject } of this.#pending.values()) reject(closedError())
    this.#pending.clear()
    this.#work.all()
    this.#redis.disconnect()
    await this.#collecting
    // a server that is away must not keep the process from ending
    await this.#queue.disconnect().catch(() => undefined)
  }

  #send(digest: string, blob: (digest: string) => Promise<Uint8Array>): Promise<void> {
    const known = this.#sent.get(digest)
    if (known) return known
    const sending = this.#blobs.send(digest, async () => blob(digest))
    this.#sent.set(digest, sending)
    return sending
  }

  async #submit(key: string, body: string): Promise<void> {
    await this.#queue.add(
      'task',
      { body },
      { jobId: key, attempts, removeOnComplete: true, removeOnFail: { age: keptSeconds } },
    )
  }

  async #collect(): Promise<void> {
    let caredMs = performance.now()
    while (!this.#closed) {
      try {
        if (this.#pending.size > 0) await this.#take()
        if (performance.now() - caredMs > careMs) {
          await this.#care()
          caredMs = performance.now()
        }
      } catch {
        // the server is away: what is missing is seen when it is back
      }
      await this.#work.wait(this.#pending.size > 0 ? collectMs : careMs)
    }
  }

  async #take(): Promise<void> {
    const keys = [...this.#pending.keys()]
    const found = await this.#redis.mgetBuffer(keys.map(resultKey))
    for (const [i, stored] of found.entries()) {
      const pending = this.#pending.get(keys[i])
      if (!stored || !pending) continue
      this.#pending.delete(keys[i])
      try {
        pending.resolve(openResult(stored))
      } catch (error) {
        pending.reject(error as Error)
      }
      await this.#redis.expire(resultKey(keys[i]), collectedSeconds)
    }
  }

  /** Sends again what the server does not know any more, and reports what failed. */
  async #care(): Promise<void> {
    for (const [key, { body, reject }] of this.#pending) {
      if (this.#closed) return
      const job = await this.#queue.getJob(key)
      if (!job) {
        // done and gone, with its result in place: taken next time
        if ((await this.#redis.exists(resultKey(key))) === 0) {
          this.#sent.clear()
          await this.#submit(key, body)
        }
      } else if ((await job.getState()) === 'failed') {
        this.#pending.delete(key)
        await job.remove()
        reject(failureOf(job.failedReason))
      }
    }
  }
}

function closedError(): TaskError {
  return new TaskError('queue: closed before the task was done.')
}

/** Workers send what a task threw as JSON; anything else is said by BullMQ. */
function failureOf(reason: string | undefined): Error {
  try {
    return errorFromWire(JSON.parse(reason ?? '') as WireError)
  } catch {
    return new TaskError(`queue: a task failed: ${reason ?? 'no reason is known'}. Look at the workers.`)
  }
}
