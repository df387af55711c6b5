import { DomainError, TaskError } from '@thalweg/graph'
import type { RandomStream } from '../random/random-stream.ts'
import { randomStream } from '../random/random-stream.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows, unitRows } from './linear-operator.ts'
import type { Matrix } from './matrix.ts'
import { gemv, matmulTransposedRight, rowProduct, trace, transpose } from './matrix.ts'
import { orthonormalRows, qr } from './qr.ts'
import { solveUpperTransposed } from './triangular.ts'
import { axpy, dot, norm, scale } from './vector.ts'

/** A number with the evidence for it. */
export interface Estimate {
  readonly value: number
  /** One standard error of `value`; zero where the method has become exact to rounding. */
  readonly standardError: number
  readonly products: number
  readonly method: 'exact' | 'hutchinson' | 'hutch++' | 'xtrace'
}

export interface EstimateOptions {
  /** Products to spend; default 100. With p or more the result is exact and takes p. */
  readonly products?: number
  /** Default 0. */
  readonly seed?: number
  /** Ends the estimate early, with the samples drawn so far where there are two: `TaskError` otherwise. */
  readonly signal?: { readonly aborted: boolean }
}

/** Rows per product, so that a signal is heard in between. */
const rowsPerCall = 16

/** Products with `count` rows in small batches; those done before the signal, and how many they are. */
async function applyUntil(
  where: string,
  operator: LinearOperator,
  vectors: Float64Array,
  count: number,
  signal: EstimateOptions['signal'],
): Promise<{ images: Float64Array; done: number }> {
  if (signal === undefined) return { images: await applyRows(where, operator, vectors, count), done: count }
  const { size } = operator
  const images = new Float64Array(count * size)
  let done = 0
  while (done < count && !signal.aborted) {
    const some = Math.min(rowsPerCall, count - done)
    images.set(await applyRows(where, operator, vectors.subarray(done * size, (done + some) * size), some), done * size)
    done += some
  }
  return { images, done }
}

function stopped(where: string, done: number, total: number): TaskError {
  return new TaskError(
    `${where}: stopped after ${done} of ${total} products, too few for an estimate. Allow more time.`,
  )
}

function requireProducts(where: string, options: EstimateOptions, least: number): number {
  const products = options.products ?? 100
  if (Number.isInteger(products) && products >= least) return products
  throw new DomainError(`${where}: products must be an integer of at least ${least}, got ${products}.`)
}

/** Mean and its standard error, from independent samples; one sample alone has no error to show: NaN. */
export function meanAndError(samples: ArrayLike<number>): { mean: number; standardError: number } {
  const count = samples.length
  let mean = 0
  for (let i = 0; i < count; i++) mean += samples[i] / count
  let squares = 0
  for (let i = 0; i < count; i++) squares += (samples[i] - mean) ** 2
  return { mean, standardError: count > 1 ? Math.sqrt(squares / (count * (count - 1))) : Number.NaN }
}

/** Random rows [count × size]. */
function probes(count: number, size: number, fill: (target: Float64Array) => void): Float64Array {
  const rows = new Float64Array(count * size)
  for (let i = 0; i < count; i++) fill(rows.subarray(i * size, (i + 1) * size))
  return rows
}

function signs(stream: RandomStream): (target: Float64Array) => void {
  return (target) => stream.fillRademacher(target)
}

/** tr A by products with all unit vectors, for small operators. */
export async function exactTrace(where: string, operator: LinearOperator): Promise<Estimate> {
  const { size } = operator
  let value = 0
  for (let start = 0; start < size; start += 64) {
    const count = Math.min(64, size - start)
    const images = await applyRows(where, operator, unitRows(start, count, size), count)
    for (let i = 0; i < count; i++) value += images[i * size + start + i]
  }
  return { value, standardError: 0, products: size, method: 'exact' }
}

/** Trace of an operator by Hutchinson's estimator with random signs: the mean of zᵀAz.
 *
 * Unbiased; variance 2 (‖A‖_F² − Σ a_ii²) / products for symmetric A. Exact where `products` ≥ p.
 *
 * @throws {DomainError} if fewer than 2 products are allowed or one is not finite.
 * Source: Hutchinson (1990); Avron and Toledo, J. ACM 58 (2011). */
