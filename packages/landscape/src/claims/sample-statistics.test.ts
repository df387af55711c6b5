import { expect, test } from 'vitest'
import { correlation, deviation, mean, median, quantile, rankCorrelation } from './sample-statistics.ts'

test('moments and quantiles of small samples', () => {
  expect(mean([1, 2, 6])).toBe(3)
  expect(deviation([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 14)
  expect(median([5, 1, 2, 4])).toBe(3)
  expect(quantile([0, 10], 0.25)).toBe(2.5)
  expect(quantile([3], 1)).toBe(3)
})

test('correlations: lines, monotone curves, ties', () => {
  expect(correlation([1, 2, 3], [5, 3, 1])).toBeCloseTo(-1, 14)
  expect(rankCorrelation([1, 2, 3, 4], [1, 8, 27, 1000])).toBeCloseTo(1, 14)
  // ranks 0, 1½, 1½, 3 against 0, 1, 2, 3: 4½ / √(4½ · 5)
  expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 14)
  expect(() => correlation([1], [1, 2])).toThrow(/as many y as x, got 2 for 1/)
})
