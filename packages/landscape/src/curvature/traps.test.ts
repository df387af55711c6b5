/** Hessians on which common tools answer wrongly without saying so. */
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { gaussianMixture, subset } from '../data/index.ts'
import type { Dataset } from '../data/index.ts'
import { denseOf, dot, extremeEigenpairs, symmetricEigenvalues } from '../linalg/index.ts'
import type { Matrix } from '../linalg/index.ts'
import { Loss, LossPoint } from '../loss/index.ts'
import type { LossSpec } from '../loss/index.ts'
import { mlp, parameterRanges } from '../model/index.ts'
import { spectrum } from './spectrum.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const crossEntropy: LossSpec = { name: 'cross-entropy', reduction: 'mean' }
const small = mlp({ widths: [4, 5, 3], activation: 'tanh' })
const samples = gaussianMixture({ samples: 70, classes: 3, dimension: 4 })

function pointOf(dataset: Dataset, chunkSize?: number, scale = 1): LossPoint {
  const loss = new Loss({ engine, model: small, dataset, spec: crossEntropy, chunkSize })
  return new LossPoint(
    loss,
    small.initialize(1).map((weight) => scale * weight),
  )
}

const hessianOf = async (dataset: Dataset): Promise<Matrix> =>
  (await denseOf(pointOf(dataset).operator('hessian'))).matrix

test('a ragged last batch, n = 70 in batches of 32, does not change the largest eigenvalue', async () => {
  const whole = await hessianOf(samples)
  const largest = symmetricEigenvalues(whole).at(-1)!
  const { top } = await spectrum(pointOf(samples, 32).operator('hessian'), { top: 1, bottom: 0, exact: false })
  expect(Math.abs(top[0].value - largest)).toBeLessThan(1e-9 * largest)
  // what a loop computes that divides by the number of batches
  const batches = [
    [0, 32],
    [32, 64],
    [64, 70],
  ].map(([start, end]) =>
    subset(
      samples,
      Array.from({ length: end - start }, (_, i) => start + i),
    ),
  )
  const parts = await Promise.all(batches.map(hessianOf))
  const mean = { ...whole, data: whole.data.map((_, i) => parts.reduce((sum, { data }) => sum + data[i] / 3, 0)) }
  expect(Math.abs(symmetricEigenvalues(mean).at(-1)! - largest)).toBeGreaterThan(0.01 * largest)
})

test('a most negative eigenvalue larger in modulus than λ₅ is not among the five largest', async () => {
  const point = pointOf(samples, undefined, 4)
  const all = symmetricEigenvalues((await denseOf(point.operator('hessian'))).matrix)
  expect(-all[0]).toBeGreaterThan(all.at(-5)!)
  const { top, bottom } = await spectrum(point.operator('hessian'), { top: 5, bottom: 1, exact: false })
  top.forEach(({ value }, i) => expect(Math.abs(value - all.at(-1 - i)!)).toBeLessThan(1e-8))
  expect(Math.abs(bottom[0].value - all[0])).toBeLessThan(1e-8)
})

test('a parameter without a second-order path has a row of zeros, and the others have theirs', async () => {
  const model = mlp({ widths: [4, 3, 1], activation: 'tanh' })
  const dataset = gaussianMixture({ samples: 20, classes: 2, dimension: 4 })
  // hinge is linear in the output as long as no margin is crossed: the gradient of the last bias does not depend on θ
  const loss = new Loss({ engine, model, dataset, spec: { name: 'hinge', reduction: 'mean' } })
  const { matrix, symmetryDefect } = await denseOf(new LossPoint(loss, model.initialize(2)).operator('hessian'))
  const bias = parameterRanges(model).at(-1)!
  expect(bias.end - bias.start).toBe(1)
  for (let i = 0; i < matrix.rows; i++) expect(matrix.data[bias.start * matrix.cols + i]).toBe(0)
  expect(matrix.data.every(Number.isFinite)).toBe(true)
  expect(matrix.data.some((h) => Math.abs(h) > 1e-3)).toBe(true)
  expect(symmetryDefect).toBeLessThan(1e-12)
})

test('60 Lanczos steps on 5699 parameters show no eigenvalue twice', async () => {
  const model = mlp({ widths: [85, 64, 3], activation: 'tanh' })
  const dataset = gaussianMixture({ samples: 60, classes: 3, dimension: 85 })
  const loss = new Loss({ engine, model, dataset, spec: crossEntropy })
  expect(loss.size).toBe(5699)
  const hessian = new LossPoint(loss, model.initialize(1)).operator('hessian')
  const found = await extremeEigenpairs(hessian, { top: 8, bottom: 8, maxProducts: 60, verifyMultiplicity: false })
  const pairs = [...found.top, ...found.bottom]
  // ghosts come once pairs have converged
  expect(found.top.filter(({ residualNorm }) => residualNorm < 1e-6 * found.operatorNorm).length).toBeGreaterThan(1)
  // copies of one eigenvalue would have one vector
  for (const [i, { vector }] of pairs.entries())
    for (const { vector: other } of pairs.slice(0, i)) expect(Math.abs(dot(vector, other))).toBeLessThan(1e-10)
})
