import { nodeAt } from '@thalweg/landscape'
import type { Axis, GridMinimum, GridState } from '@thalweg/landscape'
import { formatMeasured, formatNumber } from '../../report/format-number.ts'
import type { Axis as FigureAxis, Figure, LineChart, Marker, Setting, Trajectory } from '../../report/scene.ts'
import { dataName } from '../../subject/subject.ts'
import type { PlacedTrajectory, SurfaceResults } from './surface-results.ts'
import { surfaceWords } from './surface-words.ts'
import type { SurfaceWords } from './surface-words.ts'

const names = ['α', 'β', 'γ']
/** Minima and passes drawn on the plane. */
const markersMax = 4
/** Basins shallower than this share of the range of values are noise of the grid. */
const persistenceShare = 0.02
/** Values that span more than this factor are drawn on a logarithmic scale. */
const logFactor = 10

/** The figures of a surface, by file name. */
export function surfaceFigures(results: SurfaceResults): Record<string, Figure> {
  const { nodes, trajectories, chosen, argument } = results
  const figures: Record<string, Figure> = {
    ...(nodes.length === 1 ? lineFigures(results) : planeFigures(results)),
    ...(chosen.pca && varianceFigure(results)),
    ...(trajectories.length > 0 && trajectoryFigures(results)),
  }
  const { lang = 'en' } = argument
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, { ...figure, lang }]))
}

const wordsOf = ({ argument }: SurfaceResults): SurfaceWords => surfaceWords(argument.lang)

function settingsOf(results: SurfaceResults): Setting[] {
  const { argument, subject, chosen, nodes, axes, cosines } = results
  const { request, dtype } = argument
  const { settings: w, direction } = wordsOf(results)
  const range = ({ start, end }: Axis): string => `${short(start)} … ${short(end)}`
  return [
    { name: w.model, value: subject.model.name },
    { name: w.data, value: dataName(subject) },
    { name: w.loss, value: `${subject.spec.name}, ${subject.spec.reduction}` },
    { name: w.directions, value: chosen.directions.map((d) => direction(d.label)).join(', ') },
    ...chosen.directions.flatMap((d, i) =>
      d.eigenvalue === undefined
        ? []
        : [{ name: w.along(names[i]), value: formatMeasured(d.eigenvalue, d.residualNorm) }],
    ),
    { name: w.normalization, value: chosen.normalization },
    ...(request.kind === 'random' ? [{ name: w.vectors, value: request.moveVectors ? w.moved : w.held }] : []),
    ...(request.orthogonalize ? [{ name: w.orthogonalized, value: true }] : []),
    { name: w.points, value: nodes.map((n) => n.length).join(' × ') },
    { name: w.range, value: axes.map(range).join(', ') },
    ...(cosines.length > 0 ? [{ name: w.cosines, value: cosines.map((c) => short(c, 2)).join(', ') }] : []),
    { name: w.arithmetic, value: dtype },
    { name: w.seed, value: request.seed },
  ]
}

/** Digits without trailing zeros, with a real minus sign. */
function short(value: number, digits = 4): string {
  return formatNumber(value, { digits, trim: true })
}

interface Shown {
  readonly values: number[]
  readonly label: string
  readonly scale: 'log' | 'linear'
}

/** Values on the scale that was asked for, or that they need. */
function shown({ argument, training }: Pick<SurfaceResults, 'argument' | 'training'>, values: Float64Array): Shown {
  const finite = values.filter(Number.isFinite)
  const [low, high] = [
    finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    finite.reduce((a, b) => Math.max(a, b), 0),
  ]
  if (argument.scale === 'relative') {
    const least = training.values
      .filter((v) => Number.isFinite(v) && v > 0)
      .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
    return {
      values: Array.from(values, (v) => v / least),
      label: surfaceWords(argument.lang).relativeLoss,
      scale: 'log',
    }
  }
  const log = argument.scale === 'log' || (argument.scale === 'auto' && low > 0 && high > logFactor * low)
  return { values: Array.from(values), label: surfaceWords(argument.lang).loss, scale: log ? 'log' : 'linear' }
}

const axisOf = (results: SurfaceResults, i: number): FigureAxis => {
  const { named, direction } = wordsOf(results)
  return { label: named(names[i], direction(results.chosen.directions[i].label)) }
}

