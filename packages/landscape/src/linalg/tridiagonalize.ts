import type { MatrixView } from './gemm.ts'
import { gemm } from './gemm.ts'
import { rowProduct } from './matrix.ts'
import { norm } from './vector.ts'

/** Columns reduced, and reflectors applied, together. */
const panelWidth = 32

/** T = Qᵀ A Q with Q = H₀ H₁ … H₍ₙ₋₃₎ and H_k = I − τ_k v_k v_kᵀ. */
export interface Tridiagonalization {
  readonly diagonal: Float64Array
  /** [n], the last entry unused. */
  readonly offDiagonal: Float64Array
  /** [n × n]; row k holds v_k in columns k + 1 …, with a one in column k + 1. The rest is not defined. */
  readonly reflectors: Float64Array
  readonly factors: Float64Array
}

/** Blocked Householder reduction of a symmetric matrix to tridiagonal form, after LAPACK's dsytrd and dlatrd.
 *
 * Within a panel the trailing matrix stays as it was and each row is brought up to date only when it is reached:
 *
 *      A ← A − Σ_p (v_p w_pᵀ + w_p v_pᵀ)
 *
 * @param work  [n × n] row-major, upper triangle; destroyed (it becomes `reflectors`). Entries must be of moderate size. */
export function tridiagonalize(work: Float64Array, n: number): Tridiagonalization {
  const diagonal = new Float64Array(n)
  const offDiagonal = new Float64Array(n)
  const factors = new Float64Array(n)
  const v = new Float64Array(panelWidth * n)
  const w = new Float64Array(panelWidth * n)
  const last = Math.max(0, n - 2)
  for (let k0 = 0; k0 < last; k0 += panelWidth) {
    const width = Math.min(panelWidth, last - k0)
    for (let i = 0; i < width; i++) {
      const k = k0 + i
      updateBlock(work, n, v, w, i, k, 1)
      diagonal[k] = work[k * n + k]
      const reflected = reflect(work.subarray(k * n + k + 1, (k + 1) * n))
      offDiagonal[k] = reflected.beta
      factors[k] = reflected.tau
      v.fill(0, i * n, i * n + k + 1)
      v.set(work.subarray(k * n + k + 1, (k + 1) * n), i * n + k + 1)
      companion(work, n, v, w, i, k + 1, reflected.tau)
    }
    for (let j = k0 + width; j < n; j += panelWidth) {
      updateBlock(work, n, v, w, width, j, Math.min(panelWidth, n - j))
    }
  }
  for (let k = last; k < n; k++) diagonal[k] = work[k * n + k]
  if (n > 1) offDiagonal[n - 2] = work[(n - 2) * n + n - 1]
  return { diagonal, offDiagonal, reflectors: work, factors }
}

/** Rows j … j + rows − 1, from column j on, minus the rank-2 updates of the first `count` reflectors of the panel. */
function updateBlock(
  work: Float64Array,
  n: number,
  v: Float64Array,
  w: Float64Array,
  count: number,
  j: number,
  rows: number,
): void {
  const target: MatrixView = { data: work, offset: j * n + j, rowStride: n, columnStride: 1 }
  const left = (data: Float64Array): MatrixView => ({ data, offset: j, rowStride: 1, columnStride: n })
  const right = (data: Float64Array): MatrixView => ({ data, offset: j, rowStride: n, columnStride: 1 })
  gemm(rows, n - j, count, -1, left(v), right(w), target)
  gemm(rows, n - j, count, -1, left(w), right(v), target)
}

/** Overwrites x by v, v₀ = 1, such that (I − τ v vᵀ) x = β e₀; returns τ and β. */
export function reflect(x: Float64Array): { tau: number; beta: number } {
  const alpha = x[0]
  const rest = norm(x.subarray(1))
  x[0] = 1
  if (rest < 1e-280) {
    // Nothing to reflect, or so little that τ and v would not be orthogonal to working accuracy.
    x.fill(0, 1)
    return { tau: 0, beta: alpha }
  }
  const length = Math.hypot(alpha, rest)
  const beta = alpha > 0 ? -length : length
  const divisor = alpha - beta
  for (let i = 1; i < x.length; i++) x[i] /= divisor
  return { tau: (beta - alpha) / beta, beta }
}

/** w_i = τ (A v − ½ τ (vᵀ A v) v) with the up-to-date A, in row i of w from column `start` on. */
function companion(
  work: Float64Array,
  n: number,
  v: Float64Array,
  w: Float64Array,
  i: number,
  start: number,
  tau: number,
): void {
  const length = n - start
  const here = i * n + start
  symmetricProduct(work, n, start, v, i * n, w, i * n)
  for (let p = 0; p < i; p++) {
    const there = p * n + start
    const wv = rowProduct(w, there, v, here, length)
    const vv = rowProduct(v, there, v, here, length)
    for (let j = 0; j < length; j++) w[here + j] -= wv * v[there + j] + vv * w[there + j]
  }
  const correction = 0.5 * tau * tau * rowProduct(w, here, v, here, length)
  for (let j = 0; j < length; j++) w[here + j] = tau * w[here + j] - correction * v[here + j]
}

/** y = A x for the trailing block start … n − 1 of a symmetric matrix of which only the upper triangle is read, once:
 * four rows at a time, each entry used for its row and for its column. */
