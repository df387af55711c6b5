import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError } from '@thalweg/graph'
import type { Loss } from '@thalweg/landscape'
import type { JobContext } from '../jobs/job-context.ts'
import type { QueueAddress } from '../queue/redis/queue-address.ts'
import { datasetBlob, lossInputsOf, modelBlob } from '../subject/portable-loss.ts'
import type { ModelSource } from '../subject/portable-loss.ts'
import type { Json } from '../tasks/canonical-json.ts'
import { blobsOf, runTasks } from '../tasks/run-tasks.ts'
import type { RemoteQueue, RunTasksOptions } from '../tasks/run-tasks-options.ts'
import type { Task } from '../tasks/task.ts'

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

/** Tasks that compute with one loss. */
export interface LossTasks {
  readonly kind: string
  /** Of each task, beside the loss. */
  readonly inputs: readonly object[]
  /** Files that tasks read, by name, beside model and data. */
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly onProgress: RunTasksOptions['onProgress']
  readonly onResult: RunTasksOptions['onResult']
}

/** Does the tasks where `work` says. What is done is kept in its folder: the same call takes what is there. */
export async function runLossTasks(
  { directory, source, context, queue, workers, threads }: TaskWork,
  loss: Loss,
  { kind, inputs, files, onProgress, onResult }: LossTasks,
): Promise<void> {
  const store = join(directory, 'live', 'tasks')
  const folder = blobsOf(store)
  const blobs: Record<string, string> = {
    model: await folder.put(await modelBlob(source)),
    data: await folder.put(datasetBlob(loss.dataset)),
  }
  for (const [name, bytes] of Object.entries(files)) blobs[name] = await folder.put(bytes)
  const fingerprint = queue?.fingerprint ?? nativeEngine({ threads }).fingerprint
  const shared = { loss: lossInputsOf(loss) }
  const tasks = inputs.map((own): Task => {
    const all = { ...own, ...shared } as unknown as Readonly<Record<string, Json>>
    return { kind, version: 1, inputs: all, blobs, fingerprint }
  })
  await runTasks(tasks, {
    workers,
    threads,
    ...(queue && { remote: await openQueue(queue, fingerprint, context) }),
    store,
    // what this process holds, a worker will hold
    taskMemoryBytes: process.memoryUsage.rss(),
    signal: context.signal,
    onProgress,
    onResult,
  })
}

/** @throws {DomainError} where workers wait there, but none with the engine that the tasks need. */
async function openQueue(address: QueueAddress, fingerprint: string, context: JobContext): Promise<RemoteQueue> {
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
