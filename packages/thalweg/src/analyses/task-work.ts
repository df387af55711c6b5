import { availableParallelism } from 'node:os'
import { DomainError } from '@thalweg/graph'
import type { JobContext } from '../jobs/job-context.ts'
import type { QueueAddress } from '../queue/redis/queue-address.ts'
import type { ModelSource } from '../subject/portable-loss.ts'
import type { RemoteQueue, RunTasksOptions } from '../tasks/run-tasks-options.ts'

/** Where the tasks of an analysis are done, and by whom. */
export interface TaskWork extends Pick<RunTasksOptions, 'workers' | 'threads'> {
  /** Folder of the run; the queue lies in `live/tasks`. */
  readonly directory: string
  readonly source: ModelSource
  readonly context: JobContext
  /** Workers elsewhere, instead of processes here. */
  readonly queue?: QueueAddress
}

/** Of each engine: all cores for one process, one for each of several, so that their number changes no bit of the result. */
export function threadsOf({
  threads,
  workers = 0,
  queue,
}: Partial<Pick<TaskWork, 'threads' | 'workers' | 'queue'>>): number {
  return threads ?? (workers === 0 && !queue ? availableParallelism() : 1)
}

/** @throws {DomainError} where workers wait there, but none with the engine that the tasks need. */
export async function openQueue(address: QueueAddress, fingerprint: string, context: JobContext): Promise<RemoteQueue> {
  const { fingerprintsAt, openRedisQueue } = await import('../queue/redis/redis-queue.ts')
  const present = await fingerprintsAt(address)
  if (present.size > 0 && !present.has(fingerprint))
    throw new DomainError(
      `--queue: no worker there has the engine '${fingerprint}'. There are: ${[...present.keys()].map((f) => `'${f}'`).join(', ')}. Name one by --fingerprint, or start workers that fit (--threads).`,
    )
  if (present.size === 0)
    context.onProgress({ stage: 'queue', done: 0, total: 0, note: 'no worker has joined the queue yet; waiting' })
  return openRedisQueue(address, fingerprint)
}