function symmetricProduct(
  a: Float64Array,
  n: number,
  start: number,
  x: Float64Array,
  xBase: number,
  y: Float64Array,
  yBase: number,
): void {
  y.fill(0, yBase + start, yBase + n)
  let i = start
  for (; i + 3 < n; i += 4) {
    for (let r = i; r < i + 4; r++) symmetricCorner(a, n, r, i + 4, x, xBase, y, yBase)
    const r0 = i * n
    const r1 = r0 + n
    const r2 = r1 + n
    const r3 = r2 + n
    const x0 = x[xBase + i]
    const x1 = x[xBase + i + 1]
    const x2 = x[xBase + i + 2]
    const x3 = x[xBase + i + 3]
    let sum0 = 0
    let sum1 = 0
    let sum2 = 0
    let sum3 = 0
    for (let j = i + 4; j < n; j++) {
      const a0 = a[r0 + j]
      const a1 = a[r1 + j]
      const a2 = a[r2 + j]
      const a3 = a[r3 + j]
      const xj = x[xBase + j]
      sum0 += a0 * xj
      sum1 += a1 * xj
      sum2 += a2 * xj
      sum3 += a3 * xj
      y[yBase + j] += a0 * x0 + a1 * x1 + (a2 * x2 + a3 * x3)
    }
    y[yBase + i] += sum0
    y[yBase + i + 1] += sum1
    y[yBase + i + 2] += sum2
    y[yBase + i + 3] += sum3
  }
  for (; i < n; i++) symmetricCorner(a, n, i, n, x, xBase, y, yBase)
}

/** The part of row r from its diagonal entry up to column `end`, for its row and its columns. */
function symmetricCorner(
  a: Float64Array,
  n: number,
  r: number,
  end: number,
  x: Float64Array,
  xBase: number,
  y: Float64Array,
  yBase: number,
): void {
  const xr = x[xBase + r]
  let sum = a[r * n + r] * xr
  for (let j = r + 1; j < end; j++) {
    sum += a[r * n + j] * x[xBase + j]
    y[yBase + j] += a[r * n + j] * xr
  }
  y[yBase + r] += sum
}

/** X ← Q X in place, for X [n × count] row-major; panel by panel from the last: H_k … H_{k+r−1} = I − Vᵀ T V with
 * V [r × n], T upper triangular (the compact WY form of Schreiber and Van Loan, 1989). Cost: 2 n² count operations. */
export function applyReflectors(reduced: Tridiagonalization, x: Float64Array, count: number): void {
  const n = reduced.diagonal.length
  const last = Math.max(0, n - 2)
  const v = new Float64Array(panelWidth * n)
  for (let k0 = Math.floor(Math.max(0, last - 1) / panelWidth) * panelWidth; k0 >= 0 && last > 0; k0 -= panelWidth) {
    const width = Math.min(panelWidth, last - k0)
    v.fill(0)
    for (let i = 0; i < width; i++) {
      const k = k0 + i
      v.set(reduced.reflectors.subarray(k * n + k + 1, (k + 1) * n), i * n + k + 1)
    }
    applyPanel(v, reduced.factors.subarray(k0, k0 + width), x, count, k0 + 1)
  }
}

/** x ← Q x, or Qᵀ x, in place for one vector [n], one reflector after the other. */
export function reflectVector(reduced: Tridiagonalization, x: Float64Array, transposed: boolean): void {
  const { reflectors, factors } = reduced
  const n = x.length
  const last = Math.max(0, n - 2)
  for (let step = 0; step < last; step++) {
    const k = transposed ? step : last - 1 - step
    const row = k * n + k + 1
    const length = n - k - 1
    const amount = factors[k] * rowProduct(reflectors, row, x, k + 1, length)
    for (let j = 0; j < length; j++) x[k + 1 + j] -= amount * reflectors[row + j]
  }
}

/** X ← (I − Vᵀ T V) X on the rows from `start` on, where all of V [r × n] lives. */
function applyPanel(v: Float64Array, tau: Float64Array, x: Float64Array, count: number, start: number): void {
  const width = tau.length
  const n = x.length / count
  const t = triangularFactor(v, tau, n)
  const product = new Float64Array(width * count)
  const scaled = new Float64Array(width * count)
  const rowsOfV: MatrixView = { data: v, offset: start, rowStride: n, columnStride: 1 }
  const columnsOfV: MatrixView = { data: v, offset: start, rowStride: 1, columnStride: n }
  const block: MatrixView = { data: x, offset: start * count, rowStride: count, columnStride: 1 }
  const wide = (data: Float64Array): MatrixView => ({ data, offset: 0, rowStride: count, columnStride: 1 })
  const size = n - start
  gemm(width, count, size, 1, rowsOfV, block, wide(product))
  gemm(width, count, width, 1, { data: t, offset: 0, rowStride: width, columnStride: 1 }, wide(product), wide(scaled))
  gemm(size, count, width, -1, columnsOfV, wide(scaled), block)
}

/** T of the compact WY form, [r × r] row-major. */
function triangularFactor(v: Float64Array, tau: Float64Array, n: number): Float64Array {
  const width = tau.length
  const t = new Float64Array(width * width)
  const products = new Float64Array(width)
  for (let i = 0; i < width; i++) {
    t[i * width + i] = tau[i]
    for (let p = 0; p < i; p++) products[p] = rowProduct(v, p * n, v, i * n, n)
    for (let p = 0; p < i; p++) {
      let sum = 0
      for (let l = p; l < i; l++) sum += t[p * width + l] * products[l]
      t[p * width + i] = -tau[i] * sum
    }
  }
  return t
}
