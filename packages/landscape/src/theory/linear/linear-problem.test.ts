import { DomainError, ShapeError } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { diagonalMatrix, identity, matmul, matrix, matrixFromRows, transpose, zeros } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { countCriticalClasses, enumerateCriticalClasses, eachCriticalClass } from './critical-classes.ts'
import { linearLoss } from './linear-derivatives.ts'
import { linearProblem, linearProblemFromRows } from './linear-problem.ts'
import { linearReport } from './linear-report.ts'
import { randomWeights } from './linear-weights.ts'
import { randomMember } from './random-members.ts'
import { verifyCriticalPoint } from './verify-critical-point.ts'

const random = randomStream(3, 'linear problem test')
const gaussian = (rows: number, cols: number): Matrix => matrix(rows, cols, random.normals(rows * cols))

describe('refused with the reason', () => {
  const x = gaussian(2, 5)
  const y = gaussian(2, 5)
  test('NaN and infinity, named by sample and feature', () => {
    const bad = matrix(
      2,
      5,
      Float64Array.from(x.data, (v, i) => (i === 7 ? Number.NaN : v)),
    )
    expect(() => linearProblem(bad, y, [2, 2, 2])).toThrow(/X must be finite, got NaN at sample 2, feature 1/)
    expect(() => linearProblem(x, bad, [2, 2, 2])).toThrow(DomainError)
  })
  test('sizes', () => {
    expect(() => linearProblem(x, gaussian(2, 4), [2, 2, 2])).toThrow(ShapeError)
    expect(() => linearProblem(x, y, [3, 2, 2])).toThrow(/begin with 2 inputs/)
    expect(() => linearProblem(x, y, [2, 0, 2])).toThrow(/positive integers/)
    expect(() => linearProblem(x, y, [2])).toThrow(DomainError)
    expect(() => linearProblem(zeros(2, 0), zeros(2, 0), [2, 2])).toThrow(ShapeError)
  })
  test('X = 0', () => expect(() => linearProblem(zeros(2, 5), y, [2, 2, 2])).toThrow(/X must not be zero/))
})

test('many samples are compressed without changing any loss', () => {
  const x = gaussian(3, 400)
  const y = gaussian(2, 400)
  const problem = linearProblem(x, y, [3, 2, 2])
  expect(problem.x.cols).toBe(5)
  expect(problem.samples).toBe(400)
  const weights = randomWeights([3, 2, 2], random)
  const direct = matmul(matmul(weights[1], weights[0]), x).data.reduce((s, v, i) => s + (v - y.data[i]) ** 2 / 2, 0)
  expect(Math.abs(linearLoss(problem, weights) - direct) / direct).toBeLessThan(1e-14)
})

test('rows as samples, with weights as repeated samples', () => {
  const x = gaussian(4, 2)
  const y = gaussian(4, 2)
  const repeated = (a: Matrix): Matrix =>
    matrixFromRows([0, 0, 1, 2, 3, 3, 3].map((i) => a.data.slice(2 * i, 2 * i + 2)))
  const weighted = linearProblemFromRows(x, y, [2, 1, 2], { sampleWeights: Float64Array.of(2, 1, 1, 3) })
  const plain = linearProblem(transpose(repeated(x)), transpose(repeated(y)), [2, 1, 2])
  expect(weighted.globalMinimum).toBeCloseTo(plain.globalMinimum, 13)
  expect(() => linearProblemFromRows(x, y, [2, 2], { sampleWeights: Float64Array.of(1, -1, 1, 1) })).toThrow(
    DomainError,
  )
})

