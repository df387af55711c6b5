import type { Comparison, HistoryPoint, RunSummary } from './protocol.ts'
import { numberOf, objectOf } from './plain-json.ts'
import type { JsonObject } from './plain-json.ts'
import { objectsOf } from './run-detail.ts'
import type { RunFolder } from './run-folder.ts'

type Setting = string | number | boolean | null

const depthMax = 6
const settingsMax = 500

/** Curves, eigenvalues and settings of several runs beside each other. */
export async function compareRuns(runs: readonly { run: RunFolder; summary: RunSummary }[]): Promise<Comparison> {
  const read = await Promise.all(
    runs.map(async ({ run }) => ({
      manifest: objectOf(await run.json('manifest.json')),
      training: objectOf(await run.json('results', 'training.json')),
      diagnosis: objectOf(await run.json('results', 'diagnosis.json')),
    })),
  )
  const settings = read.map(({ manifest }) => settingsOf(manifest))
  const keys = [...new Set(settings.flatMap((each) => [...each.keys()]))].sort().slice(0, settingsMax)
  return {
    runs: runs.map(({ summary }) => summary),
    histories: read.map(({ training }) => objectsOf(training['history']) as unknown as HistoryPoint[]),
    eigenvalues: read.map(({ diagnosis }) => eigenvaluesOf(diagnosis)),
    settings: keys.map((key) => {
      const values = settings.map((each) => each.get(key) ?? null)
      return { key, values, differs: values.some((value) => value !== values[0]) }
    }),
  }
}

function eigenvaluesOf(diagnosis: JsonObject): number[] {
  const { top, bottom } = objectOf(diagnosis['eigenvalues'])
  const values = [...objectsOf(top), ...objectsOf(bottom)].flatMap((pair) => numberOf(pair['value']) ?? [])
  // where the spectrum is short, top and bottom overlap
  return [...new Set(values)].sort((a, b) => b - a)
}

/** What of a manifest decides the outcome, by dotted names. */
function settingsOf(manifest: JsonObject): Map<string, Setting> {
  const found = new Map<string, Setting>()
  const { seed, engine, experiment, model, versions } = manifest
  flatten('', { seed, engine, ...objectOf(experiment), parameters: objectOf(model)['parameters'], versions }, found, 0)
  return found
}

function flatten(name: string, value: unknown, found: Map<string, Setting>, depth: number): void {
  if (value === undefined || found.size >= settingsMax) return
  if (typeof value !== 'object' || value === null) {
    found.set(name, typeof value === 'bigint' ? Number(value) : (value as Setting))
    return
  }
  if (Array.isArray(value) || depth === depthMax) {
    found.set(name, JSON.stringify(value).slice(0, 200))
    return
  }
  for (const [key, inner] of Object.entries(value))
    flatten(name === '' ? key : `${name}.${key}`, inner, found, depth + 1)
}
