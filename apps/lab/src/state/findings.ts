import type {
  CriticalDocument,
  DiagnosisDocument,
  EndPoint,
  Line,
  RunDetail,
  RunSummary,
  SpectrumDocument,
  WorkRequest,
} from 'thalweg/protocol'
import { isExample, loadExample } from './examples.ts'
import type { Language } from './preferences.ts'
import { relative, server } from './server.ts'

/** Part of a direction that belongs to one parameter tensor. */
export interface DirectionPart {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: ArrayLike<number>
}

export type MeasuredLine = Omit<Line, 'components' | 'run'> & { readonly parts: readonly DirectionPart[] }

/** Everything that is known about one point of a loss. */
export interface Findings {
  /** `example:teacher` or `run:ID`. */
  readonly id: string
  readonly name: string
  readonly description: string
  readonly diagnosis: DiagnosisDocument | null
  readonly spectrum: SpectrumDocument | null
  readonly critical: CriticalDocument | null
  readonly lines: readonly MeasuredLine[]
  readonly end: EndPoint | null
  readonly loss: number | null
  readonly parameters: number | null
  readonly samples: number | null
  readonly reportUrl: string | null
  /** Address of its surface in the landscape room. */
  readonly plane: string | null
  /** Id of the run, where work can be started on it. */
  readonly run: string | null
}

export async function loadFindings(id: string, language: Language): Promise<Findings> {
  const name = id.slice(id.indexOf(':') + 1)
  if (id.startsWith('run:')) return fromServer(id, name)
  if (!isExample(name)) throw new RangeError(`There is no example ${name}.`)
  const example = await loadExample(name)
  const diagnosis = example.diagnosis[language] ?? example.diagnosis.en
  const head = diagnosis as unknown as DocumentHead
  return {
    id,
    name: example.name[language],
    description: example.description[language],
    diagnosis,
    spectrum: example.spectrum,
    critical: example.critical,
    lines: example.lines.map(({ components, ...line }) => ({ ...line, parts: components })),
    end: example.end,
    loss: head.loss?.value ?? null,
    parameters: head.model?.parameters ?? null,
    samples: head.data?.samples ?? null,
    reportUrl: null,
    plane: id,
    run: null,
  }
}

/** What every document of a command begins with. */
interface DocumentHead {
  readonly loss?: { readonly value: number | null }
  readonly model?: { readonly parameters: number }
  readonly data?: { readonly samples: number }
}

/** A run with what later analyses of the same point found. */
async function fromServer(id: string, run: string): Promise<Findings> {
  const detail = await server.run(run)
  const children = await childrenOf(run)
  const details = await Promise.all(
    latestOf(children, ['diagnose', 'spectrum', 'critical']).map((child) => server.run(child.id)),
  )
  const all = [detail, ...details]
  const first = <K extends 'diagnosis' | 'spectrum' | 'critical'>(key: K): RunDetail[K] =>
    all.find((each) => each[key] !== null)?.[key] ?? null
  const { summary } = detail
  const own = summary.command === 'line' ? [summary] : []
  const lines = await Promise.all([...own, ...children.filter((child) => child.command === 'line')].map(lineOf))
  return {
    id,
    name: summary.name,
    description: [summary.model?.name, summary.data?.name, summary.loss?.name].filter(Boolean).join(' · '),
    diagnosis: first('diagnosis'),
    spectrum: first('spectrum'),
    critical: first('critical'),
    lines: lines.filter((line) => line !== undefined),
    end: detail.end,
    loss: summary.loss?.value ?? null,
    parameters: summary.model?.parameters ?? null,
    samples: summary.data?.samples ?? null,
    reportUrl: detail.reportUrl === null ? null : relative(detail.reportUrl),
    plane: summary.hasSurface ? `run:${run}` : null,
    run,
  }
}

async function childrenOf(run: string): Promise<readonly RunSummary[]> {
  const { runs } = await server.runs({ state: ['finished'], limit: 500 })
  return runs.filter(({ parent }) => parent === run)
}

/** Of each command the newest. */
function latestOf(runs: readonly RunSummary[], commands: readonly RunSummary['command'][]): RunSummary[] {
  return commands.flatMap((command) => runs.find((each) => each.command === command) ?? [])
}

async function lineOf({ id }: RunSummary): Promise<MeasuredLine | undefined> {
  const line = await server.line(id).catch(() => undefined)
  if (!line) return undefined
  const parts = await Promise.all(
    line.components.map(
      async ({ array, shape, url }): Promise<DirectionPart> => ({
        name: array.replace(/^direction\./, ''),
        shape,
        values: await server.array(url),
      }),
    ),
  )
  return { ...line, parts }
}

/** The work that fills a gap of the findings of a run. */
export function workOn(run: string, command: 'diagnose' | 'spectrum' | 'critical', language: Language): WorkRequest {
  const subject = { model: { kind: 'run', run } } as const
  if (command === 'spectrum')
    return { command, subject, density: true, trace: true, top: 12, bottom: 12, lang: language }
  if (command === 'critical') return { command, subject, starts: 40, lang: language }
  return { command, subject, lang: language }
}

export type DirectionChoice = 'top' | 'bottom' | 'gradient' | 'random'

export function lineWork(run: string, choice: DirectionChoice, reach: number): WorkRequest {
  const direction =
    choice === 'gradient'
      ? ({ kind: 'gradient' } as const)
      : choice === 'random'
        ? ({ kind: 'random', number: 1 } as const)
        : ({ kind: 'eigenvector', end: choice, number: 1 } as const)
  const t = Array.from({ length: 81 }, (_, i) => ((i - 40) / 40) * reach)
  return { command: 'line', subject: { model: { kind: 'run', run } }, direction, t }
}
