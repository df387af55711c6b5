import { DomainError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { copyMatrix, requireSquare, rowProduct } from './matrix.ts'
import { requireLength, solveUpper } from './triangular.ts'

export interface Lu {
  /** Row i of the factored matrix is row `permutation[i]` of A. */
  readonly permutation: Uint32Array
  /** L below the diagonal (its unit diagonal left out), U on and above: P A = L U. */
  readonly factors: Matrix
  /** The first zero pivot, or −1 if there is none. */
  readonly singularAt: number
  /** The x of A x = b, [n]. @throws {DomainError} if A is exactly singular. */
  solve(b: Float64Array): Float64Array
  readonly determinant: number
}

/** LU factorization with partial pivoting, P A = L U.
 *
 * @throws {ShapeError} if `a` is not square.
 * Cost: 2/3 n³ operations. Source: Golub and Van Loan (2013), §3.4. */
export function lu(a: Matrix): Lu {
  requireSquare('lu', a)
  const n = a.rows
  const factors = copyMatrix(a)
  const f = factors.data
  const permutation = new Uint32Array(n)
  for (let i = 0; i < n; i++) permutation[i] = i
  let sign = 1
  let singularAt = -1
  for (let k = 0; k < n; k++) {
    let pivot = k
    for (let i = k + 1; i < n; i++) if (Math.abs(f[i * n + k]) > Math.abs(f[pivot * n + k])) pivot = i
    if (pivot !== k) {
      swapRows(f, n, k, pivot)
      const moved = permutation[k]
      permutation[k] = permutation[pivot]
      permutation[pivot] = moved
      sign = -sign
    }
    if (f[k * n + k] === 0) {
      if (singularAt < 0) singularAt = k
      continue
    }
    for (let i = k + 1; i < n; i++) {
      const multiplier = f[i * n + k] / f[k * n + k]
      f[i * n + k] = multiplier
      if (multiplier !== 0) for (let j = k + 1; j < n; j++) f[i * n + j] -= multiplier * f[k * n + j]
    }
  }
  let determinant = sign
  for (let k = 0; k < n; k++) determinant *= f[k * n + k]
  return {
    permutation,
    factors,
    singularAt,
    determinant,
    solve: (b) => solveFactored(factors, permutation, singularAt, b),
  }
}

function swapRows(f: Float64Array, n: number, i: number, j: number): void {
  const kept = f.slice(i * n, (i + 1) * n)
  f.copyWithin(i * n, j * n, (j + 1) * n)
  f.set(kept, j * n)
}

function solveFactored(factors: Matrix, permutation: Uint32Array, singularAt: number, b: Float64Array): Float64Array {
  const n = factors.rows
  requireLength('lu.solve', b, n)
  if (singularAt >= 0) {
    throw new DomainError(
      `lu.solve: the matrix must be regular, got a zero pivot in column ${singularAt}. Use leastSquares.`,
    )
  }
  const x = new Float64Array(n)
  for (let i = 0; i < n; i++) x[i] = b[permutation[i]] - rowProduct(factors.data, i * n, x, 0, i)
  solveUpper(factors.data, n, n, x)
  return x
}
