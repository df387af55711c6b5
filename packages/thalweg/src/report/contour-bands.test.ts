import { array, assert, integer, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contoursAt, type Point } from './contour-bands.ts'

// 11 × 7, uneven steps, zero on both axes.
const XS = [-2, -1.5, -1.2, -0.7, -0.1, 0, 0.4, 0.5, 1.3, 1.9, 2.5]
const YS = [-1, -0.6, -0.2, 0, 0.3, 0.8, 1]

function area(rings: readonly Point[][]): number {
  return rings.reduce(
    (sum, ring) => sum + ring.slice(1).reduce((s, [x, y], i) => s + (ring[i][0] * y - x * ring[i][1]) / 2, 0),
    0,
  )
}

/** Winding number of the rings around a point off their edges. */
function winding([px, py]: Point, rings: readonly Point[][]): number {
  let turns = 0
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [[ax, ay], [bx, by]] = [ring[i - 1], ring[i]]
      if (ay > py === by > py || px >= ax + ((py - ay) / (by - ay)) * (bx - ax)) continue
      turns += by > ay ? 1 : -1
    }
  }
  return turns
}

describe('contoursAt', () => {
  it('reproduces a linear function exactly, also on uneven steps', () => {
    const values = YS.flatMap((y) => XS.map((x) => 3 * x - 2 * y))
    for (const level of [-3.1, 0.25, 2]) {
      const { lines } = contoursAt(XS, YS, values, level)
      expect(lines).toHaveLength(1)
      for (const [x, y] of lines[0]) expect(3 * x - 2 * y).toBeCloseTo(level, 12)
    }
    // {3x ≥ 0} on the plane is the right part of the rectangle.
    const half = contoursAt(
      XS,
      YS,
      YS.flatMap(() => XS.map((x) => 3 * x)),
      0,
    )
    expect(area(half.rings)).toBeCloseTo(2.5 * 2, 12)
    expect(half.lines.flat().every(([x]) => x === 0)).toBe(true)
  })

  it('a line through nodes runs through their coordinates', () => {
    const values = YS.flatMap((y) => XS.map(() => y))
    const { lines } = contoursAt(XS, YS, values, 0)
    expect(
      lines
        .flat()
        .map(([x]) => x)
        .sort((a, b) => a - b),
    ).toEqual(XS)
    expect(lines.flat().every(([, y]) => y === 0)).toBe(true)
  })

  it('below every value the region is the whole plane, above every value nothing', () => {
    const values = YS.flatMap((y) => XS.map((x) => x * y))
    expect(area(contoursAt(XS, YS, values, Number.NEGATIVE_INFINITY).rings)).toBeCloseTo(4.5 * 2, 12)
    expect(contoursAt(XS, YS, values, 1e9)).toEqual({ rings: [], lines: [] })
  })

  it('leaves out exactly the quads that touch a value that is not finite', () => {
    const values = YS.flatMap(() => XS.map(() => 1))
    values[3 * 11 + 5] = Number.NaN
    values[0] = Number.POSITIVE_INFINITY
    const missing = (0.4 + 0.1) * (0.3 + 0.2) + 0.5 * 0.4
    const { rings, lines } = contoursAt(XS, YS, values, 0)
    expect(area(rings)).toBeCloseTo(9 - missing, 12)
    expect(lines).toEqual([])
  })

  it('random grids: nodes are inside exactly where they are above, and with the region below it fills the plane', () => {
    const grid = array(integer({ min: -9, max: 9 }), { minLength: 77, maxLength: 77 })
    assert(
      property(grid, (values) => {
        // No mean of four whole numbers, so that both regions decide a saddle alike.
        const level = 0.55
        const { rings } = contoursAt(XS, YS, values, level)
        const below = contoursAt(
          XS,
          YS,
          values.map((v) => -v),
          -level,
        )
        expect(area(rings) + area(below.rings)).toBeCloseTo(9, 9)
        for (let j = 1; j < 6; j++) {
          for (let i = 1; i < 10; i++) {
            // Just beside the node, closer than any crossing can be: values differ by at most 18 over a step of 0.1.
            const probe: Point = [XS[i] + 1e-5, YS[j] + 1e-5]
            expect(winding(probe, rings)).toBe(values[j * 11 + i] >= level ? 1 : 0)
          }
        }
      }),
      { seed: 7, numRuns: 60 },
    )
  })

  it('closes an island and keeps its hole', () => {
    const ring = [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    const axis = [0, 1, 2, 3, 4]
    const { rings, lines } = contoursAt(axis, axis, ring, 0.5)
    expect(rings.map((path) => path.map(([x, y]) => `${x},${y}`).join(' '))).toMatchInlineSnapshot(`
      [
        "0.5,1 1,0.5 2,0.5 3,0.5 3.5,1 3.5,2 3.5,3 3,3.5 2,3.5 1,3.5 0.5,3 0.5,2 0.5,1",
        "2,1.5 1.5,2 2,2.5 2.5,2 2,1.5",
      ]
    `)
    expect(lines).toHaveLength(2)
    for (const line of lines) expect(line[0]).toEqual(line.at(-1))
  })
})
