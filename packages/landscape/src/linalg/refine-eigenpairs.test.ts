import { describe, expect, test } from 'vitest'
import { extremeEigenpairs } from './extreme-eigenpairs.ts'
import { denseOperator, diagonalOperator } from './linear-operator.ts'
import type { LinearOperator } from './linear-operator.ts'
import { refineEigenpairs } from './refine-eigenpairs.ts'
import { symmetricEigenvalues } from './symmetric-eigen.ts'
import { stream, withSpectrum } from './testing/random-matrices.ts'
import { norm } from './vector.ts'

const rounded = (v: Float64Array): Float64Array => Float64Array.from(Float32Array.from(v))

/** Products as float32 arithmetic would give them: every entry in and out rounded. */
function inFloat32(operator: LinearOperator): LinearOperator {
  return { size: operator.size, apply: async (v) => rounded(await operator.apply(rounded(v))) }
}

/** Outliers over a bulk, as Hessians of networks have them. */
const spectrum = Float64Array.from({ length: 400 }, (_, i) =>
  i < 5 ? 100 - 10 * i : i < 8 ? -30 + 4 * (i - 5) : Math.sin(i) / 2,
)
const a = withSpectrum(spectrum, stream('refine'))
const exact = [...symmetricEigenvalues(a)]
const operator = denseOperator(a)

describe('a search in float32, refined in float64', () => {
  test('has the values and residuals of float64, for few of its products', async () => {
    const found = await extremeEigenpairs(operator, { top: 5, bottom: 3, tolerance: 1e-9, search: inFloat32(operator) })
    expect(found.status).toBe('converged')
    expect(found.products - found.searchProducts).toBeLessThanOrEqual(8 * 5)
    expect(found.searchProducts).toBeGreaterThan(20)
    found.top.forEach(({ value }, i) => expect(Math.abs(value - exact[399 - i])).toBeLessThan(1e-11))
    found.bottom.forEach(({ value }, i) => expect(Math.abs(value - exact[i])).toBeLessThan(1e-11))
    for (const { value, vector, residualNorm, converged } of [...found.top, ...found.bottom]) {
      expect(converged).toBe(true)
      const image = await operator.apply(vector)
      const residual = norm(image.map((x, i) => x - value * vector[i]))
      expect(Math.abs(residual - residualNorm)).toBeLessThan(1e-12)
      expect(residual).toBeLessThanOrEqual(1e-9 * found.operatorNorm)
    }
  })

  test('float32 alone does not reach the residual', async () => {
    const narrow = await extremeEigenpairs(operator, {
      ...{ top: 5, bottom: 3, tolerance: 1e-9 },
      search: inFloat32(operator),
      maxProducts: 60,
    })
    const first = await refineEigenpairs(operator, stacked(narrow.top.map(({ vector }) => rounded(vector))), 5, {
      ...{ top: 5, bottom: 0, residualMax: 0, maxProducts: 1 },
    })
    expect(Math.max(...first.top.map(({ residualNorm }) => residualNorm))).toBeGreaterThan(1e-7)
    expect(first.products).toBe(5)
  })

  test('a search among the wrong vectors is seen by the residuals', async () => {
    const other = diagonalOperator(Float64Array.from({ length: 400 }, (_, i) => (i * i) % 397))
    const found = await extremeEigenpairs(operator, { top: 2, bottom: 1, search: other, maxProducts: 200 })
    expect(found.status).not.toBe('exact')
    for (const { value, vector, residualNorm } of [...found.top, ...found.bottom]) {
      const image = await operator.apply(vector)
      const residual = norm(image.map((x, i) => x - value * vector[i]))
      expect(Math.abs(residual - residualNorm)).toBeLessThan(1e-11)
      expect(exact.some((e) => Math.abs(e - value) <= residualNorm + 1e-11)).toBe(true)
    }
  })

  test('a basis of the whole space is exact for the search only', async () => {
    const small = diagonalOperator(Float64Array.of(3, 1, -2))
    const found = await extremeEigenpairs(small, { top: 3, bottom: 3, search: inFloat32(small) })
    expect(found.status).toBe('converged')
    expect(found.top.map(({ value }) => value)).toEqual([3, 1, -2].map((v) => expect.closeTo(v, 14)))
    expect(found.bottom.map(({ value }) => value)).toEqual([-2, 1, 3].map((v) => expect.closeTo(v, 14)))
  })

  test('the zero operator, and an operator of another size', async () => {
    const zero = diagonalOperator(new Float64Array(20))
    const found = await extremeEigenpairs(zero, { top: 2, bottom: 2, search: zero })
    expect([...found.top, ...found.bottom].map(({ value }) => Math.abs(value))).toEqual([0, 0, 0, 0])
    await expect(extremeEigenpairs(zero, { search: operator })).rejects.toThrow('search must have size 20, got 400')
  })

  test('cancelled, the pairs so far keep their residuals', async () => {
    const found = await extremeEigenpairs(operator, { top: 2, search: inFloat32(operator), signal: { aborted: true } })
    expect(found.status).toBe('aborted')
    expect(found.top.every(({ residualNorm }) => Number.isFinite(residualNorm))).toBe(true)
  })
})

function stacked(rows: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(rows.length * rows[0].length)
  rows.forEach((r, i) => out.set(r, i * r.length))
  return out
}
