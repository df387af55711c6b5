import { expect, it } from 'vitest'
import { formatNumber, formatPercent } from './format-number.ts'
import { asRows, linePoints, partNorms } from './line-scene.ts'
import { densityBand, eigenvaluesOf } from './spectrum-scene.ts'

it('linePoints holds the measured loss against L + t·slope + ½ t² λ, in the order of t', () => {
  const line = { t: [1, -1, 0], losses: [2, null, 1], model: { loss: 1, slope: 0.5, curvature: -2 } }
  expect(linePoints(line)).toEqual([
    { t: -1, measured: Number.NaN, foretold: -0.5 },
    { t: 0, measured: 1, foretold: 1 },
    { t: 1, measured: 2, foretold: 0.5 },
  ])
  expect(linePoints({ ...line, model: { ...line.model, slope: null } })[0].foretold).toBeNaN()
})

it('partNorms are shares of the squared norm', () => {
  const norms = partNorms([
    { name: 'weight', shape: [1, 2], values: [3, 0] },
    { name: 'bias', shape: [1], values: Float64Array.of(-4) },
  ])
  expect(norms.map(({ share }) => share)).toEqual([9 / 25, 16 / 25])
  expect(norms.map(({ largest }) => largest)).toEqual([3, -4])
})

it('asRows puts the first axis down and the others side by side', () => {
  expect(asRows([2, 1, 2], [1, 2, 3, 4])).toEqual([
    [1, 2],
    [3, 4],
  ])
  expect(asRows([3], [1, 2, 3])).toEqual([[1, 2, 3]])
})

it('eigenvaluesOf prefers all eigenvalues to the ends and sorts them', () => {
  const end = (value: number): { value: number; residualNorm: number; converged: boolean } => ({
    value,
    residualNorm: 1e-9,
    converged: true,
  })
  const ends = { top: [end(3), end(2)], bottom: [end(-1)] }
  expect(eigenvaluesOf(null, { eigenvalues: ends }).map((e) => [e.rank, e.value])).toEqual([
    [1, 3],
    [2, 2],
    [3, -1],
  ])
  expect(eigenvaluesOf({ eigenvalues: { ...ends, all: [0, 5] } }, null).map((e) => e.value)).toEqual([5, 0])
})

it('densityBand is two standard errors wide and never below what a logarithmic axis shows', () => {
  const [first, second] = densityBand({ grid: [0, 1], values: [1, 0], standardErrors: [0.1, null] })
  expect(first).toEqual({ at: 0, value: 1, lower: 0.8, upper: 1.2 })
  expect(second.lower).toBe(1e-5)
})

it('numbers are written as in the report', () => {
  expect([0.0123456, -1.5e-9, 12345678.9, 1438, 0, Number.NaN, null].map((x) => formatNumber(x))).toEqual([
    '0.01235',
    '−1.500\u202f×\u202f10⁻⁹',
    '1.235\u202f×\u202f10⁷',
    '1438',
    '0',
    'NaN',
    '–',
  ])
  expect(formatNumber(0.5, { digits: 3, trim: true })).toBe('0.5')
  expect(formatPercent(0.9277)).toBe('92.8\u202f%')
})