/** Data outside A1–A3, with the warning they must cause. */
const degenerate: [string, () => { x: Matrix; y: Matrix }, number[][], RegExp][] = [
  [
    'fewer samples than features',
    () => ({ x: gaussian(4, 2), y: gaussian(2, 2) }),
    [
      [4, 2, 2],
      [4, 3, 3, 2],
      [4, 1, 2],
    ],
    /2 samples of 4 features/,
  ],
  [
    'dependent features',
    () => ({ x: matmul(gaussian(3, 2), gaussian(2, 8)), y: gaussian(2, 8) }),
    [
      [3, 2, 2],
      [3, 3, 2, 2],
    ],
    /rank 2 of 3/,
  ],
  [
    'more outputs than inputs',
    () => ({ x: gaussian(2, 7), y: gaussian(4, 7) }),
    [
      [2, 1, 4],
      [2, 3, 4],
      [2, 2, 3, 4],
      [2, 1, 1, 4],
    ],
    /A2 fails/,
  ],
  [
    'equal eigenvalues',
    () => ({ x: identity(3), y: diagonalMatrix([2, 2, 1]) }),
    [
      [3, 1, 3],
      [3, 2, 3],
      [3, 2, 2, 3],
    ],
    /A3 fails/,
  ],
  [
    'identity targets: all eigenvalues equal',
    () => ({ x: identity(2), y: identity(2) }),
    [
      [2, 1, 2],
      [2, 2, 2],
      [2, 2, 2, 2],
    ],
    /A3 fails/,
  ],
  [
    'two equal target columns',
    () => {
      const y = gaussian(1, 6)
      return { x: gaussian(3, 6), y: matrixFromRows([y.data, y.data]) }
    },
    [
      [3, 1, 2],
      [3, 2, 2],
      [3, 2, 2, 2],
    ],
    /rank 1 of 2/,
  ],
  [
    'targets all zero (constant, centered)',
    () => ({ x: gaussian(2, 5), y: zeros(2, 5) }),
    [
      [2, 2, 2],
      [2, 2, 2, 2],
    ],
    /every critical point is a global minimum/,
  ],
]

describe('data outside the assumptions', () => {
  test.each(degenerate)('%s', (_, data, architectures, warning) => {
    const { x, y } = data()
    for (const widths of architectures) {
      const problem = linearProblem(x, y, widths)
      expect(problem.assumptions.hold).toBe(false)
      expect(problem.assumptions.warnings.join(' ')).toMatch(warning)
      const report = linearReport(problem)
      expect(report.verification.disagreements).toEqual([])
      expect(report.verification.relativeGradientMax).toBeLessThan(1e-13)
      for (let k = 0; k < 20; k++) {
        const { classes } = enumerateCriticalClasses(problem)
        const member = randomMember(problem, classes[k % classes.length].subset, random)
        const { disagreements } = verifyCriticalPoint(problem, member)
        expect(disagreements, `${widths} {${member.subset}}`).toEqual([])
      }
    }
  })

  test('duplicates with different labels are no obstacle: the best map averages them', () => {
    const x = matrixFromRows([[1, 1, 2]])
    const y = matrixFromRows([[0, 2, 2]])
    const problem = linearProblem(x, y, [1, 1, 1])
    expect(problem.assumptions.hold).toBe(true)
    expect(problem.leastSquaresMap.data[0]).toBeCloseTo(1, 14)
    expect(problem.globalMinimum).toBeCloseTo(1, 14)
  })

  test('without a hidden layer there is one class, the least squares map', () => {
    const problem = linearProblem(gaussian(3, 8), gaussian(2, 8), [3, 2])
    const report = linearReport(problem)
    expect(report.classes.map((c) => c.kinds)).toEqual([['global-minimum']])
    expect(report.verification.disagreements).toEqual([])
    expect(report.globalMinimum).toBeCloseTo(problem.leastSquaresLoss, 12)
  })
})

describe('counting classes', () => {
  test('Σ_{r ≤ r_max} C(d_y, r), and the walk agrees', () => {
    for (const [widths, expected] of [
      [[5, 5, 5], 32],
      [[5, 2, 5, 5], 16],
      [[6, 3, 4], 15],
      [[4, 1, 1, 4], 5],
    ] as const) {
      const d = widths[widths.length - 1]
      const problem = linearProblem(gaussian(widths[0], 20), gaussian(d, 20), widths)
      expect(countCriticalClasses(problem)).toBe(BigInt(expected))
      expect([...eachCriticalClass(problem)].length).toBe(expected)
    }
  })

  test('huge counts are exact, and the list says that it is not complete but holds every top class', () => {
    const problem = linearProblem(gaussian(64, 200), gaussian(64, 200), [64, 64, 64])
    const { classes, count, complete } = enumerateCriticalClasses(problem, { limit: 300 })
    expect(count).toBe(2n ** 64n)
    expect(complete).toBe(false)
    expect(classes.length).toBe(300)
    expect(classes.filter((c) => c.top).length).toBe(65)
    expect(classes.at(-1)!.kinds).toEqual(['global-minimum'])
  })

  test('equal eigenvalues are one choice of dimensions, not many', () => {
    const problem = linearProblem(identity(4), diagonalMatrix([3, 2, 2, 2]), [4, 2, 4])
    // Ranks (of λ = 9, of λ = 4): (0,0) (1,0) (0,1) (1,1) (0,2).
    expect(countCriticalClasses(problem)).toBe(5n)
    expect([...eachCriticalClass(problem)].map((c) => `${c.subset}`)).toEqual(['', '1', '2', '1,2', '2,3'])
  })
})
