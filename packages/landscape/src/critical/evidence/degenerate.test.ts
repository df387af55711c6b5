import { nativeEngine } from '@thalweg/engine/node'
import { constant, add, exp, mul, reduceMean, selectAt, sub, tensorOf } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { degenerateDescent } from './degenerate.ts'
import type { DegenerateDescent } from './degenerate.ts'
import { hessianSpectrum } from '../finders/hessian-spectrum.ts'
import { denseInertia } from './inertia.ts'
import { denseKernel, krylovKernel } from './kernel-geometry.ts'
import { noiseFloor } from '../finders/noise-floor.ts'
import { expressionObjective } from '../finders/objective.ts'
import type { Objective } from '../finders/objective.ts'
import { testFunctions } from '../finders/test-functions.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

async function descentAt(
  objective: Objective,
  at: readonly number[],
  how: 'dense' | 'krylov',
): Promise<DegenerateDescent> {
  const theta = Float64Array.from(at)
  const point = objective.at(theta)
  const spectrum = await hessianSpectrum(point.hessian)
  const { value, gradient } = await objective.valueAndGradient(theta)
  const noise = await noiseFloor(objective, theta)
  const inertia = await denseInertia(point, spectrum, {
    ownScale: Math.abs(value) || 1,
    gradient,
    gradientNoise: noise.gradient,
  })
  expect(inertia.negative).toBe(0)
  const kernel =
    how === 'dense'
      ? denseKernel(spectrum, inertia)
      : krylovKernel(point.hessian, { known: [], threshold: inertia.threshold, maxProducts: 4000 })
  return degenerateDescent(objective, point, kernel, { valueNoise: noise.value })
}

const named = (name: string): Objective =>
  expressionObjective({ engine, name, size: testFunctions[name].sizeMin, build: testFunctions[name].build })

describe.each(['dense', 'krylov'] as const)('the kernel from %s computations', (how) => {
  test('monkey saddle: descent of order 3', async () => {
    const found = await descentAt(named('monkey-saddle'), [0, 0], how)
    expect(found.outcome).toBe('descent')
    expect(found.order).toBe(3)
  })

  test('Peano: a minimum along every straight line and yet a descent of order 4 along a curve', async () => {
    const found = await descentAt(named('peano'), [0, 0], how)
    expect(found.outcome).toBe('descent')
    expect(found.order).toBe(4)
    expect(found.quartic!.value).toBeCloseTo(48 - 54, 6)
  })

  test('exp neuron of order 4 (second trap of the elimination theory)', async () => {
    const x = constant(tensorOf('float64', [3], [-1, 0, 1]))
    const r = constant(tensorOf('float64', [3], [1, -2, 1]))
    const lambda = 0.1
    const objective = expressionObjective({
      engine,
      name: 'exp neuron',
      size: 3,
      build: (theta) => {
        const [a, b, w] = [0, 1, 2].map((i) => selectAt(theta, 0, i))
        const e = add(r, mul(a, exp(add(mul(w, x), b))))
        return add(reduceMean(mul(e, e)), mul(lambda, mul(a, a)))
      },
    })
    const found = await descentAt(objective, [0, 0, 0], how)
    expect(found.outcome).toBe('descent')
    expect(found.order).toBe(4)
    const { t, decrease } = found.curve[3]
    expect(decrease / (t ** 4 / (9 * (lambda + 1)))).toBeCloseTo(1, 1)
  })

  test.each([3, 4, 5, 6, 7, 8])('product of %i factors: descent of that order', async (layers) => {
    const objective = expressionObjective({
      engine,
      name: 'product',
      size: layers,
      build: (theta) => {
        let product = selectAt(theta, 0, 0)
        for (let i = 1; i < layers; i++) product = mul(product, selectAt(theta, 0, i))
        const e = sub(product, 1)
        return mul(0.5, mul(e, e))
      },
    })
    const found = await descentAt(objective, new Array<number>(layers).fill(0), how)
    expect(found.outcome).toBe('descent')
    expect(found.order).toBe(layers)
  })

  test('a sum of fourth powers is not called a descent', async () => {
    const objective = expressionObjective({
      engine,
      name: 'quartic bowl',
      size: 2,
      build: (theta) => {
        const [a, b] = [0, 1].map((i) => selectAt(theta, 0, i))
        const square = (e: typeof a) => mul(e, e)
        return add(square(square(a)), mul(0.5, square(sub(b, square(a)))))
      },
    })
    expect((await descentAt(objective, [0, 0], how)).outcome).toBe('none-found')
  })
})
