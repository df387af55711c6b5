import { describe, expect, it } from 'vitest'
import {
  formatMeasured,
  formatNumber,
  formatPercent,
  formatQuantity,
  shiftExponent,
  superscript,
} from './format-number.ts'

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [-0.41, '−0.4100'],
    [0.000999999, '0.001000'],
    [0.000123456, '1.235\u202f×\u202f10⁻⁴'],
    [1234.5678, '1235'],
    [12345.6, '12,346'],
    [999999.9, '1.000\u202f×\u202f10⁶'],
    [269722, '269,722'],
    [-3e-9, '−3.000\u202f×\u202f10⁻⁹'],
    [1e300, '1.000\u202f×\u202f10³⁰⁰'],
    [5e-324, '4.941\u202f×\u202f10⁻³²⁴'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '−∞'],
    [null, '–'],
  ])('%s → %s', (value, text) => expect(formatNumber(value)).toBe(text))

  it('drops zeros of exact settings only when asked', () => {
    expect(formatNumber(0.1, { trim: true })).toBe('0.1')
    expect(formatNumber(1e-5, { trim: true })).toBe('10⁻⁵')
    expect(formatNumber(0.1)).toBe('0.1000')
  })
})

describe('formatMeasured', () => {
  it.each([
    [-0.410031234, 0.000021, '−0.410031 ± 0.000021'],
    [1.2345e-5, 1.2e-7, '(1.234 ± 0.012) × 10⁻⁵'],
    [12.3456, 0.0996, '12.35 ± 0.10'],
    [269722, 123, '269,722 ± 130'],
    [0.41, 2e-9, '0.4100000000 ± 2.0\u202f×\u202f10⁻⁹'],
    [1, 0, '1 ± 0'],
    [3.2, Number.POSITIVE_INFINITY, '3.200 ± ∞'],
  ])('%s ± %s → %s', (value, error, text) => expect(formatMeasured(value, error)).toBe(text))

  it('never claims more than was given where digits are cut', () => {
    const [value, error] = formatMeasured(1 / 3, 1e-15).split(' ± ')
    expect(value).toBe('0.3333333333')
    expect(error).toBe('3.4\u202f×\u202f10⁻¹¹')
  })
})

it('units, percentages, powers', () => {
  expect(formatQuantity({ value: 41.23, unit: 's', digits: 3 })).toBe('41.2\u202fs')
  expect(formatQuantity({ value: null })).toBe('–')
  expect(formatPercent(0.8333)).toBe('83.3\u202f%')
  expect(superscript(-120)).toBe('⁻¹²⁰')
  expect(shiftExponent(1e-300, 300)).toBeCloseTo(1, 12)
  expect(shiftExponent(1e308, -308)).toBeCloseTo(1, 12)
})
