import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, expect, test } from 'vitest'
import { eliminate } from './eliminate.ts'
import { sineLoss } from './testing/toy-problems.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

test('C-2: 40 starts of sin(θx): 11 reach θ = 1, 26 diverge by type A, 3 by type B', async () => {
  const loss = sineLoss(engine)
  const start = { a: Float64Array.of(0), b: Float64Array.of(0), w: Float64Array.of(0) }
  const counts: Record<string, number> = {}
  const ends = new Set<string>()
  const spikes: number[] = []
  const good: number[] = []
  for (let i = 0; i < 40; i++) {
    const theta = -6 + (12 * i) / 39
    const {
      outcome,
      divergence,
      certificate,
      history,
      lossAfter,
      theta: at,
    } = await eliminate(loss, Float64Array.of(theta), {
      start,
      gradientTolerance: 1e-9,
    })
    const kind = `${outcome} ${divergence.type}`
    counts[kind] = (counts[kind] ?? 0) + 1
    const last = history[history.length - 1]
    if (outcome === 'certified') {
      good.push(i)
      expect(lossAfter).toBeLessThan(1e-18)
      expect(last.neuronRms).toBeLessThan(1e-9)
      expect(last.time).toBeLessThan(30)
      continue
    }
    ends.add(at[0].toFixed(3))
    expect(last.neuronRms).toBeGreaterThan(0.73)
    expect(last.aNorm).toBeLessThan(0.0161)
    expect(last.modifiedLoss).toBeLessThan(last.loss)
    expect(certificate!.witness!.decrease).toBeGreaterThan(0)
    if (divergence.type === 'B') {
      spikes.push(i)
      expect(divergence.gradientTimesTime).toBeCloseTo(1 / 1.1, 1)
      expect(divergence.amplitudeLaw).toBeLessThan(1e-6)
    } else {
      expect(divergence.gradientTimesTime).toBeCloseTo(0.5, 1)
      expect(divergence.amplitudeLaw).toBeGreaterThan(0.23)
      expect(divergence.amplitudeLaw).toBeLessThan(0.256)
    }
  }
  expect(counts).toEqual({ 'certified null': 11, 'failure-mode A': 26, 'failure-mode B': 3 })
  expect(good).toEqual(Array.from({ length: 11 }, (_, i) => 17 + i))
  expect(spikes).toEqual([28, 29, 30])
  expect([...ends].sort()).toEqual(['-3.173', '-5.155', '-6.255', '2.855', '5.097', '6.436'])
})
