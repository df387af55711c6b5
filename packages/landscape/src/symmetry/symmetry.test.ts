import { tensorOf } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset, twoMoons } from '../data/index.ts'
import type { Dataset } from '../data/index.ts'
import { norm } from '../linalg/index.ts'
import { Loss } from '../loss/loss.ts'
import { LossPoint } from '../loss/loss-point.ts'
import { cnn, mlp, parameterRanges, resnet } from '../model/index.ts'
import type { Model } from '../model/index.ts'
import { randomStream } from '../random/index.ts'
import { pointEvaluator } from '../surface/index.ts'
import { adam, lbfgs, train } from '../train/index.ts'
import { barrierOf, linearPath } from './barrier.ts'
import { curvePoint, curveWeights, findCurve, nudgedElasticBand } from './curve.ts'
import { activationMatching, weightMatching } from './matching.ts'
import {
  identityPermutation,
  invertPermutation,
  permutationCopies,
  permutationSymmetry,
  permuteUnits,
  randomPermutation,
  symmetricCopies,
} from './permutation-symmetry.ts'
import { sameModuloUnits } from './same-modulo-units.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

function classes(shape: readonly number[], outputs: number, n = 12): Dataset {
  const size = shape.reduce((a, b) => a * b, 1)
  return makeDataset({
    name: 'random',
    inputs: { x: tensorOf('float64', [n, ...shape], randomStream(1, 'inputs').normals(n * size)) },
    targets: tensorOf(
      'int64',
      [n],
      Array.from({ length: n }, (_, i) => i % outputs),
    ),
    task: 'classification',
    classCount: outputs,
    origin: 'test',
  })
}

function lossOf(model: Model, dataset: Dataset): Loss {
  return new Loss({ engine, model, dataset, spec: { name: 'cross-entropy', reduction: 'mean' } })
}

/** A start whose biases are not zero: zeros would hide a bias that was left behind. */
function startOf(model: Model, seed: number): Float64Array {
  const noise = randomStream(seed, 'start').normals(model.initialize(seed).length)
  return model.initialize(seed).map((v, i) => v + 0.1 * noise[i])
}

describe('symmetries read off the graph', () => {
  const image = [1, 8, 8]
  const cases: readonly (readonly [name: string, model: Model, inputs: readonly number[], sizes: readonly number[]])[] =
    [
      ['fully connected', mlp({ widths: [3, 5, 4, 2] }), [3], [4, 5]],
      ['without biases', mlp({ widths: [3, 5, 2], bias: false, activation: 'gelu' }), [3], [5]],
      ['skips tie the layers they join', mlp({ widths: [3, 5, 5, 2], skip: true }), [3], [5]],
      ['a skip from the input fixes the order', mlp({ widths: [5, 5, 2], skip: true }), [5], []],
      [
        'convolutions, pooling, flattening',
        cnn({ inputShape: image, channels: [3, 4], hidden: [6], outputs: 2 }),
        image,
        [3, 4, 6],
      ],
      [
        'average pooling',
        cnn({ inputShape: image, channels: [3], outputs: 2, pool: 'average', activation: 'tanh' }),
        image,
        [3],
      ],
      [
        'residual sums, affine norms',
        resnet({ depth: 8, width: 2, outputs: 2, inputShape: image, normalization: 'batch', shortcut: 'B' }),
        image,
        [2, 2, 4, 4, 8, 8],
      ],
      [
        'padded shortcuts fix the stream',
        resnet({ depth: 8, width: 2, outputs: 2, inputShape: image, normalization: 'none', shortcut: 'A' }),
        image,
        [2, 4, 8],
      ],
      [
        'group norms fix their channels',
        resnet({ depth: 8, width: 4, outputs: 2, inputShape: image, normalization: 'group', groups: 2, shortcut: 'B' }),
        image,
        [],
      ],
    ]
  test.each(cases)('%s', async (_, model, inputs, sizes) => {
    const symmetry = permutationSymmetry(model)
    expect(symmetry.groups.map((g) => g.size).sort((a, b) => a - b)).toEqual(sizes)
    const theta = startOf(model, 3)
    const permutation = randomPermutation(symmetry, 5)
    const moved = permuteUnits(model, symmetry, theta, permutation)
    expect(permuteUnits(model, symmetry, moved, invertPermutation(permutation))).toEqual(theta)
    const loss = lossOf(model, classes(inputs, 2))
    const [before, after] = [await loss.outputs(theta), await loss.outputs(moved)]
    const scale = Math.max(...before.map(Math.abs))
    before.forEach((v, i) => expect(Math.abs(after[i] - v)).toBeLessThan(1e-12 * scale))
    if (sizes.length > 0) expect(norm(moved.map((v, i) => v - theta[i]))).toBeGreaterThan(0.1)
    await loss.dispose()
  })

  test('copies are counted exactly', () => {
    const wide = mlp({ widths: [2, 20, 7, 2], activation: 'relu' })
    expect(permutationCopies(permutationSymmetry(wide))).toBe(2432902008176640000n * 5040n)
    expect(symmetricCopies(wide)).toBe(2432902008176640000n * 5040n)
    expect(symmetricCopies(mlp({ widths: [2, 3, 2], activation: 'tanh' }))).toBe(48n)
    expect(permutationCopies(permutationSymmetry(mlp({ widths: [2, 3] })))).toBe(1n)
  })

  test('an order that is none is refused', () => {
    const model = mlp({ widths: [2, 3, 2] })
    const symmetry = permutationSymmetry(model)
    const theta = model.initialize(0)
    expect(() => permuteUnits(model, symmetry, theta, [Uint32Array.of(0, 1, 1)])).toThrow('once')
    expect(() => permuteUnits(model, symmetry, theta, [])).toThrow('one order per group')
    expect(permuteUnits(model, symmetry, theta, identityPermutation(symmetry))).toEqual(theta)
  })
})

