import { DomainError, ShapeError } from '@thalweg/graph'
import { extremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import type { Loss } from '../loss/loss.ts'
import { LossPoint } from '../loss/loss-point.ts'

/** Full-batch optimizers whose linear stability on a quadratic is known. Moments follow PyTorch: `momentum` and `nesterov` add
 * up v ← β v + g; `adam` averages, m ← β₁ m + (1 − β₁) g, and divides by √(v/(1 − β₂ᵗ)) + ε. */
export type StableOptimizer =
  | { readonly name: 'gradient-descent' }
  | { readonly name: 'momentum' | 'nesterov'; readonly momentum: number }
  | {
      readonly name: 'adam'
      readonly beta1: number
      readonly beta2: number
      readonly epsilon: number
      /** Adam's running mean of squared gradients at this point, [p], not corrected for its start. */
      readonly secondMoments: Float64Array
      /** Steps done, at least 1. */
      readonly step: number
    }

const gradientDescent: StableOptimizer = { name: 'gradient-descent' }

/** The largest stable λ·η on a quadratic with a fixed preconditioner:
 *
 *     gradient descent 2 ;  heavy ball 2(1 + β) ;  Nesterov 2(1 + β)/(1 + 2β) ;  Adam 2(1 + β₁)/(1 − β₁) = 38 for β₁ = 0.9
 *
 * with λ the largest eigenvalue of the Hessian, for Adam of P⁻¹H (`adamPreconditioner`).
 * @throws {DomainError} if a momentum is outside [0, 1).
 * Source: Cohen et al. 2021, App. B (momentum); Cohen et al. 2022, "Adaptive gradient methods at the edge of stability",
 * Prop. 1 (Adam). */
export function stabilityLimit(optimizer: StableOptimizer = gradientDescent): number {
  const beta =
    optimizer.name === 'gradient-descent' ? 0 : optimizer.name === 'adam' ? optimizer.beta1 : optimizer.momentum
  if (!(beta >= 0 && beta < 1)) throw new DomainError(`stabilityLimit: momentum must lie in [0, 1), got ${beta}.`)
  if (optimizer.name === 'nesterov') return (2 * (1 + beta)) / (1 + 2 * beta)
  return optimizer.name === 'adam' ? (2 * (1 + beta)) / (1 - beta) : 2 * (1 + beta)
}

/** Where training by steps of size η sits against the edge of stability: λ·η over the limit of the optimizer, λ_max·η/2 for
 * gradient descent. Unstable above 1. */
export function edgeOfStability(topEigenvalue: number, learningRate: number, optimizer?: StableOptimizer): number {
  return (topEigenvalue * learningRate) / stabilityLimit(optimizer)
}

/** diag P = (1 − β₁ᵗ)(√(v/(1 − β₂ᵗ)) + ε), by which Adam's step divides the averaged gradient, [p].
 * @throws {DomainError} if an entry is not positive: v and ε must not both be zero. */
export function adamPreconditioner(optimizer: Extract<StableOptimizer, { name: 'adam' }>): Float64Array {
  const { beta1, beta2, epsilon, secondMoments, step } = optimizer
  const diagonal = secondMoments.map((v) => (1 - beta1 ** step) * (Math.sqrt(v / (1 - beta2 ** step)) + epsilon))
  const bad = diagonal.findIndex((d) => !(d > 0 && Number.isFinite(d)))
  if (bad >= 0) throw new DomainError(`adamPreconditioner: entries must be positive, got ${diagonal[bad]} at ${bad}.`)
  return diagonal
}

/** P^{−½} A P^{−½}, which has the eigenvalues of P⁻¹A and is symmetric.
 * @throws {ShapeError} if P has another size than A. */
export function preconditionedOperator(operator: LinearOperator, diagonal: Float64Array): LinearOperator {
  const { size } = operator
  if (diagonal.length !== size)
    throw new ShapeError(`preconditionedOperator: the diagonal must have ${size} entries, got ${diagonal.length}.`)
  const roots = diagonal.map((d) => 1 / Math.sqrt(d))
  const scaled = (rows: Float64Array): Float64Array => rows.map((x, i) => x * roots[i % size])
  const inner = operator.applyBatch?.bind(operator)
  return {
    size,
    apply: async (v) => scaled(await operator.apply(scaled(v))),
    ...(inner && { applyBatch: async (rows, count) => scaled(await inner(scaled(rows), count)) }),
  }
}

export interface StabilityPoint {
  /** Of the Hessian; for Adam of P⁻¹H. */
  readonly topEigenvalue: number
  /** An eigenvalue lies this close to `topEigenvalue`. */
  readonly residualNorm: number
  readonly converged: boolean
  /** λ·η over the limit of the optimizer (λ_max·η/2 for gradient descent): unstable above 1. */
  readonly edge: number
  readonly products: number
}

export interface StabilityOptions {
  readonly learningRate: number
  /** At each point of the trajectory, since Adam's preconditioner moves; default gradient descent. */
  readonly optimizerAt?: (point: number) => StableOptimizer
  /** Residual relative to ‖H‖; default 1e-4: the figure is read, not proved. */
  readonly tolerance?: number
  /** Products per point; default 200. */
  readonly maxProducts?: number
  readonly seed?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: CancelSignal
}

/** The edge of stability, λ_max·η/2 for gradient descent, at each point of a trajectory. Every search starts from the eigenvector of the point before,
 * which nearby checkpoints almost share.
 * @returns one figure per point; fewer after an abort.
 * @throws {DomainError} if the learning rate is not positive. Cost: some 10 … 50 products per point. */
export async function edgeOfStabilityAlong(
  loss: Loss,
  trajectory: readonly Float64Array[],
  options: StabilityOptions,
): Promise<StabilityPoint[]> {
  const { learningRate, tolerance = 1e-4, maxProducts = 200, seed, signal } = options
  if (!(learningRate > 0))
    throw new DomainError(`edgeOfStabilityAlong: the learning rate must be positive, got ${learningRate}.`)
  const points: StabilityPoint[] = []
  let startVectors: Float64Array | undefined
  for (const theta of trajectory) {
    if (signal?.aborted) break
    const optimizer = options.optimizerAt?.(points.length) ?? gradientDescent
    const hessian = new LossPoint(loss, theta).operator('hessian')
    const operator =
      optimizer.name === 'adam' ? preconditionedOperator(hessian, adamPreconditioner(optimizer)) : hessian
    const found = await extremeEigenpairs(operator, {
      ...{ top: 1, tolerance, maxProducts, seed, signal, startVectors },
      verifyMultiplicity: false,
    })
    const [{ value, vector, residualNorm, converged }] = found.top
    startVectors = vector
    points.push({
      ...{ topEigenvalue: value, residualNorm, converged },
      edge: edgeOfStability(value, learningRate, optimizer),
      products: found.products,
    })
    options.onProgress?.(points.length, trajectory.length)
  }
  return points
}
