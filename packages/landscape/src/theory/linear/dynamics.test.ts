import { DomainError } from '@thalweg/graph'
import { expect, test } from 'vitest'
import { diagonalMatrix, identity, matrixFromRows, qr } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { classLoss } from './critical-classes.ts'
import { criticalPoint } from './critical-point.ts'
import { escapeTimeLaw } from './escape-time.ts'
import { linearGradientFlow, plateausOf } from './linear-gradient-flow.ts'
import { linearProblem } from './linear-problem.ts'
import { randomWeights } from './linear-weights.ts'
import { modeStrength, modeTime } from './mode-dynamics.ts'

test('gradient flow follows the closed form of a balanced mode', () => {
  const problem = linearProblem(identity(1), diagonalMatrix([2]), [1, 1, 1])
  const start = Math.sqrt(0.01)
  const weights = [diagonalMatrix([start]), diagonalMatrix([start])]
  for (const time of [0.5, 1, 2]) {
    const flow = linearGradientFlow(problem, weights, { time, tolerance: 1e-11 })
    expect(flow.status).toBe('finished')
    const u = flow.weights[0].data[0] * flow.weights[1].data[0]
    expect(u).toBeCloseTo(modeStrength(2, 0.01, time), 8)
  }
})

test('gradient flow of a three-layer mode takes the time of the quadrature', () => {
  const problem = linearProblem(identity(1), diagonalMatrix([2]), [1, 1, 1, 1])
  const weights = [1, 2, 3].map(() => diagonalMatrix([Math.cbrt(1e-3)]))
  const time = modeTime({ strength: 2, from: 1e-3, to: 1.5, layers: 3 })
  const flow = linearGradientFlow(problem, weights, { time, tolerance: 1e-11 })
  expect(flow.weights.reduce((u, w) => u * w.data[0], 1)).toBeCloseTo(1.5, 6)
})

test('saddle to saddle: plateaus at the losses of the classes {1..r}', () => {
  // X = I and Y with singular values 4, 2, 1 in random bases.
  const random = randomStream(71, 'plateaus')
  const turn = qr({ rows: 3, cols: 3, data: random.normals(9) }).q
  const y = matrixFromRows([0, 1, 2].map((i) => turn.data.slice(3 * i, 3 * i + 3).map((v, j) => v * [4, 2, 1][j])))
  const problem = linearProblem(identity(3), y, [3, 3, 3, 3])
  const start = randomWeights([3, 3, 3, 3], random, 1e-3)
  const flow = linearGradientFlow(problem, start, { time: 1e5, until: ({ loss }) => loss < 1e-8 })
  const plateaus = plateausOf(problem, flow)
  expect(plateaus.map((p) => p.rank)).toEqual([0, 1, 2, 3])
  expect(plateaus.map((p) => p.predicted)).toEqual([10.5, 2.5, 0.5, 0].map((v) => expect.closeTo(v, 12)))
  for (const { deviation } of plateaus) expect(deviation).toBeLessThan(2e-3)
})

test('escape from a strict saddle takes ln(1/ε) / |λ_min|', () => {
  const y = matrixFromRows([
    [2, 1],
    [1, 1],
  ])
  const problem = linearProblem(identity(2), y, [2, 2, 2])
  const law = escapeTimeLaw(problem, criticalPoint(problem, []), { noises: [1e-3, 1e-4, 1e-5, 1e-6], seed: 1 })
  expect(law.law).toBe('logarithmic')
  expect(law.expectedSlope).toBeCloseTo(1 / 2.61803398875, 9)
  expect(law.slope / law.expectedSlope).toBeCloseTo(1, 2)
})

test.each([
  [3, [1e-2, 3e-3, 1e-3]],
  [4, [3e-2, 1e-2, 3e-3]],
])('escape from the non-strict saddle W = 0 of %i layers takes ε^{−(L−2)}', (layers, noises) => {
  const y = matrixFromRows([
    [2, 1],
    [1, 1],
  ])
  const widths = Array.from({ length: layers + 1 }, () => 2)
  const problem = linearProblem(identity(2), y, widths)
  const law = escapeTimeLaw(problem, criticalPoint(problem, []), { noises, seed: 2 })
  expect(law.law).toBe('power')
  expect(law.expectedSlope).toBe(layers - 2)
  expect(Math.abs(law.slope / law.expectedSlope - 1)).toBeLessThan(0.05)
  expect(law.times.every((t, k) => k === 0 || t > law.times[k - 1])).toBe(true)
  expect(classLoss(problem, [])).toBeCloseTo(3.5, 13)
})

test('one noise is no law', () => {
  const problem = linearProblem(identity(1), identity(1), [1, 1, 1])
  expect(() => escapeTimeLaw(problem, criticalPoint(problem, []), { noises: [1e-3] })).toThrow(DomainError)
})
