import { frobenius, matmul, matmulTransposedLeft } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { criticalClass } from './critical-classes.ts'
import type { LinearKind } from './critical-classes.ts'
import { remainingSignal } from './critical-point.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { layerProduct, numericalRank } from './linear-weights.ts'

/** A pair of layers i > j and its two complementary products
 *
 *      M = W_{i−1} ⋯ W_{j+1} ,   N = W_{j−1} ⋯ W_1 · X Yᵀ · W_L ⋯ W_{i+1} ;
 *
 * tightened if one of them has rank r = |S| (no rank can be below r). */
export interface Pivot {
  readonly upper: number
  readonly lower: number
  readonly middleRank: number
  readonly outerRank: number
  readonly tightened: boolean
}

export interface RankRule {
  readonly kind: LinearKind
  /** Why: the case of the rule that applied. */
  readonly reason: 'top-rank' | 'skips-larger-eigenvalue' | 'pivot-not-tightened' | 'all-pivots-tightened'
  /** Empty where S alone decides. */
  readonly pivots: readonly Pivot[]
  /** How far the closest singular value is from the threshold, as a factor ≥ 1; near 1 the ranks are doubtful. */
  readonly margin: number
}

/** Strict or not, by ranks: at a critical point of class S, r = |S|,
 *
 *      S = {1..r} and r = r_max: global minimum;  S ≠ {1..r}: strict saddle;
 *      else every pivot tightened: non-strict saddle (Hessian ⪰ 0), some pivot not tightened: strict saddle.
 *
 * @param tolerance  singular values of a product up to this times the product of its factors' norms count as zero;
 *                   default 1e-8.
 * @param normFloor  layers smaller than this count as this large, so that a layer that should be zero and is not quite
 *                   makes its products small; default 0.
 * @throws {DomainError} if the subset names no class.
 * Cost: L² singular value decompositions. Source: Achour, Malgouyres, Gerchinovitz, JMLR 2024. */
export function rankRule(
  problem: LinearProblem,
  weights: LinearWeights,
  subset: readonly number[],
  options: { tolerance?: number; normFloor?: number } = {},
): RankRule {
  const { tolerance = 1e-8, normFloor = 0 } = options
  const decided = decidedBySubset(problem, subset)
  if (decided) return decided
  const rank = subset.length
  const norms = weights.map((w) => Math.max(frobenius(w), normFloor))
  const size = (low: number, high: number): number => norms.slice(low - 1, high).reduce((p, n) => p * n, 1)
  const pivots: Pivot[] = []
  let margin = Number.POSITIVE_INFINITY
  const rankOfProduct = (product: Matrix, threshold: number): number => {
    const found = numericalRank(product, threshold)
    if (threshold > 0) {
      margin = Math.min(margin, found.smallestKept / threshold, threshold / Math.max(found.largestDropped, 1e-300))
    }
    return found.rank
  }
  for (let upper = problem.layers; upper >= 2; upper--) {
    for (let lower = upper - 1; lower >= 1; lower--) {
      const middle = layerProduct(weights, upper - 1, lower + 1)
      const middleSize = upper === lower + 1 ? 1 : size(lower + 1, upper - 1)
      const outer = outerProduct(problem, weights, upper, lower)
      const outerSize = size(1, lower - 1) * size(upper + 1, problem.layers) * frobenius(problem.crossMoment)
      const middleRank = rankOfProduct(middle, tolerance * middleSize)
      const outerRank = rankOfProduct(outer, tolerance * outerSize)
      pivots.push({ upper, lower, middleRank, outerRank, tightened: middleRank <= rank || outerRank <= rank })
    }
  }
  return { ...ruling(pivots), pivots, margin }
}

function ruling(pivots: readonly Pivot[]): Pick<RankRule, 'kind' | 'reason'> {
  return pivots.every((p) => p.tightened)
    ? { kind: 'non-strict-saddle', reason: 'all-pivots-tightened' }
    : { kind: 'strict-saddle', reason: 'pivot-not-tightened' }
}

function decidedBySubset(problem: LinearProblem, subset: readonly number[]): RankRule | undefined {
  const { top, rank } = criticalClass(problem, subset)
  const margin = Number.POSITIVE_INFINITY
  if (!top) return { kind: 'strict-saddle', reason: 'skips-larger-eigenvalue', pivots: [], margin }
  if (rank === problem.optimalRank) return { kind: 'global-minimum', reason: 'top-rank', pivots: [], margin }
  return undefined
}

/** N_ij [d_{j−1} × d_i]. */
function outerProduct(problem: LinearProblem, weights: LinearWeights, upper: number, lower: number): Matrix {
  const { crossMoment, layers } = problem
  const right = matmulTransposedLeft(crossMoment, layerProduct(weights, layers, upper + 1))
  return lower === 1 ? right : matmul(layerProduct(weights, lower - 1, 1), right)
}

/** The same decision from the blocks Z of a constructed point: a pivot is not tightened exactly if
 *
 *      Z_{i−1} ⋯ Z_{j+1} ≠ 0   and   Z_{j−1} ⋯ Z_1 T Z_L ⋯ Z_{i+1} ≠ 0 ,
 *
 * an empty middle product counting as not zero. Zero is decided to a relative `tolerance`, default 1e-10.
 * @throws {DomainError} if the subset names no class. */
export function blockRule(
  problem: LinearProblem,
  subset: readonly number[],
  z: readonly Matrix[],
  options: { tolerance?: number } = {},
): Pick<RankRule, 'kind' | 'reason'> {
  const { tolerance = 1e-10 } = options
  const decided = decidedBySubset(problem, subset)
  if (decided) return decided
  const { layers } = problem
  const signal = remainingSignal(problem, subset)
  const norms = z.map(frobenius)
  const vanishes = (product: Matrix, factors: readonly number[]): boolean =>
    frobenius(product) <= tolerance * factors.reduce((p, n) => p * n, 1)
  for (let upper = layers; upper >= 2; upper--) {
    for (let lower = upper - 1; lower >= 1; lower--) {
      const middle = layerProduct(z, upper - 1, lower + 1)
      if (vanishes(middle, norms.slice(lower, upper - 1))) continue
      const right = upper === layers ? signal : matmul(signal, layerProduct(z, layers, upper + 1))
      const outer = lower === 1 ? right : matmul(layerProduct(z, lower - 1, 1), right)
      const factors = [frobenius(signal), ...norms.slice(0, lower - 1), ...norms.slice(upper)]
      if (!vanishes(outer, factors)) return { kind: 'strict-saddle', reason: 'pivot-not-tightened' }
    }
  }
  return { kind: 'non-strict-saddle', reason: 'all-pivots-tightened' }
}
