import { describe, expect, it } from 'vitest'
import { ShapeError } from './errors.ts'
import { constant, input } from './expr.ts'
import type { Expr } from './expr.ts'
import { make } from './make.ts'
import type { OperatorAttributes, OperatorName } from './operator-attributes.ts'
import { tensorOf } from './tensor.ts'
import type { DType, Shape } from './tensor.ts'
import { everyCase } from '../testing/index.ts'

type Wrong = readonly [rule: RegExp, operands: readonly Expr[], attributes?: object]
type Call = readonly [rule: RegExp, operands: readonly Expr[], attributes: object]

const of = (dtype: DType, ...shape: Shape): Expr =>
  constant(tensorOf(dtype, shape, new Array<number>(shape.reduce((p, d) => p * d, 1)).fill(1)))
const f = (...shape: Shape): Expr => of('float64', ...shape)
const narrow = (...shape: Shape): Expr => of('float32', ...shape)
const int = (...shape: Shape): Expr => of('int64', ...shape)
const bool = (...shape: Shape): Expr => of('bool', ...shape)

const floatOnly: Wrong[] = [[/floating-point/, [int(2)]]]
const numeric: Wrong[] = [[/numeric/, [bool(2)]]]
const broadcast: Wrong[] = [
  [/broadcast/, [f(2, 3), f(2)]],
  [/one dtype/, [f(2), narrow(2)]],
]
const arithmetic: Wrong[] = [...broadcast, [/numeric/, [bool(2), bool(2)]]]
const logic: Wrong[] = [
  [/bool/, [f(2), f(2)]],
  [/broadcast/, [bool(2), bool(3)]],
]
const reduction: Wrong[] = [
  [/axes/, [f(2)], { axes: [1], keepDims: false }],
  [/axes/, [f(2)], { axes: [0.5], keepDims: false }],
]
const extreme: Wrong[] = [...reduction, [/at least one/, [f(2, 0)], { axes: [1], keepDims: false }]]
const alongAxis: Wrong[] = [
  [/axis/, [f(2)], { axis: 1 }],
  [/floating-point/, [int(2)], { axis: 0 }],
]
const plain1 = { strides: [1], dilations: [1], padsBegin: [0], padsEnd: [0] }
const g1 = { ...plain1, groups: 1 }
const [x1, w1] = [f(1, 2, 5), f(3, 2, 2)]
const windows: Wrong[] = [
  [/strides/, [x1, w1], { ...g1, strides: [0] }],
  [/strides/, [x1, w1], { ...g1, strides: [1, 1] }],
  [/dilations/, [x1, w1], { ...g1, dilations: [1.5] }],
  [/pads/, [x1, w1], { ...g1, padsEnd: [-1] }],
  [/fit/, [f(1, 2, 1), w1], g1],
  [/channels/, [f(1, 3, 5), w1], g1],
  [/channels/, [x1, f(3, 1, 2)], { ...g1, groups: 2 }],
  [/channels/, [f(1, 1, 5), f(3, 2, 2)], { ...g1, groups: 0.5 }],
  [/kernel/, [x1, f(3, 2, 0)], g1],
  [/needs x/, [f(1, 2), f(1, 2)], { ...g1, strides: [], dilations: [], padsBegin: [], padsEnd: [] }],
  [/needs x/, [int(1, 2, 5), int(3, 2, 2)], g1],
  [/one dtype/, [x1, narrow(3, 2, 2)], g1],
]
const pooling: Wrong[] = [
  [/kernel/, [x1], { ...plain1, kernel: [2, 2] }],
  [/kernel/, [x1], { ...plain1, kernel: [0] }],
  [/fit/, [x1], { ...plain1, kernel: [6] }],
  [/every window/, [x1], { ...plain1, kernel: [2], padsBegin: [2] }],
  [/every window/, [f(1, 1, 1)], { ...plain1, kernel: [2], dilations: [3], padsBegin: [2], padsEnd: [2] }],
]

