import { parameterCount, sampleCount } from '@thalweg/landscape'
import type { RunDirectory } from '../runs/run-directory.ts'
import { packageVersion } from '../runs/manifest.ts'
import type { Figure } from '../report/scene.ts'
import type { Report, Section, VerdictCard } from '../report/report.ts'
import { formatNumber, formatPercent } from '../report/format-number.ts'
import { runFigures } from './run-figures.ts'
import type { RunResults } from './run-results.ts'
import { runVerdict } from './run-verdict.ts'

export interface WriteReportOptions {
  readonly lang: 'en' | 'zh'
  readonly file: string
  readonly fingerprint: string
}

/** Writes figures and `report.html` of a run; returns the verdict that they show. */
export async function writeReport(directory: RunDirectory, results: RunResults, options: WriteReportOptions): Promise<VerdictCard> {
  const { renderSvg } = await import('../report/render-svg.ts')
  const { renderReport } = await import('../report/render-report.ts')
  const figures = runFigures(results, options.lang)
  for (const [name, figure] of Object.entries(figures)) await directory.writeText(`figures/${name}.svg`, renderSvg(figure))
  const verdict = runVerdict(results)
  await directory.writeText('report.html', renderReport(runReport(results, verdict, figures, options)))
  await directory.writeJson('results/verdict.json', verdict)
  return verdict
}

function runReport(results: RunResults, verdict: VerdictCard, figures: Readonly<Record<string, Figure>>, options: WriteReportOptions): Report {
  const { experiment, model, data, end } = results
  const held = end.testLoss === undefined ? [] : [{ label: 'Test loss', value: end.testLoss }]
  const shares = Number.isNaN(end.accuracy) ? [] : [{ label: 'Training accuracy', value: formatPercent(end.accuracy) }]
  const testShare = end.testAccuracy === undefined || Number.isNaN(end.testAccuracy) ? [] : [{ label: 'Test accuracy', value: formatPercent(end.testAccuracy) }]
  return {
    lang: options.lang,
    title: experiment.name,
    subtitle: experiment.description ?? `${model.name}, ${parameterCount(model)} parameters, on ${data.train.name}`,
    verdict,
    facts: [
      { label: 'Training loss', value: end.loss, note: lossNote(results) },
      { label: 'Gradient norm', value: end.gradientNorm, note: 'float64, full training data' },
      ...shares,
      ...held,
      ...testShare,
    ],
    warnings: [...model.notes],
    sections: [trainingSection(results, figures), curvatureSection(results, figures), surfaceSection(figures)].filter((s) => s.blocks.length > 0),
    settings: settingsOf(results),
    versions: [
      { name: 'thalweg', value: packageVersion() },
      { name: 'engine', value: options.fingerprint },
      { name: 'node', value: process.versions.node },
    ],
    command: `thalweg run ${options.file} --seed ${experiment.seed}`,
  }
}

function lossNote({ experiment: { loss } }: RunResults): string {
  const decay = loss.weightDecay > 0 ? `, weight decay ${formatNumber(loss.weightDecay)}` : ''
  return `${loss.name}, ${loss.reduction}${decay}`
}

function figureBlock(figures: Readonly<Record<string, Figure>>, names: readonly string[]): Section['blocks'] {
  const there = names.filter((n) => figures[n]).map((n) => figures[n])
  return there.length > 0 ? [{ kind: 'figures', figures: there }] : []
}

function trainingSection({ training }: RunResults, figures: Readonly<Record<string, Figure>>): Section {
  return {
    id: 'training',
    title: 'Training',
    blocks: training ? [{ kind: 'paragraph', text: training.message }, ...figureBlock(figures, ['loss', 'accuracy'])] : [],
  }
}

function curvatureSection({ eigenvalues }: RunResults, figures: Readonly<Record<string, Figure>>): Section {
  if (!eigenvalues) return { id: 'curvature', title: 'Curvature', blocks: [] }
  const rows = [...eigenvalues.top, ...eigenvalues.bottom.toReversed()].map((pair, i) => [
    i < eigenvalues.top.length ? `λ${i + 1} from above` : `λ${eigenvalues.top.length + eigenvalues.bottom.length - i} from below`,
    pair.value,
    pair.residualNorm,
    pair.converged ? 'yes' : 'no',
  ])
  return {
    id: 'curvature',
    title: 'Curvature',
    blocks: [
      {
        kind: 'paragraph',
        text:
          `Extreme eigenvalues of the Hessian over all training samples, in float64, by Lanczos with full reorthogonalization ` +
          `(${eigenvalues.products} Hessian-vector products, ${eigenvalues.status}). A residual r proves that an eigenvalue lies within r of the value shown.`,
      },
      ...figureBlock(figures, ['eigenvalues']),
      {
        kind: 'table',
        columns: [{ label: 'eigenvalue' }, { label: 'value' }, { label: 'residual ‖Hv − λv‖' }, { label: 'converged' }],
        rows,
      },
    ],
  }
}

function surfaceSection(figures: Readonly<Record<string, Figure>>): Section {
  return { id: 'surface', title: 'The loss around the end of training', blocks: figureBlock(figures, ['surface', 'surface-3d']) }
}

function settingsOf({ experiment, model, data }: RunResults): Report['settings'] {
  const flat = (value: object): { name: string; value: string | number | boolean }[] =>
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([name, v]) => ({ name, value: typeof v === 'object' ? JSON.stringify(v).replaceAll('"', '') : (v as string | number | boolean) }))
  return [
    { title: 'Model', rows: [...flat(experiment.model), { name: 'parameters', value: parameterCount(model) }] },
    {
      title: 'Data',
      rows: [
        { name: 'name', value: data.train.name },
        { name: 'training samples', value: sampleCount(data.train) },
        { name: 'test samples', value: data.test ? sampleCount(data.test) : 0 },
        { name: 'digest', value: data.train.digest.slice(0, 16) },
      ],
    },
    { title: 'Loss', rows: flat(experiment.loss) },
    { title: 'Training', rows: experiment.training ? flat(experiment.training) : [] },
    { title: 'Seed', rows: [{ name: 'seed', value: experiment.seed }] },
  ].filter((group) => group.rows.length > 0)
}
