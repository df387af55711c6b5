import { nativeEngine } from '@thalweg/engine/node'
import { transpose } from '@thalweg/graph'
import { afterAll, expect, test } from 'vitest'
import { linearNetwork, mlp } from '../../model/index.ts'
import type { Model } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { noisyStarts } from '../finders/noisy-starts.ts'
import { findMany, indexTable } from './many.ts'
import { sameCriticalPoint } from './same-critical-point.ts'
import { objectiveOf } from '../finders/objective.ts'
import { halfSum, lossOf, regression } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const lambda = [8, 4, 2, 1, 0.5]
const rows = lambda.map((l, i) => lambda.map((_, j) => (i === j ? Math.sqrt(l) : 0)))

function subsets(): number[][] {
  return Array.from({ length: 32 }, (_, mask) => lambda.flatMap((_l, i) => (mask & (1 << i) ? [i] : []))).filter(
    (s) => s.length <= 2,
  )
}

/** Value and index of the critical class S of the linear autoencoder 5-2-5. */
function closedForm(s: readonly number[]): { loss: number; negative: number } {
  const loss = (15.5 - s.reduce((sum, i) => sum + lambda[i], 0)) / 2
  const inversions = s.reduce((sum, i) => sum + lambda.filter((_, j) => j < i && !s.includes(j)).length, 0)
  return { loss, negative: (2 - s.length) * (5 - s.length) + inversions }
}

test('linear autoencoder 5-2-5: every critical point found has the value and index of the closed form', async () => {
  const loss = lossOf(engine, linearNetwork([5, 2, 5]), regression(rows, rows), halfSum)
  const objective = objectiveOf(loss)
  const base = [1, 2, 3].map((seed) => loss.model.initialize(seed))
  const trajectory = [...base, new Float64Array(loss.size)]
  const starts = noisyStarts(trajectory, { noise: [0.3, 1, 2], count: 36, seed: 5 })
  const found = await findMany(objective, starts, { method: 'polish', same: sameCriticalPoint(loss.model) })
  const expected = subsets().map(closedForm)
  const t = indexTable(found)
  expect(found.outcomes.converged).toBeGreaterThanOrEqual(30)
  for (const { loss: value, negative } of t) {
    const match = expected.filter((e) => Math.abs(e.loss - value) < 1e-12)
    expect(match.length, `${value}`).toBeGreaterThan(0)
    expect(match.map((m) => m.negative)).toContain(negative)
  }
  expect(new Set(t.map((r) => r.loss.toFixed(8))).size).toBeGreaterThanOrEqual(4)
  // All values differ, so that no class may appear twice.
  expect(new Set(t.map((r) => r.loss.toFixed(8))).size).toBe(t.length)
})

test('a point without noise is a start once', () => {
  const bases = [Float64Array.of(1, 2), Float64Array.of(3, 4)]
  const starts = noisyStarts(bases, { noise: [0, 0.1], count: 10 }).map(String)
  expect(new Set(starts).size).toBe(10)
  expect(starts).toContain('1,2')
  expect(starts).toContain('3,4')
  expect(noisyStarts(bases, { noise: [0], count: 3 }).map(String)).toEqual(['1,2', '1,2', '3,4'])
})

test('targets of size 1e-8 and starts of size 1: values and indices are those of the closed form all the same', async () => {
  const unit = 1e-8
  const targets = rows.map((row) => row.map((v) => unit * v))
  const loss = lossOf(engine, linearNetwork([5, 2, 5]), regression(rows, targets), halfSum)
  const starts = noisyStarts([loss.model.initialize(1)], { noise: [0.5, 1], count: 12, seed: 7 })
  const { points } = await findMany(loss, starts)
  expect(points.length).toBeGreaterThan(2)
  const expected = subsets().map(closedForm)
  for (const { loss: value, inertia } of points) {
    const match = expected.find((e) => Math.abs(e.loss * unit ** 2 - value) < 1e-10 * unit ** 2)
    expect(match?.negative).toBe(inertia.negative)
  }
})

test('searches reach critical points much farther away than their starts are from zero', async () => {
  const random = randomStream(4, 'far')
  const normals = (d: number, shift: number): number[][] =>
    Array.from({ length: 12 }, () => Array.from(random.normals(d), (v) => v + shift))
  const far = regression(normals(3, 0), normals(2, 20))
  const loss = lossOf(engine, mlp({ widths: [3, 1, 2], activation: 'linear' }), far, halfSum)
  const starts = noisyStarts([loss.model.initialize(1)], { noise: [0.1, 0.5], count: 12 })
  const { outcomes, searches } = await findMany(loss, starts)
  expect(outcomes.converged).toBeGreaterThanOrEqual(8)
  for (const { status, distance } of searches) if (status === 'converged') expect(distance).toBeGreaterThan(5)
})

