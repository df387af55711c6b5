import { DomainError, ShapeError } from '@thalweg/graph'
import {
  firstNonFinite,
  frobenius,
  matmul,
  matmulTransposedRight,
  matrix,
  qr,
  row,
  svd,
  transpose,
  zeros,
} from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import type { LinearAssumptions } from './linear-assumptions.ts'
import { checkAssumptions } from './linear-assumptions.ts'

/** Least squares by a deep linear network (Kawaguchi 2016),
 *
 *      L̄(W) = ½ ‖W_L ⋯ W_1 X − Y‖² ,   W_k ∈ R^{d_k × d_{k−1}} ,
 *
 * with everything that its critical points depend on. Columns of X and Y are samples; the loss is a sum over them. */
export interface LinearProblem {
  /** d_0 … d_L: all widths, input and output included. */
  readonly widths: readonly number[]
  /** L, the number of weight matrices; there are L − 1 hidden layers. */
  readonly layers: number
  readonly parameterCount: number
  readonly samples: number
  /** X [d_x × m'] and Y [d_y × m'], m' = min(m, d_x + d_y): above that the samples are replaced by the triangular
   * factor of [X; Y], which leaves every loss and derivative as it is. */
  readonly x: Matrix
  readonly y: Matrix
  /** Y Xᵀ, [d_y × d_x]. */
  readonly crossMoment: Matrix
  /** R = Y X⁺, [d_y × d_x]: the least squares map; of all those the one of least norm if X has dependent rows. */
  readonly leastSquaresMap: Matrix
  /** Σ = Y X⁺ X Yᵀ = (R X)(R X)ᵀ, [d_y × d_y]. */
  readonly sigma: Matrix
  /** Eigenvalues of Σ, [d_y], descending, exactly 0 from position `signalRank` on. */
  readonly eigenvalues: Float64Array
  /** U: orthonormal eigenvectors of Σ in columns, largest entry of each positive. */
  readonly eigenvectors: Matrix
  /** [d_y], 0, 1, … ascending: equal for eigenvalues that are equal within the tolerance. */
  readonly eigenvalueGroups: Int32Array
  /** Number of positive eigenvalues, the rank of X Yᵀ. */
  readonly signalRank: number
  readonly inputRank: number
  /** r_max = min(rank X, d_1, …, d_L): the largest rank that the network can give its map on the data. */
  readonly rankMax: number
  /** min(r_max, signalRank): the rank at a global minimum of least rank. */
  readonly optimalRank: number
  readonly squaredTargets: number
  /** ½‖R X − Y‖²: the loss of the best linear map of any rank. */
  readonly leastSquaresLoss: number
  /** L* = ½(‖Y‖² − Σ_{i ≤ optimalRank} λ_i). */
  readonly globalMinimum: number
  readonly assumptions: LinearAssumptions
}

export interface LinearProblemOptions {
  /** Singular values up to this times the largest count as zero. Default 1e-10: far above rounding, far below data. */
  readonly rankTolerance?: number
  /** Neighboring eigenvalues count as equal when they differ by at most this times λ_1. Default 1e-8. */
  readonly gapTolerance?: number
}

/** Checks the data and computes the spectrum of Σ.
 *
 * Data outside the assumptions of the theorem are kept, and `assumptions` says which statements then still hold: with
 * dependent rows (or fewer samples than features) only range(X) enters the loss and d_x is replaced by rank X; equal
 * or zero eigenvalues of Σ turn a class of critical points into a choice of dimensions in each eigenspace.
 *
 * @param x  X [d_x × m].
 * @param y  Y [d_y × m].
 * @throws {ShapeError} if sizes disagree; {DomainError} at NaN or infinity, at a width that is no positive integer, or
 *         if X = 0 (then the loss does not depend on the weights).
 * Cost: O(m (d_x + d_y)²). Source: Kawaguchi, NeurIPS 2016, §2; Baldi and Hornik 1989. */
