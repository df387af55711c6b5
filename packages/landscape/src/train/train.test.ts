import { tensorOf } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { readGolden } from '../../test/read-golden.ts'
import { makeDataset, twoSpirals, xor } from '../data/index.ts'
import type { Dataset } from '../data/index.ts'
import { norm } from '../linalg/index.ts'
import { Loss } from '../loss/loss.ts'
import type { LossOptions } from '../loss/loss.ts'
import { mlp } from '../model/mlp.ts'
import type { Model } from '../model/model.ts'
import { randomStream } from '../random/index.ts'
import { adam, adamW } from './adam.ts'
import { lbfgs } from './lbfgs-stepper.ts'
import type { Optimizer } from './optimizer.ts'
import { optimizerFromSpec, optimizerNames } from './optimizer-from-spec.ts'
import type { OptimizerSpec } from './optimizer-from-spec.ts'
import { perturbedGradientDescent } from './perturbed-gradient-descent.ts'
import { gradientDescent, sgd } from './sgd.ts'
import { train } from './train.ts'
import type { TrainOptions } from './train.ts'
import { noiseFor } from './training-state.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const mean = (name: LossOptions['spec']['name']): LossOptions['spec'] => ({ name, reduction: 'mean' })

function spiralLoss(options: Partial<LossOptions> = {}, samples = 60): Loss {
  return new Loss({
    engine,
    model: mlp({ widths: [2, 8, 1], activation: 'tanh', initialization: 'glorot-normal' }),
    dataset: twoSpirals({ samples, turns: 1 }),
    spec: mean('binary-cross-entropy'),
    ...options,
  })
}

describe('against PyTorch, 50 steps in float64', () => {
  interface Golden {
    readonly widths: number[]
    readonly x: number[]
    readonly y: number[]
    readonly start: number[]
    readonly cases: Record<string, { losses: number[]; theta: number[] }>
  }
  const golden = readGolden<Golden>('optimizers')
  const dataset = makeDataset({
    name: 'golden',
    inputs: { x: tensorOf('float64', [12, 3], golden.x) },
    targets: tensorOf('int64', [12], golden.y),
    task: 'classification',
    classCount: 4,
    origin: 'optimizers.py',
  })
  const model = mlp({ widths: golden.widths, activation: 'tanh' })
  const rules: Record<string, [Optimizer, number]> = {
    'gradient-descent': [gradientDescent(), 0.5],
    momentum: [sgd({ momentum: 0.9 }), 0.1],
    nesterov: [sgd({ momentum: 0.9, nesterov: true }), 0.1],
    'sgd-weight-decay': [sgd({ momentum: 0.8, weightDecay: 0.01 }), 0.1],
    adam: [adam(), 0.02],
    'adam-weight-decay': [adam({ beta1: 0.8, beta2: 0.99, epsilon: 1e-3, weightDecay: 0.05 }), 0.02],
    adamw: [adamW({ weightDecay: 0.1 }), 0.02],
  }

  test.each(Object.keys(golden.cases))('%s', async (name) => {
    const [optimizer, learningRate] = rules[name]
    for (const [chunkSize, tolerance] of [
      [undefined, 1e-13],
      [5, 1e-13],
    ] as const) {
      const loss = new Loss({ engine, model, dataset, spec: mean('cross-entropy'), chunkSize })
      const result = await train({ loss, optimizer, learningRate, theta: Float64Array.from(golden.start), steps: 50 })
      const { losses, theta } = golden.cases[name]
      expect(result.losses.length).toBe(50)
      losses.forEach((v, t) => expect(Math.abs(result.losses[t] - v)).toBeLessThan(tolerance))
      theta.forEach((v, i) => expect(Math.abs(result.theta[i] - v)).toBeLessThan(10 * tolerance))
      await loss.dispose()
    }
  })
})

