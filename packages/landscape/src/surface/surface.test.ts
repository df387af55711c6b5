import { tensorOf } from '@thalweg/graph'
import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { twoMoons } from '../data/index.ts'
import { makeDataset } from '../data/index.ts'
import { norm, symmetricEigenvalues, denseOf } from '../linalg/index.ts'
import { Loss } from '../loss/loss.ts'
import { LossPoint } from '../loss/loss-point.ts'
import { cnn, mlp, parameterRanges } from '../model/index.ts'
import type { Model } from '../model/index.ts'
import { randomStream } from '../random/index.ts'
import { coordinates } from './axis.ts'
import { convexityOf, curvatureGrid, extremeCurvature, nonConvexShare, referenceRatioOf } from './curvature-grid.ts'
import { randomDirection } from './direction.ts'
import {
  eigenDirections,
  gradientDirection,
  interpolationDirections,
  orthogonality,
  orthogonalized,
} from './direction-set.ts'
import { gridMinima } from './grid-topology.ts'
import { lossGrid, pointAt } from './loss-grid.ts'
import type { GridState } from './loss-grid.ts'
import { lossLine, lossPlane, lossVolume, refinePlane } from './loss-plane.ts'
import { pointEvaluator } from './point-evaluator.ts'
import { filterNormalizedSharpness, hessianTrace, keskarSharpness, samSharpness, topEigenvalue } from './sharpness.ts'
import { projectPoints, randomWalkShares, trajectoryPlane } from './trajectory-plane.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const moons = twoMoons({ samples: 60, noise: 0.1, seed: 1 })
const relu = mlp({ widths: [2, 6, 5, 2], activation: 'relu', bias: false })
const theta = relu.initialize(4)
const loss = new Loss({ engine, model: relu, dataset: moons, spec: { name: 'cross-entropy', reduction: 'mean' } })
const { valuesAt } = pointEvaluator(loss)

/** θ with parameter `index` multiplied by `factor(row)`. */
function scaledRows(
  model: Model,
  point: Float64Array,
  index: number,
  factor: (row: number, column: number) => number,
): Float64Array {
  const { parameter, start, end } = parameterRanges(model)[index]
  const columns = parameter.shape[1]
  return point.map((v, i) => {
    const at = i - start
    return i >= start && i < end ? v * factor(Math.floor(at / columns), at % columns) : v
  })
}

/** The first layer times c, the second divided by it. */
function layerScaled(c: number): Float64Array {
  return scaledRows(
    relu,
    scaledRows(relu, theta, 0, () => c),
    1,
    () => 1 / c,
  )
}

const unitScales = [4, 1, 0.5, 1, 2, 1]
/** Each unit of the first layer by its own factor, its outgoing weights divided. */
function unitScaled(): Float64Array {
  return scaledRows(
    relu,
    scaledRows(relu, theta, 0, (row) => unitScales[row]),
    1,
    (_, column) => 1 / unitScales[column],
  )
}

const line = { start: -1, end: 1, count: 9 }

function curve(point: Float64Array, normalization: 'filter' | 'layer' | 'none'): Promise<Float64Array> {
  const direction = randomDirection(relu, point, 7, 0, { normalization })
  return lossLine({ center: point, direction, t: line, valuesAt }).then((l) => l.values)
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i]) / Math.abs(v)), 0)

