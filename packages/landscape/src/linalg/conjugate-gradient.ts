import type { KrylovOptions, KrylovSolution } from './krylov-solution.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import { requireLength } from './triangular.ts'
import { axpy, dot, norm } from './vector.ts'

export interface ConjugateGradientSolution
  extends KrylovSolution<'converged' | 'max-iterations' | 'negative-curvature' | 'aborted'> {
  /** A direction d with dᵀAd ≤ 0, where one was met: a certificate that A is not positive definite. */
  readonly negativeCurvature?: { readonly direction: Float64Array; readonly curvature: number }
}

/** Conjugate gradient method for A x = b with A symmetric positive definite (semidefinite if b is in its range).
 *
 * Stops when the recursive residual falls to tolerance · ‖b‖, or at a direction of non-positive curvature, which it
 * returns with the iterate reached; Newton-type methods want exactly that.
 *
 * @throws {ShapeError}, {DomainError} if b or a product has the wrong size or is not finite.
 * Cost: one product and 10 p operations per step, 4 vectors. Source: Hestenes and Stiefel (1952). */
export async function conjugateGradient(
  operator: LinearOperator,
  b: Float64Array,
  options: KrylovOptions = {},
): Promise<ConjugateGradientSolution> {
  const where = 'conjugateGradient'
  const { size } = operator
  requireLength(where, b, size)
  const tolerance = options.tolerance ?? 1e-10
  const maxIterations = options.maxIterations ?? Math.max(50, 4 * size)
  const x = new Float64Array(size)
  const r = b.slice()
  const d = b.slice()
  const target = tolerance * norm(b)
  let square = dot(r, r)
  let iterations = 0
  let status: ConjugateGradientSolution['status'] = 'converged'
  let found: ConjugateGradientSolution['negativeCurvature']
  while (Math.sqrt(square) > target) {
    if (options.signal?.aborted === true) status = 'aborted'
    else if (iterations === maxIterations) status = 'max-iterations'
    if (status !== 'converged') break
    const image = await applyRows(where, operator, d, 1)
    iterations++
    const curvature = dot(d, image)
    if (curvature <= 0) {
      status = 'negative-curvature'
      found = { direction: d.slice(), curvature: curvature / dot(d, d) }
      break
    }
    const step = square / curvature
    axpy(step, d, x)
    axpy(-step, image, r)
    const next = dot(r, r)
    const ratio = next / square
    for (let i = 0; i < size; i++) d[i] = r[i] + ratio * d[i]
    square = next
    options.onProgress?.(iterations, tolerance * (Math.sqrt(square) / target))
  }
  const residualNorm = norm(await explicitResidual(where, operator, x, b))
  return { x, status, residualNorm, products: iterations + 1, iterations, ...(found && { negativeCurvature: found }) }
}

/** b − A x, by one product. */
export async function explicitResidual(
  where: string,
  operator: LinearOperator,
  x: Float64Array,
  b: Float64Array,
): Promise<Float64Array> {
  const residual = (await applyRows(where, operator, x, 1)).slice()
  for (let i = 0; i < b.length; i++) residual[i] = b[i] - residual[i]
  return residual
}
