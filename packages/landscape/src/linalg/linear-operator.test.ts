import { expect, test } from 'vitest'
import type { LinearOperator } from './linear-operator.ts'
import {
  denseOf,
  denseOperator,
  diagonalOperator,
  projectedOperator,
  scaledOperator,
  shiftedOperator,
} from './linear-operator.ts'
import { diagonalMatrix, identity, matmul, matrix, transpose } from './matrix.ts'
import { epsilon, randomMatrix, randomOrthonormal, stream, symmetrized } from './testing/random-matrices.ts'
import { norm } from './vector.ts'

const distance = (x: Float64Array, y: Float64Array): number => norm(x.map((value, i) => value - y[i]))

test.each([1, 3, 32, 33, 70])('materializing a dense operator of size %d gives its matrix back', async (n) => {
  const a = symmetrized(randomMatrix(n, n, stream('dense of', n)))
  const { matrix: back, symmetryDefect } = await denseOf(denseOperator(a))
  expect(distance(back.data, a.data)).toBeLessThanOrEqual(30 * n * epsilon * norm(a.data))
  expect(symmetryDefect).toBeLessThan(n * epsilon)
})

test('operators without batches, and what is not symmetric, are materialized as they are', async () => {
  const a = randomMatrix(9, 9, stream('dense unsymmetric'))
  const operator: LinearOperator = { size: 9, apply: denseOperator(a).apply }
  const plain = await denseOf(operator, { symmetrize: false, batch: 4 })
  expect(distance(plain.matrix.data, a.data)).toBe(0)
  expect(plain.symmetryDefect).toBeGreaterThan(0.1)
  const averaged = await denseOf(operator)
  expect(distance(averaged.matrix.data, symmetrized(a).data)).toBeLessThan(1e-14)
})

test('apply and applyBatch agree, for unsymmetric matrices and derived operators too', async () => {
  const random = stream('batch')
  const a = randomMatrix(12, 12, random)
  const basis = transpose(randomOrthonormal(12, 3, random))
  const v = random.normals(36)
  const plain = denseOperator(a)
  for (const operator of [
    plain,
    shiftedOperator(plain, 2, -3),
    scaledOperator(plain, 4),
    projectedOperator(plain, basis),
  ]) {
    const kept = v.slice()
    const batch = await operator.applyBatch?.(v, 3)
    for (let i = 0; i < 3; i++) {
      const single = await operator.apply(v.slice(12 * i, 12 * (i + 1)))
      expect(distance(single, batch?.subarray(12 * i, 12 * (i + 1)) ?? single.map(() => Number.NaN))).toBeLessThan(
        1e-12,
      )
    }
    expect(v).toEqual(kept)
  }
})

test('shift, scale and projection are what they say', async () => {
  const random = stream('derived')
  const a = symmetrized(randomMatrix(8, 8, random))
  const basis = transpose(randomOrthonormal(8, 2, random))
  const operator = denseOperator(a)
  const shifted = (await denseOf(shiftedOperator(operator, 0.5, 2))).matrix
  expect(
    distance(
      shifted.data,
      a.data.map((x, k) => 2 * x + (k % 9 === 0 ? 0.5 : 0)),
    ),
  ).toBeLessThan(1e-13)
  const scaled = (await denseOf(scaledOperator(operator, -2))).matrix
  expect(
    distance(
      scaled.data,
      a.data.map((x) => -2 * x),
    ),
  ).toBeLessThan(1e-13)
  const span = matmul(transpose(basis), basis)
  const projector = matrix(
    8,
    8,
    identity(8).data.map((x, i) => x - span.data[i]),
  )
  const projected = (await denseOf(projectedOperator(operator, basis))).matrix
  expect(distance(projected.data, matmul(matmul(projector, a), projector).data)).toBeLessThan(1e-13)
})

test('diagonal operators', async () => {
  const { matrix: a } = await denseOf(diagonalOperator(Float64Array.of(1, -2, 3)))
  expect(a).toEqual(diagonalMatrix([1, -2, 3]))
})
