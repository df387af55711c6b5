import { parameterCount, sampleCount } from '@thalweg/landscape'
import type { RunDirectory } from '../runs/run-directory.ts'
import { packageVersion } from '../runs/manifest.ts'
import type { Figure } from '../report/scene.ts'
import type { Report, Section, VerdictCard } from '../report/report.ts'
import { formatNumber, formatPercent } from '../report/format-number.ts'
import { allWarnings, verdictCard } from '../analyses/diagnosis-document.ts'
import { spectrumSection } from '../analyses/diagnosis-report.ts'
import { runFigures } from './run-figures.ts'
import type { RunResults } from './run-results.ts'

export interface WriteReportOptions {
  readonly lang: 'en' | 'zh'
  readonly file: string
  readonly fingerprint: string
  /** Figures as PNG too. */
  readonly png: boolean
}

/** Writes figures and `report.html` of a run; returns the verdict that they show. */
export async function writeReport(
  directory: RunDirectory,
  results: RunResults,
  options: WriteReportOptions,
): Promise<VerdictCard | null> {
  const { renderSvg } = await import('../report/render-svg.ts')
  const { renderReport } = await import('../report/render-report.ts')
  const figures = runFigures(results, options.lang)
  for (const [name, figure] of Object.entries(figures)) {
    await directory.writeText(`figures/${name}.svg`, renderSvg(figure))
    if (options.png)
      await directory.writeBytes(`figures/${name}.png`, (await import('../report/render-png.ts')).renderPng(figure))
  }
  const verdict = results.diagnosis ? verdictCard(results.diagnosis, options.lang) : null
  await directory.writeText('report.html', renderReport(runReport(results, verdict, figures, options)))
  return verdict
}

function runReport(
  results: RunResults,
  verdict: VerdictCard | null,
  figures: Readonly<Record<string, Figure>>,
  options: WriteReportOptions,
): Report {
  const { experiment, model, data, end } = results
  const held = end.testLoss === undefined ? [] : [{ label: 'Test loss', value: end.testLoss }]
  const shares = Number.isNaN(end.accuracy) ? [] : [{ label: 'Training accuracy', value: formatPercent(end.accuracy) }]
  const testShare =
    end.testAccuracy === undefined || Number.isNaN(end.testAccuracy)
      ? []
      : [{ label: 'Test accuracy', value: formatPercent(end.testAccuracy) }]
  return {
    lang: options.lang,
    title: experiment.name,
    subtitle: experiment.description ?? `${model.name}, ${parameterCount(model)} parameters, on ${data.train.name}`,
    ...(verdict && { verdict }),
    facts: [
      { label: 'Training loss', value: end.loss, note: lossNote(results) },
      { label: 'Gradient norm', value: end.gradientNorm, note: 'float64, full training data' },
      ...shares,
      ...held,
      ...testShare,
    ],
    warnings: results.diagnosis ? allWarnings(model.notes, results.diagnosis, options.lang) : model.notes,
    sections: [
      trainingSection(results, figures),
      ...(results.diagnosis ? [spectrumSection(results.diagnosis, options.lang)] : []),
      surfaceSection(figures),
    ].filter((s) => s.blocks.length > 0),
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
    blocks: training
      ? [{ kind: 'paragraph', text: training.message }, ...figureBlock(figures, ['loss', 'accuracy'])]
      : [],
  }
}

function surfaceSection(figures: Readonly<Record<string, Figure>>): Section {
  return {
    id: 'surface',
    title: 'The loss around the end of training',
    blocks: figureBlock(figures, ['surface', 'surface-3d']),
  }
}

function settingsOf({ experiment, model, data }: RunResults): Report['settings'] {
  const flat = (value: object): { name: string; value: string | number | boolean }[] =>
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([name, v]) => ({
        name,
        value: typeof v === 'object' ? JSON.stringify(v).replaceAll('"', '') : (v as string | number | boolean),
      }))
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