describe('results do not depend on how the work is cut', () => {
  const optimizers = [sgd({ momentum: 0.9 }), adam(), perturbedGradientDescent({ interval: 7, gradientThreshold: 1 })]

  test.each(optimizers.map((o) => [o.name, o] as const))(
    '%s: one call, single steps, resumed',
    async (_, optimizer) => {
      const options = { loss: spiralLoss(), optimizer, learningRate: 0.05, steps: 45, batchSize: 16, seed: 3 }
      const whole = await train({ ...options, evaluateEvery: 45 })
      const single = await train({ ...options, evaluateEvery: 1, checkpointEvery: 20 })
      expect(single.theta).toEqual(whole.theta)
      expect(single.losses).toEqual(whole.losses)
      const resumed = await train({ ...options, from: single.checkpoints.find(({ step }) => step === 20) })
      expect(resumed.theta).toEqual(whole.theta)
      expect(resumed.losses).toEqual(whole.losses.subarray(20))
    },
  )

  test('a clock changes the calls, not the result', async () => {
    const options = { loss: spiralLoss(), optimizer: adam(), learningRate: 0.05, steps: 100 }
    const calls: number[] = []
    const timed = await train({
      ...options,
      evaluateEvery: 100,
      now: clock(10),
      onProgress: ({ step }) => calls.push(step),
    })
    expect(timed.theta).toEqual((await train(options)).theta)
    // 10 ms for any number of steps: the next call may be eight times as long.
    expect(calls).toEqual([1, 9, 73, 100])
  })

  test('equal seeds give equal bits, other seeds another order', async () => {
    const options = { loss: spiralLoss(), optimizer: sgd(), learningRate: 0.1, epochs: 3, batchSize: 16 }
    const theta = options.loss.model.initialize(0)
    const runs = await Promise.all([4, 4, 5].map((seed) => train({ ...options, theta, seed })))
    expect(runs[0].theta).toEqual(runs[1].theta)
    expect(runs[0].theta).not.toEqual(runs[2].theta)
  })

  test('float32 follows float64', async () => {
    const options = { optimizer: sgd({ momentum: 0.9 }), learningRate: 0.1, steps: 30 }
    const [a, b] = await Promise.all(
      (['float32', 'float64'] as const).map((dtype) => train({ ...options, loss: spiralLoss({ dtype }) })),
    )
    expect(norm(a.theta.map((v, i) => v - b.theta[i])) / norm(b.theta)).toBeLessThan(1e-6)
    expect(a.theta).toEqual(a.theta.map(Math.fround))
  })
})

/** A clock that goes on by `ms` with each reading. */
function clock(ms: number): () => number {
  let time = 0
  return () => (time += ms)
}

describe('mini-batches', () => {
  /** A step of gradient descent by hand on chosen samples of the two-parameter model z = w x + b. */
  const n = 7
  const x = randomStream(1, 'x').normals(n)
  const y = randomStream(1, 'y').normals(n)
  const line: Model = mlp({ widths: [1, 1] })
  const dataset = (weights?: Float64Array): Dataset =>
    makeDataset({
      name: 'line',
      inputs: { x: tensorOf('float64', [n, 1], x) },
      targets: tensorOf('float64', [n, 1], y),
      task: 'regression',
      sampleWeights: weights,
      origin: 'test',
    })

  function byHand(
    batchSize: number,
    epochs: number,
    dropLast: boolean,
    weights = new Float64Array(n).fill(1),
  ): number[] {
    let [w, b] = [0.5, -0.25]
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = randomStream(9, 'order', epoch).permutation(n)
      for (let start = 0; start < n; start += batchSize) {
        const batch = [...order.subarray(start, start + batchSize)]
        if (dropLast && batch.length < batchSize) continue
        const total = batch.reduce((s, i) => s + weights[i], 0)
        const gw = batch.reduce((s, i) => s + (weights[i] * 2 * (w * x[i] + b - y[i]) * x[i]) / total, 0)
        const gb = batch.reduce((s, i) => s + (weights[i] * 2 * (w * x[i] + b - y[i])) / total, 0)
        ;[w, b] = [w - 0.1 * gw, b - 0.1 * gb]
      }
    }
    return [w, b]
  }

  const weights = Float64Array.of(1, 2, 0.5, 3, 1, 1, 2)
  test.each([
    ['kept', 3, false, undefined],
    ['dropped', 3, true, undefined],
    ['kept, weighted', 3, false, weights],
    ['of one sample', 1, false, undefined],
    ['larger than half', 5, false, weights],
  ] as const)('the ragged last batch is weighted right: %s', async (_, batchSize, dropLast, sampleWeights) => {
    const loss = new Loss({ engine, model: line, dataset: dataset(sampleWeights), spec: mean('mse') })
    const theta = Float64Array.of(0.5, -0.25)
    const result = await train({
      loss,
      optimizer: sgd(),
      learningRate: 0.1,
      theta,
      epochs: 4,
      batchSize,
      dropLast,
      seed: 9,
    })
    const expected = byHand(batchSize, 4, dropLast, sampleWeights)
    expected.forEach((v, i) => expect(Math.abs(result.theta[i] - v)).toBeLessThan(1e-14))
    expect(result.steps).toBe(4 * (dropLast ? Math.floor(n / batchSize) : Math.ceil(n / batchSize)))
  })

  test('weight decay of the loss and of the optimizer take the same steps', async () => {
    const options = { learningRate: 0.1, steps: 20, batchSize: 3, theta: Float64Array.of(0.5, -0.25) }
    const inLoss = new Loss({ engine, model: line, dataset: dataset(), spec: mean('mse'), weightDecay: 0.3 })
    const plain = new Loss({ engine, model: line, dataset: dataset(), spec: mean('mse') })
    const [a, b] = [
      await train({ ...options, loss: inLoss, optimizer: sgd() }),
      await train({ ...options, loss: plain, optimizer: sgd({ weightDecay: 0.3 }) }),
    ]
    a.theta.forEach((v, i) => expect(Math.abs(v - b.theta[i])).toBeLessThan(1e-14))
    expect(a.losses[0] - b.losses[0]).toBeCloseTo(0.15 * (0.25 + 0.0625), 14)
  })
})

