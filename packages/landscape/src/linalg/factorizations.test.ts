import { describe, expect, test } from 'vitest'
import { cholesky } from './cholesky.ts'
import type { Ldlt } from './ldlt.ts'
import { ldlt } from './ldlt.ts'
import { lu } from './lu.ts'
import type { Matrix } from './matrix.ts'
import { diagonalMatrix, matmul, matrix, matrixFromRows, transpose, zeros } from './matrix.ts'
import { orthonormalRows, qr } from './qr.ts'
import {
  difficultSpectra,
  orthogonalityDefect,
  randomMatrix,
  relativeDifference,
  sizes,
  solutionResidual,
  stream,
  symmetrized,
  withSpectrum,
} from './testing/random-matrices.ts'

/** Rows and columns of A in the order of the permutation. */
function permuted(a: Matrix, order: Uint32Array): Matrix {
  const result = zeros(a.rows, a.cols)
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.cols; j++) result.data[i * a.cols + j] = a.data[order[i] * a.cols + order[j]]
  }
  return result
}

function blockDiagonal({ diagonal, offDiagonal }: Ldlt): Matrix {
  const d = diagonalMatrix(diagonal)
  const n = diagonal.length
  for (let i = 0; i < n - 1; i++) d.data[i * n + i + 1] = d.data[(i + 1) * n + i] = offDiagonal[i]
  return d
}

function withUnitDiagonal(lower: Matrix): Matrix {
  const result = matrix(lower.rows, lower.cols, lower.data.slice())
  for (let i = 0; i < lower.rows; i++) result.data[i * lower.cols + i] = 1
  return result
}

describe.each(sizes)('factorizations of size %d', (n) => {
  test('LU: P A = L U, solution, determinant', () => {
    const random = stream('lu', n)
    const a = randomMatrix(n, n, random)
    const b = random.normals(n)
    const { factors, permutation, solve, singularAt } = lu(a)
    expect(singularAt).toBe(-1)
    expect(solutionResidual(a, solve(b), b)).toBeLessThan(30)
    const upper = matrix(
      n,
      n,
      factors.data.map((x, k) => (k % n >= Math.floor(k / n) ? x : 0)),
    )
    const lower = withUnitDiagonal(
      matrix(
        n,
        n,
        factors.data.map((x, k) => (k % n < Math.floor(k / n) ? x : 0)),
      ),
    )
    const rows = matrixFromRows([...permutation].map((i) => a.data.subarray(i * n, (i + 1) * n)))
    expect(relativeDifference(rows, matmul(lower, upper))).toBeLessThan(30)
  })

  test('Cholesky: A = L Lᵀ, solution, log determinant', () => {
    const random = stream('cholesky', n)
    const spectrum = Float64Array.from({ length: n }, (_, i) => 1 + i)
    const a = withSpectrum(spectrum, random)
    const b = random.normals(n)
    const { lower, solve, logDeterminant } = cholesky(a)
    expect(relativeDifference(a, matmul(lower, transpose(lower)))).toBeLessThan(30)
    expect(solutionResidual(a, solve(b), b)).toBeLessThan(30)
    const expected = spectrum.reduce((sum, x) => sum + Math.log(x), 0)
    expect(Math.abs(logDeterminant - expected)).toBeLessThan(1e-11 * Math.max(1, expected))
  })

  test.each(Object.entries(difficultSpectra(n)).filter(([name]) => name !== 'huge' && name !== 'tiny'))(
    'LDLᵀ, %s: P A Pᵀ = L D Lᵀ',
    (name, spectrum) => {
      const a = withSpectrum(spectrum, stream(`ldlt ${name}`, n))
      const factored = ldlt(a)
      const lower = withUnitDiagonal(factored.lower)
      const product = matmul(matmul(lower, blockDiagonal(factored)), transpose(lower))
      expect(relativeDifference(permuted(a, factored.permutation), product)).toBeLessThan(30)
    },
  )

  test('LDLᵀ: inertia by Sylvester, solution', () => {
    const random = stream('ldlt solve', n)
    const spectrum = Float64Array.from({ length: n }, (_, i) => (i % 3 === 0 ? -1 : 1) * (1 + i))
    const a = withSpectrum(spectrum, random)
    const factored = ldlt(a)
    const negative = spectrum.filter((x) => x < 0).length
    expect(factored.inertia()).toEqual({ negative, zero: 0, positive: n - negative })
    const b = random.normals(n)
    expect(solutionResidual(a, factored.solve(b), b)).toBeLessThan(30)
  })

  test('QR: A = Q R, and with pivoting the rank', () => {
    for (const [m, k] of [
      [n, n],
      [n + 7, n],
      [n, n + 7],
    ]) {
      const a = randomMatrix(m, k, stream('qr', m + k))
      for (const pivot of [false, true]) {
        const { q, r, permutation, rank } = qr(a, { pivot })
        expect(orthogonalityDefect(q)).toBeLessThan(30)
        const columns = transpose(a)
        const rows = [...permutation].map((j) => columns.data.subarray(j * m, (j + 1) * m))
        expect(relativeDifference(transpose(matrixFromRows(rows)), matmul(q, r))).toBeLessThan(30)
        expect(rank).toBe(Math.min(m, k))
      }
    }
  })
})