export function linearProblem(
  x: Matrix,
  y: Matrix,
  widths: readonly number[],
  options: LinearProblemOptions = {},
): LinearProblem {
  requireData(x, y)
  requireMatchingWidths(x, y, widths)
  const { rankTolerance = 1e-10, gapTolerance = 1e-8 } = options
  const samples = x.cols
  const compressed = compress(x, y)
  const input = inputFactors(compressed.x, rankTolerance)
  const signal = matmul(compressed.y, input.right)
  const spectrum = sigmaSpectrum(signal, rankTolerance * frobenius(compressed.y))
  const { eigenvalues, eigenvectors, signalRank } = spectrum
  const layers = widths.length - 1
  const rankMax = Math.min(input.rank, ...widths.slice(1))
  const optimalRank = Math.min(rankMax, signalRank)
  const residual = frobenius(difference(matmulTransposedRight(signal, input.right), compressed.y))
  const leastSquaresLoss = (residual * residual) / 2
  const eigenvalueGroups = groupsOf(eigenvalues, signalRank, gapTolerance)
  return {
    widths: [...widths],
    layers,
    parameterCount: widths.slice(1).reduce((sum, d, k) => sum + d * widths[k], 0),
    samples,
    ...compressed,
    crossMoment: matmulTransposedRight(compressed.y, compressed.x),
    leastSquaresMap: matmulTransposedRight(
      scaleColumns(signal, (k) => 1 / input.values[k]),
      input.left,
    ),
    sigma: matmulTransposedRight(signal, signal),
    eigenvalues,
    eigenvectors,
    eigenvalueGroups,
    signalRank,
    inputRank: input.rank,
    rankMax,
    optimalRank,
    squaredTargets: frobenius(compressed.y) ** 2,
    leastSquaresLoss,
    // Sums the eigenvalues left out, not ‖Y‖² minus those kept: no cancellation near interpolation.
    globalMinimum: leastSquaresLoss + eigenvalues.subarray(optimalRank).reduce((sum, v) => sum + v / 2, 0),
    assumptions: checkAssumptions({
      inputs: x.rows,
      outputs: y.rows,
      samples,
      layers,
      targetRank: svd(compressed.y).values.filter((v) => v > rankTolerance * frobenius(compressed.y)).length,
      inputConditionNumber: (input.values[0] / input.values[input.values.length - 1]) ** 2,
      inputRank: input.rank,
      signalRank,
      eigenvalues,
      gapTolerance,
    }),
  }
}

/** The problem of data whose rows are samples, as data sets have them: x [n × d_x], y [n × d_y].
 * @param sampleWeights  one per sample, not negative; they weigh the squared errors.
 * Errors and cost as `linearProblem`. */
export function linearProblemFromRows(
  x: Matrix,
  y: Matrix,
  widths: readonly number[],
  options: LinearProblemOptions & { readonly sampleWeights?: Float64Array } = {},
): LinearProblem {
  if (x.rows !== y.rows) {
    throw new ShapeError(`linearProblem: x and y must have one row per sample, got ${x.rows} and ${y.rows} rows.`)
  }
  const { sampleWeights, ...rest } = options
  if (sampleWeights && (sampleWeights.length !== x.rows || sampleWeights.some((w) => !(w >= 0)))) {
    throw new DomainError(`linearProblem: sampleWeights must be ${x.rows} numbers that are not negative.`)
  }
  const weighted = (a: Matrix): Matrix =>
    sampleWeights ? scaleColumns(transpose(a), (i) => Math.sqrt(sampleWeights[i])) : transpose(a)
  return linearProblem(weighted(x), weighted(y), widths, rest)
}

function requireData(x: Matrix, y: Matrix): void {
  if (x.cols !== y.cols || x.cols === 0) {
    throw new ShapeError(
      `linearProblem: X and Y must have the same number of samples (columns), at least one, got ${x.cols} and ${y.cols}.`,
    )
  }
  for (const [name, a] of [
    ['X', x],
    ['Y', y],
  ] as const) {
    const bad = firstNonFinite(a.data)
    if (bad < 0) continue
    const [feature, sample] = [Math.floor(bad / a.cols), bad % a.cols]
    throw new DomainError(
      `linearProblem: ${name} must be finite, got ${a.data[bad]} at sample ${sample}, feature ${feature}. Remove or impute it.`,
      { sample, feature },
    )
  }
}

