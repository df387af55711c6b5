import { describe, expect, it } from 'vitest'
import { convInputGradient, convWeightGradient, convGeometry } from '../build/contraction.ts'
import { add, mul, sin } from '../build/elementwise.ts'
import { scatterAdd, scatterElementsAdd } from '../build/indexing.ts'
import { int64 } from '../build/structure.ts'
import { constant, type Expr, input } from '../core/expr.ts'
import { make } from '../core/make.ts'
import type { OperatorName } from '../core/operator-attributes.ts'
import { type DType, numbersOf, type Shape, sizeOf, type Tensor, tensorOf } from '../core/tensor.ts'
import { graphOf } from '../core/traversal.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { operators } from '../operators/table.ts'
import { grad } from '../transform/reverse.ts'
import { decodeModel } from './decode.ts'
import { exportOnnx } from './export-onnx.ts'
import { importOnnx } from './import-onnx.ts'

/** Deterministic values in (0.1, 1.9), no two alike. */
function values(dtype: DType, shape: Shape, seed = 1): Tensor {
  const n = sizeOf(shape)
  const numbers = Array.from({ length: n }, (_, i) => 0.1 + 1.8 * (((i + seed) * 0.6180339887498949) % 1))
  if (dtype === 'int64')
    return tensorOf(
      dtype,
      shape,
      numbers.map((v) => 1 + Math.floor(3 * v)),
    )
  return tensorOf(dtype, shape, dtype === 'bool' ? numbers.map((v) => (v > 1 ? 1 : 0)) : numbers)
}

const x = input('x', 'float64', [2, 3, 4, 5])
const y = input('y', 'float64', [2, 3, 4, 5])
const b = input('b', 'bool', [2, 3, 4, 5])
const c = input('c', 'bool', [5])
const i = input('i', 'int64', [4, 5])
const j = input('j', 'int64', [4, 5])
const w = input('w', 'float64', [4, 3, 3, 2])
const feeds = Object.fromEntries(
  [x, y, b, c, i, j, w].map((e, k) => [e.attributes.name, values(e.dtype, e.shape, k + 1)]),
)

const unaryFloat =
  'Neg Abs Sign Reciprocal Sqrt Exp Log Sin Cos Atan Tanh Sigmoid Softplus Erf Relu Floor Ceil Round IsNaN IsInf'
const binaryFloat = 'Add Sub Mul Div Pow Min Max Equal Greater Less GreaterOrEqual LessOrEqual'
const window = { strides: [2, 1], dilations: [1, 2], padsBegin: [1, 0], padsEnd: [0, 1] }
const poolWindow = { kernel: [2, 2], strides: [2, 1], dilations: [1, 2], padsBegin: [1, 0], padsEnd: [0, 1] }
const geometry = { ...window, groups: 1 }
const convolved = make('Conv', [x, w], geometry)

const plain = (names: string, operands: readonly Expr[]): [OperatorName, Expr][] =>
  names.split(' ').map((op) => [op as OperatorName, make(op as 'Add', operands, {})])

