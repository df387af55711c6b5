import { describe, expect, it } from 'vitest'
import { add, conv, exp, graphOf, input, make, matmul, mul, scalar, tanh, transpose } from '@thalweg/graph'
import type { OnnxGraph } from '@thalweg/graph'
import type { LoopProgram } from '../engine.ts'
import { graphModel, loopModel } from './emit-graph.ts'

const ops = (nodes: readonly { readonly op: string }[]): string[] => nodes.map((n) => n.op)

describe('graphModel', () => {
  it('keeps clear of the names of inputs and outputs', () => {
    const x = input('Exp_0', 'float64', [2])
    const model = graphModel(graphOf({ Add_1: add(exp(x), 1), c_2: exp(exp(x)) }))
    const names = [
      ...model.nodes.flatMap((n) => n.outputs),
      ...model.initializers.keys(),
      ...model.inputs.map((i) => i.name),
    ]
    expect(new Set(names).size).toBe(names.length)
    expect(model.outputs.map((o) => o.name)).toEqual(['Add_1', 'c_2'])
  })

  it('refuses one name for an input and an output', () => {
    const x = input('x', 'float64', [2])
    expect(() => graphModel(graphOf({ x: exp(x) }))).toThrow('must differ, got x twice')
  })

  it('lets Gemm take in the transposes of matrices', () => {
    const a = input('a', 'float64', [3, 2])
    const b = input('b', 'float64', [4, 3])
    const model = graphModel(graphOf({ y: matmul(transpose(a, [1, 0]), transpose(b, [1, 0])) }))
    expect(ops(model.nodes)).toEqual(['Gemm', 'Identity'])
  })

  const image = input('image', 'float32', [2, 3, 8, 8])
  const kernel = input('kernel', 'float32', [4, 3, 3, 3])
  const bias = input('bias', 'float32', [4, 1, 1])

  it('lets a convolution take in its bias, unless something else reads it or the sum broadcasts otherwise', () => {
    const y = conv(image, kernel)
    expect(ops(graphModel(graphOf({ y: add(y, bias) })).nodes)).toEqual(['Reshape', 'Conv', 'Identity'])
    expect(ops(graphModel(graphOf({ y: add(y, bias), z: exp(y) })).nodes)).toContain('Add')
    const perRow = input('perRow', 'float32', [6, 1])
    expect(ops(graphModel(graphOf({ y: add(y, perRow) })).nodes)).toContain('Add')
  })

  it('pools once for values and positions', () => {
    const attributes = { kernel: [2, 2], strides: [2, 2], dilations: [1, 1], padsBegin: [0, 0], padsEnd: [0, 0] }
    const [values, positions] = [make('MaxPool', [image], attributes), make('MaxPoolIndices', [image], attributes)]
    const { nodes } = graphModel(graphOf({ positions, values }))
    expect(ops(nodes).filter((op) => op === 'MaxPool')).toHaveLength(1)
  })

  it('stores equal small constants once, and −0 apart from 0', () => {
    const x = input('x', 'float64', [])
    const y = mul(mul(add(x, scalar(0, 'float64')), scalar(-0, 'float64')), scalar(0, 'float64'))
    expect(graphModel(graphOf({ y })).initializers.size).toBe(2)
  })
})

describe('loopModel', () => {
  const x = input('x', 'float64', [5, 3])
  const w = input('w', 'float64', [3, 3])
  const step = input('step', 'int64', [])
  const fixed = tanh(matmul(x, exp(matmul(transpose(x, [1, 0]), x))))
  const program: LoopProgram = {
    carried: [w],
    next: [mul(w, 2)],
    step,
    records: { product: matmul(fixed, w), fixed },
    inputs: [x],
  }

  it('computes outside the loop what does not change inside', () => {
    const { nodes } = loopModel(program)
    const loop = nodes.find((n) => n.op === 'Loop')!
    const body = loop.attributes!.get('body')!.value as OnnxGraph
    expect(ops(nodes)).toEqual(['Gemm', 'Exp', 'MatMul', 'Tanh', 'Loop'])
    expect(ops(body.nodes).filter((op) => op !== 'Identity')).toEqual(['Mul', 'MatMul'])
  })

  it('keeps a fixed convolution outside when its bias changes inside', () => {
    const image = input('image', 'float32', [1, 1, 4, 4])
    const bias = input('bias', 'float32', [1, 1, 1])
    const y = add(conv(image, input('kernel', 'float32', [1, 1, 3, 3])), bias)
    const inputs = graphOf({ y }).inputs.filter((i) => i !== bias)
    const { nodes } = loopModel({ carried: [bias], next: [bias], step, records: { y }, inputs })
    expect(ops(nodes)).toEqual(['Conv', 'Loop'])
  })

  it('refuses a record with the name of an input', () => {
    expect(() => loopModel({ ...program, records: { x: w } })).toThrow('must differ, got x twice')
  })
})