describe('axes and grids', () => {
  test('nodes lie exactly where they are said to be', () => {
    expect(Array.from(coordinates({ start: -1, end: 1, count: 5 }))).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(coordinates({ start: -0.1, end: 0.3, count: 5 })[1]).toBe(0)
    const odd = coordinates({ start: -0.3, end: 0.3, count: 7 })
    expect(odd[3]).toBe(0)
    expect(Array.from(odd)).toEqual(Array.from(odd, (v) => (v === 0 ? 0 : -v)).reverse())
    expect(coordinates({ start: 0, end: 9, count: 10 })[7]).toBe(7)
    expect(() => coordinates({ start: 1, end: 1, count: 3 })).toThrow('differ')
    expect(() => coordinates({ start: 0, end: Number.NaN, count: 3 })).toThrow('finite')
  })

  test('an 11 × 7 plane holds the loss of each node at its place, the center included', async () => {
    const directions = [0, 1].map((i) => randomDirection(relu, theta, 1, i, { normalization: 'filter' }))
    const plane = await lossPlane({
      center: theta,
      directions: [directions[0], directions[1]],
      x: { start: -1, end: 1, count: 11 },
      y: { start: -0.5, end: 0.25, count: 7 },
      valuesAt,
    })
    expect(plane.values).toHaveLength(77)
    for (const [i, j] of [
      [0, 0],
      [10, 0],
      [3, 6],
      [5, 4],
    ]) {
      const node = pointAt(theta, directions, [plane.x[i], plane.y[j]])
      expect(plane.values[j * 11 + i]).toBeCloseTo(await loss.value(node), 13)
      expect(plane.accuracies![j * 11 + i]).toBe(await loss.accuracy(node))
    }
    expect(plane.y[4]).toBe(0)
    expect(plane.values[4 * 11 + 5]).toBeCloseTo(await loss.value(theta), 14)
  })

  test('the same bits however the grid is cut, and after an interruption', async () => {
    const d = [0, 1].map((i) => randomDirection(relu, theta, 1, i, { normalization: 'none' }))
    const axes = [coordinates({ start: -1, end: 1, count: 9 }), coordinates({ start: -1, end: 1, count: 5 })]
    const common = { center: theta, directions: d, coordinates: axes, valuesAt }
    const whole = await lossGrid({ ...common, batch: 64 })
    const signal = { aborted: false }
    let stopped: GridState | undefined
    for (const batch of [1, 7, 13]) {
      expect((await lossGrid({ ...common, batch })).values).toEqual(whole.values)
      signal.aborted = false
      stopped = await lossGrid({ ...common, batch, signal, onState: ({ done }) => void (signal.aborted = done >= 14) })
      expect(stopped.done).toBeLessThan(45)
      expect(Number.isNaN(stopped.values[44])).toBe(true)
      expect((await lossGrid({ ...common, batch: 5, from: stopped })).values).toEqual(whole.values)
    }
  })

  test('the three ways of evaluation agree', async () => {
    const images = new Float64Array(10 * 36)
    randomStream(3, 'images').fillNormal(images)
    const dataset = makeDataset({
      name: 'images',
      inputs: { x: tensorOf('float64', [10, 1, 6, 6], images) },
      targets: tensorOf(
        'int64',
        [10],
        Array.from({ length: 10 }, (_, i) => i % 3),
      ),
      task: 'classification',
      classCount: 3,
      origin: 'test',
    })
    const model = cnn({ inputShape: [1, 6, 6], channels: [3], outputs: 3 })
    const convolutional = new Loss({
      engine,
      model,
      dataset,
      spec: { name: 'cross-entropy', reduction: 'mean' },
      chunkSize: 4,
    })
    const points = randomStream(5, 'points').normals(3 * convolutional.size)
    const results = []
    for (const method of ['batched', 'inputs', 'baked'] as const)
      results.push(await pointEvaluator(convolutional, method).valuesAt(points, 3))
    for (const { values, accuracies } of results) {
      expect(worst(values, results[0].values)).toBeLessThan(1e-13)
      expect(accuracies).toEqual(results[0].accuracies)
    }
    expect(results[0].values[1]).toBeCloseTo(
      await convolutional.value(points.slice(convolutional.size, 2 * convolutional.size)),
      12,
    )
  })

  test('values that are not finite are kept and disturb nothing else', async () => {
    const huge = theta.map(() => 1e200)
    for (const method of ['batched', 'inputs'] as const) {
      const l = await lossLine({
        center: theta,
        direction: huge,
        t: Float64Array.of(0, 1, 1e200),
        valuesAt: pointEvaluator(loss, method).valuesAt,
      })
      expect(l.values[0]).toBeCloseTo(await loss.value(theta), 13)
      expect([l.values[1], l.values[2]].map(Number.isFinite)).toEqual([false, false])
    }
  })

  test('a volume puts its nodes in order, refinement adds nodes and keeps the known ones', async () => {
    const quadratic = async (thetas: Float64Array, count: number): Promise<Float64Array> =>
      Float64Array.from({ length: count }, (_, k) => thetas[3 * k] + 10 * thetas[3 * k + 1] + 100 * thetas[3 * k + 2])
    const unit = [0, 1, 2].map((i) => Float64Array.from({ length: 3 }, (_, k) => Number(k === i)))
    const center = new Float64Array(3)
    const axis = (count: number): { start: number; end: number; count: number } => ({ start: 0, end: count - 1, count })
    const volume = await lossVolume({
      center,
      directions: [unit[0], unit[1], unit[2]],
      x: axis(2),
      y: axis(3),
      z: axis(4),
      valuesAt: quadratic,
    })
    expect(volume.values[(3 * 3 + 2) * 2 + 1]).toBe(321)
    let evaluated = 0
    const counted = async (thetas: Float64Array, count: number): Promise<Float64Array> => {
      evaluated += count
      return Float64Array.from({ length: count }, (_, k) => (thetas[3 * k] - 1.4) ** 2 + (thetas[3 * k + 1] - 2) ** 2)
    }
    const options = { center, directions: [unit[0], unit[1]] as const, valuesAt: counted }
    const plane = await lossPlane({ ...options, x: axis(4), y: axis(5) })
    const fine = await refinePlane({ ...options, plane })
    expect(Array.from(fine.x)).toEqual([0, 0.5, 1, 1.5, 2, 3])
    expect(Array.from(fine.y)).toEqual([0, 1, 1.5, 2, 2.5, 3, 4])
    expect(evaluated).toBe(fine.values.length)
    fine.y.forEach((y, j) =>
      fine.x.forEach((x, i) => expect(fine.values[j * fine.x.length + i]).toBe((x - 1.4) ** 2 + (y - 2) ** 2)),
    )
  })
})