test('pivoted QR finds ranks', () => {
  const random = stream('qr rank')
  for (const rank of [0, 1, 5, 19]) {
    const a = matmul(randomMatrix(40, rank, random), randomMatrix(rank, 20, random))
    expect(qr(a, { pivot: true }).rank).toBe(rank)
    const basis = orthonormalRows(a)
    expect(basis.rows).toBe(rank)
    expect(orthogonalityDefect(transpose(basis))).toBeLessThan(30)
    const projected = matmul(matmul(a, transpose(basis)), basis)
    if (rank > 0) expect(relativeDifference(a, projected)).toBeLessThan(30)
  }
})

test('LDLᵀ of a zero diagonal needs 2 × 2 pivots', () => {
  const a = matrixFromRows([
    [0, 1, 0],
    [1, 0, 2],
    [0, 2, 0],
  ])
  expect(ldlt(a).inertia(1e-12)).toEqual({ negative: 1, zero: 1, positive: 1 })
  expect(ldlt(zeros(3, 3)).inertia()).toEqual({ negative: 0, zero: 3, positive: 0 })
  expect(() => ldlt(zeros(2, 2)).solve(new Float64Array(2))).toThrow(/ldlt.solve: the matrix must be regular/)
})

test('the inertia of a shifted matrix counts eigenvalues below the shift', () => {
  const spectrum = Float64Array.from({ length: 30 }, (_, i) => i - 10)
  const a = symmetrized(withSpectrum(spectrum, stream('inertia count')))
  for (const shift of [-10.5, -0.5, 3.5, 25]) {
    const shifted = matrix(
      30,
      30,
      a.data.map((x, k) => (k % 31 === 0 ? x - shift : x)),
    )
    expect(ldlt(shifted).inertia().negative).toBe(spectrum.filter((x) => x < shift).length)
  }
})

test('singular, indefinite and misshapen input is refused by name', () => {
  expect(() => lu(zeros(2, 2)).solve(new Float64Array(2))).toThrow(/lu.solve: the matrix must be regular/)
  expect(lu(zeros(2, 2)).determinant).toBe(0)
  expect(() => cholesky(diagonalMatrix([1, -1]))).toThrow(
    /cholesky: the matrix must be positive definite, got pivot -1 in row 1/,
  )
  expect(() => ldlt(zeros(2, 3))).toThrow(/square/)
  expect(() => lu(diagonalMatrix([1, 2])).solve(new Float64Array(3))).toThrow(/must have 2 entries, got 3/)
  expect(lu(diagonalMatrix([2, 3, -4])).determinant).toBe(-24)
})
