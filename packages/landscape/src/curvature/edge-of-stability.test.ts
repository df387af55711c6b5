import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { gaussianMixture } from '../data/index.ts'
import { Loss, LossPoint } from '../loss/index.ts'
import { mlp } from '../model/index.ts'
import { edgeOfStability, edgeOfStabilityAlong } from './edge-of-stability.ts'
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
