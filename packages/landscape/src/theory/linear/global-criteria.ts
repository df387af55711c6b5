import { DomainError } from '@thalweg/graph'
import {
  column,
  frobenius,
  matmul,
  matmulTransposedLeft,
  matmulTransposedRight,
  pseudoInverse,
  svd,
  transpose,
  zeros,
} from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { eigenvectorBlocks } from './critical-point.ts'
import { keptSignal, rotationEscape } from './escape-path.ts'
import { linearSecondOrderForm } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap, layerProduct, numericalRank } from './linear-weights.ts'

export interface RankCriterion {
  readonly kind: 'global-minimum' | 'saddle'
  /** rank(W_L ⋯ W_1) and what a global minimum needs. */
  readonly rank: number
  readonly requiredRank: number
  /** Where the narrowest width is below min(d_x, d_y): ‖projection on col(W_L ⋯ W_{k+1}) − U_p U_pᵀ‖, k the narrowest layer. */
  readonly columnSpaceError?: number
}

/** Global minimum or saddle from ranks and column spaces alone: a critical point is global exactly if
 *
 *      p ≥ min(d_x, d_y): rank(W_L ⋯ W_1) = min(d_x, d_y);
 *      p < min(d_x, d_y): rank(W_L ⋯ W_1) = p and col(W_L ⋯ W_{k+1}) = span(u_1 … u_p), d_k = p .
 *
 * Says nothing at points that are not critical. d_x counts the directions that the samples span.
 * @throws {DomainError} unless A1 and A3 hold on those directions. Source: Yun, Sra, Jadbabaie, ICLR 2018. */
export function rankCriterion(
  problem: LinearProblem,
  weights: LinearWeights,
  options: { tolerance?: number } = {},
): RankCriterion {
  const { tolerance = 1e-8 } = options
  const { widths, layers, inputRank, signalRank, eigenvalues, assumptions } = problem
  const full = Math.min(inputRank, widths[layers])
  if (signalRank < full || (signalRank === eigenvalues.length && !assumptions.distinctEigenvalues.holds)) {
    throw new DomainError(
      `rankCriterion: needs X Yᵀ of full rank and distinct eigenvalues of Σ, got rank ${signalRank} of ${full}. Use classifyLinearPoint.`,
    )
  }
  const hidden = widths.slice(1, -1)
  const narrowest = Math.min(...hidden, full)
  const size = (from: number): number => weights.slice(from).reduce((p, w) => p * frobenius(w), 1)
  const { rank } = numericalRank(endToEndMap(weights), tolerance * size(0))
  if (narrowest === full) {
    return { kind: rank === full ? 'global-minimum' : 'saddle', rank, requiredRank: full }
  }
  const k = hidden.indexOf(narrowest) + 1
  const after = layerProduct(weights, layers, k + 1)
  const largest = svd(after).values[0]
  const inverse = pseudoInverse(after, { tolerance: largest === 0 ? 1 : Math.min(1, (tolerance * size(k)) / largest) })
  const projection = matmulTransposedLeft(transpose(after), inverse)
  const top = eigenvectorBlocks(
    problem,
    Array.from({ length: narrowest }, (_, i) => i + 1),
  ).kept
  const expected = matmulTransposedRight(top, top)
  const columnSpaceError = frobenius({ ...projection, data: projection.data.map((v, i) => v - expected.data[i]) })
  const global = rank === narrowest && columnSpaceError <= 1e-6
  return { kind: global ? 'global-minimum' : 'saddle', rank, requiredRank: narrowest, columnSpaceError }
}

export interface DescentDirection {
  readonly direction: readonly Matrix[]
  /** D²L̄[V, V] < 0. */
  readonly curvature: number
  readonly construction: 'rotation' | 'free-hidden-direction'
}

/** A direction of negative curvature at any critical point of a network with one hidden layer that is not a global minimum, in
 * closed form and without assumptions on the data; `undefined` at a global minimum.
 *
 * If an eigenvector is left out for one with a smaller eigenvalue, the rotation between them. Else with W_2 e = 0:
 * V_1 = c e u_jᵀR, V_2 = u_j eᵀ, where c exceeds ‖eᵀ W_1 X‖² / (2 λ_j).
 * @throws {DomainError} if there is not exactly one hidden layer.
 * Source: Zhou and Liang, ICLR 2018 (every critical point but the global minima has a descent direction). */
export function shallowDescentDirection(problem: LinearProblem, weights: LinearWeights): DescentDirection | undefined {
  if (problem.layers !== 2) {
    throw new DomainError(`shallowDescentDirection: needs exactly one hidden layer, got widths [${problem.widths}].`)
  }
  const kept = keptSignal(problem, endToEndMap(weights)).map((share) => (share > 0.5 ? 1 : 0))
  const left = kept.indexOf(0) + 1
  if (left === 0) return undefined
  const last = kept.lastIndexOf(1) + 1
  if (last > left && problem.eigenvalueGroups[last - 1] !== problem.eigenvalueGroups[left - 1]) {
    return rotationDirection(problem, weights, last, left)
  }
  const rank = kept.reduce((sum, k) => sum + k, 0)
  if (rank === problem.optimalRank) return undefined
  // Without a free hidden direction, W_2 spends one on an eigenvalue zero.
  return (
    freeHiddenDirection(problem, weights, left) ?? rotationDirection(problem, weights, problem.eigenvalues.length, left)
  )
}

function rotationDirection(
  problem: LinearProblem,
  weights: LinearWeights,
  kept: number,
  left: number,
): DescentDirection {
  const direction = rotationEscape(problem, weights, kept, left).tangent
  return { direction, curvature: linearSecondOrderForm(problem, weights, direction), construction: 'rotation' }
}

function freeHiddenDirection(
  problem: LinearProblem,
  weights: LinearWeights,
  left: number,
): DescentDirection | undefined {
  const [first, second] = weights
  const hidden = second.cols
  // Zero rows make W_2 tall, so that its right singular vectors span the hidden layer.
  const tall = zeros(Math.max(second.rows, hidden), hidden)
  tall.data.set(second.data)
  const { values, v } = svd(tall)
  if (values[hidden - 1] > 1e-8 * Math.max(values[0], 1e-300)) return undefined
  const free = column(v, hidden - 1)
  const u = column(problem.eigenvectors, left - 1)
  const row = (a: Matrix, w: Float64Array): Matrix => matmulTransposedLeft({ rows: a.rows, cols: 1, data: w }, a)
  const signal = row(problem.leastSquaresMap, u)
  const carried = frobenius(matmul(row(first, free), problem.x)) ** 2
  const factor = 1 + carried / problem.eigenvalues[left - 1]
  const outer = (a: Float64Array, b: Float64Array, c: number): Matrix => ({
    rows: a.length,
    cols: b.length,
    data: Float64Array.from(
      { length: a.length * b.length },
      (_, i) => c * a[Math.floor(i / b.length)] * b[i % b.length],
    ),
  })
  const direction = [outer(free, signal.data, factor), outer(u, free, 1)]
  return {
    direction,
    curvature: linearSecondOrderForm(problem, weights, direction),
    construction: 'free-hidden-direction',
  }
}
