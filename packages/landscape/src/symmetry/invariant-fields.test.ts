import { nativeEngine } from '@thalweg/engine/node'
import {
  add,
  constant,
  div,
  hardTanh,
  matmul,
  mul,
  numbersOf,
  reduceSum,
  sub,
  tanh,
  tensorOf,
  transpose,
} from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { diagnose, fullyConnected, symmetryOrbit } from '../critical/index.ts'
import { fieldsNear } from '../critical/evidence/output-motion.ts'
import { makeDataset } from '../data/index.ts'
import type { Dataset } from '../data/index.ts'
import { gemv, identity, leastSquares, matrix } from '../linalg/index.ts'
import { Loss, LossPoint } from '../loss/index.ts'
import type { LossName } from '../loss/index.ts'
import { cnn, mlp, residualMlp } from '../model/index.ts'
import type { ActivationName, Model, ParameterRole } from '../model/index.ts'
import { randomStream } from '../random/index.ts'
import { invariantFields } from './invariant-fields.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

function images(n: number, shape: readonly number[], outputs: number, classes: boolean): Dataset {
  const stream = randomStream(3, 'images')
  const size = shape.reduce((a, b) => a * b, 1)
  return makeDataset({
    name: 'images',
    inputs: { x: tensorOf('float64', [n, ...shape], Array.from(stream.normals(n * size))) },
    targets: classes
      ? tensorOf(
          'int64',
          [n],
          Array.from({ length: n }, (_, i) => (i * 7) % outputs),
        )
      : tensorOf('float64', [n, outputs], Array.from(stream.normals(n * outputs))),
    task: classes ? 'classification' : 'regression',
    ...(classes && { classCount: outputs }),
    origin: 'test',
  })
}

function lossOf(model: Model, n: number, name: LossName = 'mse', weightDecay = 0): Loss {
  const dataset = images(n, model.inputs[0].shape, model.outputShape[0], name === 'cross-entropy')
  return new Loss({ engine, model, dataset, spec: { name, reduction: 'mean' }, weightDecay })
}

/** The same network as a file would give it: without a description. */
const anonymous = (model: Model): Model => ({ ...model, architecture: { kind: 'unknown' } })

const convolutional = (activation: ActivationName): Model =>
  cnn({ inputShape: [1, 4, 4], channels: [2, 3], outputs: 3, kernel: 3, pool: 'average', activation })

const linearChannels = cnn({
  inputShape: [1, 4, 4],
  channels: [2, 3],
  outputs: 3,
  kernel: 1,
  pool: 'none',
  activation: 'linear',
  bias: false,
})

describe('dimension at a generic point', () => {
  test.each([
    ['relu channels: one scaling each', convolutional('relu'), 'mse', 5],
    [
      'cross-entropy: a shift of the scores, for each feature and the bias',
      convolutional('relu'),
      'cross-entropy',
      5 + 4,
    ],
    ['tanh channels: none', convolutional('tanh'), 'mse', 0],
    // GL(2) and GL(3); zero padding breaks a shift of the hidden biases
    ['linear channels: changes of basis', linearChannels, 'mse', 4 + 9],
    // every channel of the stream is scaled where it is written (twice) and read (twice)
    [
      'residual relu network: a scaling per channel of the stream',
      residualMlp({ inputs: 3, depth: 2, width: 3, activation: 'relu' }),
      'mse',
      3,
    ],
  ] as const)('%s', async (_, model, name, dimension) => {
    const loss = lossOf(model, 12, name)
    const fields = await invariantFields(loss)
    const theta = model.initialize(4)
    const orbit = symmetryOrbit(loss, theta, null, fields)
    expect(orbit.kinds.map(({ kind }) => kind)).not.toContain('dead-unit')
    expect(orbit.dimension).toBe(dimension)
    // The loss stays where it is along a finite part of the flow of one field: exp(s) scales what it scales.
    const value = await loss.value(theta)
    for (const { kind, terms } of fields.slice(0, 3)) {
      if (kind !== 'positive-scaling') continue
      const moved = theta.slice()
      for (const { to, factor } of terms) moved[to] *= Math.exp(0.7 * factor)
      expect(Math.abs((await loss.value(moved)) - value)).toBeLessThan(1e-13 * Math.max(1, value))
    }
  })

  test('weight decay breaks them all', async () => {
    expect(await invariantFields(lossOf(convolutional('relu'), 6, 'mse', 0.01))).toEqual([])
  })
})