function requireMatchingWidths(x: Matrix, y: Matrix, widths: readonly number[]): void {
  if (widths.length < 2 || widths.some((d) => !(Number.isInteger(d) && d >= 1))) {
    throw new DomainError(
      `linearProblem: widths must be at least two positive integers, input and output included, got [${widths}].`,
    )
  }
  if (widths[0] !== x.rows || widths[widths.length - 1] !== y.rows) {
    throw new ShapeError(
      `linearProblem: widths must begin with ${x.rows} inputs and end with ${y.rows} outputs as the data do, got [${widths}].`,
    )
  }
}

/** Fewer columns with the same [X; Y][X; Y]ᵀ, hence the same losses. */
function compress(x: Matrix, y: Matrix): { x: Matrix; y: Matrix } {
  const size = x.rows + y.rows
  if (x.cols <= size) return { x, y }
  const stacked = zeros(size, x.cols)
  stacked.data.set(x.data)
  stacked.data.set(y.data, x.data.length)
  const lower = transpose(qr(transpose(stacked)).r)
  return {
    x: matrix(x.rows, size, lower.data.slice(0, x.rows * size)),
    y: matrix(y.rows, size, lower.data.slice(x.rows * size)),
  }
}

interface InputFactors {
  readonly rank: number
  /** All min(d_x, m') singular values; 0 appended where m' < d_x, so that the condition number sees it. */
  readonly values: Float64Array
  /** [d_x × rank] and [m' × rank]. */
  readonly left: Matrix
  readonly right: Matrix
}

function inputFactors(x: Matrix, tolerance: number): InputFactors {
  const { u, values, v } = svd(x)
  const rank = values.filter((value) => value > tolerance * values[0]).length
  if (rank === 0) {
    throw new DomainError(
      'linearProblem: X must not be zero, got only zeros: the loss does not depend on the weights. Center less or add inputs.',
    )
  }
  return {
    rank,
    values: x.cols < x.rows ? Float64Array.of(...values, 0) : values,
    left: firstColumns(u, rank),
    right: firstColumns(v, rank),
  }
}

/** Σ = M Mᵀ from the singular values of M = Y V: small eigenvalues keep more digits than from Σ itself. */
function sigmaSpectrum(
  signal: Matrix,
  threshold: number,
): { eigenvalues: Float64Array; eigenvectors: Matrix; signalRank: number } {
  const outputs = signal.rows
  // Zero columns make Mᵀ tall, so that its right singular vectors are a full basis of the outputs.
  const tall = zeros(Math.max(outputs, signal.cols), outputs)
  tall.data.set(transpose(signal).data)
  const { values, v } = svd(tall)
  const signalRank = values.filter((value) => value > threshold).length
  return {
    eigenvalues: values.map((value, i) => (i < signalRank ? value * value : 0)),
    eigenvectors: withPositivePeaks(v),
    signalRank,
  }
}

function withPositivePeaks(vectors: Matrix): Matrix {
  const rows = transpose(vectors)
  for (let k = 0; k < rows.rows; k++) {
    const entries = row(rows, k)
    const peak = entries.reduce((best, e) => (Math.abs(e) > Math.abs(best) * (1 + 1e-12) ? e : best), 0)
    if (peak < 0) for (let i = 0; i < entries.length; i++) entries[i] = -entries[i]
  }
  return transpose(rows)
}

function groupsOf(eigenvalues: Float64Array, signalRank: number, tolerance: number): Int32Array {
  const groups = new Int32Array(eigenvalues.length)
  for (let i = 1; i < eigenvalues.length; i++) {
    const equal = i < signalRank ? eigenvalues[i - 1] - eigenvalues[i] <= tolerance * eigenvalues[0] : i > signalRank
    groups[i] = groups[i - 1] + (equal ? 0 : 1)
  }
  return groups
}

function firstColumns(a: Matrix, count: number): Matrix {
  const result = zeros(a.rows, count)
  for (let i = 0; i < a.rows; i++) result.data.set(row(a, i).subarray(0, count), i * count)
  return result
}

function scaleColumns(a: Matrix, factor: (column: number) => number): Matrix {
  return matrix(
    a.rows,
    a.cols,
    a.data.map((entry, i) => entry * factor(i % a.cols)),
  )
}

function difference(a: Matrix, b: Matrix): Matrix {
  return matrix(
    a.rows,
    a.cols,
    a.data.map((entry, i) => entry - b.data[i]),
  )
}