describe('learning', () => {
  test('xor is solved from every start', async () => {
    for (const optimizer of [sgd({ momentum: 0.9 }), adam(), lbfgs()]) {
      const model = mlp({ widths: [2, 8, 1], activation: 'tanh', initialization: 'glorot-normal' })
      const loss = new Loss({ engine, model, dataset: xor({ signed: true }), spec: mean('binary-cross-entropy') })
      const result = await train({ loss, optimizer, learningRate: 0.1, steps: 300, seed: 1 })
      expect(result.status).toBe('finished')
      expect(result.history.at(-1)).toMatchObject({ accuracy: 1 })
      expect(result.history.at(-1)!.loss).toBeLessThan(0.02)
    }
  })

  test('spirals: the loss falls, history and checkpoints say so', async () => {
    const wide = mlp({ widths: [2, 16, 16, 1], activation: 'tanh', initialization: 'glorot-normal' })
    const loss = spiralLoss({ model: wide })
    const heldOut = spiralLoss({ model: wide, dataset: twoSpirals({ samples: 40, turns: 1, noise: 0.01 }) })
    const seen: number[] = []
    const result = await train({
      loss,
      testLoss: heldOut,
      optimizer: adam(),
      learningRate: 0.02,
      epochs: 300,
      batchSize: 20,
      evaluateEvery: 250,
      checkpointEvery: 400,
      onProgress: ({ step, steps, epoch }) => {
        expect([steps, epoch]).toEqual([900, step / 3])
        seen.push(step)
      },
    })
    expect(result.history.map(({ step }) => step)).toEqual([0, 250, 500, 750, 900])
    expect(result.checkpoints.map(({ step }) => step)).toEqual([0, 400, 800, 900])
    expect(result.checkpoints[3].theta).toEqual(result.theta)
    expect(seen.at(-1)).toBe(900)
    const [first, last] = [result.history[0], result.history[4]]
    expect(last.loss).toBeLessThan(0.3 * first.loss)
    expect(last.accuracy).toBeGreaterThan(0.9)
    expect(last.testAccuracy).toBeGreaterThan(0.9)
    expect(last.loss).toBe(await loss.value(result.theta))
    expect(last.gradientNorm).toBe(norm((await loss.valueAndGradient(result.theta)).gradient))
  })

  test('schedules reach the steps', async () => {
    const loss = spiralLoss()
    const theta = loss.model.initialize(0)
    const { gradient } = await loss.valueAndGradient(theta)
    const after = async (steps: number): Promise<Float64Array> =>
      (
        await train({
          loss,
          optimizer: sgd(),
          learningRate: 0.4,
          schedule: { kind: 'constant', warmUp: 4 },
          theta,
          steps,
        })
      ).theta
    const first = await after(1)
    first.forEach((v, i) => expect(v).toBeCloseTo(theta[i] - 0.1 * gradient[i], 14))
  })
})

