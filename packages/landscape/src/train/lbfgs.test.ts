import { add, mul, sub, tensorOf } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { gaussianMixture, makeDataset } from '../data/index.ts'
import { Loss } from '../loss/loss.ts'
import { mlp } from '../model/mlp.ts'
import type { Model } from '../model/model.ts'
import { lbfgs } from './lbfgs-stepper.ts'
import { gradientDescent } from './sgd.ts'
import { strongWolfe } from './strong-wolfe.ts'
import type { LinePoint } from './strong-wolfe.ts'
import { train } from './train.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

/** Residuals 10 (b − a²) and 1 − a of the parameters (a, b): half their squares is half Rosenbrock's function. */
const rosenbrock: Model = {
  name: 'rosenbrock',
  inputs: [{ name: 'x', dtype: 'float', shape: [1] }],
  parameters: ['a', 'b'].map((name) => ({ name, shape: [1], role: 'other', outputAxis: null })),
  outputShape: [1],
  architecture: { kind: 'unknown' },
  notes: [],
  // Sample x = 1 gives the first residual, x = 0 the second.
  forward: ([a, b], [x]) => add(mul(x, mul(sub(b, mul(a, a)), 10)), mul(sub(1, x), sub(1, a))),
  initialize: () => Float64Array.of(-1.2, 1),
}

function rosenbrockLoss(): Loss {
  const dataset = makeDataset({
    name: 'rosenbrock',
    inputs: { x: tensorOf('float64', [2, 1], [1, 0]) },
    targets: tensorOf('float64', [2, 1], [0, 0]),
    task: 'regression',
    origin: 'test',
  })
  return new Loss({ engine, model: rosenbrock, dataset, spec: { name: 'half-sum-squares', reduction: 'sum' } })
}

describe('L-BFGS', () => {
  test('walks the valley of Rosenbrock to the minimum', async () => {
    const result = await train({ loss: rosenbrockLoss(), optimizer: lbfgs({ gradientTolerance: 1e-10 }), steps: 100 })
    expect(result.losses[0]).toBeCloseTo(0.5 * (100 * 0.44 ** 2 + 2.2 ** 2), 13)
    expect(result.status).toBe('finished')
    expect(result.message).toMatch(/gradient norm is within the tolerance/)
    expect(result.steps).toBeLessThan(50)
    result.theta.forEach((v) => expect(v).toBeCloseTo(1, 10))
    for (let t = 1; t < result.losses.length; t++) expect(result.losses[t]).toBeLessThan(result.losses[t - 1])
  })

  test('resumed from a checkpoint it takes the same steps', async () => {
    const options = { loss: rosenbrockLoss(), optimizer: lbfgs({ memory: 3 }), steps: 25 }
    const whole = await train({ ...options, checkpointEvery: 10 })
    const resumed = await train({ ...options, from: whole.checkpoints.find(({ step }) => step === 10) })
    expect(resumed.theta).toEqual(whole.theta)
  })

  test.each(['float64', 'float32'] as const)(
    'a network in %s: far below gradient descent for as many steps',
    async (dtype) => {
      const loss = new Loss({
        engine,
        model: mlp({ widths: [4, 6, 3], activation: 'tanh' }),
        dataset: gaussianMixture({ samples: 60, dimension: 4, classes: 3, seed: 2 }),
        spec: { name: 'cross-entropy', reduction: 'mean' },
        weightDecay: 1e-3,
        dtype,
      })
      const quick = await train({ loss, optimizer: lbfgs({ gradientTolerance: 1e-9 }), steps: 300 })
      const slow = await train({ loss, optimizer: gradientDescent(), learningRate: 0.1, steps: quick.steps })
      const end = quick.history.at(-1)!
      expect(end.loss).toBeLessThan(0.9 * slow.history.at(-1)!.loss)
      expect(end.gradientNorm).toBeLessThan(dtype === 'float64' ? 1e-7 : 1e-4)
      expect(quick.status).toBe('finished')
    },
  )

  test('stops at once at a critical point', async () => {
    const result = await train({ loss: rosenbrockLoss(), optimizer: lbfgs(), steps: 10, theta: Float64Array.of(1, 1) })
    expect(result).toMatchObject({ status: 'finished', steps: 0 })
  })
})

describe('strong Wolfe line search', () => {
  const functions: Record<string, (t: number) => { value: number; slope: number }> = {
    parabola: (t) => ({ value: (t - 3) ** 2, slope: 2 * (t - 3) }),
    // Moré & Thuente 1994, equation 5.1 with β = 2: concave and then convex, its minimum at √2.
    'moré-thuente-1': (t) => ({ value: -t / (t * t + 2), slope: (t * t - 2) / (t * t + 2) ** 2 }),
    'infinite beyond 0.1': (t) =>
      t > 0.1 ? { value: Infinity, slope: Number.NaN } : { value: -t + 6 * t * t, slope: 12 * t - 1 },
    cosine: (t) => ({ value: -Math.sin(5 * t), slope: -5 * Math.cos(5 * t) }),
  }

  test.each(Object.keys(functions).flatMap((name) => [1e-3, 0.1, 1, 30].map((first) => [name, first] as const)))(
    '%s from a first step of %d',
    async (name, first) => {
      const phi = functions[name]
      const start: LinePoint = { step: 0, ...phi(0) }
      const found = await strongWolfe(async (step) => ({ step, ...phi(step) }), start, first)
      expect(found).not.toBeNull()
      expect(found!.value).toBeLessThanOrEqual(start.value + 1e-4 * found!.step * start.slope)
      expect(Math.abs(found!.slope)).toBeLessThanOrEqual(0.9 * Math.abs(start.slope))
    },
  )

  test('nothing falls: null', async () => {
    const found = await strongWolfe(
      async (step) => ({ step, value: step, slope: 1 }),
      { step: 0, value: 0, slope: -1 },
      1,
    )
    expect(found).toBeNull()
  })
})
