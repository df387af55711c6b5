import { DomainError } from '@thalweg/graph'
import { extremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { LossPoint } from '../loss/loss-point.ts'
import type { Loss } from '../loss/loss.ts'
import { coordinates } from './axis.ts'
import { nodeAt, pointAt } from './loss-grid.ts'
import type { AxisNodes } from './loss-plane.ts'

/** Both ends of the Hessian's spectrum at one point. */
export interface ExtremeCurvature {
  /** Algebraically largest and smallest eigenvalue; NaN where loss or derivatives are not finite. */
  readonly largest: number
  readonly smallest: number
  readonly largestResidual: number
  readonly smallestResidual: number
  readonly products: number
  readonly converged: boolean
}

/** max(0, −λ_min) / |λ_max| with λ_max the largest and λ_min the smallest eigenvalue: 0 exactly where the Hessian is positive
 * semidefinite, small where what curves down is small beside what curves up, 1 or more where all curvature is negative. */
export function convexityOf(largest: number, smallest: number): number {
  if (Number.isNaN(largest) || Number.isNaN(smallest)) return Number.NaN
  return smallest >= 0 ? 0 : -smallest / Math.abs(largest)
}

/** |λ_min/λ_max| as the reference tool of Li et al. (2018) draws it; for its HDF5 keys only, since it shows a strictly
 * convex point (both eigenvalues positive) as it shows a saddle. */
export function referenceRatioOf(largest: number, smallest: number): number {
  return Math.abs(smallest / largest)
}

export interface ExtremeCurvatureOptions {
  /** Residual relative to ‖H‖. Default 1e-3: what a color shows. */
  readonly tolerance?: number
  /** Per point. Default 200. */
  readonly maxProducts?: number
  readonly seed?: number
  readonly signal?: CancelSignal
}

/** The extreme eigenvalues of ∇²L(θ), both ends by one Lanczos run; the same whatever was computed before.
 * A θ at which the loss is not finite gives NaN, not an error. */
export async function extremeCurvature(
  loss: Loss,
  theta: Float64Array,
  options: ExtremeCurvatureOptions = {},
): Promise<ExtremeCurvature> {
  const { tolerance = 1e-3, maxProducts = 200, seed = 0, signal } = options
  const none = { largest: Number.NaN, smallest: Number.NaN, largestResidual: Number.NaN, smallestResidual: Number.NaN }
  if (!theta.every(Number.isFinite)) return { ...none, products: 0, converged: false }
  try {
    const pairs = await extremeEigenpairs(new LossPoint(loss, theta).operator('hessian'), {
      top: 1,
      bottom: 1,
      tolerance,
      maxProducts,
      seed,
      signal,
      verifyMultiplicity: false,
    })
    const [top, bottom] = [pairs.top[0], pairs.bottom[0]]
    return {
      largest: top.value,
      smallest: bottom.value,
      largestResidual: top.residualNorm,
      smallestResidual: bottom.residualNorm,
      products: pairs.products,
      converged: top.converged && bottom.converged,
    }
  } catch (error) {
    // a product that is not finite: the surface overflows here, which is a finding and not a failure
    if (
      error instanceof DomainError &&
      typeof error.details.value === 'number' &&
      !Number.isFinite(error.details.value)
    )
      return { ...none, products: 0, converged: false }
    throw error
  }
}

/** Extreme eigenvalues on the nodes of a plane; all arrays as `LossPlane.values`. */
export interface CurvatureGrid {
  readonly x: Float64Array
  readonly y: Float64Array
  readonly largest: Float64Array
  readonly smallest: Float64Array
  /** The larger of both residuals. */
  readonly residuals: Float64Array
  /** `convexityOf` each node. */
  readonly convexity: Float64Array
  readonly products: number
  /** Nodes whose eigenvalues are within the tolerance. */
  readonly converged: number
  readonly done: number
}

export interface CurvatureGridOptions extends ExtremeCurvatureOptions {
  /** float64, on all data or a subset of it. */
  readonly loss: Loss
  readonly center: Float64Array
  readonly directions: readonly [Float64Array, Float64Array]
  readonly x: AxisNodes
  readonly y: AxisNodes
  readonly onProgress?: (done: number, total: number) => void
}

/** The most Hessian-vector products a curvature grid can take: what to say before it starts. */
export function curvatureBudget(nodes: number, { maxProducts = 200 }: ExtremeCurvatureOptions = {}): number {
  return nodes * maxProducts
}

/** Extreme Hessian eigenvalues on a (usually coarse) grid. Nodes are independent: any part of it gives the same numbers.
 *
 * Differs from the reference tool in 1. both ends are found directly; shifting by 0.51 λ fails where the eigenvalue of largest
 * modulus is negative; 2. all parameters count, not only those with two axes or more. */
export async function curvatureGrid(options: CurvatureGridOptions): Promise<CurvatureGrid> {
  const { loss, center, directions, onProgress, signal } = options
  const [x, y] = [options.x, options.y].map((axis) => (axis instanceof Float64Array ? axis : coordinates(axis)))
  const total = x.length * y.length
  const empty = (): Float64Array => new Float64Array(total).fill(Number.NaN)
  const [largest, smallest, residuals, convexity] = [empty(), empty(), empty(), empty()]
  let products = 0
  let converged = 0
  let done = 0
  for (; done < total && !signal?.aborted; done++) {
    const at = await extremeCurvature(loss, pointAt(center, directions, nodeAt([x, y], done)), options)
    largest[done] = at.largest
    smallest[done] = at.smallest
    residuals[done] = Math.max(at.largestResidual, at.smallestResidual)
    convexity[done] = convexityOf(at.largest, at.smallest)
    products += at.products
    if (at.converged) converged++
    onProgress?.(done + 1, total)
  }
  return { x, y, largest, smallest, residuals, convexity, products, converged, done }
}

/** Share of the nodes with a value whose negative curvature exceeds `share` of the positive. */
export function nonConvexShare({ convexity }: Pick<CurvatureGrid, 'convexity'>, share: number = 0.1): number {
  const known = convexity.filter((c) => !Number.isNaN(c))
  return known.length === 0 ? Number.NaN : known.filter((c) => c > share).length / known.length
}
