import { DomainError, ShapeError, UnsupportedError } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { matmul, matrix, symmetricEigenvalues, transpose, zeros } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { linearNetwork, mlp } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { criticalPoint } from './critical-point.ts'
import { linearHessian } from './linear-derivatives.ts'
import { linearProblemFromRows } from './linear-problem.ts'
import { linearReport } from './linear-report.ts'
import { halfSumFactor, linearArchitectureOf, linearVerdict } from './linear-verdict.ts'
import { endToEndMap, flattenWeights } from './linear-weights.ts'

const random = randomStream(81, 'verdict')
const n = 9
const x = matrix(
  n,
  3,
  random.normals(3 * n).map((v) => v + 1),
)
const y = matrix(
  n,
  2,
  random.normals(2 * n).map((v) => 2 * v - 3),
)
const widths = [3, 2, 2, 2]
const halfSum = { name: 'half-sum-squares', reduction: 'sum' } as const
const none = [false, false, false]

test('recognizes linear networks', () => {
  expect(linearArchitectureOf(linearNetwork([3, 2, 1]))).toEqual({ widths: [3, 2, 1], biases: [false, false] })
  expect(linearArchitectureOf(mlp({ widths: [3, 2, 1], activation: 'linear' }))?.biases).toEqual([true, true])
  expect(linearArchitectureOf(mlp({ widths: [3, 2, 1] }))).toBeUndefined()
  expect(linearArchitectureOf(mlp({ widths: [3, 3, 1], activation: 'linear', skip: true }))).toBeUndefined()
  for (const outputActivation of ['tanh', 'sigmoid', 'softplus'] as const)
    expect(linearArchitectureOf(mlp({ widths: [3, 2, 1], activation: 'linear', outputActivation }))).toBeUndefined()
})

test('conventions: every squared loss is a multiple of the half sum', () => {
  expect(halfSumFactor({ name: 'mse', reduction: 'mean' }, 10, 4)).toBe(2 / 40)
  expect(halfSumFactor({ name: 'mse', reduction: 'sum' }, 10, 4)).toBe(2)
  expect(halfSumFactor({ name: 'squared', reduction: 'mean' }, 10, 4)).toBe(2 / 10)
  expect(halfSumFactor({ name: 'half-sum-squares', reduction: 'mean' }, 10, 4)).toBe(1)
  expect(() => halfSumFactor({ name: 'cross-entropy', reduction: 'mean' }, 10, 4)).toThrow(UnsupportedError)
})

describe('bias-free', () => {
  const problem = linearProblemFromRows(x, y, widths)
  test.each([
    [[1, 2], 'global-minimum'],
    [[1], 'non-strict-saddle'],
    [[2], 'strict-saddle'],
    [[], 'non-strict-saddle'],
  ])('the canonical point of {%j} is a %s, in the convention of the loss', (subset, kind) => {
    const theta = flattenWeights(criticalPoint(problem, subset))
    const mse = linearVerdict({ widths, biases: none, x, y, theta, loss: { name: 'mse', reduction: 'mean' } })
    const half = linearVerdict({ widths, biases: none, x, y, theta, loss: halfSum })
    expect(mse.kind).toBe(kind)
    expect(mse.subset).toEqual(subset)
    expect(mse.loss).toBeCloseTo((half.loss * 2) / (2 * n), 12)
    expect(mse.gap).toBeCloseTo((half.gap * 2) / (2 * n), 12)
    expect(half.globalMinimum).toBeCloseTo(problem.globalMinimum, 12)
    const direct = matmul(x, transpose(endToEndMap(criticalPoint(problem, subset))))
    const squares = direct.data.reduce((s, v, i) => s + (v - y.data[i]) ** 2, 0)
    expect(mse.loss).toBeCloseTo(squares / (2 * n), 12)
  })
  test('refusals', () => {
    const theta = new Float64Array(3)
    expect(() => linearVerdict({ widths, biases: none, x, y, theta, loss: halfSum })).toThrow(ShapeError)
    const fitting = new Float64Array(14)
    const input = { widths, biases: none, x, y, theta: fitting, loss: halfSum }
    expect(() => linearVerdict({ ...input, weightDecay: 0.1 })).toThrow(DomainError)
    const { loss } = linearVerdict(input)
    expect(linearVerdict({ ...input, measuredLoss: loss * (1 + 1e-12) }).loss).toBe(loss)
    expect(() => linearVerdict({ ...input, measuredLoss: loss * 1.1 })).toThrow(/must be the linear network/)
    expect(() => linearVerdict({ ...input, biases: [false] })).toThrow(ShapeError)
  })
})

