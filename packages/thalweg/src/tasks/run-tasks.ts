import { join } from 'node:path'
import { errorFromWire, errorToWire } from '@thalweg/engine'
import type { WireError } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError, TaskError } from '@thalweg/graph'
import { LeaseBeat } from '../queue/lease-beat.ts'
import { LeaseQueue } from '../queue/lease-queue.ts'
import type { Lease, LeaseQueueOptions } from '../queue/lease-queue.ts'
import { BlobFolder } from './blob-folder.ts'
import { canonicalJson } from './canonical-json.ts'
import { TaskPerformer } from './perform-task.ts'
import type { RunTasksOptions, TasksOutcome } from './run-tasks-options.ts'
import { taskKinds } from './task-kinds.ts'
import { TaskProcess, TaskProcessDeath } from './task-process.ts'
import { taskKey } from './task.ts'
import type { Task } from './task.ts'
import { WakeUp } from './wake-up.ts'

const beatMs = 2_000
const lookMs = 200
const stopLookMs = 50
/** Tasks done in a row after which one more runs at once again. */
const recoveryTasks = 20
const memoryShare = 0.8

/** Where the blobs of a store lie: put them there before the tasks that name them are run. */
export function blobsOf(store: string): BlobFolder {
  return new BlobFolder(join(store, 'blobs'))
}

/** Does tasks, each once, and keeps their results in a folder, whatever is killed when: the same call again takes what is there and
 * does the rest. Results do not hang on the number of workers, nor on the order in which they finish. Several processes may run the same
 * tasks on one store at the same time.
 * @throws what a task threw; {TaskError} if its process died too often, or the disk is full; {DomainError} if the store
 * cannot be written, or the engine here is not the one that the tasks name. What was done stays done in each case. */
export async function runTasks(
  tasks: readonly Task[],
  options: RunTasksOptions,
  queueOptions: LeaseQueueOptions = {},
): Promise<TasksOutcome> {
  const run = new TaskRun(tasks, options, queueOptions)
  try {
    return await run.result()
  } finally {
    await run.close()
  }
}

/** Something that does one task at a time. */
interface Slot {
  readonly perform: (key: string, body: string) => Promise<Uint8Array>
  readonly kill: () => void
}

class TaskRun {
  readonly #options: RunTasksOptions
  readonly #queue: LeaseQueue
  readonly #beat: LeaseBeat
  readonly #places = new Map<string, number[]>()
  readonly #slots: readonly Slot[]
  readonly #wakeUp = new WakeUp()
  readonly #startedMs = performance.now()
  readonly #engine: ReturnType<typeof nativeEngine> | undefined
  #delivered = 0
  #doneHere = 0
  #running = 0
  #retried = 0
  /** Slots in use: fewer after a process died, which is often for want of memory. */
  #width: number
  #streak = 0
  #lookedMs = Number.NEGATIVE_INFINITY
  #failure: Error | undefined

  constructor(tasks: readonly Task[], options: RunTasksOptions, queueOptions: LeaseQueueOptions) {
    this.#options = options
    const { store, workers, threads, remote } = options
    const queued = tasks.map((task, i) => ({
      key: taskKey(task),
      body: canonicalJson({ ...task }),
      priority: options.priority?.(i),
    }))
    for (const [i, { key }] of queued.entries()) this.#places.set(key, [...(this.#places.get(key) ?? []), i])
    this.#queue = new LeaseQueue(store, queueOptions)
    this.#beat = new LeaseBeat({ file: this.#queue.file, owner: this.#queue.owner, everyMs: beatMs })
    if (workers === 0 && !remote) this.#engine = nativeEngine({ threads })
    this.#slots = this.#makeSlots()
    this.#width = this.#slots.length
    this.#queue.want(queued)
  }

