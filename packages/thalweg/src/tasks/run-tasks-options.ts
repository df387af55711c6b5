import type { TaskKinds } from './task-kind.ts'

/** How far the tasks of a call have come. Every number is a count of what is on disk, not of what was tried. */
export interface TaskProgress {
  readonly done: number
  readonly total: number
  /** Being computed now. */
  readonly running: number
  /** Processes that died or ran out of time, and whose task was tried again. */
  readonly retried: number
  /** At the rate of this call; absent until a task is done. */
  readonly remainingMs?: number
}

/** `pause` lets the tasks that run now finish; anything else ends them at once. Either way what is done stays done. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason?: unknown
}

export interface RunTasksOptions {
  /** Folder of the queue and the blobs; made when it is not there. One folder serves many calls. */
  readonly store: string
  /** Child processes that compute; 0: the calling process does it, between beats of a thread that renews the lease. */
  readonly workers: number
  /** Of the engine of each worker; must give the fingerprint of the tasks. */
  readonly threads: number
  /** Told of every task's result once, known ones first; `index` is the task's place. The order is not fixed: fold by index. */
  readonly onResult: (index: number, bytes: Uint8Array) => void
  readonly onProgress?: (progress: TaskProgress) => void
  readonly signal?: StopSignal
  /** Of each task by its place: higher goes first, equal ones in the order given. Default 0. */
  readonly priority?: (index: number) => number
  /** Ends a task's process after this long; it counts as a failure of the process. Only with workers. */
  readonly taskTimeLimitMs?: number
  /** A task whose process dies this often more than once fails. Default 3. What a task throws is final at once. */
  readonly retries?: number
  /** Estimated memory of one task in bytes; as many run at once as fit. Default: not limited. */
  readonly taskMemoryBytes?: number
  /** Memory for all tasks; default: 80 % of what the system has free at the start. */
  readonly memoryBytes?: number
  /** A queue on other machines instead of processes here: see queue/redis. */
  readonly remote?: RemoteQueue
  /** For tests: other kinds, and the program of the worker processes. */
  readonly kinds?: TaskKinds
  readonly entry?: string
}

/** `finished`: every task is done. Otherwise the same call again goes on where this one ended. */
export interface TasksOutcome {
  readonly status: 'finished' | 'paused' | 'interrupted'
  readonly done: number
  readonly total: number
  readonly retried: number
}

/** Somewhere else to compute: takes tasks and gives their bytes, each once. */
export interface RemoteQueue {
  /** Tasks that may be out at once. */
  readonly width: number
  /** @throws {TaskError} if the task failed for good, or the queue was closed. */
  readonly compute: (key: string, body: string, blob: (digest: string) => Promise<Uint8Array>) => Promise<Uint8Array>
  readonly close: () => Promise<void>
}
