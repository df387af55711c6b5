import { describe, expect, it } from 'vitest'
import { interpreterEngine } from '../shared/interpreter-engine.ts'
import { curveScene, fitCurve, flowScene, startsScene } from './scene.ts'

const engine = interpreterEngine()

describe('the sine toy', () => {
  it('has six minima on [−6, 6], one of them global', async () => {
    const { minima, vacuity } = await curveScene(engine, 'sine')
    const inside = minima.filter(({ theta }) => Math.abs(theta) <= 6)
    expect(inside).toHaveLength(6)
    expect(inside.filter(({ verdict }) => verdict === 'global-minimum').map(({ theta }) => theta)).toEqual([
      expect.closeTo(1, 8),
    ])
    expect(inside.filter(({ verdict }) => verdict === 'local-minimum')).toHaveLength(5)
    expect(vacuity.vacuous).toBe(false)
  })

  it('loses its neuron from 1.4 and is certified', async () => {
    const scene = await flowScene(engine, { problem: 'sine', start: 1.4, lambda: 0.1 })
    expect(scene.outcome).toBe('certified')
    const last = scene.moments.at(-1)!
    expect(last.theta).toBeCloseTo(1, 8)
    expect(Math.abs(last.a)).toBeLessThan(1e-8)
  })

  it('runs to infinity from 5.6, with the law of type A', async () => {
    const scene = await flowScene(engine, { problem: 'sine', start: 5.6, lambda: 0.1 })
    expect(scene.outcome).toBe('failure-mode')
    expect(scene.divergence.type).toBe('A')
    expect(scene.divergence.gradientTimesTime).toBeGreaterThan(0.4)
    expect(scene.modifiedLoss).toBeLessThan(scene.lossAfter)
    const [early, late] = [scene.moments[60], scene.moments.at(-1)!]
    expect(late.b).toBeGreaterThan(early.b)
    expect(Math.abs(late.a)).toBeLessThan(Math.abs(early.a))
  })

  it('reports outcomes of starts as they come', async () => {
    const seen: number[] = []
    const all = await startsScene(engine, { problem: 'sine', lambda: 0.1, count: 3 }, (known) =>
      seen.push(known.length),
    )
    expect(seen).toEqual([1, 2, 3])
    expect(all.map(({ outcome }) => outcome)).toEqual(['failure-mode', 'certified', 'failure-mode'])
  })
})

describe('consistent labels', () => {
  it('are known to be vacuous before anything is trained', async () => {
    const { vacuity, minima } = await curveScene(engine, 'logistic')
    expect(vacuity).toMatchObject({ vacuous: true, reason: 'infimum-not-attained' })
    expect(minima).toEqual([])
    expect((await flowScene(engine, { problem: 'logistic', start: 0.5, lambda: 0.1 })).outcome).toBe('vacuous')
  })
})

it('draws f + g without overflow', () => {
  const { plain, modified } = fitCurve('sine', { theta: 1, a: 1e-300, b: 800, w: 0 }, [0])
  expect(plain[0]).toBe(0)
  expect(modified[0]).toBeCloseTo(Math.exp(Math.log(1e-300) + 800), -40)
})