export async function hutchinsonTrace(operator: LinearOperator, options: EstimateOptions = {}): Promise<Estimate> {
  const where = 'hutchinsonTrace'
  const { size } = operator
  const products = requireProducts(where, options, 2)
  if (products >= size) return exactTrace(where, operator)
  const stream = randomStream(options.seed ?? 0, 'hutchinson trace')
  const samples: number[] = []
  for (let start = 0; start < products && !(options.signal?.aborted && start > 0); start += 32) {
    const count = Math.min(32, products - start)
    const z = probes(count, size, signs(stream))
    const images = await applyRows(where, operator, z, count)
    for (let i = 0; i < count; i++) samples.push(rowProduct(z, i * size, images, i * size, size))
  }
  const { mean, standardError } = meanAndError(samples)
  return { value: mean, standardError, products: samples.length, method: 'hutchinson' }
}

/** Trace of a symmetric operator by Hutch++: exact on the range of A S for a random S, Hutchinson's estimator on what
 * is left, a third of the products each.
 *
 *      tr A = tr(Q A Qᵀ) + tr((I − QᵀQ) A (I − QᵀQ))
 *
 * Unbiased; the standard error comes from the samples of the second term. Exact where `products` ≥ p.
 *
 * @throws {DomainError} if fewer than 6 products are allowed or one is not finite.
 * Source: Meyer, Musco, Musco, Woodruff, SOSA 2021. */
export async function hutchPlusPlusTrace(operator: LinearOperator, options: EstimateOptions = {}): Promise<Estimate> {
  const where = 'hutchPlusPlusTrace'
  const { size } = operator
  const products = requireProducts(where, options, 6)
  if (products >= size) return exactTrace(where, operator)
  const third = Math.floor(products / 3)
  const stream = randomStream(options.seed ?? 0, 'hutch++ trace')
  const { signal } = options
  const sketched = await applyUntil(where, operator, probes(third, size, signs(stream)), third, signal)
  if (sketched.done < third) throw stopped(where, sketched.done, products)
  const basis = orthonormalRows({ rows: third, cols: size, data: sketched.images })
  const within = await applyUntil(where, operator, basis.data, basis.rows, signal)
  if (within.done < basis.rows) throw stopped(where, third + within.done, products)
  let captured = 0
  for (let i = 0; i < basis.rows; i++) captured += rowProduct(basis.data, i * size, within.images, i * size, size)
  const rest = products - third - basis.rows
  const z = probes(rest, size, signs(stream))
  for (let i = 0; i < rest; i++) projectAway(basis, z.subarray(i * size, (i + 1) * size))
  const { images, done } = await applyUntil(where, operator, z, rest, signal)
  if (done < Math.min(2, rest)) throw stopped(where, third + basis.rows + done, products)
  const samples = Array.from({ length: done }, (_, i) => rowProduct(z, i * size, images, i * size, size))
  const { mean, standardError } = meanAndError(samples)
  return { value: captured + mean, standardError, products: third + basis.rows + done, method: 'hutch++' }
}

function projectAway(basis: Matrix, z: Float64Array): void {
  for (let i = 0; i < basis.rows; i++) {
    const q = basis.data.subarray(i * basis.cols, (i + 1) * basis.cols)
    axpy(-dot(q, z), q, z)
  }
}

/** Trace of a symmetric operator by XTrace: every probe ω_i serves in turn as the sample on what the range of all
 * others leaves out, and the estimates are averaged.
 *
 *      t_i = tr(P_i A) + c_i μ_iᵀ A μ_i ,   μ_i = (I − P_i) ω_i ,   c_i = (p − rank P_i) / ‖μ_i‖²
 *
 * With m = products / 2, range(A Ω) = range(Q), A Ω = Q R, P_i = Q (I − s_i s_iᵀ) Qᵀ, s_i ∝ column i of R⁻ᵀ, so that
 * no further product is needed. Unbiased; the standard error is that of the t_i as in the paper; they
 * are weakly dependent, and on a spectrum 0.85^i it was measured 1.6 times too small.
 * Exact where `products` ≥ p or where A Ω has lost rank, that is where rank A < m.
 *
 * @throws {DomainError} if fewer than 4 products are allowed or one is not finite.
 * Cost: O(p m² + m³). Source: Epperly, Tropp, Webber, SIAM J. Matrix Anal. Appl. 45 (2024), §2 and §2.3. */
