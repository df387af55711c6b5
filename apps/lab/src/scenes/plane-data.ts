import type { Grid } from './contour-lines.ts'

/** What a plane through a loss can be colored by. */
export type FieldKind =
  | 'loss'
  | 'accuracy'
  | 'held-out-loss'
  | 'held-out-accuracy'
  | 'convexity'
  | 'largest-eigenvalue'
  | 'smallest-eigenvalue'
  | 'gradient-norm'

export interface PlaneField {
  readonly kind: FieldKind
  /** May be coarser than the loss: curvature is dear. */
  readonly grid: Grid
}

export interface PlaneAxis {
  readonly label: string
  readonly explained: number | null
  readonly eigenvalue: number | null
}

export interface PlanePoint {
  readonly name: string
  readonly x: number
  readonly y: number
  /** Distance of the point from the plane. */
  readonly offPlaneDistance: number
  /** Of the point itself, and where it is drawn. */
  readonly loss: number
  readonly planeLoss: number
}

export type MarkerKind = 'center' | 'end' | 'minimum' | 'saddle' | 'maximum' | 'critical'

export interface PlaneMarker extends PlanePoint {
  readonly kind: MarkerKind
  /** `strict-saddle` …, where the point was judged. */
  readonly verdict: string | null
}

/** A plane through a loss, ready to be drawn; from a run, an example or an analytic function. */
export interface PlaneData {
  /** `example:digits`, `function:himmelblau`, or the id of a run. */
  readonly id: string
  readonly name: string
  readonly x: PlaneAxis
  readonly y: PlaneAxis
  /** The loss comes first. */
  readonly fields: readonly PlaneField[]
  readonly trajectories: readonly { readonly name: string; readonly points: readonly PlanePoint[] }[]
  readonly markers: readonly PlaneMarker[]
  readonly normalization: string
  readonly cosine: number | null
  readonly warnings: readonly string[]
  /** Name of the analytic function that the plane is, where it is one. */
  readonly analytic: string | null
}

export function lossOf(plane: PlaneData): Grid {
  return plane.fields[0].grid
}

export function fieldOf(plane: PlaneData, kind: FieldKind): Grid | undefined {
  return plane.fields.find((field) => field.kind === kind)?.grid
}

/** Bilinear between the nodes; NaN outside and beside a node that is not finite. */
export function valueAt({ xs, ys, values }: Grid, x: number, y: number): number {
  const i = intervalOf(xs, x)
  const j = intervalOf(ys, y)
  if (i < 0 || j < 0) return Number.NaN
  const u = (x - xs[i]) / (xs[i + 1] - xs[i])
  const v = (y - ys[j]) / (ys[j + 1] - ys[j])
  const k = j * xs.length + i
  const low = u === 0 ? values[k] : (1 - u) * values[k] + u * values[k + 1]
  if (v === 0) return low
  const above = k + xs.length
  const high = u === 0 ? values[above] : (1 - u) * values[above] + u * values[above + 1]
  return (1 - v) * low + v * high
}

/** i with nodes[i] ≤ x ≤ nodes[i + 1]; −1 outside. */
export function intervalOf(nodes: ArrayLike<number>, x: number): number {
  const last = nodes.length - 1
  if (!(x >= nodes[0] && x <= nodes[last])) return -1
  let [low, high] = [0, last]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (nodes[middle] <= x) low = middle
    else high = middle
  }
  return low
}

/** The values of `field` on the nodes of `target`. */
export function resampled(field: Grid, target: Grid): Float64Array {
  const { xs, ys } = target
  if (
    field.xs.length === xs.length &&
    field.ys.length === ys.length &&
    Array.from(xs).every((x, i) => x === field.xs[i])
  )
    return Float64Array.from(field.values)
  const out = new Float64Array(xs.length * ys.length)
  // Nodes of two grids over one range may differ by rounding at its ends.
  const inside = (x: number, nodes: ArrayLike<number>): number =>
    Math.min(nodes[nodes.length - 1], Math.max(nodes[0], x))
  for (let j = 0; j < ys.length; j++)
    for (let i = 0; i < xs.length; i++)
      out[j * xs.length + i] = valueAt(field, inside(xs[i], field.xs), inside(ys[j], field.ys))
  return out
}

/** The node of a grid that is nearest to a point. */
export function nearestNode({ xs, ys }: Grid, x: number, y: number): { readonly i: number; readonly j: number } {
  const nearest = (nodes: ArrayLike<number>, at: number): number => {
    const k = Math.max(0, intervalOf(nodes, Math.min(nodes[nodes.length - 1], Math.max(nodes[0], at))))
    return at - nodes[k] > nodes[k + 1] - at ? k + 1 : k
  }
  return { i: nearest(xs, x), j: nearest(ys, y) }
}
