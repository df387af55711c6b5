import { describe, expect, it } from 'vitest'
import { constant, input } from '../core/expr.ts'
import { tensorOf } from '../core/tensor.ts'
import { add, mul, pow, sin } from '../build/elementwise.ts'
import { matmul } from '../build/contraction.ts'
import { reduceSum } from '../build/reduction.ts'
import { adjointDefect, differenceDefect, flatObjective, operatorCases, seededNumbers, taylorOrder } from './index.ts'

/** Σ sin xᵢ², with derivatives that can be made wrong by a factor. */
function wrongBy(gradientFactor: number, hessianFactor: number) {
  return {
    value: (x: Float64Array): number => x.reduce((s, v) => s + Math.sin(v * v), 0),
    gradient: (x: Float64Array): Float64Array => x.map((v) => gradientFactor * 2 * v * Math.cos(v * v)),
    hessianTimes: (x: Float64Array, v: Float64Array): Float64Array =>
      x.map((a, i) => hessianFactor * (2 * Math.cos(a * a) - 4 * a * a * Math.sin(a * a)) * v[i]),
  }
}

const theta = Float64Array.of(0.7, -1.1, 0.4, 1.9)

describe('taylorOrder', () => {
  const gradientOnly = ({ value, gradient }: ReturnType<typeof wrongBy>) => ({ value, gradient })

  it('is 2 for a right gradient and 1 for one that is wrong by 1 %', () => {
    expect(Math.abs(taylorOrder(gradientOnly(wrongBy(1, 1)), theta) - 2)).toBeLessThan(0.05)
    expect(taylorOrder(gradientOnly(wrongBy(1.01, 1)), theta)).toBeLessThan(1.8)
  })

  it('is 3 for a right Hessian and 2 for one that is wrong by 5 %', () => {
    expect(Math.abs(taylorOrder(wrongBy(1, 1), theta) - 3)).toBeLessThan(0.05)
    expect(taylorOrder(wrongBy(1, 1.05), theta)).toBeLessThan(2.8)
  })

  it('is infinite where nothing but rounding remains', () => {
    const linear = { value: (x: Float64Array) => 3 * x[0] - x[1], gradient: () => Float64Array.of(3, -1, 0, 0) }
    expect(taylorOrder(linear, theta)).toBe(Number.POSITIVE_INFINITY)
    expect(taylorOrder({ ...linear, gradient: () => Float64Array.of(3, -1.001, 0, 0) }, theta)).toBeLessThan(1.1)
  })
})

describe('differenceDefect', () => {
  it('tells right from wrong by 1e-5', () => {
    const right = wrongBy(1, 1)
    expect(differenceDefect(right.value, right.gradient(theta), theta)).toBeLessThan(1e-8)
    expect(differenceDefect(right.value, wrongBy(1 + 1e-5, 1).gradient(theta), theta)).toBeGreaterThan(5e-6)
  })
})

describe('adjointDefect', () => {
  it('counts units of rounding', () => {
    const [v, w] = [
      [1, 2],
      [3, -1],
    ]
    expect(adjointDefect(v, [2, 4], w, [6, -2])).toBe(0)
    expect(adjointDefect(v, [2, 4], w, [6, -2 + 1e-10])).toBeGreaterThan(30)
    expect(adjointDefect(v, [0, 0], w, [0, 0])).toBe(0)
    expect(adjointDefect(v, [Number.NaN, 0], w, [0, 0])).toBeNaN()
  })
})

describe('flatObjective', () => {
  it('cuts a flat vector into the inputs in order and back', () => {
    const [a, b] = [input('a', 'float64', [1, 2]), input('b', 'float64', [2, 1])]
    const y = reduceSum(add(matmul(a, b), mul(3, reduceSum(pow(a, 3)))))
    const values = { a: tensorOf('float64', [1, 2], [1, 2]), b: tensorOf('float64', [2, 1], [3, 4]) }
    const f = flatObjective(y, [a, b], values)
    expect(Array.from(f.theta)).toEqual([1, 2, 3, 4])
    expect(f.value(f.theta)).toBe(11 + 27)
    expect(Array.from(f.gradient(f.theta))).toEqual([12, 40, 1, 2])
    expect(Array.from(f.hessianTimes(f.theta, Float64Array.of(1, 0, 0, 1)))).toEqual([18, 1, 1, 0])
  })

  it('holds the other inputs', () => {
    const [a, b] = [input('a', 'float64', []), input('b', 'float64', [])]
    const f = flatObjective(mul(sin(a), b), [b], { a: tensorOf('float64', [], [1]), b: tensorOf('float64', [], [2]) })
    expect(Array.from(f.gradient(f.theta))).toEqual([Math.sin(1)])
    expect(constant(tensorOf('float64', [], [1])).op).toBe('Constant')
  })
})

describe('seededNumbers', () => {
  it('repeat for a seed, differ between seeds, and have the moments they should', () => {
    const draw = (seed: number): number[] => {
      const numbers = seededNumbers(seed)
      return Array.from({ length: 4000 }, numbers.normal)
    }
    const [a, b] = [draw(1), draw(2)]
    expect(draw(1)).toEqual(a)
    expect(a).not.toEqual(b)
    const mean = a.reduce((s, x) => s + x, 0) / 4000
    const variance = a.reduce((s, x) => s + x * x, 0) / 4000
    const correlation = a.reduce((s, x, i) => s + x * b[i], 0) / 4000
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(4000))
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / 4000))
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(4000))
    const integers = Array.from({ length: 60 }, () => seededNumbers(3).integer(5))
    expect(integers.every((i) => i >= 0 && i < 5)).toBe(true)
  })
})

describe('operatorCases', () => {
  it('have distinct names, and other values for another seed', () => {
    for (const [op, cases] of Object.entries(operatorCases)) {
      expect(new Set(cases.map((c) => c.name)).size, op).toBe(cases.length)
      for (const c of cases) {
        const [a, b] = [c.build('float64', 1), c.build('float64', 2)]
        expect(a.inputs.map((x) => [x.attributes.name, x.dtype, x.shape])).toEqual(
          b.inputs.map((x) => [x.attributes.name, x.dtype, x.shape]),
        )
        expect(a.outputs.length).toBeGreaterThan(0)
      }
    }
  })

  it('use the operator that they are filed under', () => {
    for (const [op, cases] of Object.entries(operatorCases))
      for (const c of cases) {
        const pending = [...c.build('float64').outputs]
        const found = new Set<string>()
        for (let node = pending.pop(); node; node = pending.pop()) {
          found.add(node.op)
          pending.push(...node.inputs)
        }
        expect(found.has(op), `${op}: ${c.name}`).toBe(true)
      }
  })
})
