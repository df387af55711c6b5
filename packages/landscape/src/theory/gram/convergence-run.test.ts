import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { unitSphere } from '../../data/index.ts'
import { linearNetwork, mlp, residualMlp, scaledMlp } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { matrixFromRows } from '../../linalg/index.ts'
import { convergenceRun } from './convergence-run.ts'
import { convergenceTheorem, predictedBound } from './convergence-theorem.ts'
import { eigenvalueAdvice, runAdvice, widthAdvice } from './gram-advice.ts'
import { inputRows, nearlyParallelPairs } from './kernel-inputs.ts'
import { kernelDescent } from './kernel-descent.ts'
import { labelComparison } from './label-comparison.ts'
import { powerLaw } from './power-law.ts'
import { twoLayerRelu } from './two-layer-relu.ts'
import { widthSweep } from './width-sweep.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const dataset = unitSphere({ samples: 8, dimension: 6 })

describe('gradient descent of the theory', () => {
  test.each([
    ['fully connected', scaledMlp({ depth: 2, width: 128, inputs: 6 })],
    ['residual', residualMlp({ depth: 3, width: 128, inputs: 6 })],
  ])('%s: the bound is never violated, the linearization predicts', async (_, model) => {
    const run = await convergenceRun({ engine, model, dataset, steps: 120, measurements: 3 })
    expect(run.losses).toHaveLength(121)
    expect(run.check!.violations).toBe(0)
    expect(run.check!.lambdaMin.value).toBeGreaterThan(run.check!.lambdaMin.bound)
    expect(run.points.map(({ step }) => step)).toEqual([0, 40, 80, 120])
    expect(run.points[0]).toMatchObject({ gramDrift: 0, patternChange: 0 })
    expect(run.points[0].predictionError).toBeLessThan(1e-13)
    const last = run.points[3]
    expect(last.loss).toBeLessThan(0.3 * run.losses[0])
    expect(last.loss).toBeLessThan(last.bound!)
    expect(run.linearized).toBe(true)
    expect(Math.abs(last.predictedLoss / last.loss - 1)).toBeLessThan(0.3)
    expect(last.gramDrift).toBeGreaterThan(0)
    expect(last.patternChange).toBeGreaterThan(0)
    expect(run.stepSize.stability).toBeCloseTo(2 * run.stepSize.used, 12)
    expect(runAdvice(run).join(' ')).toMatch(/kernel regime.*held at all 120 steps/)
  })

  test('any other model: no theorem, the prediction all the same', async () => {
    const model = mlp({ widths: [6, 20, 2], activation: 'tanh' })
    const run = await convergenceRun({ engine, model, dataset: twoOutputs(), steps: 10 })
    expect(run.check).toBeNull()
    expect(run.points.at(-1)!.bound).toBeNull()
    expect(runAdvice(run)).toHaveLength(1)
  })

  test('a linear model: the prediction is exact', async () => {
    const run = await convergenceRun({ engine, model: linearNetwork([6, 1]), dataset, steps: 30 })
    for (const { predictionError, loss, predictedLoss } of run.points) {
      expect(predictionError).toBeLessThan(1e-13)
      expect(Math.abs(predictedLoss - loss)).toBeLessThan(1e-13)
    }
  })
})

function twoOutputs(): typeof dataset {
  const { data } = dataset.targets
  const targets = {
    dtype: 'float64',
    shape: [8, 2],
    data: Float64Array.from({ length: 16 }, (_, i) => Number(data[i >> 1])),
  } as const
  return { ...dataset, targets }
}

test('width sweep: movement constant, relative movement −½, drift between −½ and −1.2', async () => {
  const modelOf = (width: number) => scaledMlp({ depth: 1, width, inputs: 6 })
  const sweep = await widthSweep({ engine, modelOf, dataset, widths: [64, 256, 1024], seeds: 3, steps: 100 })
  const { movement, relativeMovement, gramDrift, initialDistance } = sweep.exponents
  expect(Math.abs(movement.exponent)).toBeLessThan(0.15)
  expect(relativeMovement.exponent).toBeGreaterThan(-0.7)
  expect(relativeMovement.exponent).toBeLessThan(-0.35)
  expect(gramDrift.exponent).toBeLessThan(-0.5)
  expect(gramDrift.exponent).toBeGreaterThan(-1.3)
  expect(initialDistance.exponent).toBeLessThan(-0.2)
  expect(sweep.runs.every(({ violations }) => violations === 0)).toBe(true)
  expect(sweep.threshold.bound).toBe(64)
  expect(sweep.theorem!.width.value).toBeGreaterThan(1e6)
})

test('labels: the rates are the same, only the spectral content differs', async () => {
  const x = inputRows(dataset)
  const teacher = Float64Array.from({ length: 8 }, (_, i) => x.data[6 * i] + x.data[6 * i + 1])
  const random = randomStream(1, 'labels').rademacher(8)
  const model = scaledMlp({ depth: 1, width: 512, inputs: 6 })
  const runs = await labelComparison({ engine, model, dataset, labels: { teacher, random }, steps: 400, target: 0.1 })
  for (const { stepsToTarget, predictedSteps, losses, finalLoss } of runs) {
    expect(losses).toHaveLength(401)
    expect(finalLoss).toBeLessThan(losses[0])
    expect(Math.abs(stepsToTarget! - predictedSteps!)).toBeLessThan(2 + 0.2 * predictedSteps!)
  }
})