function lineFigures(results: SurfaceResults): Record<string, Figure> {
  const { nodes, training, heldOut, argument } = results
  const w = wordsOf(results)
  const x = Array.from(nodes[0])
  const train = shown(results, training.values)
  const common = { kind: 'line-chart' as const, x: axisOf(results, 0), settings: settingsOf(results) }
  const series = (name: string, y: number[], style: 'solid' | 'dashed'): LineChart['series'][number] => ({
    name,
    x,
    y,
    style,
    color: 0,
    markers: false,
  })
  const loss: LineChart = {
    ...common,
    title: w.lineTitle,
    caption: argument.request.kind === 'interpolation' ? w.interpolationCaption : w.lineCaption,
    y: { label: train.label, scale: train.scale },
    series: [
      series(w.training, train.values, 'solid'),
      ...(heldOut ? [series(w.heldOut, shown(results, heldOut.values).values, 'dashed')] : []),
    ],
    references: [
      { axis: 'x', value: 0, label: 'θ' },
      ...(argument.request.kind === 'interpolation' ? [{ axis: 'x' as const, value: 1, label: 'θ′' }] : []),
    ],
  }
  const { accuracies } = training
  if (!accuracies) return { surface: loss }
  const accuracy: LineChart = {
    ...common,
    title: w.lineAccuracy,
    caption: w.accuracyCaption,
    y: { label: w.accuracy, format: 'percent' },
    series: [
      series(w.training, Array.from(accuracies), 'solid'),
      ...(heldOut?.accuracies ? [series(w.heldOut, Array.from(heldOut.accuracies), 'dashed')] : []),
    ],
  }
  return { surface: loss, accuracy }
}

function planeFigures(results: SurfaceResults): Record<string, Figure> {
  const { nodes, heldOut, curvature } = results
  const w = wordsOf(results)
  const [x, y] = nodes
  const slice = planeSlice(results)
  const drawn = shown(results, slice.values)
  const settings = [...settingsOf(results), ...slice.settings]
  const grid = {
    x: axisOf(results, 0),
    y: axisOf(results, 1),
    xs: Array.from(x),
    ys: Array.from(y),
    settings,
  }
  const trajectories = overlaysOf(results.trajectories)
  const volume = nodes.length === 3
  const surface: Figure = {
    ...grid,
    kind: 'contour-plane',
    title: w.planeOf[planeKind(results)],
    caption: captionOf(results),
    values: drawn.values,
    valueLabel: drawn.label,
    valueScale: drawn.scale,
    trajectories,
    markers: volume ? [] : markersOf(results),
  }
  const still: Figure = {
    ...grid,
    kind: 'surface-still',
    title: w.still,
    caption: drawn.scale === 'log' ? w.logHeight : w.height,
    values: drawn.values,
    valueLabel: drawn.label,
    valueScale: drawn.scale,
    trajectories: results.trajectories.map((t) => ({
      name: t.name,
      x: t.points.map((p) => p.coordinates[0]),
      y: t.points.map((p) => p.coordinates[1]),
      z: shown(
        results,
        Float64Array.from(t.points, (p) => p.planeLoss),
      ).values,
    })),
  }
  return {
    surface,
    'surface-3d': still,
    ...accuracyFigure('accuracy', w.planeAccuracy, grid, slice.accuracies, w),
    ...(heldOut && !volume && accuracyFigure('held-out-accuracy', w.heldOutAccuracy, grid, heldOut.accuracies, w)),
    ...(heldOut && !volume && heldOutFigure(results, grid, heldOut)),
    ...(curvature && curvatureFigures(results, settings)),
  }
}

type Grid = Pick<Extract<Figure, { kind: 'heat-map' }>, 'x' | 'y' | 'xs' | 'ys' | 'settings'>

function planeKind({ argument, chosen }: SurfaceResults): keyof SurfaceWords['planeOf'] {
  if (argument.request.kind === 'trajectory') return 'components'
  const [first] = chosen.directions
  if (first.eigenvalue !== undefined) return 'eigenvectors'
  return first.label.startsWith('random') ? 'random' : 'chosen'
}

function captionOf(results: SurfaceResults): string {
  const { trajectories, nodes } = results
  const w = wordsOf(results)
  const base = nodes.length === 3 ? w.volumeCaption : w.planeCaption
  if (trajectories.length === 0) return base
  const points = trajectories.flatMap((t) => t.points)
  const off = Math.max(...points.map((p) => p.offPlaneDistance))
  const extent = Math.max(...points.map((p) => p.distance))
  return w.projected(base, short(off, 3), short(extent, 3))
}