describe('matching', () => {
  test.each([8, 32])('a planted permutation of two layers of %d units is recovered exactly (S-1)', async (n) => {
    const model = mlp({ widths: [6, n, n, 4] })
    const symmetry = permutationSymmetry(model)
    const a = startOf(model, 1)
    const planted = randomPermutation(symmetry, 2)
    const b = permuteUnits(model, symmetry, a, planted)
    const matching = weightMatching(model, a, b)
    expect(matching.theta).toEqual(a)
    expect(matching.permutation).toEqual(invertPermutation(planted))
    expect(matching.status).toBe('converged')
    expect(matching.sweeps).toBeLessThanOrEqual(5)
    expect(matching.distance.before).toBeGreaterThan(1)
    expect(matching.distance.after).toBe(0)
    const byActivations = await activationMatching(lossOf(model, classes([6], 4, 64)), a, b)
    expect(byActivations.theta).toEqual(a)
  })

  test('planted permutations of a convolutional and a residual network are recovered', async () => {
    const image = [1, 8, 8]
    const models = [
      // tanh: ReLU units that are off on every sample cannot be told apart by what they do
      cnn({ inputShape: image, channels: [6, 8], hidden: [10], outputs: 3, activation: 'tanh' }),
      resnet({
        depth: 8,
        width: 4,
        outputs: 3,
        inputShape: image,
        normalization: 'batch',
        shortcut: 'B',
        activation: 'tanh',
      }),
    ]
    for (const model of models) {
      const symmetry = permutationSymmetry(model)
      const a = startOf(model, 1)
      const b = permuteUnits(model, symmetry, a, randomPermutation(symmetry, 2))
      expect(weightMatching(model, a, b).theta).toEqual(a)
      expect((await activationMatching(lossOf(model, classes(image, 3)), a, b)).theta).toEqual(a)
    }
  })

  test('the objective never falls, and one hidden layer is solved in one sweep', () => {
    const model = mlp({ widths: [4, 9, 3] })
    const [a, b] = [startOf(model, 1), startOf(model, 2)]
    const matching = weightMatching(model, a, b)
    expect(matching.objective.after).toBeGreaterThan(matching.objective.before)
    expect(matching.distance.after).toBeLessThan(matching.distance.before)
    // one sweep finds it, the next sees that nothing improves
    expect(matching.sweeps).toBeLessThanOrEqual(2)
    const symmetry = permutationSymmetry(model)
    for (let seed = 0; seed < 200; seed++) {
      const other = permuteUnits(model, symmetry, b, randomPermutation(symmetry, seed))
      const objective = a.reduce((sum, v, i) => sum + v * other[i], 0)
      expect(objective).toBeLessThanOrEqual(matching.objective.after)
    }
  })
})

