import { expect, it } from 'vitest'
import { grownCurve } from './growing-curve.ts'

it('a curve that grows for hours stays within bounds, in order, with both ends', () => {
  let curve: readonly number[] = []
  for (let k = 0; k < 3000; k++) {
    curve = grownCurve(curve, [7 * k, 7 * k + 1, 7 * k + 2, 7 * k + 3, 7 * k + 4, 7 * k + 5, 7 * k + 6])
    expect(curve.length).toBeLessThanOrEqual(4000)
    expect(curve.at(-1)).toBe(7 * k + 6)
  }
  expect(curve[0]).toBe(0)
  expect(curve.length).toBeGreaterThan(1000)
  expect(curve.every((x, i) => i === 0 || x > curve[i - 1])).toBe(true)
})

it('changes nothing while there is room', () => {
  expect(grownCurve([1, 2], [3])).toEqual([1, 2, 3])
})