/** Wrong calls of every operator, each with the rule that the message must name. */
const wrongCalls: { readonly [K in OperatorName]: readonly Wrong[] } = {
  Neg: numeric,
  Abs: numeric,
  Sign: numeric,
  Reciprocal: floatOnly,
  Sqrt: floatOnly,
  Exp: floatOnly,
  Log: floatOnly,
  Sin: floatOnly,
  Cos: floatOnly,
  Atan: floatOnly,
  Tanh: floatOnly,
  Sigmoid: floatOnly,
  Softplus: floatOnly,
  Erf: floatOnly,
  Relu: floatOnly,
  Floor: floatOnly,
  Ceil: floatOnly,
  Round: floatOnly,
  Not: [[/bool/, [f(2)]]],
  IsNaN: floatOnly,
  IsInf: floatOnly,
  Cast: [],
  Add: arithmetic,
  Sub: arithmetic,
  Mul: arithmetic,
  Div: arithmetic,
  Pow: arithmetic,
  Min: arithmetic,
  Max: arithmetic,
  Mod: [[/int64/, [f(2), f(2)]]],
  Equal: broadcast,
  Greater: arithmetic,
  Less: arithmetic,
  GreaterOrEqual: arithmetic,
  LessOrEqual: arithmetic,
  And: logic,
  Or: logic,
  Xor: logic,
  Where: [
    [/condition/, [f(2), f(2), f(2)]],
    [/one dtype/, [bool(2), f(2), int(2)]],
    [/broadcast/, [bool(3), f(2), f(2)]],
  ],
  ReduceSum: reduction,
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceLogSumExp: [...extreme, [/numeric/, [int(2)], { axes: [0], keepDims: true }]],
  ArgMax: [
    [/numeric/, [bool(2)], { axis: 0, keepDims: false }],
    [/axis/, [f(2)], { axis: 2, keepDims: false }],
    [/at least one/, [f(0)], { axis: 0, keepDims: false }],
  ],
  CumSum: [[/axis/, [f(2)], { axis: -1, exclusive: false, reverse: false }]],
  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  MatMul: [
    [/inner axes/, [f(2, 3), f(2, 3)]],
    [/rank/, [f(3), f(3, 2)]],
    [/broadcast/, [f(2, 2, 3), f(3, 3, 2)]],
    [/one dtype/, [f(2, 2), narrow(2, 2)]],
  ],
  Conv: windows,
  ConvInputGradient: [
    [/shape \[1,3,4\]/, [f(1, 3, 3), w1], { ...g1, spatial: [5] }],
    [/channels/, [f(1, 3, 4), f(3, 2, 2)], { ...g1, groups: 2, spatial: [5] }],
    [/integers ≥ 0/, [f(1, 1, 1), f(1, 1, 1)], { ...g1, padsBegin: [1], padsEnd: [1], spatial: [-1] }],
  ],
  ConvWeightGradient: [
    [/shape \[1,3,4\]/, [x1, f(1, 3, 3)], { ...g1, kernel: [2] }],
    [/channels|integers/, [f(1, 3, 5), f(1, 2, 4)], { ...g1, groups: 2, kernel: [2] }],
  ],
  MaxPool: pooling,
  MaxPoolIndices: pooling,
  Reshape: [
    [/number of elements/, [f(2, 3)], { shape: [4] }],
    [/integers ≥ 0/, [f(2, 3)], { shape: [-2, -3] }],
    [/integers ≥ 0/, [f(7)], { shape: [2, 3.5] }],
  ],
  Transpose: [
    [/permute/, [f(2, 3)], { perm: [0, 0] }],
    [/permute/, [f(2, 3)], { perm: [0] }],
  ],
  Expand: [
    [/broadcast/, [f(2)], { shape: [3] }],
    [/broadcast/, [f(2, 1)], { shape: [3] }],
    [/integers ≥ 0/, [f(1)], { shape: [-1] }],
  ],
  Slice: [
    [/inside axis 0/, [f(3)], { starts: [0], ends: [4], steps: [1] }],
    [/inside axis 0/, [f(3)], { starts: [3], ends: [-1], steps: [-1] }],
    [/inside axis 0/, [f(0)], { starts: [0], ends: [-1], steps: [-1] }],
    [/inside axis 0/, [f(3)], { starts: [0], ends: [3], steps: [0] }],
    [/inside axis 0/, [f(3)], { starts: [0.5], ends: [2.5], steps: [1] }],
    [/per axis/, [f(3)], { starts: [], ends: [], steps: [] }],
  ],
  Pad: [
    [/non-negative/, [f(2)], { before: [-1], after: [0], value: 0 }],
    [/one per axis/, [f(2)], { before: [], after: [], value: 0 }],
  ],
  Concat: [
    [/all axes but 0/, [f(2, 3), f(2, 2)], { axis: 0 }],
    [/one dtype/, [f(2), int(2)], { axis: 0 }],
    [/axis/, [f(2), f(2)], { axis: 1 }],
  ],
  Gather: [
    [/int64/, [f(2), f(1)], { axis: 0 }],
    [/axis/, [f(2), int(1)], { axis: 1 }],
  ],
  GatherElements: [
    [/int64/, [f(2), f(1)], { axis: 0 }],
    [/except along axis 0/, [f(2, 2), int(1, 1)], { axis: 0 }],
  ],
  ScatterAdd: [
    [/shape at axis 0/, [int(2), f(3)], { axis: 0, size: 4 }],
    [/shape at axis 2/, [int(), f(3)], { axis: 2, size: 4 }],
    [/int64/, [f(2), f(2)], { axis: 0, size: 4 }],
    [/numeric updates/, [int(2), bool(2)], { axis: 0, size: 4 }],
    [/integers ≥ 0/, [int(2), f(2)], { axis: 0, size: -4 }],
  ],
  ScatterElementsAdd: [
    [/shape of the updates/, [int(2), f(3)], { axis: 0, size: 4 }],
    [/numeric updates/, [int(2), bool(2)], { axis: 0, size: 4 }],
    [/axis/, [int(2), f(2)], { axis: 1, size: 4 }],
  ],
}

/** Attributes of some right call, to be used with wrong operands. */
function someAttributes<K extends OperatorName>(op: K): OperatorAttributes[K] {
  const [, example] = everyCase.find(([label]) => label.startsWith(`${op}: `))!
  const outputs = example.build('float64').outputs
  const pending = [...outputs]
  for (;;) {
    const node = pending.shift()!
    if (node.op === op) return node.attributes as OperatorAttributes[K]
    pending.push(...node.inputs)
  }
}

describe.each(Object.keys(wrongCalls) as OperatorName[])('%s', (op) => {
  const calls = wrongCalls[op].map(([rule, operands, attributes = {}]): Call => [rule, operands, attributes])

  it.each(calls)('says which rule is broken: %s', (rule, operands, attributes) => {
    const call = (): Expr => make(op, operands, attributes as never)
    expect(call).toThrow(ShapeError)
    expect(call).toThrow(rule)
    expect(call).toThrow(new RegExp(`^${op}: .*got .*\\[`))
  })

  it('says how many operands it takes', () => {
    expect(() => make(op, [], someAttributes(op))).toThrow(new RegExp(`^${op}: (takes|needs)`))
  })
})

describe('input', () => {
  it.each([[[-1]], [[1.5]], [[Number.NaN]]])('refuses the shape %s', (shape) => {
    expect(() => input('x', 'float64', shape)).toThrow(/^input x: axis lengths must be integers/)
  })
})
