import { ConvergenceError, DomainError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { gemv, gemvTransposed, matmul, transpose, zeros } from './matrix.ts'
import { qr } from './qr.ts'
import { axpy, dot, firstNonFinite, maxNorm, norm, scale } from './vector.ts'

const epsilon = 2 ** -53

export interface Svd {
  /** U [m × r], orthonormal columns, r = min(m, n). */
  readonly u: Matrix
  /** [r], descending, not negative. */
  readonly values: Float64Array
  /** V [n × r], orthonormal columns. */
  readonly v: Matrix
}

/** Thin singular value decomposition A = U diag(values) Vᵀ.
 *
 * One-sided Jacobi on the triangular factor of a pivoted QR factorization: small singular values of a matrix with
 * graded columns keep their relative accuracy.
 *
 * @param a  [m × n].
 * @throws {DomainError} if an entry is not finite; {ConvergenceError} after 60 sweeps, which has not been seen.
 * Cost: about 6 sweeps of 6 r³ operations after 4 m n r for the QR factorization.
 * Source: Drmač and Veselić, SIAM J. Matrix Anal. Appl. 29 (2008); de Rijk (1989) for the order of pivots. */
export function svd(a: Matrix): Svd {
  if (firstNonFinite(a.data) >= 0) throw new DomainError('svd: entries must be finite, got NaN or infinity.')
  if (a.rows < a.cols) {
    const { u, values, v } = svd(transpose(a))
    return { u: v, values, v: u }
  }
  const n = a.cols
  const largest = maxNorm(a.data)
  const exponent = largest === 0 ? 0 : Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))))
  const scaled = { rows: a.rows, cols: n, data: a.data.slice() }
  scale(2 ** -exponent, scaled.data)
  const { q, r, permutation } = qr(scaled, { pivot: true })
  // Rᵀ = X Σ Yᵀ from rotations of the columns of Rᵀ, which are the rows of R: R = Y Σ Xᵀ.
  const { values, left, right } = jacobi(r)
  scale(2 ** exponent, values)
  const v = zeros(n, n)
  for (let i = 0; i < n; i++) v.data.set(right.data.subarray(i * n, (i + 1) * n), permutation[i] * n)
  return { u: matmul(q, left), values, v }
}

/** R [n × n] = left · diag(values) · rightᵀ by plane rotations J of its rows: J R has orthogonal rows. */
function jacobi(r: Matrix): { values: Float64Array; left: Matrix; right: Matrix } {
  const n = r.rows
  const rows = Array.from({ length: n }, (_, i) => r.data.slice(i * n, (i + 1) * n))
  const turns = Array.from({ length: n }, (_, i) => new Float64Array(n).fill(1, i, i + 1))
  let sweeps = 0
  while (jacobiSweep(rows, turns)) {
    if (++sweeps === 60) throw new ConvergenceError('svd: no convergence after 60 sweeps.')
  }
  // Squares of rows this small underflow: they were not orthogonalized, and their values count as zero.
  const norms = rows.map((x) => (norm(x) < 1e-150 ? 0 : norm(x)))
  const order = norms.map((_, i) => i).sort((i, j) => norms[j] - norms[i] || i - j)
  const values = Float64Array.from(order, (i) => norms[i])
  const left = zeros(n, n)
  const rightRows: Float64Array[] = []
  order.forEach((i, k) => {
    for (let j = 0; j < n; j++) left.data[j * n + k] = turns[i][j]
    rightRows.push(values[k] > 0 ? rows[i].map((x) => x / values[k]) : rows[i])
  })
  completeBasis(rightRows, values)
  const right = zeros(n, n)
  rightRows.forEach((x, k) => {
    for (let j = 0; j < n; j++) right.data[j * n + k] = x[j]
  })
  return { values, left, right }
}