/** The plane itself, or of a volume the slice nearest to γ = 0. */
function planeSlice({
  argument,
  nodes,
  training,
}: SurfaceResults): Pick<GridState, 'values' | 'accuracies'> & { settings: Setting[] } {
  if (nodes.length === 2) return { ...training, settings: [] }
  const z = nodes[2]
  const k = z.reduce((best, v, i) => (Math.abs(v) < Math.abs(z[best]) ? i : best), 0)
  const size = nodes[0].length * nodes[1].length
  const cut = (values: Float64Array): Float64Array => values.subarray(k * size, (k + 1) * size)
  return {
    values: cut(training.values),
    accuracies: training.accuracies && cut(training.accuracies),
    settings: [{ name: surfaceWords(argument.lang).settings.slice, value: `γ = ${short(z[k])}` }],
  }
}

function overlaysOf(trajectories: readonly PlacedTrajectory[]): Trajectory[] {
  return trajectories.map((t) => ({
    name: t.name,
    x: t.points.map((p) => p.coordinates[0]),
    y: t.points.map((p) => p.coordinates[1]),
  }))
}

/** θ, the basins that are deep enough to mean something, and the passes between them. */
function markersOf({ nodes, training, minima, trajectories, argument }: SurfaceResults): Marker[] {
  const w = surfaceWords(argument.lang)
  const finite = training.values.filter(Number.isFinite)
  const range =
    finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) -
    finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const place = (node: number): { x: number; y: number } => {
    const [x, y] = nodeAt(nodes, node)
    return { x, y }
  }
  const deep = minima.filter((m) => m.persistence > persistenceShare * range).slice(0, markersMax)
  const inside = (m: GridMinimum): boolean =>
    onInside(
      m.node,
      nodes.map((n) => n.length),
    )
  const basins = deep.filter(inside).map((m): Marker => ({ kind: 'minimum', ...place(m.node) }))
  const passes = deep.flatMap((m): Marker[] =>
    m.saddle &&
    onInside(
      m.saddle.node,
      nodes.map((n) => n.length),
    )
      ? [{ kind: 'saddle', ...place(m.saddle.node) }]
      : [],
  )
  const ends: Marker[] =
    argument.request.kind === 'interpolation'
      ? [
          { kind: 'point', x: 1, y: 0, label: w.secondModel },
          { kind: 'point', x: 0, y: 1, label: w.thirdModel },
        ]
      : []
  const here: Marker[] = trajectories.length > 0 ? [] : [{ kind: 'end', x: 0, y: 0, label: 'θ' }]
  // a minimum drawn on θ itself would hide it
  const apart = basins.filter((m) => trajectories.length > 0 || m.x !== 0 || m.y !== 0)
  return [...here, ...ends, ...apart, ...passes]
}

/** What lies on the border of the grid is where the picture ends, not where the loss turns. */
function onInside(node: number, [columns, rows]: readonly number[]): boolean {
  const [i, j] = [node % columns, Math.floor(node / columns)]
  return i > 0 && j > 0 && i < columns - 1 && j < rows - 1
}

function accuracyFigure(
  name: string,
  title: string,
  grid: Grid,
  accuracies: Float64Array | null,
  w: SurfaceWords,
): Record<string, Figure> {
  if (!accuracies) return {}
  return {
    [name]: {
      ...grid,
      kind: 'heat-map',
      title,
      caption: w.accuracyCaption,
      values: Array.from(accuracies),
      valueLabel: w.accuracy,
      valueDomain: [0, 1],
      palette: 'cividis',
    },
  }
}

function heldOutFigure(results: SurfaceResults, grid: Grid, { values }: GridState): Record<string, Figure> {
  const drawn = shown(results, values)
  return {
    'held-out': {
      ...grid,
      kind: 'contour-plane',
      title: wordsOf(results).heldOutLoss,
      values: drawn.values,
      valueLabel: drawn.label,
      valueScale: drawn.scale,
    },
  }
}

function curvatureFigures(results: SurfaceResults, settings: readonly Setting[]): Record<string, Figure> {
  const { curvature } = results
  if (!curvature) return {}
  const w = wordsOf(results)
  const { points, arithmetic, nodes, products } = w.settings
  const grid = {
    x: axisOf(results, 0),
    y: axisOf(results, 1),
    xs: Array.from(curvature.x),
    ys: Array.from(curvature.y),
    settings: [
      ...settings.filter((s) => s.name !== points && s.name !== arithmetic),
      { name: nodes, value: `${curvature.x.length} × ${curvature.y.length}` },
      { name: products, value: curvature.products },
      { name: arithmetic, value: 'float64' },
    ],
  }
  return {
    convexity: {
      ...grid,
      kind: 'heat-map',
      title: w.convexity,
      caption: w.convexityCaption,
      values: Array.from(curvature.convexity, (v) => Math.min(v, 1)),
      valueLabel: w.convexityValue,
      valueDomain: [0, 1],
    },
    'smallest-eigenvalue': {
      ...grid,
      kind: 'heat-map',
      title: w.smallest,
      values: Array.from(curvature.smallest),
      valueLabel: 'λ_min',
      palette: 'diverging',
    },
    'largest-eigenvalue': {
      ...grid,
      kind: 'heat-map',
      title: w.largest,
      values: Array.from(curvature.largest),
      valueLabel: 'λ_max',
    },
  }
}

