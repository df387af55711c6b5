import { ConvergenceError, DomainError, ShapeError } from '@thalweg/graph'
import { RotationQueue } from './rotation-queue.ts'
import type { Rotations } from './rotation-queue.ts'
import { firstNonFinite } from './vector.ts'

const epsilon = 2 ** -53

export interface TridiagonalEigen {
  /** [n], ascending. */
  readonly values: Float64Array
  /** [n], the first component of each eigenvector, in the order of `values`; up to one sign per entry. */
  readonly firstComponents?: Float64Array
  /** [n × n] row-major, eigenvectors in columns, in the order of `values`. */
  readonly vectors?: Float64Array
}

export interface TridiagonalOptions {
  /** What to compute besides the values: nothing, the first component of each eigenvector (O(n²), all that Gaussian
   * quadrature needs), or whole eigenvectors (O(n³)). Default `'none'`. */
  readonly vectors?: 'none' | 'first' | 'all'
}

/** Eigenvalues of a real symmetric tridiagonal matrix by implicit QL or QR with Wilkinson shifts.
 *
 * @param diagonal     [n].
 * @param offDiagonal  [n − 1] (longer is allowed, the rest is not read).
 * @throws {ShapeError} if `offDiagonal` is too short; {DomainError} if an entry is not finite.
 * @throws {ConvergenceError} after 30 n sweeps, which has not been seen.
 * Cost: O(n²), with all vectors about 5 n³ operations. Source: Parlett (1998), ch. 8; Golub and Welsch (1969). */
export function tridiagonalEigen(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  options: TridiagonalOptions = {},
): TridiagonalEigen {
  const n = diagonal.length
  if (offDiagonal.length < n - 1) {
    throw new ShapeError(`tridiagonalEigen: offDiagonal must hold ${n - 1} entries, got ${offDiagonal.length}.`)
  }
  const d = diagonal.slice()
  const e = new Float64Array(n)
  e.set(offDiagonal.subarray(0, Math.max(0, n - 1)))
  if (firstNonFinite(d) >= 0 || firstNonFinite(e) >= 0) {
    throw new DomainError('tridiagonalEigen: entries must be finite, got NaN or infinity.')
  }
  const wanted = options.vectors ?? 'none'
  const rows = wanted === 'all' ? n : wanted === 'first' ? 1 : 0
  const z = new Float64Array(rows * n)
  for (let i = 0; i < rows; i++) z[i * n + i] = 1
  diagonalize(d, e, new RotationQueue(z, rows, n))
  const values = sortEigen(d, z, rows)
  if (wanted === 'all') return { values, vectors: z }
  return wanted === 'first' ? { values, firstComponents: z } : { values }
}

/** Orders the values ascending and the columns of z [rows × n] with them, in place; returns the values. */
function sortEigen(values: Float64Array, z: Float64Array, rows: number): Float64Array {
  const n = values.length
  const order = new Uint32Array(n)
  for (let i = 0; i < n; i++) order[i] = i
  order.sort((i, j) => values[i] - values[j] || i - j)
  const permuted = new Float64Array(n)
  for (let r = 0; r < rows; r++) {
    const base = r * n
    for (let j = 0; j < n; j++) permuted[j] = z[base + order[j]]
    z.set(permuted, base)
  }
  return values.slice().sort()
}

/** Overwrites d with the eigenvalues, in no order, of the tridiagonal matrix (d, e), and hands over the rotations whose
 * product has the eigenvectors as columns. Works on a copy scaled to largest entry 1, so that squares neither overflow nor
 * lose digits. `e` [n] is destroyed; its last entry is not part of the matrix. */
export function diagonalize(d: Float64Array, e: Float64Array, rotations: Rotations): void {
  const n = d.length
  if (n === 0) return
  let largest = 0
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(d[i]), i < n - 1 ? Math.abs(e[i]) : 0)
  if (largest === 0) return
  // A power of two, so that scaling rounds nothing (except what underflows).
  const exponent = Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))))
  const down = 2 ** -exponent
  for (let i = 0; i < n; i++) {
    d[i] *= down
    e[i] *= down
  }
  e[n - 1] = 0
  let sweepsLeft = 30 * n
  let start = 0
  while (start < n) {
    let end = start
    while (end < n - 1 && !negligible(d, e, end)) end++
    if (end < n - 1) e[end] = 0
    sweepsLeft = diagonalizeBlock(d, e, start, end, rotations, sweepsLeft)
    start = end + 1
  }
  rotations.flush()
  const up = 2 ** exponent
  for (let i = 0; i < n; i++) d[i] *= up
}

/** Whether the coupling of i and i + 1 can be set to zero: relative to its two neighbours, so that graded matrices
 * keep their small eigenvalues, with an absolute floor far below ε‖T‖. */
function negligible(d: Float64Array, e: Float64Array, i: number): boolean {
  const coupling = Math.abs(e[i])
  return coupling <= epsilon * Math.sqrt(Math.abs(d[i])) * Math.sqrt(Math.abs(d[i + 1])) || coupling < 1e-150
}

/** Diagonalizes rows first … last, whose couplings are not negligible at the start. QL runs from the end with the
 * smaller diagonal entry: the index of step k is `origin + direction · k`, so QR is QL read backwards. */
function diagonalizeBlock(
  d: Float64Array,
  e: Float64Array,
  first: number,
  last: number,
  rotations: Rotations,
  sweepsLeft: number,
): number {
  let remaining = sweepsLeft
  const forward = Math.abs(d[last]) >= Math.abs(d[first])
  const direction = forward ? 1 : -1
  // Coupling of positions q and q + direction is e[q + shift].
  const shift = forward ? 0 : -1
  const finish = forward ? last : first
  let q = forward ? first : last
  while (q !== finish + direction) {
    let m = q
    while (m !== finish && !negligible(d, e, m + shift)) m += direction
    if (m !== finish) e[m + shift] = 0
    if (m === q) {
      q += direction
      continue
    }
    if (remaining-- === 0) {
      throw new ConvergenceError(`tridiagonalEigen: no convergence after ${30 * d.length} sweeps.`, { position: q })
    }
    sweep(d, e, q, m, direction, shift, rotations)
  }
  return remaining
}

/** One implicit QL sweep over the unreduced block q … m, chasing the bulge from m to q. */
function sweep(
  d: Float64Array,
  e: Float64Array,
  q: number,
  m: number,
  direction: number,
  shift: number,
  rotations: Rotations,
): void {
  const coupling = e[q + shift]
  const ratio = (d[q + direction] - d[q]) / (2 * coupling)
  const root = Math.hypot(ratio, 1)
  let g = d[m] - d[q] + coupling / (ratio + (ratio >= 0 ? root : -root))
  let s = 1
  let c = 1
  let p = 0
  rotations.open(m, direction)
  let i = m
  while (i !== q) {
    i -= direction
    const next = i + direction
    const f = s * e[i + shift]
    const b = c * e[i + shift]
    const square = f * f + g * g
    const r = square > 1e-280 ? Math.sqrt(square) : Math.hypot(f, g)
    if (next !== m) e[next + shift] = r
    if (r === 0) {
      // The block has split at `next` by itself: undo the shift there and let the caller look again.
      d[next] -= p
      return
    }
    s = f / r
    c = g / r
    g = d[next] - p
    const t = (d[i] - g) * s + 2 * c * b
    p = s * t
    d[next] = g + p
    g = c * t - b
    rotations.push(c, s)
  }
  d[q] -= p
  e[q + shift] = g
}
