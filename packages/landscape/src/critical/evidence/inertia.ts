import type { ExtremeEigenpairs } from '../../linalg/extreme-eigenpairs.ts'
import { eigenResidual, eigenvector } from '../finders/hessian-spectrum.ts'
import type { HessianSpectrum } from '../finders/hessian-spectrum.ts'
import type { ObjectivePoint } from '../finders/objective.ts'

const epsilon = 2 ** -52

/** Numbers of negative, zero and positive eigenvalues of a Hessian, with the rule by which they were counted. */
export interface HessianInertia {
  readonly negative: number
  readonly zero: number
  readonly positive: number
  /** |λ| up to this counts as zero: the largest that any eigenvalue was given. */
  readonly threshold: number
  /** The part of it that is rounding: p · ε · ‖H‖. */
  readonly rounding: number
  /** How much of it is what the remaining distance to the critical point can change (0 where nothing is left to go). */
  readonly widening: number
  /** Whether every eigenvalue was counted. If not, `negative` and `positive` are lower bounds, and `zero` is 0 because
   * nothing is known of the rest. */
  readonly exact: boolean
  /** The count of zeros at a tenth of and at ten times the thresholds: where they differ, the verdict hangs on them. */
  readonly zeroIfTighter: number
  readonly zeroIfWider: number
}

export interface InertiaOptions {
  /** The loss's own scale, which decides where the Hessian is zero: |L(θ)|, or 1. */
  readonly ownScale: number
  /** At a critical point up to rounding: what is left of the gradient. Null elsewhere: then the count is about the
   * Hessian at θ itself, and nothing is widened. */
  readonly gradient: Float64Array | null
  /** Noise floor of the gradient. */
  readonly gradientNoise: number
}

/** Classes of the eigenvalues in ascending order: −1, 0, 1. */
export interface DenseInertia extends HessianInertia {
  readonly signs: Int8Array
}

/** Newton's estimate of the distance to a critical point of order q along a singular direction is too short by q − 1. */
const distanceFactor = 3
/** Eigenvalues near zero whose residual and third derivative are computed. */
const candidateMax = 32

/** ‖H‖ for thresholds: the loss's own scale where the Hessian is zero to rounding of that scale. */
function hessianScale(norm: number, ownScale: number): number {
  const own = ownScale > 0 ? ownScale : 1
  return norm > 2 ** -40 * epsilon * own ? Math.max(norm, epsilon * own) : own
}

/** Inertia by the dense count. λ_j is zero where
 *
 *      |λ_j| ≤ max( ‖Hv_j − λ_j v_j‖ , p ε ‖H‖ , 3 Σ_i |D³L[v_j, v_j, v_i]| d_i ) ,   d_i = max(|⟨g, v_i⟩|, noise/√p) / |λ_i|
 *
 * The last term is what the remaining distance d to the critical point can change in λ_j, to first order; the sum runs
 * over the eigenvalues above rounding. It is formed for the eigenvalues nearest to zero.
 * Cost: at most 32 third derivatives. */
export async function denseInertia(
  point: ObjectivePoint,
  spectrum: HessianSpectrum,
  options: InertiaOptions,
): Promise<DenseInertia> {
  const { size, values } = spectrum
  const rounding = size * epsilon * hessianScale(spectrum.norm, options.ownScale)
  const distances = remainingDistances(spectrum, rounding, options)
  const order = Array.from(values.keys()).sort((i, j) => Math.abs(values[i]) - Math.abs(values[j]))
  const limits = new Float64Array(size)
  let widening = 0
  for (const [rank, j] of order.entries()) {
    if (rank >= candidateMax) {
      limits[j] = Math.max(rounding, widening)
      continue
    }
    const v = eigenvector(spectrum, j)
    const residual = eigenResidual(spectrum, j, v)
    if (options.gradient !== null) {
      const third = spectrum.basis.coordinates(await point.thirdDerivative(v))
      const change = distanceFactor * third.reduce((sum, t, i) => sum + Math.abs(t) * distances[i], 0)
      widening = Math.max(widening, change)
      limits[j] = Math.max(rounding, change, residual)
    } else limits[j] = Math.max(rounding, widening, residual)
  }
  const signs = Int8Array.from(values, (value, i) => (Math.abs(value) <= limits[i] ? 0 : Math.sign(value)))
  const zeroAt = (factor: number): number => count(values, (value, i) => Math.abs(value) <= factor * limits[i])
  return {
    negative: count(signs, (s) => s < 0),
    zero: count(signs, (s) => s === 0),
    positive: count(signs, (s) => s > 0),
    threshold: signs.reduce((largest, s, i) => (s === 0 ? Math.max(largest, limits[i]) : largest), rounding),
    rounding,
    widening,
    exact: true,
    zeroIfTighter: zeroAt(0.1),
    zeroIfWider: zeroAt(10),
    signs,
  }
}

/** How far the critical point may still be along each eigenvector; 0 along those whose eigenvalue is rounding. */
function remainingDistances(spectrum: HessianSpectrum, rounding: number, options: InertiaOptions): Float64Array {
  if (options.gradient === null) return new Float64Array(spectrum.size)
  const least = options.gradientNoise / Math.sqrt(spectrum.size)
  return spectrum.basis.coordinates(options.gradient).map((c, i) => {
    const value = Math.abs(spectrum.values[i])
    return value > rounding ? Math.max(Math.abs(c), least) / value : 0
  })
}

function count(values: Float64Array | Int8Array, holds: (value: number, i: number) => boolean): number {
  let total = 0
  for (let i = 0; i < values.length; i++) if (holds(values[i], i)) total++
  return total
}

/** What a matrix-free search proves: on the span of k orthonormal Ritz vectors with negative values H is negative
 * definite, so at least k eigenvalues are negative (Courant and Fischer); likewise for the positive ones. */
export function oneSidedInertia(size: number, pairs: ExtremeEigenpairs, ownScale: number): HessianInertia {
  const rounding = size * epsilon * hessianScale(pairs.operatorNorm, ownScale)
  const both = [...pairs.bottom, ...pairs.top]
  const threshold = both.reduce((largest, pair) => Math.max(largest, pair.residualNorm), rounding)
  const beyond = (pair: { value: number; residualNorm: number }): boolean =>
    Math.abs(pair.value) > Math.max(rounding, pair.residualNorm)
  return {
    negative: pairs.bottom.filter((pair) => pair.value < 0 && beyond(pair)).length,
    zero: 0,
    positive: pairs.top.filter((pair) => pair.value > 0 && beyond(pair)).length,
    threshold,
    rounding,
    widening: 0,
    exact: false,
    zeroIfTighter: 0,
    zeroIfWider: 0,
  }
}
