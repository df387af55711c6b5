import { describe, expect, it } from 'vitest'
import { formatTick } from './format-number.ts'
import { decadeTicks, isLogarithmic, onScale } from './loss-scale.ts'

describe('the scale of losses', () => {
  it('is logarithmic as long as none is negative; zeros and what is not finite are gaps', () => {
    expect(isLogarithmic([1, 0.1, 0])).toBe(true)
    expect(isLogarithmic([1, null, Number.NaN])).toBe(true)
    expect(isLogarithmic([1, -1e-12])).toBe(false)
    expect(isLogarithmic([0, 0])).toBe(false)
    expect(isLogarithmic([])).toBe(false)
    expect([1, 0, null, Number.POSITIVE_INFINITY].map((x) => onScale(x, true))).toEqual([1, null, null, null])
    expect(onScale(0, false)).toBe(0)
    expect(onScale(-2, false)).toBe(-2)
  })

  const decade = (k: number): number[] => [1, 2, 3, 4, 5, 6, 7, 8, 9].map((d) => d * 10 ** k)

  it('has lines at powers of ten, and at 2 and 5 where there are too few', () => {
    const shown = (splits: number[]) => decadeTicks(splits).filter((x) => x !== null)
    expect(shown([-3, -2, -1].flatMap(decade))).toEqual([0.001, 0.01, 0.1])
    expect(shown([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2])).toEqual([0.5, 1, 2])
    for (const narrow of [
      [0.6, 0.7],
      [3, 4],
      [0.003, 0.004],
    ])
      expect(shown(narrow)).toEqual(narrow)
    const many = Array.from({ length: 24 }, (_, k) => decade(k - 23)).flat()
    expect(shown(many).length).toBeLessThanOrEqual(9)
    expect(shown(many).length).toBeGreaterThan(4)
  })

  it('has labels that differ: small ones are powers of ten, not zeros', () => {
    const labels = [1e-9, 2e-9, 1e-4, 0.001, 0.05, 1, 20, 1e4, 1e7].map(formatTick)
    expect(labels).toEqual(['10⁻⁹', '2×10⁻⁹', '10⁻⁴', '0.001', '0.05', '1', '20', '10,000', '10⁷'])
  })
})