test('two-layer ReLU: pattern changes, movement and Gram distance shrink with the width', async () => {
  const points = inputRows(unitSphere({ samples: 20, dimension: 20, seed: 1 }))
  const y = randomStream(2, 'targets').normals(20)
  const options = { stepSize: 1, steps: 100 }
  const [narrow, wide] = [
    await twoLayerRelu(points, y, { ...options, width: 100 }),
    await twoLayerRelu(points, y, { ...options, width: 1600 }),
  ]
  for (const run of [narrow, wide]) {
    expect(run.violations).toBe(0)
    expect(run.squaredErrors[100]).toBeLessThan(1e-6)
    expect(run.largestMovement).toBeLessThan(run.movementBound)
  }
  expect(wide.patternChange).toBeLessThan(0.5 * narrow.patternChange)
  expect(wide.largestMovement).toBeLessThan(0.5 * narrow.largestMovement)
  expect(wide.gramDistance).toBeLessThan(0.5 * narrow.gramDistance)
})

test('kernel descent: one eigenvector, flow and descent', () => {
  const descent = kernelDescent(
    matrixFromRows([
      [2, 1],
      [1, 2],
    ]),
    Float64Array.of(1, 1),
  )
  expect([...descent.eigenvalues]).toEqual([expect.closeTo(1, 14), expect.closeTo(3, 14)])
  expect(descent.lossAfter(3, 0.1)).toBeCloseTo(0.7 ** 6, 14)
  expect(descent.lossAt(0.5)).toBeCloseTo(Math.exp(-3), 14)
  expect([...descent.residualAfter(1, 0.1)]).toEqual([expect.closeTo(0.7, 14), expect.closeTo(0.7, 14)])
})

test('theorems in numbers', () => {
  const fc = convergenceTheorem({ architecture: 'fc', samples: 8, depth: 2, lambda: 0.0076 })
  expect(fc.width.terms[0].value).toBeCloseTo((8 / 0.0076) ** 4, -3)
  expect(fc.width.value).toBeCloseTo(4 * (8 / 0.0076) ** 4, -3)
  const deep = convergenceTheorem({ architecture: 'resnet', samples: 8, depth: 10, lambda: 0.0076 })
  expect(deep.width.value).toBeLessThan(fc.width.value)
  expect(deep.stepSize.value).toBeCloseTo((0.0076 * 100) / 64, 12)
  expect(predictedBound(2, 0.1, 0.5, 10)).toBeCloseTo(2 * 0.975 ** 10, 14)
  expect(() => convergenceTheorem({ architecture: 'fc', samples: 8, depth: 2, lambda: 0 })).toThrow(/must be positive/)
  expect(widthAdvice(fc, 100).join(' ')).toMatch(/asks for a width of order 4\.9\de\+12.*this net has 100/)
})

test('advice names the pair that spoils λ_min', () => {
  const x = matrixFromRows([
    [1, 0, 0],
    [0, 1, 0],
    [Math.cos(0.01), 0, Math.sin(0.01)],
  ])
  const lambda = {
    value: 1e-5,
    bound: 1e-15,
    largest: 1,
    vector: Float64Array.of(Math.SQRT1_2, 0, -Math.SQRT1_2),
    residualNorm: 0,
    method: 'dense',
  } as const
  const text = eigenvalueAdvice(lambda, nearlyParallelPairs(x), false).join(' ')
  expect(text).toMatch(/Samples 0 and 2 are nearly parallel \(0\.5730°\)/)
  expect(text).toMatch(/mostly on samples 0, 2/)
})

test('opposite inputs are not the closest pair of a kinked activation, which tells them apart', () => {
  const x = matrixFromRows([
    [1, 0],
    [-1, 0],
    [0, 1],
  ])
  const lambda = { value: 0.2, bound: 1e-15, largest: 1, vector: null, residualNorm: 0, method: 'dense' } as const
  expect(eigenvalueAdvice(lambda, nearlyParallelPairs(x), true).join(' ')).toMatch(/is 90\.00° apart: no nearly/)
  expect(eigenvalueAdvice(lambda, nearlyParallelPairs(x), false).join(' ')).toMatch(/Samples 0 and 1 are opposite/)
})

test('power law: exact on a power, refuses zeros', () => {
  expect(powerLaw([1, 2, 4], [3, 1.5, 0.75])).toMatchObject({
    exponent: expect.closeTo(-1, 14),
    factor: expect.closeTo(3, 13),
  })
  expect(() => powerLaw([1, 1], [2, 3])).toThrow(/two different x/)
  expect(() => powerLaw([1, 2], [0, 3])).toThrow(/positive/)
})