describe('what filter normalisation is invariant to (V-1)', () => {
  test('rescaling layers leaves the filter- and layer-normalised curves alone, the raw one not', async () => {
    const scaled = layerScaled(8)
    expect(await loss.value(scaled)).toBe(await loss.value(theta))
    for (const normalization of ['filter', 'layer'] as const)
      expect(worst(await curve(theta, normalization), await curve(scaled, normalization))).toBeLessThan(1e-14)
    expect(worst(await curve(theta, 'none'), await curve(scaled, 'none'))).toBeGreaterThan(0.05)
  })

  test('rescaling single units changes it all the same', async () => {
    const scaled = unitScaled()
    expect(await loss.value(scaled)).toBeCloseTo(await loss.value(theta), 14)
    expect(worst(await curve(theta, 'filter'), await curve(scaled, 'filter'))).toBeGreaterThan(1e-3)
  })

  test('of the sharpness measures only the filter-normalised one keeps its value', async () => {
    const scaled = layerScaled(8)
    const measures = {
      topEigenvalue: async (at: Float64Array) => (await topEigenvalue(loss, at)).value,
      trace: async (at: Float64Array) => (await hessianTrace(loss, at)).value,
      keskar: async (at: Float64Array) => (await keskarSharpness(loss, at, 1e-2)).value,
      sam: async (at: Float64Array) => (await samSharpness(loss, at, 0.05)).value,
      filter: async (at: Float64Array) => (await filterNormalizedSharpness(loss, at, { valuesAt })).value,
    }
    const ratios = new Map<string, number>()
    for (const [name, measure] of Object.entries(measures))
      ratios.set(name, (await measure(scaled)) / (await measure(theta)))
    for (const name of ['topEigenvalue', 'trace', 'keskar', 'sam'])
      expect(Math.abs(Math.log(ratios.get(name)!))).toBeGreaterThan(0.1)
    expect(Math.abs(ratios.get('filter')! - 1)).toBeLessThan(1e-6)
  })
})

