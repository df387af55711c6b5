import { DomainError } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { identity, matrix, matrixFromRows, zeros } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { collapseProduct } from './collapsed-product.ts'
import { convexityWitnesses } from './convexity-witnesses.ts'
import { checkLemmas } from './critical-lemmas.ts'
import { criticalPoint, zeroBlocks } from './critical-point.ts'
import { effectiveMap } from './effective-map.ts'
import { shallowDescentDirection } from './global-criteria.ts'
import { linearLoss } from './linear-derivatives.ts'
import { linearProblem } from './linear-problem.ts'
import { randomWeights } from './linear-weights.ts'
import { modeStrength, modeTime } from './mode-dynamics.ts'
import { pathGateMonteCarlo, reluDiscrepancy } from './path-gates.ts'
import { randomProblem } from './random-problem.ts'
import { checkHardtMa } from './residual-linear.ts'

const y = matrixFromRows([
  [2, 1],
  [1, 1],
])

describe('convexity', () => {
  test.each([[[2, 2, 2]], [[2, 1, 1, 2]], [[2, 2, 2, 2, 2]]])('neither convex nor concave: %j', (widths) => {
    const problem = linearProblem(identity(2), y, widths)
    const { notConvex, notConcave } = convexityWitnesses(problem)
    expect(notConvex.endLosses.map((l) => l - problem.globalMinimum)).toEqual([
      expect.closeTo(0, 13),
      expect.closeTo(0, 13),
    ])
    expect(notConvex.middleLoss).toBeCloseTo(3.5, 13)
    expect(notConvex.excess).toBeGreaterThan(0.1)
    expect(notConcave.excess).toBeLessThan(-0.1)
  })
  test('no witness without a hidden layer or without a signal', () => {
    expect(() => convexityWitnesses(linearProblem(identity(2), y, [2, 2]))).toThrow(DomainError)
    expect(() => convexityWitnesses(linearProblem(identity(2), zeros(2, 2), [2, 2, 2]))).toThrow(/Σ = 0/)
  })
})

test('lemmas 4.2 and 4.6 fail where the point is not critical or not a minimum of its rank: the checks can fail', () => {
  const problem = randomProblem([3, 2, 2, 3], 6)
  const anywhere = randomWeights(problem.widths, randomStream(1, 'lemmas'))
  const semidefinite = { positiveSemidefinite: true, negativeSemidefinite: false }
  expect(checkLemmas(problem, anywhere, semidefinite)[0].holds).toBe(false)
  const saddle = criticalPoint(problem, [2])
  const checks = checkLemmas(problem, saddle, semidefinite)
  expect(checks.map((c) => [c.name, c.holds])).toContainEqual(['lemma 4.6', false])
})

test('a 2-3-1 linear network has nine weights and two effective parameters', () => {
  const problem = randomProblem([2, 3, 1], 8)
  const weights = randomWeights([2, 3, 1], randomStream(4, 'effective'))
  const found = effectiveMap(problem, weights)
  expect([found.parameters, found.effectiveParameters]).toEqual([9, 2])
  const [first, second] = weights
  const sums = [0, 1].map((i) => [0, 1, 2].reduce((s, j) => s + second.data[j] * first.data[2 * j + i], 0))
  expect([...found.map.data]).toEqual(sums.map((s) => expect.closeTo(s, 13)))
  expect(found.distanceToBest).toBeCloseTo(linearLoss(problem, weights) - problem.globalMinimum, 12)
  expect(effectiveMap(problem, criticalPoint(problem, [1])).distanceToBest).toBeLessThan(1e-26)
})

describe('collapsing the product', () => {
  const problem = linearProblem(identity(2), y, [2, 2, 2, 2])
  test('same function, loss and rank; non-strict deep saddle, strict shallow one', () => {
    const { deep, shallow, differences } = collapseProduct(problem, criticalPoint(problem, [1]), 1)
    expect(deep.loss).toBeCloseTo(shallow.loss, 14)
    expect([deep.rank, shallow.rank]).toEqual([1, 1])
    expect([deep.critical, shallow.critical]).toEqual([true, true])
    expect(deep.spectrum.inertia).toEqual({ negative: 0, zero: 9, positive: 3 })
    expect(shallow.spectrum.inertia).toEqual({ negative: 1, zero: 3, positive: 4 })
    expect(differences.join()).toMatch(/the shallow network alone has negative curvature/)
  })
  test('a deep critical point whose collapse is not critical', () => {
    const z = zeroBlocks(problem, 1)
    z[2].data[0] = 1
    const { deep, shallow, differences } = collapseProduct(problem, criticalPoint(problem, [1], { z }), 2)
    expect([deep.critical, shallow.critical]).toEqual([true, false])
    expect(differences.join()).toMatch(/the deep network alone is at a critical point/)
  })
})

