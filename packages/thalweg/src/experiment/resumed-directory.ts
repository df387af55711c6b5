import { readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError } from '@thalweg/graph'
import { canonicalJson } from '../tasks/canonical-json.ts'
import type { Json } from '../tasks/canonical-json.ts'
import { readRun } from '../runs/read-run.ts'
import { RunDirectory } from '../runs/run-directory.ts'
import type { ExperimentData } from './load-experiment.ts'
import type { Experiment } from './schema.ts'

/** The run to go on with: `out`, or the last of `base`, `base-2` … that is not finished.
 * @throws {DomainError} if there is none, or it was of another experiment or other data. */
export async function resumedDirectory(
  base: string,
  out: string | undefined,
  experiment: Experiment,
  data: ExperimentData,
): Promise<RunDirectory> {
  const path = out ?? lastUnfinished(base)
  if (path === undefined || !existsSync(join(path, 'live', 'job.json')))
    throw new DomainError(
      `--resume: ${path ?? base} holds nothing to go on with: it is finished, or was never begun. Leave --resume out.`,
    )
  await requireSame(path, experiment, data)
  return new RunDirectory(path)
}

function lastUnfinished(base: string): string | undefined {
  let last: string | undefined
  for (let n = 1; ; n++) {
    const path = n === 1 ? base : `${base}-${n}`
    const run = readRun(path)
    if (!run) return last
    if (run.resumable) last = path
  }
}

interface Manifest {
  readonly experiment?: unknown
  readonly data?: { readonly train?: { readonly digest?: string } }
}

/** What decides a run must be what it was. */
async function requireSame(path: string, experiment: Experiment, data: ExperimentData): Promise<void> {
  const file = join(path, 'manifest.json')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  // killed before it was written: nothing was decided yet
  if (text === undefined) return
  const manifest = parsed(text)
  const same = canonicalJson(JSON.parse(JSON.stringify(experiment)) as Json)
  if (manifest.experiment === undefined || canonicalJson(manifest.experiment as Json) !== same)
    throw new DomainError(`--resume: ${path} is a run of another experiment. Name another --out, or start it anew.`)
  if (manifest.data?.train?.digest !== data.train.digest)
    throw new DomainError(`--resume: the data of ${path} have changed since. Start the run anew.`)
}

function parsed(text: string): Manifest {
  try {
    return JSON.parse(text) as Manifest
  } catch {
    return {}
  }
}
