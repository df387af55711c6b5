import { add, constant, logSoftmax, matmul, tanh, tensorOf, transpose } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset } from '../data/index.ts'
import type { Dataset } from '../data/index.ts'
import { norm } from '../linalg/index.ts'
import type { Model } from '../model/model.ts'
import { randomStream } from '../random/index.ts'
import { Loss } from './loss.ts'
import type { LossOptions } from './loss.ts'
import { LossPoint } from './loss-point.ts'
import type { LossSpec } from './loss-function.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

/** 3-4-k tanh network, written out. */
function tinyModel(k: number): Model {
  return {
    name: 'tiny',
    inputs: [{ name: 'x', dtype: 'float', shape: [3] }],
    parameters: [
      { name: 'w1', shape: [4, 3], role: 'weight', outputAxis: 0 },
      { name: 'b1', shape: [4], role: 'bias', outputAxis: 0 },
      { name: 'w2', shape: [k, 4], role: 'weight', outputAxis: 0 },
    ],
    outputShape: [k],
    architecture: { kind: 'unknown' },
    notes: [],
    forward: ([w1, b1, w2], [x]) => matmul(tanh(add(matmul(x, transpose(w1, [1, 0])), b1)), transpose(w2, [1, 0])),
    initialize: (seed) => randomStream(seed, 'tiny').normals(16 + 4 * k),
  }
}

function classData(n: number, k: number, weights?: Float64Array): Dataset {
  const random = randomStream(7, 'data')
  return makeDataset({
    name: 'classes',
    inputs: { x: tensorOf('float64', [n, 3], random.normals(3 * n)) },
    targets: tensorOf(
      'int64',
      [n],
      Array.from({ length: n }, () => random.integer(k)),
    ),
    task: 'classification',
    classCount: k,
    origin: 'test',
    ...(weights && { sampleWeights: weights }),
  })
}

function valueData(n: number, k: number): Dataset {
  const random = randomStream(8, 'data')
  return makeDataset({
    name: 'values',
    inputs: { x: tensorOf('float64', [n, 3], random.normals(3 * n)) },
    targets: tensorOf('float64', [n, k], random.normals(n * k)),
    task: 'regression',
    origin: 'test',
  })
}

function lossOf(spec: LossSpec, dataset: Dataset, k: number, options: Partial<LossOptions> = {}): Loss {
  return new Loss({ engine, model: tinyModel(k), dataset, spec, ...options })
}

const relative = (a: Float64Array, b: Float64Array): number =>
  norm(a.map((v, i) => v - b[i])) / Math.max(norm(b), 1e-300)

/** Σ cᵢ rowᵢ − central difference of the gradient along v. */
async function differenceOfGradients(loss: Loss, theta: Float64Array, v: Float64Array): Promise<Float64Array> {
  const h = 1e-5
  const [plus, minus] = await Promise.all(
    [1, -1].map(async (s) => (await loss.valueAndGradient(theta.map((t, i) => t + s * h * v[i]))).gradient),
  )
  return plus.map((g, i) => (g - minus[i]) / (2 * h))
}

const specs: readonly [LossSpec, 'class' | 'value', number][] = [
  [{ name: 'cross-entropy', reduction: 'mean' }, 'class', 3],
  [{ name: 'cross-entropy', reduction: 'sum', labelSmoothing: 0.1 }, 'class', 3],
  [{ name: 'binary-cross-entropy', reduction: 'mean' }, 'class', 1],
  [{ name: 'hinge', reduction: 'mean', power: 3 }, 'class', 1],
  [{ name: 'mse', reduction: 'mean' }, 'value', 2],
  [{ name: 'half-sum-squares', reduction: 'mean' }, 'value', 2],
  [{ name: 'squared', reduction: 'mean' }, 'value', 2],
  [{ name: 'huber', reduction: 'mean', delta: 0.7 }, 'value', 2],
]

