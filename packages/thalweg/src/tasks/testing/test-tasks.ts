import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { runTasks } from '../run-tasks.ts'
import type { RunTasksOptions, TasksOutcome } from '../run-tasks-options.ts'
import type { Task } from '../task.ts'
import { testKinds } from './test-kinds.ts'

/** The program of worker processes that know the kinds of tests. */
export const testEntry: string = fileURLToPath(new URL('test-worker.ts', import.meta.url))

export const testFingerprint: string = nativeEngine({ threads: 1 }).fingerprint

export function testTask(kind: string, inputs: Task['inputs'], blobs: Task['blobs'] = {}): Task {
  return { kind, version: 1, inputs, blobs, fingerprint: testFingerprint }
}

export function hashTasks(count: number, rounds: number = 1): Task[] {
  return Array.from({ length: count }, (_, seed) => testTask('hash', { seed, rounds }))
}

/** Runs tasks of tests, and collects their results as text. */
export async function collect(
  tasks: readonly Task[],
  options: Pick<RunTasksOptions, 'store' | 'workers'> & Partial<RunTasksOptions>,
): Promise<{ outcome: TasksOutcome; results: string[]; deliveries: number }> {
  const results: string[] = []
  let deliveries = 0
  const outcome = await runTasks(tasks, {
    threads: 1,
    kinds: testKinds,
    entry: testEntry,
    ...options,
    onResult: (index, bytes) => {
      deliveries++
      results[index] = Buffer.from(bytes).toString('latin1')
    },
  })
  return { outcome, results, deliveries }
}
