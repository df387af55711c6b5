import { describe, expect, it } from 'vitest'
import { type Shape, sizeOf, type Tensor, tensorOf } from '../core/tensor.ts'
import { decodeModel } from './decode.ts'
import { encodeModel, type OnnxNodeToWrite } from './encode.ts'
import type { OnnxAttribute } from './model.ts'
import { parametersOf } from './parameters-of.ts'

const int = (value: number): OnnxAttribute => ({ kind: 'int', value })
const call = (
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNodeToWrite => ({
  op,
  inputs,
  outputs: [output],
  attributes: new Map(Object.entries(attributes)),
})

const ones = (...shape: number[]): Tensor => tensorOf('float32', shape, new Float64Array(sizeOf(shape)).fill(1))

function analyze(
  nodes: OnnxNodeToWrite[],
  initializers: Record<string, Tensor>,
  shape: Shape = [1, 4],
  producer?: string,
) {
  const model = decodeModel(
    encodeModel({
      inputs: [{ name: 'x', dtype: 'float32', shape }],
      outputs: [{ name: 'y', dtype: 'float32', shape: undefined }],
      initializers: new Map(Object.entries(initializers)),
      nodes,
      producer,
    }),
  )
  const { parameters, constants } = parametersOf(model)
  return {
    roles: Object.fromEntries(
      parameters.map((p) => [p.name, p.filterAxis === undefined ? p.role : `${p.role}:${p.filterAxis}`]),
    ),
    constants: Object.fromEntries(constants.map((c) => [c.name, c.reason])),
  }
}

describe('parametersOf', () => {
  it('finds weights, their filter axes and biases of dense layers', () => {
    const { roles } = analyze(
      [
        call('Gemm', ['x', 'w1', 'b1'], 'h1', { transB: int(1) }),
        call('Gemm', ['h1', 'w2', 'b2'], 'h2'),
        call('MatMul', ['h2', 'w3'], 'h3'),
        call('Add', ['b3', 'h3'], 'h4'),
        call('Transpose', ['w4'], 'w4t', { perm: { kind: 'ints', value: [1, 0] } }),
        call('MatMul', ['h4', 'w4t'], 'h5'),
        call('PRelu', ['h5', 'slope'], 'y'),
      ],
      {
        w1: ones(3, 4),
        b1: ones(3),
        w2: ones(3, 2),
        b2: ones(2),
        w3: ones(2, 5),
        b3: ones(5),
        w4: ones(6, 5),
        slope: ones(1),
      },
    )
    expect(roles).toEqual({
      w1: 'weight:0',
      b1: 'bias',
      w2: 'weight:1',
      b2: 'bias',
      w3: 'weight:1',
      b3: 'bias',
      w4: 'weight:0',
      slope: 'slope',
    })
  })

  it('tells batch-norm statistics from scale and shift', () => {
    const found = analyze(
      [
        call('Conv', ['x', 'w', 'b'], 'h'),
        call('BatchNormalization', ['h', 'scale', 'shift', 'mean', 'var'], 'n'),
        call('ConvTranspose', ['n', 'u'], 'y'),
      ],
      {
        w: ones(4, 2, 3, 3),
        b: ones(4),
        scale: ones(4),
        shift: ones(4),
        mean: ones(4),
        var: ones(4),
        u: ones(4, 2, 3, 3),
      },
      [1, 2, 8, 8],
    )
    expect(found.roles).toEqual({ w: 'weight:0', b: 'bias', scale: 'norm-scale', shift: 'norm-shift', u: 'weight:1' })
    expect(found.constants).toEqual({ mean: 'batch-norm statistics', var: 'batch-norm statistics' })
  })

  it('recognizes layer normalization written out', () => {
    const { roles } = analyze(
      [
        call('ReduceMean', ['x'], 'm'),
        call('Sub', ['x', 'm'], 'c'),
        call('Mul', ['c', 'c'], 'c2'),
        call('ReduceMean', ['c2'], 'v'),
        call('Sqrt', ['v'], 's'),
        call('Div', ['c', 's'], 'n'),
        call('Mul', ['n', 'gamma'], 'g'),
        call('Add', ['g', 'beta'], 'y'),
      ],
      { gamma: ones(4), beta: ones(4) },
    )
    expect(roles).toEqual({ gamma: 'norm-scale', beta: 'norm-shift' })
  })

  it('leaves out scalars, masks, indices, bounds, shapes and what no output needs', () => {
    const found = analyze(
      [
        call('Div', ['x', 'sqrtD'], 'a'),
        call('Add', ['a', 'mask'], 'b'),
        call('Greater', ['b', 'threshold'], 'c'),
        call('Where', ['c', 'b', 'fill'], 'd'),
        call('Clip', ['d', 'low'], 'y'),
        call('Neg', ['dead'], 'nowhere'),
      ],
      {
        sqrtD: ones(),
        mask: tensorOf('float32', [4], [0, 0, Number.NEGATIVE_INFINITY, 0]),
        threshold: ones(4),
        fill: ones(4),
        low: ones(),
        dead: ones(4),
      },
    )
    expect(found.roles).toEqual({ fill: 'other' })
    expect(found.constants).toEqual({
      sqrtD: 'scalar',
      mask: 'mask',
      threshold: 'not differentiable',
      low: 'not differentiable',
      dead: 'unused',
    })
  })

  it('takes single numbers for parameters where PyTorch names them like attributes of a module', () => {
    const nodes = [
      call('Mul', ['x', 'head.logit_scale'], 'a'),
      call('Add', ['a', 'onnx::Add_7'], 'b'),
      call('Add', ['b', 'val_3'], 'y'),
    ]
    const scalars = { 'head.logit_scale': ones(), 'onnx::Add_7': ones(), val_3: ones() }
    expect(analyze(nodes, scalars, [1, 4], 'pytorch 1.13.0')).toEqual({
      roles: { 'head.logit_scale': 'other' },
      constants: { 'onnx::Add_7': 'scalar', val_3: 'scalar' },
    })
    expect(analyze(nodes, scalars, [1, 4], 'tf2onnx').roles).toEqual({})
  })

  it('keeps weights that training has blown up, for the loss to refuse them', () => {
    const { roles } = analyze([call('MatMul', ['x', 'w'], 'h'), call('Add', ['h', 'b'], 'y')], {
      w: tensorOf('float32', [2, 2], [1, Number.NaN, 0, 1]),
      b: tensorOf('float32', [2], [Number.NEGATIVE_INFINITY, 3]),
    })
    expect(Object.keys(roles)).toEqual(['w', 'b'])
  })

  it('keeps a tied embedding one parameter, and recurrent weights', () => {
    const tokens = tensorOf('int64', [2], [0, 1])
    const found = analyze(
      [
        call('Gather', ['embedding', 'tokens'], 'e'),
        call('Unsqueeze', ['e', 'axes'], 'sequence'),
        {
          op: 'LSTM',
          inputs: ['sequence', 'W', 'R', 'B'],
          outputs: ['', 'last'],
          attributes: new Map([['hidden_size', int(3)]]),
        },
        call('Squeeze', ['last', 'axes'], 'h'),
        call('Transpose', ['embedding'], 'decoder'),
        call('MatMul', ['h', 'decoder'], 'y'),
      ],
      {
        embedding: ones(5, 3),
        tokens,
        axes: tensorOf('int64', [1], [0]),
        W: ones(1, 12, 3),
        R: ones(1, 12, 3),
        B: ones(1, 24),
      },
    )
    expect(found.roles).toEqual({ embedding: 'embedding:0', W: 'weight:1', R: 'weight:1', B: 'bias' })
  })

  it('keeps single-element biases and reads Einsum', () => {
    const { roles } = analyze(
      [
        call('Einsum', ['x', 'w'], 'h', { equation: { kind: 'string', value: 'bi,oi->bo' } }),
        call('Add', ['h', 'b'], 'y'),
      ],
      { w: ones(1, 4), b: ones(1) },
    )
    expect(roles).toEqual({ w: 'weight:0', b: 'bias' })
  })
})
