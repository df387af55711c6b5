import { nativeEngine } from '@thalweg/engine/node'
import { add, matmul, tensorOf, transpose } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { makeDataset } from '../../data/dataset.ts'
import type { Loss } from '../../loss/loss.ts'
import { parameterRanges } from '../../model/model.ts'
import type { Model } from '../../model/model.ts'
import { cnn, mlp } from '../../model/index.ts'
import { constantRank } from '../evidence/constant-rank.ts'
import { saddleFreeNewton } from '../finders/dense-newton.ts'
import { diagnose } from './diagnose.ts'
import { objectiveOf } from '../finders/objective.ts'
import { polish } from '../finders/polish.ts'
import { lossOf, meanSquares, normalRows, regression } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

/** The same network as a file would give it: without a description. */
const anonymous = (model: Model): Model => ({ ...model, architecture: { kind: 'unknown' } })

function images(count: number, shape: readonly number[]) {
  const width = shape.reduce((a, b) => a * b, 1)
  return makeDataset({
    name: 'images',
    inputs: { x: tensorOf('float64', [count, ...shape], normalRows(5, count, width).flat()) },
    targets: tensorOf('float64', [count, 1], normalRows(6, count, 1).flat()),
    task: 'regression',
    origin: 'test',
  })
}

/** θ with some biases of one parameter set. */
function withBiases(model: Model, name: string, values: readonly number[], seed: number): Float64Array {
  const theta = model.initialize(seed)
  const range = parameterRanges(model).find(({ parameter }) => parameter.name === name)!
  theta.set(values, range.start)
  return theta
}

async function criticalFrom(loss: Loss, start: Float64Array): Promise<Float64Array> {
  const objective = objectiveOf(loss)
  const { theta } = await polish(objective, (await saddleFreeNewton(objective, start, { maxIterations: 300 })).theta)
  return theta
}

describe('kernels that units off or on for every sample add', () => {
  test('convolution with one channel on and one off, known by its graph only', async () => {
    const model = anonymous(
      cnn({ inputShape: [1, 3, 3], channels: [2], outputs: 1, kernel: 2, pool: 'none', activation: 'relu' }),
    )
    const loss = lossOf(engine, model, images(30, [1, 3, 3]), meanSquares)
    const bias = model.parameters.find(({ role, shape }) => role === 'bias' && shape[0] === 2)!.name
    const theta = await criticalFrom(loss, withBiases(model, bias, [20, -20], 2))
    const d = await diagnose(loss, theta)
    expect(d.verdict).toBe('local-minimum')
    const evidence = d.evidence.find(({ kind }) => kind === 'constant-rank')!
    expect(evidence.claim).toMatchObject({
      id: 'evidence.constant-rank-units',
      values: { off: 1, on: 1, rank: d.inertia.positive },
    })
    expect(d.advice.map(({ id }) => id)).toContain('advice.dead-units')
  })

  test('skip connection around units of which one is on and one off', async () => {
    // x + B relu(A x + a), then a linear output: A, a, B of the block from a perceptron, as a file might give them
    const base = mlp({ widths: [2, 2, 2], activation: 'relu' })
    const output = { name: 'out', role: 'weight' as const, shape: [1, 2], outputAxis: 0 }
    const model: Model = {
      ...anonymous(base),
      parameters: [...base.parameters, output],
      outputShape: [1],
      forward: (parameters, inputs) =>
        matmul(
          add(inputs[0], base.forward(parameters.slice(0, -1), inputs)),
          transpose(parameters[parameters.length - 1], [1, 0]),
        ),
      initialize: (seed) => Float64Array.from([...base.initialize(seed), 0.7, -0.4]),
    }
    const x = normalRows(7, 20, 2)
    const loss = lossOf(engine, model, regression(x, normalRows(14, 20, 1)), meanSquares)
    const d = await diagnose(loss, await criticalFrom(loss, withBiases(model, base.parameters[1].name, [9, -9], 3)))
    expect(d.kinks!.deadUnits).toBe(1)
    expect(d.verdict).toBe('local-minimum')
    expect(d.evidence.find(({ kind }) => kind === 'constant-rank')!.claim.values).toMatchObject({ off: 1, on: 1 })
  })

  test('leaky units, all on: the minimum of Yun, Sra and Jadbabaie (2019) as good as the best linear map', async () => {
    const x = normalRows(8, 12, 2)
    const y = normalRows(9, 12, 1)
    const linear = lossOf(engine, mlp({ widths: [2, 1], activation: 'linear' }), regression(x, y), meanSquares)
    const best = await criticalFrom(linear, linear.model.initialize(0))
    const loss = lossOf(engine, mlp({ widths: [2, 2, 1], activation: 'leaky-relu' }), regression(x, y), meanSquares)
    // hidden: (w·x + 20, w·x + 20), output: half of each
    const [a, b, c] = best
    const d = await diagnose(loss, Float64Array.of(a, b, a - b, 0.3, 20, 20, 1, 0, c - 20))
    expect(d.verdict).toBe('local-minimum')
    expect(d.loss).toBeCloseTo(await linear.value(best), 12)
    expect(d.inertia).toMatchObject({ negative: 0, zero: 6, positive: 3 })
  })
})

