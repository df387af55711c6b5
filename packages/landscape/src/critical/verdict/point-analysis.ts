import { extremeEigenpairs } from '../../linalg/extreme-eigenpairs.ts'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { eigenResidual, eigenvector, hessianSpectrum } from '../finders/hessian-spectrum.ts'
import type { HessianSpectrum } from '../finders/hessian-spectrum.ts'
import { denseInertia, oneSidedInertia } from '../evidence/inertia.ts'
import type { DenseInertia, HessianInertia } from '../evidence/inertia.ts'
import { kinksOf } from '../evidence/kinks.ts'
import type { KinkReport } from '../evidence/kinks.ts'
import { noiseFloor } from '../finders/noise-floor.ts'
import type { NoiseFloor } from '../finders/noise-floor.ts'
import type { Objective, ObjectivePoint } from '../finders/objective.ts'
import { floorFactor } from '../finders/search.ts'
import { fieldsNear } from '../evidence/output-motion.ts'
import { symmetryOrbit, verifiedOrbit } from '../evidence/symmetry-orbit.ts'
import type { InvariantField, SymmetryOrbit } from '../evidence/symmetry-orbit.ts'

/** What is examined, and how far. */
export interface AnalysisContext {
  readonly objective: Objective
  /** The loss behind the objective; null for analytic functions. */
  readonly loss: Loss | null
  readonly denseLimit: number
  readonly top: number
  readonly bottom: number
  readonly maxProducts: number
  readonly seed: number
  readonly signal: CancelSignal
  /** Invariances that the graph of the model shows. */
  readonly fields: readonly InvariantField[]
  readonly onProgress: (stage: string, done: number, total: number) => void
}

export interface AnalyzedPair {
  readonly value: number
  readonly vector: Float64Array
  readonly residualNorm: number
  readonly converged: boolean
}

/** Everything the verdict reads at one point. */
export interface PointAnalysis {
  readonly theta: Float64Array
  readonly value: number
  readonly gradient: Float64Array
  readonly gradientNorm: number
  readonly noise: NoiseFloor
  readonly point: ObjectivePoint
  /** With all eigenvalues; null where the Hessian was not formed. */
  readonly dense: { readonly spectrum: HessianSpectrum; readonly inertia: DenseInertia } | null
  readonly inertia: HessianInertia
  /** Descending. */
  readonly top: readonly AnalyzedPair[]
  /** Ascending. */
  readonly bottom: readonly AnalyzedPair[]
  readonly orbit: SymmetryOrbit | null
  readonly kinks: KinkReport | null
  readonly products: number
}

/** Gradient, noise, curvature, kinks and symmetries at θ: densely up to `denseLimit` parameters, else both ends of the
 * spectrum by Lanczos.
 * @param found  whether a search has ended here: what is left of the gradient is then a distance from the critical point,
 *               also where it is above the noise floor of θ itself (that of a search is as large as its start). */
export async function analyzePoint(
  context: AnalysisContext,
  theta: Float64Array,
  found = false,
): Promise<PointAnalysis> {
  const { objective, loss, seed } = context
  const { value, gradient } = await objective.valueAndGradient(theta)
  const noise = await noiseFloor(objective, theta, { seed })
  const point = objective.at(theta)
  const kinks = loss ? await kinksOf(loss, theta) : null
  const fields = loss ? await fieldsNear(loss, theta, context.fields, seed) : []
  const orbit = loss ? symmetryOrbit(loss, theta, kinks, fields) : null
  const common = { theta, value, gradient, gradientNorm: norm(gradient), noise, point, kinks }
  const curvature =
    objective.size <= context.denseLimit
      ? await denseCurvature(context, common, orbit, found)
      : { ...(await matrixFreeCurvature(context, common)), orbit }
  return { ...common, ...curvature }
}

type Common = Pick<PointAnalysis, 'value' | 'gradient' | 'noise' | 'point'>
type Curvature = Pick<PointAnalysis, 'dense' | 'inertia' | 'top' | 'bottom' | 'orbit' | 'products'>

async function denseCurvature(
  context: AnalysisContext,
  at: Common,
  orbit: SymmetryOrbit | null,
  found: boolean,
): Promise<Curvature> {
  const spectrum = await hessianSpectrum(at.point.hessian, (done, total) => context.onProgress('hessian', done, total))
  const critical = found || norm(at.gradient) <= 100 * floorFactor * at.noise.gradient
  const inertia = await denseInertia(at.point, spectrum, {
    ownScale: Math.abs(at.value),
    gradient: critical ? at.gradient : null,
    gradientNoise: at.noise.gradient,
  })
  const { size, values } = spectrum
  const pair = (i: number): AnalyzedPair => {
    const vector = eigenvector(spectrum, i)
    return { value: values[i], vector, residualNorm: eigenResidual(spectrum, i, vector), converged: true }
  }
  const top = Array.from({ length: Math.min(context.top, size) }, (_, i) => pair(size - 1 - i))
  const bottom = Array.from({ length: Math.min(context.bottom, size) }, (_, i) => pair(i))
  const tested = orbit !== null && critical
  const verified = tested
    ? verifiedOrbit(orbit, spectrum.matrix, Math.max(inertia.threshold, 1e-9 * spectrum.norm))
    : orbit
  return { dense: { spectrum, inertia }, inertia, top, bottom, orbit: verified, products: spectrum.products }
}

async function matrixFreeCurvature(context: AnalysisContext, at: Common): Promise<Omit<Curvature, 'orbit'>> {
  const { top, bottom, maxProducts, seed, signal } = context
  const pairs = await extremeEigenpairs(at.point.hessian, {
    top,
    bottom,
    maxProducts,
    seed,
    signal,
    verifyMultiplicity: false,
    onProgress: ({ products, maxProducts: total }) => context.onProgress('eigenvalues', products, total),
  })
  const inertia = oneSidedInertia(context.objective.size, pairs, Math.abs(at.value))
  return { dense: null, inertia, top: pairs.top, bottom: pairs.bottom, products: pairs.products }
}
