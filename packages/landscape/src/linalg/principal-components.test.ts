import { expect, test } from 'vitest'
import { diagonalMatrix, matmul, matrix, matrixFromRows, transpose, zeros } from './matrix.ts'
import { principalComponents } from './principal-components.ts'
import { svd } from './svd.ts'
import { orthogonalityDefect, randomMatrix, randomOrthonormal, stream } from './testing/random-matrices.ts'
import { norm } from './vector.ts'

test('against the singular value decomposition of the centered rows', () => {
  const x = randomMatrix(12, 300, stream('pca'))
  const { components, scores, squares, explained, center } = principalComponents(x)
  expect(components.rows).toBe(11)
  expect(orthogonalityDefect(transpose(components))).toBeLessThan(30)
  const centered = matrix(
    12,
    300,
    x.data.map((value, i) => value - center[i % 300]),
  )
  const { values } = svd(centered)
  squares.forEach((s, i) => {
    expect(Math.abs(s - values[i] ** 2)).toBeLessThan(1e-12 * values[0] ** 2)
  })
  expect(explained.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
  const rebuilt = matmul(scores, components)
  expect(norm(rebuilt.data.map((value, i) => value - centered.data[i]))).toBeLessThan(1e-12 * norm(centered.data))
})

test('small components next to large ones stay orthogonal, and are right', () => {
  const random = stream('pca graded')
  const left = randomOrthonormal(6, 4, random)
  const right = transpose(randomOrthonormal(500, 4, random))
  const x = matmul(matmul(left, diagonalMatrix([1, 1e-2, 1e-4, 1e-6])), right)
  const { components, squares } = principalComponents(x, { center: 'none' })
  expect(components.rows).toBe(4)
  expect(orthogonalityDefect(transpose(components))).toBeLessThan(30)
  squares.forEach((s, i) => {
    expect(Math.abs(Math.sqrt(s) / 100 ** -i - 1)).toBeLessThan(1e-3)
  })
})

test('count limits; equal rows and one row have no components', () => {
  expect(principalComponents(randomMatrix(5, 40, stream('pca count')), { count: 2 }).components.rows).toBe(2)
  const equal = principalComponents(
    matrixFromRows([
      [1, 2],
      [1, 2],
    ]),
  )
  expect(equal.components.rows).toBe(0)
  expect([...equal.center]).toEqual([1, 2])
  expect(principalComponents(zeros(1, 3)).explained.length).toBe(0)
  expect(() => principalComponents(zeros(0, 3))).toThrow(/at least one row/)
})
