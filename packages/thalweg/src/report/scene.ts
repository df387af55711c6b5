/** Figures as plain data: what is to be seen, never how it is drawn. Everything here survives JSON; a number that is not
 *  finite is `null` there, so `null`, NaN and ±∞ all mean "no value" and are shown as such, never skipped silently. */

export const languages = ['en', 'zh'] as const
export type Language = (typeof languages)[number]

export type Value = number | null

export interface Setting {
  readonly name: string
  readonly value: string | number | boolean
}

interface FigureBase {
  readonly title: string
  /** One or two sentences; the settings follow it. */
  readonly caption?: string
  /** Every choice that shaped the picture, appended to the caption as "name: value". */
  readonly settings?: readonly Setting[]
  /** Language of the words that the renderer adds; default English. */
  readonly lang?: Language
}

export interface Axis {
  readonly label: string
  /** On a logarithmic axis values ≤ 0 are not drawn; the picture says how many. */
  readonly scale?: 'linear' | 'log'
  readonly format?: 'number' | 'percent'
  /** Fixed ends instead of those of the data. */
  readonly domain?: readonly [number, number]
}

export interface Series {
  readonly name: string
  readonly x: readonly Value[]
  readonly y: readonly Value[]
  /** Ends of an uncertainty band around `y`. */
  readonly lower?: readonly Value[]
  readonly upper?: readonly Value[]
  /** Lines by default; points alone, or bars from the foot of the panel, beside those of the other series. */
  readonly style?: 'solid' | 'dashed' | 'points' | 'bars'
  /** Position in the palette; series of one color and different style belong together (train, test). Default: own place. */
  readonly color?: number
  /** Draw the points too. Default: only where there are few. */
  readonly markers?: boolean
}

export interface Reference {
  readonly axis: 'x' | 'y'
  readonly value: number
  readonly label: string
}

/** Loss or accuracy over training, a loss along a line, norms over time. */
export interface LineChart extends FigureBase {
  readonly kind: 'line-chart'
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  readonly references?: readonly Reference[]
}

export interface Eigenvalue {
  readonly value: Value
  /** ‖Av − λv‖: an eigenvalue lies within this distance. */
  readonly residualNorm?: Value
  readonly converged?: boolean
}

/** Both ends of a spectrum. `top` descends from the largest, `bottom` ascends from the smallest eigenvalue. */
export interface EigenvalueStems extends FigureBase {
  readonly kind: 'eigenvalue-stems'
  readonly y: Axis
  readonly top: readonly Eigenvalue[]
  readonly bottom: readonly Eigenvalue[]
}

export interface SpectralDensity extends FigureBase {
  readonly kind: 'spectral-density'
  readonly x: Axis
  readonly y: Axis
  readonly grid: readonly number[]
  readonly values: readonly Value[]
  readonly lower?: readonly Value[]
  readonly upper?: readonly Value[]
  /** Known eigenvalues, drawn as ticks under the curve. */
  readonly eigenvalues?: readonly number[]
}

/** A value on a grid; `values` is row-major [ys × xs]: the first row belongs to ys[0]. Coordinates ascend, steps may differ. */
interface GridFigure extends FigureBase {
  readonly x: Axis
  readonly y: Axis
  readonly xs: readonly number[]
  readonly ys: readonly number[]
  readonly values: readonly Value[]
  readonly valueLabel: string
  readonly valueScale?: 'linear' | 'log'
  readonly valueDomain?: readonly [number, number]
  readonly palette?: Palette
}

/** `viridis` and `cividis` ascend; `diverging` has its pale middle at `valueCenter`. */
export type Palette = 'viridis' | 'cividis' | 'diverging'

export interface Trajectory {
  readonly name: string
  readonly x: readonly Value[]
  readonly y: readonly Value[]
}

export type MarkerKind = 'start' | 'end' | 'minimum' | 'saddle' | 'maximum' | 'point'

export interface Marker {
  readonly kind: MarkerKind
  readonly x: number
  readonly y: number
  readonly label?: string
}

interface Overlay {
  /** Each with an open mark at its first and a filled mark at its last point. */
  readonly trajectories?: readonly Trajectory[]
  readonly markers?: readonly Marker[]
}

/** A loss plane as filled contours with lines. */
export interface ContourPlane extends GridFigure, Overlay {
  readonly kind: 'contour-plane'
  /** Levels of the lines, ascending. Default: about twelve, round on the scale. */
  readonly levels?: readonly number[]
}

/** One colored cell per node, the node at its center: the convexity map, kernels, confusion matrices. */
export interface HeatMap extends GridFigure, Overlay {
  readonly kind: 'heat-map'
  /** Middle of a diverging palette; default 0. */
  readonly valueCenter?: number
}

/** The surface above its plane, seen from one side, in parallel projection. */
export interface SurfaceStill extends GridFigure {
  readonly kind: 'surface-still'
  readonly trajectories?: readonly (Trajectory & { readonly z: readonly Value[] })[]
  /** Degrees; default azimuth 35, elevation 32. */
  readonly view?: { readonly azimuth: number; readonly elevation: number }
}

export interface ScatterGroup {
  readonly name: string
  readonly x: readonly Value[]
  readonly y: readonly Value[]
}

/** Index against loss, predicted against measured. */
export interface ScatterPlot extends FigureBase {
  readonly kind: 'scatter-plot'
  readonly x: Axis
  readonly y: Axis
  readonly groups: readonly ScatterGroup[]
  readonly references?: readonly Reference[]
}

export interface LadderLevel {
  readonly value: number
  /** What is critical there, for instance the subset of eigenvalues {1, 3}. */
  readonly label: string
  readonly kind: 'global-minimum' | 'local-minimum' | 'strict-saddle' | 'non-strict-saddle' | 'both-saddles' | 'maximum'
  readonly inertia?: { readonly negative: number; readonly zero: number; readonly positive: number }
}

/** All critical values of a loss, one rung each. */
export interface ValueLadder extends FigureBase {
  readonly kind: 'value-ladder'
  readonly y: Axis
  readonly levels: readonly LadderLevel[]
}

export interface Histogram extends FigureBase {
  readonly kind: 'histogram'
  readonly x: Axis
  readonly y: Axis
  /** Ascending, one more than `counts`. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  readonly references?: readonly Reference[]
}

export type Figure =
  | LineChart
  | EigenvalueStems
  | SpectralDensity
  | ContourPlane
  | HeatMap
  | SurfaceStill
  | ScatterPlot
  | ValueLadder
  | Histogram

export type { GridFigure, Overlay }
