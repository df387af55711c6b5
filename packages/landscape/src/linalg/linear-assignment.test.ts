import { describe, expect, test } from 'vitest'
import type { Assignment } from './linear-assignment.ts'
import { linearAssignment } from './linear-assignment.ts'
import type { Matrix } from './matrix.ts'
import { matrix, matrixFromRows, zeros } from './matrix.ts'
import { randomMatrix, stream } from './testing/random-matrices.ts'

function bruteForce(a: Matrix, sign: number): number {
  let best = Number.POSITIVE_INFINITY
  const used = new Set<number>()
  const visit = (i: number, sum: number): void => {
    if (i === a.rows) {
      best = Math.min(best, sum)
      return
    }
    for (let j = 0; j < a.cols; j++) {
      if (used.has(j)) continue
      used.add(j)
      visit(i + 1, sum + sign * a.data[i * a.cols + j])
      used.delete(j)
    }
  }
  visit(0, 0)
  return sign * best
}

/** The duals prove that no assignment is better. */
function expectCertified(a: Matrix, result: Assignment, maximize: boolean): void {
  const { columnOfRow, rowPotentials, columnPotentials, total } = result
  expect(new Set(columnOfRow).size).toBe(a.rows)
  const sign = maximize ? -1 : 1
  const slack = 1e-10
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.cols; j++) {
      const reduced = sign * (a.data[i * a.cols + j] - rowPotentials[i] - columnPotentials[j])
      expect(reduced).toBeGreaterThan(-slack)
      if (columnOfRow[i] === j) expect(reduced).toBeLessThan(slack)
    }
  }
  const assigned = new Set(columnOfRow)
  columnPotentials.forEach((v, j) => {
    if (assigned.has(j)) expect(sign * v).toBeLessThan(slack)
    else expect(v).toBeCloseTo(0, 12)
  })
  const dual = rowPotentials.reduce((s, x) => s + x, 0) + columnPotentials.reduce((s, x) => s + x, 0)
  expect(Math.abs(dual - total)).toBeLessThan(1e-9 * Math.max(1, Math.abs(total)))
}

describe.each([true, false])('maximize: %s', (maximize) => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 5],
    [6, 6],
    [5, 7],
  ])('%d × %d against all permutations', (rows, cols) => {
    for (let index = 0; index < 20; index++) {
      const a = randomMatrix(rows, cols, stream('assignment', 100 * rows + index))
      const result = linearAssignment(a, { maximize })
      expect(Math.abs(result.total - bruteForce(a, maximize ? -1 : 1))).toBeLessThan(1e-12)
      expectCertified(a, result, maximize)
    }
  })

  test('ties: small integers', () => {
    for (let index = 0; index < 20; index++) {
      const random = stream('assignment ties', index)
      const a = matrix(
        6,
        6,
        Float64Array.from({ length: 36 }, () => random.integer(3)),
      )
      const result = linearAssignment(a, { maximize })
      expect(result.total).toBe(bruteForce(a, maximize ? -1 : 1))
      expectCertified(a, result, maximize)
    }
    expect(linearAssignment(zeros(4, 4), { maximize }).total).toBe(0)
  })

  test.each([50, 200])('size %d, certified by its duals', (n) => {
    const a = randomMatrix(n, n, stream('assignment large', n))
    expectCertified(a, linearAssignment(a, { maximize }), maximize)
  })
})

test('a hidden permutation is found', () => {
  const order = stream('hidden').permutation(64)
  const a = zeros(64, 64)
  order.forEach((j, i) => {
    a.data[i * 64 + j] = 1
  })
  expect(linearAssignment(a, { maximize: true }).columnOfRow).toEqual(order)
})

test('more rows than columns, and infinite costs, are refused', () => {
  expect(() => linearAssignment(zeros(3, 2))).toThrow(/rows must not exceed columns, got 3 × 2/)
  expect(() => linearAssignment(matrixFromRows([[Number.POSITIVE_INFINITY]]))).toThrow(/finite/)
})