function varianceFigure(results: SurfaceResults): Record<string, Figure> {
  const { explained, randomWalk } = results.chosen.pca!
  const w = wordsOf(results)
  const count = Math.min(10, explained.length)
  const x = Array.from({ length: count }, (_, i) => i + 1)
  return {
    variance: {
      kind: 'line-chart',
      title: w.variance,
      caption: w.varianceCaption,
      x: { label: w.component },
      y: { label: w.varianceShare, scale: 'log' },
      series: [
        { name: w.trajectory, x, y: Array.from(explained.subarray(0, count)), style: 'solid', color: 0, markers: true },
        {
          name: w.randomWalk,
          x,
          y: Array.from(randomWalk.subarray(0, count)),
          style: 'dashed',
          color: 1,
          markers: true,
        },
      ],
    },
  }
}

function trajectoryFigures(results: SurfaceResults): Record<string, Figure> {
  const { trajectories } = results
  const w = wordsOf(results)
  const steps = (t: PlacedTrajectory): number[] => t.points.map((p, i) => p.step ?? i)
  const known = trajectories.every((t) => t.points.every((p) => p.step !== undefined))
  const x = { label: known ? w.step : w.checkpoint }
  const settings = settingsOf(results)
  const several = trajectories.length > 1
  const named = (t: PlacedTrajectory, what: string): string => (several ? w.named(t.name, what) : what)
  const losses = trajectories.flatMap((t, i) => [
    {
      name: named(t, w.lossAtPoint),
      x: steps(t),
      y: t.points.map((p) => p.loss),
      style: 'solid' as const,
      color: i,
    },
    {
      name: named(t, w.lossDrawn),
      x: steps(t),
      y: t.points.map((p) => p.planeLoss),
      style: 'dashed' as const,
      color: i,
    },
  ])
  const positive = losses.every((s) => s.y.every((v) => v > 0))
  return {
    'trajectory-loss': {
      kind: 'line-chart',
      title: w.trajectoryLoss,
      caption: w.trajectoryLossCaption,
      settings,
      x,
      y: { label: w.loss, scale: positive ? 'log' : 'linear' },
      series: losses,
    },
    'off-plane': {
      kind: 'line-chart',
      title: w.offPlane,
      caption: w.offPlaneCaption,
      settings,
      x,
      y: { label: w.offPlaneShare, domain: [0, 1] },
      series: trajectories.map((t, i) => ({
        name: t.name,
        x: steps(t),
        y: t.points.map((p) => p.offPlaneShare),
        style: 'solid',
        color: i,
      })),
    },
    ...curvatureAlong(results, { x, settings }, steps, named),
  }
}

/** Extreme eigenvalues at every point, where they were asked for. */
function curvatureAlong(
  results: SurfaceResults,
  common: Pick<LineChart, 'x' | 'settings'>,
  steps: (t: PlacedTrajectory) => number[],
  named: (t: PlacedTrajectory, what: string) => string,
): Record<string, Figure> {
  const w = wordsOf(results)
  const series = results.trajectories.flatMap((t, color) => {
    if (!t.points.some((p) => p.topEigenvalue !== undefined)) return []
    const end = (what: string, style: 'solid' | 'dashed', y: (number | null)[]): LineChart['series'][number] => ({
      name: named(t, what),
      x: steps(t),
      y,
      style,
      color,
    })
    return [
      end(
        w.largestEnd,
        'solid',
        t.points.map((p) => p.topEigenvalue ?? null),
      ),
      end(
        w.smallestEnd,
        'dashed',
        t.points.map((p) => p.bottomEigenvalue ?? null),
      ),
    ]
  })
  if (series.length === 0) return {}
  return {
    'trajectory-curvature': {
      ...common,
      kind: 'line-chart',
      title: w.curvatureAlong,
      caption: w.curvatureAlongCaption,
      y: { label: w.eigenvalue },
      series,
      ...edgeReference(results),
    },
  }
}

/** 2/η where the run says its step and it was gradient descent. */
function edgeReference({ subject }: SurfaceResults): Pick<LineChart, 'references'> {
  const rate = subject.training?.learningRate
  const name = subject.training?.optimizer.name
  return rate && (name === 'gradient-descent' || name === 'sgd')
    ? { references: [{ axis: 'y', value: 2 / rate, label: '2/η' }] }
    : {}
}
