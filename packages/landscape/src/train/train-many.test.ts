import { tensorOf } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset, twoSpirals, withFields } from '../data/index.ts'
import type { Dataset } from '../data/index.ts'
import { norm } from '../linalg/index.ts'
import { valuesAt } from '../loss/loss-batch.ts'
import { Loss } from '../loss/loss.ts'
import type { LossOptions } from '../loss/loss.ts'
import { cnn } from '../model/cnn.ts'
import { mlp } from '../model/mlp.ts'
import { randomStream } from '../random/index.ts'
import { adam } from './adam.ts'
import { perturbedGradientDescent } from './perturbed-gradient-descent.ts'
import { sgd } from './sgd.ts'
import { trainMany } from './train-many.ts'
import { train } from './train.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const dataset = twoSpirals({ samples: 40, turns: 1 })
const model = mlp({ widths: [2, 5, 1], activation: 'tanh' })

function lossOf(options: Partial<LossOptions> = {}): Loss {
  return new Loss({ engine, model, dataset, spec: { name: 'binary-cross-entropy', reduction: 'mean' }, ...options })
}

/** Starting points of networks 0 … count − 1. */
function starts(loss: Loss, count: number): Float64Array {
  const thetas = new Float64Array(count * loss.size)
  for (let b = 0; b < count; b++) thetas.set(loss.model.initialize(b), b * loss.size)
  return thetas
}

const row = (thetas: Float64Array, b: number, p: number): Float64Array => thetas.subarray(b * p, (b + 1) * p)

function expectClose(actual: Float64Array, expected: Float64Array, tolerance: number): void {
  expect(actual.length).toBe(expected.length)
  expect(norm(actual.map((v, i) => v - expected[i]))).toBeLessThan(tolerance * norm(expected))
}

