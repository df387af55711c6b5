import { gaussHermite } from '../../linalg/gauss-hermite.ts'
import { matmulTransposedRight, matrix, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { activationSamples } from './activation-samples.ts'
import type { DualActivation, DualLayer } from './dual-activation.ts'

/** Numbers of nodes that are tried; the next is taken until doubling changes nothing. */
const nodeCounts = [32, 64, 128, 256] as const

/** What doubling may change, relative to E σ². */
const wanted = 1e-15

/** Squared coefficients below this share of E σ² are rounding. */
const negligible = 1e-20

/** A smooth activation by its Hermite series (Mehler's formula): with h_k the orthonormal Hermite polynomials,
 *
 *     E σ(u)σ(v) = Σ_k a_k(s) a_k(t) ρᵏ ,   a_k(s) = E σ(√s Z) h_k(Z)
 *
 * and the same for σ'. The coefficients come from Gauss–Hermite quadrature, once per variance, so that a pair costs one
 * short power series. Every term is a positive semidefinite function of ρ, so the kernel cannot lose definiteness by
 * truncation. The error is what doubling the nodes changes; slow decay of the coefficients (large variances, activations
 * that are not analytic) shows in it.
 * Cost of a layer: V N² for V different variances and N nodes. Source: Mehler 1866; Daniely et al. 2016. */
export function hermiteDual(name: string): DualActivation {
  return { name, method: 'hermite-series', kink: 0, layer: (variances) => hermiteLayer(name, variances) }
}

interface Series {
  /** [V × K], a_k of each different variance. */
  readonly coefficients: Matrix
  readonly squares: Float64Array
  readonly error: number
}

interface LayerSeries {
  readonly values: Series
  readonly slopes: Series
}

function hermiteLayer(name: string, variances: Float64Array): DualLayer {
  const distinct = Float64Array.from(new Set(variances)).sort()
  const positions = new Map(Array.from(distinct, (s, v) => [s, v] as const))
  const which = Int32Array.from(variances, (s) => positions.get(s)!)
  const { values, slopes } = seriesOf(name, distinct)
  const pick = (numbers: Float64Array): Float64Array => Float64Array.from(which, (v) => numbers[v])
  const squares = pick(values.squares)
  const width = values.coefficients.cols
  const length = Math.max(values.coefficients.cols, slopes.coefficients.cols)
  const common = distinct.length === 1
  const a = widened(values.coefficients, length)
  const b = widened(slopes.coefficients, length)
  // with one variance the products of coefficients are the same for all pairs
  if (common)
    for (let k = 0; k < length; k++) {
      a[k] *= a[k]
      b[k] *= b[k]
    }
  const means = Float64Array.from(which, (v) => values.coefficients.data[v * width])
  const pair = (i: number, j: number, gap: number, out: Float64Array): void => {
    const rho = 1 - gap
    const p = which[i] * length
    const q = which[j] * length
    let product = 0
    let slope = 0
    if (common)
      for (let k = length - 1; k >= 0; k--) {
        product = product * rho + a[k]
        slope = slope * rho + b[k]
      }
    else
      for (let k = length - 1; k >= 0; k--) {
        product = product * rho + a[p + k] * a[q + k]
        slope = slope * rho + b[p + k] * b[q + k]
      }
    out[0] = product
    out[1] = slope
    out[2] = (squares[i] + squares[j]) / 2 - product
  }
  return {
    means,
    squares,
    slopeSquares: pick(slopes.squares),
    pair,
    error: values.error,
    slopeError: slopes.error,
  }
}

/** Rows extended by zeros to `length`. */
function widened({ rows, cols, data }: Matrix, length: number): Float64Array {
  const out = new Float64Array(rows * length)
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * cols, (i + 1) * cols), i * length)
  return out
}

/** Series for all variances with as many nodes as the largest one, the hardest, needs. */
function seriesOf(name: string, distinct: Float64Array): LayerSeries {
  const hardest = distinct.slice(-1)
  let before = rawSeries(name, hardest, nodeCounts[0])
  let chosen = nodeCounts[0] as number
  let errors: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const count of nodeCounts.slice(1)) {
    const now = rawSeries(name, hardest, count)
    errors = [doublingError(before.values, now.values), doublingError(before.slopes, now.slopes)]
    before = now
    chosen = count
    if (errors[0] <= wanted * now.values.squares[0] && errors[1] <= wanted * now.slopes.squares[0]) break
  }
  const all = rawSeries(name, distinct, chosen)
  return { values: truncated(all.values, errors[0]), slopes: truncated(all.slopes, errors[1]) }
}

type RawSeries = Omit<Series, 'error'>

function rawSeries(name: string, distinct: Float64Array, count: number): { values: RawSeries; slopes: RawSeries } {
  const { nodes, weights, basis } = hermiteBasis(count)
  const points = new Float64Array(distinct.length * count)
  distinct.forEach((s, v) => {
    for (let m = 0; m < count; m++) points[v * count + m] = Math.sqrt(s) * nodes[m]
  })
  const samples = activationSamples(name, points)
  const series = (data: Float64Array): RawSeries => ({
    coefficients: matmulTransposedRight(matrix(distinct.length, count, data), basis),
    squares: distinct.map((_, v) => {
      let sum = 0
      for (let m = 0; m < count; m++) sum += weights[m] * data[v * count + m] ** 2
      return sum
    }),
  })
  return { values: series(samples.values), slopes: series(samples.slopes) }
}

/** How much E σ(u)σ(v) can differ, at any ρ in [−1, 1], between N/2 and N nodes: Σ_k |a_k² − a_k'²|. It overstates the
 * error that is left with N. */
function doublingError(coarse: RawSeries, fine: RawSeries): number {
  const a = coarse.coefficients.data
  const b = fine.coefficients.data
  let sum = 0
  for (let k = 0; k < b.length; k++) sum += Math.abs(b[k] ** 2 - (a[k] ?? 0) ** 2)
  return sum
}

/** Drops the trailing terms that are rounding. */
function truncated({ coefficients, squares }: RawSeries, doubling: number): Series {
  const { rows, cols, data } = coefficients
  let length = 1
  for (let v = 0; v < rows; v++)
    for (let k = length; k < cols; k++) if (data[v * cols + k] ** 2 > negligible * squares[v]) length = k + 1
  const short = zeros(rows, length)
  for (let v = 0; v < rows; v++) short.data.set(data.subarray(v * cols, v * cols + length), v * length)
  const rounding = 2 ** -52 * squares.reduce((most, value) => Math.max(most, value), 0)
  return { coefficients: short, squares, error: doubling + rounding }
}

interface Basis {
  readonly nodes: Float64Array
  readonly weights: Float64Array
  /** [K × N], w_m h_k(z_m): coefficients are products with samples. */
  readonly basis: Matrix
}

const bases = new Map<number, Basis>()

function hermiteBasis(count: number): Basis {
  const known = bases.get(count)
  if (known) return known
  const { nodes, weights } = gaussHermite(count)
  const basis = zeros(count, count)
  for (let m = 0; m < count; m++) {
    // √w h_k stays of order 1 where h_k alone would overflow
    const root = Math.sqrt(weights[m])
    let previous = 0
    let current = root
    for (let k = 0; k < count; k++) {
      basis.data[k * count + m] = root * current
      const next = (nodes[m] * current - Math.sqrt(k) * previous) / Math.sqrt(k + 1)
      previous = current
      current = next
    }
  }
  const made = { nodes, weights, basis }
  bases.set(count, made)
  return made
}
