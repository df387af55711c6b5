import { constant, input, innerProduct, mul, sub, tensor } from '@thalweg/graph'
import { differenceDefect, flatObjective } from '@thalweg/graph/testing'
import { expect, test } from 'vitest'
import { column, gemv, maxNorm, norm, transpose } from '../../linalg/index.ts'
import { linearNetwork } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { linearGradient, linearHessian, linearLoss, linearSecondOrderForm } from './linear-derivatives.ts'
import { flattenWeights, randomWeights, unflattenWeights } from './linear-weights.ts'
import { randomProblem } from './random-problem.ts'

const architectures = [
  [3, 2],
  [3, 2, 2],
  [4, 1, 3],
  [3, 2, 4, 2],
  [2, 3, 1, 2, 2],
  [3, 2, 2, 2, 2, 3],
]

test.each(architectures)('loss, gradient and Hessian are those of automatic differentiation: %j', (...widths) => {
  const problem = randomProblem(widths, 1)
  const model = linearNetwork(widths)
  const parameters = model.parameters.map((p) => input(p.name, 'float64', p.shape))
  const rows = (a: typeof problem.x): ReturnType<typeof constant> => {
    const t = transpose(a)
    return constant(tensor('float64', [t.rows, t.cols], t.data))
  }
  const residual = sub(model.forward(parameters, [rows(problem.x)]), rows(problem.y))
  const weights = randomWeights(widths, randomStream(2, 'derivatives'))
  const values = Object.fromEntries(
    model.parameters.map((p, k) => [p.name, tensor('float64', p.shape, weights[k].data)]),
  )
  const objective = flatObjective(mul(innerProduct(residual, residual), 0.5), parameters, values)
  const theta = flattenWeights(weights)
  expect(linearLoss(problem, weights)).toBeCloseTo(objective.value(theta), 10)
  const gradient = flattenWeights(linearGradient(problem, weights))
  const expected = objective.gradient(theta)
  expect(maxNorm(gradient.map((g, i) => g - expected[i])) / maxNorm(expected)).toBeLessThan(1e-13)
  const hessian = linearHessian(problem, weights)
  const scale = maxNorm(hessian.data)
  for (let i = 0; i < theta.length; i++) {
    const unit = new Float64Array(theta.length).fill(1, i, i + 1)
    const product = objective.hessianTimes(theta, unit)
    expect(maxNorm(column(hessian, i).map((h, r) => h - product[r])) / scale).toBeLessThan(1e-13)
  }
})

test.each(architectures)('second-order form, Hessian and differences agree: %j', (...widths) => {
  const problem = randomProblem(widths, 4)
  const random = randomStream(5, 'derivatives')
  const weights = randomWeights(widths, random)
  const theta = flattenWeights(weights)
  const gradient = flattenWeights(linearGradient(problem, weights))
  const value = (at: Float64Array): number => linearLoss(problem, unflattenWeights(widths, at))
  expect(differenceDefect(value, gradient, theta)).toBeLessThan(1e-6)
  const hessian = linearHessian(problem, weights)
  expect(transpose(hessian).data).toEqual(hessian.data)
  for (let k = 0; k < 10; k++) {
    const direction = randomWeights(widths, random)
    const v = flattenWeights(direction)
    const image = gemv(hessian, v)
    const curvature = image.reduce((s, e, i) => s + e * v[i], 0)
    const form = linearSecondOrderForm(problem, weights, direction)
    expect(Math.abs(form - curvature)).toBeLessThan(1e-13 * norm(image) * norm(v))
  }
})
