import { runTasks } from '../run-tasks.ts'
import type { RunTasksOptions } from '../run-tasks-options.ts'
import type { Task } from '../task.ts'
import { testKinds } from './test-kinds.ts'
import { testEntry } from './test-tasks.ts'

/* A process that runs tasks, for tests to kill: its argument is a TestRun; it tells its progress to its parent. */

export interface TestRun {
  readonly tasks: readonly Task[]
  readonly options: Pick<RunTasksOptions, 'store' | 'workers' | 'threads'>
}

async function start({ tasks, options }: TestRun): Promise<void> {
  await runTasks(tasks, {
    ...options,
    kinds: testKinds,
    entry: testEntry,
    onResult: () => undefined,
    onProgress: (progress) => process.send?.(progress),
  })
  process.disconnect()
}

process.once('message', (run: TestRun) => void start(run))
