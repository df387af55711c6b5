import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UnsupportedError } from '../core/errors.ts'
import { constant, input } from '../core/expr.ts'
import { numbersOf, type Tensor, tensorOf } from '../core/tensor.ts'
import { topologicalOrder } from '../core/traversal.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { decodeModel } from './decode.ts'
import { encodeModel, type OnnxModelToWrite, type OnnxNodeToWrite } from './encode.ts'
import { importOnnx } from './import-onnx.ts'
import { intendedNumber } from './intended-number.ts'
import type { OnnxAttribute, OnnxDimension } from './model.ts'

const int = (value: number): OnnxAttribute => ({ kind: 'int', value })
const ints = (...value: number[]): OnnxAttribute => ({ kind: 'ints', value })
const float = (value: number): OnnxAttribute => ({ kind: 'float', value })
const text = (value: string): OnnxAttribute => ({ kind: 'string', value })

function call(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNodeToWrite {
  return { op, name: `the ${op}`, inputs, outputs, attributes: new Map(Object.entries(attributes)) }
}

interface Options {
  readonly shape?: readonly OnnxDimension[]
  readonly constants?: Record<string, Tensor>
  readonly opset?: number
  readonly more?: Partial<OnnxModelToWrite>
}

/** A decoded model x → y. */
function model(nodes: OnnxNodeToWrite[], { shape = ['N', 2], constants = {}, opset = 17, more = {} }: Options = {}) {
  return decodeModel(
    encodeModel({
      inputs: [{ name: 'x', dtype: 'float32', shape }],
      outputs: [{ name: 'y', dtype: 'float32', shape: undefined }],
      initializers: new Map(Object.entries(constants)),
      nodes,
      opset,
      ...more,
    }),
  )
}

function run(nodes: OnnxNodeToWrite[], x: Tensor, options: Options = {}): number[] {
  const { outputs } = importOnnx(model(nodes, options), { inputs: { x: x.shape }, dtype: 'float64' })
  return Array.from(numbersOf(evaluate([outputs['y']], { x })[0]))
}

const vector = (...values: number[]): Tensor => tensorOf('float64', [values.length], values)
const index = (...values: number[]): Tensor => tensorOf('int64', [values.length], values)

describe('importOnnx', () => {
  it('folds shape arithmetic over a dynamic batch axis away', () => {
    const nodes = [
      call('Shape', ['x'], ['shape']),
      call('Gather', ['shape', 'zero'], ['n']),
      call('Unsqueeze', ['n', 'axis'], ['n1']),
      call('Concat', ['n1', 'minus'], ['target'], { axis: int(0) }),
      call('Reshape', ['x', 'target'], ['y']),
    ]
    const constants = { zero: tensorOf('int64', [], [0]), axis: index(0), minus: index(-1) }
    const imported = importOnnx(model(nodes, { shape: ['N', 2, 3], constants }), {
      inputs: { x: [4, 2, 3] },
      dtype: 'float64',
    })
    expect(imported.outputs['y'].shape).toEqual([4, 6])
    expect(topologicalOrder([imported.outputs['y']]).map((e) => e.op)).toEqual(['Input', 'Reshape'])
    expect(imported.dimensions).toEqual(new Map([['N', 4]]))
  })

  it('takes the largest int64 as "to the end"', () => {
    const end: Tensor = { dtype: 'int64', shape: [1], data: BigInt64Array.of(0x7fff_ffff_ffff_ffffn) }
    const nodes = [call('Identity', ['end'], ['e']), call('Slice', ['x', 'start', 'e'], ['y'])]
    expect(run(nodes, vector(1, 2, 3), { shape: [3], constants: { start: index(1), end } })).toEqual([2, 3])
  })

  it('follows a condition that shapes decide', () => {
    const branch = (op: string): OnnxAttribute => ({
      kind: 'graph',
      value: {
        name: op,
        inputs: [],
        outputs: [{ name: 'r', dtype: 'float32', elementType: 'float32', shape: undefined }],
        initializers: new Map(),
        nodes: [{ ...call(op, ['x'], ['r']), domain: '', name: '', attributes: new Map(), opset: 17 }],
      },
    })
    const nodes = [
      call('Size', ['x'], ['size']),
      call('Equal', ['size', 'two'], ['isTwo']),
      call('If', ['isTwo'], ['y'], { then_branch: branch('Neg'), else_branch: branch('Abs') }),
    ]
    const options = { shape: ['n'], constants: { two: tensorOf('int64', [], [2]) } }
    expect(run(nodes, vector(1, -2), options)).toEqual([-1, 2])
    expect(run(nodes, vector(1, -2, 3), options)).toEqual([1, 2, 3])
  })

  it('refuses a condition that the data decide', () => {
    const branch: OnnxAttribute = {
      kind: 'graph',
      value: {
        name: 'b',
        inputs: [],
        outputs: [{ name: 'r', dtype: 'float32', elementType: 'float32', shape: undefined }],
        initializers: new Map(),
        nodes: [{ op: 'Neg', inputs: ['x'], outputs: ['r'], domain: '', name: '', attributes: new Map(), opset: 17 }],
      },
    }
    const nodes = [
      call('Cast', ['x'], ['c'], { to: int(9) }),
      call('If', ['c'], ['y'], { then_branch: branch, else_branch: branch }),
    ]
    expect(() => run(nodes, vector(1), { shape: [1] })).toThrow(
      /node 'the If' \(If\): the condition of If.*must not depend on the data/,
    )
  })

  it('binds parameters and constant inputs', () => {
    const nodes = [call('MatMul', ['x', 'w'], ['y'])]
    const w = input('theta', 'float64', [2, 2])
    const imported = importOnnx(model(nodes, { constants: { w: tensorOf('float32', [2, 2], [1, 2, 3, 4]) } }), {
      inputs: { x: constant(tensorOf('float64', [1, 2], [1, 1])) },
      parameters: { w },
      dtype: 'float64',
    })
    const [y] = evaluate([imported.outputs['y']], { theta: tensorOf('float64', [2, 2], [1, 0, 0, 5]) })
    expect([...y.data]).toEqual([1, 5])
  })

  const identity = [call('Identity', ['x'], ['y'])]
  it.each([
    ['a missing input', {}, /'x' has no shape, it is float32\[N, 2\]/],
    ['an unknown input', { x: [1, 2], z: [1] }, /no input 'z'. Its inputs are: x/],
    ['a wrong rank', { x: [2] }, /ranks differ/],
    ['a wrong fixed axis', { x: [1, 3] }, /axis 1 is fixed/],
  ])('refuses %s', (_, inputs, message) => {
    expect(() => importOnnx(model(identity), { inputs, dtype: 'float64' })).toThrow(message)
  })

  it('refuses tables over shapes that are cheap to state and absurd to hold', () => {
    const constants = { one: tensorOf('float32', [1, 1], [1]), big: index(100_000, 100_000) }
    const nodes = [call('Expand', ['one', 'big'], ['wide']), call('Trilu', ['wide'], ['y'])]
    expect(() => run(nodes, tensorOf('float64', [1, 2], [1, 2]), { constants })).toThrow(
      /'the Trilu'.*at most 2\^28 elements/,
    )
  })

  it('refuses one dynamic axis with two lengths, and parameters that do not fit', () => {
    const two = model([call('Add', ['x', 'z'], ['y'])], {
      more: {
        inputs: [
          { name: 'x', dtype: 'float32', shape: ['N', 2] },
          { name: 'z', dtype: 'float32', shape: ['N', 2] },
        ],
      },
    })
    expect(() => importOnnx(two, { inputs: { x: [3, 2], z: [1, 2] }, dtype: 'float64' })).toThrow(/'N' is 3 elsewhere/)
    const one = model(identity, { constants: { w: vector(1, 2) } })
    const bind = (name: string, length: number) => () =>
      importOnnx(one, {
        inputs: { x: [1, 2] },
        parameters: { [name]: input('p', 'float64', [length]) },
        dtype: 'float64',
      })
    expect(bind('w', 3)).toThrow(/'w' must be float64\[2\], got float64\[3\]/)
    expect(bind('q', 2)).toThrow(/no initializer 'q'/)
  })

  it.each([
    [
      'an unknown operator',
      call('Det', ['x'], ['y']),
      /node 'the Det' \(Det\): the operator Det \(operator set 17\) is not handled.*Replace/,
    ],
    ['randomness', call('RandomNormalLike', ['x'], ['y']), /draws random numbers.*evaluation mode/],
    ['an unknown attribute', call('Relu', ['x'], ['y'], { alpha: float(2) }), /attribute 'alpha' is not known/],
    [
      'an unknown mode',
      call('Resize', ['x', '', 's'], ['y'], {
        mode: text('cubic'),
        coordinate_transformation_mode: text('tf_crop_and_resize'),
      }),
      /'the Resize'.*tf_crop_and_resize/,
    ],
    [
      'batch norm in training',
      call('BatchNormalization', ['x', 'v', 'v', 'v', 'v'], ['y'], { training_mode: int(1) }),
      /evaluation mode/,
    ],
  ])('refuses %s, naming the node and the cure', (_, node, message) => {
    const constants = { s: tensorOf('float32', [2], [1, 2]), v: tensorOf('float32', [2], [1, 1]) }
    const bad = model([node], { constants })
    expect(() => importOnnx(bad, { inputs: { x: [2, 2] }, dtype: 'float64' })).toThrow(UnsupportedError)
    expect(() => importOnnx(bad, { inputs: { x: [2, 2] }, dtype: 'float64' })).toThrow(message)
  })

  it.each([
    ['operands that do not broadcast', call('Add', ['x', 'v'], ['y']), /node 'the Add' \(Add\): Add: trailing axes/],
    ['an index outside', call('Gather', ['x', 'i'], ['y']), /index must be in -2…1, got 9/],
    [
      'an attribute of the wrong kind',
      call('Softmax', ['x'], ['y'], { axis: float(1) }),
      /'axis' must be int, got float/,
    ],
    ['a missing attribute', call('Concat', ['x', 'x'], ['y']), /'axis' is missing/],
    ['a missing operand', call('Add', ['x', ''], ['y']), /input 1 is missing/],
    ['a size no memory holds', call('ConstantOfShape', ['big'], ['y']), /at most 2\^28 elements in all/],
    ['a number of elements that differs', call('Reshape', ['x', 'v3'], ['y']), /fixes a batch size/],
    ['an output that the operator lacks', call('Relu', ['x'], ['y', 'extra']), /does not compute an output 'extra'/],
  ])('refuses %s, naming the node', (_, node, message) => {
    const constants = { v: vector(1, 2, 3), i: index(9), big: index(100_000, 100_000), v3: index(3) }
    const bad = model([node], { constants })
    expect(() => importOnnx(bad, { inputs: { x: [2, 2] }, dtype: 'float64' })).toThrow(message)
    expect(() => importOnnx(bad, { inputs: { x: [2, 2] }, dtype: 'float64' })).toThrow(/^node 'the /)
  })
})

describe('operator sets', () => {
  it.each([
    ['Squeeze', 12, call('Squeeze', ['x'], ['y'], { axes: ints(1) }), [4]],
    ['Squeeze', 13, call('Squeeze', ['x', 'axis1'], ['y']), [4]],
    ['Unsqueeze', 11, call('Unsqueeze', ['x'], ['y'], { axes: ints(0, 3) }), [1, 4, 1, 1]],
    ['ReduceSum', 11, call('ReduceSum', ['x'], ['y'], { axes: ints(0), keepdims: int(0) }), [1]],
    ['ReduceSum', 13, call('ReduceSum', ['x', 'axis0'], ['y'], { keepdims: int(0) }), [1]],
    ['ReduceMean', 17, call('ReduceMean', ['x'], ['y'], { axes: ints(0), keepdims: int(0) }), [1]],
    ['ReduceMean', 18, call('ReduceMean', ['x', 'axis0'], ['y'], { keepdims: int(0) }), [1]],
    ['ReduceMax', 20, call('ReduceMax', ['x'], ['y'], { noop_with_empty_axes: int(1) }), [4, 1]],
    ['Split', 11, call('Split', ['x'], ['y', 'z'], { split: ints(3, 1) }), [3, 1]],
    ['Split', 13, call('Split', ['x', 'lengths'], ['y', 'z']), [3, 1]],
    ['Split', 18, call('Split', ['x'], ['y', 'z', 'u'], { num_outputs: int(3) }), [2, 1]],
    ['Clip', 11, call('Clip', ['x', '', 'one'], ['y']), [4, 1]],
    ['Dropout', 11, call('Dropout', ['x'], ['y'], { ratio: float(0.5) }), [4, 1]],
    ['Dropout', 12, call('Dropout', ['x', 'one'], ['y', 'mask']), [4, 1]],
    ['Pad', 11, call('Pad', ['x', 'pads'], ['y']), [5, 1]],
    ['Pad', 18, call('Pad', ['x', 'pad0', '', 'axis0'], ['y']), [5, 1]],
  ])('%s in version %i', (_, opset, node, shape) => {
    const constants = {
      axis0: index(0),
      axis1: index(1),
      lengths: index(3, 1),
      pads: index(1, 0, 0, 0),
      pad0: index(1, 0),
      one: tensorOf('float32', [], [1]),
    }
    const imported = importOnnx(model([node], { constants, opset, shape: [4, 1] }), {
      inputs: { x: [4, 1] },
      dtype: 'float64',
    })
    expect(imported.outputs['y'].shape).toEqual(shape)
  })

  it('Softmax before 13 runs over all axes from its axis on', () => {
    const x = tensorOf('float64', [1, 2, 2], [0, 0, 0, 0])
    const softmax = call('Softmax', ['x'], ['y'])
    expect(run([softmax], x, { opset: 12, shape: [1, 2, 2] })).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(run([softmax], x, { opset: 13, shape: [1, 2, 2] })).toEqual([0.5, 0.5, 0.5, 0.5])
  })
})

describe('intendedNumber', () => {
  it.each([0.01, 1e-5, 0.2, 1 / 6, 1 / 3, 0.75, 1, 0, -0.3, 1e30, 1e-12])('recovers %d from its 32 bits', (value) => {
    expect(intendedNumber(Math.fround(value))).toBe(value)
  })

  it('leaves other numbers alone', () => {
    for (const value of [Math.fround(Math.PI), Math.fround(1.6732632423543772), Infinity, 0.1])
      expect(intendedNumber(value)).toBe(value)
    expect(intendedNumber(Number.NaN)).toBeNaN()
  })
})

const data = process.env['THALWEG_TEST_DATA']

describe.skipIf(data === undefined)('ResNet-20 of THALWEG_TEST_DATA', () => {
  it('imports at any batch size', () => {
    const resnet = decodeModel(readFileSync(join(String(data), 'resnet20-cifar10.onnx')))
    for (const n of [1, 7]) {
      const imported = importOnnx(resnet, { inputs: { x: [n, 3, 32, 32] }, dtype: 'float64' })
      expect(imported.outputs['logits'].shape).toEqual([n, 10])
    }
  })
})
