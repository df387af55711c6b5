import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { symmetricEigen } from '../../linalg/symmetric-eigen.ts'
import { norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import { mlp } from '../../model/index.ts'
import { randomStream } from '../../random/random-stream.ts'
import { interpolationCertificate } from './interpolation.ts'
import { lossOf, meanSquares, normalRows, regression } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const x = normalRows(21, 6, 3)
/** Targets a little off what the network gives, so that θ is near, but not at, interpolation. */
async function near(width: number, off: number, activation: 'tanh' | 'softplus' | 'relu' = 'tanh', depth = 1) {
  const model = mlp({ widths: [3, ...Array.from({ length: depth }, () => width), 1], activation })
  const theta = model.initialize(1)
  const blank = lossOf(
    engine,
    model,
    regression(
      x,
      x.map(() => [0]),
    ),
    meanSquares,
  )
  const f = await blank.outputs(theta)
  const noise = randomStream(1, 'off').normals(6)
  const loss = lossOf(
    engine,
    model,
    regression(
      x,
      Array.from(f, (v, i) => [v + off * noise[i]]),
    ),
    meanSquares,
  )
  return { loss, theta }
}

describe('interpolation certificate', () => {
  test('a wide network near its data has a zero-loss minimum in the ball, and gradient descent finds it there', async () => {
    const { loss, theta } = await near(3000, 0.01)
    const c = (await interpolationCertificate(loss, theta))!
    expect(c.outcome).toBe('proved')
    expect(c.radius!).toBeGreaterThanOrEqual((2 * c.residualNorm) / Math.sqrt(c.mu!))
    expect(c.mu!).toBeLessThan(c.lambdaMin)
    let trace = 0
    // λ_min(J Jᵀ) stays above μ at random points of the ball: not a proof, a test of one.
    for (let i = 0; i < 4; i++) {
      const v = randomStream(i, 'ball').normals(theta.length)
      const scale = c.radius! / norm(v)
      const rows = await new LossPoint(
        loss,
        theta.map((t, j) => t + scale * v[j]),
      ).jacobianTransposed(
        Float64Array.from({ length: 36 }, (_, e) => Number(e % 7 === 0)),
        6,
      )
      const gram = new Float64Array(36)
      for (let a = 0; a < 6; a++)
        for (let b = 0; b < 6; b++)
          for (let j = 0; j < loss.size; j++) gram[6 * a + b] += rows[a * loss.size + j] * rows[b * loss.size + j]
      trace = gram.reduce((sum, g, e) => sum + (e % 7 === 0 ? g : 0), 0)
      expect(symmetricEigen({ rows: 6, cols: 6, data: gram }).values[0]).toBeGreaterThan(c.mu!)
    }
    let at = theta.slice()
    const rate = 3 / trace
    for (let i = 0; i < 600; i++) {
      const { gradient } = await loss.valueAndGradient(at)
      at = at.map((t, j) => t - rate * gradient[j])
    }
    expect(await loss.value(at)).toBeLessThan(0.1 * (await loss.value(theta)))
    expect(norm(at.map((t, j) => t - theta[j]))).toBeLessThan(c.radius!)
  })

  test('a narrow one is refused, with the residual that would do', async () => {
    const { loss, theta } = await near(3, 1)
    const c = (await interpolationCertificate(loss, theta))!
    expect(c.outcome).toBe('no-ball')
    expect(c.residualMax!).toBeLessThan(c.residualNorm)
    expect(c.lambdaMin).toBeGreaterThan(0)
  })

  test('deeper networks and other smooth activations are bounded, too', async () => {
    const { loss, theta } = await near(60, 1e-5, 'softplus', 2)
    expect((await interpolationCertificate(loss, theta))!.outcome).toBe('proved')
  })

  test('kinks have no Lipschitz Jacobian; equal inputs make it singular; fewer parameters than data: no question', async () => {
    const relu = await near(50, 1e-6, 'relu')
    expect((await interpolationCertificate(relu.loss, relu.theta))!.outcome).toBe('no-bound')
    const model = mlp({ widths: [3, 40, 1], activation: 'tanh' })
    const doubled = lossOf(engine, model, regression([...x, x[0]], [...x.map(() => [0]), [1]]), meanSquares)
    expect((await interpolationCertificate(doubled, model.initialize(1)))!.outcome).toBe('singular')
    const tiny = mlp({ widths: [3, 1, 1], activation: 'tanh', bias: false })
    const few = lossOf(
      engine,
      tiny,
      regression(
        x,
        x.map(() => [0]),
      ),
      meanSquares,
    )
    expect(await interpolationCertificate(few, tiny.initialize(1))).toBeNull()
  })

  test('an output activation is noticed and refused', async () => {
    const model = mlp({ widths: [3, 40, 1], activation: 'tanh', outputActivation: 'sigmoid' })
    const loss = lossOf(
      engine,
      model,
      regression(
        x,
        x.map(() => [0.5]),
      ),
      meanSquares,
    )
    expect((await interpolationCertificate(loss, model.initialize(1)))!.outcome).toBe('no-bound')
  })

  test('a rectified output is refused where it happens to be on', async () => {
    const model = mlp({ widths: [3, 3000, 1], activation: 'tanh', outputActivation: 'relu' })
    const theta = model.initialize(1)
    const zeros = x.map(() => [0])
    const before = await lossOf(
      engine,
      mlp({ widths: [3, 3000, 1], activation: 'tanh' }),
      regression(x, zeros),
      meanSquares,
    ).outputs(theta)
    theta[theta.length - 1] += 0.001 - Math.min(...before)
    const f = await lossOf(engine, model, regression(x, zeros), meanSquares).outputs(theta)
    // one target is below zero, out of reach
    const targets = Array.from(f, (v) => [v - 0.003])
    expect(
      (await interpolationCertificate(lossOf(engine, model, regression(x, targets), meanSquares), theta))!.outcome,
    ).toBe('no-bound')
  })

  test('unequal weights of samples need a larger ball', async () => {
    const { loss, theta } = await near(3000, 0.003)
    const plain = (await interpolationCertificate(loss, theta))!
    const dataset = { ...loss.dataset, sampleWeights: Float64Array.of(16, 1, 1, 1, 1, 1) }
    const weighted = (await interpolationCertificate(lossOf(engine, loss.model, dataset, meanSquares), theta))!
    expect(weighted.outcome).toBe('proved')
    expect(weighted.radius! * Math.sqrt(weighted.mu!)).toBeGreaterThanOrEqual(4 * 2 * weighted.residualNorm)
    expect(weighted.radius!).toBeGreaterThan(3.9 * plain.radius!)
  })

  test('the Lipschitz bound holds for differences of Jacobians along random lines', async () => {
    for (const [width, depth] of [
      [5, 1],
      [4, 3],
    ] as const) {
      const { loss, theta } = await near(width, 1e-9, 'tanh', depth)
      const c = (await interpolationCertificate(loss, theta))!
      const lipschitz = c.lipschitz!
      const unit = Float64Array.from({ length: 36 }, (_, e) => Number(e % 7 === 0))
      const here = await new LossPoint(loss, theta).jacobianTransposed(unit, 6)
      for (let i = 0; i < 8; i++) {
        const v = randomStream(i, 'line').normals(theta.length)
        const h = 1e-5 / norm(v)
        const there = await new LossPoint(
          loss,
          theta.map((t, j) => t + h * v[j]),
        ).jacobianTransposed(unit, 6)
        expect(norm(there.map((a, j) => a - here[j])) / 1e-5).toBeLessThan(lipschitz)
      }
    }
  })
})
