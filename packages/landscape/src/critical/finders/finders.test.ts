import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { linearNetwork } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { saddleFreeNewton } from './dense-newton.ts'
import { finders } from './finders.ts'
import type { FinderName } from './finders.ts'
import { noiseFloor } from './noise-floor.ts'
import { objectiveOf } from './objective.ts'
import { polish } from './polish.ts'
import { distanceBetween, flatnessLimit, floorFactor } from './search.ts'
import { testFunctions } from './test-functions.ts'
import { halfSum, lossOf, namedObjective, regression } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const smooth = ['himmelblau', 'rosenbrock', 'beale', 'levy', 'styblinski-tang', 'rastrigin', 'griewank', 'schwefel']
const minimizers = new Set<FinderName>(['saddle-free-newton', 'krylov-saddle-free-newton'])

describe.each(Object.keys(finders) as FinderName[])('%s', (name) => {
  test.each(smooth)('finds the known critical points of %s from nearby', async (f) => {
    const objective = namedObjective(engine, f)
    for (const known of testFunctions[f].known) {
      if (minimizers.has(name) && !known.kind.endsWith('minimum')) continue
      const noise = randomStream(1, f).normals(known.theta.length)
      const at = Float64Array.from(known.theta)
      const start = at.map((t, i) => t + 0.005 * Math.max(1, Math.abs(t)) * noise[i])
      const found = await finders[name](objective, start)
      expect(found.status).toBe('converged')
      expect(found.gradientNorm).toBeLessThanOrEqual(floorFactor * found.noiseFloor)
      expect(found.flatness).toBe(0)
      expect(distanceBetween(found.theta, at)).toBeLessThan(10 * known.accuracy + 1e-9)
      expect(found.distance).toBe(distanceBetween(found.theta, start))
      expect(found.history).toHaveLength(found.iterations + 1)
    }
    await objective.dispose()
  })

  test('does not call a point with |∇L| = 0.2 in ker H converged', async () => {
    const found = await finders[name](namedObjective(engine, 'gradient-flat'), Float64Array.of(1e-3, 0.4), {
      maxIterations: 60,
    })
    expect(found.status).not.toBe('converged')
    if (minimizers.has(name)) return
    expect(found.gradientNorm).toBeGreaterThanOrEqual(0.2)
    expect(found.gradientNorm).toBeLessThan(0.2001)
    // On its way to x = 0 the damped method keeps making progress, ever less of it.
    if (name === 'damped-newton') return
    expect(found.status).toBe('gradient-flat')
    expect(found.flatness).toBeGreaterThan(flatnessLimit)
  })

  test('stops at once where it is told to', async () => {
    const objective = namedObjective(engine, 'rosenbrock')
    const start = Float64Array.of(-1.2, 1)
    expect((await finders[name](objective, start, { maxIterations: 0 })).status).toBe('max-iterations')
    expect((await finders[name](objective, start, { signal: { aborted: true } })).status).toBe('aborted')
    let time = 0
    const limited = await finders[name](objective, start, { now: () => (time += 10), timeLimitMs: 25 })
    expect(limited.status).toBe('time-limit')
    expect((await finders[name](objective, Float64Array.of(1e200, 1))).status).toBe('non-finite')
  })
})

test('one undamped saddle-free Newton step maps eigen-coordinates c to 0 (λ > 0) and to 2c (λ < 0)', async () => {
  const objective = namedObjective(engine, 'simple-saddle')
  const found = await saddleFreeNewton(objective, Float64Array.of(0.7, 0.3), { damping: [0], maxIterations: 1 })
  expect(found.theta[0]).toBeCloseTo(0, 15)
  expect(found.theta[1]).toBeCloseTo(0.6, 15)
})

test('polish converges fast at singular critical points, where Newton steps alone halve the distance', async () => {
  const found = await polish(namedObjective(engine, 'monkey-saddle'), Float64Array.of(0.1, 0.07))
  expect(found.status).toBe('converged')
  expect(found.iterations).toBeLessThan(10)
  expect(Math.hypot(...found.theta)).toBeLessThan(1e-8)
})

test('polish does not run to infinity', async () => {
  const found = await polish(namedObjective(engine, 'gradient-flat'), Float64Array.of(1, 1), { distanceMax: 2 })
  expect(found.status).not.toBe('converged')
  expect(found.distance).toBeLessThan(6)
})

describe('noise floor', () => {
  const data = regression(
    [
      [1, 2],
      [3, -1],
      [0.3, 0.7],
    ],
    [
      [1, 1],
      [2, 0],
      [0, 1],
    ],
  )

  test('is what rounding leaves at a critical point, for losses of every size', async () => {
    const loss = lossOf(engine, linearNetwork([2, 2, 2]), data, halfSum)
    const { theta, gradientNorm } = await polish(objectiveOf(loss), loss.model.initialize(3))
    const { gradient } = await noiseFloor(objectiveOf(loss), theta)
    expect(gradientNorm).toBeLessThanOrEqual(floorFactor * gradient)
    expect(gradient).toBeGreaterThan(1e-17)
    expect(gradient).toBeLessThan(1e-12)
  })

  test('is not zero where a unit in the last place does not show', async () => {
    expect((await noiseFloor(namedObjective(engine, 'levy'), Float64Array.of(1, 1))).gradient).toBeGreaterThan(1e-17)
  })

  test('does not take the jump of the gradient at a kink for noise', async () => {
    const objective = namedObjective(engine, 'schwefel')
    // sin √|x| has infinite slope of its derivative at 0: probes a few units in the last place away differ by far more.
    const { gradient } = await noiseFloor(objective, Float64Array.of(1e-20))
    expect(gradient).toBeLessThan(1e-7)
  })
})
