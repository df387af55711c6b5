import { afterAll, describe, expect, it } from 'vitest'
import { nativeEngine } from '@thalweg/engine/node'
import { depthScene, kernelScene, spoilScene, spreadAngles, trainingScene } from './scene.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const base = { angles: spreadAngles(6), family: 'fc', depth: 2, activation: 'softplus' } as const

describe('the kernel', () => {
  it('is positive definite on spread inputs and symmetric', async () => {
    const { gram, size, lambdaMin } = await kernelScene(base)
    expect(lambdaMin.value).toBeGreaterThan(10 * lambdaMin.bound)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) expect(gram[i * size + j]).toBeCloseTo(gram[j * size + i], 14)
  })

  it('loses its smallest eigenvalue as two inputs become parallel', async () => {
    const { lambdaMin } = await spoilScene(base)
    expect(lambdaMin.at(-1)!).toBeLessThan(lambdaMin[0] / 100)
  })

  it('falls with depth like χᴴ without skips and like 1/H² with them', async () => {
    const { fc, resnet, chi } = await depthScene([0, 53.13, 90], 'softplus')
    expect(chi).toBeCloseTo(0.31846, 5)
    expect(fc[9] / fc[8]).toBeCloseTo(chi, 2)
    expect((resnet[9] * 100) / (resnet[5] * 36)).toBeGreaterThan(0.9)
  })
})

describe('training', () => {
  it('stays below the bound', async () => {
    const scene = await trainingScene(engine, { ...base, width: 128, seed: 0, steps: 120 })
    expect(scene.violations).toBe(0)
    expect(scene.losses).toHaveLength(121)
    expect(scene.losses[120]).toBeLessThan(scene.losses[0])
    scene.losses.forEach((loss, k) => expect(loss).toBeLessThanOrEqual(scene.bound[k] * (1 + 1e-12)))
  })
})
