import { DomainError } from '@thalweg/graph'
import { axpy, maxNorm } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { linearGradient, linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import { flattenWeights, randomWeights, unflattenWeights } from './linear-weights.ts'

export interface ManyDescentsOptions {
  readonly runs: number
  readonly stepSize: number
  readonly steps: number
  readonly seed?: number
  /** Of the starting weights; default 0.5. */
  readonly standardDeviation?: number
}

export interface Descent {
  readonly loss: number
  /** loss − L*. */
  readonly gap: number
  readonly gradientNorm: number
}

export interface ManyDescents {
  readonly descents: readonly Descent[]
  /** max |gap|: small if no run ended at a bad local minimum or saddle. */
  readonly worstGap: number
}

/** Plain gradient descent from random weights, many times: with no bad local minima all runs end at L*.
 * @throws {DomainError} if a number is not positive, or a run diverges (the step is then too long).
 * Cost: runs · steps gradients. */
export function manyDescents(problem: LinearProblem, options: ManyDescentsOptions): ManyDescents {
  const { runs, stepSize, steps, seed = 0, standardDeviation = 0.5 } = options
  for (const [name, value] of Object.entries({ runs, stepSize, steps, standardDeviation })) {
    if (!(value > 0)) throw new DomainError(`manyDescents: ${name} must be positive, got ${value}.`)
  }
  const descents = Array.from({ length: runs }, (_, index) => {
    const start = randomWeights(problem.widths, randomStream(seed, 'linear descent', index), standardDeviation)
    const theta = flattenWeights(start)
    const weights = unflattenWeights(problem.widths, theta)
    for (let step = 0; step < steps; step++) axpy(-stepSize, flattenWeights(linearGradient(problem, weights)), theta)
    const loss = linearLoss(problem, weights)
    if (!Number.isFinite(loss)) {
      throw new DomainError(`manyDescents: run ${index} diverged with stepSize ${stepSize}. Use a smaller one.`)
    }
    const gradientNorm = maxNorm(flattenWeights(linearGradient(problem, weights)))
    return { loss, gap: loss - problem.globalMinimum, gradientNorm }
  })
  return { descents, worstGap: Math.max(...descents.map(({ gap }) => Math.abs(gap))) }
}
