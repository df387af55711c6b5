import type { HistoryPoint } from '@thalweg/landscape'
import { eigenvalueFigure } from '../analyses/diagnosis-report.ts'
import type { Figure, Series, Setting } from '../report/scene.ts'
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
  }
}

function trainingFigures({ training, experiment }: RunResults, lang: 'en' | 'zh'): Record<string, Figure> {
  if (!training) return {}
  const { history } = training
  const spec = experiment.training!
  const settings: Setting[] = [
    { name: 'optimizer', value: spec.optimizer.name },
    ...(spec.learningRate === undefined ? [] : [{ name: 'learning rate', value: spec.learningRate }]),
    { name: 'batch', value: spec.batchSize },
    { name: 'seed', value: experiment.seed },
  ]
  const loss: Figure = {
    kind: 'line-chart',
    lang,
    title: 'Loss',
    caption: `The ${experiment.loss.name} loss on all training and held-out samples during training.`,
    settings,
    x: { label: 'epoch' },
    y: { label: 'loss', scale: 'log' },
    series: [...series(history, 'training', 'loss', 'solid'), ...series(history, 'test', 'testLoss', 'dashed')],
  }
  const shares = [
    ...series(history, 'training', 'accuracy', 'solid'),
    ...series(history, 'test', 'testAccuracy', 'dashed'),
  ]
  if (shares.length === 0) return { loss }
  const accuracy: Figure = {
    kind: 'line-chart',
    lang,
    title: 'Accuracy',
    caption: 'Share of samples whose largest score is the right class.',
    settings,
    x: { label: 'epoch' },
    y: { label: 'accuracy', format: 'percent' },
    series: shares,
  }
  return { loss, accuracy }
}

function surfaceFigures({ plane, experiment }: RunResults, lang: 'en' | 'zh'): Record<string, Figure> {
  const spec = experiment.analyses.surface
  if (!plane || !spec) return {}
  const grid = {
    lang,
    x: { label: 'α' },
    y: { label: 'β' },
    xs: Array.from(plane.x),
    ys: Array.from(plane.y),
    values: Array.from(plane.values),
    valueLabel: 'loss',
    valueScale: plane.values.every((v) => v > 0) ? ('log' as const) : ('linear' as const),
    settings: [
      { name: 'directions', value: 'Gaussian' },
      { name: 'normalization', value: spec.normalization },
      { name: 'vectors', value: spec.ignoreVectors ? 'kept' : 'moved' },
      { name: 'points', value: `${plane.x.length} × ${plane.y.length}` },
      { name: 'cosine of the directions', value: Number(plane.cosine.toPrecision(2)) },
      { name: 'seed', value: experiment.seed },
    ],
  }
  return {
    surface: {
      ...grid,
      kind: 'contour-plane',
      title: 'Training loss on a random plane',
      caption: 'Loss at θ + αδ + βη; the end of training is at the center.',
      markers: [{ kind: 'end', x: 0, y: 0, label: 'end of training' }],
    },
    'surface-3d': {
      ...grid,
      kind: 'surface-still',
      title: 'The same plane as a surface',
      caption: 'Height is the loss on a logarithmic scale.',
    },
  }
}
