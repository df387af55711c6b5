import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import {
  Loss,
  LossPoint,
  modelFromOnnx,
  dot,
  norm,
  parameterCount,
  parameterRanges,
  randomStream,
  subset,
} from '@thalweg/landscape'
import { afterAll, describe, expect, test } from 'vitest'
import { loadData } from '../src/formats/load-data.ts'
import { readOnnxFile } from '../src/formats/onnx-file.ts'

const folder = process.env['THALWEG_TEST_DATA'] ?? ''
const present = existsSync(join(folder, 'resnet20-cifar10.onnx'))
if (!present) console.log('ResNet-20: skipped, THALWEG_TEST_DATA does not hold resnet20-cifar10.onnx')

/** What PyTorch computes for these images: mean cross-entropy 0.8628397583961487, accuracy 0.809. */
describe.skipIf(!present)('ResNet-20 trained in PyTorch, on 1000 CIFAR-10 images', () => {
  const engine = nativeEngine()
  afterAll(() => engine.dispose())
  const model = present
    ? modelFromOnnx(readOnnxFile(join(folder, 'resnet20-cifar10.onnx')), { name: 'resnet20' })
    : null
  const lossIn = async (dtype: 'float32' | 'float64', images = 1000): Promise<Loss> => {
    const all = await loadData(join(folder, 'cifar10-1000-normalized.npz'))
    const dataset = subset(
      all,
      Array.from({ length: images }, (_, i) => i),
    )
    return new Loss({ engine, model: model!, dataset, spec: { name: 'cross-entropy', reduction: 'mean' }, dtype })
  }

  test('has the parameters of the paper and says what batch normalization means here', () => {
    expect(parameterCount(model!)).toBe(269_722)
    expect(model!.notes.join(' ')).toMatch(/[Bb]atch normalization/)
  })

  test('loss and accuracy are PyTorch’s, in both dtypes', async () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const loss = await lossIn(dtype)
      const theta = model!.initialize(0)
      expect(Math.abs((await loss.value(theta)) - 0.8628397583961487)).toBeLessThan(1e-6)
      expect(await loss.accuracy(theta)).toBe(0.809)
      await loss.dispose()
    }
  })

  test('gradient and Hessian-vector product agree with differences of the loss along a direction, in float64', async () => {
    const loss = await lossIn('float64', 150)
    const theta = model!.initialize(0)
    // ReLU makes the loss piecewise smooth: second differences across kinks do not converge to the Hessian. No kink lies
    // along the last layer, which is linear; the gradient is checked along all parameters.
    const head = parameterRanges(model!).filter(({ parameter }) => parameter.name.startsWith('linear.'))
    const everywhere = unit(randomStream(1, 'direction').normals(loss.size))
    const inHead = unit(everywhere.map((x, i) => (head.some(({ start, end }) => i >= start && i < end) ? x : 0)))
    const at = (v: Float64Array, h: number): Promise<number> => loss.value(theta.map((t, i) => t + h * v[i]))
    const { value, gradient } = await loss.valueAndGradient(theta)
    const slope = ((await at(everywhere, 1e-4)) - (await at(everywhere, -1e-4))) / 2e-4
    expect(Math.abs(slope - dot(gradient, everywhere))).toBeLessThan(1e-5 * norm(gradient))
    const hv = await new LossPoint(loss, theta).hvp(inHead)
    expect(hv.every(Number.isFinite)).toBe(true)
    const curvature = ((await at(inHead, 1e-3)) - 2 * value + (await at(inHead, -1e-3))) / 1e-6
    expect(Math.abs(curvature - dot(hv, inHead))).toBeLessThan(1e-6 * norm(hv))
    await loss.dispose()
  })
})

function unit(v: Float64Array): Float64Array {
  const length = norm(v)
  return v.map((x) => x / length)
}
