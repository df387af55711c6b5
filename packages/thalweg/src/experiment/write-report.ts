import { parameterCount, sampleCount } from '@thalweg/landscape'
import type { RunDirectory } from '../runs/run-directory.ts'
import { packageVersion } from '../runs/manifest.ts'
import { languages } from '../report/scene.ts'
import type { Figure, Language } from '../report/scene.ts'
import type { Fact, Report, Section, VerdictCard } from '../report/report.ts'
import { formatNumber, formatPercent } from '../report/format-number.ts'
import { allWarnings, verdictCard } from '../analyses/diagnose/diagnosis-document.ts'
import { criticalSection } from '../analyses/critical/critical-section.ts'
import { spectrumSection } from '../analyses/diagnose/diagnosis-report.ts'
import { eliminationSection } from '../analyses/eliminate/elimination-section.ts'
import { gramSection } from '../analyses/gram/gram-section.ts'
import { linearSection } from '../analyses/linear/linear-section.ts'
import { curvatureSection } from '../analyses/spectrum/spectrum-section.ts'
import { documentOf, problemsOf, wordsOf } from './analysis-results.ts'
import type { Examined } from './analysis-results.ts'
import { runFigures } from './run-figures.ts'
import { runWords } from './run-words.ts'
import type { RunWords } from './run-words.ts'
import type { RunResults } from './run-results.ts'

export interface WriteReportOptions {
  readonly lang: 'en' | 'zh'
  readonly file: string
  readonly fingerprint: string
  /** Figures as PNG too. */
  readonly png: boolean
}

/** Where the report of a run lies as plain data: `thalweg report` makes the page again, in either language. */
export function reportDataFile(lang: Language): string {
  return `results/report.${lang}.json`
}

/** Writes figures, `report.html` and the data of the report in both languages; returns the verdict that they show. */
export async function writeReport(
  directory: RunDirectory,
  results: RunResults,
  options: WriteReportOptions,
): Promise<VerdictCard | null> {
  const { renderSvg } = await import('../report/render-svg.ts')
  const { renderReport } = await import('../report/render-report.ts')
  const reports = languages.map((lang) => runReport(results, { ...options, lang }))
  for (const report of reports) await directory.writeJson(reportDataFile(report.lang), report)
  const figures = runFigures(results, options.lang)
  for (const [name, figure] of Object.entries(figures)) {
    await directory.writeText(`figures/${name}.svg`, renderSvg(figure))
    if (options.png)
      await directory.writeBytes(`figures/${name}.png`, (await import('../report/render-png.ts')).renderPng(figure))
  }
  const shown = reports.find(({ lang }) => lang === options.lang)!
  await directory.writeText('report.html', renderReport(shown))
  return shown.verdict ?? null
}

function runReport(results: RunResults, options: WriteReportOptions): Report {
  const { experiment, model, data, end, diagnosis } = results
  const { lang } = options
  const words = runWords(lang)
  const figures = runFigures(results, lang)
  const share = (label: string, value: number | undefined): Fact[] =>
    value === undefined || Number.isNaN(value) ? [] : [{ label, value: formatPercent(value) }]
  return {
    lang,
    title: experiment.name,
    subtitle: experiment.description ?? words.subtitle(model.name, parameterCount(model), data.train.name),
    ...(diagnosis && { verdict: verdictCard(diagnosis, lang) }),
    facts: [
      { label: words.trainingLoss, value: end.loss, note: lossNote(results, words) },
      { label: words.gradientNorm, value: end.gradientNorm, note: words.gradientNote },
      ...share(words.trainingAccuracy, end.accuracy),
      ...(end.testLoss === undefined ? [] : [{ label: words.testLoss, value: end.testLoss }]),
      ...share(words.testAccuracy, end.testAccuracy),
    ],
    warnings: [...(diagnosis ? allWarnings(model.notes, diagnosis, lang) : model.notes), ...notMade(results, words)],
    sections: [
      trainingSection(results, figures, words),
      ...(diagnosis ? [spectrumSection(diagnosis, lang)] : []),
      { id: 'surface', title: words.around, blocks: figureBlock(figures, ['surface', 'surface-3d']) },
      ...analysisSections(results, figures, lang),
    ].filter((s) => s.blocks.length > 0),
    settings: settingsOf(results, words),
    versions: [
      { name: 'thalweg', value: packageVersion() },
      { name: 'engine', value: options.fingerprint },
      { name: 'node', value: process.versions.node },
    ],
    command: `thalweg run ${options.file} --seed ${experiment.seed}`,
  }
}