describe('output bias', () => {
  const biases = [false, false, true]
  const mean = (a: Matrix, j: number): number => {
    let s = 0
    for (let i = 0; i < a.rows; i++) s += a.data[i * a.cols + j] / a.rows
    return s
  }
  const centered = (a: Matrix): Matrix => ({ ...a, data: a.data.map((v, i) => v - mean(a, i % a.cols)) })
  const problem = linearProblemFromRows(centered(x), centered(y), widths)
  const thetaAt = (subset: number[]): Float64Array => {
    const weights = criticalPoint(problem, subset)
    const map = endToEndMap(weights)
    const bias = [0, 1].map((j) => mean(y, j) - [0, 1, 2].reduce((s, i) => s + map.data[3 * j + i] * mean(x, i), 0))
    return Float64Array.of(...flattenWeights(weights), ...bias)
  }
  test.each([
    [[1, 2], 'global-minimum'],
    [[2], 'strict-saddle'],
    [[1], 'non-strict-saddle'],
  ])('through centered data: {%j} is a %s', (subset, kind) => {
    const verdict = linearVerdict({ widths, biases, x, y, theta: thetaAt(subset), loss: halfSum })
    expect(verdict.kind).toBe(kind)
    expect(verdict.biases).toBe('output')
    expect(verdict.loss).toBeCloseTo(verdict.classLoss!, 11)
    expect(verdict.biasGradientNorm).toBeLessThan(1e-12)
  })
  test('a bias off its optimum is not critical', () => {
    const theta = thetaAt([1, 2])
    theta[theta.length - 1] += 1
    const verdict = linearVerdict({ widths, biases, x, y, theta, loss: halfSum })
    expect(verdict.kind).toBe('not-critical')
    expect(verdict.gap).toBeCloseTo(n / 2, 9)
  })
  test('the bias adds d_y positive eigenvalues to the inertia of the centered problem', () => {
    // The joint Hessian is that of the bias-free net on [X; constant 1], restricted to a last layer with a skip: build it by
    // differences of the closed-form gradient instead.
    const theta = thetaAt([2])
    const p = theta.length
    const loss = (t: Float64Array): number =>
      linearVerdict({ widths, biases, x, y, theta: t, loss: halfSum }, { parametersMax: 0 }).loss
    const h = 1e-3
    const joint = zeros(p, p)
    const at = (i: number, a: number, j: number, b: number): number => {
      const t = theta.slice()
      t[i] += a
      t[j] += b
      return loss(t)
    }
    for (let i = 0; i < p; i++) {
      for (let j = 0; j <= i; j++) {
        const value = (at(i, h, j, h) - at(i, h, j, -h) - at(i, -h, j, h) + at(i, -h, j, -h)) / (4 * h * h)
        joint.data[i * p + j] = value
        joint.data[j * p + i] = value
      }
    }
    const count = (values: Float64Array, sign: number): number => values.filter((v) => sign * v > 1e-2).length
    const values = symmetricEigenvalues(joint)
    const alone = symmetricEigenvalues(linearHessian(problem, criticalPoint(problem, [2])))
    expect(count(values, 1)).toBe(count(alone, 1) + 2)
    expect(count(values, -1)).toBe(count(alone, -1))
  })
})