describe('directions', () => {
  test('two Gaussian directions are nearly orthogonal, and exactly so after Gram–Schmidt, with their lengths', () => {
    const wide = mlp({ widths: [10, 40, 10] })
    const at = wide.initialize(0)
    const [a, b] = [0, 1].map((i) => randomDirection(wide, at, 2, i, { normalization: 'none', ignoreVectors: false }))
    const before = orthogonality([a, b])
    expect(before.worst).toBeGreaterThan(1e-6)
    expect(before.worst).toBeLessThan(4 / Math.sqrt(a.length))
    const after = orthogonalized([a, b])
    expect(orthogonality(after).worst).toBeLessThan(1e-15)
    expect(norm(after[1])).toBeCloseTo(norm(b), 12)
    expect(() => orthogonalized([a, a.map((v) => 2 * v)])).toThrow('combination')
  })

  test('interpolation starts at one model and ends at the other', async () => {
    const other = relu.initialize(9)
    const [{ vector }] = interpolationDirections([theta, other])
    const l = await lossLine({ center: theta, direction: vector, t: { start: -0.5, end: 1.5, count: 5 }, valuesAt })
    expect(Array.from(l.t)).toEqual([-0.5, 0, 0.5, 1, 1.5])
    expect(l.values[1]).toBeCloseTo(await loss.value(theta), 13)
    expect(l.values[3]).toBeCloseTo(await loss.value(other), 13)
    expect(() => interpolationDirections([theta, theta])).toThrow('again')
  })

  test('along eigenvectors the curvature is the eigenvalue; the gradient points downhill', async () => {
    const tanh = mlp({ widths: [2, 5, 2], activation: 'tanh' })
    const smooth = new Loss({ engine, model: tanh, dataset: moons, spec: { name: 'cross-entropy', reduction: 'mean' } })
    const at = tanh.initialize(2)
    const all = symmetricEigenvalues((await denseOf(new LossPoint(smooth, at).operator('hessian'))).matrix)
    const [top, bottom] = await eigenDirections(smooth, at, 2, { which: 'ends' })
    expect(top.eigenvalue).toBeCloseTo(all[all.length - 1], 8)
    expect(bottom.eigenvalue).toBeCloseTo(all[0], 8)
    const h = 1e-3
    const [plus, here, minus] = await Promise.all([h, 0, -h].map((t) => smooth.value(pointAt(at, [top.vector], [t]))))
    expect((plus - 2 * here + minus) / h ** 2).toBeCloseTo(top.eigenvalue!, 4)
    const { vector } = await gradientDirection(smooth, at)
    expect(await smooth.value(pointAt(at, [vector], [0.1]))).toBeLessThan(here)
  })
})

describe('curvature', () => {
  test('the convexity map is right on definite Hessians, where the reference ratio is not', () => {
    expect(convexityOf(4, 1)).toBe(0)
    expect(referenceRatioOf(4, 1)).toBe(0.25)
    expect(convexityOf(4, -1)).toBe(0.25)
    expect(convexityOf(-1, -4)).toBe(4)
    expect(convexityOf(0, 0)).toBe(0)
    expect(convexityOf(0, -1)).toBe(Number.POSITIVE_INFINITY)
    expect(convexityOf(Number.NaN, 1)).toBeNaN()
  })

  test('both ends agree with the dense Hessian on every node; nodes without a finite loss are NaN', async () => {
    const tanh = mlp({ widths: [2, 4, 2], activation: 'tanh' })
    const smooth = new Loss({ engine, model: tanh, dataset: moons, spec: { name: 'cross-entropy', reduction: 'mean' } })
    const at = tanh.initialize(2)
    const directions = [0, 1].map((i) => randomDirection(tanh, at, 1, i, { normalization: 'filter' })) as [
      Float64Array,
      Float64Array,
    ]
    const grid = await curvatureGrid({
      loss: smooth,
      center: at,
      directions,
      x: { start: -1, end: 1, count: 3 },
      y: { start: -0.5, end: 0.5, count: 2 },
      tolerance: 1e-6,
    })
    for (const node of [0, 3, 5]) {
      const point = pointAt(at, directions, [grid.x[node % 3], grid.y[Math.floor(node / 3)]])
      const all = symmetricEigenvalues((await denseOf(new LossPoint(smooth, point).operator('hessian'))).matrix)
      expect(grid.largest[node]).toBeCloseTo(all[all.length - 1], 7)
      expect(grid.smallest[node]).toBeCloseTo(all[0], 7)
    }
    expect(grid.converged).toBe(6)
    expect(nonConvexShare({ convexity: Float64Array.of(0, 0.2, 0.05, Number.NaN) })).toBeCloseTo(1 / 3)
    const lost = await extremeCurvature(
      smooth,
      at.map(() => 1e308),
    )
    expect(lost.largest).toBeNaN()
    await expect(extremeCurvature(smooth, at, { tolerance: -1 })).rejects.toThrow('tolerance')
  })
})

