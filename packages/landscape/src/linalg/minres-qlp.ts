import { explicitResidual } from './conjugate-gradient.ts'
import type { KrylovOptions, KrylovSolution } from './krylov-solution.ts'
import type { LanczosStep } from './lanczos-recurrence.ts'
import { LanczosRecurrence, reflection, TridiagonalQr } from './lanczos-recurrence.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import type { MinresStatus } from './minres.ts'
import { requireLength } from './triangular.ts'
import { axpy, norm } from './vector.ts'

/** Residuals below this times ‖A‖‖x‖ + ‖b‖ are rounding. */
const roundingFloor = 2 ** -49

export interface MinresQlpOptions extends KrylovOptions {
  /** Stop before ‖x‖ exceeds this; default none. */
  readonly maxSolutionNorm?: number
  /** Stop before the estimated condition number of A on the Krylov space exceeds this; default 1e15. */
  readonly maxCondition?: number
  /** Keep all Lanczos vectors orthogonal (p numbers more, and 4 p k operations, in step k): for incompatible singular
   * systems this gains the digits that short recurrences lose. Default false. */
  readonly reorthogonalize?: boolean
}

export interface MinresQlpSolution extends KrylovSolution<MinresStatus | 'solution-norm'> {
  /** ‖A r‖ for r = b − A x, from an explicit product: zero at a least squares solution. */
  readonly normalResidualNorm: number
  /** ‖x‖, ‖A‖ and the condition number of A on the Krylov space, as the recurrences estimate them. */
  readonly solutionNorm: number
  readonly operatorNorm: number
  readonly condition: number
}

/** Minimum-length solution of a symmetric system or least squares problem, A possibly indefinite and singular:
 *
 *      minimize ‖x‖ over all x that minimize ‖A x − b‖
 *
 * by MINRES-QLP: the Lanczos matrix is factored as T_k = Q_kᵀ L_k P_kᵀ with reflections from both sides.
 *
 * Stops with `'converged'` when ‖r‖ ≤ tolerance · ‖b‖ (or the rounding of A x); with `'least-squares'` when ‖A r‖ ≤
 * tolerance · ‖A‖‖r‖, so b is not in the range of A; with `'ill-conditioned'` or `'solution-norm'` where the next step
 * would break that bound. In these three cases the last step is taken with γ_k read as zero, which gives the shortest
 * solution. Differs from the published algorithm in 1. neither shift nor preconditioner (wrap the operator), 2. QLP
 * steps from the start, without MINRES steps before them, 3. reorthogonalization on request.
 *
 * @throws {ShapeError}, {DomainError} if b or a product has the wrong size or is not finite.
 * Cost: one product and about 20 p operations per step, 8 vectors.
 * Source: Choi, Paige, Saunders, SIAM J. Sci. Comput. 33 (2011), Table 3.5. */
export async function minresQlp(
  operator: LinearOperator,
  b: Float64Array,
  options: MinresQlpOptions = {},
): Promise<MinresQlpSolution> {
  const where = 'minresQlp'
  requireLength(where, b, operator.size)
  const tolerance = Math.max(options.tolerance ?? 1e-10, roundingFloor)
  const maxIterations = options.maxIterations ?? Math.max(50, 4 * operator.size)
  const maxCondition = options.maxCondition ?? 1e15
  const maxSolutionNorm = options.maxSolutionNorm ?? Number.POSITIVE_INFINITY
  const lanczos = new LanczosRecurrence(where, operator, b, options.reorthogonalize ?? false)
  const qlp = new QlpRecurrence(lanczos.beta1, operator.size)
  let iterations = 0
  let status: MinresQlpSolution['status'] = 'converged'
  while (
    qlp.qr.phi > tolerance * lanczos.beta1 &&
    qlp.qr.phi > roundingFloor * (qlp.operatorNorm * qlp.solutionNorm + lanczos.beta1)
  ) {
    if (options.signal?.aborted === true) status = 'aborted'
    else if (iterations === maxIterations) status = 'max-iterations'
    if (status !== 'converged') break
    const step = await lanczos.next()
    iterations++
    const trial = qlp.factor(step)
    if (qlp.qr.normalRatio <= tolerance * qlp.operatorNorm) status = 'least-squares'
    else if (!(trial.condition <= maxCondition)) status = 'ill-conditioned'
    else if (!(trial.solutionNorm <= maxSolutionNorm)) status = 'solution-norm'
    if (status !== 'converged') {
      qlp.accept(step.v, qlp.singularTrial())
      break
    }
    qlp.accept(step.v, trial)
    options.onProgress?.(iterations, qlp.qr.phi / lanczos.beta1)
  }
  const x = qlp.solution()
  const residual = await explicitResidual(where, operator, x, b)
  const normalResidualNorm = norm(await applyRows(where, operator, residual, 1))
  const { solutionNorm, operatorNorm, condition } = qlp
  const estimates = { solutionNorm, operatorNorm, condition }
  const products = lanczos.products + 2
  return { x, status, residualNorm: norm(residual), normalResidualNorm, products, iterations, ...estimates }
}

/** What step k would change; taken only if it stays inside the bounds. */
interface Trial {
  /** Coordinates μ_{k−2}, μ_{k−1}, μ_k of x along the columns of W = V P. */
  readonly muOlder: number
  readonly muLast: number
  readonly mu: number
  readonly solutionNorm: number
  readonly condition: number
}

/** The factorization L and the vectors W = V P, of which the last three columns still change. Suffixes `Last`, `Older`
 * and `Oldest` mean k − 1, k − 2, k − 3; row k of L is (η_k, ϑ_k, γ_k). */