describe('what constant rank must not prove', () => {
  const rows = regression([[1], [2]], [[0], [0]])

  test('where the rank grows around the point there is no proof: a network at its origin', async () => {
    const loss = lossOf(engine, mlp({ widths: [1, 1, 1], activation: 'tanh', bias: false }), rows, meanSquares)
    expect(await constantRank(loss, new Float64Array(2), 0, 0)).toBeNull()
  })

  test.each([3, 5, 6, 8])('a network of %d layers that has collapsed to its last bias: no minimum', async (depth) => {
    const x = normalRows(17, 20, 2)
    const y = x.map(([a, b]) => [0.5 * a - 0.3 * b])
    const mean = y.reduce((sum, [v]) => sum + v / 20, 0)
    // However small the last bias: the rank must be seen to grow.
    const targets = y.map(([v]) => [v - mean + 0.01])
    const model = mlp({ widths: [2, ...Array<number>(depth - 1).fill(1), 1], activation: 'tanh' })
    const loss = lossOf(engine, model, regression(x, targets), meanSquares)
    const theta = new Float64Array(loss.size)
    theta[theta.length - 1] = 0.01
    expect(await constantRank(loss, theta, 1, 0)).toBeNull()
    expect((await diagnose(loss, theta)).verdict).toBe('non-strict-saddle')
  })

  test.each([1e-4, 1e-5])('vanishing layers behind kinks %d away: the growth of the rank is rounding', async (near) => {
    const x = [
      [1, 0],
      [0, 1],
      [1, 1],
      [near, 0],
      [-near, 0],
    ]
    const model = mlp({ widths: [2, 1, 1, 1, 1, 1], activation: 'relu' })
    const loss = lossOf(engine, model, regression(x, [[0.3], [-0.1], [0.7], [-0.5], [-0.4]]), meanSquares)
    // A unit with its kink at x₁ + x₂/2 = 0, three of weight 0 and bias 1, and the mean as output.
    const theta = Float64Array.of(1, 0.5, 0, 0, 1, 0, 1, 0, 1, 0, 0)
    expect(await constantRank(loss, theta, 1, 0)).toBeNull()
    expect((await diagnose(loss, theta)).verdict).toBe('non-strict-saddle')
  })

  test('saturated units look constant in float64 and are not', async () => {
    const x = normalRows(10, 12, 2)
    const loss = lossOf(
      engine,
      mlp({ widths: [2, 2, 1], activation: 'sigmoid' }),
      regression(x, normalRows(11, 12, 1)),
      meanSquares,
    )
    const mean = normalRows(11, 12, 1).reduce((sum, [v]) => sum + v / 12, 0)
    for (const bias of [45, 800]) {
      const theta = Float64Array.of(0.3, -0.2, 0.1, 0.4, bias, bias, 0.5, 0.25, mean - 0.75)
      const d = await diagnose(loss, theta)
      expect(d.verdict).toBe('undecided')
      expect(d.summary.id).toBe('summary.undecided-saturated')
      expect(d.summary.values).toMatchObject({ saturated: 24 })
    }
  })

  test('weight decay sees more of θ than the outputs', async () => {
    const loss = lossOf(engine, mlp({ widths: [1, 2, 1], activation: 'linear', bias: false }), rows, meanSquares, 0.1)
    expect(await constantRank(loss, Float64Array.of(0.7, 0.5, 0.4, 0.1), 1, 0)).toBeNull()
  })
})

test('two equal units: the rank is smaller here than around, which proves nothing', async () => {
  const model = mlp({ widths: [1, 2, 1], activation: 'tanh', bias: false })
  const x = normalRows(13, 8, 1)
  const loss = lossOf(engine, model, regression(x, x), meanSquares)
  expect(await constantRank(loss, Float64Array.of(0.7, 0.7, 0.4, 0.1), 2, 0)).toBeNull()
  expect(await constantRank(loss, Float64Array.of(0.7, 0.5, 0.4, 0.1), 4, 0)).toMatchObject({ rank: 4 })
})
