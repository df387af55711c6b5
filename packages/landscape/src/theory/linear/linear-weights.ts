import { ShapeError } from '@thalweg/graph'
import { frobenius, identity, matmul, matrix, svd } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import type { RandomStream } from '../../random/index.ts'
import type { LinearProblem } from './linear-problem.ts'

/** W_1, …, W_L in order: `weights[k − 1]` is W_k [d_k × d_{k−1}]. Flat: row-major, one after the other, as
 * `linearNetwork` lays out its θ. */
export type LinearWeights = readonly Matrix[]

/** @throws {ShapeError} if the matrices are not those of the widths. */
export function requireWeights(where: string, widths: readonly number[], weights: LinearWeights): void {
  const shapes = weights.map((w) => `${w.rows}×${w.cols}`).join(', ')
  const expected = widths.slice(1).map((d, k) => `${d}×${widths[k]}`)
  if (shapes !== expected.join(', ')) {
    throw new ShapeError(
      `${where}: weights must have shapes ${expected.join(', ')} for widths [${widths}], got ${shapes}.`,
    )
  }
}

/** The flat θ [p]. */
export function flattenWeights(weights: LinearWeights): Float64Array {
  const theta = new Float64Array(weights.reduce((sum, w) => sum + w.data.length, 0))
  let start = 0
  for (const { data } of weights) {
    theta.set(data, start)
    start += data.length
  }
  return theta
}

/** The matrices in a flat θ, as views of it.
 * @throws {ShapeError} if θ does not have Σ d_k d_{k−1} entries. */
export function unflattenWeights(widths: readonly number[], theta: Float64Array): Matrix[] {
  let start = 0
  const weights = widths.slice(1).map((rows, k) => {
    const end = start + rows * widths[k]
    const data = theta.subarray(start, Math.min(end, theta.length))
    start = end
    return { rows, cols: widths[k], data }
  })
  if (start !== theta.length) {
    throw new ShapeError(`unflattenWeights: θ must have ${start} entries for widths [${widths}], got ${theta.length}.`)
  }
  return weights
}

/** Entries N(0, standardDeviation²). */
export function randomWeights(
  widths: readonly number[],
  random: RandomStream,
  standardDeviation: number = 1,
): Matrix[] {
  return widths.slice(1).map((rows, k) => {
    const data = random.normals(rows * widths[k])
    return matrix(
      rows,
      widths[k],
      data.map((z) => z * standardDeviation),
    )
  })
}

/** W_high ⋯ W_low (1-based); the identity of size d_high if high = low − 1. */
export function layerProduct(weights: LinearWeights, high: number, low: number): Matrix {
  if (high < low) return identity(high === 0 ? weights[0].cols : weights[high - 1].rows)
  let product = weights[high - 1]
  for (let k = high - 1; k >= low; k--) product = matmul(product, weights[k - 1])
  return product
}

/** W_L ⋯ W_1 [d_y × d_x]: all that the network's function depends on. */
export function endToEndMap(weights: LinearWeights): Matrix {
  return layerProduct(weights, weights.length, 1)
}

/** W + t V, layer by layer. */
export function shiftedWeights(weights: LinearWeights, t: number, direction: LinearWeights): Matrix[] {
  return weights.map(({ rows, cols, data }, k) => ({
    rows,
    cols,
    data: data.map((w, i) => w + t * direction[k].data[i]),
  }))
}

/** Number of singular values above an absolute threshold; the nearest ones on both sides tell how safe the count is. */
export interface NumericalRank {
  readonly rank: number
  /** Smallest singular value that counts, or infinity. */
  readonly smallestKept: number
  /** Largest that does not, or 0. */
  readonly largestDropped: number
}

export function numericalRank(a: Matrix, threshold: number): NumericalRank {
  if (a.rows === 0 || a.cols === 0) return { rank: 0, smallestKept: Number.POSITIVE_INFINITY, largestDropped: 0 }
  const { values } = svd(a)
  const rank = values.filter((value) => value > threshold).length
  return {
    rank,
    smallestKept: rank === 0 ? Number.POSITIVE_INFINITY : values[rank - 1],
    largestDropped: rank === values.length ? 0 : values[rank],
  }
}

/** Sizes against which gradients and Hessians at a point are small or not: what their terms would be if every layer
 * had the size of the largest one, or of ‖R‖^(1/L) if that is larger (so that W = 0 has a scale). */
export interface LinearScales {
  /** ‖R‖^(1/L), and the larger of it and the largest layer. */
  readonly natural: number
  readonly weight: number
  readonly gradient: number
  readonly hessian: number
  readonly loss: number
}

export function linearScales(problem: LinearProblem, weights: LinearWeights): LinearScales {
  const { layers, x, crossMoment, leastSquaresMap, squaredTargets } = problem
  const natural = frobenius(leastSquaresMap) ** (1 / layers)
  const norms = weights.map(frobenius)
  const weight = Math.max(...norms, natural) || 1
  const inputs = frobenius(x)
  const targets = Math.sqrt(squaredTargets)
  const unrelated = frobenius(crossMoment) <= 1e-10 * inputs * targets
  // Targets unrelated to the inputs have no moment to compare with: then the factors of the products set the scale.
  const outputs = unrelated ? norms.reduce((p, n) => p * n, inputs) : frobenius(matmul(endToEndMap(weights), x))
  const moment = (unrelated ? inputs * targets : frobenius(crossMoment)) + outputs * inputs || inputs * inputs
  return {
    natural,
    weight,
    gradient: moment * weight ** (layers - 1),
    hessian: moment * weight ** Math.max(0, layers - 2) + inputs ** 2 * weight ** (2 * layers - 2),
    loss: Math.max(squaredTargets, outputs * outputs) || 1,
  }
}
