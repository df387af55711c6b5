import { rename, readdir, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { InvariantError, TaskError, ThalwegError } from '@thalweg/graph'
import type { RunOutcome } from '../experiment/run-results.ts'
import { makeFolder } from '../files/write-atomic.ts'
import { runJob } from '../jobs/job-process.ts'
import type { Progress as JobProgress } from '../jobs/messages.ts'
import { packageVersion } from '../files/package-file.ts'
import { RunDirectory } from '../runs/run-directory.ts'
import type { JobRecord, JobRecords } from './job-record.ts'
import type { LabLimits } from './limits.ts'
import { LiveFeed } from './live-feed.ts'
import type { FeedEvent } from './live-feed.ts'
import type { Progress, RunState, RunSummary, WorkRequest } from './protocol.ts'
import { Refusal } from './refusal.ts'
import { isPlainName } from './root-folder.ts'
import { planOf } from './work-plan.ts'
import type { Places, Plan } from './work-plan.ts'

export interface BoardOptions {
  readonly rootPath: string
  readonly limits: LabLimits
  readonly threads: number
  readonly records: JobRecords
  readonly places: Places
  /** Where the experiment of a request is put as a file; undefined for other requests.
   * @throws {Refusal}, {FormatError} if it is not one that a page may start. */
  readonly placeExperiment: (id: string, request: WorkRequest) => Promise<string | undefined>
  /** Something about the run has changed. */
  readonly onChange: (id: string) => void
  readonly onFeed: (id: string, event: FeedEvent) => void
  /** For bugs of ours. */
  readonly onError: (error: unknown) => void
}

interface Work {
  record: JobRecord
  readonly feed: LiveFeed
  readonly controller: AbortController
  progress: Progress | null
  /** When the present stage began, in the elapsed time of the job. */
  stageStartMs: number
  /** What of the records has been written, in order. */
  written: Promise<void>
  graceMs: number
  resume: boolean
}

const graceMs = 10_000
const active: ReadonlySet<RunState> = new Set<RunState>(['queued', 'running', 'stopping'])
/** Points of a live curve that a job tells in its progress: `loss 0.1234`. */
const lossDetail = /^loss (\S+)/

/** Work that pages ask for: waits its turn, runs in a process of its own, and leaves a run in the root. */
export class WorkBoard {
  readonly #options: BoardOptions
  readonly #work = new Map<string, Work>()
  readonly #queue: string[] = []
  readonly #running = new Set<Promise<void>>()
  #closed = false

  constructor(options: BoardOptions) {
    this.#options = options
  }

  /** Takes up what earlier labs were asked for: to be listed, and to be gone on with. */
  async load(): Promise<void> {
    for (const record of await this.#options.records.load()) this.#work.set(record.id, this.#workOf(record))
  }

  get ids(): Iterable<string> {
    return this.#work.keys()
  }

  requestOf(id: string): WorkRequest | undefined {
    return this.#work.get(id)?.record.request
  }

  feed(id: string): LiveFeed | undefined {
    return this.#work.get(id)?.feed
  }

  /** True while the lab computes the run, or will. */
  isActive(id: string): boolean {
    const work = this.#work.get(id)
    return work !== undefined && active.has(work.record.state)
  }

  /** Whether a run was started with this upload. */
  needsUpload(upload: string): boolean {
    const text = JSON.stringify(upload)
    for (const { record } of this.#work.values()) if (JSON.stringify(record.request).includes(text)) return true
    return false
  }

  /** The summary of a run with what the board knows of it; undefined where it knows nothing and the disk neither. */
  overlay(onDisk: RunSummary | undefined, id: string): RunSummary | undefined {
    const work = this.#work.get(id)
    // of another process, which can be asked to stop; going on with it is for whoever started it
    if (!work) return onDisk && { ...onDisk, stoppable: onDisk.state === 'running', resumable: false }
    const { record, progress } = work
    const { request } = record
    const base = onDisk ?? emptySummary(record)
    // how a training ended is told by its own manifest
    const state = record.state === 'finished' && onDisk && request.command === 'run' ? onDisk.state : record.state
    const ended = record.endedAt
    return {
      ...base,
      name: record.name,
      command: request.command,
      state,
      createdAt: record.createdAt,
      updatedAt: ended !== null && (active.has(state) || ended > base.updatedAt) ? ended : base.updatedAt,
      elapsedMs: record.elapsedMs ?? base.elapsedMs,
      progress,
      stoppable: state === 'queued' || state === 'running' || state === 'stopping',
      resumable: !active.has(state) && state !== 'finished',
      parent: parentOf(request) ?? base.parent,
      error: record.error ?? base.error,
    }
  }

  /** Puts work into the queue.
   * @throws {Refusal} for what cannot be done; 429 when too much waits. */
  async start(request: WorkRequest): Promise<string> {
    this.#requireOpen()
    if (this.#queue.length >= this.#options.limits.jobsQueuedMax)
      throw new Refusal('too-many', `At most ${this.#options.limits.jobsQueuedMax} jobs may wait. Let some end.`)
    const id = await this.#freeId(request)
    const record: JobRecord = {
      id,
      name: request.name ?? id,
      request,
      state: 'queued',
      createdAt: new Date().toISOString(),
      endedAt: null,
      elapsedMs: null,
      error: null,
    }
    const work = this.#workOf(record)
    // the name is taken from here on, while references are still being looked up
    this.#work.set(id, work)
    try {
      await planOf(request, this.#planOptions(work))
      await this.#options.placeExperiment(id, request)
    } catch (error) {
      this.#work.delete(id)
      throw error
    }
    await this.#enqueue(work)
    return id
  }

  /** @throws {Refusal} 404, 409. */
  async resume(id: string): Promise<void> {
    this.#requireOpen()
    const known = this.#work.get(id)
    if (!known) throw new Refusal('conflict', 'This run was not started here. Go on with it by: thalweg runs resume')
    if (active.has(known.record.state)) throw new Refusal('conflict', 'This run is going on.')
    if (known.record.state === 'finished') throw new Refusal('conflict', 'This run is finished.')
    const work = this.#workOf({ ...known.record, state: 'queued', endedAt: null, error: null })
    work.resume = await this.#prepareResume(id)
    this.#work.set(id, work)
    await this.#enqueue(work)
  }

  /** @throws {Refusal} 409 where there is nothing to stop. */
  async stop(id: string, now: boolean): Promise<void> {
    const work = this.#work.get(id)
    if (!work || !active.has(work.record.state)) throw new Refusal('conflict', 'This run is not going on here.')
    const place = this.#queue.indexOf(id)
    if (place >= 0) {
      this.#queue.splice(place, 1)
      await this.#update(work, { state: 'stopped', endedAt: new Date().toISOString() })
      return
    }
    if (now) work.graceMs = 0
    if (work.record.state === 'running') await this.#update(work, { state: 'stopping' })
    work.controller.abort()
  }

  /** Lets running jobs save what they have, and ends. */
  async close(): Promise<void> {
    this.#closed = true
    this.#queue.length = 0
    for (const { controller } of this.#work.values()) controller.abort()
    await Promise.all(this.#running)
    await Promise.all([...this.#work.values()].map(async ({ written }) => written))
  }

  #requireOpen(): void {
    if (this.#closed) throw new Refusal('unavailable', 'The lab is going down.')
  }

  #workOf(record: JobRecord): Work {
    const { id } = record
    return {
      record,
      feed: new LiveFeed((event) => this.#options.onFeed(id, event)),
      controller: new AbortController(),
      progress: null,
      stageStartMs: 0,
      written: Promise.resolve(),
      graceMs,
      resume: false,
    }
  }

  #planOptions({ record, resume }: Work, experimentPath?: string): Parameters<typeof planOf>[1] {
    const { places, threads, rootPath } = this.#options
    return { places, threads, resume, out: join(rootPath, record.id), experimentPath }
  }

  async #update(work: Work, change: Partial<JobRecord>): Promise<void> {
    work.record = { ...work.record, ...change }
    const { record } = work
    work.written = work.written.then(async () => this.#options.records.write(record)).catch(this.#options.onError)
    this.#options.onChange(record.id)
    await work.written
  }

  async #enqueue(work: Work): Promise<void> {
    this.#queue.push(work.record.id)
    await this.#update(work, { state: 'queued' })
    this.#advance()
  }

  #advance(): void {
    while (!this.#closed && this.#running.size < this.#options.limits.jobsAtOnceMax) {
      const id = this.#queue.shift()
      const work = id === undefined ? undefined : this.#work.get(id)
      if (!work) return
      const done = this.#perform(work).finally(() => {
        this.#running.delete(done)
        this.#advance()
      })
      this.#running.add(done)
    }
  }

  async #perform(work: Work): Promise<void> {
    const started = performance.now()
    const end = async (state: RunState, error: string | null): Promise<void> => {
      if (error !== null) work.feed.line('error', error)
      work.feed.flush()
      work.progress = null
      const elapsedMs = performance.now() - started
      await this.#update(work, { state, error, elapsedMs, endedAt: new Date().toISOString() })
    }
    try {
      await this.#update(work, { state: 'running' })
      const experimentPath = await this.#options.placeExperiment(work.record.id, work.record.request)
      const plan = await planOf(work.record.request, this.#planOptions(work, experimentPath))
      const document = await this.#compute(work, plan, started)
      await this.#writeOutcome(work, plan, document, performance.now() - started)
      const whole = !work.controller.signal.aborted && !isCutShort(work.record.request, document)
      await end(whole ? 'finished' : 'stopped', null)
    } catch (error) {
      const stopped = work.controller.signal.aborted && error instanceof TaskError
      if (!isExpected(error)) this.#options.onError(error)
      await end(stopped ? 'stopped' : 'failed', stopped ? null : messageOf(error, this.#options.rootPath))
    }
  }

  async #compute(work: Work, plan: Plan, started: number): Promise<unknown> {
    const out = new RunDirectory(join(this.#options.rootPath, work.record.id))
    // these two do not make their folders themselves
    if (work.record.request.command === 'diagnose') await makeFolder(out.file('checkpoints'))
    if (work.record.request.command === 'critical') await makeFolder(out.file('figures'))
    return runJob<unknown>(plan.job, plan.argument, {
      signal: work.controller.signal,
      onProgress: (progress) => this.#onProgress(work, progress, started),
      get graceMs() {
        return work.graceMs
      },
    })
  }

  #onProgress(work: Work, { stage, done, total, detail, note }: JobProgress, started: number): void {
    if (note !== undefined) {
      work.feed.line('info', note)
      return
    }
    const elapsedMs = performance.now() - started
    if (work.progress?.stage !== stage) {
      work.feed.line('info', stage)
      work.stageStartMs = elapsedMs
    }
    const stageMs = elapsedMs - work.stageStartMs
    const remainingMs = done > 0 && done < total && stageMs > 500 ? (stageMs * (total - done)) / done : null
    work.progress = { stage, done, total, detail: detail ?? null, elapsedMs, remainingMs }
    work.feed.progress(work.progress)
    const loss = lossDetail.exec(detail ?? '')?.[1]
    if (loss !== undefined) work.feed.point({ step: done, loss: finite(Number(loss)) })
  }

  /** The document that the job left to us, and what the run is. */
  async #writeOutcome({ record }: Work, plan: Plan, document: unknown, elapsedMs: number): Promise<void> {
    const { request, name, id } = record
    if (request.command === 'run') return
    const directory = new RunDirectory(join(this.#options.rootPath, id))
    const whole = { command: request.command, version: packageVersion(), ...(document as object), elapsedMs }
    if (plan.document !== undefined)
      await directory.writeJson(`results/${plan.document}.json`, { ...whole, seed: request.seed ?? 0 })
    await directory.writeJson('manifest.json', {
      format: 1,
      status: 'finished',
      command: request.command,
      name,
      parent: parentOf(request),
      seed: request.seed ?? 0,
      elapsedMs,
      versions: { thalweg: packageVersion(), node: process.versions.node },
    })
  }

  /** Makes room for another try; true where the job goes on with what the folder holds. */
  async #prepareResume(id: string): Promise<boolean> {
    const { rootPath } = this.#options
    const folder = join(rootPath, id)
    const names = await readdir(folder).catch(() => [])
    if (names.length === 0) return false
    if (await exists(join(folder, 'live', 'job.json'))) return true
    const old = join(rootPath, '.lab', 'replaced')
    await makeFolder(old)
    await rename(folder, join(old, `${id}-${Date.now()}`))
    return false
  }

  /** A folder of the root that is not there yet, named after the request. */
  async #freeId(request: WorkRequest): Promise<string> {
    const { rootPath } = this.#options
    const base = folderName(request.name ?? `${request.command}-${subjectName(request)}`)
    for (let n = 1; ; n++) {
      const id = n === 1 ? base : `${base}-${n}`
      if (!this.#work.has(id) && !(await exists(join(rootPath, id)))) return id
    }
  }
}

/** A training that reached its time limit can be gone on with. */
function isCutShort({ command }: WorkRequest, outcome: unknown): boolean {
  return command === 'run' && (outcome as RunOutcome).status === 'time-limit'
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}

/** What the user can mend, and not a bug of ours. */
function isExpected(error: unknown): boolean {
  return error instanceof Refusal || (error instanceof ThalwegError && !(error instanceof InvariantError))
}

/** Paths below the root are told as names: the page knows nothing of the machine around it. */
function messageOf(error: unknown, rootPath: string): string {
  if (isExpected(error)) return (error as Error).message.replaceAll(`${rootPath}${sep}`, '')
  return 'This is a bug of Thalweg: see the terminal that runs the lab.'
}

function parentOf(request: WorkRequest): string | null {
  if (request.command === 'run') return null
  const { model } = request.subject
  return model.kind === 'run' ? model.run : null
}

function subjectName(request: WorkRequest): string {
  if (request.command === 'run') return 'experiment'
  const { model } = request.subject
  return model.kind === 'run' ? model.run.replaceAll('/', '-') : model.file.replace(/\.onnx$/i, '')
}

/** A name that is safe as a folder. */
function folderName(name: string): string {
  const plain = name
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 60)
  return isPlainName(plain) ? plain : 'run'
}

function emptySummary(record: JobRecord): RunSummary {
  return {
    id: record.id,
    name: record.name,
    command: record.request.command,
    state: record.state,
    createdAt: record.createdAt,
    updatedAt: record.endedAt ?? record.createdAt,
    elapsedMs: null,
    model: null,
    data: null,
    loss: null,
    accuracy: null,
    gradientNorm: null,
    seed: null,
    verdict: null,
    figures: [],
    hasReport: false,
    hasSurface: false,
    progress: null,
    stoppable: false,
    resumable: false,
    parent: null,
    error: null,
  }
}