  async result(): Promise<TasksOutcome> {
    this.#queue.reap()
    this.#deliverKnown()
    this.#report()
    const looking = setInterval(() => this.#look(), stopLookMs)
    try {
      if (this.#left > 0) await Promise.all(this.#slots.map(async (slot, i) => this.#serve(slot, i)))
    } finally {
      clearInterval(looking)
    }
    if (this.#failure) throw this.#failure
    const total = this.#places.size
    const { signal } = this.#options
    const stopped = signal?.reason === 'pause' ? ('paused' as const) : ('interrupted' as const)
    const status = this.#left === 0 ? ('finished' as const) : stopped
    return { status, done: this.#delivered, total, retried: this.#retried }
  }

  async close(): Promise<void> {
    for (const slot of this.#slots) slot.kill()
    await this.#beat.stop()
    this.#queue.close()
    await this.#engine?.dispose()
  }

  get #left(): number {
    return this.#places.size - this.#delivered
  }

  #makeSlots(): Slot[] {
    const { store, workers, threads, remote, entry, kinds = taskKinds, taskTimeLimitMs } = this.#options
    const blobs = blobsOf(store)
    const blob = async (digest: string): Promise<Uint8Array> => blobs.get(digest)
    if (remote) {
      const perform = async (key: string, body: string): Promise<Uint8Array> => remote.compute(key, body, blob)
      return Array.from({ length: remote.width }, () => ({ perform, kill: () => void remote.close() }))
    }
    if (this.#engine) {
      const performer = new TaskPerformer({ kinds, engine: this.#engine, blob })
      return [{ perform: async (key, body) => performer.perform(key, body), kill: () => undefined }]
    }
    const { taskMemoryBytes, memoryBytes = memoryShare * process.availableMemory() } = this.#options
    const fitting = taskMemoryBytes === undefined ? workers : Math.max(1, Math.floor(memoryBytes / taskMemoryBytes))
    return Array.from({ length: Math.min(workers, fitting) }, () => {
      const child = new TaskProcess({ blobs: join(store, 'blobs'), threads, entry, timeLimitMs: taskTimeLimitMs })
      return { perform: async (key, body) => child.perform(key, body), kill: () => child.kill() }
    })
  }

  get #stopped(): boolean {
    return this.#failure !== undefined || this.#options.signal?.aborted === true
  }

  /** Ends running tasks where the call is to stop at once. */
  #look(): void {
    if (!this.#stopped) return
    this.#wakeUp.all()
    if (this.#failure === undefined && this.#options.signal?.reason === 'pause') return
    for (const slot of this.#slots) slot.kill()
  }

  async #serve(slot: Slot, index: number): Promise<void> {
    try {
      for (;;) {
        const lease = await this.#next(index)
        if (!lease) return
        await this.#do(slot, lease)
      }
    } catch (error) {
      this.#failure ??= error as Error
      this.#look()
    }
  }

  /** The next task of a slot; undefined when there is nothing left to do or to wait for. */
  async #next(index: number): Promise<Lease | undefined> {
    while (!this.#stopped && this.#left > 0) {
      if (index < this.#width) {
        const lease = this.#queue.lease()
        if (lease) return lease
        this.#lookAround()
      }
      if (this.#left > 0) await this.#wakeUp.wait(lookMs)
    }
    return undefined
  }

  /** Nothing waits: takes what others finished, and what the dead left. */
  #lookAround(): void {
    const now = performance.now()
    if (now - this.#lookedMs < lookMs) return
    this.#lookedMs = now
    this.#queue.reap()
    const before = this.#delivered
    this.#deliverKnown()
    if (this.#delivered > before) this.#report()
    const failed = this.#queue.failure()
    if (failed) throw errorOf(failed.error)
  }

  async #do(slot: Slot, lease: Lease): Promise<void> {
    this.#running++
    try {
      const bytes = await slot.perform(lease.key, lease.body)
      if (this.#queue.complete(lease, bytes)) {
        this.#doneHere++
        this.#deliver(lease.key, bytes)
      }
      if (++this.#streak % recoveryTasks === 0) this.#width = Math.min(this.#slots.length, this.#width + 1)
    } catch (error) {
      this.#book(lease, error)
    } finally {
      this.#running--
      this.#report()
      if (this.#left > 0) this.#wakeUp.one()
      else this.#wakeUp.all()
    }
  }

  #book(lease: Lease, error: unknown): void {
    if (this.#stopped) return this.#queue.release(lease)
    if (!(error instanceof TaskProcessDeath)) {
      this.#queue.fail(lease, JSON.stringify(errorToWire(error)), -1)
      throw error
    }
    this.#retried++
    this.#streak = 0
    this.#width = Math.max(1, Math.floor(this.#width / 2))
    const { retries = 3 } = this.#options
    const cure = 'Allow more time or memory, or make the tasks smaller.'
    const last = new TaskError(`${error.message} It was tried ${lease.failures + 1} times. ${cure}`)
    if (this.#queue.fail(lease, JSON.stringify(errorToWire(last)), retries) === 'failed') throw last
  }

  #deliver(key: string, bytes: Uint8Array): void {
    for (const place of this.#places.get(key)!) this.#options.onResult(place, bytes)
    this.#delivered++
  }

  /** What was done before this call, or by others during it. */
  #deliverKnown(): void {
    for (const [key, bytes] of this.#queue.fresh()) this.#deliver(key, bytes)
  }

  #report(): void {
    const elapsedMs = performance.now() - this.#startedMs
    this.#options.onProgress?.({
      done: this.#delivered,
      total: this.#places.size,
      running: this.#running,
      retried: this.#retried,
      ...(this.#doneHere > 0 && { remainingMs: (elapsedMs * this.#left) / this.#doneHere }),
    })
  }
}

function errorOf(text: string): Error {
  try {
    return errorFromWire(JSON.parse(text) as WireError)
  } catch {
    return new DomainError(`task: failed, ${text}`)
  }
}
