import { describe, expect, test } from 'vitest'
import type { LinearOperator } from './linear-operator.ts'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import { frobenius, trace } from './matrix.ts'
import { stream, withSpectrum } from './testing/random-matrices.ts'
import type { Estimate, EstimateOptions } from './trace-estimators.ts'
import { frobeniusNorm, hutchinsonTrace, hutchPlusPlusTrace, xtrace } from './trace-estimators.ts'

type Estimator = (operator: LinearOperator, options?: EstimateOptions) => Promise<Estimate>
const estimators: readonly (readonly [string, Estimator])[] = [
  ['hutchinsonTrace', hutchinsonTrace],
  ['hutchPlusPlusTrace', hutchPlusPlusTrace],
  ['xtrace', xtrace],
]

const spectra: Record<string, (i: number) => number> = {
  flat: (i) => 1 + (i % 3),
  'power law': (i) => 1 / (1 + i) ** 2,
  exponential: (i) => 0.8 ** i,
  indefinite: (i) => Math.sin(7 * i) * (i < 10 ? 30 : 1),
}

describe.each(estimators)('%s', (_, estimate) => {
  test.each(Object.entries(spectra))('%s spectrum: within 4 standard errors, products as counted', async (name, f) => {
    const n = 200
    const a = withSpectrum(
      Float64Array.from({ length: n }, (__, i) => f(i)),
      stream(`trace ${name}`),
    )
    let used = 0
    const dense = denseOperator(a)
    const operator: LinearOperator = {
      size: n,
      apply: async (v) => {
        used++
        return dense.apply(v)
      },
    }
    const { value, standardError, products } = await estimate(operator, { products: 60 })
    expect(Math.abs(value - trace(a))).toBeLessThan(4 * standardError + 1e-12)
    expect(standardError).toBeGreaterThan(0)
    expect(products).toBe(used)
    expect(products).toBeLessThanOrEqual(60)
  })

  test('the reported error is the spread over seeds', async () => {
    const a = withSpectrum(
      Float64Array.from({ length: 100 }, (__, i) => 1 / (1 + i)),
      stream('trace spread'),
    )
    const runs = await Promise.all(
      Array.from({ length: 60 }, (__, seed) => estimate(denseOperator(a), { products: 30, seed })),
    )
    const exact = trace(a)
    const meanSquare = runs.reduce((sum, { value }) => sum + (value - exact) ** 2, 0) / runs.length
    const reported = runs.reduce((sum, { standardError }) => sum + standardError ** 2, 0) / runs.length
    expect(meanSquare / reported).toBeGreaterThan(0.4)
    expect(meanSquare / reported).toBeLessThan(2.5)
    // Unbiased: the mean over seeds is within 4 of its standard errors.
    const mean = runs.reduce((sum, { value }) => sum + value, 0) / runs.length
    expect(Math.abs(mean - exact)).toBeLessThan(4 * Math.sqrt(meanSquare / runs.length))
  })

  test('enough products make it exact', async () => {
    const operator = diagonalOperator(Float64Array.of(1, 2, 3, -10))
    expect(await estimate(operator)).toEqual({ value: -4, standardError: 0, products: 4, method: 'exact' })
  })

  test('the zero operator', async () => {
    const result = await estimate(diagonalOperator(new Float64Array(500)), { products: 30 })
    expect(result.value).toBe(0)
    expect(result.standardError).toBe(0)
  })

  test('too few products are refused', async () => {
    await expect(estimate(diagonalOperator(new Float64Array(500)), { products: 1 })).rejects.toThrow(/products must be/)
  })
})

test.each([
  ['hutchPlusPlusTrace', hutchPlusPlusTrace],
  ['xtrace', xtrace],
] as const)('%s is exact on low rank', async (_, estimate) => {
  const a = withSpectrum(
    Float64Array.from({ length: 150 }, (__, i) => (i < 5 ? 5 - i : 0)),
    stream('trace low rank'),
  )
  const { value, standardError } = await estimate(denseOperator(a), { products: 30 })
  expect(Math.abs(value - 15)).toBeLessThan(1e-11)
  expect(standardError).toBeLessThan(1e-11)
})

test('on a decaying spectrum hutch++ beats hutchinson, and xtrace beats both', async () => {
  const a = withSpectrum(
    Float64Array.from({ length: 200 }, (_, i) => 0.85 ** i),
    stream('trace order'),
  )
  const [plain, plus, leaveOneOut] = await Promise.all(
    estimators.map(([, estimate]) => estimate(denseOperator(a), { products: 60 })),
  )
  expect(plus.standardError).toBeLessThan(plain.standardError / 5)
  expect(leaveOneOut.standardError).toBeLessThan(plus.standardError)
})

test('Frobenius norm: within 4 standard errors, exact with p products', async () => {
  const a = withSpectrum(
    Float64Array.from({ length: 150 }, (_, i) => Math.cos(i) * 3),
    stream('frobenius'),
  )
  const { value, standardError } = await frobeniusNorm(denseOperator(a), { products: 60 })
  expect(Math.abs(value - frobenius(a))).toBeLessThan(4 * standardError)
  const exact = await frobeniusNorm(denseOperator(a), { products: 150 })
  expect(exact.method).toBe('exact')
  expect(Math.abs(exact.value - frobenius(a))).toBeLessThan(1e-12 * frobenius(a))
})
