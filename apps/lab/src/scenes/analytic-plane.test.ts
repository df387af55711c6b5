import { describe, expect, it } from 'vitest'
import { analyticFunction, analyticNames, analyticPlane } from './analytic-plane.ts'
import { fieldOf, lossOf } from './plane-data.ts'

describe('analytic planes', () => {
  it('has every function of its list, with finite values on all nodes', () => {
    for (const name of analyticNames) {
      const { values } = lossOf(analyticPlane(name))
      expect(Array.from(values).every(Number.isFinite), name).toBe(true)
    }
  })

  it('gives the gradient norm and the convexity of the function itself', () => {
    const plane = analyticPlane('simple-saddle')
    const { xs, ys } = lossOf(plane)
    const k = 30 * xs.length + 77
    const [x, y] = [xs[77], ys[30]]
    expect(fieldOf(plane, 'gradient-norm')!.values[k]).toBeCloseTo(Math.hypot(10 * x, 2 * y), 10)
    expect(fieldOf(plane, 'convexity')!.values[k]).toBeCloseTo(2 / 10, 12)
  })

  it('marks the known critical points with their kind', () => {
    const kinds = analyticPlane('himmelblau').markers.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'minimum')).toHaveLength(4)
    expect(kinds.filter((kind) => kind === 'saddle')).toHaveLength(4)
    expect(kinds.filter((kind) => kind === 'maximum')).toHaveLength(1)
  })

  it('has derivatives that agree with differences', () => {
    const f = analyticFunction('rosenbrock')
    const [x, y, h] = [-0.7, 0.4, 1e-5]
    const jet = f.at(x, y)!
    expect((f.at(x + h, y)!.value - f.at(x - h, y)!.value) / (2 * h)).toBeCloseTo(jet.gradient[0], 4)
    expect((f.at(x, y + h)!.gradient[0] - f.at(x, y - h)!.gradient[0]) / (2 * h)).toBeCloseTo(jet.hessian[1], 4)
    expect(f.at(5, 0)).toBeUndefined()
  })
})