test('a loose tolerance gives wrong values and indices, a tight one does not', async () => {
  const loss = lossOf(engine, linearNetwork([5, 2, 5]), regression(rows, rows), halfSum)
  const starts = noisyStarts([loss.model.initialize(1)], { noise: [0.5, 1], count: 10, seed: 7 })
  const expected = subsets().map(closedForm)
  const wrong = async (gradientTolerance: number): Promise<number> => {
    const { searches } = await findMany(objectiveOf(loss), starts, { gradientTolerance })
    const reached = searches.filter((s) => s.status === 'converged')
    expect(reached.length).toBeGreaterThan(6)
    return Math.max(...reached.map((s) => Math.min(...expected.map((e) => Math.abs(e.loss - s.value)))))
  }
  expect(await wrong(0.1)).toBeGreaterThan(1e-5)
  expect(await wrong(1e-10)).toBeLessThan(1e-14)
})

test('linear networks with one product are one point only if their partial products have the same ranks', () => {
  for (const bias of [false, true]) {
    const same = sameCriticalPoint(mlp({ widths: [2, 2, 2, 2], activation: 'linear', bias }))
    const layer = (...w: number[]): number[] => (bias ? [...w, 0, 0] : w)
    const point = (...layers: number[][]): Float64Array => Float64Array.from(layers.flat())
    const [zero, one, half] = [layer(0, 0, 0, 0), layer(1, 0, 0, 1), layer(1, 0, 0, 0)]
    expect(same(point(zero, one, zero), point(zero, layer(2, 1, 0, 1), zero))).toBe(true)
    expect(same(point(zero, one, zero), point(zero, half, zero))).toBe(false)
    expect(same(point(zero, one, zero), point(zero, zero, zero))).toBe(false)
    expect(same(point(layer(2, 0, 0, 1), one, half), point(layer(1, 0, 0, 1), one, layer(2, 0, 0, 0)))).toBe(true)
  }
})

test('a network in a file that is recognized merges like ours; its weights may lie transposed', () => {
  const ours = mlp({ widths: [2, 3, 1], activation: 'tanh' })
  const file: Model = {
    ...ours,
    architecture: { kind: 'unknown' },
    parameters: [['a', [2, 3]] as const, ['b', [3]] as const, ['c', [1, 3]] as const, ['d', [1]] as const].map(
      ([name, shape]) => ({ name, shape, role: 'weight', outputAxis: 0 }),
    ),
    forward: ([a, b, c, d], inputs) => ours.forward([transpose(a, [1, 0]), b, c, d], inputs),
  }
  const t = randomStream(2, 'theta').normals(13)
  const order = [1, 2, 0]
  const signs = [1, -1, 1]
  const moved = t.slice()
  order.forEach((from, to) => {
    for (const i of [0, 1]) moved[3 * i + to] = signs[from] * t[3 * i + from]
    for (const start of [6, 9]) moved[start + to] = signs[from] * t[start + from]
  })
  const same = sameCriticalPoint(file)
  expect(same(t, moved)).toBe(true)
  moved[3] += 0.01
  expect(same(t, moved)).toBe(false)
})

test('permuted, sign-flipped and rescaled networks are the same point; a changed one is not', () => {
  const p = 2 * 3 + 3 + 3 * 2 + 2
  const t = randomStream(1, 'theta').normals(p)
  const [w, b, v, c] = [t.subarray(0, 6), t.subarray(6, 9), t.subarray(9, 15), t.subarray(15)]
  const transformed = (factors: readonly number[]): Float64Array => {
    const order = [2, 0, 1]
    const out = new Float64Array(p)
    order.forEach((from, to) => {
      for (let i = 0; i < 2; i++) out[2 * to + i] = w[2 * from + i] * factors[from]
      out[6 + to] = b[from] * factors[from]
      for (let r = 0; r < 2; r++) out[9 + 3 * r + to] = v[3 * r + from] / factors[from]
    })
    out.set(c, 15)
    return out
  }
  const widths = [2, 3, 2]
  const tanh = sameCriticalPoint(mlp({ widths, activation: 'tanh' }))
  const relu = sameCriticalPoint(mlp({ widths, activation: 'relu' }))
  expect(tanh(t, transformed([1, -1, -1]))).toBe(true)
  expect(tanh(t, transformed([1, 2, 1]))).toBe(false)
  expect(relu(t, transformed([1, 2, 0.3]))).toBe(true)
  expect(relu(t, transformed([1, -1, 1]))).toBe(false)
  const other = t.slice()
  other[16] += 1e-3
  expect(tanh(t, other)).toBe(false)
})

test('many searches together find the critical points of searches one by one', async () => {
  const diagonal = [4, 3, 2, 1].map((l, i) => [0, 1, 2, 3].map((j) => (i === j ? Math.sqrt(l) : 0)))
  const loss = lossOf(engine, linearNetwork([4, 2, 4]), regression(diagonal, diagonal), halfSum)
  const bases = Array.from({ length: 12 }, (_, i) => loss.model.initialize(i))
  const starts = noisyStarts(bases, { noise: [0.1, 1], count: 12, seed: 5 })
  const [alone, together] = await Promise.all([1, 64].map((count) => findMany(loss, starts, { together: count })))
  expect(together.outcomes).toEqual(alone.outcomes)
  const [a, b] = [indexTable(alone), indexTable(together)]
  expect(b).toEqual(a.map((row) => ({ ...row, loss: expect.closeTo(row.loss, 13) })))
  expect(a[0].verdict).toBe('local-minimum')
  expect(a.slice(1).every(({ verdict }) => verdict === 'strict-saddle')).toBe(true)
})
