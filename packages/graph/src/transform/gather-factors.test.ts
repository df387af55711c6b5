import { describe, expect, it } from 'vitest'
import { add, div, mul, neg, sub, tanh } from '../build/elementwise.ts'
import { reduceSum } from '../build/reduction.ts'
import { input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { numbersOf } from '../core/tensor.ts'
import { dependents, graphOf, topologicalOrder } from '../core/traversal.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { randomTensor, seededNumbers } from '../testing/seeded-numbers.ts'
import { gatherFactors } from './gather-factors.ts'

const v = input('v', 'float64', [4, 3])
const a = input('a', 'float64', [4, 1])
const b = input('b', 'float64', [3])
const numbers = seededNumbers(1)
const values = {
  v: randomTensor('float64', [4, 3], numbers),
  a: randomTensor('float64', [4, 1], numbers, 0.5, 2),
  b: randomTensor('float64', [3], numbers, 0.5, 2),
}

/** Operations that depend on v, apart from v itself. */
const lateCount = (roots: readonly Expr[]): number => dependents(topologicalOrder(roots), [v]).size - 1

describe('gatherFactors', () => {
  it.each<[string, Expr, number]>([
    ['products', mul(mul(mul(v, a), b), tanh(b)), 1],
    ['factors on the left', mul(a, mul(b, v)), 1],
    ['one sum with itself', neg(((m: Expr): Expr => mul(add(m, m), a))(mul(v, b))), 1],
    ['early divisors', div(div(mul(v, a), b), a), 1],
    ['a chain that starts with a division', mul(div(v, a), b), 1],
    ['what is in between stays', mul(sub(mul(mul(v, a), b), mul(v, b)), a), 4],
    ['two late operands stay', mul(mul(v, a), mul(v, b)), 3],
    ['a reduction ends a chain', mul(reduceSum(mul(mul(v, a), b), [1], true), a), 3],
    ['early values alone stay', add(mul(v, b), mul(mul(a, a), b)), 2],
  ])('%s', (_, y, count) => {
    const roots = Object.values(gatherFactors(graphOf({ y }), [v]).outputs)
    expect(lateCount(roots)).toBe(count)
    const [[before], [after]] = [evaluate([y], values), evaluate(roots, values)]
    expect(after.shape).toEqual(before.shape)
    numbersOf(after).forEach((w, i) => expect(w).toBeCloseTo(numbersOf(before)[i], 13))
  })

  it('keeps every root, late or not', () => {
    const { outputs } = gatherFactors(graphOf({ v, a, six: mul(mul(v, 2), 3), two: mul(v, 2) }), [v])
    const roots = Object.values(outputs)
    expect(evaluate(roots, values).map((t) => t.shape)).toEqual([
      [4, 3],
      [4, 1],
      [4, 3],
      [4, 3],
    ])
    expect([roots[0], roots[1]]).toEqual([v, a])
  })
})
