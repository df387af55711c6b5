import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { builtinDatasets, lossNames } from '@thalweg/landscape'
import { packageVersion } from '../files/package-file.ts'
import { makeFolder, writeFileAtomic } from '../files/write-atomic.ts'
import { LifeLock } from '../queue/life-lock.ts'
import { askRun } from '../runs/live-run.ts'
import { EventStreams } from './event-streams.ts'
import type { EventSink, StreamEvent } from './event-streams.ts'
import { JobRecords } from './job-record.ts'
import { labLimits } from './limits.ts'
import type { LabLimits } from './limits.ts'
import type { FeedEvent } from './live-feed.ts'
import { ownExperiment } from './own-experiment.ts'
import type { Health, LiveRun, ProtocolVersion, RunSummary, Surface, WorkRequest } from './protocol.ts'
import { Refusal } from './refusal.ts'
import { RootFolder } from './root-folder.ts'
import { RunArrays } from './run-arrays.ts'
import { RunCatalogue } from './run-catalogue.ts'
import type { RunFolder } from './run-folder.ts'
import { surfaceView } from './surface-view.ts'
import { Uploads } from './uploads.ts'
import { WorkBoard } from './work-board.ts'

export interface LabOptions {
  /** Folder of runs; it must exist. */
  readonly root: string
  readonly limits?: Partial<LabLimits>
  /** For bugs of ours, and what else belongs on the terminal. */
  readonly onError: (error: unknown) => void
}

const protocolVersion: ProtocolVersion = 1
/** Changes of the list go out at most so often. */
const listEveryMs = 250
/** How often the disk is looked at for runs of other processes, while somebody watches. */
const lookEveryMs = 2000

/** What the lab knows and does, without the wire: runs, uploads, work, events. */
export class Lab {
  readonly limits: LabLimits
  readonly root: RootFolder
  readonly catalogue: RunCatalogue
  readonly arrays: RunArrays
  readonly uploads: Uploads
  readonly board: WorkBoard
  readonly streams: EventStreams
  readonly #startedAt = new Date().toISOString()
  readonly #threads: number
  readonly #listeners = new Set<EventSink>()
  readonly #runListeners = new Map<string, Set<EventSink>>()
  /** What the watchers of the list were told last. */
  #told = new Map<string, string>()
  #listTimer: NodeJS.Timeout | undefined
  #lookTimer: NodeJS.Timeout | undefined
  readonly #onError: (error: unknown) => void

  private constructor(root: RootFolder, { limits, onError }: LabOptions) {
    this.root = root
    this.limits = { ...labLimits, ...limits }
    this.#onError = onError
    this.#threads = Math.max(1, Math.floor(availableParallelism() / this.limits.jobsAtOnceMax))
    const own = (...parts: string[]): string => join(root.path, '.lab', ...parts)
    this.board = new WorkBoard({
      rootPath: root.path,
      limits: this.limits,
      threads: this.#threads,
      records: new JobRecords(own('jobs')),
      places: {
        upload: async (upload, file) => this.uploads.path(upload, file),
        run: async (run, ...inside) => this.#pathInRun(run, inside),
        requestOf: (run) => this.board.requestOf(run),
      },
      placeExperiment: async (id, request) => this.#placeExperiment(own('experiments', id), request),
      onChange: (id) => this.#changed(id),
      onFeed: (id, event) => this.#fed(id, event),
      onError,
    })
    this.uploads = new Uploads(own('uploads'), this.limits, (upload) => this.board.needsUpload(upload))
    this.catalogue = new RunCatalogue({
      root,
      limits: this.limits,
      overlay: (onDisk, id) => this.board.overlay(onDisk, id),
      overlaidIds: () => this.board.ids,
      isAlive: async (run) => this.#isAlive(run),
    })
    this.arrays = new RunArrays(root, this.limits)
    this.streams = new EventStreams(this.limits)
  }

  /** @throws {DomainError} if the root is not a folder. */
  static async open(options: LabOptions): Promise<Lab> {
    const lab = new Lab(await RootFolder.open(options.root), options)
    await lab.board.load()
    return lab
  }

