import { expect, test } from 'vitest'
import { diagonalMatrix, identity } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { classifyLinearPoint } from './classify-linear-point.ts'
import { criticalPoint, representatives } from './critical-point.ts'
import { linearProblem } from './linear-problem.ts'
import { randomWeights, shiftedWeights } from './linear-weights.ts'
import { randomProblem, randomSubset, randomWidths } from './random-problem.ts'
import { randomMember } from './random-members.ts'
import { blockRule } from './strictness-rule.ts'

// Share of right answers wanted; a wrong one is never allowed, only `undecided` or `not-critical`. A shifted non-strict saddle
// may be nearer to a strict one, which lie arbitrarily close to it: then the polished point must be such a saddle.
test.each([
  [0, 1],
  [1e-9, 0.97],
  [1e-6, 0.95],
  [1e-4, 0.85],
])('random critical points shifted by %f: class and kind', (noise, share) => {
  let right = 0
  const count = 80
  for (let index = 0; index < count; index++) {
    const random = randomStream(31, 'classify', index)
    const widths = randomWidths(random)
    const problem = randomProblem(widths, index)
    const member = randomMember(problem, randomSubset(problem, random), random)
    const found = classifyLinearPoint(problem, shiftedWeights(member.weights, noise, randomWeights(widths, random)))
    const truth = blockRule(problem, member.subset, member.z).kind
    if (found.kind === 'undecided' || found.kind === 'not-critical') continue
    if (noise > 0 && truth === 'non-strict-saddle' && found.kind === 'strict-saddle') {
      expect(found.polished!.relativeGradient).toBeLessThan(1e-12)
      expect(found.polished!.distance).toBeLessThan(100 * noise)
      continue
    }
    expect(found.kind, `[${widths}] {${member.subset}} #${index}`).toBe(truth)
    expect(found.subset).toEqual(member.subset)
    right++
  }
  expect(right / count).toBeGreaterThanOrEqual(share)
})

test('polishing brings a shifted minimum back, and says how far it was', () => {
  const problem = randomProblem([3, 2, 2], 7)
  const minimum = criticalPoint(problem, [1, 2])
  const found = classifyLinearPoint(
    problem,
    shiftedWeights(minimum, 1e-3, randomWeights([3, 2, 2], randomStream(1, 'v'))),
  )
  expect(found.kind).toBe('global-minimum')
  expect(found.gap).toBeGreaterThan(0)
  expect(found.polished!.relativeGradient).toBeLessThan(1e-13)
  expect(found.polished!.distance).toBeGreaterThan(1e-5)
  expect(found.polished!.distance).toBeLessThan(1e-1)
})

test('a point with a gradient is not critical, with the gap all the same', () => {
  const problem = randomProblem([3, 2, 2], 7)
  const found = classifyLinearPoint(problem, randomWeights([3, 2, 2], randomStream(2, 'v')))
  expect(found.kind).toBe('not-critical')
  expect(found.gap).toBeGreaterThan(0)
  expect(found.subset).toBeUndefined()
})

test('equal eigenvalues: the class is named by dimensions, whatever subspace was taken', () => {
  const problem = linearProblem(identity(3), diagonalMatrix([2, 2, 1]), [3, 1, 3])
  const c = Math.SQRT1_2
  const weights = [
    { rows: 1, cols: 3, data: Float64Array.of(2 * c, 2 * c, 0) },
    { rows: 3, cols: 1, data: Float64Array.of(c, c, 0) },
  ]
  const found = classifyLinearPoint(problem, weights)
  expect(found.kind).toBe('global-minimum')
  expect(found.subset).toEqual([1])
  expect(classifyLinearPoint(problem, criticalPoint(problem, [3])).kind).toBe('strict-saddle')
})

test('above the parameter limit ranks decide alone and the flag says so', () => {
  const problem = randomProblem([3, 3, 3, 2], 9)
  const [nonStrict, strict] = representatives(problem, [1])
  for (const point of [nonStrict, strict]) {
    const found = classifyLinearPoint(problem, point.weights, { parametersMax: 5 })
    expect(found.kind).toBe(point.kind)
    expect(found.spectrum).toBeUndefined()
    expect(found.flags.join()).toMatch(/by ranks alone/)
  }
})
