import { nativeEngine } from '@thalweg/engine/node'
import { add, exp, mul, selectAt, sin, sub } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { afterAll, describe, expect, test } from 'vitest'
import { linearNetwork } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { noisyStarts } from '../finders/noisy-starts.ts'
import { expressionObjective } from '../finders/objective.ts'
import { halfSum, lossOf, normalRows, regression } from '../testing/small-losses.ts'
import { findMany } from './many.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const square = (x: Expr): Expr => mul(x, x)

/** Critical points from normal starts. */
async function pointsOf(size: number, build: (x: readonly Expr[]) => Expr, count = 16) {
  const objective = expressionObjective({
    engine,
    name: 'a polynomial',
    size,
    build: (theta) => build(Array.from({ length: size }, (_, i) => selectAt(theta, 0, i))),
  })
  const starts = Array.from({ length: count }, (_, i) => randomStream(3, 'starts', i).normals(size))
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
    expect(points[0].starts.length).toBeGreaterThan(8)
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

  test('isolated minima stay apart, whatever lies between them', async () => {
    const of = async (size: number, starts: readonly number[][], build: (x: readonly Expr[]) => Expr) => {
      const objective = expressionObjective({
        engine,
        name: 'wells',
        size,
        build: (theta) => build(Array.from({ length: size }, (_, i) => selectAt(theta, 0, i))),
      })
      const { points } = await findMany(
        objective,
        starts.map((x) => Float64Array.from(x)),
      )
      return points.map(({ starts: from }) => from.length)
    }
    const periodic = (x: Expr): Expr => square(sin(mul(x, Math.PI)))
    expect(await of(1, [[0.1], [4.1], [8.1]], ([x]) => periodic(x))).toEqual([1, 1, 1])
    // a parameter that nothing depends on beside them: a kernel, and yet three sets
    const beside = [
      [0.1, 0],
      [4.1, 0],
      [8.1, 0],
      [0.1, 3],
    ]
    const counts = await of(2, beside, ([x]) => periodic(x))
    expect(counts.toSorted((a, b) => a - b)).toEqual([1, 1, 2])
    // two wells in a plateau on which the gradient underflows
    const well = (x: Expr, at: number): Expr => exp(mul(square(sub(x, at)), -1e4))
    const wells = ([x]: readonly Expr[]): Expr => sub(sub(0, well(x, 0)), well(x, 1))
    expect(await of(1, [[0.001], [1.001]], wells)).toEqual([1, 1])
    expect(
      await of(
        2,
        [
          [0.001, 0],
          [1.001, 0],
        ],
        wells,
      ),
    ).toEqual([1, 1])
  })

  test('a circle of minima is not straight: its points stay apart', async () => {
    const points = await pointsOf(2, ([x, y]) => square(sub(add(square(x), square(y)), 1)), 8)
    expect(points.filter(({ loss }) => loss < 0.5).length).toBeGreaterThan(3)
    for (const { spread } of points) expect(spread).toBe(0)
  })

  test('a deep linear network: one row a critical value and inertia, however small a singular value of a layer is', async () => {
    const loss = lossOf(
      engine,
      linearNetwork([3, 2, 2, 2]),
      regression(normalRows(1, 30, 3), normalRows(2, 30, 2)),
      halfSum,
    )
    const bases = Array.from({ length: 32 }, (_, i) => loss.model.initialize(i))
    const starts = noisyStarts(bases, { noise: [0.1, 0.5, 1], count: 32, seed: 3 })
    const { points, outcomes } = await findMany(loss, starts)
    const rows = points.map(({ loss: value, inertia: { negative, zero } }) =>
      [value.toPrecision(8), negative, zero].join(),
    )
    expect(rows.length).toBe(new Set(rows).size)
    expect(new Set(points.map(({ loss: value }) => value.toPrecision(8))).size).toBe(4)
    expect(points.reduce((sum, { starts: from }) => sum + from.length, 0)).toBe(outcomes.converged)
  })

  test('linear saddles whose inertia is counted on one side only are told apart by their ranks', async () => {
    const loss = lossOf(
      engine,
      linearNetwork([4, 4, 4, 4]),
      regression(normalRows(1, 30, 4), normalRows(2, 30, 4)),
      halfSum,
    )
    const middle = [2, 3, 4].map((rank) => {
      const theta = new Float64Array(48)
      for (let i = 0; i < rank; i++) theta[16 + 5 * i] = 1 + i / 4
      return theta
    })
    const rowsWith = async (denseLimit: number): Promise<number> =>
      (await findMany(loss, middle, { judge: { denseLimit } })).points.length
    expect(await rowsWith(3000)).toBe(3)
    expect(await rowsWith(1)).toBe(3)
  })
})
