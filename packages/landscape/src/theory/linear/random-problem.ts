import { matrix } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import type { RandomStream } from '../../random/index.ts'
import { eachCriticalClass } from './critical-classes.ts'
import { linearProblem } from './linear-problem.ts'
import type { LinearProblem } from './linear-problem.ts'

/** data of N(0, 1) entries for the widths, redrawn until eigenvalues of Σ are 2 % of the largest apart. */
export function randomProblem(
  widths: readonly number[],
  seed: number,
  samples: number = 2 * widths[0] + 1,
): LinearProblem {
  const outputs = widths[widths.length - 1]
  for (let index = 0; ; index++) {
    const random = randomStream(seed, 'linear problem', index)
    const x = matrix(widths[0], samples, random.normals(widths[0] * samples))
    const y = matrix(outputs, samples, random.normals(outputs * samples))
    const problem = linearProblem(x, y, widths)
    if (
      Math.min(
        ...problem.assumptions.distinctEigenvalues.relativeGaps,
        problem.eigenvalues[outputs - 1] / problem.eigenvalues[0],
      ) > 0.02
    ) {
      return problem
    }
  }
}

/** Widths of 1 … 4 hidden layers of width 1 … 4, d_y ≤ d_x ≤ 4. */
export function randomWidths(random: RandomStream): number[] {
  const inputs = 1 + random.integer(4)
  const outputs = 1 + random.integer(inputs)
  const hidden = Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(4))
  return [inputs, ...hidden, outputs]
}

/** the subset of a class, the top classes (where ranks decide) as often as all others. */
export function randomSubset(problem: LinearProblem, random: RandomStream): readonly number[] {
  const classes = [...eachCriticalClass(problem)]
  const wanted = random.uniform() < 0.5 ? classes.filter((c) => c.top) : classes
  return wanted[random.integer(wanted.length)].subset
}
