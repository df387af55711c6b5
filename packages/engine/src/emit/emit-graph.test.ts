import { describe, expect, it } from 'vitest'
import { add, exp, graphOf, input, matmul, mul, scalar, tanh, transpose } from '@thalweg/graph'
import type { OnnxGraph } from '@thalweg/graph'
import type { LoopProgram } from '../engine.ts'
import { graphModel, loopModel } from './emit-graph.ts'

const ops = (nodes: readonly { readonly op: string }[]): string[] => nodes.map((n) => n.op)

describe('graphModel', () => {
  it('keeps clear of the names of inputs and outputs', () => {
    const x = input('Exp_0', 'float64', [2])
    const model = graphModel(graphOf({ Add_1: add(exp(x), 1), c_2: exp(exp(x)) }))
    const names = [...model.nodes.flatMap((n) => n.outputs), ...model.initializers.keys(), ...model.inputs.map((i) => i.name)]
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

  it('refuses a record with the name of an input', () => {
    expect(() => loopModel({ ...program, records: { x: w } })).toThrow('must differ, got x twice')
  })
})