  health(): Health {
    const { uploadBytesMax, filesPerUploadMax, uploadsAtOnceMax, eventStreamsMax } = this.limits
    const { jobsAtOnceMax, jsonBytesMax, comparedRunsMax } = this.limits
    return {
      service: 'thalweg-lab',
      version: packageVersion(),
      protocol: protocolVersion,
      root: basename(this.root.path),
      startedAt: this.#startedAt,
      threads: this.#threads,
      limits: {
        ...{ uploadBytesMax, filesPerUploadMax, uploadsAtOnceMax, eventStreamsMax },
        ...{ jobsAtOnceMax, jsonBytesMax, comparedRunsMax },
      },
      losses: lossNames,
      datasets: Object.keys(builtinDatasets),
    }
  }

  /** @throws {Refusal} 404. */
  async live(id: string): Promise<LiveRun> {
    const summary = await this.catalogue.summary(id)
    const feed = this.board.feed(id)
    return { summary, curve: feed?.curve ?? [], log: feed?.log ?? [] }
  }

  /** @throws {Refusal} 404. */
  surface(run: RunFolder): Promise<Surface> {
    const request = this.board.requestOf(run.id)
    const ids = request?.command === 'surface' ? (request.critical ?? []) : []
    return surfaceView(
      run,
      this.arrays,
      ids.map((id) => ({ name: basename(id), run: this.catalogue.folder(id) })),
    )
  }

  /** Takes on work; returns the id of its run.
   * @throws {Refusal}, {FormatError} for what cannot be done. */
  async start(request: WorkRequest): Promise<string> {
    if (request.command !== 'run' || request.name !== undefined) return this.board.start(request)
    const { name } = ownExperiment(request.yaml, await this.#uploadedNames(request.upload))
    return this.board.start({ ...request, name })
  }

  /** @throws {Refusal} 404, 409 where the run has not come so far. */
  async #pathInRun(run: string, inside: readonly string[]): Promise<string> {
    const folder = this.catalogue.folder(run)
    if (this.board.isActive(run) && !(await folder.exists(...inside)))
      throw new Refusal('conflict', `${run}: the run has not come so far. Wait for it.`)
    return folder.path(...inside)
  }

  /** Asks whoever works on a run to stop: a job of the lab, or another process.
   * @throws {Refusal} 404; 409 where nobody works on it. */
  async stop(id: string, now: boolean): Promise<void> {
    if (this.board.isActive(id)) return this.board.stop(id, now)
    const path = await this.catalogue.folder(id).path()
    if (!askRun(path, { want: 'pause' })) throw new Refusal('conflict', 'Nobody works on this run.')
  }