describe('how training ends', () => {
  const parabola = (): Loss => {
    const data = makeDataset({
      name: 'point',
      inputs: { x: tensorOf('float64', [1, 1], [1]) },
      targets: tensorOf('float64', [1, 1], [0]),
      task: 'regression',
      origin: 'test',
    })
    return new Loss({ engine, model: mlp({ widths: [1, 1], bias: false }), dataset: data, spec: mean('squared') })
  }

  test.each([1, 10, 1000])(
    'diverged: the last finite point is kept (measured every %i steps)',
    async (evaluateEvery) => {
      // θ ← θ − 2ηθ = −99999 θ: the loss θ² overflows once |θ| > 1.3e154.
      const options: TrainOptions = {
        loss: parabola(),
        optimizer: gradientDescent(),
        learningRate: 5e4,
        steps: 100,
        theta: Float64Array.of(1),
      }
      const result = await train({ ...options, evaluateEvery })
      expect(result.status).toBe('diverged')
      expect(result.message).toBe(
        'The loss became infinite at step 31; the last finite point, after 30 steps, is kept. Use a smaller learning rate.',
      )
      expect(result.steps).toBe(30)
      expect(result.theta[0]).toBeCloseTo((-99999) ** 30, -140)
      expect(result.losses.length).toBe(31)
      expect(result.losses.at(-1)).toBe(result.theta[0] ** 2)
    },
  )

  test('diverged at the start', async () => {
    const result = await train({
      loss: parabola(),
      optimizer: sgd(),
      learningRate: 1,
      steps: 3,
      theta: Float64Array.of(1e200),
    })
    expect(result).toMatchObject({ status: 'diverged', steps: 0 })
    expect(result.message).toMatch(/The loss is Infinity at the starting point/)
  })

  test('diverged in chunks', async () => {
    const loss = spiralLoss({ chunkSize: 25, spec: mean('binary-cross-entropy') })
    const theta = loss.model.initialize(0)
    const result = await train({ loss, optimizer: sgd({ weightDecay: 1e100 }), learningRate: 1, steps: 20, theta })
    expect(result.status).toBe('diverged')
    expect(Number.isFinite(await loss.value(result.theta))).toBe(true)
  })

  test('aborted: what was reached is kept and can go on', async () => {
    const signal = { aborted: false }
    const options = { loss: spiralLoss(), optimizer: adam(), learningRate: 0.05, steps: 60, evaluateEvery: 10 }
    const result = await train({ ...options, signal, onProgress: ({ step }) => (signal.aborted = step >= 30) })
    expect(result).toMatchObject({ status: 'aborted', steps: 30, message: 'Cancelled after 30 of 60 steps.' })
    const resumed = await train({ ...options, from: result.last })
    expect(resumed.theta).toEqual((await train(options)).theta)
  })

  test('time limit', async () => {
    const options = { loss: spiralLoss(), optimizer: sgd(), learningRate: 0.05, steps: 1000, evaluateEvery: 1 }
    const result = await train({ ...options, now: clock(1000), timeLimitMs: 10500 })
    expect(result.status).toBe('time-limit')
    expect(result.message).toMatch(/^The time limit of 10.5 s was reached after \d+ of 1000 steps\.$/)
    await expect(train({ ...options, timeLimitMs: 1 })).rejects.toThrow(/timeLimitMs needs a clock/)
  })

  test.each([
    [{ steps: undefined }, /give either steps or epochs, got neither/],
    [{ epochs: 2 }, /got both/],
    [{ steps: 1.5 }, /steps must be an integer/],
    [{ batchSize: 0 }, /batchSize must be an integer in 1…60/],
    [{ batchSize: 61 }, /batchSize must be an integer in 1…60/],
    [{ learningRate: undefined }, /learningRate must be finite and positive, got undefined/],
    [{ learningRate: -1 }, /learningRate must be finite and positive, got -1/],
    [{ evaluateEvery: 0 }, /evaluateEvery must be a positive integer/],
    [{ theta: new Float64Array(3) }, /θ must have 33 entries, got 3/],
    [{ optimizer: lbfgs(), batchSize: 10 }, /L-BFGS needs the full batch/],
    [{ schedule: { kind: 'cosine', minimum: 2 } }, /minimum must lie in 0…1/],
  ] as const)('refuses %o', async (wrong, message) => {
    const options = { loss: spiralLoss(), optimizer: sgd(), learningRate: 0.1, steps: 5, ...wrong } as TrainOptions
    await expect(train(options)).rejects.toThrow(message)
  })

  test('optimizers by specification', () => {
    const specs: OptimizerSpec[] = optimizerNames.map((name) => ({ name }))
    expect(specs.map((spec) => optimizerFromSpec(spec).name)).toEqual(optimizerNames)
    expect(() => optimizerFromSpec({ name: 'sgd', momentun: 0.9 } as OptimizerSpec)).toThrow(
      /sgd has no option momentun/,
    )
    expect(() => optimizerFromSpec({ name: 'sdg' } as unknown as OptimizerSpec)).toThrow(/name must be one of/)
    expect(() => sgd({ nesterov: true })).toThrow(/nesterov needs momentum/)
    expect(() => adam({ beta1: 1 })).toThrow(/beta1/)
  })
})

