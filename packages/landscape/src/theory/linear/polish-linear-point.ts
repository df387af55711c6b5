import { gemv, gemvTransposed, maxNorm, norm, symmetricEigen } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { linearGradient, linearHessian } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { flattenWeights, linearScales, unflattenWeights } from './linear-weights.ts'

export interface PolishedLinearPoint {
  readonly weights: readonly Matrix[]
  readonly steps: number
  /** ‖W_polished − W‖. */
  readonly distance: number
  /** ‖∇L̄‖_∞ in units of its terms, before and after. */
  readonly relativeGradientBefore: number
  readonly relativeGradient: number
}

/** Newton's method for ∇L̄ = 0 with minimum-norm steps −H⁺∇L̄, halved until the gradient falls: the critical point nearest in
 * the first order, whatever its kind.
 *
 * Eigenvalues below the relative gradient g at the start cannot be told from zero, so the first step leaves their directions
 * alone. Later steps use them only while they stay within ten lengths of that first one: where the Hessian degenerates, as at
 * non-strict saddles and where sheets of critical points cross, a Newton step may point anywhere.
 *
 * @param steps  at most so many; default 60. It stops at a gradient of 1e-14 of its terms or when no step helps.
 * Cost: a dense eigenvalue problem of size p per step. */
export function polishLinearPoint(
  problem: LinearProblem,
  start: LinearWeights,
  options: { steps?: number } = {},
): PolishedLinearPoint {
  const { steps = 60 } = options
  const origin = flattenWeights(start)
  let here: Iterate = { theta: origin, gradient: flattenWeights(linearGradient(problem, start)) }
  const scale = linearScales(problem, start).gradient
  const before = maxNorm(here.gradient) / scale
  const distanceOf = (theta: Float64Array): number => norm(theta.map((w, i) => w - origin[i]))
  let reach = Number.POSITIVE_INFINITY
  let taken = 0
  while (taken < steps && maxNorm(here.gradient) > 1e-14 * scale) {
    const cutoffs = taken === 0 ? [100 * before] : [1e-11, 100 * before]
    const next = newtonStep(problem, here, cutoffs, (theta) => distanceOf(theta) <= reach)
    if (!next) break
    if (taken === 0) reach = 10 * distanceOf(next.theta)
    here = next
    taken++
  }
  return {
    weights: unflattenWeights(problem.widths, here.theta),
    steps: taken,
    distance: distanceOf(here.theta),
    relativeGradientBefore: before,
    relativeGradient: maxNorm(here.gradient) / scale,
  }
}

interface Iterate {
  readonly theta: Float64Array
  readonly gradient: Float64Array
}

/** The first damped step that lowers the gradient and is allowed; eigenvalues up to `cutoff` · largest are left out. */
function newtonStep(
  problem: LinearProblem,
  { theta, gradient }: Iterate,
  cutoffs: readonly number[],
  allowed: (theta: Float64Array) => boolean,
): Iterate | undefined {
  const { widths } = problem
  const { values, vectors } = symmetricEigen(linearHessian(problem, unflattenWeights(widths, theta)))
  const largest = Math.max(Math.abs(values[0]), Math.abs(values[values.length - 1]))
  const coordinates = gemvTransposed(vectors, gradient)
  const size = norm(gradient)
  for (const cutoff of cutoffs) {
    const inverse = (i: number): number => (Math.abs(values[i]) > cutoff * largest ? 1 / values[i] : 0)
    const step = gemv(
      vectors,
      coordinates.map((c, i) => -c * inverse(i)),
    )
    for (let factor = 1; factor > 1e-2; factor /= 2) {
      const moved = theta.map((w, i) => w + factor * step[i])
      if (!allowed(moved)) continue
      const next = flattenWeights(linearGradient(problem, unflattenWeights(widths, moved)))
      if (norm(next) < 0.9 * size) return { theta: moved, gradient: next }
    }
  }
  return undefined
}
