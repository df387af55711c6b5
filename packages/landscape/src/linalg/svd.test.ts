import { describe, expect, test } from 'vitest'
import type { Matrix } from './matrix.ts'
import { diagonalMatrix, gemv, matmul, matrix, transpose, zeros } from './matrix.ts'
import { leastSquares, pseudoInverse, rankOf, svd } from './svd.ts'
import {
  difficultSpectra,
  epsilon,
  orthogonalityDefect,
  randomMatrix,
  randomOrthonormal,
  relativeDifference,
  sizes,
  stream,
} from './testing/random-matrices.ts'
import { maxNorm, norm } from './vector.ts'

function expectDecomposition(a: Matrix): Float64Array {
  const { u, values, v } = svd(a)
  expect(orthogonalityDefect(u)).toBeLessThan(30)
  expect(orthogonalityDefect(v)).toBeLessThan(30)
  if (norm(a.data) > 0) {
    expect(relativeDifference(a, matmul(matmul(u, diagonalMatrix(values)), transpose(v)))).toBeLessThan(30)
  }
  expect([...values]).toEqual([...values].sort((x, y) => y - x))
  expect(values.every((x) => x >= 0)).toBe(true)
  return values
}

describe.each(sizes)('svd, smaller side %d', (n) => {
  const spectra = Object.entries(difficultSpectra(n)).filter(
    ([name]) => n < 200 || name === 'repeated' || name === 'graded',
  )
  test.each(spectra)('%s, square, tall and wide', (name, spectrum) => {
    for (const m of n === 200 ? [n] : [n, n + 5]) {
      const random = stream(`svd ${name}`, n)
      const u = randomOrthonormal(m, n, random)
      const v = randomOrthonormal(n, n, random)
      const a = matmul(matmul(u, diagonalMatrix(spectrum)), transpose(v))
      const values = expectDecomposition(a)
      const expected = spectrum.map(Math.abs).sort().reverse()
      values.forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(30 * n * epsilon * maxNorm(spectrum))
      })
      if (m > n) expectDecomposition(transpose(a))
    }
  })
})

test('graded columns keep relative accuracy', () => {
  const random = stream('svd graded')
  const q = randomOrthonormal(30, 12, random)
  const grades = Float64Array.from({ length: 12 }, (_, i) => 10 ** (-2 * i))
  const values = svd(matmul(q, diagonalMatrix(grades))).values
  values.forEach((value, i) => {
    expect(Math.abs(value / grades[i] - 1)).toBeLessThan(30 * 30 * epsilon)
  })
})

test('rank by relative tolerance', () => {
  const random = stream('svd rank')
  const a = matmul(randomMatrix(20, 4, random), randomMatrix(4, 15, random))
  expect(rankOf(svd(a))).toBe(4)
  expect(rankOf(svd(diagonalMatrix([1, 1e-5, 1e-9])), { tolerance: 1e-7 })).toBe(2)
  expect(rankOf(svd(zeros(3, 2)))).toBe(0)
})

test.each([
  [8, 5, 5],
  [5, 8, 5],
  [9, 9, 4],
  [3, 3, 0],
])('the pseudo-inverse of a %d × %d matrix of rank %d satisfies Penrose', (m, n, rank) => {
  const random = stream('pinv', m * 100 + n)
  const a = matmul(randomMatrix(m, rank, random), randomMatrix(rank, n, random))
  const p = pseudoInverse(a)
  const scale = (norm(a.data) || 1) * (norm(p.data) || 1) * 10 * epsilon * 30
  const close = (x: Matrix, y: Matrix): void => {
    expect(norm(x.data.map((value, i) => value - y.data[i]))).toBeLessThanOrEqual(scale * (norm(y.data) || 1))
  }
  const ap = matmul(a, p)
  const pa = matmul(p, a)
  close(matmul(ap, a), a)
  close(matmul(pa, p), p)
  close(transpose(ap), ap)
  close(transpose(pa), pa)
})

test('least squares: orthogonal residual, least norm', () => {
  const random = stream('least squares')
  const a = matmul(randomMatrix(12, 3, random), randomMatrix(3, 7, random))
  const b = random.normals(12)
  const { x, rank, residualNorm } = leastSquares(a, b)
  expect(rank).toBe(3)
  const residual = gemv(a, x).map((value, i) => value - b[i])
  expect(residualNorm).toBeCloseTo(norm(residual), 12)
  expect(norm(gemv(transpose(a), residual))).toBeLessThan(30 * 12 * epsilon * norm(a.data) * norm(b))
  // In the row space: unchanged by the projection A⁺A.
  const projected = gemv(matmul(pseudoInverse(a), a), x)
  expect(norm(projected.map((value, i) => value - x[i]))).toBeLessThan(1e-12 * norm(x))
})

test('what is not finite is refused', () => {
  expect(() => svd(matrix(1, 1, Float64Array.of(Number.NaN)))).toThrow(/svd: entries must be finite/)
})