describe('perturbed gradient descent', () => {
  /** ½(w₁w₂·1 − 1)²-like: a deep linear network has a strict saddle at θ = 0. */
  const saddle = (): Loss => {
    const data = makeDataset({
      name: 'one',
      inputs: { x: tensorOf('float64', [1, 1], [1]) },
      targets: tensorOf('float64', [1, 1], [1]),
      task: 'regression',
      origin: 'test',
    })
    const model = mlp({ widths: [1, 1, 1], activation: 'linear', bias: false })
    return new Loss({ engine, model, dataset: data, spec: { name: 'half-sum-squares', reduction: 'sum' } })
  }
  const theta = new Float64Array(2)

  test('leaves a strict saddle where gradient descent stays for ever', async () => {
    const options = { loss: saddle(), learningRate: 0.1, steps: 400, theta }
    const stuck = await train({ ...options, optimizer: gradientDescent() })
    expect([...stuck.theta]).toEqual([0, 0])
    const free = await train({
      ...options,
      optimizer: perturbedGradientDescent({ radius: 1e-3, interval: 150, seed: 1 }),
    })
    expect(free.history.at(-1)!.loss).toBeLessThan(1e-6)
    expect(free.losses[0]).toBe(0.5)
  })

  test('the perturbation is uniform on the ball: inside, with the right mean length', () => {
    const rule = perturbedGradientDescent({ seed: 3 }).noise!
    const lengths = Array.from({ length: 200 }, (_, count) => {
      const memory = [0, count].map((v) => tensorOf('float64', [], [v]))
      const { data } = noiseFor(rule, { step: 0, theta: tensorOf('float64', [2], [0, 0]), memory })
      return norm(data as Float64Array)
    })
    expect(Math.max(...lengths)).toBeLessThan(1)
    // In the plane P(‖ξ‖ ≤ t) = t², so E‖ξ‖ = 2/3 and the variance is 1/18.
    const average = lengths.reduce((s, v) => s + v, 0) / lengths.length
    expect(Math.abs(average - 2 / 3)).toBeLessThan(4 * Math.sqrt(1 / 18 / 200))
  })

  test('ends at an approximate local minimum, at the point before the perturbation', async () => {
    const optimizer = perturbedGradientDescent({ radius: 1e-2, interval: 20, decreaseThreshold: 1e-3 })
    const start = Float64Array.of(1, 1)
    const result = await train({ loss: saddle(), optimizer, learningRate: 0.1, steps: 400, theta: start })
    expect(result).toMatchObject({ status: 'finished', theta: start })
    expect(result.message).toMatch(/approximate local minimum/)
    expect(result.steps).toBeLessThan(400)
  })
})
