import { describe, expect, it } from 'vitest'
import { input } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { numbersOf, type Tensor, tensorOf } from '../core/tensor.ts'
import { reduceSum } from '../build/reduction.ts'
import { mul } from '../build/elementwise.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { grad } from '../transform/reverse.ts'
import { decodeModel } from './decode.ts'
import { encodeModel, type OnnxNodeToWrite } from './encode.ts'
import { importOnnx } from './import-onnx.ts'
import type { OnnxAttribute } from './model.ts'

const int = (value: number): OnnxAttribute => ({ kind: 'int', value })
const ints = (...value: number[]): OnnxAttribute => ({ kind: 'ints', value })
const text = (value: string): OnnxAttribute => ({ kind: 'string', value })
const index = (...values: number[]): Tensor => tensorOf('int64', [values.length], values)

function call(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNodeToWrite {
  return { op, name: `the ${op} of ${outputs[0]}`, inputs, outputs, attributes: new Map(Object.entries(attributes)) }
}

const wave = (shape: number[], phase: number): Tensor =>
  tensorOf(
    'float64',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.7 * i + phase)),
  )

const parameters: Record<string, Tensor> = {
  W: wave([4, 2, 3, 3], 1),
  scale: tensorOf('float64', [2], [1.2, 0.7]),
  shift: tensorOf('float64', [2], [0.1, -0.3]),
  norm: wave([2], 2),
}

