import { frobenius, matmul, matmulTransposedRight } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { eigenvectorBlocks } from './critical-point.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap } from './linear-weights.ts'

/** The function that a linear network is, and how it compares with the best ones. */
export interface EffectiveMap {
  /** P = W_L ⋯ W_1, [d_y × d_x]: for widths 2-3-1 the two numbers Σ_j v_j w_{j1}, Σ_j v_j w_{j2}. */
  readonly map: Matrix
  /** Weights in the network, and dimension r (d_x + d_y − r) of the maps it can be, r = narrowest width. */
  readonly parameters: number
  readonly effectiveParameters: number
  /** R, the least squares map, and the best map of rank r_max, U_r U_rᵀ R. */
  readonly leastSquaresMap: Matrix
  readonly bestMap: Matrix
  /** ‖(P − best) X‖² / 2: in the convex problem over maps, how far P is from the best; 0 exactly at a global minimum where
   * the best map is unique. */
  readonly distanceToBest: number
}

/** The effective parameters of a network. @throws {ShapeError} if weights do not chain. */
export function effectiveMap(problem: LinearProblem, weights: LinearWeights): EffectiveMap {
  const { widths, layers, parameterCount, optimalRank, leastSquaresMap, x } = problem
  const map = endToEndMap(weights)
  const narrowest = Math.min(...widths)
  const top = eigenvectorBlocks(
    problem,
    Array.from({ length: optimalRank }, (_, i) => i + 1),
  ).kept
  const bestMap = matmul(matmulTransposedRight(top, top), leastSquaresMap)
  const difference = { ...map, data: map.data.map((entry, i) => entry - bestMap.data[i]) }
  return {
    map,
    parameters: parameterCount,
    effectiveParameters: narrowest * (widths[0] + widths[layers] - narrowest),
    leastSquaresMap,
    bestMap,
    distanceToBest: frobenius(matmul(difference, x)) ** 2 / 2,
  }
}
