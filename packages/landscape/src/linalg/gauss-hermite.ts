import { DomainError } from '@thalweg/graph'
import { tridiagonalEigen } from './tridiagonal.ts'

export interface Quadrature {
  /** [n], ascending. */
  readonly nodes: Float64Array
  /** [n], of sum 1; positive, except that beyond n ≈ 350 the outermost underflow. */
  readonly weights: Float64Array
}

/** Gauss–Hermite quadrature for the standard normal distribution: E f(Z) ≈ Σ w_i f(x_i), exact for polynomials of
 * degree up to 2n − 1.
 *
 * Nodes are the eigenvalues of the Jacobi matrix with off-diagonal √1, √2, …, √(n − 1); weights come from the
 * Christoffel function 1 / Σ_k h_k(x)² of the orthonormal polynomials, which keeps the relative accuracy of weights
 * far in the tails, where squares of eigenvector components would not. Exact symmetry is imposed.
 *
 * @throws {DomainError} if `n` is not an integer in 1 … 1000.
 * Cost: O(n²). Source: Golub and Welsch, Math. Comp. 23 (1969). */
export function gaussHermite(n: number): Quadrature {
  if (!(Number.isInteger(n) && n >= 1 && n <= 1000)) {
    throw new DomainError(`gaussHermite: n must be an integer in 1…1000, got ${n}.`)
  }
  const offDiagonal = new Float64Array(Math.max(0, n - 1))
  for (let k = 0; k < n - 1; k++) offDiagonal[k] = Math.sqrt(k + 1)
  const { values } = tridiagonalEigen(new Float64Array(n), offDiagonal)
  const nodes = values.map((x, i) => (x - values[n - 1 - i]) / 2)
  const weights = nodes.map((x) => christoffel(x, n))
  const total = weights.reduce((sum, w) => sum + w, 0)
  return { nodes, weights: weights.map((w) => w / total) }
}

/** 1 / Σ_{k < n} h_k(x)², by h_{k+1} = (x h_k − √k h_{k−1}) / √(k + 1), rescaled against overflow. */
function christoffel(x: number, n: number): number {
  let previous = 0
  let current = 1
  let sum = 1
  let logScale = 0
  for (let k = 0; k < n - 1; k++) {
    const next = (x * current - Math.sqrt(k) * previous) / Math.sqrt(k + 1)
    previous = current
    current = next
    sum += current * current
    if (sum > 1e200) {
      previous *= 1e-100
      current *= 1e-100
      sum *= 1e-200
      logScale += 200 * Math.LN10
    }
  }
  return Math.exp(-logScale) / sum
}
