import type { Matrix } from './matrix.ts'
import { transpose, zeros } from './matrix.ts'
import { reflect } from './tridiagonalize.ts'
import { axpy, dot, norm } from './vector.ts'

const epsilon = 2 ** -53

export interface Qr {
  /** Q [m × r], orthonormal columns, r = min(m, n). */
  readonly q: Matrix
  /** R [r × n], upper triangular (trapezoidal). */
  readonly r: Matrix
  /** Column j of Q R is column `permutation[j]` of A; the identity without pivoting. */
  readonly permutation: Uint32Array
  /** Diagonal entries of R above 10 · max(m, n) · ε times the largest; the numerical rank where columns were pivoted. */
  readonly rank: number
}

export interface QrOptions {
  /** Choose the column with the largest remaining norm at each step, so that R shows the rank. Default false. */
  readonly pivot?: boolean
}

/** Thin Householder QR factorization A P = Q R.
 *
 * @param a  [m × n].
 * Cost: 4 m n r operations for r = min(m, n), two copies of A.
 * Source: Golub and Van Loan (2013), §5.2 and §5.4; norms are recomputed when downdating has lost them
 * (Drmač and Bujanović, 2008). */
export function qr(a: Matrix, options: QrOptions = {}): Qr {
  const { rows: m, cols: n } = a
  const count = Math.min(m, n)
  // Columns of A as rows of `work`, so that reflectors and columns are contiguous.
  const work = transpose(a)
  const columns = Array.from({ length: n }, (_, j) => work.data.subarray(j * m, (j + 1) * m))
  const permutation = Uint32Array.from({ length: n }, (_, j) => j)
  const norms = columns.map(norm)
  const reference = [...norms]
  const tau = new Float64Array(count)
  const r = zeros(count, n)
  for (let k = 0; k < count; k++) {
    if (options.pivot === true) bringLargestForward(k, columns, norms, reference, permutation)
    const v = columns[k].subarray(k)
    const reflected = reflect(v)
    tau[k] = reflected.tau
    r.data[k * n + k] = reflected.beta
    for (let j = k + 1; j < n; j++) {
      const target = columns[j].subarray(k)
      if (reflected.tau !== 0) axpy(-reflected.tau * dot(v, target), v, target)
      if (options.pivot === true) downdate(j, target, norms, reference)
    }
  }
  for (let j = 0; j < n; j++) for (let k = 0; k < Math.min(j, count); k++) r.data[k * n + j] = columns[j][k]
  return { q: thinQ(columns, tau, m, count), r, permutation, rank: triangularRank(r, Math.max(m, n)) }
}

function bringLargestForward(
  k: number,
  columns: Float64Array[],
  norms: number[],
  reference: number[],
  permutation: Uint32Array,
): void {
  let best = k
  for (let j = k + 1; j < columns.length; j++) if (norms[j] > norms[best]) best = j
  if (best === k) return
  for (const list of [columns, norms, reference, permutation] as unknown[][]) {
    const moved = list[k]
    list[k] = list[best]
    list[best] = moved
  }
}

/** Norm of column j below its new first entry. */
function downdate(j: number, target: Float64Array, norms: number[], reference: number[]): void {
  if (norms[j] === 0) return
  const ratio = Math.abs(target[0]) / norms[j]
  const left = Math.max(0, (1 - ratio) * (1 + ratio))
  const relative = norms[j] / reference[j]
  if (left * relative * relative <= 1e-8) {
    norms[j] = norm(target.subarray(1))
    reference[j] = norms[j]
  } else norms[j] *= Math.sqrt(left)
}

/** The first `count` columns of H₀ H₁ …, built backwards; reflector k is in columns[k] from entry k on. */
function thinQ(columns: readonly Float64Array[], tau: Float64Array, m: number, count: number): Matrix {
  const transposed = zeros(count, m)
  const rows = Array.from({ length: count }, (_, j) => transposed.data.subarray(j * m, (j + 1) * m))
  for (let k = count - 1; k >= 0; k--) {
    rows[k][k] = 1
    const v = columns[k].subarray(k)
    if (tau[k] === 0) continue
    for (let j = k; j < count; j++) {
      const target = rows[j].subarray(k)
      axpy(-tau[k] * dot(v, target), v, target)
    }
  }
  return transpose(transposed)
}

function triangularRank(r: Matrix, longest: number): number {
  let largest = 0
  for (let k = 0; k < r.rows; k++) largest = Math.max(largest, Math.abs(r.data[k * r.cols + k]))
  const threshold = 10 * longest * epsilon * largest
  let rank = 0
  for (let k = 0; k < r.rows; k++) if (Math.abs(r.data[k * r.cols + k]) > threshold) rank++
  return rank
}

/** Orthonormal basis of the span of the rows of `a` (as rows), by the same factorization; rank rows. */
export function orthonormalRows(a: Matrix): Matrix {
  const { q, rank } = qr(transpose(a), { pivot: true })
  const rows = transpose(q)
  return { rows: rank, cols: a.cols, data: rows.data.slice(0, rank * a.cols) }
}
