import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { renderReport } from './render-report.ts'
import type { SurfaceStill } from './scene.ts'
import { surfaceViewData, surfaceViewScript } from './surface-view.ts'

const xs = [-1, 0, 2]
const ys = [-3, 1]
const still: SurfaceStill = {
  kind: 'surface-still',
  title: 'Bowl </script><script>alert(1)</script>',
  x: { label: 'α' },
  y: { label: 'β' },
  xs,
  ys,
  values: [1, 2, 3, 4, Number.NaN, 6],
  valueLabel: 'loss',
  trajectories: [{ name: 'path', x: [-1, 0], y: [-3, -3], z: [1, 2] }],
}

describe('a surface that can be turned', () => {
  it('has nodes where the axes put them, no height where the value is not finite, and no facet beside it', () => {
    const data = surfaceViewData(still, { label: 'turn', help: 'help' }) as {
      readonly xs: number[]
      readonly ys: number[]
      readonly heights: (number | null)[]
      readonly colors: string[]
      readonly values: string[]
      readonly paths: { readonly points: number[][] }[]
    }
    expect(data.xs[0]).toBe(-1)
    expect(data.xs[2]).toBe(1)
    // unevenly spaced nodes stay so
    expect((data.xs[1] + 1) / 2).toBeCloseTo(1 / 3, 3)
    expect(data.heights[4]).toBe(null)
    expect(data.heights.filter((h) => h !== null)).toEqual(
      data.heights.filter((h) => h !== null).toSorted((a, b) => a - b),
    )
    expect(data.colors).toEqual(['', ''])
    expect(data.values[4]).toBe('NaN')
    expect(data.paths[0].points[0].slice(0, 2)).toEqual([data.xs[0], data.ys[0]])
    expect(data.paths[0].points[0][2]).toBe(data.heights[0])
  })

  it('gives the page one script, admitted by its digest, whatever the number of surfaces; data cannot leave its element', () => {
    const figures = { kind: 'figures' as const, figures: [still] }
    const page = renderReport({
      lang: 'en',
      title: 't',
      sections: [{ id: 's', title: 's', blocks: [figures, figures] }],
    })
    const digest = createHash('sha256').update(surfaceViewScript(), 'utf8').digest('base64')
    expect(page).toContain(`script-src 'sha256-${digest}'`)
    expect(page.match(/<script>/g)).toHaveLength(1)
    expect(page.match(/<script type="application\/json" id="surface-\d"/g)).toHaveLength(2)
    expect(page).not.toContain('<script>alert')
    // the still is there for those without script, and for paper
    expect(page.match(/<svg[^>]*role="img"/g)!.length).toBeGreaterThanOrEqual(2)
  })
})
