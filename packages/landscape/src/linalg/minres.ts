import { explicitResidual } from './conjugate-gradient.ts'
import type { KrylovOptions, KrylovSolution } from './krylov-solution.ts'
import { LanczosRecurrence, TridiagonalQr } from './lanczos-recurrence.ts'
import type { LinearOperator } from './linear-operator.ts'
import { requireLength } from './triangular.ts'
import { axpy, norm } from './vector.ts'

const epsilon = 2 ** -53

export type MinresStatus = 'converged' | 'least-squares' | 'ill-conditioned' | 'max-iterations' | 'aborted'

/** Minimum residual method for A x = b with A symmetric, possibly indefinite.
 *
 * Stops with `'converged'` when ‖r‖ ≤ tolerance · ‖b‖, with `'least-squares'` when ‖A r‖ ≤ tolerance · ‖A‖‖r‖, and
 * with `'ill-conditioned'` before a step so long that rounding would drown b. For singular A and b outside its range
 * the solution is not the shortest: use `minresQlp`.
 *
 * @throws {ShapeError}, {DomainError} if b or a product has the wrong size or is not finite.
 * Cost: one product and 15 p operations per step, 6 vectors.
 * Source: Paige and Saunders, SIAM J. Numer. Anal. 12 (1975). */
export async function minres(
  operator: LinearOperator,
  b: Float64Array,
  options: KrylovOptions = {},
): Promise<KrylovSolution<MinresStatus>> {
  const where = 'minres'
  const { size } = operator
  requireLength(where, b, size)
  const tolerance = Math.max(options.tolerance ?? 1e-10, 16 * epsilon)
  const maxIterations = options.maxIterations ?? Math.max(50, 4 * size)
  const lanczos = new LanczosRecurrence(where, operator, b)
  const qr = new TridiagonalQr(lanczos.beta1)
  const x = new Float64Array(size)
  let older: Float64Array = new Float64Array(size)
  let last: Float64Array = new Float64Array(size)
  let operatorNorm = 0
  let iterations = 0
  let status: MinresStatus = 'converged'
  while (qr.phi > tolerance * lanczos.beta1) {
    if (options.signal?.aborted === true) status = 'aborted'
    else if (iterations === maxIterations) status = 'max-iterations'
    if (status !== 'converged') break
    const { v, beta, alpha, betaNext } = await lanczos.next()
    operatorNorm = Math.max(operatorNorm, Math.hypot(iterations === 0 ? 0 : beta, alpha, betaNext))
    iterations++
    qr.advance(alpha, betaNext)
    if (qr.normalRatio <= tolerance * operatorNorm) {
      status = 'least-squares'
      break
    }
    const direction = v.slice()
    axpy(-qr.epsilon, older, direction)
    axpy(-qr.delta, last, direction)
    for (let i = 0; i < size; i++) direction[i] /= qr.gamma
    if (!(operatorNorm * Math.abs(qr.tau) * norm(direction) < 1e14 * lanczos.beta1)) {
      status = 'ill-conditioned'
      break
    }
    axpy(qr.tau, direction, x)
    older = last
    last = direction
    options.onProgress?.(iterations, qr.phi / lanczos.beta1)
  }
  const residualNorm = norm(await explicitResidual(where, operator, x, b))
  return { x, status, residualNorm, products: lanczos.products + 1, iterations }
}
