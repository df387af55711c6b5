import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { tensor } from '@thalweg/graph'
import type { Loss, SearchResult } from '@thalweg/landscape'
import { decodePlainData } from '../../files/plain-data.ts'
import { encodeNpz } from '../../formats/npz.ts'
import { datasetBlob, lossInputsOf, modelBlob } from '../../subject/portable-loss.ts'
import type { Json } from '../../tasks/canonical-json.ts'
import { blobsOf, runTasks } from '../../tasks/run-tasks.ts'
import type { Task } from '../../tasks/task.ts'
import type { SearchInputs } from './critical-tasks.ts'
import { openQueue } from '../task-work.ts'
import type { TaskWork } from '../task-work.ts'

/** Starts of a task: small networks are fastest many at a time, large ones lose less where a process dies. */
const startsPerTask = 8
const lockstepSizeMax = 300

/** Searches from all starts, or from the first ones where it was stopped. The same call on the same folder takes what is there. */
export async function searchesByTasks(
  { directory, source, context, queue, workers, threads }: TaskWork,
  loss: Loss,
  starts: readonly Float64Array[],
  options: Pick<SearchInputs, 'method' | 'maxIterations' | 'gradientTolerance' | 'seed'>,
): Promise<SearchResult[]> {
  const store = join(directory, 'live', 'tasks')
  const folder = blobsOf(store)
  const rows = new Float64Array(starts.length * loss.size)
  starts.forEach((start, i) => rows.set(start, i * loss.size))
  const blobs = {
    model: await folder.put(await modelBlob(source)),
    data: await folder.put(datasetBlob(loss.dataset)),
    starts: await folder.put(encodeNpz({ starts: tensor('float64', [starts.length, loss.size], rows) })),
  }
  const fingerprint = queue?.fingerprint ?? nativeEngine({ threads }).fingerprint
  const size = loss.size <= lockstepSizeMax ? startsPerTask : 1
  const inputs = { ...options, loss: lossInputsOf(loss) } as unknown as Readonly<Record<string, Json>>
  const tasks = Array.from({ length: Math.ceil(starts.length / size) }, (_, i): Task => {
    const range = { first: i * size, count: Math.min(size, starts.length - i * size) }
    return { kind: 'critical-searches', version: 1, inputs: { ...inputs, ...range }, blobs, fingerprint }
  })
  const found: SearchResult[][] = []
  await runTasks(tasks, {
    workers,
    threads,
    ...(queue && { remote: await openQueue(queue, fingerprint, context) }),
    store,
    taskMemoryBytes: process.memoryUsage.rss(),
    signal: context.signal,
    onProgress: ({ done }) => context.onProgress({ stage: 'searches', done: done * size, total: starts.length }),
    onResult: (index, bytes) => {
      found[index] = decodePlainData(new TextDecoder().decode(bytes), 'searches') as SearchResult[]
    },
  })
  const whole = tasks.findIndex((_, i) => found[i] === undefined)
  return found.slice(0, whole < 0 ? tasks.length : whole).flat()
}
