import { expect, test } from 'vitest'
import { matrixFromRows } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { linearProblem } from './linear-problem.ts'
import { manyDescents } from './many-descents.ts'
import { randomProblem, randomSubset } from './testing/random-problem.ts'
import { randomMember } from './random-members.ts'
import { verifyCriticalPoint } from './verify-critical-point.ts'

test.each([[[3, 3, 3]], [[3, 2, 2, 3]], [[3, 1, 2, 3]], [[4, 3, 3, 3, 2]], [[3, 3, 2, 3, 3, 3]], [[4, 2, 3, 1, 2]]])(
  '2000 random blocks Z for %j: no mismatch of rank rule, block rule, spectrum and lemmas',
  (widths) => {
    const failures: string[] = []
    for (let index = 0; index < 2000; index++) {
      const random = randomStream(101, String(widths), index)
      const problem = randomProblem(widths, index % 20)
      const member = randomMember(problem, randomSubset(problem, random), random)
      failures.push(
        ...verifyCriticalPoint(problem, member).disagreements.map((d) => `#${index} {${member.subset}}: ${d}`),
      )
    }
    expect(failures).toEqual([])
  },
)

// Well-conditioned, so that 20 000 steps are enough; the loss is at its rounding error then.
const x = matrixFromRows([
  [2, 0, 1, 0],
  [0, 2, 0, 1],
  [-1, 0, 2, 0],
])
const y = matrixFromRows([
  [4, 1, 0, 0],
  [1, -3, 1, 1],
  [0, 1, 2, -1],
])

test.each([[[3, 2, 3]], [[3, 2, 2, 3]], [[3, 3, 2, 3, 3]]])('20 descents of %j all reach the closed form', (widths) => {
  const problem = linearProblem(x, y, widths)
  const { worstGap } = manyDescents(problem, { runs: 20, stepSize: 2e-3, steps: 20_000, standardDeviation: 0.7 })
  expect(problem.globalMinimum).toBeGreaterThan(1)
  expect(worstGap).toBeLessThan(1e-8)
})
