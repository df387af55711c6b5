import { describe, expect, it } from 'vitest'
import { linearPresets } from './presets.ts'
import { ladderScene, pointScene, walkScene } from './scene.ts'

describe('the ladder of a deep linear network', () => {
  it('is the worked example, with the saddles that have no negative curvature', () => {
    const scene = ladderScene(linearPresets.golden)
    expect(scene.rungs.map(({ key, loss }) => [key, Number(loss.toFixed(9))])).toEqual([
      ['', 3.5],
      ['1', 0.072949017],
      ['2', 3.427050983],
      ['1,2', 0],
    ])
    expect(scene.rungs[0].points[0].inertia).toEqual({ negative: 0, zero: 12, positive: 0 })
    expect(scene.disagreements).toEqual([])
    expect(scene.claim.holds).toBe(false)
    expect(scene.claim.witnesses.map(({ key }) => key)).toEqual(['', '1'])
  })

  it('has only strict saddles with one hidden layer', () => {
    const scene = ladderScene(linearPresets.shallow)
    expect(scene.claim).toMatchObject({ holds: true, witnesses: [] })
    expect(scene.rungs.find(({ key }) => key === '2')!.points[0].inertia).toEqual({ negative: 2, zero: 3, positive: 3 })
  })

  it('is no bowl: between mirrored best points the loss rises to half the squared targets', () => {
    const { bowl, globalMinimum } = ladderScene(linearPresets.golden)
    const middle = bowl!.loss[bowl!.t.findIndex((t) => Math.abs(t - 0.5) < 1e-9)]
    expect(middle).toBeCloseTo(3.5, 12)
    expect(Math.min(...bowl!.loss)).toBeCloseTo(globalMinimum, 2)
  })
})

describe('a point of the ladder', () => {
  it('shows a Hessian that is zero, and a way down of order 3', () => {
    const scene = pointScene({ ...linearPresets.golden, subset: [], representative: 0 })
    expect(scene.hessian.largest).toBe(0)
    expect(scene.escape).toMatchObject({ kind: 'order-L', order: 3 })
    expect(scene.escape!.error).toBeLessThan(1e-12)
    expect(scene.escape!.gain).toBeCloseTo(6.85410196624968, 10)
  })

  it('shows the strict representative of the same rung', () => {
    const scene = pointScene({ ...linearPresets.golden, subset: [], representative: 1 })
    expect(scene.kind).toBe('strict-saddle')
    expect(scene.inertia.negative).toBe(4)
  })
})

describe('the walk down', () => {
  it('rests on the rungs of the top classes', () => {
    const scene = walkScene({ ...linearPresets.modes, subset: [], representative: 0, distance: 0.05, seed: 1 })
    expect(scene.finalLoss).toBeLessThan(1e-8)
    expect(scene.plateaus.map(({ rank }) => rank).slice(-1)).toEqual([3])
    expect(scene.time.length).toBeLessThan(1200)
  })
})
