import type { HistoryPoint } from '@thalweg/landscape'
import { indexFigure } from '../analyses/critical/critical-section.ts'
import { eigenvalueFigure } from '../analyses/diagnose/diagnosis-report.ts'
import { namedEliminationFigures } from '../analyses/eliminate/elimination-section.ts'
import { gramFigures } from '../analyses/gram/gram-section.ts'
import { ladderFigure } from '../analyses/linear/linear-section.ts'
import { spectrumFigures } from '../analyses/spectrum/spectrum-section.ts'
import type { Figure, Language, Series, Setting } from '../report/scene.ts'
import { documentOf, wordsOf } from './analysis-results.ts'
import { runWords } from './run-words.ts'
import type { RunResults } from './run-results.ts'

type Column = Exclude<keyof HistoryPoint, 'step' | 'epoch'>

function series(history: readonly HistoryPoint[], name: string, key: Column, style: Series['style']): Series[] {
  if (!history.some((h) => h[key] !== undefined)) return []
  return [{ name, x: history.map((h) => h.epoch), y: history.map((h) => h[key] ?? null), style, color: 0 }]
}

/** The figures of a run, by file name. */
export function runFigures(results: RunResults, lang: 'en' | 'zh'): Record<string, Figure> {
  return {
    ...trainingFigures(results, lang),
    ...(results.diagnosis && { eigenvalues: eigenvalueFigure(results.diagnosis, lang) }),
    ...surfaceFigures(results, lang),
    ...analysisFigures(results, lang),
  }
}

function analysisFigures({ analyses, model }: RunResults, lang: Language): Record<string, Figure> {
  const spectrum = documentOf(analyses.spectrum)
  const critical = documentOf(analyses.critical)
  const linear = documentOf(analyses.linear)
  const gram = documentOf(analyses.gram)
  const elimination = documentOf(analyses.eliminate)
  const points = critical && { table: critical.table, starts: critical.starts.count, model: model.name }
  return {
    ...(spectrum && spectrumFigures(spectrum, lang)),
    ...(points && points.table.length > 0 && { critical: indexFigure(points, lang) }),
    ...(linear && { linear: ladderFigure(linear, lang) }),
    ...(elimination && namedEliminationFigures(elimination, wordsOf(analyses.eliminate, lang), lang)),
    ...(gram && gramFigures(gram, lang)),
  }
}

function trainingFigures({ training, experiment }: RunResults, lang: 'en' | 'zh'): Record<string, Figure> {
  if (!training) return {}
  const { history } = training
  const spec = experiment.training!
  const words = runWords(lang)
  const settings: Setting[] = [
    { name: words.settings.optimizer, value: spec.optimizer.name },
    ...(spec.learningRate === undefined ? [] : [{ name: words.settings.learningRate, value: spec.learningRate }]),
    { name: words.settings.batch, value: spec.batchSize },
    { name: words.settings.seed, value: experiment.seed },
  ]
  const loss: Figure = {
    kind: 'line-chart',
    lang,
    title: words.loss,
    caption: words.lossCaption(experiment.loss.name),
    settings,
    x: { label: words.epoch },
    y: { label: words.loss, scale: 'log' },
    series: [
      ...series(history, words.trainingSeries, 'loss', 'solid'),
      ...series(history, words.testSeries, 'testLoss', 'dashed'),
    ],
  }
  const shares = [
    ...series(history, words.trainingSeries, 'accuracy', 'solid'),
    ...series(history, words.testSeries, 'testAccuracy', 'dashed'),
  ]
  if (shares.length === 0) return { loss }
  const accuracy: Figure = {
    kind: 'line-chart',
    lang,
    title: words.accuracy,
    caption: words.accuracyCaption,
    settings,
    x: { label: words.epoch },
    y: { label: words.accuracyAxis, format: 'percent' },
    series: shares,
  }
  return { loss, accuracy }
}

function surfaceFigures({ plane, experiment }: RunResults, lang: 'en' | 'zh'): Record<string, Figure> {
  const spec = experiment.analyses.surface
  if (!plane || !spec) return {}
  const words = runWords(lang)
  const { settings: names } = words
  const positive = plane.values.every((v) => v > 0)
  const grid = {
    lang,
    x: { label: 'α' },
    y: { label: 'β' },
    xs: Array.from(plane.x),
    ys: Array.from(plane.y),
    values: Array.from(plane.values),
    valueLabel: words.loss,
    valueScale: positive ? ('log' as const) : ('linear' as const),
    settings: [
      { name: names.directions, value: 'Gaussian' },
      { name: names.normalization, value: spec.normalization },
      { name: names.vectors, value: spec.ignoreVectors ? names.kept : names.moved },
      { name: names.points, value: `${plane.x.length} × ${plane.y.length}` },
      { name: names.cosine, value: Number(plane.cosine.toPrecision(2)) },
      { name: names.seed, value: experiment.seed },
    ],
  }
  return {
    surface: {
      ...grid,
      kind: 'contour-plane',
      title: words.plane,
      caption: words.planeCaption,
      markers: [{ kind: 'end', x: 0, y: 0, label: words.end }],
    },
    'surface-3d': {
      ...grid,
      kind: 'surface-still',
      title: words.surface,
      caption: words.surfaceCaption(positive),
    },
  }
}
