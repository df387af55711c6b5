import { afterAll, describe, expect, it } from 'vitest'
import { nativeEngine } from '@thalweg/engine/node'
import { networkSurface, surfaceModel } from './scene.ts'
import type { SurfaceInput } from './scene.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const input: SurfaceInput = {
  depth: 14,
  width: 8,
  activation: 'tanh',
  data: 'moons',
  start: 'suited',
  reach: 0.5,
  steps: 300,
  seed: 0,
}

describe('the surface of a trained network', () => {
  it('breaks up without skips and is one basin with them', async () => {
    const stages: string[] = []
    const plain = await networkSurface(engine, input, false, {
      onStage: (known) => stages.push(Object.keys(known).join()),
    })
    const skip = await networkSurface(engine, input, true)
    expect(skip.basins).toHaveLength(1)
    expect(plain.basins.length).toBeGreaterThan(2)
    expect(skip.trainedLoss).toBeLessThan(plain.trainedLoss)
    expect(skip.curvature.share).toBeLessThan(plain.curvature.share)
    expect(stages).toHaveLength(2)
  })

  it('has the loss of the trained network in its middle', async () => {
    const { values, x, y, trainedLoss } = await networkSurface(engine, { ...input, depth: 2, steps: 60 }, true)
    expect(values[(values.length - 1) / 2]).toBeCloseTo(trainedLoss, 12)
    expect([x[0], x[x.length - 1], y[0], y[y.length - 1]]).toEqual([-0.5, 0.5, -0.5, 0.5])
  })

  it('starts both networks alike when asked to', () => {
    const [plain, skip] = [false, true].map((s) => surfaceModel({ ...input, start: 'he-normal' }, s).initialize(3))
    expect(plain).toEqual(skip)
  })
})
