import { DomainError } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { randomStream } from '../../random/index.ts'
import { enumerateCriticalClasses, subsetDefects } from './critical-classes.ts'
import { canonicalEscape, measureEscape, orderLEscape, rotationEscape } from './escape-path.ts'
import { linearGradient, linearLoss, linearSecondOrderForm } from './linear-derivatives.ts'
import { flattenWeights } from './linear-weights.ts'
import { maxNorm } from '../../linalg/index.ts'
import { randomProblem, randomWidths } from './random-problem.ts'
import { randomHiddenBasis, randomMember } from './random-members.ts'

describe('rotation', () => {
  test('L(t) = L_S − ½(λ_j − λ_i) sin² t to 1e-12 at random members of every class that is not top', () => {
    let paths = 0
    for (let index = 0; index < 60; index++) {
      const random = randomStream(21, 'rotation', index)
      const problem = randomProblem(randomWidths(random), index)
      for (const { subset, top } of enumerateCriticalClasses(problem).classes) {
        if (top) continue
        const { weights } = randomMember(problem, subset, random)
        for (const kept of subset) {
          for (let left = 1; left < kept; left++) {
            if (subset.includes(left)) continue
            const path = rotationEscape(problem, weights, kept, left)
            expect(measureEscape(problem, path, 12).error).toBeLessThan(1e-12)
            const curvature = problem.eigenvalues[kept - 1] - problem.eigenvalues[left - 1]
            const form = linearSecondOrderForm(problem, weights, path.tangent)
            expect(Math.abs(form - curvature)).toBeLessThan(1e-11 * problem.squaredTargets)
            paths++
          }
        }
      }
    }
    expect(paths).toBeGreaterThan(100)
  })

  test('is refused where the eigenvalue left out is not larger, or the point does not keep the other', () => {
    const problem = randomProblem([3, 2, 3], 1)
    const { weights } = randomMember(problem, [1], randomStream(1, 'member'))
    expect(() => rotationEscape(problem, weights, 1, 2)).toThrow(DomainError)
    expect(() => rotationEscape(problem, weights, 3, 2)).toThrow(/must keep one eigenvector/)
  })
})

describe('order L', () => {
  test('L(t) = L_S − λ_j (t^L − ½ t^{2L}) to 1e-12, ends at the class S ∪ {j}, for any D_k', () => {
    let paths = 0
    for (let index = 0; index < 60; index++) {
      const random = randomStream(22, 'order L', index)
      const problem = randomProblem(randomWidths(random), index)
      const bases = problem.widths.slice(1, -1).map((d) => randomHiddenBasis(d, random))
      for (const { subset, rank } of enumerateCriticalClasses(problem).classes) {
        if (rank === problem.optimalRank) continue
        for (let left = 1; left <= problem.signalRank; left++) {
          if (subset.includes(left)) continue
          const path = orderLEscape(problem, subset, left, bases)
          const measured = measureEscape(problem, path, 12)
          expect(measured.error).toBeLessThan(1e-12)
          expect(path.order).toBe(problem.layers)
          for (let k = 1; k < measured.points.length; k++) {
            expect(measured.points[k].predicted).toBeLessThan(measured.points[k - 1].predicted)
          }
          const end = path.weightsAt(1)
          expect(maxNorm(flattenWeights(linearGradient(problem, end)))).toBeLessThan(1e-11 * problem.squaredTargets)
          paths++
        }
      }
    }
    expect(paths).toBeGreaterThan(100)
  })

  test('is refused inside S and at full rank', () => {
    const problem = randomProblem([3, 1, 1, 2], 2)
    expect(() => orderLEscape(problem, [1], 2)).toThrow(DomainError)
    expect(() => orderLEscape(problem, [], 3)).toThrow(DomainError)
  })
})

test('every canonical point that is no global minimum has a way down', () => {
  const problem = randomProblem([3, 3, 2, 3], 3)
  for (const { subset, kinds, loss } of enumerateCriticalClasses(problem).classes) {
    const path = canonicalEscape(problem, subset)
    expect(path === undefined).toBe(kinds[0] === 'global-minimum')
    if (path) expect(linearLoss(problem, path.weightsAt(path.tEnd))).toBeLessThan(loss)
    if (path) expect(path.kind).toBe(subsetDefects(problem, subset).inversions > 0 ? 'rotation' : 'order-L')
  }
})