describe('a file is recognized as the fully connected network that it holds', () => {
  test.each(['relu', 'tanh', 'sigmoid', 'linear', 'leaky-relu', 'gelu'] as const)('%s', async (activation) => {
    for (const bias of [true, false]) {
      const model = mlp({ widths: [3, 4, 4, 2], activation, bias })
      const [own, found] = [fullyConnected(model)!, fullyConnected(anonymous(model))]
      expect(found).toEqual(own)
    }
  })

  test('skips, convolutions and output activations are not taken for one', () => {
    expect(fullyConnected(anonymous(mlp({ widths: [3, 3, 3, 1], skip: true })))).toBeNull()
    expect(fullyConnected(anonymous(mlp({ widths: [3, 3, 1], outputActivation: 'sigmoid' })))).toBeNull()
    expect(fullyConnected(anonymous(convolutional('relu')))).toBeNull()
  })
})

/** v · s(W x) without biases; `weights` is applied to W. */
function twoLayers(activation: (z: Expr) => Expr, weights: (w: Expr) => Expr = (w) => w): Model {
  const shapes = [
    ['w', [4, 3]],
    ['v', [1, 4]],
  ] as const
  return {
    name: 'two layers',
    inputs: [{ name: 'x', dtype: 'float', shape: [3] }],
    parameters: shapes.map(([name, shape]) => ({ name, shape, role: 'weight' as const, outputAxis: 0 })),
    outputShape: [1],
    architecture: { kind: 'unknown' },
    notes: [],
    forward([w, v], [x]) {
      return matmul(activation(matmul(x, transpose(weights(w), [1, 0]))), transpose(v, [1, 0]))
    },
    initialize: (seed) => randomStream(seed, 'two layers').normals(16),
  }
}

describe('limits that no random point meets', () => {
  test('a clip is no fully connected network, behind the activation or on the weights', () => {
    expect(fullyConnected(twoLayers((z) => z))?.activation).toBe('linear')
    expect(fullyConnected(twoLayers((z) => hardTanh(z, -50, 50)))).toBeNull()
    expect(fullyConnected(twoLayers((z) => hardTanh(z, 0, 50)))).toBeNull()
    expect(fullyConnected(twoLayers(tanh, (w) => hardTanh(w, -50, 50)))).toBeNull()
  })

  test('scalings of units that are clipped at θ are not counted there', async () => {
    const loss = lossOf(
      twoLayers((z) => hardTanh(z, 0, 100)),
      40,
    )
    const fields = await invariantFields(loss)
    const inside = loss.model.initialize(1)
    const outside = inside.map((t) => 100 * t)
    const orbitAt = async (theta: Float64Array): Promise<number> =>
      symmetryOrbit(loss, theta, null, await fieldsNear(loss, theta, fields, 0)).dimension
    expect(symmetryOrbit(loss, outside, null, fields).dimension).toBe(4)
    expect(await orbitAt(inside)).toBe(4)
    expect(await orbitAt(outside)).toBe(0)
  })

  test.each([1e-8, 1e-10])('a feature of size %s is small, not absent', async (size) => {
    for (const model of [mlp({ widths: [3, 4, 1], activation: 'tanh', bias: false }), twoLayers(tanh)]) {
      const loss = lossOf(model, 20)
      const { x } = loss.dataset.inputs
      const scaled = Array.from(numbersOf(x), (v, i) => (i % 3 === 2 ? size * v : v))
      const dataset = { ...loss.dataset, inputs: { x: tensorOf('float64', [20, 3], scaled) } }
      const small = new Loss({ engine, model, dataset, spec: loss.spec })
      const orbit = symmetryOrbit(small, model.initialize(1), null, await invariantFields(small))
      expect(orbit.dimension).toBe(0)
    }
  })
})

