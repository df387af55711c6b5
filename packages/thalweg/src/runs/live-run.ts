import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DomainError, TaskError, ThalwegError } from '@thalweg/graph'
import type { JobContext } from '../jobs/job-context.ts'
import type { Progress } from '../jobs/messages.ts'
import { LifeLock } from '../queue/life-lock.ts'
import type { StopSignal } from '../tasks/run-tasks-options.ts'
import { readControl, readProgress } from './read-run.ts'
import type { LiveJob, RunControl, RunEvent, RunProgress, RunStatus } from './run-state.ts'

const lookMs = 250
const progressEveryMs = 250
const eventEveryMs = 1000
const eventBytesMax = 2 ** 20
/** A killed command leaves a computing process that notices within one call of the engine. */
const orphanMs = 10_000

/** The process that works on a run, as everybody sees it in the folder `live` of the run. */
export class LiveRun {
  readonly #directory: string
  readonly #lock: LifeLock
  readonly #base: JobContext
  readonly #startedMs: number
  readonly #looking: NodeJS.Timeout
  readonly #before: RunProgress | undefined
  #want: RunControl['want'] | undefined
  #progress: RunProgress
  #progressMs = Number.NEGATIVE_INFINITY
  #eventMs = Number.NEGATIVE_INFINITY

  private constructor(directory: string, lock: LifeLock, base: JobContext) {
    this.#directory = directory
    this.#lock = lock
    this.#base = base
    this.#startedMs = base.now()
    this.#before = readProgress(directory)
    const resumed = this.#before ? this.#before.resumed + 1 : 0
    const elapsedMs = this.#before?.elapsedMs ?? 0
    const at = { stage: 'starting', done: 0, total: 0 }
    this.#progress = { format: 1, status: 'running', process: process.pid, ...at, elapsedMs, resumed }
    rmSync(this.#file('control.json'), { force: true })
    this.#looking = setInterval(() => {
      this.#want ??= readControl(directory)?.want
    }, lookMs)
    this.#looking.unref()
  }

  /** Takes over a run directory.
   * @throws {DomainError} if a living process works on it, or the folder cannot be written. */
  static async open(directory: string, job: LiveJob, base: JobContext): Promise<LiveRun> {
    const live = join(directory, 'live')
    writing(live, () => mkdirSync(live, { recursive: true }))
    const lock = await takeLock(directory, base.now)
    const run = new LiveRun(directory, lock, base)
    try {
      run.#write('job.json', { ...job, folder: process.cwd() })
      run.#save()
      run.#record({ status: 'running' })
      return run
    } catch (error) {
      run.#close()
      throw error
    }
  }

  /** For the work on the run: progress reaches the files and the parent; stopping comes from both. */
  get context(): JobContext & { readonly signal: StopSignal } {
    return {
      now: this.#base.now,
      onProgress: (progress) => this.#take(progress),
      signal: this.#signal,
    }
  }

  /** What stopping means, where the work was asked to stop. */
  get stopStatus(): 'paused' | 'cancelled' | 'interrupted' | undefined {
    if (this.#want) return this.#want === 'pause' ? 'paused' : 'cancelled'
    return this.#base.signal.aborted ? 'interrupted' : undefined
  }

  /** Leaves the run unfinished, to be gone on with. */
  leave(status: RunStatus, error?: unknown): void {
    this.#progress = { ...this.#progress, status, ...(error !== undefined && { error: messageOf(error) }) }
    try {
      this.#save()
      this.#record({ status })
    } catch {
      // a full disk is why it leaves, and is said by the error that brought it here
    } finally {
      this.#close()
    }
  }

  /** Removes what only an unfinished run needs. */
  finish(): void {
    this.#close()
    rmSync(join(this.#directory, 'live'), { recursive: true, force: true })
  }

  get #signal(): StopSignal {
    const wants = (): RunControl['want'] | undefined => this.#want
    const { signal } = this.#base
    return {
      get aborted(): boolean {
        return signal.aborted || wants() !== undefined
      },
      get reason(): unknown {
        return wants()
      },
    }
  }

  #take(progress: Progress): void {
    this.#base.onProgress(progress)
    if (progress.note !== undefined) return
    const { stage, done, total, detail } = progress
    const newStage = stage !== this.#progress.stage
    const { detail: _, ...rest } = this.#progress
    this.#progress = { ...rest, stage, done, total, ...(detail !== undefined && { detail }) }
    const now = this.#base.now()
    if (newStage || now - this.#progressMs >= progressEveryMs) this.#save()
    if (newStage || now - this.#eventMs >= eventEveryMs) this.#record({})
  }

  #elapsed(): number {
    return Math.round((this.#before?.elapsedMs ?? 0) + this.#base.now() - this.#startedMs)
  }

  #save(): void {
    this.#progressMs = this.#base.now()
    this.#progress = { ...this.#progress, elapsedMs: this.#elapsed() }
    this.#write('progress.json', this.#progress)
  }

  #record(more: Pick<RunEvent, 'status'>): void {
    this.#eventMs = this.#base.now()
    const { stage, done, total, detail } = this.#progress
    const event: RunEvent = {
      at: this.#elapsed(),
      stage,
      done,
      total,
      ...(detail !== undefined && { detail }),
      ...more,
    }
    const file = this.#file('events.jsonl')
    writing(file, () => {
      appendFileSync(file, `${JSON.stringify(event)}\n`)
      if (statSync(file).size > eventBytesMax) replaceFile(file, thinned(readFileSync(file, 'utf8')))
    })
  }

  #write(name: string, value: object): void {
    const file = this.#file(name)
    writing(file, () => replaceFile(file, `${JSON.stringify(value)}\n`))
  }

  #file(name: string): string {
    return join(this.#directory, 'live', name)
  }

  #close(): void {
    clearInterval(this.#looking)
    this.#lock.release()
  }
}

async function takeLock(directory: string, now: () => number): Promise<LifeLock> {
  const begun = now()
  for (;;) {
    const lock = LifeLock.take(join(directory, 'live', 'lock'))
    if (lock) return lock
    if (now() - begun > orphanMs)
      throw new DomainError(
        `${directory}: another process works on this run. Wait for it, or stop it with 'thalweg runs pause ${directory}'.`,
      )
    await delay(lookMs)
  }
}

/** Whole or absent for readers; what a power cut leaves of it may be old, which readers of progress bear. */
function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text)
  renameSync(temporary, file)
}

/** Every second line, and those that say a status. */
function thinned(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '')
  return `${lines.filter((line, i) => i % 2 === 0 || line.includes('"status"')).join('\n')}\n`
}

function writing(path: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    const Kind = reason === 'ENOSPC' || reason === 'EDQUOT' || reason === 'EFBIG' ? TaskError : DomainError
    throw new Kind(
      `writing ${path}: the system refused, ${reason}. Check that the folder is writable and has space; then go on with --resume.`,
      { path, reason },
      error,
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof ThalwegError || error instanceof Error ? error.message : String(error)
}

/** Asks the process that works on a run to stop. False where none does. */
export function askRun(directory: string, control: RunControl): boolean {
  const lock = join(directory, 'live', 'lock')
  if (!existsSync(lock) || !LifeLock.isHeld(lock)) return false
  const file = join(directory, 'live', 'control.json')
  writing(file, () => replaceFile(file, `${JSON.stringify(control)}\n`))
  return true
}