/** At least one use of every operator. */
const cases: [OperatorName, Expr][] = [
  ...plain(unaryFloat, [x]),
  ...plain(binaryFloat, [x, y]),
  ...plain('And Or Xor', [b, c]),
  ...plain('Not', [b]),
  ...plain('Mod Div Sub', [i, j]),
  ...plain('Where', [c, x, y]),
  ['Cast', make('Cast', [x], { to: 'int64' })],
  ['Cast', make('Cast', [b], { to: 'float64' })],
  ['ReduceSum', make('ReduceSum', [x], { axes: [1, 3], keepDims: true })],
  ['ReduceSum', make('ReduceSum', [x], { axes: [], keepDims: false })],
  ['ReduceMax', make('ReduceMax', [x], { axes: [0, 2], keepDims: false })],
  ['ReduceMin', make('ReduceMin', [x], { axes: [3], keepDims: true })],
  ['ReduceLogSumExp', make('ReduceLogSumExp', [x], { axes: [1], keepDims: false })],
  ['ArgMax', make('ArgMax', [x], { axis: 2, keepDims: false })],
  ['CumSum', make('CumSum', [x], { axis: 1, exclusive: true, reverse: true })],
  ['Softmax', make('Softmax', [x], { axis: 1 })],
  ['LogSoftmax', make('LogSoftmax', [x], { axis: 3 })],
  ['MatMul', make('MatMul', [x, make('Transpose', [y], { perm: [0, 1, 3, 2] })], {})],
  ['Conv', convolved],
  ['ConvInputGradient', convInputGradient(convolved, w, geometry, [4, 5])],
  ['ConvWeightGradient', convWeightGradient(x, convolved, geometry, [3, 2])],
  ['ConvWeightGradient', groupedWeightGradient()],
  ['MaxPool', make('MaxPool', [x], poolWindow)],
  ['MaxPoolIndices', make('MaxPoolIndices', [x], poolWindow)],
  ['Reshape', make('Reshape', [x], { shape: [6, 20] })],
  ['Transpose', make('Transpose', [x], { perm: [3, 1, 0, 2] })],
  ['Expand', make('Expand', [make('ReduceSum', [x], { axes: [2], keepDims: true })], { shape: [2, 3, 7, 5] })],
  ['Slice', make('Slice', [x], { starts: [0, 1, 3, 4], ends: [1, 3, -1, 0], steps: [1, 1, -1, -2] })],
  ['Pad', make('Pad', [x], { before: [0, 1, 0, 2], after: [1, 0, 0, 1], value: 2.5 })],
  ['Concat', make('Concat', [x, y], { axis: 2 })],
  ['Gather', make('Gather', [x, int64([2, 0, 2])], { axis: 1 })],
  [
    'GatherElements',
    make('GatherElements', [i, constant(tensorOf('int64', [4, 2], [0, 1, 2, 3, 4, 0, 1, 2]))], { axis: 1 }),
  ],
  ['ScatterAdd', scatterAdd(constant(tensorOf('int64', [3, 4], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 3, 3])), x, 1, 6)],
  [
    'ScatterElementsAdd',
    scatterElementsAdd(
      constant(
        tensorOf(
          'int64',
          [4, 5],
          Array.from({ length: 20 }, (_, k) => k % 7),
        ),
      ),
      make('Cast', [i], { to: 'float64' }),
      1,
      8,
    ),
  ],
]

function groupedWeightGradient(): Expr {
  const g = convGeometry(2, { groups: 2, padsBegin: [1, 1] })
  const images = make('Reshape', [x], { shape: [3, 4, 2, 5] })
  const weights = make('Reshape', [w], { shape: [6, 2, 3, 2] })
  return convWeightGradient(images, make('Conv', [images, weights], g), g, [3, 2])
}

describe('exportOnnx', () => {
  it('has a case for every operator', () => {
    expect(new Set(cases.map(([op]) => op))).toEqual(new Set(Object.keys(operators)))
  })

  it.each(cases)('%s comes back with the same values', (_, expression) => {
    const graph = graphOf({ result: expression })
    const bytes = exportOnnx(graph)
    expect(exportOnnx(graph)).toEqual(bytes)
    const inputs = Object.fromEntries(graph.inputs.map((e) => [e.attributes.name, e.shape]))
    const back = importOnnx(decodeModel(bytes), { inputs, dtype: 'float64' }).outputs['result']
    const [want, got] = [evaluate([expression], feeds)[0], evaluate([back], feeds)[0]]
    expect(got.shape).toEqual(want.shape)
    expect(got.dtype).toBe(want.dtype)
    numbersOf(want).forEach((v, k) => expect(numbersOf(got)[k]).toBeCloseTo(v, 12))
  })

  it('writes derivatives, several outputs, inputs as outputs, and parameters with the file', () => {
    const s = input('s', 'float64', [3])
    const p = input('p', 'float64', [3])
    const value = make('ReduceSum', [mul(p, sin(mul(s, p)))], { axes: [0], keepDims: false })
    const [gradient] = grad(value, [p])
    const graph = graphOf({ value, gradient, again: value, s, seven: add(constant(tensorOf('float64', [], [3])), 4) })
    const at = { s: tensorOf('float64', [3], [1, 2, 3]), p: tensorOf('float64', [3], [0.5, -1, 2]) }
    const model = decodeModel(exportOnnx(graph, { initializers: { p: at.p } }))
    expect(model.inputs.map((v) => v.name)).toEqual(['s'])
    const { outputs } = importOnnx(model, { inputs: { s: [3] }, dtype: 'float64' })
    const names = Object.keys(graph.outputs)
    const want = evaluate(Object.values(graph.outputs), at)
    const got = evaluate(
      names.map((name) => outputs[name]),
      at,
    )
    names.forEach((_, k) => expect([...got[k].data]).toEqual([...want[k].data]))
  })

  it('refuses an initializer that is no input, and an output with the name of another input', () => {
    expect(() => exportOnnx(graphOf({ x: y, y: x }))).toThrow(/'y' must not name an input and another output/)
    expect(() => exportOnnx(graphOf({ x }), { initializers: { q: tensorOf('float64', [], [1]) } })).toThrow(
      /input of the graph, got 'q'/,
    )
  })
})
