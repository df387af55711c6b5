import { symmetricEigen } from '../../linalg/index.ts'
import type { Inertia } from '../../linalg/index.ts'
import { linearHessian } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { linearScales } from './linear-weights.ts'

/** All eigenvalues of the dense Hessian, counted by sign. */
export interface LinearSpectrum {
  /** Ascending, [p]. */
  readonly eigenvalues: Float64Array
  readonly inertia: Inertia
  readonly minEigenvalue: number
  readonly maxEigenvalue: number
  /** Eigenvalues of at most this modulus count as zero. */
  readonly threshold: number
  /** Unit eigenvector of the smallest eigenvalue, flat [p]. */
  readonly lowestDirection: Float64Array
}

/** The spectrum of ∇²L̄ at a point. Zero means |λ| ≤ max(1e-9 |λ|_max, 1e-12 · size of the Hessian's terms, `noise`): the
 * second bound decides where the Hessian vanishes identically, as at W = 0 with two hidden layers or more.
 * @param noise  what an inexact critical point may move an eigenvalue by; default 0.
 * Cost: 9 p³ operations. */
export function linearSpectrum(
  problem: LinearProblem,
  weights: LinearWeights,
  options: { noise?: number } = {},
): LinearSpectrum {
  const { values, vectors } = symmetricEigen(linearHessian(problem, weights))
  const p = values.length
  const largest = Math.max(Math.abs(values[0]), Math.abs(values[p - 1]))
  const threshold = Math.max(1e-9 * largest, 1e-12 * linearScales(problem, weights).hessian, options.noise ?? 0)
  const negative = values.filter((value) => value < -threshold).length
  const positive = values.filter((value) => value > threshold).length
  return {
    eigenvalues: values,
    inertia: { negative, zero: p - negative - positive, positive },
    minEigenvalue: values[0],
    maxEigenvalue: values[p - 1],
    threshold,
    lowestDirection: Float64Array.from({ length: p }, (_, i) => vectors.data[i * p]),
  }
}