/** One pass over all pairs of rows; returns whether any was turned. */
function jacobiSweep(rows: readonly Float64Array[], turns: readonly Float64Array[]): boolean {
  const n = rows.length
  const squares = rows.map((x) => dot(x, x))
  let turned = false
  for (let i = 0; i < n - 1; i++) {
    for (let j = i + 1; j < n; j++) {
      const product = dot(rows[i], rows[j])
      const limit = 2 * Math.sqrt(n) * epsilon * Math.sqrt(squares[i]) * Math.sqrt(squares[j])
      if (Math.abs(product) <= limit || Math.abs(product) < 1e-300) continue
      turned = true
      const zeta = (squares[j] - squares[i]) / (2 * product)
      const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta))
      const c = 1 / Math.sqrt(1 + t * t)
      rotate(rows[i], rows[j], c, c * t)
      rotate(turns[i], turns[j], c, c * t)
      squares[i] = dot(rows[i], rows[i])
      squares[j] = dot(rows[j], rows[j])
    }
  }
  return turned
}

/** (x, y) ← (c x − s y, s x + c y), as changes of size s: the many small turns of the last sweeps then add up to
 * less rounding than products with c would (Rutishauser, 1966). */
function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  const tau = s / (1 + c)
  for (let k = 0; k < x.length; k++) {
    const a = x[k]
    const b = y[k]
    x[k] = a - s * (b + tau * a)
    y[k] = b + s * (a - tau * b)
  }
}

/** Replaces the directions of singular value zero, which come last, by unit vectors orthogonal to all others: each
 * from the axis that the vectors so far cover least. */
function completeBasis(vectors: Float64Array[], values: Float64Array): void {
  const n = vectors.length
  const covered = new Float64Array(n)
  for (let k = 0; k < n; k++) {
    if (values[k] === 0) {
      const candidate = new Float64Array(n)
      candidate[covered.indexOf(covered.reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY))] = 1
      for (let pass = 0; pass < 2; pass++) {
        for (let i = 0; i < k; i++) axpy(-dot(vectors[i], candidate), vectors[i], candidate)
      }
      scale(1 / norm(candidate), candidate)
      vectors[k] = candidate
    }
    for (let i = 0; i < n; i++) covered[i] += vectors[k][i] * vectors[k][i]
  }
}

export interface RankOptions {
  /** Singular values up to this times the largest count as zero; default 2 · max(m, n) · ε with ε = 2⁻⁵³. */
  readonly tolerance?: number
}

/** Number of singular values above tolerance · largest. */
export function rankOf(decomposition: Svd, options: RankOptions = {}): number {
  const { u, values, v } = decomposition
  const tolerance = options.tolerance ?? Math.max(u.rows, v.rows) * 2 * epsilon
  const threshold = values.length === 0 ? 0 : tolerance * values[0]
  return values.filter((value) => value > threshold).length
}

/** Moore–Penrose inverse A⁺ [n × m]; singular values up to the tolerance count as zero. Cost: one `svd`. */
export function pseudoInverse(a: Matrix, options: RankOptions = {}): Matrix {
  const decomposition = svd(a)
  const { u, values, v } = decomposition
  const rank = rankOf(decomposition, options)
  const weighted = zeros(v.rows, values.length)
  for (let i = 0; i < v.rows; i++) {
    for (let k = 0; k < rank; k++) weighted.data[i * values.length + k] = v.data[i * values.length + k] / values[k]
  }
  return matmul(weighted, transpose(u))
}

export interface LeastSquares {
  /** [n], of all minimizers of ‖A x − b‖ the one of least norm. */
  readonly x: Float64Array
  readonly rank: number
  /** ‖A x − b‖. */
  readonly residualNorm: number
}

/** Minimum-norm least squares solution x = A⁺ b. Cost: one `svd`. */
export function leastSquares(a: Matrix, b: Float64Array, options: RankOptions = {}): LeastSquares {
  const decomposition = svd(a)
  const { u, values, v } = decomposition
  const rank = rankOf(decomposition, options)
  const coordinates = gemvTransposed(u, b).map((x, k) => (k < rank ? x / values[k] : 0))
  const x = gemv(v, coordinates)
  const residual = gemv(a, x)
  for (let i = 0; i < residual.length; i++) residual[i] -= b[i]
  return { x, rank, residualNorm: norm(residual) }
}