describe('hidden biases: the value only', () => {
  test.each([
    [[3, 1, 2, 2], [false, true, false], 'a wider layer follows: centered data'],
    [[3, 1, 1, 2], [true, true, false], 'through the narrowest layer: constant input'],
    [[3, 1, 2, 2], [true, true, true], 'with an output bias: centered data'],
  ])('%j, biases %j: %s', (sizes, biases) => {
    const size = sizes.slice(1).reduce((s, d, k) => s + d * sizes[k] + (biases[k] ? d : 0), 0)
    const verdictAt = (theta: Float64Array): ReturnType<typeof linearVerdict> =>
      linearVerdict({ widths: sizes, biases, x, y, theta, loss: halfSum })
    const floor = verdictAt(new Float64Array(size)).globalMinimum
    const ends = Array.from({ length: 6 }, (_, index) => {
      const start = randomStream(91, 'hidden bias', index).normals(size)
      return minimize(
        (t) => affineLoss(sizes, biases, t),
        start.map((v) => v / 2),
      )
    })
    const best = ends.reduce((a, b) => (a.loss < b.loss ? a : b))
    // No search gets below the closed form, and the best one comes close.
    for (const end of ends) expect(end.loss / floor - 1).toBeGreaterThan(-1e-12)
    expect(best.loss / floor - 1).toBeLessThan(1e-3)
    const verdict = verdictAt(best.theta)
    expect(verdict.kind).toBe('value-only')
    expect(verdict.loss).toBeCloseTo(best.loss, 10)
  })
})

/** ½ Σ ‖net(x) − y‖² in plain loops. */
function affineLoss(sizes: readonly number[], biases: readonly boolean[], theta: Float64Array): number {
  let sum = 0
  for (let sample = 0; sample < n; sample++) {
    let signal: ArrayLike<number> = x.data.subarray(3 * sample, 3 * sample + 3)
    let start = 0
    sizes.slice(1).forEach((rows, k) => {
      const [from, cols] = [signal, sizes[k]]
      const shift = start + rows * cols
      const next = new Float64Array(rows)
      for (let i = 0; i < rows; i++) {
        next[i] = biases[k] ? theta[shift + i] : 0
        for (let j = 0; j < cols; j++) next[i] += theta[start + i * cols + j] * from[j]
      }
      start = shift + (biases[k] ? rows : 0)
      signal = next
    })
    for (let j = 0; j < 2; j++) sum += (signal[j] - y.data[2 * sample + j]) ** 2 / 2
  }
  return sum
}

/** Coordinate search with growing and shrinking steps: crude, derivative-free, good enough for ten parameters. */
function minimize(value: (t: Float64Array) => number, start: Float64Array): { loss: number; theta: Float64Array } {
  const t = start.slice()
  const steps = new Float64Array(t.length).fill(0.3)
  let best = value(t)
  for (let sweep = 0; sweep < 400; sweep++) {
    for (let i = 0; i < t.length; i++) {
      const kept = t[i]
      t[i] = kept + steps[i]
      const moved = value(t)
      if (moved < best) {
        best = moved
        steps[i] *= 1.5
      } else {
        t[i] = kept
        steps[i] *= -0.6
      }
    }
  }
  return { loss: best, theta: t }
}

test('the report is plain data with the documented keys', () => {
  const report = linearReport(linearProblemFromRows(x, y, widths))
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  expect(report.sigmaEigenvalues.length).toBe(2)
  expect(report.classes.map((c) => c.subset)).toEqual([[], [1], [2], [1, 2]])
  expect(report.classes[0].representatives.map((r) => [r.kind, r.canonical])).toEqual([
    ['non-strict-saddle', true],
    ['strict-saddle', false],
  ])
  expect(report.classes[1].representatives[0].inertia).toEqual({ negative: 0, zero: 10, positive: 4 })
  expect(report.verification.disagreements).toEqual([])
  const limited = linearReport(linearProblemFromRows(x, y, widths), { verifiedMax: 1 })
  expect(limited.verification.spectra).toBe(1)
  expect(limited.classes[3].representatives[0].inertia).toBeNull()
})
