import type { Command, FigureReference, RunState, RunSummary, VerdictKind } from './protocol.ts'
import { listOf, numberOf, objectOf, textOf } from './plain-json.ts'
import type { JsonObject } from './plain-json.ts'
import type { RunFolder } from './run-folder.ts'

const verdictKinds = {
  'not-critical': true,
  'strict-saddle': true,
  'non-strict-saddle': true,
  'local-minimum': true,
  'global-minimum': true,
  'near-infimum': true,
  undecided: true,
} satisfies Record<VerdictKind, true>

export function verdictKindOf(value: unknown): VerdictKind | null {
  return typeof value === 'string' && Object.hasOwn(verdictKinds, value) ? (value as VerdictKind) : null
}

/** Documents that tell what a folder of results is, in the order in which they are looked for. */
const documents = {
  diagnosis: 'diagnose',
  spectrum: 'spectrum',
  surface: 'surface',
  critical: 'critical',
  connect: 'connect',
  line: 'line',
  'plane-graph': 'plane-graph',
} as const satisfies Readonly<Record<string, Command>>

/** Address of something inside a run. */
export function runUrl(id: string, ...inside: readonly string[]): string {
  return ['/api/runs', id, ...inside].map((part, i) => (i === 0 ? part : encodeURIComponent(part))).join('/')
}

export function figureReferences(id: string, names: readonly string[]): FigureReference[] {
  return names.flatMap((file) => {
    const match = /^(.+)\.(svg|png)$/i.exec(file)
    if (!match) return []
    return [{ name: match[1], type: match[2].toLowerCase() as 'svg' | 'png', url: runUrl(id, 'figures', file) }]
  })
}

/** What a manifest says about how far the run came; `null` where it says nothing. */
function stateOf(manifest: JsonObject, alive: boolean): { readonly state: RunState; readonly resumable: boolean } {
  switch (manifest['status']) {
    case 'running':
      return alive ? { state: 'running', resumable: false } : { state: 'interrupted', resumable: true }
    case 'interrupted':
      return { state: 'interrupted', resumable: true }
    case 'paused':
    case 'time-limit':
      return { state: 'stopped', resumable: true }
    case 'cancelled':
    case 'aborted':
      return { state: 'stopped', resumable: false }
    case 'diverged':
    case 'failed':
      return { state: 'failed', resumable: false }
    default:
      return { state: 'finished', resumable: false }
  }
}

interface Found {
  readonly command: Command
  /** The analysis's own document, or nothing. */
  readonly document: JsonObject
  readonly diagnosis: JsonObject
  readonly end: JsonObject
}

async function findResults(run: RunFolder, manifest: JsonObject, names: ReadonlySet<string>): Promise<Found> {
  const read = async (name: string): Promise<JsonObject> =>
    names.has(`${name}.json`) ? objectOf(await run.json('results', `${name}.json`)) : {}
  const diagnosis = await read('diagnosis')
  const end = await read('end')
  if (typeof manifest['experiment'] === 'object') return { command: 'run', document: {}, diagnosis, end }
  for (const [name, command] of Object.entries(documents)) {
    if (!names.has(`${name}.json`)) continue
    return { command, document: name === 'diagnosis' ? diagnosis : await read(name), diagnosis, end }
  }
  return { command: 'other', document: {}, diagnosis, end }
}

/** What the list shows of a run, from its files alone. */
export async function summaryOf(
  run: RunFolder,
  stamp: { readonly createdMs: number; readonly updatedMs: number },
  alive: boolean,
): Promise<RunSummary> {
  const manifest = objectOf(await run.json('manifest.json'))
  const resultNames = new Set((await run.files('results')).map(({ name }) => name))
  const figures = (await run.files('figures')).map(({ name }) => name)
  const { command, document, diagnosis, end } = await findResults(run, manifest, resultNames)
  const experiment = objectOf(manifest['experiment'])
  const about = command === 'run' ? manifest : document
  const model = objectOf(about['model'])
  const data = objectOf(about['data'])
  const train = objectOf(data['train'])
  const loss = objectOf(command === 'run' ? experiment['loss'] : document['loss'])
  const kind = verdictKindOf(diagnosis['verdict'])
  const live = objectOf(await run.json('live', 'progress.json'))
  return {
    id: run.id,
    name: textOf(experiment['name']) ?? textOf(manifest['name']) ?? run.id,
    command,
    ...stateOf(manifest, alive),
    createdAt: new Date(stamp.createdMs).toISOString(),
    updatedAt: new Date(stamp.updatedMs).toISOString(),
    elapsedMs: numberOf(live['elapsedMs']) ?? numberOf(manifest['elapsedMs']) ?? numberOf(document['elapsedMs']),
    model: named(textOf(model['name']) ?? fileOf(textOf(model['path'])), (name) => ({
      name,
      parameters: numberOf(model['parameters']),
    })),
    data: named(textOf(train['name']) ?? fileOf(textOf(data['path'])), (name) => ({
      name,
      samples: numberOf(train['samples']) ?? numberOf(data['samples']),
    })),
    loss: named(textOf(loss['name']), (name) => ({ name, value: numberOf(end['loss']) ?? numberOf(loss['value']) })),
    accuracy: numberOf(end['accuracy']),
    gradientNorm: numberOf(end['gradientNorm']) ?? numberOf(document['gradientNorm']),
    seed: numberOf(manifest['seed']) ?? numberOf(document['seed']),
    verdict: kind && { kind, summary: textOf(diagnosis['summary']) ?? '' },
    figures: figureReferences(run.id, figures),
    hasReport: await run.exists('report.html'),
    hasSurface: resultNames.has('surface.npz'),
    progress: alive ? progressOf(live) : null,
    stoppable: false,
    parent: textOf(manifest['parent']),
    error: textOf(live['error']) ?? textOf(manifest['error']),
  }
}

function named<T>(name: string | null, make: (name: string) => T): T | null {
  return name === null ? null : make(name)
}

/** The last part of a path: where it lies on this machine is nobody's business. */
function fileOf(path: string | null): string | null {
  return path === null ? null : (path.split(/[/\\]/).at(-1) ?? path)
}

/** `live/progress.json` of a run that some process works on. */
function progressOf(live: JsonObject): RunSummary['progress'] {
  const [done, total] = [numberOf(live['done']), numberOf(live['total'])]
  if (done === null || total === null) return null
  return {
    stage: textOf(live['stage']) ?? '',
    done,
    total,
    detail: textOf(live['detail']),
    elapsedMs: numberOf(live['elapsedMs']) ?? 0,
    remainingMs: numberOf(live['remainingMs']),
  }
}

/** Words that a search looks at. */
export function searchTextOf(run: RunSummary): string {
  return [
    run.id,
    run.name,
    run.command,
    run.state,
    run.model?.name,
    run.data?.name,
    run.loss?.name,
    run.verdict?.kind,
    run.verdict?.summary,
  ]
    .filter((text) => text !== undefined)
    .join('\n')
    .toLowerCase()
}

/** Warnings that a document of a run carries. */
export function warningsOf(document: JsonObject | null): string[] {
  return listOf(document?.['warnings']).flatMap((warning) => textOf(warning) ?? [])
}
