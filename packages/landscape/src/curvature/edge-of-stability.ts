import { DomainError } from '@thalweg/graph'
import { extremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import type { CancelSignal } from '../linalg/extreme-eigenpairs.ts'
import type { Loss } from '../loss/loss.ts'
import { LossPoint } from '../loss/loss-point.ts'

/** Where training by steps of size η sits against the edge of stability: λ_max·η/2, unstable above 1 (Cohen et al. 2021). */
export function edgeOfStability(topEigenvalue: number, learningRate: number): number {
  return (topEigenvalue * learningRate) / 2
}

export interface StabilityPoint {
  readonly topEigenvalue: number
  /** An eigenvalue lies this close to `topEigenvalue`. */
  readonly residualNorm: number
  readonly converged: boolean
  /** λ_max·η/2: gradient descent of this step size is unstable above 1. */
  readonly edge: number
  readonly products: number
}

export interface StabilityOptions {
  readonly learningRate: number
  /** Residual relative to ‖H‖; default 1e-4: the figure is read, not proved. */
  readonly tolerance?: number
  /** Products per point; default 200. */
  readonly maxProducts?: number
  readonly seed?: number
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: CancelSignal
}

/** λ_max·η/2 of the Hessian at each point of a trajectory. Every search starts from the eigenvector of the point before,
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
    const found = await extremeEigenpairs(new LossPoint(loss, theta).operator('hessian'), {
      ...{ top: 1, tolerance, maxProducts, seed, signal, startVectors },
      verifyMultiplicity: false,
    })
    const [{ value, vector, residualNorm, converged }] = found.top
    startVectors = vector
    points.push({
      ...{ topEigenvalue: value, residualNorm, converged },
      edge: edgeOfStability(value, learningRate),
      products: found.products,
    })
    options.onProgress?.(points.length, trajectory.length)
  }
  return points
}
