import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import type { LossSpec } from '../../loss/loss-function.ts'
import { mlp } from '../../model/index.ts'
import { diagnose } from './diagnose.ts'
import { crossEntropy, labeled, lossOf, meanSquares, normalRows, regression } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const line = mlp({ widths: [1, 1], activation: 'linear' })
const l1: LossSpec = { name: 'l1', reduction: 'mean' }
const hinge: LossSpec = { name: 'hinge', reduction: 'mean' }

describe('losses with kinks of their own on models that are linear in θ', () => {
  const x = [[-2], [-1], [0], [1], [3]]
  /** Through the first, third and last point; the others lie above and below: least absolute deviations. */
  const y = [[-2], [0.5], [0], [0.2], [3]]

  test('least absolute deviations: the line through two points, its gradient not zero, is proved optimal', async () => {
    const d = await diagnose(lossOf(engine, line, regression(x, y), l1), Float64Array.of(1, 0))
    expect(d.gradientNorm).toBeGreaterThan(0.01)
    expect(d.verdict).toBe('global-minimum')
    const proof = d.evidence.find(({ kind }) => kind === 'convex-model')!
    expect(proof.value!).toBeLessThanOrEqual(proof.bound!)
    expect(d.criticalDistance).toBe(0)
  })

  test('a line on kinks that can be improved is not critical', async () => {
    const d = await diagnose(lossOf(engine, line, regression(x, y), l1), Float64Array.of(0.2, 0))
    expect(d.verdict).toBe('not-critical')
  })

  test('a line through no point is not critical, nor is it while hinges are open', async () => {
    expect((await diagnose(lossOf(engine, line, regression(x, y), l1), Float64Array.of(0.2, 0.1))).verdict).toBe(
      'not-critical',
    )
    const signs = regression([[1], [2], [-1]], [[1], [1], [-1]])
    const open = lossOf(engine, line, signs, hinge)
    expect((await diagnose(open, Float64Array.of(0.1, 0))).verdict).toBe('not-critical')
    expect((await diagnose(open, Float64Array.of(2, 0))).verdict).toBe('global-minimum')
  })

  test('an even number of values: each of the two in the middle is a median', async () => {
    const same = regression([[0], [0], [0], [0]], [[0], [1], [3], [7]])
    for (const [bias, verdict] of [
      [1, 'global-minimum'],
      [2, 'global-minimum'],
      [3, 'global-minimum'],
      [0, 'not-critical'],
    ] as const)
      expect((await diagnose(lossOf(engine, line, same, l1), Float64Array.of(0, bias))).verdict).toBe(verdict)
  })

  test('a residual at the very bound of what counts as on the kink certifies nothing', async () => {
    const bound = 2 ** -44 * Math.hypot(1, 5, 7, 9)
    for (let ulps = -4; ulps <= 4; ulps++) {
      const first = 1 + bound / 2 + ulps * 2 ** -52
      const loss = lossOf(engine, line, regression([[0], [1], [2], [3]], [[first], [5], [7], [9]]), l1)
      expect((await diagnose(loss, Float64Array.of(0, 1))).verdict).toBe('not-critical')
    }
  })

  test('interpolation up to rounding is optimal although signs of its residuals are random', async () => {
    const rows = normalRows(31, 6, 1)
    const model = mlp({ widths: [1, 8, 1], activation: 'tanh' })
    const theta = model.initialize(2)
    const inner = lossOf(engine, model, regression(rows, rows), l1)
    const outputs = await inner.outputs(theta)
    const targets = Array.from(outputs, (z, i) => [z * (1 + (i % 3) * 2 ** -52)])
    const d = await diagnose(lossOf(engine, model, regression(rows, targets), l1), theta)
    expect(d.verdict).toBe('global-minimum')
  })

  test('inputs of whatever unit: a slope is compared with its own terms', async () => {
    const slope = mlp({ widths: [1, 1], activation: 'linear', bias: false })
    for (const unit of [1, 1e-20]) {
      const at = async (second: number): Promise<string> => {
        const data = regression([[unit], [second * unit]], [[0], [1]])
        return (await diagnose(lossOf(engine, slope, data, l1), Float64Array.of(0))).verdict
      }
      expect(await at(0.5)).toBe('global-minimum')
      expect(await at(2)).not.toBe('global-minimum')
    }
  })

  test('hinge with margins of exactly 1 where decay pulls back: the support vectors carry the subgradient', async () => {
    // ½·0.1·w² + mean max(0, 1 − w): w = 1, slope 0.1 against a subgradient in [−1, 0]; the bias is balanced
    const d = await diagnose(
      lossOf(engine, line, regression([[1], [-1]], [[1], [-1]]), hinge, 0.1),
      Float64Array.of(1, 0),
    )
    expect(d.verdict).toBe('global-minimum')
    expect(d.summary.id).toBe('summary.global-minimum-convex')
    const classes = lossOf(engine, line, labeled([[1], [-1]], [1, 0], 2), hinge, 0.1)
    expect((await diagnose(classes, Float64Array.of(1, 0))).verdict).toBe('global-minimum')
  })
})

test('a rectifier network at its origin: no slope, but a ray downhill of order 2, and an escape', async () => {
  const rows = normalRows(32, 12, 2)
  const loss = lossOf(
    engine,
    mlp({ widths: [2, 3, 1], activation: 'relu', bias: false }),
    regression(
      rows,
      rows.map(([a, b]) => [a + b]),
    ),
    meanSquares,
  )
  const d = await diagnose(loss, new Float64Array(loss.size))
  expect(d.verdict).toBe('undecided')
  expect(d.summary.id).toBe('summary.undecided-kink-falling')
  expect(d.summary.values.order).toBe(2)
  expect(await loss.value(Float64Array.from(d.escape!.theta))).toBeLessThan(d.loss)
})

describe('cross-entropy that no finite θ minimizes', () => {
  test('contradictory labels at one input, separable ones elsewhere: the gap is to their entropy', async () => {
    const data = labeled([[0], [0], [1], [2]], [0, 1, 1, 1], 2)
    const model = mlp({ widths: [1, 2], activation: 'linear', bias: false })
    const d = await diagnose(lossOf(engine, model, data, crossEntropy), Float64Array.of(-9, 9))
    expect(d.verdict).toBe('near-infimum')
    expect(d.summary.id).toBe('summary.near-infimum-entropy')
    expect(d.summary.values.infimum).toBeCloseTo(Math.log(2) / 2, 14)
    expect(d.gap!).toBeCloseTo(d.loss - Math.log(2) / 2, 14)
    expect(d.gap!).toBeGreaterThan(0)
  })

  test('classes that overlap along one input and not along another: convex, so never called a saddle', async () => {
    const data = labeled(
      [
        [-1, 0],
        [0.5, 0],
        [-0.5, 0],
        [1, 0],
        [0, 1],
      ],
      [0, 0, 1, 1, 1],
      2,
    )
    const model = mlp({ widths: [2, 2], activation: 'linear', bias: false })
    const slope = 0.7
    const start = Float64Array.of(-slope, -60, slope, 60)
    const d = await diagnose(lossOf(engine, model, data, crossEntropy), start)
    expect(['undecided', 'not-critical']).toContain(d.verdict)
    if (d.polished) expect(d.polished.verdict).not.toBe('global-minimum')
  })
})
