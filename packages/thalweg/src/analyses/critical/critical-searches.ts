import { tensor } from '@thalweg/graph'
import type { Loss, SearchResult } from '@thalweg/landscape'
import { decodePlainData } from '../../files/plain-data.ts'
import { encodeNpz } from '../../formats/npz.ts'
import type { SearchInputs } from './critical-tasks.ts'
import { runLossTasks } from '../task-work.ts'
import type { TaskWork } from '../task-work.ts'

/** Starts of a task: small networks are fastest many at a time, large ones lose less where a process dies. */
const startsPerTask = 8
const lockstepSizeMax = 300

/** Searches from all starts, or from the first ones where it was stopped. The same call on the same folder takes what is there. */
export async function searchesByTasks(
  work: TaskWork,
  loss: Loss,
  starts: readonly Float64Array[],
  options: Pick<SearchInputs, 'method' | 'maxIterations' | 'gradientTolerance' | 'seed'>,
): Promise<SearchResult[]> {
  const rows = new Float64Array(starts.length * loss.size)
  starts.forEach((start, i) => rows.set(start, i * loss.size))
  const size = loss.size <= lockstepSizeMax ? startsPerTask : 1
  const inputs = Array.from({ length: Math.ceil(starts.length / size) }, (_, i) => ({
    ...options,
    first: i * size,
    count: Math.min(size, starts.length - i * size),
  }))
  const found: SearchResult[][] = []
  await runLossTasks(work, loss, {
    kind: 'critical-searches',
    files: { starts: encodeNpz({ starts: tensor('float64', [starts.length, loss.size], rows) }) },
    inputs,
    onProgress: ({ done }) => work.context.onProgress({ stage: 'searches', done: done * size, total: starts.length }),
    onResult: (index, bytes) => {
      found[index] = decodePlainData(new TextDecoder().decode(bytes), 'searches') as SearchResult[]
    },
  })
  const whole = inputs.findIndex((_, i) => found[i] === undefined)
  return found.slice(0, whole < 0 ? inputs.length : whole).flat()
}
