import { expect, test } from 'vitest'
import { matrix } from '../../linalg/index.ts'
import { linearProblem } from './linear-problem.ts'
import { linearReport } from './linear-report.ts'
import type { LinearReport } from './linear-report.ts'

const x = matrix(3, 5, Float64Array.of(1, 2, 0, -1, 3, 0, 1, 4, 1, -2, 2, -1, 1, 0, 1))
const y = Float64Array.of(1, 0, 2, -1, 1, 3, 1, -1, 2, 0)

const reportOf = (widths: readonly number[], factor: number): LinearReport =>
  linearReport(
    linearProblem(
      x,
      matrix(
        2,
        5,
        y.map((v) => v * factor),
      ),
      widths,
    ),
  )

const integersOf = (report: LinearReport): unknown =>
  report.classes.map(({ subset, representatives }) => [subset, representatives.map((r) => [r.kind, r.inertia])])

test.each([1e-4, 1e3, 1e5])('the inertia does not depend on the units of the targets, factor %f', (factor) => {
  for (const widths of [
    [3, 2, 2],
    [3, 2, 2, 2],
    [3, 3, 2, 3, 2],
  ])
    expect(integersOf(reportOf(widths, factor))).toEqual(integersOf(reportOf(widths, 1)))
})

test('a smallest eigenvalue that the solver resolves is given although the inertia was taken in other units', () => {
  const report = reportOf([3, 2, 2, 2], 1e3)
  expect(report.verification.rescaled).toBeGreaterThan(0)
  for (const { representatives } of report.classes)
    for (const { kind, minEigenvalue } of representatives)
      expect(minEigenvalue).toSatisfy((v) => v !== null && (kind === 'strict-saddle' ? v < -1e-3 : Math.abs(v) < 1e-6))
})

test('an eigenvalue of Σ of 1e-12 of the largest still tells a saddle from the global minimum', () => {
  const identity = matrix(2, 2, Float64Array.of(1, 0, 0, 1))
  const report = linearReport(linearProblem(identity, matrix(2, 2, Float64Array.of(1, 0, 0, 1e-6)), [2, 2, 2, 2]))
  expect(report.verification.disagreements).toEqual([])
})
