import { expect, test } from 'vitest'
import { randomStream } from '../../random/index.ts'
import { satisfiesCyclicProducts } from './critical-point.ts'
import { randomProblem, randomSubset, randomWidths } from './random-problem.ts'
import { randomMember } from './random-members.ts'
import { verifyCriticalPoint } from './verify-critical-point.ts'

test('2400 random critical points of random architectures: rank rule, block rule, spectrum and lemmas agree', () => {
  const counts = { 'global-minimum': 0, 'strict-saddle': 0, 'non-strict-saddle': 0 }
  const failures: string[] = []
  let worstGradient = 0
  let worstLoss = 0
  for (let index = 0; index < 240; index++) {
    const random = randomStream(11, 'rank rule', index)
    const widths = randomWidths(random)
    const problem = randomProblem(widths, index)
    for (let k = 0; k < 10; k++) {
      const member = randomMember(problem, randomSubset(problem, random), random)
      const check = verifyCriticalPoint(problem, member)
      if (!satisfiesCyclicProducts(problem, member.subset, member.z)) failures.push('cyclic products')
      failures.push(...check.disagreements.map((d) => `[${widths}] {${member.subset}} #${index}.${k}: ${d}`))
      counts[check.rankRule.kind]++
      worstGradient = Math.max(worstGradient, check.relativeGradient)
      worstLoss = Math.max(worstLoss, check.relativeLossError)
    }
  }
  expect(failures).toEqual([])
  // Every branch of the rule is visited often.
  expect(counts['global-minimum']).toBeGreaterThan(300)
  expect(counts['strict-saddle']).toBeGreaterThan(300)
  expect(counts['non-strict-saddle']).toBeGreaterThan(300)
  expect(worstGradient).toBeLessThan(1e-12)
  expect(worstLoss).toBeLessThan(1e-12)
})
