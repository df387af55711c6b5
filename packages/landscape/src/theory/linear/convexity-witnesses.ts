import { DomainError } from '@thalweg/graph'
import type { Matrix } from '../../linalg/index.ts'
import { topClasses } from './critical-classes.ts'
import { criticalPoint, requireHiddenLayer } from './critical-point.ts'
import { linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import { shiftedWeights } from './linear-weights.ts'

/** Three points on a line, with the loss at the ends and at the middle. */
export interface ConvexityWitness {
  readonly claim: 'not convex' | 'not concave'
  readonly ends: readonly [readonly Matrix[], readonly Matrix[]]
  readonly middle: readonly Matrix[]
  readonly endLosses: readonly [number, number]
  readonly middleLoss: number
  /** Middle minus mean of the ends: positive refutes convexity, negative refutes concavity. */
  readonly excess: number
}

/** Why the loss is neither convex nor concave in the weights, on explicit points:
 *
 *      not convex: a global minimum and its mirror image W_1 → −W_1, W_2 → −W_2 have the loss L*, the middle ½‖Y‖²;
 *      not concave: the loss at a global minimum W* is below the mean of those at ½W* and 1½W*.
 *
 * @throws {DomainError} if there is no hidden layer, or Σ = 0 (then 0 is a global minimum and its own mirror image).
 * Source: Kawaguchi, NeurIPS 2016, Theorem 2.3 (i). */
export function convexityWitnesses(problem: LinearProblem): {
  notConvex: ConvexityWitness
  notConcave: ConvexityWitness
} {
  requireHiddenLayer('convexityWitnesses', problem)
  if (problem.optimalRank === 0) {
    throw new DomainError('convexityWitnesses: needs a linear relation between X and Y, got Σ = 0. Use other targets.')
  }
  const minimum = criticalPoint(problem, topClasses(problem).at(-1)!.subset)
  const mirrored = minimum.map((w, k) => (k < 2 ? { ...w, data: w.data.map((v) => -v) } : w))
  return {
    notConvex: witness(problem, 'not convex', minimum, mirrored),
    notConcave: witness(
      problem,
      'not concave',
      shiftedWeights(minimum, -0.5, minimum),
      shiftedWeights(minimum, 0.5, minimum),
    ),
  }
}

function witness(
  problem: LinearProblem,
  claim: ConvexityWitness['claim'],
  first: readonly Matrix[],
  second: readonly Matrix[],
): ConvexityWitness {
  const middle = first.map((w, k) => ({ ...w, data: w.data.map((v, i) => (v + second[k].data[i]) / 2) }))
  const endLosses = [linearLoss(problem, first), linearLoss(problem, second)] as const
  const middleLoss = linearLoss(problem, middle)
  return {
    claim,
    ends: [first, second],
    middle,
    endLosses,
    middleLoss,
    excess: middleLoss - (endLosses[0] + endLosses[1]) / 2,
  }
}
