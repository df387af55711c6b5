import { nativeEngine } from '@thalweg/engine/node'
import { add, mul, selectAt, sub } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { randomStream } from '../../random/index.ts'
import { expressionObjective } from '../finders/objective.ts'
import { findMany } from './many.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const square = (x: Expr): Expr => mul(x, x)

/** Critical points from 24 normal starts. */
async function pointsOf(size: number, build: (x: readonly Expr[]) => Expr) {
  const objective = expressionObjective({
    engine,
    name: 'a polynomial',
    size,
    build: (theta) => build(Array.from({ length: size }, (_, i) => selectAt(theta, 0, i))),
  })
  const starts = Array.from({ length: 24 }, (_, i) => randomStream(3, 'starts', i).normals(size))
  const { points, outcomes } = await findMany(objective, starts)
  const found = points.reduce((sum, { starts: from }) => sum + from.length, 0)
  expect(found).toBe(outcomes.converged)
  expect(points.flatMap(({ starts: from }) => [...from]).toSorted((a, b) => a - b)).toEqual(
    [...new Set(points.flatMap(({ starts: from }) => [...from]))].toSorted((a, b) => a - b),
  )
  return points
}

describe('critical points that are one', () => {
  test('the degenerate minimum of x⁴ + y², of which every search finds another corner', async () => {
    const points = await pointsOf(2, ([x, y]) => add(square(square(x)), square(y)))
    expect(points).toHaveLength(1)
    expect(points[0].starts.length).toBeGreaterThan(12)
    expect(points[0].spread).toBeGreaterThan(1e-7)
    expect(points[0].spread).toBeLessThan(1e-3)
  })

  test('two minima and a saddle beside two parameters that nothing depends on are three flat sets', async () => {
    const points = await pointsOf(3, ([x]) => square(sub(square(x), 1)))
    expect(points.map(({ verdict }) => verdict).toSorted()).toHaveLength(3)
    const minima = points.filter(({ loss }) => loss < 0.5)
    expect(minima).toHaveLength(2)
    expect(minima[0].theta[0] * minima[1].theta[0]).toBeCloseTo(-1, 9)
    for (const { spread } of minima) expect(spread).toBeGreaterThan(0.5)
  })

  test('minima of one loss with a ridge between them stay apart, and so do two close ones', async () => {
    expect(await pointsOf(1, ([x]) => square(sub(square(x), 1)))).toHaveLength(3)
    // minima ±1e-4: the ridge is 1e-16 high, its slopes 1e-12
    const close = await pointsOf(1, ([x]) => square(sub(square(x), 1e-8)))
    expect(close.filter(({ inertia }) => inertia.positive === 1)).toHaveLength(2)
  })

  test('a circle of minima is not straight: its points stay apart', async () => {
    const points = await pointsOf(2, ([x, y]) => square(sub(add(square(x), square(y)), 1)))
    expect(points.filter(({ loss }) => loss < 0.5).length).toBeGreaterThan(5)
    for (const { spread } of points) expect(spread).toBe(0)
  })
})
