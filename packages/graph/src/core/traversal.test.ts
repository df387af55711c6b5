import { describe, expect, it } from 'vitest'
import { add, exp, mul } from '../build/elementwise.ts'
import { input } from './expr.ts'
import { dependents, graphOf, inputsOf, topologicalOrder } from './traversal.ts'

const x = input('x', 'float64', [2])
const y = input('y', 'float64', [2])

describe('topologicalOrder', () => {
  it('names each node once, operands first', () => {
    const shared = exp(x)
    const root = mul(add(shared, y), shared)
    const order = topologicalOrder([root, shared])
    expect(new Set(order).size).toBe(order.length)
    order.forEach((node, i) => {
      for (const operand of node.inputs) expect(order.indexOf(operand)).toBeLessThan(i)
    })
    expect(order).toHaveLength(5)
  })
})

describe('dependents', () => {
  it('follows uses, not definitions', () => {
    const [a, b] = [exp(x), exp(y)]
    const c = add(a, b)
    expect(dependents(topologicalOrder([c]), [a])).toEqual(new Set([a, c]))
  })
})

describe('graphOf', () => {
  it('finds inputs in order of first use, or takes a list that holds them', () => {
    const z = add(mul(y, y), x)
    expect(graphOf({ z }).inputs).toEqual([y, x])
    expect(graphOf({ z }, [x, y]).inputs).toEqual([x, y])
    expect(() => graphOf({ z }, [x])).toThrow(/input y is used but not listed/)
  })

  it('refuses two inputs of one name, used or only listed', () => {
    const twin = input('x', 'float64', [2])
    expect(() => inputsOf([add(x, twin)])).toThrow(/two inputs are named x/)
    expect(() => graphOf({ z: exp(x) }, [x, twin])).toThrow(/two inputs are named x/)
  })
})
