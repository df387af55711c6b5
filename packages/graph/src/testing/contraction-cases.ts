import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { windowOutput } from '../core/signatures.ts'
import type { Shape } from '../core/tensor.ts'
import { conv, convGeometry, convInputGradient, convWeightGradient } from '../build/contraction.ts'
import type { ConvOptions } from '../build/contraction.ts'
import type { contractions } from '../operators/contraction.ts'
import { operatorCase } from './operator-case.ts'
import type { OperatorCase } from './operator-case.ts'

/** A convolution: shapes of its two operands, and its geometry. */
interface ConvSetting {
  readonly name: string
  readonly x: Shape
  readonly w: Shape
  readonly options: ConvOptions
}

const convSettings: readonly ConvSetting[] = [
  { name: '1-D', x: [2, 2, 5], w: [3, 2, 3], options: {} },
  {
    name: '1-D, even kernel, stride, dilation, uneven padding',
    x: [1, 2, 8],
    w: [2, 2, 2],
    options: { strides: [2], dilations: [2], padsBegin: [1], padsEnd: [2] },
  },
  { name: '2-D, same size', x: [2, 2, 4, 3], w: [2, 2, 3, 3], options: { padsBegin: [1, 1] } },
  { name: '2-D, rows that no window reaches', x: [1, 1, 6, 6], w: [2, 1, 2, 3], options: { strides: [3, 2] } },
  { name: '2-D, groups', x: [1, 4, 3, 3], w: [4, 2, 2, 2], options: { groups: 2 } },
  {
    name: '2-D, one filter pair per channel, uneven padding',
    x: [1, 3, 4, 3],
    w: [6, 1, 3, 2],
    options: { groups: 3, padsBegin: [0, 1], padsEnd: [2, 0] },
  },
  { name: '2-D, pointwise', x: [2, 3, 2, 2], w: [2, 3, 1, 1], options: {} },
  { name: '2-D, pointwise with stride', x: [1, 2, 4, 3], w: [2, 2, 1, 1], options: { strides: [2, 2] } },
  {
    name: '2-D, dilated, stride, padding',
    x: [1, 2, 5, 6],
    w: [1, 2, 2, 3],
    options: { strides: [1, 2], dilations: [3, 2], padsBegin: [1, 2], padsEnd: [2, 1] },
  },
  { name: '2-D, stride longer than the kernel', x: [1, 1, 7, 7], w: [1, 1, 2, 2], options: { strides: [3, 4] } },
  { name: '2-D, kernel larger than the input', x: [1, 1, 2, 2], w: [1, 1, 4, 3], options: { padsBegin: [1, 1] } },
  {
    name: '3-D',
    x: [1, 2, 3, 2, 3],
    w: [1, 2, 2, 1, 2],
    options: { strides: [1, 1, 2], padsBegin: [0, 1, 1], padsEnd: [1, 0, 0] },
  },
]

function outputShape({ x, w, options }: ConvSetting): Shape {
  return [x[0], w[0], ...windowOutput(x.slice(2), w.slice(2), convGeometry(x.length - 2, options))]
}

function matMulCases(): OperatorCase[] {
  const shapes: readonly [string, Shape, Shape][] = [
    ['matrices', [2, 3], [3, 2]],
    ['a stack times a matrix', [2, 2, 3], [3, 2]],
    ['a matrix times a stack', [2, 3], [2, 3, 2]],
    ['two stacks', [2, 2, 3], [2, 3, 1]],
    ['stretched stacks', [2, 1, 2, 2], [3, 2, 2]],
    ['stacks of different depth', [2, 2], [2, 2, 2, 1]],
    ['row times column', [1, 4], [4, 1]],
    ['column times row', [3, 1], [1, 2]],
  ]
  const product = (a: Expr, b: Expr): Expr => make('MatMul', [a, b], {})
  return [
    ...shapes.map(([name, a, b]) => operatorCase(name, (n) => product(n.float(a), n.float(b)))),
    operatorCase('a square', (n) => {
      const x = n.float([3, 3])
      return product(x, x)
    }),
  ]
}

interface PoolSetting {
  readonly name: string
  readonly x: Shape
  readonly kernel: Shape
  readonly options: ConvOptions
}

export const poolSettings: readonly PoolSetting[] = [
  { name: '2-D, side by side', x: [2, 2, 4, 4], kernel: [2, 2], options: { strides: [2, 2] } },
  { name: '2-D, overlapping', x: [1, 2, 4, 4], kernel: [3, 2], options: {} },
  { name: '2-D, padded', x: [1, 1, 5, 4], kernel: [3, 3], options: { strides: [2, 2], padsBegin: [1, 1] } },
  { name: '2-D, unevenly padded', x: [1, 2, 4, 4], kernel: [2, 3], options: { padsBegin: [0, 1], padsEnd: [1, 0] } },
  { name: '2-D, dilated', x: [1, 1, 5, 5], kernel: [2, 2], options: { dilations: [2, 3] } },
  { name: '1-D, rows that no window reaches', x: [2, 1, 7], kernel: [2], options: { strides: [3] } },
  { name: '3-D', x: [1, 1, 3, 2, 3], kernel: [2, 2, 2], options: {} },
]

function poolCases(op: 'MaxPool' | 'MaxPoolIndices'): OperatorCase[] {
  return poolSettings.map(({ name, x, kernel, options }) =>
    operatorCase(name, (n) => {
      const { strides, dilations, padsBegin, padsEnd } = convGeometry(kernel.length, options)
      return make(op, [n.distinct(x)], { kernel, strides, dilations, padsBegin, padsEnd })
    }),
  )
}

export const contractionCases: { readonly [K in keyof typeof contractions]: readonly OperatorCase[] } = {
  MatMul: matMulCases(),
  Conv: convSettings.map(({ name, x, w, options }) => operatorCase(name, (n) => conv(n.float(x), n.float(w), options))),
  ConvInputGradient: convSettings.map((setting) =>
    operatorCase(setting.name, (n) => {
      const { x, w, options } = setting
      const g = convGeometry(x.length - 2, options)
      return convInputGradient(n.float(outputShape(setting)), n.float(w), g, x.slice(2))
    }),
  ),
  ConvWeightGradient: convSettings.map((setting) =>
    operatorCase(setting.name, (n) => {
      const { x, w, options } = setting
      const g = convGeometry(x.length - 2, options)
      return convWeightGradient(n.float(x), n.float(outputShape(setting)), g, w.slice(2))
    }),
  ),
  MaxPool: poolCases('MaxPool'),
  MaxPoolIndices: poolCases('MaxPoolIndices'),
}
