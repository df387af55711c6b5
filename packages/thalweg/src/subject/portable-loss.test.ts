import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { FormatError, encodeModel, tensorOf } from '@thalweg/graph'
import { Loss, makeDataset, mlp } from '@thalweg/landscape'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openModelFile } from '../models/open-model-file.ts'
import { datasetBlob, lossInputsOf, modelBlob, openPortableLoss } from './portable-loss.ts'
import type { ModelSource } from './portable-loss.ts'

const engine = nativeEngine({ threads: 1 })
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-portable-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const numbers = Array.from({ length: 12 }, (_, i) => Math.sin(i + 1))
const labels = tensorOf('int64', [6], [0, 1, 1, 0, 1, 0])
const dataset = makeDataset({
  name: 'points',
  origin: 'here',
  inputs: { x: tensorOf('float64', [6, 2], numbers) },
  targets: labels,
  task: 'classification',
  classCount: 2,
  classNames: ['no', 'yes'],
  sampleWeights: Float64Array.of(1, 2, 0, 0.5, 1, 1),
})

async function travelled(loss: Loss, source: ModelSource): Promise<Loss> {
  const blobs = { model: await modelBlob(source), data: datasetBlob(loss.dataset) }
  return openPortableLoss(lossInputsOf(loss), {
    engine,
    blobs: {},
    blob: async (name) => blobs[name as keyof typeof blobs],
    kept: async (_, make) => make(),
  })
}

async function expectSame(loss: Loss, source: ModelSource): Promise<void> {
  const there = await travelled(loss, source)
  const theta = Float64Array.from({ length: loss.size }, (_, i) => Math.cos(i))
  const [here, far] = [await loss.valueAndGradient(theta), await there.valueAndGradient(theta)]
  expect(far).toEqual(here)
}

test('a model of ours gives the same bits at the other end', async () => {
  const spec = { kind: 'mlp', widths: [2, 5, 2], activation: 'tanh' } as const
  const options = { engine, model: mlp(spec), dataset, weightDecay: 0.1, dtype: 'float32' } as const
  const loss = new Loss({ ...options, spec: { name: 'cross-entropy', reduction: 'mean', labelSmoothing: 0.1 } })
  await expectSame(loss, { kind: 'spec', spec })
})

test('so does a model file, with what was chosen about it', async () => {
  const float = (name: string, shape: (number | string)[]) => ({ name, dtype: 'float64' as const, shape })
  const bytes = encodeModel({
    inputs: [float('x', ['n', 2])],
    outputs: [float('out', ['n', 2])],
    initializers: new Map([
      ['w', tensorOf('float64', [2, 2], [1, -1, 2, 0.5])],
      ['held', tensorOf('float64', [2], [0.3, 0.4])],
    ]),
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['z'] },
      { op: 'Add', inputs: ['z', 'held'], outputs: ['out'] },
    ],
  })
  const path = join(folder, 'model.onnx')
  writeFileSync(path, bytes)
  const choice = { freeze: ['held'], loss: 'cross-entropy' as const }
  const { model } = openModelFile(path, choice, dataset)
  const loss = new Loss({ engine, model, dataset, spec: { name: 'cross-entropy', reduction: 'sum' } })
  expect(loss.size).toBe(4)
  await expectSame(loss, { kind: 'onnx', path, choice })
})

test('equal samples are one blob whatever they are called, and other samples another', () => {
  const { inputs, targets, task, sampleWeights } = dataset
  const same = makeDataset({ name: 'other', origin: 'there', inputs, targets, task, sampleWeights, classCount: 2 })
  expect(datasetBlob(same)).toEqual(datasetBlob(dataset))
  const heavier = makeDataset({ name: 'points', origin: 'here', inputs, targets, task, classCount: 2 })
  expect(datasetBlob(heavier)).not.toEqual(datasetBlob(dataset))
})

test('blobs that hold something else are refused', async () => {
  const loss = new Loss({
    engine,
    model: mlp({ widths: [2, 2], activation: 'linear' }),
    dataset,
    spec: { name: 'cross-entropy', reduction: 'mean' },
  })
  const open = async (model: string): Promise<Loss> =>
    openPortableLoss(lossInputsOf(loss), {
      engine,
      blobs: {},
      blob: async (name) => (name === 'data' ? datasetBlob(dataset) : new TextEncoder().encode(model)),
      kept: async (_, make) => make(),
    })
  await expect(open('no line')).rejects.toThrow(FormatError)
  await expect(open('{"kind":"file","path":"/etc/passwd"}\n')).rejects.toThrow(FormatError)
  await expect(open('{"kind":"spec","spec":{"kind":"__proto__"}}\n')).rejects.toThrow(/model/)
})
