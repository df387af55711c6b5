import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeSafetensors } from '../formats/safetensors.ts'
import { loadTrajectory } from './load-trajectory.ts'
import { openModelFile } from './open-model-file.ts'

const root = mkdtempSync(join(tmpdir(), 'thalweg-trajectory-'))
afterAll(() => rmSync(root, { recursive: true }))

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(root, 'run-'))
})

const weight = (v: number, shape = [3, 2]): Tensor =>
  tensorOf(
    'float32',
    shape,
    Array.from({ length: 6 }, () => v),
  )
const bias = (v: number): Tensor => tensorOf('float32', [3], [v, v, v])

function onnx(w: number): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: undefined }],
    initializers: new Map([
      ['fc.weight', weight(w)],
      ['fc.bias', bias(w)],
    ]),
    nodes: [
      {
        op: 'Gemm',
        inputs: ['x', 'fc.weight', 'fc.bias'],
        outputs: ['y'],
        attributes: new Map([['transB', { kind: 'int', value: 1 }]]),
      },
    ],
  })
}

const model = () => {
  const file = join(root, 'model.onnx')
  writeFileSync(file, onnx(0))
  return openModelFile(file).model
}

function checkpoint(name: string, tensors: Record<string, Tensor>, metadata: Record<string, string> = {}): void {
  writeFileSync(join(folder, name), encodeSafetensors(tensors, metadata))
}

describe('loadTrajectory', () => {
  it('reads .safetensors in the order of the numbers in their names', async () => {
    for (const step of [10, 9, 100])
      checkpoint(`epoch-${step}.safetensors`, { 'fc.weight': weight(step), 'fc.bias': bias(-step) })
    const { points } = await loadTrajectory(folder, model())
    expect(points.map((p) => p.name)).toEqual(['epoch-9', 'epoch-10', 'epoch-100'])
    expect(Array.from(points[0].theta)).toEqual([9, 9, 9, 9, 9, 9, -9, -9, -9])
  })

  it('prefers the steps that the files state', async () => {
    checkpoint('a.safetensors', { 'fc.weight': weight(2), 'fc.bias': bias(2) }, { step: '200' })
    checkpoint('b.safetensors', { 'fc.weight': weight(1), 'fc.bias': bias(1) }, { step: '100' })
    expect((await loadTrajectory(folder, model())).points.map(({ name, step }) => [name, step])).toEqual([
      ['b', 100],
      ['a', 200],
    ])
  })

  it('reads .onnx files, and the checkpoints of a run directory', async () => {
    writeFileSync(join(folder, 'one.onnx'), onnx(1))
    writeFileSync(join(folder, 'two.onnx'), onnx(2))
    expect((await loadTrajectory(folder, model())).points.map((p) => p.theta[0])).toEqual([1, 2])
    mkdirSync(join(folder, 'checkpoints'))
    writeFileSync(join(folder, 'checkpoints', 'three.onnx'), onnx(3))
    expect((await loadTrajectory(folder, model())).points.map((p) => p.theta[0])).toEqual([3])
  })

  it('takes one .onnx beside .safetensors for the model, and says what becomes of batch-norm statistics', async () => {
    writeFileSync(join(folder, 'model.onnx'), onnx(7))
    checkpoint('s.safetensors', { 'fc.weight': weight(1), 'fc.bias': bias(1), 'bn.running_mean': bias(0) })
    const { points, notes } = await loadTrajectory(folder, model())
    expect(points.map((p) => p.name)).toEqual(['s'])
    expect(notes.join()).toMatch(/batch-norm statistics \(bn\.running_mean/)
  })

  it.each([
    [
      'a missing parameter',
      { 'fc.weight': weight(1), 'module.fc.bias': bias(1) },
      /no parameter 'fc\.bias'.*fc\.weight, module\.fc\.bias.*prefix/,
    ],
    [
      'a transposed one',
      { 'fc.weight': weight(1, [2, 3]), 'fc.bias': bias(1) },
      /fc\.weight is \[3,2\], here it is float32 \[2,3\]\. It is transposed: .*do_constant_folding=False/,
    ],
    ['another shape', { 'fc.weight': weight(1, [6, 1]), 'fc.bias': bias(1) }, /belongs to another model/],
    [
      'integers',
      { 'fc.weight': tensorOf('int64', [3, 2], [1, 1, 1, 1, 1, 1]), 'fc.bias': bias(1) },
      /here it is int64/,
    ],
  ])('refuses %s, naming file and parameter', async (_, tensors, message) => {
    checkpoint('bad.safetensors', tensors)
    await expect(loadTrajectory(folder, model())).rejects.toThrow(message)
    await expect(loadTrajectory(folder, model())).rejects.toThrow(/bad\.safetensors/)
  })

  it('refuses pickles, empty folders and files', async () => {
    await expect(loadTrajectory(folder, model())).rejects.toThrow(/no checkpoints/)
    writeFileSync(join(folder, 'last.pt'), 'x')
    await expect(loadTrajectory(folder, model())).rejects.toThrow(/last\.pt: pickled weights are not read.*save_file/)
    await expect(loadTrajectory(join(folder, 'last.pt'), model())).rejects.toThrow(/a trajectory is a folder/)
  })
})
