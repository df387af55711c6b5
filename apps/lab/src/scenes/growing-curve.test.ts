import { expect, it } from 'vitest'
import { grownCurve } from './growing-curve.ts'

it('a curve that grows for hours stays within bounds, in order, even, and with both ends', () => {
  let curve: readonly { step: number }[] = []
  for (let k = 0; k < 30_000; k++) {
    curve = grownCurve(
      curve,
      [0, 1, 2, 3, 4, 5, 6].map((i) => ({ step: 10 * (7 * k + i) })),
    )
    if (curve.length > 4000) throw new Error(`${curve.length} points`)
  }
  const steps = curve.map(({ step }) => step)
  expect(steps[0]).toBe(0)
  expect(steps.at(-1)).toBe(10 * (7 * 30_000 - 1))
  expect(steps.length).toBeGreaterThan(1000)
  expect(steps.every((x, i) => i === 0 || x > steps[i - 1])).toBe(true)
  const gaps = steps.slice(1, -1).map((x, i) => x - steps[i])
  expect(Math.max(...gaps)).toBeLessThan(steps.at(-1)! / 700)
})

it('changes nothing while there is room, and stays bounded where steps do not move', () => {
  const at = (step: number): { step: number } => ({ step })
  expect(grownCurve([at(1), at(2)], [at(3)])).toEqual([at(1), at(2), at(3)])
  const still = Array.from({ length: 5000 }, () => at(7))
  expect(grownCurve([], still).length).toBeLessThanOrEqual(4000)
})