describe('trajectories', () => {
  test('a high-dimensional random walk shows 6/π²k², so its two components prove nothing (V-3)', () => {
    const [steps, size] = [200, 4000]
    let at = new Float64Array(size)
    const points = Array.from({ length: steps }, (_, i) => {
      const step = randomStream(11, 'walk', i).normals(size)
      at = at.map((v, k) => v + step[k])
      return at
    })
    const { explained, randomWalk } = trajectoryPlane([points])
    const limit = [1, 2, 3, 4].map((k) => 6 / (Math.PI * k) ** 2)
    limit.forEach((share, k) => {
      expect(Math.abs(explained[k] / share - 1)).toBeLessThan(0.06)
      expect(Math.abs(randomWalk[k] / share - 1)).toBeLessThan(1e-3)
    })
    expect(randomWalkShares(5, 9).reduce((s, v) => s + v, 0)).toBeCloseTo(1, 14)
    expect(randomWalkShares(2, 1)[0]).toBeCloseTo(1, 15)
  })

  test('projections are least squares, with the distance off the plane', () => {
    const center = Float64Array.of(1, 1, 1)
    const skew = [Float64Array.of(1, 0, 0), Float64Array.of(1, 1, 0)]
    const [inside, above] = projectPoints(center, skew, [Float64Array.of(4, 3, 1), Float64Array.of(4, 3, 3)])
    expect(inside.coordinates.map((c) => Math.round(c * 1e12) / 1e12)).toEqual([1, 2])
    expect(inside.offPlaneDistance).toBeLessThan(1e-14)
    expect(above.coordinates[1]).toBeCloseTo(2, 13)
    expect(above.offPlaneDistance).toBeCloseTo(2, 13)
    expect(above.offPlaneShare).toBeCloseTo(2 / Math.sqrt(17), 13)
  })

  test('a path in a plane has all its variance there and starts on the positive side', () => {
    const points = Array.from({ length: 6 }, (_, i) => Float64Array.of(3 - i, 0.3 * i * i, 0, 0))
    const { center, directions, explained } = trajectoryPlane([points])
    expect(explained[0] + explained[1]).toBeCloseTo(1, 12)
    const [first] = projectPoints(
      center,
      directions.map((d) => d.vector),
      points,
    )
    expect(first.coordinates[0]).toBeGreaterThan(0)
    expect(() => trajectoryPlane([[points[0], points[1], points[0]]])).toThrow('dimensions')
  })
})

describe('topology', () => {
  test('basins and the passes between them, by persistence', () => {
    const values = Float64Array.of(3, 0, 4, 2, 5, 1, 6)
    const minima = gridMinima(values, [7])
    expect(minima.map((m) => [m.node, m.value, m.saddle?.value ?? null, m.persistence, m.parent])).toEqual([
      [1, 0, null, Number.POSITIVE_INFINITY, null],
      [5, 1, 5, 4, 1],
      [3, 2, 4, 2, 1],
    ])
  })

  test('on a plane neighbors are diagonal too, plateaus are one minimum, holes separate', () => {
    expect(gridMinima(Float64Array.of(1, 9, 9, 1), [2, 2])).toHaveLength(1)
    const wall = Number.NaN
    expect(gridMinima(Float64Array.of(1, wall, 2, 1, wall, 2, 1, wall, 2), [3, 3]).map((m) => m.node)).toEqual([0, 2])
    expect(() => gridMinima(new Float64Array(3), [2, 2])).toThrow('fill')
  })
})
