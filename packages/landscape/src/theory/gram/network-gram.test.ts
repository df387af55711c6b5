import { nativeEngine } from '@thalweg/engine/node'
import { tensorOf } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { gramOperator } from '../../curvature/index.ts'
import { makeDataset, unitSphere } from '../../data/index.ts'
import type { Dataset } from '../../data/index.ts'
import { denseOf } from '../../linalg/index.ts'
import { Loss, LossPoint } from '../../loss/index.ts'
import { cnn, convResnet, mlp, residualMlp, scaledMlp } from '../../model/index.ts'
import type { Model } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { halfSumLoss } from './gram-problem.ts'
import { inputRows } from './kernel-inputs.ts'
import { networkGram } from './network-gram.ts'
import { lastLayerGram } from './scaled-forward.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0)
}

describe('the formula of G⁽ᴴ⁾ against automatic differentiation', () => {
  const dataset = unitSphere({ samples: 7, dimension: 8, seed: 2 })
  const models: [string, Model][] = [
    ['fully connected', scaledMlp({ depth: 3, width: 40, inputs: 8 })],
    ['fully connected, ReLU', scaledMlp({ depth: 1, width: 40, inputs: 8, activation: 'relu' })],
    ['residual', residualMlp({ depth: 4, width: 30, inputs: 8, cRes: 0.7 })],
    ['convolutional', convResnet({ depth: 3, width: 20, inputShape: [2, 4] })],
    [
      'convolutional, even patch',
      convResnet({ depth: 2, width: 20, inputShape: [2, 4], patch: 2, activation: 'tanh' }),
    ],
  ]
  test.each(models)('%s to 1e-12', async (_, model) => {
    const loss = halfSumLoss(engine, model, dataset)
    const theta = model.initialize(4)
    const { layers } = await networkGram(loss, theta)
    const formula = lastLayerGram(model, theta, inputRows(dataset))
    const found = layers[layers.length - 2].gram.data
    const scale = found.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largestDifference(found, formula.data)).toBeLessThan(1e-12 * Math.max(1, scale))
  })
})

function classes(n: number, shape: readonly number[], k: number): Dataset {
  const stream = randomStream(1, 'gram data')
  const size = shape.reduce((a, b) => a * b, 1)
  return makeDataset({
    name: 'classes',
    inputs: { x: tensorOf('float64', [n, ...shape], stream.normals(n * size)) },
    targets: tensorOf(
      'int64',
      [n],
      Array.from({ length: n }, (_, i) => i % k),
    ),
    task: 'classification',
    classCount: k,
    origin: 'test',
  })
}

describe('J Jᵀ against products with unit vectors', () => {
  const cases: [string, Model, Dataset][] = [
    ['three outputs', mlp({ widths: [4, 6, 3], activation: 'tanh' }), classes(9, [4], 3)],
    [
      'a convolutional net',
      cnn({ inputShape: [1, 6, 6], channels: [2], outputs: 2, activation: 'softplus' }),
      classes(5, [1, 6, 6], 2),
    ],
  ]
  test.each(cases)('%s, in blocks of any size', async (_, model, dataset) => {
    const loss = new Loss({ engine, model, dataset, spec: { name: 'cross-entropy', reduction: 'mean' } })
    const theta = model.initialize(1)
    const { matrix } = await denseOf(gramOperator(new LossPoint(loss, theta)))
    for (const memoryBytes of [2 ** 28, 4 * 8 * 3 * loss.size * 4]) {
      const { total, layers } = await networkGram(loss, theta, { memoryBytes })
      expect(total.rows).toBe(matrix.rows)
      expect(largestDifference(total.data, matrix.data)).toBeLessThan(1e-12)
      const sum = new Float64Array(total.data.length)
      for (const { gram } of layers) gram.data.forEach((value, at) => (sum[at] += value))
      expect(largestDifference(sum, total.data)).toBe(0)
    }
    await expect(networkGram(loss, theta, { groups: [{ name: 'part', ranges: [[0, 3]] }] })).rejects.toThrow(
      /cover each parameter once/,
    )
    await loss.dispose()
  })
})
