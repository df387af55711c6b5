/* What any process can know about a run by its directory alone.
 *
 *     manifest.json        what the run is; `status` is a RunStatus
 *     live/                there while the run is not finished; removed when it is
 *       progress.json      a RunProgress, replaced whole, at most every 250 ms
 *       events.jsonl       one RunEvent a line, appended; at most 1 MiB (then every second one is dropped)
 *       control.json       a RunControl: what someone asks of the running process, read every 250 ms
 *       job.json           { job, argument, folder }: how to start it again
 *       lock               held through the operating system while a process works on the run; freed by its death
 *       training.npz       the point from which training goes on
 *       tasks/             lease queue and blobs of the stages that are split into tasks
 */

/** `interrupted`: by Ctrl-C, a signal, a kill or a power cut; goes on with `--resume`, as do `paused` and `time-limit`.
 * `cancelled`: what only resuming needs is gone. `diverged` and `failed`: ended by the computation, `progress.error` says why. */
export type RunStatus =
  | 'running'
  | 'finished'
  | 'interrupted'
  | 'paused'
  | 'cancelled'
  | 'diverged'
  | 'time-limit'
  | 'failed'

export interface RunProgress {
  readonly format: 1
  readonly status: RunStatus
  /** Of the process that computes; for people. Whether it lives is told by the lock. */
  readonly process: number
  readonly stage: string
  /** `done` of `total` of the stage: steps, points, tasks. */
  readonly done: number
  readonly total: number
  readonly detail?: string
  /** Of this and all earlier processes, by monotonic clocks. */
  readonly elapsedMs: number
  /** How often the run was gone on with. */
  readonly resumed: number
  readonly error?: string
}

/** A line of `events.jsonl`; `at` is elapsedMs of the run. */
export interface RunEvent {
  readonly at: number
  readonly stage: string
  readonly done: number
  readonly total: number
  readonly detail?: string
  readonly status?: RunStatus
}

export interface RunControl {
  readonly want: 'pause' | 'cancel'
}

/** How to start a run's job again. */
export interface LiveJob {
  readonly job: string
  readonly argument: object
}

/** A run as a list shows it. */
export interface RunSummary {
  readonly directory: string
  readonly name: string
  /** True now: a run that says `running` but has no living process is `interrupted`. */
  readonly status: RunStatus
  readonly progress: RunProgress | null
  readonly resumable: boolean
}
