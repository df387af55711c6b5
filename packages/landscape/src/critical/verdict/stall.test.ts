import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { mlp } from '../../model/index.ts'
import { diagnose } from './diagnose.ts'
import { heldOutTest } from './stall.ts'
import { halfSum, labeled, lossOf, meanSquares, normalRows, regression } from '../testing/small-losses.ts'
import type { Loss } from '../../loss/loss.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const model = mlp({ widths: [3, 6, 3], activation: 'tanh' })
/** Classes by a noisy rule, so that a minimum exists at finite size with the weight decay below. */
function sample(seed: number, n: number) {
  const x = normalRows(seed, n, 3)
  const e = normalRows(seed + 1000, n, 3)
  const label = ([a, b, c]: readonly number[], [d, f, g]: readonly number[]): number => {
    const scores = [a + d, b * b - 0.5 + f, c + a * b + g]
    return scores.indexOf(Math.max(...scores))
  }
  return labeled(
    x,
    x.map((row, i) => label(row, e[i])),
    3,
  )
}
const lossFor = (seed: number, n: number): Loss =>
  lossOf(engine, model, sample(seed, n), { name: 'cross-entropy', reduction: 'mean' })

/** Gradient descent; θ at every `every`-th step. */
async function trajectory(loss: Loss, steps: number, every: number): Promise<Float64Array[]> {
  const points: Float64Array[] = []
  let theta = loss.model.initialize(3)
  for (let step = 1; step <= steps; step++) {
    const { gradient } = await loss.valueAndGradient(theta)
    theta = theta.map((t, i) => t - 0.7 * gradient[i])
    if (step % every === 0) points.push(theta)
  }
  return points
}

describe('held-out data are told from training data', () => {
  test('rarely suspected on training data, mostly on held-out data', async () => {
    const train = lossFor(1, 1500)
    const path = await trajectory(train, 1200, 30)
    const suspects = async (loss: Loss, points: readonly Float64Array[]): Promise<number> => {
      let count = 0
      for (const theta of points) {
        const { gradient } = await loss.valueAndGradient(theta)
        if ((await heldOutTest(loss, { theta, gradient }, 0)).consistent) count++
      }
      return count
    }
    const falsely = await suspects(train, path)
    const end = path[path.length - 1]
    let rightly = 0
    for (let seed = 2; seed < 22; seed++) rightly += await suspects(lossFor(seed, 200), [end])
    expect(falsely / path.length).toBeLessThan(0.1)
    expect(rightly / 20).toBeGreaterThan(0.8)
  })

  test('the statistic is the same for sums as for means', async () => {
    const x = normalRows(5, 80, 3)
    const data = regression(
      x,
      x.map(([a, b, c]) => [a, b * c, Math.sin(a + c)]),
    )
    const theta = model.initialize(1)
    const statistics: number[] = []
    for (const spec of [meanSquares, halfSum]) {
      const loss = lossOf(engine, model, data, spec)
      const { gradient } = await loss.valueAndGradient(theta)
      statistics.push((await heldOutTest(loss, { theta, gradient }, 0)).statistic)
    }
    expect(statistics[1] / statistics[0]).toBeCloseTo(1, 1)
  })
})

test('the noise of a mini-batch does not depend on the scale of the loss', async () => {
  const x = normalRows(6, 60, 3)
  const data = regression(
    x,
    x.map(([a, b, c]) => [a, b * c, Math.sin(a + c)]),
  )
  const ratios: number[] = []
  for (const spec of [meanSquares, halfSum]) {
    const loss = lossOf(engine, model, data, spec)
    const d = await diagnose(loss, model.initialize(2), { polish: false, optimizer: { batchSize: 6 } })
    ratios.push(d.evidence.find(({ kind }) => kind === 'gradient-noise')!.value!)
  }
  expect(ratios[1] / ratios[0]).toBeCloseTo(1, 8)
})