  async #uploadedNames(upload: string | undefined): Promise<string[]> {
    return upload === undefined ? [] : (await this.uploads.get(upload)).files.map(({ name }) => name)
  }

  /** Events of the list, and of these runs.
   * @throws {Refusal} 404 for a run that is not there; 429. */
  async watchList(runs: readonly string[]): Promise<ReadableStream<Uint8Array>> {
    await this.#begin()
    const snapshots = await Promise.all(runs.map(async (id) => ({ run: id, ...(await this.live(id)) })))
    return this.streams.open((sink) => {
      sink.send({ type: 'hello', version: packageVersion(), protocol: protocolVersion })
      this.#listeners.add(sink)
      this.#look()
      const forget = snapshots.map((snapshot) => this.#listenTo(snapshot, sink))
      return () => {
        this.#listeners.delete(sink)
        for (const each of forget) each()
        this.#look()
      }
    })
  }

  /** What the first watcher sees before anything changes. */
  async #begin(): Promise<void> {
    if (this.#lookTimer === undefined) this.#told = signatures(await this.catalogue.all())
  }

  /** Events of one run.
   * @throws {Refusal} 404, 429. */
  async watchRun(id: string): Promise<ReadableStream<Uint8Array>> {
    await this.#begin()
    const snapshot = { run: id, ...(await this.live(id)) }
    return this.streams.open((sink) => this.#listenTo(snapshot, sink))
  }

  #listenTo(snapshot: { readonly run: string } & LiveRun, sink: EventSink): () => void {
    const { run } = snapshot
    sink.send({ type: 'snapshot', ...snapshot })
    const listeners = this.#runListeners.get(run) ?? new Set()
    this.#runListeners.set(run, listeners)
    listeners.add(sink)
    this.#look()
    return () => {
      listeners.delete(sink)
      if (listeners.size === 0) this.#runListeners.delete(run)
      this.#look()
    }
  }

  /** Looks at the disk now and then while anybody watches. */
  #look(): void {
    if (this.#listeners.size + this.#runListeners.size > 0) {
      this.#lookTimer ??= setInterval(() => this.#tellListSoon(), lookEveryMs).unref()
      return
    }
    clearInterval(this.#lookTimer)
    this.#lookTimer = undefined
  }

  /** Ends streams and work; running jobs save what they have. */
  async close(): Promise<void> {
    clearInterval(this.#lookTimer)
    clearTimeout(this.#listTimer)
    await this.board.close()
    this.streams.closeAll({ type: 'shutdown' })
  }

  /** Who listens to runs now: none once everybody has gone. */
  get listenerCount(): number {
    let count = this.#listeners.size
    for (const sinks of this.#runListeners.values()) count += sinks.size
    return count
  }

  #fed(id: string, event: FeedEvent): void {
    this.#toRun(id, { ...event, run: id })
    if (event.type === 'progress') this.#tellListSoon()
  }

  #toRun(id: string, event: StreamEvent): void {
    for (const sink of this.#runListeners.get(id) ?? []) sink.send(event)
  }

  #changed(id: string): void {
    this.catalogue.expire()
    this.#tellListSoon()
    if (!this.#runListeners.has(id)) return
    this.catalogue
      .summary(id)
      .then((summary) => this.#toRun(id, { type: 'run', run: id, summary }))
      .catch(this.#onError)
  }

  #tellListSoon(): void {
    if (this.#lookTimer === undefined) return
    this.#listTimer ??= setTimeout(() => {
      this.#listTimer = undefined
      this.#tellList().catch(this.#onError)
    }, listEveryMs)
  }

  async #tellList(): Promise<void> {
    const runs = await this.catalogue.all()
    const now = signatures(runs)
    const changed = [...runs.values()].filter(({ id }) => now.get(id) !== this.#told.get(id))
    const removed = [...this.#told.keys()].filter((id) => !now.has(id))
    this.#told = now
    if (changed.length + removed.length === 0) return
    for (const sink of this.#listeners) sink.send({ type: 'runs', changed, removed })
    for (const summary of changed)
      if (!this.board.isActive(summary.id)) this.#toRun(summary.id, { type: 'run', run: summary.id, summary })
  }

  /** Whether a process works on a run; only asked of runs that say so. */
  async #isAlive(run: RunFolder): Promise<boolean> {
    if (this.board.isActive(run.id)) return true
    const lock = await run.path('live', 'lock').catch(() => undefined)
    if (lock === undefined) return false
    try {
      return LifeLock.isHeld(lock)
    } catch {
      // not a lock of ours
      return false
    }
  }

  /** Puts the experiment of a request where its paths lead to the files of its upload, or to nothing.
   * @throws {FormatError}, {Refusal} if it names others. */
  async #placeExperiment(folder: string, request: WorkRequest): Promise<string | undefined> {
    if (request.command !== 'run') return undefined
    const { upload, yaml } = request
    ownExperiment(yaml, await this.#uploadedNames(upload))
    // a name with a dot in front is none that an upload can have
    const place = upload === undefined ? folder : await this.uploads.folder(upload)
    const path = join(place, `.${basename(folder)}.yaml`)
    await makeFolder(place)
    await writeFileAtomic(path, yaml)
    return path
  }
}

function signatures(runs: ReadonlyMap<string, RunSummary>): Map<string, string> {
  return new Map([...runs].map(([id, summary]) => [id, JSON.stringify(summary)]))
}
