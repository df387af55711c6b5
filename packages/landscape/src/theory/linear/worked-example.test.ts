import { describe, expect, test } from 'vitest'
import { identity, matrixFromRows } from '../../linalg/index.ts'
import { classLoss, countCriticalClasses, enumerateCriticalClasses } from './critical-classes.ts'
import { representatives } from './critical-point.ts'
import { linearProblem } from './linear-problem.ts'
import type { LinearProblem } from './linear-problem.ts'
import { verifyCriticalPoint } from './verify-critical-point.ts'

// X = I, Y = [[2, 1], [1, 1]]: Σ = [[5, 3], [3, 2]] with eigenvalues φ⁴ and φ⁻⁴, ‖Y‖² = 7.
const x = identity(2)
const y = matrixFromRows([
  [2, 1],
  [1, 1],
])

function worked(...widths: number[]): LinearProblem {
  return linearProblem(x, y, widths)
}

test('spectrum of Σ', () => {
  const { sigma, eigenvalues, eigenvectors, squaredTargets, assumptions } = worked(2, 2, 2)
  expect([...sigma.data]).toEqual([5, 3, 3, 2].map((v) => expect.closeTo(v, 14)))
  expect(eigenvalues[0]).toBeCloseTo(6.854101966249685, 14)
  expect(eigenvalues[1]).toBeCloseTo(0.14589803375031546, 15)
  // u_1 ∝ (φ, 1), u_2 ∝ (−1, φ): the largest entry is positive.
  expect(eigenvectors.data[0] / eigenvectors.data[2]).toBeCloseTo((1 + Math.sqrt(5)) / 2, 14)
  expect(eigenvectors.data[0]).toBeGreaterThan(0)
  expect(eigenvectors.data[3]).toBeGreaterThan(0)
  expect(squaredTargets).toBeCloseTo(7, 14)
  expect(assumptions.hold).toBe(true)
  expect(assumptions.warnings).toEqual([])
  expect(assumptions.fullRank).toEqual({ holds: true, inputConditionNumber: 1, inputRank: 2, crossRank: 2 })
})

test.each([
  [[], 3.5],
  [[1], 0.07294901687515773],
  [[2], 3.427050983124842],
  [[1, 2], 0],
])('L_S for S = {%j} is %f', (subset, value) => {
  expect(Math.abs(classLoss(worked(2, 2, 2), subset) - value)).toBeLessThan(1e-15 * 7)
})

const table: [number[], number[], string, [number, number, number], number | undefined][] = [
  [[2, 1, 2], [], 'strict-saddle', [2, 0, 2], -2.61803398875],
  [[2, 1, 2], [1], 'global-minimum', [0, 1, 3], undefined],
  [[2, 1, 2], [2], 'strict-saddle', [1, 1, 2], -2.0796863724],
  [[2, 2, 2], [], 'strict-saddle', [4, 0, 4], -2.61803398875],
  [[2, 2, 2], [1], 'strict-saddle', [1, 3, 4], -0.38196601125],
  [[2, 2, 2], [2], 'strict-saddle', [2, 3, 3], -2.61803398875],
  [[2, 2, 2], [1, 2], 'global-minimum', [0, 4, 4], undefined],
  [[2, 2, 2, 2], [], 'non-strict-saddle', [0, 12, 0], undefined],
  [[2, 2, 2, 2], [1], 'non-strict-saddle', [0, 9, 3], undefined],
  [[2, 2, 2, 2], [2], 'strict-saddle', [1, 9, 2], -2.0796863724],
  [[2, 2, 2, 2], [1, 2], 'global-minimum', [0, 8, 4], undefined],
  [[2, 1, 1, 2], [], 'non-strict-saddle', [0, 5, 0], undefined],
  [[2, 1, 1, 2], [1], 'global-minimum', [0, 2, 3], undefined],
  [[2, 1, 1, 2], [2], 'strict-saddle', [1, 2, 2], -2.0796863724],
]

describe('canonical representatives', () => {
  test.each(table)('%j, S = {%j}: %s %j', (widths, subset, kind, [negative, zero, positive], smallest) => {
    const problem = worked(...widths)
    const canonical = representatives(problem, subset).find((r) => r.canonical)!
    const check = verifyCriticalPoint(problem, canonical)
    expect(check.disagreements).toEqual([])
    expect(canonical.kind).toBe(kind)
    expect(check.spectrum!.inertia).toEqual({ negative, zero, positive })
    if (smallest === undefined) expect(Math.abs(check.spectrum!.minEigenvalue)).toBeLessThan(1e-14)
    else expect(check.spectrum!.minEigenvalue).toBeCloseTo(smallest, 12)
    expect(check.gradientNorm).toBeLessThan(1e-14)
  })

  test('the classes of each architecture are those of the table', () => {
    const subsets = (widths: number[]): string[] =>
      enumerateCriticalClasses(worked(...widths)).classes.map(({ subset }) => `{${subset}}`)
    for (const widths of [
      [2, 1, 2],
      [2, 2, 2],
      [2, 2, 2, 2],
      [2, 1, 1, 2],
    ]) {
      const expected = table.filter(([w]) => String(w) === String(widths)).map(([, s]) => `{${s}}`)
      expect(subsets(widths)).toEqual(expected)
      expect(countCriticalClasses(worked(...widths))).toBe(BigInt(expected.length))
    }
  })
})

test('a class with both kinds has a strict representative, with an eigenvalue to show for it', () => {
  const problem = worked(2, 2, 2, 2)
  for (const subset of [[], [1]]) {
    const strict = representatives(problem, subset).find((r) => !r.canonical)!
    const check = verifyCriticalPoint(problem, strict)
    expect(strict.kind).toBe('strict-saddle')
    expect(check.disagreements).toEqual([])
    expect(check.spectrum!.inertia.negative).toBeGreaterThan(0)
  }
})
