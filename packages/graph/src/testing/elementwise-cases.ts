import type { Expr } from '../core/expr.ts'
import { constant } from '../core/expr.ts'
import { tensorOf } from '../core/tensor.ts'
import type { Shape } from '../core/tensor.ts'
import * as b from '../build/elementwise.ts'
import { make } from '../core/make.ts'
import type { elementwise } from '../operators/elementwise.ts'
import { operatorCase } from './operator-case.ts'
import type { CaseInputs, OperatorCase } from './operator-case.ts'

type Unary = (x: Expr) => Expr
type Binary = (x: Expr, y: Expr) => Expr

/** One operand: a matrix, a scalar, and a wide range where the operator has one. */
function unaryCases(
  f: Unary,
  low: number,
  high: number,
  kinks: readonly number[] = [],
  wide?: [number, number],
): OperatorCase[] {
  const cases = [
    operatorCase('a matrix', (n) => f(n.avoiding(kinks, [2, 3], low, high))),
    operatorCase('a scalar', (n) => f(n.avoiding(kinks, [], low, high))),
  ]
  return wide ? [...cases, operatorCase('a wide range', (n) => f(n.avoiding(kinks, [12], wide[0], wide[1])))] : cases
}

const broadcasts: readonly [string, Shape, Shape][] = [
  ['equal shapes', [2, 3], [2, 3]],
  ['second of lower rank', [2, 3], [3]],
  ['first of lower rank', [2], [3, 1, 2]],
  ['both stretched', [2, 1], [1, 3]],
  ['second a scalar', [2, 2], []],
  ['two scalars', [], []],
]

/** Two operands in every way of broadcasting. */
function binaryCases(f: Binary, draw: (n: CaseInputs, a: Shape, b: Shape) => [Expr, Expr]): OperatorCase[] {
  return broadcasts.map(([name, p, q]) => operatorCase(name, (n) => f(...draw(n, p, q))))
}

/** The same for int64, in some of the ways. */
function integerCases(f: Binary, ...ways: readonly string[]): OperatorCase[] {
  return binaryCases(f, integers)
    .filter((c) => ways.includes(c.name))
    .map((c) => ({ ...c, name: `integers, ${c.name}` }))
}

const plain = (n: CaseInputs, p: Shape, q: Shape): [Expr, Expr] => [n.float(p), n.float(q)]
/** Never equal, so no comparison changes within a small step. */
const untied = (n: CaseInputs, p: Shape, q: Shape): [Expr, Expr] => [n.spaced(p), n.spaced(q, 0.2)]
const integers = (n: CaseInputs, p: Shape, q: Shape): [Expr, Expr] => [n.integers(p, -7, 8), n.integers(q, 1, 6)]
const bools = (n: CaseInputs, p: Shape, q: Shape): [Expr, Expr] => [n.bool(p), n.bool(q)]

function comparisonCases(f: Binary): OperatorCase[] {
  return [
    ...binaryCases(f, untied),
    operatorCase('integers, some equal', (n) => f(n.integers([4, 3], 0, 3), n.integers([3], 0, 3))),
  ]
}

function powerCases(): OperatorCase[] {
  const scalars = [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4]
  return [
    ...binaryCases(b.pow, (n, p, q) => [n.float(p, 0.3, 2), n.float(q, -2, 3)]),
    ...scalars.map((c) => operatorCase(`positive base to the ${c}`, (n) => b.pow(n.float([2, 3], 0.3, 2), c))),
    ...[-2, 2, 3].map((c) => operatorCase(`negative base to the ${c}`, (n) => b.pow(n.float([5], -2, -0.3), c))),
    operatorCase('a number to a power', (n) => b.pow(2.5, n.float([2, 3]))),
    operatorCase('tensor exponents, some 0', (n) =>
      b.pow(n.float([4], 0.3, 2), constant(tensorOf(n.dtype, [4], [0, 1, 2, 0.5]))),
    ),
    operatorCase('x to the x', (n) => {
      const x = n.float([4], 0.3, 2)
      return b.pow(x, x)
    }),
  ]
}

function whereCases(): OperatorCase[] {
  const shapes: readonly [string, Shape, Shape, Shape][] = [
    ['equal shapes', [2, 3], [2, 3], [2, 3]],
    ['all stretched', [2, 1, 1], [3, 1], [2]],
    ['a scalar condition', [], [2, 2], [2, 2]],
    ['scalar branches', [2, 3], [], []],
    ['condition of higher rank', [2, 3], [3], []],
  ]
  return [
    ...shapes.map(([name, c, p, q]) => operatorCase(name, (n) => b.where(n.bool(c), n.float(p), n.float(q)))),
    operatorCase('integers', (n) => b.where(n.bool([3]), n.integers([3], 0, 9), n.integers([], 0, 9))),
  ]
}

