import { DomainError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { requireSquare, rowProduct, zeros } from './matrix.ts'
import { requireLength } from './triangular.ts'

export interface Cholesky {
  /** L [n × n], lower triangular with positive diagonal, A = L Lᵀ. */
  readonly lower: Matrix
  /** The x of A x = b, [n]. */
  solve(b: Float64Array): Float64Array
  /** log det A. */
  readonly logDeterminant: number
}

/** Cholesky factorization A = L Lᵀ of a positive definite matrix; only the lower triangle of `a` is read.
 *
 * @throws {ShapeError} if `a` is not square; {DomainError} if a pivot is not positive, that is if `a` is not positive
 *         definite to working accuracy.
 * Cost: n³/3 operations. Source: Golub and Van Loan (2013), §4.2. */
export function cholesky(a: Matrix): Cholesky {
  requireSquare('cholesky', a)
  const n = a.rows
  const lower = zeros(n, n)
  const l = lower.data
  let logDeterminant = 0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      l[i * n + j] = (a.data[i * n + j] - rowProduct(l, i * n, l, j * n, j)) / l[j * n + j]
    }
    const pivot = a.data[i * n + i] - rowProduct(l, i * n, l, i * n, i)
    if (!(pivot > 0 && pivot < Number.POSITIVE_INFINITY)) {
      throw new DomainError(
        `cholesky: the matrix must be positive definite, got pivot ${pivot} in row ${i}. Use ldlt for indefinite ones.`,
        { row: i, pivot },
      )
    }
    l[i * n + i] = Math.sqrt(pivot)
    logDeterminant += Math.log(pivot)
  }
  return { lower, logDeterminant, solve: (b) => solveFactored(lower, b) }
}

function solveFactored(lower: Matrix, b: Float64Array): Float64Array {
  const n = lower.rows
  const l = lower.data
  requireLength('cholesky.solve', b, n)
  const x = b.slice()
  for (let i = 0; i < n; i++) x[i] = (x[i] - rowProduct(l, i * n, x, 0, i)) / l[i * n + i]
  for (let i = n - 1; i >= 0; i--) {
    x[i] /= l[i * n + i]
    for (let j = 0; j < i; j++) x[j] -= l[i * n + j] * x[i]
  }
  return x
}