class QlpRecurrence {
  readonly qr: TridiagonalQr
  operatorNorm = 0
  solutionNorm = 0
  condition = 1
  #k = 0
  #gamma = 0
  #gammaLast = 0
  #gammaOlder = 0
  #smallestGamma = Number.POSITIVE_INFINITY
  #theta = 0
  #thetaLast = 0
  #thetaOlder = 0
  #eta = 0
  #etaLast = 0
  #etaOlder = 0
  #tau = 0
  #tauLast = 0
  #tauOlder = 0
  /** μ_{k}, μ_{k−1}, μ_{k−2}, μ_{k−3} after step k. */
  #mu = 0
  #muLast = 0
  #muOlder = 0
  #muOldest = 0
  /** Norm of the coordinates that no longer change. */
  #settledNorm = 0
  /** Right reflections P_{k−1,k} and P_{k−2,k}. */
  #near = { c: -1, s: 0, r: 0 }
  #far = { c: -1, s: 0, r: 0 }
  readonly #settled: Float64Array
  #w: Float64Array
  #wLast: Float64Array

  constructor(beta1: number, size: number) {
    this.qr = new TridiagonalQr(beta1)
    this.#settled = new Float64Array(size)
    this.#w = new Float64Array(size)
    this.#wLast = new Float64Array(size)
  }

  /** Extends the factorization by one column and computes, without taking it, the step of the solution. */
  factor(step: LanczosStep): Trial {
    const k = ++this.#k
    this.qr.advance(step.alpha, step.betaNext)
    const lengthOfColumn = Math.hypot(k === 1 ? 0 : step.beta, step.alpha, step.betaNext)
    this.#gammaOlder = this.#gammaLast
    this.#gammaLast = this.#gamma
    this.#gamma = this.qr.gamma
    this.#tauOlder = this.#tauLast
    this.#tauLast = this.#tau
    this.#tau = this.qr.tau
    let delta = this.qr.delta
    if (k > 2) {
      const { c, s } = this.#far
      this.#thetaOlder = this.#thetaLast
      this.#etaOlder = this.#etaLast
      this.#etaLast = this.#eta
      this.#thetaLast = c * this.#theta + s * delta
      delta = s * this.#theta - c * delta
      this.#eta = s * this.#gamma
      this.#gamma = -c * this.#gamma
      this.#smallestGamma = Math.min(this.#smallestGamma, this.#gammaOlder)
    }
    if (k > 1) {
      this.#near = reflection(this.#gammaLast, delta)
      this.#gammaLast = this.#near.r
      this.#theta = this.#near.s * this.#gamma
      this.#gamma = -this.#near.c * this.#gamma
    }
    this.operatorNorm = Math.max(this.operatorNorm, lengthOfColumn, this.#gammaLast, Math.abs(this.#gamma))
    return this.#trial(k, this.#gamma)
  }

  /** The same step with γ_k read as zero: the shortest solution when L_k has become singular, that is μ_k = 0. */
  singularTrial(): Trial {
    return this.#trial(this.#k, Number.POSITIVE_INFINITY)
  }

  #trial(k: number, gamma: number): Trial {
    // Forward substitution with the three rows of L that have changed.
    const muOlder =
      k > 2
        ? (this.#tauOlder - this.#etaOlder * this.#muOldest - this.#thetaOlder * this.#muOlder) / this.#gammaOlder
        : 0
    const muLast =
      k > 1 ? (this.#tauLast - this.#etaLast * this.#muOlder - this.#thetaLast * muOlder) / this.#gammaLast : 0
    const mu = (this.#tau - this.#eta * muOlder - this.#theta * muLast) / gamma
    const smallest = Math.min(this.#smallestGamma, k > 1 ? this.#gammaLast : Number.POSITIVE_INFINITY, Math.abs(gamma))
    return {
      muOlder,
      muLast,
      mu,
      solutionNorm: Math.hypot(this.#settledNorm, muOlder, muLast, mu),
      condition: this.operatorNorm / smallest,
    }
  }

  /** Takes the step: new columns of W, and one column more that no longer changes. */
  accept(v: Float64Array, trial: Trial): void {
    const { settled, last, current } = this.#rotateColumns(v)
    axpy(trial.muOlder, settled, this.#settled)
    this.#wLast = last
    this.#w = current
    this.#settledNorm = Math.hypot(this.#settledNorm, trial.muOlder)
    this.#muOldest = this.#muOlder
    this.#muOlder = trial.muOlder
    this.#muLast = trial.muLast
    this.#mu = trial.mu
    this.solutionNorm = trial.solutionNorm
    this.condition = trial.condition
    this.#far = reflection(this.#gammaLast, this.qr.epsilonNext)
    this.#gammaLast = this.#far.r
  }

  /** Columns k − 2, k − 1, k of V P from the two that were open and v_k. */
  #rotateColumns(v: Float64Array): { settled: Float64Array; last: Float64Array; current: Float64Array } {
    const k = this.#k
    if (k === 1) return { settled: this.#wLast, last: new Float64Array(v.length), current: v.slice() }
    const settled = new Float64Array(v.length)
    const last = new Float64Array(v.length)
    const current = new Float64Array(v.length)
    const { c: cFar, s: sFar } = this.#far
    const { c, s } = this.#near
    for (let i = 0; i < v.length; i++) {
      let newest = v[i]
      if (k > 2) {
        settled[i] = cFar * this.#wLast[i] + sFar * v[i]
        newest = sFar * this.#wLast[i] - cFar * v[i]
      }
      last[i] = c * this.#w[i] + s * newest
      current[i] = s * this.#w[i] - c * newest
    }
    return { settled, last, current }
  }

  /** x_k = W μ. */
  solution(): Float64Array {
    const x = this.#settled.slice()
    axpy(this.#muLast, this.#wLast, x)
    axpy(this.#mu, this.#w, x)
    return x
  }
}
