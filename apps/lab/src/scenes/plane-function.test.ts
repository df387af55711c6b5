import { describe, expect, it } from 'vitest'
import type { Grid } from './contour-lines.ts'
import { convexityRatio, eigenvalues2, splineFunction } from './plane-function.ts'

const nodes = (low: number, high: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1))

function gridOf(f: (x: number, y: number) => number, xs: readonly number[], ys: readonly number[]): Grid {
  return { xs, ys, values: Float64Array.from(ys.flatMap((y) => xs.map((x) => f(x, y)))) }
}

const wavy = (x: number, y: number): number => Math.sin(1.3 * x) * Math.cos(0.9 * y) + 0.2 * x * y

describe('splineFunction', () => {
  it('goes through the nodes', () => {
    const grid = gridOf(wavy, nodes(-2, 2, 21), nodes(-1, 3, 17))
    const f = splineFunction(grid)
    grid.ys.forEach((y, j) =>
      grid.xs.forEach((x, i) => expect(f.at(x, y)?.value).toBeCloseTo(grid.values[j * 21 + i], 12)),
    )
  })

  it('repeats quadratic functions exactly, with their derivatives, on uneven nodes too', () => {
    const xs = [-2, -1.2, -0.9, 0, 0.4, 1.7, 2]
    const f = splineFunction(gridOf((x, y) => 3 * x * x - 2 * x * y + y * y - x + 4, xs, nodes(-1, 2, 8)))
    const jet = f.at(0.13, 0.71)!
    expect(jet.value).toBeCloseTo(3 * 0.0169 - 2 * 0.13 * 0.71 + 0.5041 - 0.13 + 4, 10)
    expect(jet.gradient[0]).toBeCloseTo(6 * 0.13 - 2 * 0.71 - 1, 9)
    expect(jet.gradient[1]).toBeCloseTo(-2 * 0.13 + 2 * 0.71, 9)
    expect(jet.hessian[0]).toBeCloseTo(6, 8)
    expect(jet.hessian[1]).toBeCloseTo(-2, 8)
    expect(jet.hessian[2]).toBeCloseTo(2, 8)
  })

  it('has fourth order: halving the step divides the error in the middle by about 16', () => {
    const error = (count: number): number => {
      const f = splineFunction(gridOf(wavy, nodes(-3, 3, count), nodes(-3, 3, count)))
      let worst = 0
      for (let x = -0.9; x < 1; x += 0.13)
        for (let y = -0.9; y < 1; y += 0.17) worst = Math.max(worst, Math.abs(f.at(x, y)!.value - wavy(x, y)))
      return worst
    }
    expect(Math.log2(error(25) / error(49))).toBeGreaterThan(3.5)
  })

  it('has two continuous derivatives across a node', () => {
    const xs = nodes(-2, 2, 15)
    const f = splineFunction(gridOf(wavy, xs, xs))
    const [left, right] = [f.at(xs[6] - 1e-9, 0.3)!, f.at(xs[6] + 1e-9, 0.3)!]
    left.hessian.forEach((value, k) => expect(right.hessian[k]).toBeCloseTo(value, 6))
  })

  it('is undefined outside and in cells that touch a value that is not finite, and smooth elsewhere', () => {
    const xs = nodes(0, 4, 5)
    const grid = gridOf((x, y) => x + y, xs, xs)
    const values = Float64Array.from(grid.values)
    values[2 * 5 + 2] = Number.NaN
    const f = splineFunction({ ...grid, values })
    expect(f.at(4.1, 1)).toBeUndefined()
    expect(f.at(1.5, 1.5)).toBeUndefined()
    expect(f.at(2.5, 2.5)).toBeUndefined()
    expect(f.at(0.5, 0.5)?.value).toBeCloseTo(1, 10)
  })
})

describe('eigenvalues of a Hessian', () => {
  it('are those of the matrix, largest first, with their direction', () => {
    const { values, angle } = eigenvalues2([2, 1, 2])
    expect(values).toEqual([3, 1])
    expect(angle).toBeCloseTo(Math.PI / 4, 12)
  })

  it('give a convexity ratio of 0 where convex and |λ_min/λ_max| elsewhere', () => {
    expect(convexityRatio([2, 0, 1])).toBe(0)
    expect(convexityRatio([4, 0, -1])).toBe(0.25)
    expect(convexityRatio([-1, 0, -3])).toBe(3)
  })
})