/** Where operator sets differ in how they write the same function; 17 is written in basic operators. */
function nodesOf(opset: number): OnnxNodeToWrite[] {
  const axesAre = opset >= 18
  const reduced = (op: string, from: string, to: string, axes: number[]): OnnxNodeToWrite =>
    axesAre
      ? call(op, [from, `axes${axes.join('')}`], [to], { keepdims: int(1) })
      : call(op, [from], [to], { axes: ints(...axes), keepdims: int(1) })
  return [
    axesAre
      ? call('Pad', ['x', 'ones', '', 'axes23'], ['padded'], { mode: text('reflect') })
      : call('Pad', ['x', 'pads'], ['padded'], { mode: text('reflect') }),
    call('Conv', ['padded', 'W'], ['c']),
    ...groupNorm(opset, reduced),
    ...gelu(opset),
    opset >= 18
      ? call('Split', ['g'], ['a', 'b'], { axis: int(1), num_outputs: int(2) })
      : call('Split', ['g', 'halves'], ['a', 'b'], { axis: int(1) }),
    call('Mul', ['a', 'b'], ['ab']),
    opset >= 19
      ? call('AveragePool', ['ab'], ['pooled'], {
          kernel_shape: ints(2, 2),
          strides: ints(2, 2),
          dilations: ints(1, 1),
          ceil_mode: int(0),
        })
      : call('AveragePool', ['ab'], ['pooled'], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
    axesAre
      ? call('Resize', ['pooled', '', '', 'size2'], ['resized'], {
          mode: text('linear'),
          axes: ints(2, 3),
          keep_aspect_ratio_policy: text('stretch'),
        })
      : call('Resize', ['pooled', '', '', 'size4'], ['resized'], { mode: text('linear') }),
    reduced('ReduceLogSumExp', 'resized', 'l', [2, 3]),
    call('Reshape', ['l', 'rows'], ['flat'], { allowzero: int(0) }),
    call('LayerNormalization', ['flat', 'norm'], ['y'], { axis: int(-1) }),
  ]
}

type Reduced = (op: string, from: string, to: string, axes: number[]) => OnnxNodeToWrite

/** Two groups; per-group scales until operator set 20, per-channel ones from 21. */
function groupNorm(opset: number, reduced: Reduced): OnnxNodeToWrite[] {
  const perChannel = [call('Gather', ['scale', 'twice'], ['s']), call('Gather', ['shift', 'twice'], ['t'])]
  if (opset >= 21)
    return [
      ...perChannel,
      call('GroupNormalization', ['c', 's', 't'], ['n'], { num_groups: int(2), stash_type: int(1) }),
    ]
  if (opset >= 18) return [call('GroupNormalization', ['c', 'scale', 'shift'], ['n'], { num_groups: int(2) })]
  return [
    ...perChannel,
    call('Reshape', ['c', 'grouped'], ['r']),
    reduced('ReduceMean', 'r', 'm', [2, 3, 4]),
    call('Sub', ['r', 'm'], ['d']),
    call('Mul', ['d', 'd'], ['dd']),
    reduced('ReduceMean', 'dd', 'v', [2, 3, 4]),
    call('Add', ['v', 'epsilon'], ['ve']),
    call('Sqrt', ['ve'], ['sd']),
    call('Div', ['d', 'sd'], ['q']),
    call('Reshape', ['q', 'channels'], ['qc']),
    call('Unsqueeze', ['s', 'axes12'], ['s1']),
    call('Unsqueeze', ['t', 'axes12'], ['t1']),
    call('Mul', ['qc', 's1'], ['qs']),
    call('Add', ['qs', 't1'], ['n']),
  ]
}

/** One operator from set 20 on. */
function gelu(opset: number): OnnxNodeToWrite[] {
  if (opset >= 20) return [call('Gelu', ['n'], ['g'], { approximate: text('none') })]
  return [
    call('Div', ['n', 'root2'], ['u']),
    call('Erf', ['u'], ['e']),
    call('Add', ['e', 'one'], ['e1']),
    call('Mul', ['n', 'e1'], ['ne']),
    call('Mul', ['ne', 'half'], ['g']),
  ]
}

const constants: Record<string, Tensor> = {
  ones: index(1, 1, 1, 1),
  pads: index(0, 0, 1, 1, 0, 0, 1, 1),
  axes23: index(2, 3),
  axes234: index(2, 3, 4),
  axes12: index(1, 2),
  halves: index(2, 2),
  twice: index(0, 0, 1, 1),
  grouped: index(0, 2, 2, 4, 4),
  channels: index(0, 4, 4, 4),
  size2: index(3, 3),
  size4: index(2, 2, 3, 3),
  rows: index(0, -1),
  epsilon: tensorOf('float64', [], [1e-5]),
  root2: tensorOf('float64', [], [Math.SQRT2]),
  one: tensorOf('float64', [], [1]),
  half: tensorOf('float64', [], [0.5]),
}

/** The outputs, and the gradient of ⟨outputs, weights⟩ by every parameter. */
function resultsOf(opset: number): number[] {
  const nodes = nodesOf(opset)
  const used = new Set(nodes.flatMap((node) => node.inputs))
  const model = decodeModel(
    encodeModel({
      inputs: [{ name: 'x', dtype: 'float64', shape: [2, 2, 4, 4] }],
      outputs: [{ name: 'y', dtype: 'float64', shape: undefined }],
      initializers: new Map(Object.entries({ ...parameters, ...constants }).filter(([name]) => used.has(name))),
      nodes,
      opset,
    }),
  )
  const theta = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape }]) => [name, input(name, 'float64', shape)]),
  )
  const { outputs } = importOnnx(model, { dtype: 'float64', inputs: { x: [2, 2, 4, 4] }, parameters: theta })
  const y = outputs['y']
  const weighted = reduceSum(mul(y, input('weights', 'float64', y.shape)))
  const roots: Expr[] = [y, ...grad(weighted, Object.values(theta))]
  const values = evaluate(roots, { ...parameters, x: wave([2, 2, 4, 4], 0), weights: wave([...y.shape], 5) })
  return values.flatMap((value) => Array.from(numbersOf(value)))
}

describe('one network as each operator set writes it', () => {
  const expected = resultsOf(17)
  it.each([18, 19, 20, 21, 22])('operator set %i has the values and gradients of 17', (opset) => {
    const results = resultsOf(opset)
    expect(results).toHaveLength(expected.length)
    const size = Math.max(...expected.map(Math.abs))
    results.forEach((v, i) => expect(Math.abs(v - expected[i])).toBeLessThan(1e-13 * size))
  })
})
