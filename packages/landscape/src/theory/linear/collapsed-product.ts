import { DomainError } from '@thalweg/graph'
import { frobenius, maxNorm } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { linearGradient, linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import { requireHiddenLayer } from './critical-point.ts'
import { linearSpectrum } from './linear-spectrum.ts'
import type { LinearSpectrum } from './linear-spectrum.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap, flattenWeights, layerProduct, linearScales, numericalRank } from './linear-weights.ts'

export interface NetworkAtPoint {
  readonly widths: readonly number[]
  readonly weights: readonly Matrix[]
  readonly loss: number
  /** Rank of the end-to-end map. */
  readonly rank: number
  readonly relativeGradient: number
  readonly critical: boolean
  readonly spectrum: LinearSpectrum
}

/** A deep linear network and the shallow one with the same function, side by side. */
export interface CollapsedProduct {
  readonly deep: NetworkAtPoint
  readonly shallow: NetworkAtPoint
  /** What the collapse changed, in words; empty if nothing. */
  readonly differences: readonly string[]
}

/** Multiplies layers together around hidden layer `at`: (W_L ⋯ W_{at+1}, W_at ⋯ W_1) computes the same function with the same
 * rank, yet critical points, Hessians and the kind of a saddle do not carry over. So a theorem for one hidden layer says
 * nothing about deep networks through this collapse.
 *
 * @param at  1 … H; default the narrowest hidden layer.
 * @throws {DomainError} if there is no such hidden layer. */
export function collapseProduct(problem: LinearProblem, weights: LinearWeights, at?: number): CollapsedProduct {
  requireHiddenLayer('collapseProduct', problem)
  const { widths, layers } = problem
  const hidden = widths.slice(1, -1)
  const position = at ?? hidden.indexOf(Math.min(...hidden)) + 1
  if (!(Number.isInteger(position) && position >= 1 && position < layers)) {
    throw new DomainError(`collapseProduct: at must be a hidden layer 1…${layers - 1}, got ${at}.`)
  }
  const shallowWidths = [widths[0], widths[position], widths[layers]]
  const shallowProblem: LinearProblem = {
    ...problem,
    widths: shallowWidths,
    layers: 2,
    parameterCount: widths[position] * (widths[0] + widths[layers]),
  }
  const deep = networkAt(problem, weights)
  const shallow = networkAt(shallowProblem, [
    layerProduct(weights, position, 1),
    layerProduct(weights, layers, position + 1),
  ])
  return { deep, shallow, differences: differencesOf(deep, shallow) }
}

function networkAt(problem: LinearProblem, weights: LinearWeights): NetworkAtPoint {
  const relativeGradient =
    maxNorm(flattenWeights(linearGradient(problem, weights))) / linearScales(problem, weights).gradient
  const size = weights.reduce((p, w) => p * frobenius(w), 1)
  return {
    widths: problem.widths,
    weights,
    loss: linearLoss(problem, weights),
    rank: numericalRank(endToEndMap(weights), 1e-8 * size).rank,
    relativeGradient,
    critical: relativeGradient <= 1e-9,
    spectrum: linearSpectrum(problem, weights),
  }
}

function differencesOf(deep: NetworkAtPoint, shallow: NetworkAtPoint): string[] {
  const differences: string[] = []
  if (deep.critical !== shallow.critical) {
    differences.push(`${deep.critical ? 'the deep' : 'the shallow'} network alone is at a critical point`)
  }
  const negatives = [deep, shallow].map((n) => n.spectrum.inertia.negative)
  if (negatives[0] > 0 !== negatives[1] > 0) {
    differences.push(
      `${negatives[0] > 0 ? 'the deep' : 'the shallow'} network alone has negative curvature (${negatives[0]} against ${negatives[1]} negative eigenvalues)`,
    )
  }
  return differences
}
