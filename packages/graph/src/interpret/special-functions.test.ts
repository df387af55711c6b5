import { describe, expect, it } from 'vitest'
import { numbersFrom, readGolden } from '../../test/read-golden.ts'
import type { GoldenNumber } from '../../test/read-golden.ts'
import { erfOf, roundHalfEven, sigmoidOf, softplusOf } from './special-functions.ts'

const functions: Readonly<Record<string, (x: number) => number>> = {
  erf: erfOf,
  sigmoid: sigmoidOf,
  softplus: softplusOf,
}

describe('special functions', () => {
  it.each(readGolden<{ name: string; x: GoldenNumber[]; y: GoldenNumber[] }>('special-functions'))(
    '$name is exact to a few units in the last place, from 1e-300 to 1e3',
    ({ name, x, y }) => {
      const expected = numbersFrom(y)
      numbersFrom(x).forEach((at, i) => {
        const tolerance = Math.max(8 * 2 ** -53 * Math.abs(expected[i]), Number.MIN_VALUE)
        expect(Math.abs(functions[name](at) - expected[i]), `${name}(${at})`).toBeLessThanOrEqual(tolerance)
      })
    },
  )

  it.each([
    ['erf', [-1, 1]],
    ['sigmoid', [0, 1]],
    ['softplus', [0, Number.POSITIVE_INFINITY]],
  ] as const)('%s has its limits at ±∞ and passes NaN on', (name, limits) => {
    expect([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].map(functions[name])).toEqual(limits)
    expect(functions[name](Number.NaN)).toBeNaN()
  })

  it('erf is odd, also at zero', () => {
    expect(erfOf(-0)).toBe(-0)
    expect(erfOf(-1.3)).toBe(-erfOf(1.3))
  })

  it('rounds halves to even', () => {
    const points = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999999999999994, 4503599627370495.5, -0, 7]
    expect(points.map(roundHalfEven)).toEqual([-2, -2, -0, 0, 2, 2, 0, 4503599627370496, -0, 7])
    expect([Infinity, -Infinity, Number.NaN].map(roundHalfEven)).toEqual([Infinity, -Infinity, Number.NaN])
  })
})