describe.each(specs)('%o', (spec, kind, k) => {
  const dataset = kind === 'class' ? classData(70, Math.max(2, k)) : valueData(70, k)
  const loss = lossOf(spec, dataset, k, { chunkSize: 32, weightDecay: 0.01 })
  const theta = loss.model.initialize(1)
  const v = randomStream(2, 'v').normals(theta.length)

  test('gradient is the derivative of the value', async () => {
    const { gradient, value } = await loss.valueAndGradient(theta)
    expect(value).toBe(await loss.value(theta))
    const h = 1e-6
    const slope =
      ((await loss.value(theta.map((t, i) => t + h * v[i]))) - (await loss.value(theta.map((t, i) => t - h * v[i])))) /
      (2 * h)
    const along = gradient.reduce((s, g, i) => s + g * v[i], 0)
    expect(Math.abs(along - slope)).toBeLessThan(1e-7 * Math.max(1, Math.abs(slope)))
  })

  test('Hessian-vector products are the derivative of the gradient, singly and in batches', async () => {
    const point = new LossPoint(loss, theta)
    const hv = await point.hvp(v)
    expect(relative(hv, await differenceOfGradients(loss, theta, v))).toBeLessThan(1e-6)
    const rows = randomStream(3, 'rows').normals(5 * theta.length)
    rows.set(v, 2 * theta.length)
    const batched = await point.product('hessian', rows, 5)
    expect(relative(batched.slice(2 * theta.length, 3 * theta.length), hv)).toBeLessThan(1e-13)
  })

  test('one chunk and ragged chunks agree to rounding', async () => {
    const whole = lossOf(spec, dataset, k, { chunkSize: 70, weightDecay: 0.01 })
    expect(loss.chunks.map((c) => c.size)).toEqual([24, 23, 23])
    const [a, b] = [await loss.valueAndGradient(theta), await whole.valueAndGradient(theta)]
    expect(Math.abs(a.value - b.value)).toBeLessThan(1e-13 * Math.abs(b.value))
    expect(relative(a.gradient, b.gradient)).toBeLessThan(1e-12)
    expect(relative(await new LossPoint(loss, theta).hvp(v), await new LossPoint(whole, theta).hvp(v))).toBeLessThan(
      1e-12,
    )
    // to the bit: what a machine keeps must not show in its results
    const forgetful = lossOf(spec, dataset, k, { chunkSize: 70, weightDecay: 0.01, cacheBytes: 0 })
    const kept = await new LossPoint(whole, theta).hvp(v)
    expect(await new LossPoint(forgetful, theta).hvp(v)).toEqual(kept)
    expect(await new LossPoint(whole, theta, { cacheBytes: 0 }).hvp(v)).toEqual(kept)
  })

  test('Jacobian products are adjoint and differentiate the outputs', async () => {
    const point = new LossPoint(loss, theta)
    const jv = await point.jacobian(v)
    const u = randomStream(4, 'u').normals(jv.length)
    const jtu = await point.jacobianTransposed(u)
    const [left, right] = [jv.reduce((s, x, i) => s + x * u[i], 0), jtu.reduce((s, x, i) => s + x * v[i], 0)]
    expect(Math.abs(left - right)).toBeLessThan(1e-11 * norm(jv) * norm(u))
    const h = 1e-6
    const [plus, minus] = [
      await loss.outputs(theta.map((t, i) => t + h * v[i])),
      await loss.outputs(theta.map((t, i) => t - h * v[i])),
    ]
    expect(
      relative(
        jv,
        plus.map((z, i) => (z - minus[i]) / (2 * h)),
      ),
    ).toBeLessThan(1e-7)
  })
})

test('empirical Fisher is the second moment of the per-sample gradients, with sample weights', async () => {
  const weights = Float64Array.from({ length: 12 }, (_, i) => (i === 3 ? 0 : 1 + i / 7))
  const dataset = classData(12, 3, weights)
  const loss = lossOf({ name: 'cross-entropy', reduction: 'mean' }, dataset, 3, { chunkSize: 5 })
  const theta = loss.model.initialize(1)
  const v = randomStream(2, 'v').normals(theta.length)
  const expected = new Float64Array(theta.length)
  const total = weights.reduce((s, w) => s + w, 0)
  for (let i = 0; i < 12; i++) {
    const one = makeDataset({
      ...dataset,
      inputs: { x: tensorOf('float64', [1, 3], (dataset.inputs.x.data as Float64Array).slice(3 * i, 3 * i + 3)) },
      targets: tensorOf('int64', [1], [Number(dataset.targets.data[i])]),
      sampleWeights: undefined,
    })
    const { gradient } = await lossOf({ name: 'cross-entropy', reduction: 'mean' }, one, 3).valueAndGradient(theta)
    const slope = gradient.reduce((s, g, j) => s + g * v[j], 0)
    for (let j = 0; j < expected.length; j++) expected[j] += (weights[i] / total) * slope * gradient[j]
  }
  expect(relative(await new LossPoint(loss, theta).product('empirical-fisher', v, 1), expected)).toBeLessThan(1e-12)
})

