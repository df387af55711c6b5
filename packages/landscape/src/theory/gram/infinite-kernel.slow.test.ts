import { nativeEngine } from '@thalweg/engine/node'
import { tensorOf } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset } from '../../data/index.ts'
import { matrix } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { convResnet, residualMlp, scaledMlp } from '../../model/index.ts'
import type { ActivationName, Model } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { halfSumLoss, kernelOfModel } from './gram-problem.ts'
import { unitRows } from './kernel-inputs.ts'
import { networkGram } from './network-gram.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

function unitInputs(seed: number, n: number, d: number): Matrix {
  return unitRows(matrix(n, d, randomStream(seed, 'inputs').normals(n * d)), true)
}

function dataOf(x: Matrix): ReturnType<typeof makeDataset> {
  return makeDataset({
    name: 'unit',
    inputs: { x: tensorOf('float64', [x.rows, x.cols], x.data) },
    targets: tensorOf('float64', [x.rows, 1], new Float64Array(x.rows)),
    task: 'regression',
    origin: 'test',
  })
}

/** Means and standard errors of G⁽ᴴ⁾ and G over random networks against the limits. */
async function deviations(modelOf: (width: number) => Model, x: Matrix, networks: number): Promise<number[]> {
  const dataset = dataOf(x)
  const model = modelOf(256)
  const kernel = kernelOfModel(model, dataset)
  const loss = halfSumLoss(engine, model, dataset)
  const samples: Float64Array[][] = [[], []]
  for (let seed = 0; seed < networks; seed++) {
    const { total, layers } = await networkGram(loss, model.initialize(seed))
    samples[0].push(layers[layers.length - 2].gram.data)
    samples[1].push(total.data)
  }
  await loss.dispose()
  return [kernel.gram.data, kernel.tangent.data].flatMap((limit, which) =>
    Array.from(limit, (expected, at) => {
      const values = samples[which].map((data) => data[at])
      const mean = values.reduce((sum, value) => sum + value, 0) / networks
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (networks - 1)
      // finite width biases the mean by O(1/m): allow for 2 % of it beside four standard errors
      return (Math.abs(mean - expected) - 0.02 * Math.abs(expected)) / Math.sqrt(variance / networks)
    }),
  )
}

describe('limits against random networks of width 256', () => {
  test.each([
    ['softplus', 1],
    ['softplus', 3],
    ['tanh', 2],
    ['selu', 2],
  ])('fully connected, %s, depth %i', async (activation, depth) => {
    const x = unitInputs(5, 3, 4)
    const modelOf = (width: number): Model =>
      scaledMlp({ depth, width, inputs: 4, activation: activation as ActivationName })
    expect(Math.max(...(await deviations(modelOf, x, 60)))).toBeLessThan(4)
  })

  test.each([1, 2, 4])('residual, depth %i', async (depth) => {
    const x = unitInputs(6, 3, 4)
    const modelOf = (width: number): Model => residualMlp({ depth, width, inputs: 4, cRes: 0.8 })
    expect(Math.max(...(await deviations(modelOf, x, 60)))).toBeLessThan(4)
  })

  test.each([
    [1, 3, 'softplus'],
    [2, 3, 'softplus'],
    [2, 4, 'relu'],
    [3, 2, 'relu'],
  ])('convolutional, depth %i, patches of %i, %s', async (depth, patch, activation) => {
    const x = unitInputs(7, 3, 8)
    const modelOf = (width: number): Model =>
      convResnet({ depth, width, inputShape: [2, 4], patch, cRes: 0.99, activation: activation as ActivationName })
    expect(Math.max(...(await deviations(modelOf, x, 60)))).toBeLessThan(4)
  })
})
