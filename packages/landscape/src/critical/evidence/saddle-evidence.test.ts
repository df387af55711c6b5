import { expect, test } from 'vitest'
import type { Objective } from '../finders/objective.ts'
import { twoSidedDecrease } from './saddle-evidence.ts'

const objectiveOfFunction = (f: (x: number, y: number) => number): Objective => ({
  name: 'function of two numbers',
  size: 2,
  value: async (theta) => f(theta[0], theta[1]),
  valueAndGradient: async () => ({ value: 0, gradient: new Float64Array(2) }),
  values: async (rows, count) => Float64Array.from({ length: count }, (_, i) => f(rows[2 * i], rows[2 * i + 1])),
  at: () => {
    throw new TypeError('not used')
  },
})

test('a loss that is zero by cancellation shows no noise: larger steps show the decrease, and the search ends', async () => {
  const objective = objectiveOfFunction((x, y) => Math.sin(x) + Math.sin(y))
  const theta = Float64Array.of(Math.PI / 2, -Math.PI / 2)
  const { measured, decrease } = await twoSidedDecrease(objective, theta, Float64Array.of(1, 0), -1, 0)
  expect(measured).toBe(true)
  expect(decrease!.lossPlus).toBeLessThan(-0.4)
  expect(decrease!.ratioMinus).toBeCloseTo(decrease!.ratioPlus, 10)
})

test('a curvature that is not there is not measured, and the search ends', async () => {
  const objective = objectiveOfFunction((x, y) => x * x + y * y)
  for (const theta of [Float64Array.of(0, 0), Float64Array.of(1e-200, 0)]) {
    const { measured, evaluations } = await twoSidedDecrease(objective, theta, Float64Array.of(1, 0), -1, 0)
    expect(measured).toBe(false)
    expect(evaluations).toBeLessThan(300)
  }
})
