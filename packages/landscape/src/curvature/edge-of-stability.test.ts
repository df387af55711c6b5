import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { gaussianMixture } from '../data/index.ts'
import { Loss, LossPoint } from '../loss/index.ts'
import { mlp } from '../model/index.ts'
import { denseOf, diagonalOperator, symmetricEigen } from '../linalg/index.ts'
import {
  adamPreconditioner,
  edgeOfStability,
  edgeOfStabilityAlong,
  preconditionedOperator,
  stabilityLimit,
} from './edge-of-stability.ts'
import type { StableOptimizer } from './edge-of-stability.ts'
import { spectrum } from './spectrum.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

test('λη/2', () => expect(edgeOfStability(40, 0.05)).toBe(1))

test('along a path: the largest eigenvalue at each point, cheaper from one to the next', async () => {
  const loss = new Loss({
    engine,
    model: mlp({ widths: [4, 8, 3], activation: 'tanh' }),
    dataset: gaussianMixture({ samples: 50, classes: 3, dimension: 4 }),
    spec: { name: 'cross-entropy', reduction: 'mean' },
  })
  const trajectory = [loss.model.initialize(1)]
  for (let step = 0; step < 6; step++) {
    const at = trajectory[step]
    const { gradient } = await loss.valueAndGradient(at)
    trajectory.push(at.map((t, i) => t - 0.3 * gradient[i]))
  }
  const found = await edgeOfStabilityAlong(loss, trajectory, { learningRate: 0.3, tolerance: 1e-6 })
  expect(found).toHaveLength(7)
  for (const [i, point] of found.entries()) {
    const { top } = await spectrum(new LossPoint(loss, trajectory[i]).operator('hessian'), { top: 1, bottom: 0 })
    expect(point.converged).toBe(true)
    expect(Math.abs(point.topEigenvalue - top[0].value)).toBeLessThan(1e-9)
    expect(point.edge).toBe(edgeOfStability(point.topEigenvalue, 0.3))
  }
  const later = found.slice(1).reduce((sum, { products }) => sum + products, 0) / 6
  expect(later).toBeLessThanOrEqual(found[0].products)
  await expect(edgeOfStabilityAlong(loss, trajectory, { learningRate: 0 })).rejects.toThrow(/must be positive, got 0/)
})

describe('stability limits of other optimizers, against what they do on a quadratic', () => {
  const lambda = Float64Array.of(0.3, 2, 5)
  const secondMoments = Float64Array.of(4, 0.25, 1)
  const adam = { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, secondMoments, step: 100_000 } as const
  /** |θ| after many steps from 1, with Adam's preconditioner held fixed. */
  const after = (optimizer: StableOptimizer, rate: number): number => {
    const p = optimizer.name === 'adam' ? adamPreconditioner(optimizer) : Float64Array.of(1, 1, 1)
    let largest = 0
    for (let i = 0; i < 3; i++) {
      let [theta, m] = [1, 0]
      for (let step = 0; step < 4000; step++) {
        const g = lambda[i] * theta
        if (optimizer.name === 'adam') {
          m = optimizer.beta1 * m + (1 - optimizer.beta1) * g
          theta -= (rate * m) / p[i]
        } else {
          const beta = optimizer.name === 'gradient-descent' ? 0 : optimizer.momentum
          m = beta * m + g
          theta -= rate * (optimizer.name === 'nesterov' ? g + beta * m : m)
        }
        if (Math.abs(theta) > 1e9) return Number.POSITIVE_INFINITY
      }
      largest = Math.max(largest, Math.abs(theta))
    }
    return largest
  }
  test.each<StableOptimizer>([
    { name: 'gradient-descent' },
    { name: 'momentum', momentum: 0.9 },
    { name: 'nesterov', momentum: 0.9 },
    adam,
  ])('$name', async (optimizer) => {
    const diagonal = optimizer.name === 'adam' ? adamPreconditioner(optimizer) : Float64Array.of(1, 1, 1)
    const { values } = symmetricEigen(
      (await denseOf(preconditionedOperator(diagonalOperator(lambda), diagonal))).matrix,
    )
    const rate = stabilityLimit(optimizer) / values[2]
    expect(edgeOfStability(values[2], rate, optimizer)).toBeCloseTo(1, 12)
    expect(after(optimizer, 0.98 * rate)).toBeLessThan(1e-3)
    expect(after(optimizer, 1.02 * rate)).toBeGreaterThan(1e3)
  })

  test('38 for the usual Adam; momentum outside [0, 1) is refused', () => {
    expect(stabilityLimit(adam)).toBeCloseTo(38, 12)
    expect(() => stabilityLimit({ name: 'momentum', momentum: 1 })).toThrow(/\[0, 1\)/)
  })
})