describe('barriers and paths', () => {
  const moons = twoMoons({ samples: 80, noise: 0.15, seed: 1 })
  const model = mlp({ widths: [2, 8, 2], activation: 'tanh' })
  const loss = lossOf(model, moons)
  const { valuesAt } = pointEvaluator(loss)
  const trained = async (seed: number): Promise<Float64Array> =>
    (await train({ loss, optimizer: adam(), learningRate: 0.05, steps: 300, seed })).theta

  test('both definitions, and a loss that is not finite is an infinite barrier', () => {
    const barrier = barrierOf([0, 0.5, 1], [1, 4, 3])
    expect(barrier).toEqual({ overMean: 2, overInterpolation: 2, at: 0.5, highest: 4 })
    expect(barrierOf([0, 0.5, 1], [0, 0.9, 2])).toMatchObject({ overMean: 1, overInterpolation: 0, at: 1 })
    expect(barrierOf([0, 0.5, 1], [0, Number.NaN, 2]).overMean).toBe(Number.POSITIVE_INFINITY)
    expect(() => barrierOf([0, 0.5], [0, 1])).toThrow('from 0 to 1')
  })

  test('between a trained net and its own permuted copy the middle is higher, and matching removes it (S-3)', async () => {
    const a = await trained(1)
    const symmetry = permutationSymmetry(model)
    const b = permuteUnits(model, symmetry, a, randomPermutation(symmetry, 3))
    const path = await linearPath(valuesAt, a, b, 21)
    expect(path.values[20]).toBeCloseTo(path.values[0], 12)
    expect(path.values[10]).toBeGreaterThan(path.values[0] + 0.05)
    expect(barrierOf(path.t, path.values).overMean).toBeGreaterThan(0.05)
    expect(weightMatching(model, a, b).theta).toEqual(a)
  })

  test('a curve between two minima is lower than the line, and so is an elastic band', async () => {
    const [a, b] = [await trained(1), await trained(2)]
    const height = (values: Float64Array): number => barrierOf(path.t, values).overMean
    const path = await linearPath(valuesAt, a, b, 21)
    for (const kind of ['bezier', 'polygon'] as const) {
      const { curve } = await findCurve(loss, a, b, { kind, steps: 150, seed: 1 })
      expect([curve.points[0], curve.points.at(-1)]).toEqual([a, b])
      const along = await Promise.all(Array.from(path.t, (t) => loss.value(curvePoint(curve, t))))
      expect(height(Float64Array.from(along))).toBeLessThan(0.5 * height(path.values))
    }
    const band = await nudgedElasticBand(loss, a, b, { pivots: 5, steps: 100 })
    expect(Math.max(...band.losses)).toBeLessThan(Math.max(...path.values))
  })

  test('curve weights add up to one and meet the ends', () => {
    for (const kind of ['bezier', 'polygon'] as const)
      for (const t of [0, 0.3, 0.5, 1]) {
        const weights = curveWeights(kind, 4, t)
        expect(weights.reduce((s, w) => s + w, 0)).toBeCloseTo(1, 14)
        if (t === 0) expect(weights[0]).toBe(1)
        if (t === 1) expect(weights[3]).toBe(1)
      }
    expect(Array.from(curveWeights('bezier', 3, 0.5))).toEqual([0.25, 0.5, 0.25])
  })
})

test('points of a convolutional network in another order of channels are one point, others are not', () => {
  const model = cnn({ inputShape: [1, 8, 8], channels: [4, 3], outputs: 3, activation: 'tanh' })
  const theta = model.initialize(3)
  const symmetry = permutationSymmetry(model)
  const same = sameModuloUnits(model)
  const moved = permuteUnits(model, symmetry, theta, randomPermutation(symmetry, 4))
  expect(same(theta, moved)).toBe(true)
  moved[0] += 0.01
  expect(same(theta, moved)).toBe(false)
})

test('splitting a unit of a critical point gives a line of critical points with one loss (S-4)', async () => {
  const [small, large] = [
    mlp({ widths: [2, 2, 2], activation: 'tanh' }),
    mlp({ widths: [2, 3, 2], activation: 'tanh' }),
  ]
  const moons = twoMoons({ samples: 40, noise: 0.3, seed: 2 })
  const decayFree = lossOf(small, moons)
  const split = lossOf(large, moons)
  const { theta } = await train({ loss: decayFree, optimizer: lbfgs(), steps: 400, seed: 3 })
  const at = Object.fromEntries(parameterRanges(small).map((r) => [r.parameter.name, theta.subarray(r.start, r.end)]))
  const base = norm((await decayFree.valueAndGradient(theta)).gradient)
  for (const mu of [-0.5, 0.5, 1.7]) {
    const [w, b, v, c] = [at['layers.0.weight'], at['layers.0.bias'], at['layers.1.weight'], at['layers.1.bias']]
    const wide = Float64Array.from([
      ...[...w, w[2], w[3]],
      ...[...b, b[1]],
      ...[v[0], mu * v[1], (1 - mu) * v[1], v[2], mu * v[3], (1 - mu) * v[3]],
      ...c,
    ])
    const { value, gradient } = await split.valueAndGradient(wide)
    expect(value).toBeCloseTo(await decayFree.value(theta), 12)
    expect(norm(gradient)).toBeLessThan(10 * base + 1e-12)
    // the line itself is flat: ‖H t‖ is as small as the gradient is
    const tangent = new Float64Array(wide.length)
    ;[10, 13].forEach((k, row) => {
      tangent[k] = v[2 * row + 1]
      tangent[k + 1] = -v[2 * row + 1]
    })
    expect(norm(await new LossPoint(split, wide).hvp(tangent))).toBeLessThan(10 * base + 1e-10)
  }
})
