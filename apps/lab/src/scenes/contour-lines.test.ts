import { describe, expect, it } from 'vitest'
import { contourLines, roundLevels } from './contour-lines.ts'
import { valueScale } from './value-scale.ts'

const nodes = Array.from({ length: 41 }, (_, i) => -2 + i / 10)
const grid = (f: (x: number, y: number) => number): Parameters<typeof contourLines>[0] => ({
  xs: nodes,
  ys: nodes,
  values: nodes.flatMap((y) => nodes.map((x) => f(x, y))),
})

describe('contourLines', () => {
  it('gives one closed line around a bowl, near the circle', () => {
    const lines = contourLines(
      grid((x, y) => x * x + y * y),
      1.5,
    )
    expect(lines).toHaveLength(1)
    const [line] = lines
    expect(line.slice(0, 2)).toEqual(line.slice(-2))
    for (let k = 0; k < line.length; k += 2) expect(Math.hypot(line[k], line[k + 1])).toBeCloseTo(Math.sqrt(1.5), 2)
  })

  it('gives an open line across a slope', () => {
    const lines = contourLines(
      grid((x) => x),
      0.55,
    )
    expect(lines).toHaveLength(1)
    expect(lines[0].filter((_, k) => k % 2 === 0).every((x) => Math.abs(x - 0.55) < 1e-12)).toBe(true)
    expect([lines[0][1], lines[0][lines[0].length - 1]].map(Math.abs)).toEqual([2, 2])
  })

  it('gives two branches beside a saddle, joined the right way on either side of it', () => {
    const saddle = grid((x, y) => x * x - y * y)
    for (const [level, axis] of [
      [0.305, 0],
      [-0.305, 1],
    ]) {
      const lines = contourLines(saddle, level)
      expect(lines).toHaveLength(2)
      for (const line of lines) {
        const signs = new Set(line.filter((_, k) => k % 2 === axis).map(Math.sign))
        expect(signs.size).toBe(1)
      }
    }
  })

  it('ends at the rim of a hole', () => {
    const lines = contourLines(
      grid((x, y) => (Math.abs(y) < 0.25 ? Number.NaN : x)),
      0.5,
    )
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line.some((y, k) => k % 2 === 1 && Math.abs(Math.abs(y) - 0.3) < 1e-9)).toBe(true)
  })
})

it('roundLevels steps by 1, 2 or 5', () => {
  expect(roundLevels(0.03, 0.98, 5)).toEqual([0.2, 0.4, 0.6, 0.8])
  expect(roundLevels(-3, 11, 3)).toEqual([0, 5, 10])
})

describe('valueScale', () => {
  it('is logarithmic over positive values and puts what is not positive at the bottom', () => {
    const scale = valueScale([[0, 0.1, 10, Number.NaN]], 'log')
    expect(scale.domain).toEqual([0.1, 10])
    expect(scale.share(1)).toBeCloseTo(0.5, 12)
    expect(scale.share(0)).toBe(0)
    expect(scale.share(Number.NaN)).toBeNaN()
    expect(scale.ticks(5)).toContain(1)
  })

  it('shows at most eight decades', () => {
    expect(valueScale([[1e-30, 1]], 'log').domain[0]).toBeCloseTo(1e-8, 20)
  })

  it('is linear where nothing is positive, and symmetric around a center', () => {
    expect(valueScale([[-3, -1]], 'log').kind).toBe('linear')
    expect(valueScale([[-3, 1]], 'linear', 0).domain).toEqual([-3, 3])
  })
})