test('a class that is ruled out leaves the loss of the others as it is', async () => {
  // logits of −∞, as masked models and torch.nn.functional.cross_entropy allow them
  const dataset = classData(9, 2)
  const withMask = (mask: readonly number[]): Model => ({
    ...tinyModel(3),
    forward: (parameters, inputs) =>
      add(tinyModel(3).forward(parameters, inputs), constant(tensorOf('float64', [3], mask))),
  })
  const lossWith = (mask: readonly number[], name: LossSpec['name']): Loss =>
    lossOf({ name, reduction: 'mean' }, dataset, 3, { model: withMask(mask) })
  const theta = tinyModel(3).initialize(1)
  const [far, out] = await Promise.all(
    [-1e4, Number.NEGATIVE_INFINITY].map((m) => lossWith([0, 0, m], 'cross-entropy').valueAndGradient(theta)),
  )
  expect(out.value).toBe(far.value)
  expect(out.gradient).toEqual(far.gradient)
  const likelihood = [-1, Number.NEGATIVE_INFINITY].map((m) =>
    lossWith([0, 0, m], 'negative-log-likelihood').value(theta),
  )
  expect(new Set(await Promise.all(likelihood)).size).toBe(1)
})

test('the Fisher matrix does not depend on whether the model or the loss takes the log-softmax', async () => {
  const dataset = classData(
    12,
    3,
    Float64Array.from({ length: 12 }, (_, i) => 1 + i / 7),
  )
  const inside: Model = {
    ...tinyModel(3),
    forward: (parameters, inputs) => logSoftmax(tinyModel(3).forward(parameters, inputs), 1),
  }
  const scores = lossOf({ name: 'cross-entropy', reduction: 'mean' }, dataset, 3)
  const logs = lossOf({ name: 'negative-log-likelihood', reduction: 'mean' }, dataset, 3, {
    model: inside,
    chunkSize: 5,
  })
  const theta = scores.model.initialize(1)
  const v = randomStream(2, 'v').normals(2 * theta.length)
  const [expected, fisher] = await Promise.all(
    [scores, logs].map((l) => new LossPoint(l, theta).product('fisher', v, 2)),
  )
  expect(norm(expected)).toBeGreaterThan(0.1)
  expect(relative(fisher, expected)).toBeLessThan(1e-12)
  const hinge = lossOf({ name: 'hinge', reduction: 'mean' }, dataset, 3)
  await expect(new LossPoint(hinge, theta).product('fisher', v, 2)).rejects.toThrow(/no distribution|not the negative/)
})

test('GGN equals the Hessian of a model that is linear in its parameters, and Jᵀ H J otherwise', async () => {
  const loss = lossOf({ name: 'half-sum-squares', reduction: 'sum' }, valueData(9, 2), 2)
  const point = new LossPoint(loss, loss.model.initialize(1))
  const v = randomStream(2, 'v').normals(loss.size)
  const ggn = await point.product('ggn', v, 1)
  expect(relative(ggn, await point.jacobianTransposed(await point.jacobian(v)))).toBeLessThan(1e-12)
})

test('third derivative is the derivative of the Hessian-vector product', async () => {
  const loss = lossOf({ name: 'cross-entropy', reduction: 'mean' }, classData(20, 3), 3)
  const theta = loss.model.initialize(1)
  const v = randomStream(2, 'v').normals(theta.length)
  const third = await new LossPoint(loss, theta).thirdDerivative(v)
  const h = 1e-5
  const [plus, minus] = await Promise.all(
    [1, -1].map((s) =>
      new LossPoint(
        loss,
        theta.map((t, i) => t + s * h * v[i]),
      ).hvp(v),
    ),
  )
  expect(
    relative(
      third,
      plus.map((x, i) => (x - minus[i]) / (2 * h)),
    ),
  ).toBeLessThan(1e-6)
})

test('refuses class losses of one output that would be 0 whatever the model is', () => {
  const labels = classData(9, 2)
  expect(() => lossOf({ name: 'cross-entropy', reduction: 'mean' }, labels, 1)).toThrow(/single output is 0 whatever/)
  expect(() => lossOf({ name: 'cross-entropy', reduction: 'mean' }, valueData(9, 1), 1)).toThrow(/single output is 0/)
  expect(() => lossOf({ name: 'negative-log-likelihood', reduction: 'mean' }, labels, 1)).toThrow(
    /labels in 0…0, got 1/,
  )
  expect(() => lossOf({ name: 'binary-cross-entropy', reduction: 'mean' }, labels, 1)).not.toThrow()
})

test('refuses labels beyond the scores, targets of the wrong kind, and parameters that are not finite', async () => {
  const ce: LossSpec = { name: 'cross-entropy', reduction: 'mean' }
  expect(() => lossOf(ce, classData(9, 4), 3)).toThrow(/labels in 0…2, got 3 at sample/)
  expect(() => lossOf({ name: 'mse', reduction: 'mean' }, classData(9, 3), 3)).toThrow(/needs numbers as targets/)
  expect(() => lossOf({ ...ce, power: 2 }, classData(9, 3), 3)).toThrow(/power belongs to hinge/)
  const loss = lossOf(ce, classData(9, 3), 3)
  await expect(loss.value(new Float64Array(loss.size).fill(Number.NaN))).rejects.toThrow(
    /θ must be finite, got NaN at entry 0/,
  )
})
