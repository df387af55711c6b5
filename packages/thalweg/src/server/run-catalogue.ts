import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunList, RunOrder, RunQuery, RunSummary } from './protocol.ts'
import type { LabLimits } from './limits.ts'
import { Refusal } from './refusal.ts'
import type { RootFolder } from './root-folder.ts'
import { isPlainName } from './root-folder.ts'
import { RunFolder } from './run-folder.ts'
import { searchTextOf, summaryOf } from './run-summary.ts'

/** What tells a run from another folder. */
const marks: ReadonlySet<string> = new Set(['manifest.json', 'results', 'checkpoints', 'report.html', 'live'])
const depthMax = 3
const readsAtOnce = 16
/** A list that is younger than this is not read from disk again. */
const freshMs = 300

interface Known {
  readonly key: string
  readonly summary: RunSummary
}

export interface CatalogueOptions {
  readonly root: RootFolder
  readonly limits: LabLimits
  /** Runs that this lab works on or keeps waiting, in full; they replace or add to what the disk shows. */
  readonly overlay: (onDisk: RunSummary | undefined, id: string) => RunSummary | undefined
  readonly overlaidIds: () => Iterable<string>
  /** Whether some process works on the run. */
  readonly isAlive: (run: RunFolder) => Promise<boolean>
}

/** The runs below the root. Summaries are kept until something in their folder changes. */
export class RunCatalogue {
  readonly #options: CatalogueOptions
  #known = new Map<string, Known>()
  #scan: Promise<void> | undefined
  #scannedMs = Number.NEGATIVE_INFINITY
  #truncated = false
  /** Something changed since the last look began. */
  #expired = false

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  /** @throws {Refusal} 404 if the id cannot be one. */
  folder(id: string): RunFolder {
    return new RunFolder(this.#options.root, id, this.#options.limits.jsonFileBytesMax)
  }

  /** What was read is not true any more: the next question is answered from disk. */
  expire(): void {
    this.#expired = true
  }

  /** Every run by id, as it stands. */
  async all(): Promise<ReadonlyMap<string, RunSummary>> {
    while (this.#expired || performance.now() - this.#scannedMs > freshMs) {
      this.#scan ??= this.#rescan().finally(() => {
        this.#scan = undefined
        this.#scannedMs = performance.now()
      })
      await this.#scan
    }
    const { overlay, overlaidIds } = this.#options
    const runs = new Map<string, RunSummary>()
    for (const [id, { summary }] of this.#known) runs.set(id, overlay(summary, id) ?? summary)
    for (const id of overlaidIds()) {
      const summary = runs.has(id) ? undefined : overlay(undefined, id)
      if (summary) runs.set(id, summary)
    }
    return runs
  }

  /** One run, read anew.
   * @throws {Refusal} 404. */
  async summary(id: string): Promise<RunSummary> {
    const onDisk = await this.#read(this.folder(id))
    const summary = this.#options.overlay(onDisk, id) ?? onDisk
    if (!summary) throw new Refusal('not-found', 'There is no such run.')
    return summary
  }

  async list(query: RunQuery): Promise<RunList> {
    const all = [...(await this.all()).values()]
    const words = (query.search ?? '').toLowerCase().split(/\s+/).filter(Boolean)
    const oneOf = <T>(wanted: readonly T[] | undefined, value: T | undefined): boolean =>
      wanted === undefined || wanted.length === 0 || (value !== undefined && wanted.includes(value))
    const matching = all.filter(
      (run) =>
        oneOf(query.state, run.state) &&
        oneOf(query.command, run.command) &&
        oneOf(query.verdict, run.verdict?.kind) &&
        words.every((word) => searchTextOf(run).includes(word)),
    )
    matching.sort(orderOf(query.sort ?? 'updated'))
    const { offset = 0, limit = 100 } = query
    return {
      runs: matching.slice(offset, offset + limit),
      total: matching.length,
      all: all.length,
      offset,
      truncated: this.#truncated,
    }
  }

  async #rescan(): Promise<void> {
    const { root, limits } = this.#options
    this.#expired = false
    const ids: string[] = []
    this.#truncated = !(await this.#collect(root.path, [], ids, limits.runsMax))
    const next = new Map<string, Known>()
    for (let i = 0; i < ids.length; i += readsAtOnce)
      await Promise.all(
        ids.slice(i, i + readsAtOnce).map(async (id) => {
          const run = this.folder(id)
          const stamp = await run.stamp()
          if (!stamp) return
          const known = this.#known.get(id)
          // whether a process lives does not show in the files
          const settled = known?.key === stamp.key && known.summary.state !== 'running'
          const summary = settled ? known.summary : await this.#read(run)
          if (summary) next.set(id, { key: stamp.key, summary })
        }),
      )
    this.#known = next
  }

  async #read(run: RunFolder): Promise<RunSummary | undefined> {
    const stamp = await run.stamp()
    return stamp ? summaryOf(run, stamp, await this.#options.isAlive(run)) : undefined
  }

  /** Adds the ids of runs below a folder; links to folders are not followed, so that there are no circles. False where
   * there are more than the limit. */
  async #collect(folder: string, parts: readonly string[], ids: string[], max: number): Promise<boolean> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    if (parts.length > 0 && entries.some(({ name }) => marks.has(name))) {
      ids.push(parts.join('/'))
      return ids.length < max
    }
    if (parts.length === depthMax) return true
    for (const entry of entries) {
      if (!entry.isDirectory() || !isPlainName(entry.name)) continue
      if (!(await this.#collect(join(folder, entry.name), [...parts, entry.name], ids, max))) return false
    }
    return true
  }
}

const keys: Readonly<Record<RunOrder, (run: RunSummary) => number | string | null>> = {
  updated: (run) => -Date.parse(run.updatedAt),
  created: (run) => -Date.parse(run.createdAt),
  name: (run) => run.name.toLowerCase(),
  loss: (run) => run.loss?.value ?? null,
  'gradient-norm': (run) => run.gradientNorm,
  parameters: (run) => run.model?.parameters ?? null,
}

/** Runs without the number come last, either way round. */
function orderOf(sort: NonNullable<RunQuery['sort']>): (a: RunSummary, b: RunSummary) => number {
  const turned = sort.startsWith('-')
  const key = keys[(turned ? sort.slice(1) : sort) as RunOrder]
  return (a, b) => {
    const [x, y] = [key(a), key(b)]
    if (x === null || y === null) return x === y ? compare(a.id, b.id) : x === null ? 1 : -1
    const order = compare(x, y) || compare(a.id, b.id)
    return turned ? -order : order
  }
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
