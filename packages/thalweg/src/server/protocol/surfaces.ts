import type { VerdictKind } from './documents.ts'
import type { ArrayReference } from './runs.ts'

export type SurfaceFieldKind =
  | 'loss'
  | 'accuracy'
  | 'held-out-loss'
  | 'held-out-accuracy'
  /** max(0, −λ_min) / |λ_max|: 0 where convex. */
  | 'convexity'
  | 'largest-eigenvalue'
  | 'smallest-eigenvalue'
  | 'gradient-norm'

/** One quantity on the nodes. Shape [y, x]: the value at (x[i], y[j]) is number j·x.length + i. */
export interface SurfaceField {
  readonly kind: SurfaceFieldKind
  readonly values: ArrayReference
  /** Its own nodes, where they are not those of the surface (curvature is measured on a coarser grid). */
  readonly x?: readonly number[]
  readonly y?: readonly number[]
  /** Of the finite values. */
  readonly minimum: number | null
  readonly maximum: number | null
  readonly notFinite: number
}

export interface SurfaceAxis {
  /** `random direction 1`, `eigenvector 1` … */
  readonly label: string
  readonly nodes: readonly number[]
  readonly eigenvalue: number | null
  /** Share of the trajectory's variance. */
  readonly explained: number | null
}

export interface SurfacePoint {
  readonly name: string
  readonly step: number | null
  readonly x: number
  readonly y: number
  /** Distance of the point from the plane; the tube's or the marker's honesty. */
  readonly offPlaneDistance: number | null
  /** At the point itself, and at the place in the plane where it is drawn. */
  readonly loss: number | null
  readonly planeLoss: number | null
}

export interface SurfaceMarker extends SurfacePoint {
  /** `grid-minimum`: lowest among its neighbours on the grid; `critical`: a critical point with a verdict, projected. */
  readonly kind: 'center' | 'end' | 'grid-minimum' | 'grid-saddle' | 'critical'
  readonly verdict: VerdictKind | null
  readonly label: string
}

export interface Surface {
  readonly run: string
  readonly x: SurfaceAxis
  readonly y: SurfaceAxis
  /** `loss` comes first. */
  readonly fields: readonly SurfaceField[]
  readonly trajectories: readonly { readonly name: string; readonly points: readonly SurfacePoint[] }[]
  readonly markers: readonly SurfaceMarker[]
  /** What was done to the directions, and the cosine between them: two surfaces are only comparable where it agrees. */
  readonly normalization: string
  readonly cosine: number | null
  readonly directions: string
  readonly warnings: readonly string[]
  /** Where to fetch f(α, β) for live evaluation, if the lab has made it for this run. */
  readonly planeGraphUrl: string | null
}

/** Loss on a line θ + t v. */
export interface Line {
  readonly run: string
  readonly direction: {
    readonly label: string
    /** vᵀHv where v is an eigenvector, with its residual. */
    readonly eigenvalue: number | null
    readonly residualNorm: number | null
  }
  /** ‖v‖ = 1 for eigenvectors and gradients. */
  readonly norm: number
  readonly t: readonly number[]
  /** Measured at each t, in float64 over the full data. */
  readonly losses: readonly (number | null)[]
  readonly accuracies: readonly (number | null)[] | null
  /** L(θ), ∇L·v and vᵀHv: L + t·slope + ½ t²·curvature is the parabola to hold against the measured loss. */
  readonly model: { readonly loss: number | null; readonly slope: number | null; readonly curvature: number | null }
  /** v by parameter tensor, for the inspector: arrays `direction.NAME` of `results/line.npz`. */
  readonly components: readonly ArrayReference[]
}

/** The body of `/plane-graph`: an ONNX model of one input `coordinates` [2] float64 (α, β) and one output `loss` []
 * float64, data and parameters inside. `importOnnx(decodeModel(bytes), { inputs: { coordinates: [2] }, dtype: 'float64' })` of
 * `@thalweg/graph` reads it, and takes its gradient and Hessian. */
export interface PlaneGraph {
  readonly input: 'coordinates'
  readonly output: 'loss'
  readonly dtype: 'float64'
}