/** Targets for which θ is a critical point with a small residual: noise without its part in the range of J. */
async function planted(model: Model, n: number, theta: Float64Array): Promise<Loss> {
  const loss = lossOf(model, n)
  const point = new LossPoint(loss, theta)
  const rows = n * model.outputShape[0]
  const j = matrix(rows, loss.size, await point.jacobianTransposed(identity(rows).data, rows))
  const noise = randomStream(5, 'noise').normals(rows)
  const fitted = gemv(j, leastSquares(j, noise).x)
  const outputs = await loss.outputs(theta)
  const targets = tensorOf(
    'float64',
    [n, model.outputShape[0]],
    Array.from(outputs, (f, i) => f + 1e-3 * (noise[i] - fitted[i])),
  )
  return new Loss({ engine, model, dataset: { ...loss.dataset, targets }, spec: loss.spec })
}

test.each([
  [
    'convolutions',
    cnn({ inputShape: [1, 3, 3], channels: [3], outputs: 1, kernel: 2, pool: 'none', activation: 'relu' }),
    3,
  ],
  ['a skip connection', residualMlp({ inputs: 3, depth: 2, width: 3, activation: 'leaky-relu' }), 3],
  ['a file with a fully connected network', anonymous(mlp({ widths: [3, 4, 1], activation: 'relu' })), 4],
] as const)(
  'a planted minimum with %s is proved by a full count, scalings explained',
  async (name, model, dimension) => {
    const theta = model.initialize(4)
    const loss = await planted(model, 60, theta)
    const fields = await invariantFields(loss)
    const d = await diagnose(loss, theta, { fields })
    expect(d.verdict).toBe('local-minimum')
    expect(d.inertia).toMatchObject({ negative: 0, zero: dimension, exact: true })
    expect(d.symmetry?.kinds).toEqual([{ kind: 'positive-scaling', dimension }])
    expect(d.evidence.some(({ kind }) => kind === 'constant-rank')).toBe(false)
    if (name.startsWith('a file')) return
    const without = await diagnose(loss, theta)
    expect(without.verdict).toBe('local-minimum')
    expect(without.evidence.some(({ kind }) => kind === 'constant-rank')).toBe(true)
  },
)

describe('normalization', () => {
  /** tanh(g · (x Wᵀ + b − m)/s + h) oᵀ with stored statistics m, s; or with the mean over units taken away instead. */
  const normalized = (stored: boolean): Model => {
    const shapes: readonly (readonly [string, readonly number[], ParameterRole])[] = [
      ['w', [4, 3], 'weight'],
      ['b', [4], 'bias'],
      ['g', [4], 'scale'],
      ['h', [4], 'shift'],
      ['o', [1, 4], 'weight'],
    ]
    const row = (values: number[]): Expr => constant(tensorOf('float64', [4], values))
    return {
      name: 'normalized',
      inputs: [{ name: 'x', dtype: 'float', shape: [3] }],
      parameters: shapes.map(([name, shape, role]) => ({ name, shape, role, outputAxis: 0 })),
      outputShape: [1],
      architecture: { kind: 'unknown' },
      notes: [],
      forward([w, b, g, h, o], [x]) {
        const z = add(matmul(x, transpose(w, [1, 0])), b)
        const centered = stored
          ? div(sub(z, row([0.3, -0.2, 0.5, 0.1])), row([1.5, 0.7, 1.1, 0.9]))
          : sub(z, mul(reduceSum(z, [1], true), 0.25))
        return matmul(tanh(add(mul(centered, g), h)), transpose(o, [1, 0]))
      },
      initialize: (seed) => randomStream(seed, 'normalized').normals(28),
    }
  }
  test('behind stored statistics a scale and a bias of each channel are spare', async () => {
    const loss = lossOf(normalized(true), 40)
    const fields = await invariantFields(loss)
    const orbit = symmetryOrbit(loss, loss.model.initialize(1), null, fields)
    expect(orbit.dimension).toBe(8)
  })

  test('where the mean over units is taken away, the same may be added to all', async () => {
    const loss = lossOf(normalized(false), 40)
    const orbit = symmetryOrbit(loss, loss.model.initialize(1), null, await invariantFields(loss))
    expect(orbit.kinds).toContainEqual({ kind: 'uniform-shift', dimension: 4 })
  })
})