export async function xtrace(operator: LinearOperator, options: EstimateOptions = {}): Promise<Estimate> {
  const where = 'xtrace'
  const { size } = operator
  const products = requireProducts(where, options, 4)
  if (products >= size) return exactTrace(where, operator)
  const count = Math.floor(products / 2)
  const stream = randomStream(options.seed ?? 0, 'xtrace')
  const omega = probes(count, size, (target) => {
    stream.fillNormal(target)
    scale(Math.sqrt(size) / norm(target), target)
  })
  const sketch = await applyRows(where, operator, omega, count)
  const { q, r, permutation, rank } = qr(transpose({ rows: count, cols: size, data: sketch }), { pivot: true })
  const basis = transpose(q)
  const images = await applyRows(where, operator, basis.data, count)
  // H = Qᵀ A Q, [m × m].
  const h = matmulTransposedRight(basis, { rows: count, cols: size, data: images })
  const spent = { products: 2 * count, method: 'xtrace' } as const
  if (rank < count) {
    // The range of A is captured: beyond `rank`, rows of Q are arbitrary and add rounding only.
    return { value: trace(h), standardError: 0, ...spent }
  }
  const samples: number[] = []
  for (let k = 0; k < count; k++) {
    const probe = omega.subarray(permutation[k] * size, (permutation[k] + 1) * size)
    samples.push(leaveOneOut(h, r, k, gemv(basis, probe), size, dot(probe, probe)))
  }
  const { mean, standardError } = meanAndError(samples)
  return { value: mean, standardError, ...spent }
}

/** t_k; `w` = Qᵀω_k. All products are within the coordinates of Q: ωᵀAω = wᵀr, Qᵀ A ω = r with r column k of R. */
function leaveOneOut(h: Matrix, r: Matrix, k: number, w: Float64Array, size: number, square: number): number {
  const count = h.rows
  const s = new Float64Array(count)
  s[k] = 1
  // Column k of R⁻ᵀ is orthogonal to all columns of R but column k.
  solveUpperTransposed(r.data, count, count, s)
  scale(1 / norm(s), s)
  const y = w.slice()
  axpy(-dot(s, w), s, y)
  const column = Float64Array.from({ length: count }, (_, i) => (i <= k ? r.data[i * count + k] : 0))
  const quadratic = dot(w, column) - 2 * dot(column, y) + dot(y, gemv(h, y))
  const weight = (size - (count - 1)) / (square - dot(y, y))
  return trace(h) - dot(s, gemv(h, s)) + weight * quadratic
}

/** ‖A‖_F of any square operator from E‖A z‖² = ‖A‖_F² for random signs z; the standard error is that of the square,
 * carried through the root. Exact where `products` ≥ p.
 * @throws {DomainError} if fewer than 2 products are allowed or one is not finite. */
export async function frobeniusNorm(operator: LinearOperator, options: EstimateOptions = {}): Promise<Estimate> {
  const where = 'frobeniusNorm'
  const { size } = operator
  const products = requireProducts(where, options, 2)
  const exact = products >= size
  const total = exact ? size : products
  const stream = randomStream(options.seed ?? 0, 'frobenius norm')
  const samples: number[] = []
  for (let start = 0; start < total; start += 32) {
    if (options.signal?.aborted) {
      if (exact || samples.length < 2) throw stopped(where, start, total)
      break
    }
    const count = Math.min(32, total - start)
    const z = exact ? unitRows(start, count, size) : probes(count, size, signs(stream))
    const images = await applyRows(where, operator, z, count)
    for (let i = 0; i < count; i++) samples.push(rowProduct(images, i * size, images, i * size, size))
  }
  const { mean, standardError } = meanAndError(samples)
  if (exact) return { value: Math.sqrt(mean * size), standardError: 0, products: size, method: 'exact' }
  const value = Math.sqrt(mean)
  return {
    value,
    standardError: mean > 0 ? standardError / (2 * value) : 0,
    products: samples.length,
    method: 'hutchinson',
  }
}