function notMade({ analyses }: RunResults, words: RunWords): string[] {
  return problemsOf(analyses).map(([name, problem]) => words.notMade(name, problem))
}

/** One section for every analysis that has a document. */
function analysisSections(
  { analyses, diagnosis }: RunResults,
  figures: Readonly<Record<string, Figure>>,
  lang: Language,
): Section[] {
  const part = <T>(examined: Examined<T> | undefined, section: (document: T) => Section): Section[] => {
    const document = documentOf(examined)
    return document === undefined ? [] : [section(document)]
  }
  const elimination = wordsOf(analyses.eliminate, lang)
  return [
    ...part(analyses.spectrum, (d) => {
      const known = diagnosis && d.operator === 'hessian'
      const names = known ? ['density'] : ['density', 'spectrum']
      return curvatureSection(
        d,
        names.flatMap((name) => figures[name] ?? []),
        lang,
      )
    }),
    ...part(analyses.critical, (d) => criticalSection(d, figures['critical'], lang)),
    ...part(analyses.linear, (d) => linearSection(d, figures['linear'], lang)),
    ...part(analyses.eliminate, (d) => eliminationSection(d, elimination, figures, lang)),
    ...part(analyses.gram, (d) => gramSection(d, figures, lang)),
  ]
}

function lossNote({ experiment: { loss } }: RunResults, words: RunWords): string {
  const decay = loss.weightDecay > 0 ? [words.weightDecay(formatNumber(loss.weightDecay))] : []
  return [loss.name, loss.reduction, ...decay].join(', ')
}

function figureBlock(figures: Readonly<Record<string, Figure>>, names: readonly string[]): Section['blocks'] {
  const there = names.filter((n) => figures[n]).map((n) => figures[n])
  return there.length > 0 ? [{ kind: 'figures', figures: there }] : []
}

function trainingSection(
  { training }: RunResults,
  figures: Readonly<Record<string, Figure>>,
  words: RunWords,
): Section {
  return {
    id: 'training',
    title: words.training,
    blocks: training
      ? [{ kind: 'paragraph', text: words.ended(training) }, ...figureBlock(figures, ['loss', 'accuracy'])]
      : [],
  }
}

function settingsOf({ experiment, model, data }: RunResults, words: RunWords): Report['settings'] {
  const { settings: names } = words
  const flat = (value: object): { name: string; value: string | number | boolean }[] =>
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([name, v]) => ({
        name,
        value: typeof v === 'object' ? JSON.stringify(v).replaceAll('"', '') : (v as string | number | boolean),
      }))
  return [
    { title: names.model, rows: [...flat(experiment.model), { name: names.parameters, value: parameterCount(model) }] },
    {
      title: names.data,
      rows: [
        { name: names.name, value: data.train.name },
        { name: names.trainingSamples, value: sampleCount(data.train) },
        { name: names.testSamples, value: data.test ? sampleCount(data.test) : 0 },
        { name: names.digest, value: data.train.digest.slice(0, 16) },
      ],
    },
    { title: words.loss, rows: flat(experiment.loss) },
    { title: words.training, rows: experiment.training ? flat(experiment.training) : [] },
    { title: names.seed, rows: [{ name: names.seed, value: experiment.seed }] },
  ].filter((group) => group.rows.length > 0)
}
