import { decodeModel, encodeModel, tensorOf } from '@thalweg/graph'
import type { OnnxNodeToWrite, Tensor } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { parameterCount } from './model.ts'
import { modelFromOnnx } from './onnx-model.ts'

const call = (op: string, inputs: string[], output: string): OnnxNodeToWrite => ({
  op,
  inputs,
  outputs: [output],
  attributes: new Map(),
})

function modelOf(nodes: OnnxNodeToWrite[], initializers: Record<string, Tensor>) {
  const bytes = encodeModel({
    inputs: [{ name: 'x', dtype: 'float64', shape: ['N', 2] }],
    outputs: [{ name: 'y', dtype: 'float64', shape: undefined }],
    initializers: new Map(Object.entries(initializers)),
    nodes,
    producer: 'pytorch',
  })
  return modelFromOnnx(decodeModel(bytes), { name: 'written' })
}

describe('notes on what a file hides about its parameters', () => {
  const autoencoder = [call('MatMul', ['x', 'w'], 'h'), call('MatMul', ['h', 'onnx::MatMul_7'], 'y')]
  const w = tensorOf('float64', [2, 3], [1, 2, 3, -1, 0.5, 2])

  it('says that a tied weight was folded into two copies', () => {
    const copy = tensorOf('float64', [3, 2], [1, -1, 2, 0.5, 3, 2])
    const model = modelOf(autoencoder, { w, 'onnx::MatMul_7': copy })
    expect(model.notes.join()).toMatch(/w and onnx::MatMul_7: one is the other transposed/)
    expect(parameterCount(model)).toBe(12)
  })

  it('is silent about other matrices, and about those of one value', () => {
    const other = tensorOf('float64', [3, 2], [1, -1, 2, 0.5, 3, 2.5])
    const zeros = (...shape: number[]): Tensor => tensorOf('float64', shape, [0, 0, 0, 0, 0, 0])
    expect(modelOf(autoencoder, { w, 'onnx::MatMul_7': other }).notes).toEqual([])
    expect(modelOf(autoencoder, { w: zeros(2, 3), 'onnx::MatMul_7': zeros(3, 2) }).notes).toEqual([])
  })

  it('counts a single number that is named like an attribute, and says so', () => {
    const model = modelOf([call('MatMul', ['x', 'w'], 'h'), call('Mul', ['h', 'logit_scale'], 'y')], {
      w,
      logit_scale: tensorOf('float64', [], [2]),
    })
    expect(parameterCount(model)).toBe(7)
    expect(model.notes.join()).toMatch(/count as parameters: logit_scale\. Hold .* --freeze/)
  })
})
