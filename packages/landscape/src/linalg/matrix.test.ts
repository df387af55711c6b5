import { expect, test } from 'vitest'
import {
  column,
  frobenius,
  gemv,
  gemvTransposed,
  identity,
  matmul,
  matmulTransposedLeft,
  matmulTransposedRight,
  matrix,
  matrixFromRows,
  row,
  symmetryDefect,
  trace,
  transpose,
  zeros,
} from './matrix.ts'
import { epsilon, randomMatrix, stream } from './testing/random-matrices.ts'
import { axpy, dot, firstNonFinite, maxNorm, norm, scale } from './vector.ts'

/** Largest entry of A B − (triple loop), relative to depth · ε · |A||B|. */
function worstProductError(
  a: ReturnType<typeof zeros>,
  b: ReturnType<typeof zeros>,
  c: ReturnType<typeof zeros>,
): number {
  let worst = 0
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.cols; j++) {
      let sum = 0
      let bound = 0
      for (let l = 0; l < a.cols; l++) {
        sum += a.data[i * a.cols + l] * b.data[l * b.cols + j]
        bound += Math.abs(a.data[i * a.cols + l] * b.data[l * b.cols + j])
      }
      const error = Math.abs(sum - c.data[i * b.cols + j])
      if (error > 0) worst = Math.max(worst, error / (2 * a.cols * epsilon * bound))
    }
  }
  return worst
}

test.each([
  [1, 1, 1],
  [2, 3, 4],
  [5, 7, 3],
  [3, 65, 2],
  [4, 130, 513],
  [33, 64, 31],
  [1, 0, 3],
])('products of shapes %d × %d × %d agree with the definition', (m, k, n) => {
  const random = stream('matmul', m * 1000 + n)
  const a = randomMatrix(m, k, random)
  const b = randomMatrix(k, n, random)
  expect(worstProductError(a, b, matmul(a, b))).toBeLessThan(1)
  expect(worstProductError(a, b, matmulTransposedLeft(transpose(a), b))).toBeLessThan(1)
  expect(worstProductError(a, b, matmulTransposedRight(a, transpose(b)))).toBeLessThan(1)
  const x = random.normals(k)
  expect(worstProductError(a, matrix(k, 1, x), matrix(m, 1, gemv(a, x)))).toBeLessThan(1)
  expect(worstProductError(a, matrix(k, 1, x), matrix(m, 1, gemvTransposed(transpose(a), x)))).toBeLessThan(1)
})

test('rows, columns, transpose, trace, identity', () => {
  const a = matrixFromRows([
    [1, 2, 3],
    [4, 5, 6],
  ])
  expect([...row(a, 1)]).toEqual([4, 5, 6])
  expect([...column(a, 2)]).toEqual([3, 6])
  expect([...transpose(a).data]).toEqual([1, 4, 2, 5, 3, 6])
  expect(trace(a)).toBe(6)
  expect(matmul(identity(2), a)).toEqual(a)
  const big = randomMatrix(70, 45, stream('transpose'))
  expect(transpose(transpose(big))).toEqual(big)
  expect(column(big, 40)).toEqual(row(transpose(big), 40))
})

test('shapes that do not fit are refused', () => {
  expect(() => matmul(zeros(2, 3), zeros(2, 3))).toThrow(/matmul: inner dimensions must agree, got 3 and 2/)
  expect(() => gemv(zeros(2, 3), new Float64Array(2))).toThrow(/gemv/)
  expect(() => matrix(2, 2, new Float64Array(3))).toThrow(/matrix: data must hold rows × cols entries, got 3 for 2 × 2/)
  expect(() => matrixFromRows([[1, 2], [3]])).toThrow(/rows must have one length/)
})

test('the norm neither overflows nor underflows', () => {
  expect(norm(Float64Array.of(3e200, 4e200))).toBeCloseTo(5e200, -186)
  expect(norm(Float64Array.of(3e-200, 4e-200)) / 5e-200).toBeCloseTo(1, 15)
  expect(norm(Float64Array.of(5e-324))).toBe(5e-324)
  expect(norm(new Float64Array(0))).toBe(0)
  expect(norm(Float64Array.of(1, Number.NaN))).toBeNaN()
  expect(norm(Float64Array.of(1, Number.NEGATIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY)
  expect(frobenius(identity(4))).toBe(2)
})

test('vector operations', () => {
  const x = Float64Array.of(1, -2, 3, 4, 5)
  const y = Float64Array.of(1, 1, 1, 1, 1)
  expect(dot(x, y)).toBe(11)
  axpy(2, x, y)
  expect([...y]).toEqual([3, -3, 7, 9, 11])
  scale(-1, y)
  expect(maxNorm(y)).toBe(11)
  expect(firstNonFinite(Float64Array.of(1, Number.NaN))).toBe(1)
  expect(firstNonFinite(y)).toBe(-1)
})

test('symmetry defect is relative', () => {
  expect(
    symmetryDefect(
      matrixFromRows([
        [1, 2],
        [2, 5],
      ]),
    ),
  ).toBe(0)
  expect(
    symmetryDefect(
      matrixFromRows([
        [0, 2],
        [1, 4],
      ]),
    ),
  ).toBe(0.25)
  expect(symmetryDefect(zeros(3, 3))).toBe(0)
})
