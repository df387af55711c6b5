/** ResNet-20 cross-entropy over 1000 images, float32: parameters baked in, against PyTorch in evaluation mode. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nativeEngine } from '@thalweg/engine/node'
import { graphOf, isFloat } from '@thalweg/graph'
import { Loss, modelFromOnnx } from '@thalweg/landscape'
import { loadData } from '../packages/thalweg/src/formats/load-data.ts'
import { encodeNpz } from '../packages/thalweg/src/formats/npz.ts'
import { readOnnxFile } from '../packages/thalweg/src/formats/onnx-file.ts'
import { pythonContestant } from '../tools/python-contestant.ts'
import type { Benchmark, Contestant } from '../tools/side-by-side.ts'

const folder = process.env['THALWEG_TEST_DATA'] ?? ''
const modelPath = join(folder, 'resnet20-cifar10.onnx')
const dataPath = join(folder, 'cifar10-1000-normalized.npz')
const batch = 100

async function ours(): Promise<Contestant> {
  const dataset = await loadData(dataPath)
  const model = modelFromOnnx(readOnnxFile(modelPath), { name: 'resnet20' })
  const engine = nativeEngine()
  const spec = { name: 'cross-entropy', reduction: 'mean' } as const
  const loss = new Loss({ engine, model, dataset, spec, dtype: 'float32', chunkSize: batch })
  const theta = loss.parameterTensor(model.initialize(0))
  const executable = await engine.compile(graphOf({ sum: loss.graph(batch).sum }), { constants: { theta } })
  let value = Number.NaN
  return {
    name: 'thalweg',
    async step() {
      let sum = 0
      for (const chunk of loss.chunks) sum += Number((await executable.run(chunk.values)).sum.data[0])
      value = sum / loss.normalizer
    },
    result: () => [value],
    dispose: () => engine.dispose(),
  }
}

function theirs(): Contestant {
  const { initializers } = readOnnxFile(modelPath)
  const weights = join(mkdtempSync(join(tmpdir(), 'bench-')), 'weights.npz')
  const arrays = [...initializers]
    .filter(([, { tensor }]) => isFloat(tensor.dtype))
    .map(([name, { tensor }]) => [name, tensor])
  writeFileSync(weights, encodeNpz(Object.fromEntries(arrays)))
  const script = fileURLToPath(new URL('resnet20-loss.py', import.meta.url))
  return pythonContestant('PyTorch', script, { input: { weights, data: dataPath, batch } })
}

export const benchmark: Benchmark = {
  name: 'resnet20-loss',
  work: 'ResNet-20 (269,722 parameters) cross-entropy on 1000 images 3×32×32, float32, batches of 100',
  tolerance: 1e-5,
  rounds: 3,
  repetitions: 2,
  targetRatios: { PyTorch: 2 },
  contestants: async () =>
    existsSync(modelPath)
      ? [await ours(), theirs()]
      : [{ name: 'thalweg', skipped: 'THALWEG_TEST_DATA does not hold resnet20-cifar10.onnx' }],
}
