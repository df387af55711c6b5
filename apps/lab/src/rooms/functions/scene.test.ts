import { describe, expect, it } from 'vitest'
import { interpreterEngine } from '../shared/interpreter-engine.ts'
import { functionNames, functionScene, quizLength, quizScene, raceScene } from './scene.ts'

const engine = interpreterEngine()

describe('the maps', () => {
  it('find the nine critical points of Himmelblau and judge them', async () => {
    const { points, values, x } = await functionScene(engine, 'himmelblau')
    expect(values).toHaveLength(x.length ** 2)
    const count = (kind: string): number => points.filter((p) => p.kind === kind).length
    expect([count('local-minimum'), count('strict-saddle'), count('maximum')]).toEqual([4, 4, 1])
  })

  it.each(functionNames)('of %s has values everywhere and no undecided point', async (name) => {
    const { values, points } = await functionScene(engine, name)
    expect(values.every(Number.isFinite)).toBe(true)
    expect(points.filter(({ kind }) => kind === 'undecided')).toEqual([])
    if (name !== 'gradient-flat') expect(points.length).toBeGreaterThan(0)
    else expect(points).toEqual([])
  })

  it('tell saddles without negative curvature', async () => {
    for (const name of ['monkey-saddle', 'peano'] as const) {
      const { points } = await functionScene(engine, name)
      expect(points.map(({ kind }) => kind)).toEqual(['non-strict-saddle'])
    }
  })
})

describe('the race', () => {
  it('sends Newton to the saddle and saddle-free Newton away from it', async () => {
    const paths = await raceScene(engine, { name: 'simple-saddle', start: [0.4, 0.05], steps: 12, rate: 0.5 })
    const end = (racer: string): number[] => [...paths.find((p) => p.racer === racer)!.path.slice(-2)]
    expect(Math.hypot(...end('newton'))).toBeLessThan(1e-8)
    expect(Math.abs(end('saddle-free-newton')[1])).toBeGreaterThan(1)
    expect(paths).toHaveLength(5)
  })

  it('descends: plain gradient descent never rises at this rate', async () => {
    const [descent] = await raceScene(engine, { name: 'himmelblau', start: [0, 0], steps: 60, rate: 0.5 })
    for (let k = 1; k < descent.values.length; k++)
      expect(descent.values[k]).toBeLessThanOrEqual(descent.values[k - 1] + 1e-12)
  })
})

it('asks every question of the deck once, the same for a seed', async () => {
  const names: string[] = []
  for (let i = 0; i < quizLength; i++) names.push((await quizScene(engine, i, 1)).name)
  expect(names.filter((name) => name === 'himmelblau')).toHaveLength(2)
  expect((await quizScene(engine, 0, 1)).name).toBe(names[0])
})
