import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { FormatError } from '@thalweg/graph'
import { z } from 'zod'
import { LifeLock } from '../queue/life-lock.ts'
import { writeFileAtomic } from '../files/write-atomic.ts'
import type { LiveJob, RunControl, RunProgress, RunStatus, RunSummary } from './run-state.ts'

const statuses = [
  'running',
  'finished',
  'interrupted',
  'paused',
  'cancelled',
  'diverged',
  'time-limit',
  'failed',
] as const satisfies readonly RunStatus[]

const progressSchema = z.object({
  format: z.literal(1),
  status: z.enum(statuses),
  process: z.int(),
  stage: z.string(),
  done: z.number(),
  total: z.number(),
  detail: z.string().optional(),
  elapsedMs: z.number(),
  resumed: z.int(),
  error: z.string().optional(),
})

const controlSchema = z.object({ want: z.enum(['pause', 'cancel']) })
const jobSchema = z.object({
  job: z.enum(['run-experiment', 'surface']),
  argument: z.record(z.string(), z.unknown()),
  folder: z.string(),
})

/** A file of JSON that fits a schema; undefined for anything else: files of a run are written by processes that may have been
 * cut short, or by strangers. */
function readAs<T>(file: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

export function readProgress(directory: string): RunProgress | undefined {
  return readAs(join(directory, 'live', 'progress.json'), progressSchema)
}

export function readControl(directory: string): RunControl | undefined {
  return readAs(join(directory, 'live', 'control.json'), controlSchema)
}

/** How to go on with a run.
 * @throws {FormatError} if it is finished, cancelled or no run. */
export function readJob(directory: string): LiveJob & { readonly folder: string } {
  const found = readAs(join(directory, 'live', 'job.json'), jobSchema)
  if (!found) throw new FormatError(`${directory}: nothing to go on with: finished, cancelled, or not a run.`)
  return found
}

/** Whether a living process works on a run. */
export function isWorkedOn(directory: string): boolean {
  return LifeLock.isHeld(join(directory, 'live', 'lock'))
}

const manifestSchema = z.looseObject({ status: z.string() })

/** What is known of a run; undefined for a folder that is none. */
export function readRun(directory: string): RunSummary | undefined {
  const manifest = readAs(join(directory, 'manifest.json'), manifestSchema)
  const progress = readProgress(directory) ?? null
  const surface = existsSync(join(directory, 'results', 'request.json'))
  if (!manifest && !progress && !surface) return undefined
  const resumable = existsSync(join(directory, 'live', 'job.json'))
  const name = basename(directory)
  if (isWorkedOn(directory)) return { directory, name, status: 'running', progress, resumable }
  const stored = manifest?.status ?? progress?.status ?? (resumable ? 'interrupted' : 'finished')
  return { directory, name, status: settledStatus(stored, progress), progress, resumable }
}

/** Of a run that nobody works on: one that says it is running was killed. */
function settledStatus(stored: string, progress: RunProgress | null): RunStatus {
  const known = statuses.find((status) => status === stored)
  // written by earlier releases for Ctrl-C
  if (known === undefined) return stored === 'aborted' ? 'interrupted' : 'failed'
  if (known !== 'running') return known
  return progress && progress.status !== 'running' ? progress.status : 'interrupted'
}

/** Corrects the manifest of a run whose process was killed, so that it does not say `running` for ever. */
export async function settleRun(directory: string): Promise<void> {
  const run = readRun(directory)
  const file = join(directory, 'manifest.json')
  const manifest = readAs(file, manifestSchema)
  if (!run || !manifest || manifest.status === run.status || run.status === 'running') return
  // nobody may write: the list is right all the same
  await writeStatus(file, run.status).catch(() => undefined)
}

async function writeStatus(file: string, status: RunStatus): Promise<void> {
  // as it stands, with its keys in their order
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as object
  await writeFileAtomic(file, `${JSON.stringify({ ...manifest, status }, null, 2)}\n`)
}

/** Gives up a stopped run: what only going on needs is removed. */
export async function discardRun(directory: string): Promise<void> {
  const file = join(directory, 'manifest.json')
  const manifest = readAs(file, manifestSchema)
  if (manifest && existsSync(join(directory, 'live'))) await writeStatus(file, 'cancelled')
  rmSync(join(directory, 'live'), { recursive: true, force: true })
}

/** Runs in the folders of a root, by the time of their last change, newest first. */
export function listRuns(root: string): RunSummary[] {
  const names = existsSync(root) ? readdirSync(root, { withFileTypes: true }) : []
  return names
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name))
    .flatMap((directory) => readRun(directory) ?? [])
    .map((run) => ({ run, changed: statSync(run.directory).mtimeMs }))
    .sort((a, b) => b.changed - a.changed)
    .map(({ run }) => run)
}
