import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { mlp } from '../../model/index.ts'
import { randomStream } from '../../random/index.ts'
import { Loss } from '../../loss/index.ts'
import { objectiveOf } from './objective.ts'
import { searchTogether } from './search-together.ts'
import { crossEntropy, labeled, normalRows } from '../testing/small-losses.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const x = normalRows(1, 31, 3)
const labels = x.map((_, i) => i % 2)

describe('derivatives asked for in lockstep are those asked for alone', () => {
  const loss = new Loss({
    engine,
    model: mlp({ widths: [3, 4, 2], activation: 'tanh' }),
    dataset: labeled(x, labels, 2),
    spec: crossEntropy,
    weightDecay: 0.01,
    chunkSize: 12,
  })
  const starts = Array.from({ length: 6 }, (_, i) => loss.model.initialize(i))
  const directions = randomStream(3, 'directions').normals(3 * loss.size)
  const single = objectiveOf(loss)
  const close = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
    expect(a.length).toBe(b.length)
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-14)
  }

  test.each([1, 3, 64])('%d at a time', async (together) => {
    const seen = await searchTogether(
      loss,
      starts,
      async (objective, theta) => {
        const { value, gradient } = await objective.valueAndGradient(theta)
        const { hessian } = objective.at(theta)
        // Unequal lengths: some searches end before others.
        const rounds = theta[0] > 0 ? 3 : 1
        const products: Float64Array[] = []
        for (let k = 0; k < rounds; k++) products.push(await hessian.applyBatch!(directions, 3))
        const one = await hessian.apply(directions.slice(0, loss.size))
        return { value, gradient, products, one, scale: await objective.gradientTermScale!(theta) }
      },
      { together },
    )
    expect(seen).toHaveLength(6)
    for (const [i, theta] of starts.entries()) {
      const { value, gradient } = await single.valueAndGradient(theta)
      const rows = await single.at(theta).hessian.applyBatch!(directions, 3)
      close([seen[i].value], [value])
      close(seen[i].gradient, gradient)
      for (const product of seen[i].products) close(product, rows)
      close(seen[i].one, rows.subarray(0, loss.size))
      close([seen[i].scale], [await single.gradientTermScale!(theta)])
    }
  })

  test.each([1, 2])('%d directions of their own, and searches that ask different things at once', async (count) => {
    const own = starts.map((_, i) => randomStream(4, 'own directions', i).normals(count * loss.size))
    const seen = await searchTogether(
      loss,
      starts,
      async (objective, theta) => {
        const i = starts.indexOf(theta)
        if (i % 3 === 0) await objective.valueAndGradient(theta)
        const products = await objective.at(theta).hessian.applyBatch!(own[i], count)
        const { gradient } = await objective.valueAndGradient(theta)
        return { products, gradient }
      },
      { together: 6 },
    )
    expect(seen).toHaveLength(starts.length)
    for (const [i, theta] of starts.entries()) {
      close(seen[i].products, await single.at(theta).hessian.applyBatch!(own[i], count))
      close(seen[i].gradient, (await single.valueAndGradient(theta)).gradient)
    }
  })

  test('the first to ask waits for the others', async () => {
    const compiled = vi.spyOn(loss, 'compiled')
    const four = starts.slice(0, 4)
    await searchTogether(loss, four, (objective, theta) => objective.valueAndGradient(theta), { together: 4 })
    const runs = compiled.mock.calls.length
    compiled.mockRestore()
    expect(runs).toBe(loss.chunks.length)
  })

  test('a search that throws ends all, and its error is the one reported', async () => {
    const failing = searchTogether(
      loss,
      starts,
      async (objective, theta) => {
        await objective.valueAndGradient(theta)
        if (theta === starts[2]) await objective.at(theta).hessian.apply(new Float64Array(1))
        await objective.valueAndGradient(theta)
      },
      { together: 6 },
    )
    await expect(failing).rejects.toThrow(/directions must have 1 × 26 entries, got 1/)
  })

  test('an abort begins no further search', async () => {
    const signal = { aborted: false }
    const done = await searchTogether(loss, starts, async () => void (signal.aborted = true), { together: 2, signal })
    expect(done.length).toBeLessThan(6)
  })
})
