import { expect, test } from 'vitest'
import { divideAndConquer } from './divide-and-conquer.ts'
import { matrix, transpose, zeros } from './matrix.ts'
import { secularRoots } from './secular-equation.ts'
import { eigenResidual } from './symmetric-eigen.ts'
import { epsilon, stream } from './testing/random-matrices.ts'
import { tridiagonalEigen } from './tridiagonal.ts'

const n = 150

/** Diagonal and couplings of tridiagonal matrices that deflate in every way, or hardly. */
const matrices: Record<string, (i: number) => readonly [number, number]> = {
  random: (i) => {
    const normals = stream('divide and conquer', i).normals(2)
    return [normals[0], normals[1]]
  },
  'second difference, no deflation': () => [1, -0.5],
  'Wilkinson, pairs that agree to rounding': (i) => [Math.abs(i - (n - 1) / 2) / n, 1 / n],
  'glued Wilkinson, clusters of sevenfold values': (i) => [Math.abs((i % 21) - 10) / 10, i % 21 === 20 ? 1e-9 : 0.1],
  'decoupled in the middle': (i) => [i / n, i === n / 2 - 1 ? 0 : 0.3],
  'coupled in the middle only, negatively': (i) => [i % 7, i === n / 2 - 1 ? -1 : 0],
  'one value': () => [1, 0],
  zero: () => [0, 0],
  graded: (i) => [2 ** -i, 2 ** -(i + 1)],
}

test.each(Object.entries(matrices))('%s: residual, orthogonality, values as by QL', (_, entries) => {
  const all = Array.from({ length: n }, (__, i) => entries(i))
  const d = Float64Array.from(all, ([diagonal]) => diagonal)
  const e = Float64Array.from(all, ([, coupling]) => coupling)
  const a = zeros(n, n)
  for (let i = 0; i < n; i++) {
    a.data[i * n + i] = d[i]
    if (i < n - 1) a.data[i * n + i + 1] = a.data[(i + 1) * n + i] = e[i]
  }
  const expected = tridiagonalEigen(d, e).values
  const vectors = transpose(matrix(n, n, divideAndConquer(d, e)))
  const { residual, orthogonality } = eigenResidual(a, { values: d, vectors })
  expect(residual).toBeLessThan(30)
  expect(orthogonality).toBeLessThan(30)
  const scale = Math.max(...expected.map(Math.abs))
  d.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(30 * n * epsilon * scale)
  })
})

test('roots of the secular equation interlace its poles, and the gaps to them are right to a few digits lost', () => {
  const poles = Float64Array.of(-1, -1 + 1e-13, 0, 1e-7, 3)
  const z = Float64Array.of(0.5, 1e-7, 0.5, 0.5, 0.5)
  const k = poles.length
  const roots = new Float64Array(k)
  const gaps = new Float64Array(k * k)
  secularRoots(k, poles, z, 0.7, roots, gaps)
  for (let i = 0; i < k; i++) {
    const row = gaps.subarray(i * k, (i + 1) * k)
    row.forEach((gap, j) => {
      expect(Math.sign(gap)).toBe(j <= i ? -1 : 1)
    })
    const terms = Array.from(row, (gap, j) => z[j] ** 2 / gap)
    const value = terms.reduce((sum, term) => sum + term, 1 / 0.7)
    const size = terms.reduce((sum, term) => sum + Math.abs(term), 1 / 0.7)
    expect(Math.abs(value)).toBeLessThan(100 * epsilon * size)
  }
})
