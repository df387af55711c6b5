import { describe, expect, test } from 'vitest'
import { traceToAccuracy } from './adaptive-trace.ts'
import type { LinearOperator } from './linear-operator.ts'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import { trace } from './matrix.ts'
import { stream, withSpectrum } from './testing/random-matrices.ts'
import { hutchinsonTrace } from './trace-estimators.ts'

/** Counts its products. */
function counted(operator: LinearOperator): { operator: LinearOperator; used(): number } {
  let used = 0
  const apply = (v: Float64Array): Promise<Float64Array> => {
    used++
    return operator.apply(v)
  }
  return { operator: { size: operator.size, apply }, used: () => used }
}

const spectra: Record<string, (i: number) => number> = {
  flat: (i) => 1 + (i % 3),
  'power law': (i) => 1 / (1 + i) ** 2,
  outliers: (i) => (i < 20 ? 10 - i / 4 : 0.01 * Math.sin(i) ** 2),
  indefinite: (i) => (i < 10 ? 30 : 0.2 + Math.sin(7 * i)),
}

describe.each(Object.entries(spectra))('%s spectrum', (name, f) => {
  const n = 400
  const a = withSpectrum(
    Float64Array.from({ length: n }, (_, i) => f(i)),
    stream(`adaptive trace ${name}`),
  )
  const exact = trace(a)

  test.each([0.1, 0.02])('a standard error of %f of the trace, and no less error than it says', async (accuracy) => {
    let squares = 0
    let reported = 0
    const seeds = 20
    for (let seed = 0; seed < seeds; seed++) {
      const { operator, used } = counted(denseOperator(a))
      const { value, standardError, products } = await traceToAccuracy(operator, { accuracy, seed })
      expect(standardError).toBeLessThanOrEqual(accuracy * Math.abs(value))
      expect(products).toBe(used())
      squares += (value - exact) ** 2
      reported += (accuracy * exact) ** 2
    }
    expect(squares / reported).toBeLessThan(2)
  })
})

test('outliers are captured: far fewer products than by random signs alone', async () => {
  const f = spectra['outliers']
  const a = withSpectrum(
    Float64Array.from({ length: 400 }, (_, i) => f(i)),
    stream('adaptive trace saves'),
  )
  const accuracy = 0.005
  const { products, method } = await traceToAccuracy(denseOperator(a), { accuracy })
  const { standardError, value } = await hutchinsonTrace(denseOperator(a), { products: 4 * products })
  expect(method).toBe('hutch++')
  expect(products).toBeLessThan(200)
  expect(standardError).toBeGreaterThan(accuracy * value)
})

test('an operator of low rank: exact as soon as its range is captured', async () => {
  const diagonal = Float64Array.from({ length: 1000 }, (_, i) => (i % 90 === 0 ? 1 + i : 0))
  const { value, standardError, products } = await traceToAccuracy(diagonalOperator(diagonal), { accuracy: 1e-6 })
  expect(value).toBeCloseTo(
    diagonal.reduce((sum, v) => sum + v, 0),
    8,
  )
  expect(standardError).toBe(0)
  expect(products).toBeLessThan(60)
})

test('where random signs would cost more than all unit vectors, these are taken', async () => {
  const a = withSpectrum(
    Float64Array.from({ length: 200 }, (_, i) => 1 + (i % 3)),
    stream('adaptive trace exact'),
  )
  const { operator, used } = counted(denseOperator(a))
  const found = await traceToAccuracy(operator, { accuracy: 1e-6 })
  expect(found).toMatchObject({ method: 'exact', standardError: 0, products: used() })
  expect(found.value).toBeCloseTo(trace(a), 9)
})

test('the zero operator, and a small one', async () => {
  expect(await traceToAccuracy(diagonalOperator(new Float64Array(500)), { accuracy: 0.1 })).toMatchObject({
    value: 0,
    standardError: 0,
  })
  expect(await traceToAccuracy(diagonalOperator(Float64Array.of(1, 2, -5)), { accuracy: 0.1 })).toEqual({
    value: -2,
    standardError: 0,
    products: 3,
    method: 'exact',
  })
})

test('a trace of zero: all products allowed are spent and the error is told', async () => {
  const diagonal = Float64Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + (i >> 1)))
  const { operator, used } = counted(denseRotation(diagonal))
  const { value, standardError, products } = await traceToAccuracy(operator, { accuracy: 0.01, maxProducts: 120 })
  expect(products).toBe(used())
  expect(products).toBeLessThanOrEqual(120)
  expect(Math.abs(value)).toBeLessThan(4 * standardError)
})

/** D between two reflections, so that its diagonal is not the answer. */
function denseRotation(diagonal: Float64Array): LinearOperator {
  const size = diagonal.length
  const reflect = (v: Float64Array): Float64Array => {
    const mean = v.reduce((sum, x) => sum + x, 0) / size
    return v.map((x) => x - 2 * mean)
  }
  return { size, apply: async (v) => reflect(reflect(v).map((x, i) => x * diagonal[i])) }
}

test('a signal ends it with what there is', async () => {
  const signal = { aborted: false }
  const diagonal = Float64Array.from({ length: 3000 }, (_, i) => Math.sin(i))
  const base = denseRotation(diagonal)
  let used = 0
  const operator: LinearOperator = {
    size: 3000,
    apply: (v) => {
      signal.aborted = ++used > 90
      return base.apply(v)
    },
  }
  const { standardError, products } = await traceToAccuracy(operator, { accuracy: 1e-9, signal })
  expect(products).toBeLessThan(110)
  expect(standardError).toBeGreaterThan(0)
  await expect(traceToAccuracy(base, { accuracy: 0.1, signal: { aborted: true } })).rejects.toThrow(
    /stopped after 0 products/,
  )
})

test.each([
  [{ accuracy: 0 }, /accuracy must be above 0, got 0/],
  [{ accuracy: Number.NaN }, /accuracy must be above 0, got NaN/],
  [{ accuracy: 0.1, maxProducts: 10 }, /maxProducts must be an integer of at least 40, got 10/],
])('%j is refused', async (options, message) => {
  await expect(traceToAccuracy(diagonalOperator(new Float64Array(99)), options)).rejects.toThrow(message)
})

test('a product that is not finite is refused', async () => {
  const operator: LinearOperator = { size: 99, apply: async (v) => v.map(() => Number.NaN) }
  await expect(traceToAccuracy(operator, { accuracy: 0.1 })).rejects.toThrow(/finite/)
})
