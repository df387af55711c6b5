import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { gemv, row } from '../../linalg/index.ts'
import { norm } from '../../linalg/vector.ts'
import { cnn, linearNetwork, mlp } from '../../model/index.ts'
import type { ActivationName, Model } from '../../model/index.ts'
import { makeDataset } from '../../data/index.ts'
import { tensorOf } from '@thalweg/graph'
import { kinksOf } from './kinks.ts'
import { hessianSpectrum } from '../finders/hessian-spectrum.ts'
import { objectiveOf } from '../finders/objective.ts'
import { polish } from '../finders/polish.ts'
import { symmetryOrbit } from './symmetry-orbit.ts'
import {
  crossEntropy,
  halfSum,
  labeled,
  lossOf,
  meanSquares,
  normalRows,
  regression,
  worked,
} from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const x = normalRows(1, 12, 2)
const y = normalRows(2, 12, 2)

describe('dimension of the orbit at a generic point', () => {
  const net = (activation: ActivationName, bias: boolean): Model => mlp({ widths: [2, 3, 2], activation, bias })
  test.each([
    ['linear, no bias: GL(3) less what moves nothing', net('linear', false), 8],
    ['linear with bias: and translations', net('linear', true), 11],
    ['relu: one scaling per unit', net('relu', true), 3],
    ['tanh: none', net('tanh', true), 0],
  ])('%s', async (_, model, dimension) => {
    const loss = lossOf(engine, model, regression(x, y), meanSquares)
    const theta = model.initialize(5)
    const orbit = symmetryOrbit(loss, theta, null)
    expect(orbit.dimension).toBe(dimension)
    const { gradient } = await loss.valueAndGradient(theta)
    // Invariance to first order and beyond: the loss does not move along the tangents, up to the curvature of the orbit.
    expect(norm(gemv(orbit.tangents, gradient))).toBeLessThan(1e-12 * norm(gradient))
  })
})

test('weight decay leaves the rotations of linear units only', () => {
  const loss = lossOf(engine, linearNetwork([2, 3, 2]), regression(x, y), meanSquares, 0.1)
  expect(symmetryOrbit(loss, loss.model.initialize(5), null).dimension).toBe(3)
})

test('inputs that span less than their space leave the first layer free', () => {
  const flat = x.map(([a]) => [a, 2 * a])
  const loss = lossOf(engine, mlp({ widths: [2, 3, 2], activation: 'tanh' }), regression(flat, y), meanSquares)
  const { kinds } = symmetryOrbit(loss, loss.model.initialize(5), null)
  expect(kinds).toEqual([{ kind: 'data-null-space', dimension: 3 }])
})

test('softmax: the same row added to all scores', () => {
  const loss = lossOf(
    engine,
    mlp({ widths: [2, 3, 2], activation: 'tanh' }),
    labeled(
      x,
      x.map(([a]) => (a > 0 ? 1 : 0)),
      2,
    ),
    crossEntropy,
  )
  expect(symmetryOrbit(loss, loss.model.initialize(5), null).kinds).toEqual([{ kind: 'softmax-shift', dimension: 4 }])
})

test('at a global minimum of a linear network the kernel is the orbit and nothing else', async () => {
  const loss = lossOf(engine, linearNetwork([2, 2, 2, 2]), worked, halfSum)
  const start = Float64Array.of(1.3, 0.2, 0.1, 0.8, 1.1, 0.1, -0.1, 0.9, 1.4, 0.7, 0.8, 0.9)
  const { theta, value } = await polish(objectiveOf(loss), start)
  expect(value).toBeLessThan(1e-28)
  const orbit = symmetryOrbit(loss, theta, null)
  const { values, matrix } = await hessianSpectrum(objectiveOf(loss).at(theta).hessian)
  // rank = r(d_x + d_y − r) = 4 of 12.
  expect(values.filter((v) => Math.abs(v) > 1e-10 * values[11])).toHaveLength(4)
  expect(orbit.dimension).toBe(8)
  for (let i = 0; i < 8; i++) expect(norm(gemv(matrix, row(orbit.tangents, i)))).toBeLessThan(1e-12 * values[11])
})

describe('kinks', () => {
  test('distances in activation space over all data, and units that are off or on everywhere', async () => {
    const loss = lossOf(
      engine,
      mlp({ widths: [1, 3, 1], activation: 'relu' }),
      regression([[1], [2], [-1]], [[0], [0], [0]]),
      meanSquares,
    )
    const theta = Float64Array.of(1, 1, 1, 3, -5, 0.25, 1, 1, 1, 0)
    const kinks = await kinksOf(loss, theta)
    expect(kinks.distance).toBeCloseTo(0.75, 15)
    expect(kinks.deadUnits).toEqual([{ layer: 0, unit: 1 }])
    expect(kinks.linearUnits).toEqual([{ layer: 0, unit: 0 }])
    expect(kinks.onKink).toBe(0)
  })

  test('a bias-free unit at x = 0 is on its kink for every θ and does not count', async () => {
    const loss = lossOf(
      engine,
      mlp({ widths: [1, 2, 1], activation: 'relu', bias: false }),
      regression([[0], [2]], [[0], [0]]),
      meanSquares,
    )
    expect((await kinksOf(loss, Float64Array.of(1, -1, 1, 1))).onKink).toBe(0)
  })

  test('smooth networks have none; leaky ReLU, l1 and hinge have theirs', async () => {
    const data = regression(x, y)
    const at = async (activation: ActivationName, name: 'l1' | 'mse') => {
      const loss = lossOf(engine, mlp({ widths: [2, 3, 2], activation }), data, { name, reduction: 'mean' })
      return kinksOf(loss, loss.model.initialize(1))
    }
    expect((await at('tanh', 'mse')).operators).toEqual([])
    expect((await at('tanh', 'mse')).distance).toBe(Infinity)
    expect((await at('leaky-relu', 'mse')).operators.length).toBeGreaterThan(0)
    expect((await at('tanh', 'l1')).operators.map((o) => o.operator)).toEqual(['Abs'])
  })

  test('max pooling: ties between windows, but not ties of values that stay zero', async () => {
    const model = cnn({ inputShape: [1, 4, 4], channels: [1], outputs: 1, kernel: 1, bias: true })
    const image = Array.from({ length: 16 }, (_, i) => (i < 8 ? 1 + i / 10 : -1))
    const data = makeDataset({
      name: 'image',
      inputs: { x: tensorOf('float64', [1, 1, 4, 4], image) },
      targets: tensorOf('float64', [1, 1], [0]),
      task: 'regression',
      origin: 'test',
    })
    const loss = lossOf(engine, model, data, meanSquares)
    const theta = model.initialize(1)
    theta.set([1, 0.5])
    const kinks = await kinksOf(loss, theta)
    const pool = kinks.operators.find((o) => o.operator === 'MaxPool')!
    // The upper windows' largest values differ by 0.1; the lower windows hold zeros only, which stay zeros.
    expect(pool.distance).toBeCloseTo(0.1, 12)
    expect(kinks.onKink).toBe(0)
  })
})
