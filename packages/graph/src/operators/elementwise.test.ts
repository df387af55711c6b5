import { describe, expect, it } from 'vitest'
import { numbersFrom, readGolden, tensorFrom } from '../../test/read-golden.ts'
import type { GoldenNumber, GoldenTensor } from '../../test/read-golden.ts'
import { constant, input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { numbersOf, tensorOf } from '../core/tensor.ts'
import { max, min, pow } from '../build/elementwise.ts'
import { reduceMax, reduceMin, reduceSum } from '../build/reduction.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { jvp } from '../transform/forward.ts'
import { grad } from '../transform/reverse.ts'

type Numbers = readonly GoldenNumber[]

const vector = (values: readonly number[]) => tensorOf('float64', [values.length], values)

/** NaN equals NaN; infinities and zeros equal themselves, whatever the sign of zero. */
function expectSame(actual: Float64Array, expected: readonly number[]): void {
  const text = (v: number): string => (v === 0 ? '0' : v.toPrecision(14))
  expect(Array.from(actual, text)).toEqual(expected.map(text))
}

interface Power {
  readonly name: string
  readonly base: Numbers
  readonly exponent: number
  readonly y: Numbers
  readonly baseSlope: Numbers
  readonly exponentSlope?: Numbers
}

describe('Pow', () => {
  it.each(readGolden<Power>('powers'))('$name $exponent: PyTorch’s values and derivatives', (golden) => {
    const bases = numbersFrom(golden.base)
    const a = input('a', 'float64', [bases.length])
    const values = { a: vector(bases), b: vector(bases.map(() => golden.exponent)) }
    if (!golden.exponentSlope) {
      const y = pow(a, golden.exponent)
      const [value, slope] = evaluate([y, ...grad(reduceSum(y), [a])], values)
      expectSame(numbersOf(value), numbersFrom(golden.y))
      return expectSame(numbersOf(slope), numbersFrom(golden.baseSlope))
    }
    const b = input('b', 'float64', [bases.length])
    const y = pow(a, b)
    const [value, slopeA, slopeB] = evaluate([y, ...grad(reduceSum(y), [a, b])], values)
    expectSame(numbersOf(value), numbersFrom(golden.y))
    expectSame(numbersOf(slopeA), numbersFrom(golden.baseSlope))
    expectSame(numbersOf(slopeB), numbersFrom(golden.exponentSlope))
  })

  it('has a symmetric mixed derivative where the exponent is 0', () => {
    const [a, b] = [input('a', 'float64', []), input('b', 'float64', [])]
    const [ga, gb] = grad(pow(a, b), [a, b])
    const one = constant(tensorOf('float64', [], [1]))
    const mixed = evaluate([...jvp([ga], [[b, one]]), ...jvp([gb], [[a, one]])], { a: vector0(2), b: vector0(0) })
    expect(mixed.map((m) => m.data[0])).toEqual([0.5, 0.5])
  })
})

const vector0 = (v: number) => tensorOf('float64', [], [v])

interface Extreme {
  readonly name: 'max' | 'min' | 'reduceMax' | 'reduceMin'
  readonly a: Numbers
  readonly b: Numbers
  readonly y: Numbers
  readonly aSlope: Numbers
  readonly bSlope: Numbers
  readonly x: GoldenTensor
  readonly slope: GoldenTensor
}

const extremes = readGolden<Extreme>('extremes')

describe('ties', () => {
  it.each(extremes.filter((g) => g.a))('$name divides them in halves, as PyTorch', (golden) => {
    const [a, b] = ['a', 'b'].map((name) => input(name, 'float64', [golden.a.length]))
    const y = { max, min, reduceMax: max, reduceMin: min }[golden.name](a, b)
    const values = { a: vector(numbersFrom(golden.a)), b: vector(numbersFrom(golden.b)) }
    const [value, slopeA, slopeB] = evaluate([y, ...grad(reduceSum(y), [a, b])], values)
    expectSame(numbersOf(value), numbersFrom(golden.y))
    expectSame(numbersOf(slopeA), numbersFrom(golden.aSlope))
    expectSame(numbersOf(slopeB), numbersFrom(golden.bSlope))
  })

  it.each(extremes.filter((g) => g.x))('$name divides them evenly, as PyTorch', (golden) => {
    const x = input('x', 'float64', golden.x.shape)
    const y = (golden.name === 'reduceMax' ? reduceMax : reduceMin)(x, [1])
    const [value, slope] = evaluate([y, ...grad(reduceSum(y), [x])], { x: tensorFrom(golden.x) })
    expectSame(numbersOf(value), numbersFrom(golden.y))
    expectSame(numbersOf(slope), numbersFrom(golden.slope.data))
  })

  it.each([max, min])('pass NaN on from either side', (f: (a: Expr, b: Expr) => Expr) => {
    const [a, b] = [vector([Number.NaN, 1]), vector([1, Number.NaN])].map(constant)
    expect(Array.from(numbersOf(evaluate([f(a, b)])[0]))).toEqual([Number.NaN, Number.NaN])
  })
})
