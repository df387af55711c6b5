import { nodeAt } from '@thalweg/landscape'
import type { Axis, GridMinimum, GridState } from '@thalweg/landscape'
import { formatMeasured, formatNumber } from '../report/format-number.ts'
import type { Axis as FigureAxis, Figure, LineChart, Marker, Setting, Trajectory } from '../report/scene.ts'
import { dataName } from '../subject/subject.ts'
import type { PlacedTrajectory, SurfaceResults } from './surface-results.ts'

const names = ['α', 'β', 'γ']
/** Minima and passes drawn on the plane. */
const markersMax = 4
/** Basins shallower than this share of the range of values are noise of the grid. */
const persistenceShare = 0.02
/** Values that span more than this factor are drawn on a logarithmic scale. */
const logFactor = 10

/** The figures of a surface, by file name. */
export function surfaceFigures(results: SurfaceResults): Record<string, Figure> {
  const { nodes, trajectories, chosen } = results
  const figures = nodes.length === 1 ? lineFigures(results) : planeFigures(results)
  return {
    ...figures,
    ...(chosen.pca && varianceFigure(results)),
    ...(trajectories.length > 0 && trajectoryFigures(results)),
  }
}

function settingsOf(results: SurfaceResults): Setting[] {
  const { argument, subject, chosen, nodes, axes, cosines } = results
  const { request, dtype } = argument
  const range = ({ start, end }: Axis): string => `${short(start)} … ${short(end)}`
  return [
    { name: 'model', value: subject.model.name },
    { name: 'data', value: dataName(subject) },
    { name: 'loss', value: `${subject.spec.name}, ${subject.spec.reduction}` },
    { name: 'directions', value: chosen.directions.map((d) => d.label).join(', ') },
    ...chosen.directions.flatMap((d, i) =>
      d.eigenvalue === undefined
        ? []
        : [{ name: `λ along ${names[i]}`, value: formatMeasured(d.eigenvalue, d.residualNorm) }],
    ),
    { name: 'normalization', value: chosen.normalization },
    ...(request.kind === 'random' ? [{ name: 'biases and norms', value: request.moveVectors ? 'moved' : 'held' }] : []),
    ...(request.orthogonalize ? [{ name: 'orthogonalized', value: true }] : []),
    { name: 'points', value: nodes.map((n) => n.length).join(' × ') },
    { name: 'range', value: axes.map(range).join(', ') },
    ...(cosines.length > 0
      ? [{ name: 'cosines of the directions', value: cosines.map((c) => short(c, 2)).join(', ') }]
      : []),
    { name: 'arithmetic', value: dtype },
    { name: 'seed', value: request.seed },
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
function shown({ argument, training }: SurfaceResults, values: Float64Array): Shown {
  const finite = values.filter(Number.isFinite)
  const [low, high] = [
    finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    finite.reduce((a, b) => Math.max(a, b), 0),
  ]
  if (argument.scale === 'relative') {
    const least = training.values
      .filter((v) => Number.isFinite(v) && v > 0)
      .reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
    return { values: Array.from(values, (v) => v / least), label: 'loss / lowest loss', scale: 'log' }
  }
  const log = argument.scale === 'log' || (argument.scale === 'auto' && low > 0 && high > logFactor * low)
  return { values: Array.from(values), label: 'loss', scale: log ? 'log' : 'linear' }
}

const axisOf = ({ chosen }: SurfaceResults, i: number): FigureAxis => ({
  label: `${names[i]}, ${chosen.directions[i].label}`,
})

function lineFigures(results: SurfaceResults): Record<string, Figure> {
  const { nodes, training, heldOut, argument } = results
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
    title: 'Loss along a line',
    caption: argument.request.kind === 'interpolation' ? 'Loss at (1 − α) θ + α θ′.' : 'Loss at θ + αδ.',
    y: { label: train.label, scale: train.scale },
    series: [
      series('training', train.values, 'solid'),
      ...(heldOut ? [series('held-out', shown(results, heldOut.values).values, 'dashed')] : []),
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
    title: 'Accuracy along the same line',
    caption: 'Share of samples whose largest score is the right class.',
    y: { label: 'accuracy', format: 'percent' },
    series: [
      series('training', Array.from(accuracies), 'solid'),
      ...(heldOut?.accuracies ? [series('held-out', Array.from(heldOut.accuracies), 'dashed')] : []),
    ],
  }
  return { surface: loss, accuracy }
}

function planeFigures(results: SurfaceResults): Record<string, Figure> {
  const { nodes, heldOut, curvature, argument } = results
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
    title: `Training loss on a plane of ${argument.request.kind === 'trajectory' ? 'principal components' : kindName(results)}`,
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
    title: 'The same plane as a surface',
    caption: drawn.scale === 'log' ? 'Height is the loss on a logarithmic scale.' : 'Height is the loss.',
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
    ...accuracyFigure('accuracy', 'Training accuracy on the same plane', grid, slice.accuracies),
    ...(heldOut &&
      !volume &&
      accuracyFigure('held-out-accuracy', 'Held-out accuracy on the same plane', grid, heldOut.accuracies)),
    ...(heldOut && !volume && heldOutFigure(results, grid, heldOut)),
    ...(curvature && curvatureFigures(results, settings)),
  }
}

type Grid = Pick<Extract<Figure, { kind: 'heat-map' }>, 'x' | 'y' | 'xs' | 'ys' | 'settings'>

function kindName({ chosen }: SurfaceResults): string {
  const [first] = chosen.directions
  if (first.eigenvalue !== undefined) return 'Hessian eigenvectors'
  return first.label.startsWith('random') ? 'random directions' : 'chosen directions'
}

function captionOf({ trajectories, nodes }: SurfaceResults): string {
  const base = nodes.length === 3 ? 'Loss at θ + αδ + βη + γζ on the slice named below.' : 'Loss at θ + αδ + βη.'
  if (trajectories.length === 0) return base
  const points = trajectories.flatMap((t) => t.points)
  const off = Math.max(...points.map((p) => p.offPlaneDistance))
  const extent = Math.max(...points.map((p) => p.distance))
  return `${base} The path is projected: its points lie up to ${short(off, 3)} off the plane, and up to ${short(extent, 3)} from its center.`
}

/** The plane itself, or of a volume the slice nearest to γ = 0. */
function planeSlice({
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
    settings: [{ name: 'slice', value: `γ = ${short(z[k])}` }],
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
          { kind: 'point', x: 1, y: 0, label: 'second model' },
          { kind: 'point', x: 0, y: 1, label: 'third model' },
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
): Record<string, Figure> {
  if (!accuracies) return {}
  return {
    [name]: {
      ...grid,
      kind: 'heat-map',
      title,
      caption: 'Share of samples whose largest score is the right class.',
      values: Array.from(accuracies),
      valueLabel: 'accuracy',
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
      title: 'Held-out loss on the same plane',
      values: drawn.values,
      valueLabel: drawn.label,
      valueScale: drawn.scale,
    },
  }
}

function curvatureFigures({ curvature, chosen }: SurfaceResults, settings: readonly Setting[]): Record<string, Figure> {
  if (!curvature) return {}
  const grid = {
    x: { label: `${names[0]}, ${chosen.directions[0].label}` },
    y: { label: `${names[1]}, ${chosen.directions[1].label}` },
    xs: Array.from(curvature.x),
    ys: Array.from(curvature.y),
    settings: [
      ...settings.filter((s) => s.name !== 'points' && s.name !== 'arithmetic'),
      { name: 'nodes', value: `${curvature.x.length} × ${curvature.y.length}` },
      { name: 'products', value: curvature.products },
      { name: 'arithmetic', value: 'float64' },
    ],
  }
  return {
    convexity: {
      ...grid,
      kind: 'heat-map',
      title: 'Convexity map',
      caption:
        'max(0, −λ_min) / |λ_max| of the full Hessian: 0 where the loss is convex, 1 or more where negative curvature prevails.',
      values: Array.from(curvature.convexity, (v) => Math.min(v, 1)),
      valueLabel: 'max(0, −λ_min) / |λ_max|, capped at 1',
      valueDomain: [0, 1],
    },
    'smallest-eigenvalue': {
      ...grid,
      kind: 'heat-map',
      title: 'Smallest eigenvalue of the Hessian',
      values: Array.from(curvature.smallest),
      valueLabel: 'λ_min',
      palette: 'diverging',
    },
    'largest-eigenvalue': {
      ...grid,
      kind: 'heat-map',
      title: 'Largest eigenvalue of the Hessian',
      values: Array.from(curvature.largest),
      valueLabel: 'λ_max',
    },
  }
}

function varianceFigure({ chosen }: SurfaceResults): Record<string, Figure> {
  const { explained, randomWalk } = chosen.pca!
  const count = Math.min(10, explained.length)
  const x = Array.from({ length: count }, (_, i) => i + 1)
  return {
    variance: {
      kind: 'line-chart',
      title: 'Share of the trajectory’s variance per principal component',
      caption:
        'A random walk in high dimension, which knows nothing of the loss, gives the dashed line: only what departs from it says something.',
      x: { label: 'component' },
      y: { label: 'share of the variance', scale: 'log' },
      series: [
        { name: 'trajectory', x, y: Array.from(explained.subarray(0, count)), style: 'solid', color: 0, markers: true },
        {
          name: 'random walk of as many points',
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
  const steps = (t: PlacedTrajectory): number[] => t.points.map((p, i) => p.step ?? i)
  const known = trajectories.every((t) => t.points.every((p) => p.step !== undefined))
  const x = { label: known ? 'step' : 'checkpoint' }
  const settings = settingsOf(results)
  const several = trajectories.length > 1
  const named = (t: PlacedTrajectory, what: string): string => (several ? `${t.name}, ${what}` : what)
  const losses = trajectories.flatMap((t, i) => [
    {
      name: named(t, 'loss at the point'),
      x: steps(t),
      y: t.points.map((p) => p.loss),
      style: 'solid' as const,
      color: i,
    },
    {
      name: named(t, 'loss where it is drawn'),
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
      title: 'Loss of the trajectory and of its projection',
      caption: 'Where the lines part, the picture shows another loss than the one that was trained.',
      settings,
      x,
      y: { label: 'loss', scale: positive ? 'log' : 'linear' },
      series: losses,
    },
    'off-plane': {
      kind: 'line-chart',
      title: 'Distance of the trajectory from the plane',
      caption: '‖θ − projection‖ over ‖θ − center‖: 0 in the plane, 1 at a right angle to it.',
      settings,
      x,
      y: { label: 'share of the distance', domain: [0, 1] },
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
        'largest',
        'solid',
        t.points.map((p) => p.topEigenvalue ?? null),
      ),
      end(
        'smallest',
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
      title: 'Extreme Hessian eigenvalues along the trajectory',
      caption: 'Gradient descent with step η is at the edge of stability where the largest is 2/η.',
      y: { label: 'eigenvalue' },
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
