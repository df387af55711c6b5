import { expect, test } from 'vitest'
import { matrix, zeros } from './matrix.ts'
import { eigenResidual } from './symmetric-eigen.ts'
import { epsilon, stream } from './testing/random-matrices.ts'
import { tridiagonalEigen } from './tridiagonal.ts'

test.each([1, 2, 3, 50, 200])('random tridiagonal matrices of size %d: residual, first components', (n) => {
  const random = stream('tridiagonal', n)
  const d = random.normals(n)
  const e = random.normals(Math.max(0, n - 1))
  if (n === 50) e[20] = 0
  const all = tridiagonalEigen(d, e, { vectors: 'all' })
  const a = zeros(n, n)
  for (let i = 0; i < n; i++) {
    a.data[i * n + i] = d[i]
    if (i < n - 1) {
      a.data[i * n + i + 1] = e[i]
      a.data[(i + 1) * n + i] = e[i]
    }
  }
  const vectors = matrix(n, n, all.vectors as Float64Array)
  const { residual, orthogonality } = eigenResidual(a, { values: all.values, vectors })
  expect(Math.max(residual, orthogonality)).toBeLessThan(30)
  const first = tridiagonalEigen(d, e, { vectors: 'first' })
  expect(first.values).toEqual(all.values)
  first.firstComponents?.forEach((x, j) => {
    expect(Math.abs(x - vectors.data[j])).toBeLessThan(30 * n * epsilon)
  })
  expect(tridiagonalEigen(d, e).values).toEqual(all.values)
})

test('the second difference matrix has eigenvalues 2 − 2 cos(kπ/(n+1))', () => {
  const n = 100
  const { values } = tridiagonalEigen(new Float64Array(n).fill(2), new Float64Array(n - 1).fill(-1))
  values.forEach((value, k) => {
    expect(Math.abs(value - (2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1))))).toBeLessThan(30 * epsilon * 4)
  })
})

test('graded couplings, small end first or last, underflowing or not, end with an orthogonal basis', () => {
  for (const base of [1e-12, 1e12, 1e-80, 1e40]) {
    const n = 6
    const d = Float64Array.from({ length: n }, (_, i) => base ** (i / (n - 1)))
    const e = Float64Array.from({ length: n - 1 }, (_, i) => base ** ((i + 0.5) / (n - 1)))
    const { values, vectors } = tridiagonalEigen(d, e, { vectors: 'all' })
    const a = zeros(n, n)
    for (let i = 0; i < n; i++) {
      a.data[i * n + i] = d[i]
      if (i < n - 1) a.data[i * n + i + 1] = a.data[(i + 1) * n + i] = e[i]
    }
    const check = eigenResidual(a, { values, vectors: matrix(n, n, vectors as Float64Array) })
    expect(Math.max(check.residual, check.orthogonality)).toBeLessThan(30)
  }
})

test('too few couplings and infinite entries are refused', () => {
  expect(() => tridiagonalEigen(new Float64Array(3), new Float64Array(1))).toThrow(/must hold 2 entries, got 1/)
  expect(() => tridiagonalEigen(Float64Array.of(1, Number.POSITIVE_INFINITY), new Float64Array(1))).toThrow(/finite/)
})