function castCases(): OperatorCase[] {
  return [
    operatorCase('to int64 and back', (n) => b.cast(b.cast(n.avoiding([-1, 0, 1], [5]), 'int64'), n.dtype)),
    operatorCase('from bool', (n) => b.cast(n.bool([2, 3]), n.dtype)),
    operatorCase('from int64', (n) => b.cast(n.integers([4], -5, 5), n.dtype)),
    operatorCase('to bool', (n) => b.cast(n.avoiding([0], [4]), 'bool')),
    operatorCase('bool to int64', (n) => b.cast(n.bool([4]), 'int64')),
    operatorCase(
      'to the other float',
      (n) => b.cast(n.float([2, 3]), n.dtype === 'float64' ? 'float32' : 'float64'),
      true,
    ),
    operatorCase('to float32 and back', (n) => b.cast(b.mul(b.cast(n.float([3]), 'float32'), 3), n.dtype), true),
  ]
}

/** x with elements replaced by what is not a number. */
function special(n: CaseInputs): Expr {
  return b.mul(
    n.float([4], 0.5, 1),
    constant(tensorOf(n.dtype, [4], [1, Number.NaN, Number.POSITIVE_INFINITY, -Infinity])),
  )
}

const integersToo = (f: Unary): OperatorCase => operatorCase('integers', (n) => f(n.integers([2, 3], -5, 5)))
const stepKinks = [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]

export const elementwiseCases: { readonly [K in keyof typeof elementwise]: readonly OperatorCase[] } = {
  Neg: [...unaryCases(b.neg, -2, 2), integersToo(b.neg)],
  Abs: [...unaryCases(b.abs, -2, 2, [0]), integersToo(b.abs)],
  Sign: [...unaryCases(b.sign, -2, 2, [0]), integersToo(b.sign)],
  Reciprocal: unaryCases(b.reciprocal, -3, 3, [-0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3]),
  Sqrt: unaryCases(b.sqrt, 0.3, 4),
  Exp: unaryCases(b.exp, -2, 2, [], [-10, 3]),
  Log: unaryCases(b.log, 0.3, 4),
  Sin: unaryCases(b.sin, -4, 4),
  Cos: unaryCases(b.cos, -4, 4),
  Atan: unaryCases(b.atan, -3, 3, [], [-60, 60]),
  Tanh: unaryCases(b.tanh, -3, 3, [], [-12, 12]),
  Sigmoid: unaryCases(b.sigmoid, -4, 4, [], [-30, 30]),
  Softplus: unaryCases(b.softplus, -4, 4, [], [-30, 30]),
  Erf: unaryCases(b.erf, -2, 2, [], [-7, 7]),
  Relu: unaryCases(b.relu, -2, 2, [0]),
  Floor: unaryCases(b.floor, -2, 2, stepKinks),
  Ceil: unaryCases(b.ceil, -2, 2, stepKinks),
  Round: [
    ...unaryCases(b.round, -2, 2, stepKinks),
    operatorCase('halves', (n) => b.round(b.add(b.cast(n.integers([6], -3, 4), n.dtype), 0.5))),
  ],
  Not: [operatorCase('a matrix', (n) => b.not(n.bool([2, 3])))],
  IsNaN: [operatorCase('special values', (n) => b.isNaN(special(n)))],
  IsInf: [operatorCase('special values', (n) => b.isInf(special(n)))],
  Cast: castCases(),
  Add: [...binaryCases(b.add, plain), ...integerCases(b.add, 'second of lower rank')],
  Sub: [...binaryCases(b.sub, plain), ...integerCases(b.sub, 'first of lower rank')],
  Mul: [
    ...binaryCases(b.mul, plain),
    ...integerCases(b.mul, 'both stretched'),
    operatorCase('x · x', (n) => {
      const x = n.float([2, 3])
      return b.mul(x, x)
    }),
    operatorCase('a cube', (n) => {
      const x = n.float([3])
      return b.mul(x, b.mul(x, x))
    }),
  ],
  Div: [
    ...binaryCases(b.div, (n, p, q) => [n.float(p), n.float(q, 0.4, 2)]),
    ...integerCases(b.div, 'equal shapes', 'second of lower rank'),
  ],
  Pow: powerCases(),
  Min: [...binaryCases(b.min, untied), ...integerCases(b.min, 'equal shapes')],
  Max: [...binaryCases(b.max, untied), ...integerCases(b.max, 'equal shapes')],
  Mod: binaryCases(b.mod, integers),
  Equal: [...comparisonCases(b.equal), operatorCase('bools', (n) => b.equal(n.bool([5]), n.bool([5])))],
  Greater: comparisonCases(b.greater),
  Less: comparisonCases(b.less),
  GreaterOrEqual: comparisonCases(b.greaterOrEqual),
  LessOrEqual: comparisonCases(b.lessOrEqual),
  And: binaryCases(b.and, bools),
  Or: binaryCases(b.or, bools),
  Xor: binaryCases(b.xor, bools),
  Where: [
    ...whereCases(),
    operatorCase('a condition that the input decides', (n) => {
      const x = n.avoiding([0.2], [2, 3])
      return make('Where', [b.greater(x, 0.2), b.exp(x), b.sin(x)], {})
    }),
  ],
}