test('Hardt and Ma are refused outside the ball', () => {
  expect(() => checkHardtMa([identity(2)], identity(2), identity(2))).toThrow(/‖A_i‖₂ < 1/)
})

describe('modes', () => {
  test('u(t) solves u̇ = 2u(s − u), and modeTime inverts it', () => {
    const [s, u0, t, h] = [2.5, 1e-3, 0.9, 1e-5]
    const u = modeStrength(s, u0, t)
    const slope = (modeStrength(s, u0, t + h) - modeStrength(s, u0, t - h)) / (2 * h)
    expect(slope / (2 * u * (s - u))).toBeCloseTo(1, 8)
    expect(modeTime({ strength: s, from: u0, to: u })).toBeCloseTo(t, 12)
    expect(modeStrength(s, u0, 1e6)).toBe(s)
  })
  test('deep modes: the quadrature has the closed form of L → 2, and of L = 4', () => {
    // L = 4: dt = du / (4 u^{3/2} (s − u)), with v = √(u/s): t = [−1/v + artanh v] / (2 s^{3/2}).
    const [s, from, to] = [1.5, 1e-4, 1.2]
    const primitive = (u: number): number => (-1 / Math.sqrt(u / s) + Math.atanh(Math.sqrt(u / s))) / (2 * s ** 1.5)
    expect(modeTime({ strength: s, from, to, layers: 4 }) / (primitive(to) - primitive(from))).toBeCloseTo(1, 9)
    expect(() => modeTime({ strength: 1, from: 0.5, to: 1.5 })).toThrow(DomainError)
  })
})

describe('path gates', () => {
  const weights = randomWeights([3, 4, 3, 2], randomStream(51, 'gates'))
  const x = matrix(3, 20, randomStream(52, 'gates').normals(60))
  test('the mean over independent gates approaches the linear net like N^{−1/2}, with the predicted constant', () => {
    const ratios = Array.from({ length: 30 }, (_, index) => {
      const random = randomStream(53, 'gates', index)
      const runs = pathGateMonteCarlo(weights, x, { openProbability: 0.7, draws: [25, 400], random })
      expect(runs[0].expectedError / runs[1].expectedError).toBeCloseTo(4, 12)
      return runs.map((r) => (r.error / r.expectedError) ** 2)
    })
    for (const k of [0, 1]) {
      const mean = ratios.reduce((s, r) => s + r[k], 0) / 30
      const deviation = Math.sqrt(ratios.reduce((s, r) => s + (r[k] - mean) ** 2, 0) / 29 / 30)
      expect(Math.abs(mean - 1)).toBeLessThan(4 * deviation)
    }
  })
  test('gates that are always open give the linear net exactly', () => {
    const [run] = pathGateMonteCarlo(weights, x, { openProbability: 1, draws: [1], random: randomStream(1, 'g') })
    expect(run.error).toBeLessThan(1e-14)
    expect(() =>
      pathGateMonteCarlo(weights, x, { openProbability: 0, draws: [1], random: randomStream(1, 'g') }),
    ).toThrow(DomainError)
  })
  test('a real ReLU net is far from the reduction, because its gates depend on the inputs', () => {
    const found = reluDiscrepancy(weights, x)
    expect(found.paths).toBe(3 * 4 * 3 * 2)
    expect(found.openShare).toBeGreaterThan(0.05)
    expect(found.openShare).toBeLessThan(0.6)
    expect(found.linearError).toBeGreaterThan(0.2)
    expect(found.bestFactorError).toBeLessThanOrEqual(found.linearError)
    expect(found.meanGateError).toBeGreaterThan(0.1)
    expect(found.gateInputCorrelation).toBeGreaterThan(0.05)
  })
  test('with positive weights and inputs every gate is open and the reduction is exact', () => {
    const positive = weights.map((w) => ({ ...w, data: w.data.map(Math.abs) }))
    const found = reluDiscrepancy(positive, { ...x, data: x.data.map(Math.abs) })
    expect(found.openShare).toBe(1)
    expect(found.linearError).toBeLessThan(1e-14)
    expect(found.meanGateError).toBeLessThan(1e-14)
    expect(found.gateInputCorrelation).toBe(0)
  })
})

test('with more outputs than inputs, a hidden unit spent on an eigenvalue zero still has a descent direction', () => {
  const x = matrix(1, 3, Float64Array.of(1, 2, -1))
  const problem = linearProblem(
    x,
    matrixFromRows([
      [1, 2, -1],
      [0, 0, 0],
    ]),
    [1, 1, 2],
  )
  const descent = shallowDescentDirection(problem, [zeros(1, 1), matrix(2, 1, Float64Array.of(0, 3))])!
  expect(descent.construction).toBe('rotation')
  expect(descent.curvature).toBeCloseTo(-problem.eigenvalues[0], 10)
})