describe('trainMany', () => {
  test.each([
    ['full batch', 'full', sgd({ momentum: 0.9 })],
    ['ragged mini-batches', 15, sgd({ momentum: 0.9 })],
    ['adam', 15, adam()],
  ] as const)('row b is what train gives for network b: %s', async (_, batchSize, optimizer) => {
    const loss = lossOf({ weightDecay: 0.01 })
    const thetas = starts(loss, 5)
    const learningRates = Float64Array.of(0.01, 0.02, 0.03, 0.04, 0.05)
    const schedule = { kind: 'cosine' } as const
    const shared = { loss, optimizer, steps: 30, batchSize, seed: 7, schedule }
    const many = await trainMany({ ...shared, thetas, learningRates })
    expect(many.status).toEqual(new Array(5).fill('finished'))
    for (let b = 0; b < 5; b++) {
      const one = await train({ ...shared, theta: row(thetas, b, loss.size), learningRate: learningRates[b] })
      expectClose(row(many.thetas, b, loss.size), one.theta, 1e-11)
      expect(many.losses[b]).toBeCloseTo(one.history.at(-1)!.loss, 12)
      expect(many.accuracies![b]).toBe(one.history.at(-1)!.accuracy)
      one.losses.forEach((v, t) => expect(Math.abs(many.lossHistory[5 * t + b] - v)).toBeLessThan(1e-12))
    }
  })

  test('groups by memory change nothing', async () => {
    const loss = lossOf()
    const options = { loss, thetas: starts(loss, 5), optimizer: adam(), learningRates: 0.05, steps: 10 }
    const whole = await trainMany(options)
    const grouped = await trainMany({ ...options, memoryBytes: 40_000 })
    expectClose(grouped.thetas, whole.thetas, 1e-12)
    expectClose(grouped.lossHistory, whole.lossHistory, 1e-12)
    const single = await trainMany({ ...options, memoryBytes: 1 })
    expectClose(single.thetas, whole.thetas, 1e-12)
  })

  test('equal bits again', async () => {
    const loss = lossOf({ dtype: 'float32' })
    const options = { loss, thetas: starts(loss, 8), optimizer: adam(), learningRates: 0.05, steps: 20, batchSize: 7 }
    const [a, b] = [await trainMany(options), await trainMany(options)]
    expect(a.thetas).toEqual(b.thetas)
    expect(a.lossHistory).toEqual(b.lossHistory)
  })

  test('a network that diverges does not disturb the others', async () => {
    const loss = lossOf({ spec: { name: 'binary-cross-entropy', reduction: 'mean' }, weightDecay: 1 })
    const thetas = starts(loss, 4)
    const rates = Float64Array.of(0.1, 0.1, 1e20, 0.1)
    const options = { loss, thetas, optimizer: sgd(), steps: 40 }
    const many = await trainMany({ ...options, learningRates: rates })
    expect(many.status).toEqual(['finished', 'finished', 'diverged', 'finished'])
    expect(Number.isFinite(many.losses[2])).toBe(false)
    const healthy = await trainMany({ ...options, learningRates: 0.1 })
    for (const b of [0, 1, 3]) expect(row(many.thetas, b, loss.size)).toEqual(row(healthy.thetas, b, loss.size))
  })

  test('own data: each network sees its own labels, shared inputs stay shared', async () => {
    const loss = lossOf()
    const labels = (seed: number): Dataset => {
      const random = randomStream(seed, 'labels')
      return withFields(dataset, {
        targets: tensorOf(
          'int64',
          [40],
          Array.from({ length: 40 }, () => random.integer(2)),
        ),
      })
    }
    const datasets = [0, 1, 2].map(labels)
    for (const batchSize of ['full', 9] as const) {
      const options = { optimizer: adam(), steps: 15, batchSize }
      const many = await trainMany({ ...options, loss, datasets, thetas: starts(loss, 3), learningRates: 0.05 })
      for (const [b, own] of datasets.entries()) {
        const one = await train({
          ...options,
          loss: lossOf({ dataset: own }),
          theta: model.initialize(b),
          learningRate: 0.05,
        })
        expectClose(row(many.thetas, b, loss.size), one.theta, 1e-10)
        expect(many.losses[b]).toBeCloseTo(one.history.at(-1)!.loss, 12)
      }
    }
  })

  test('perturbations are each network’s own', async () => {
    const loss = lossOf()
    const optimizer = perturbedGradientDescent({ gradientThreshold: 10, interval: 3, radius: 0.1 })
    const thetas = starts(loss, 2)
    thetas.copyWithin(loss.size, 0, loss.size)
    const many = await trainMany({ loss, thetas, optimizer, learningRates: 0.1, steps: 20 })
    const one = await train({ loss, theta: row(thetas, 0, loss.size), optimizer, learningRate: 0.1, steps: 20 })
    expectClose(row(many.thetas, 0, loss.size), one.theta, 1e-12)
    expect(norm(row(many.thetas, 1, loss.size).map((v, i) => v - one.theta[i]))).toBeGreaterThan(1e-3)
    // how many train together is a matter of memory, never of the result
    const apart = await trainMany({ loss, thetas, optimizer, learningRates: 0.1, steps: 20, memoryBytes: 1 })
    expectClose(apart.thetas, many.thetas, 1e-12)
  })

  test('small convolutional networks', async () => {
    const random = randomStream(0, 'images')
    const images = makeDataset({
      name: 'images',
      inputs: { x: tensorOf('float64', [6, 1, 6, 6], random.normals(216)) },
      targets: tensorOf('int64', [6], [0, 1, 2, 0, 1, 2]),
      task: 'classification',
      classCount: 3,
      origin: 'test',
    })
    const small = cnn({ inputShape: [1, 6, 6], channels: [2, 3], outputs: 3 })
    const loss = new Loss({ engine, model: small, dataset: images, spec: { name: 'cross-entropy', reduction: 'mean' } })
    const thetas = starts(loss, 3)
    const many = await trainMany({ loss, thetas, optimizer: sgd(), learningRates: 0.1, steps: 5 })
    const one = await train({ loss, theta: row(thetas, 2, loss.size), optimizer: sgd(), learningRate: 0.1, steps: 5 })
    expectClose(row(many.thetas, 2, loss.size), one.theta, 1e-11)
  })

  test('cancelling keeps what was reached', async () => {
    const loss = lossOf()
    const signal = { aborted: false }
    const options = { loss, thetas: starts(loss, 2), optimizer: sgd(), learningRates: 0.1, steps: 2000 }
    let time = 0
    const now = (): number => (time += 300)
    const result = await trainMany({ ...options, now, signal, onProgress: ({ done }) => (signal.aborted = done >= 6) })
    expect(result.status).toEqual(['aborted', 'aborted'])
    expect(result.lossHistory.findIndex(Number.isNaN)).toBe(6)
  })

  test.each([
    [{ thetas: new Float64Array(7) }, /thetas must have B × 21 entries, got 7/],
    [{ learningRates: Float64Array.of(1, 2, 3) }, /learningRates must be one number or 2, got 3/],
    [{ datasets: [dataset] }, /datasets must be one per network, 2, got 1/],
    [{ datasets: [dataset, twoSpirals({ samples: 30 })] }, /input_x of network 1 must be float64\[40,2\]/],
    [{ steps: -1 }, /steps must be an integer/],
  ])('refuses %o', async (wrong, message) => {
    const loss = lossOf()
    const options = { loss, thetas: starts(loss, 2), optimizer: sgd(), learningRates: 0.1, steps: 3, ...wrong }
    await expect(trainMany(options)).rejects.toThrow(message)
  })
})

describe('valuesAt', () => {
  test.each([
    ['one chunk', {}],
    ['chunks, weight decay, small memory', { chunkSize: 11, weightDecay: 0.3, memoryBytes: 30_000 }],
    ['float32', { dtype: 'float32' }],
  ] as const)('row by row it is value and accuracy: %s', async (_, options) => {
    const loss = lossOf(options)
    const thetas = starts(loss, 7)
    const { values, accuracies } = await valuesAt(loss, thetas, 7)
    for (let b = 0; b < 7; b++) {
      const theta = row(thetas, b, loss.size)
      expect(values[b]).toBeCloseTo(await loss.value(theta), 'dtype' in options ? 5 : 13)
      expect(accuracies![b]).toBe(await loss.accuracy(theta))
    }
  })

  test('a row that overflows is alone', async () => {
    const loss = lossOf({ weightDecay: 1 })
    const thetas = starts(loss, 3)
    thetas.fill(1e200, loss.size, 2 * loss.size)
    const { values } = await valuesAt(loss, thetas, 3)
    expect(values[1]).toBe(Number.POSITIVE_INFINITY)
    expect(values[2]).toBeCloseTo(await loss.value(row(thetas, 2, loss.size)), 13)
    await expect(valuesAt(loss, thetas, 2)).rejects.toThrow(/must have 2 × 21 entries, got 63/)
  })
})
