import { Resvg } from '@resvg/resvg-js'
import { DomainError, ShapeError } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { axisScale } from './axis-scale.ts'
import { colorScale } from './color-scale.ts'
import type { Point } from './contour-bands.ts'
import { contourScene } from './figures/contour-plane.ts'
import { cellEdges } from './figures/heat-map.ts'
import { spread } from './figures/value-ladder.ts'
import { renderPng } from './render-png.ts'
import { fullCaption, renderSvg } from './render-svg.ts'
import type { ContourPlane, Figure, HeatMap } from './scene.ts'

const XS = Array.from({ length: 11 }, (_, i) => (i - 5) / 5)
const YS = Array.from({ length: 7 }, (_, j) => (j - 3) / 5)
const plane = YS.flatMap((y) => XS.map((x) => 1 + x * x + 2 * y * y))
const grid = {
  title: 'plane',
  x: { label: 'α' },
  y: { label: 'β' },
  xs: XS,
  ys: YS,
  values: plane,
  valueLabel: 'loss',
} as const

/** One figure of every kind over the same list of values. */
function everyKind(values: readonly (number | null)[], name = 'name'): Figure[] {
  const x = values.map((_, i) => i)
  const finite = values.filter((v): v is number => v !== null && Number.isFinite(v))
  const axes = { title: name, x: { label: name }, y: { label: name } }
  const cells = { ...grid, title: name, values: plane.map((_, i) => values[i % Math.max(1, values.length)] ?? null) }
  const series = [{ name, x, y: values, lower: values, upper: values }]
  const path = { name, x: values, y: values }
  return [
    { ...axes, kind: 'line-chart', series },
    {
      ...axes,
      kind: 'line-chart',
      y: { label: name, scale: 'log' },
      series,
      references: [{ axis: 'x', value: 1, label: name }],
    },
    {
      ...axes,
      kind: 'eigenvalue-stems',
      top: values.map((value) => ({ value, residualNorm: 0.1 })),
      bottom: [{ value: -1, converged: false }],
    },
    { ...axes, kind: 'spectral-density', grid: x, values, lower: values, upper: values, eigenvalues: finite },
    { ...cells, kind: 'contour-plane', trajectories: [path], markers: [{ kind: 'saddle', x: 0, y: 0, label: name }] },
    { ...cells, kind: 'contour-plane', valueScale: 'log' },
    { ...cells, kind: 'heat-map', palette: 'diverging' },
    { ...cells, kind: 'surface-still', trajectories: [{ ...path, z: values }] },
    { ...axes, kind: 'scatter-plot', groups: [{ name, x, y: values }] },
    {
      ...axes,
      kind: 'value-ladder',
      levels: finite.map((value) => ({
        value,
        label: name,
        kind: 'strict-saddle',
        inertia: { negative: 1, zero: 2, positive: 3 },
      })),
    },
    {
      ...axes,
      kind: 'histogram',
      edges: [...x, x.length],
      counts: values.map((v) => (v !== null && v > 0 && v < 1e6 ? v : 1)),
    },
  ]
}

const CASES: Record<string, (number | null)[]> = {
  ordinary: [3, 1, 0.5, 0.25, 0.2],
  'one point': [0.7],
  constant: [2, 2, 2, 2],
  'all zero': [0, 0, 0],
  empty: [],
  'nothing finite': [null, Number.NaN, Number.POSITIVE_INFINITY],
  gaps: [1, null, 3, Number.NaN, 5, Number.NEGATIVE_INFINITY, 2],
  tiny: [1e-300, 3e-300, 2e-300],
  huge: [1e300, -1e300, 5e299],
  'both ends': [1e-300, 1, 1e300],
  denormal: [5e-324, 1e-323],
  rounding: [1, 1 + 2 ** -52, 1],
  negative: [-1, -2, -3],
}

describe.each(Object.entries(CASES))('%s', (_, values) => {
  it.each(everyKind(values).map((figure, i) => [figure.kind, i] as const))('%s is drawn whole (%i)', (_kind, i) => {
    const figure = everyKind(values)[i]
    const svg = renderSvg(figure)
    const attributes = (svg.match(/<[^>]+>/g) ?? []).join('').replaceAll(/<(title|desc)[^>]*>/g, '')
    expect(attributes).not.toMatch(/NaN|Infinity|undefined|null/)
    // A strict XML reader accepts it.
    expect(() => new Resvg(svg, { font: { loadSystemFonts: false } })).not.toThrow()
    expect(renderSvg(figure) === svg).toBe(true)
    expect(renderSvg(JSON.parse(JSON.stringify(figure))) === svg).toBe(true)
  })
})

describe('exact positions', () => {
  const tickX = (svg: string, text: string): number => {
    const label = new RegExp(
      `aria-label="x-axis tick label">.*?transform="translate\\(([-\\d.]+),[-\\d.]+\\)"[^>]*>${text}<`,
    )
    return Number(label.exec(svg.replace(/<text[^>]*>(?!0\.0)[^<]*<\/text>/g, ''))?.[1])
  }

  it('a contour through the nodes of the axis lies on its tick', () => {
    const figure: ContourPlane = { ...grid, kind: 'contour-plane', values: YS.flatMap(() => XS), levels: [0] }
    const svg = renderSvg(figure, { framed: false })
    const line = /stroke-opacity="0.45"[^>]*>\s*<path d="([^"]+)"/.exec(svg)?.[1] ?? ''
    const columns = [...line.matchAll(/[ML]([-\d.]+),/g)].map((match) => Number(match[1]))
    expect(columns).toHaveLength(7)
    expect(new Set(columns).size).toBe(1)
    expect(columns[0]).toBeCloseTo(tickX(svg, '0.0'), 2)
  })

  it('a heat map cell is centered on its node', () => {
    const figure: HeatMap = { ...grid, kind: 'heat-map' }
    const svg = renderSvg(figure, { framed: false })
    const group = /shape-rendering="crispEdges"[^>]*>(.*?)<\/g>/.exec(svg)?.[1] ?? ''
    const rects = [...group.matchAll(/<rect[^>]*>/g)].map(([tag]) => ({
      x: Number(/ x="([-\d.]+)"/.exec(tag)?.[1]),
      width: Number(/ width="([-\d.]+)"/.exec(tag)?.[1]),
    }))
    expect(rects).toHaveLength(77)
    expect(rects[5].x + rects[5].width / 2).toBeCloseTo(tickX(svg, '0.0'), 1)
  })

  it('cell edges lie halfway between nodes', () => {
    expect(cellEdges([0, 1, 3])).toEqual([-0.5, 0.5, 2, 4])
    expect(cellEdges([5])).toEqual([4.5, 5.5])
    expect(cellEdges([])).toEqual([])
  })

  it('the scene of a small plane', () => {
    const figure: ContourPlane = {
      ...grid,
      kind: 'contour-plane',
      xs: [0, 1, 3],
      ys: [-1, 0],
      values: [0, 1, 2, 1, 2, null],
      levels: [0.5, 1.5],
    }
    const scene = contourScene(
      figure,
      axisScale(figure.x, figure.xs),
      axisScale(figure.y, figure.ys),
      colorScale(figure),
    )
    const paths = (list: readonly Point[][]): string =>
      list.map((path) => path.map((p) => p.map((v) => Math.round(v * 1e6) / 1e6)).join(' ')).join(' | ')
    const bands = scene.bands.map(
      (band) => `${band.from}–${band.to} ${band.color} rings ${paths(band.rings)} lines ${paths(band.lines)}`,
    )
    expect({ bands, holes: paths(scene.holes) }).toMatchInlineSnapshot(`
      {
        "bands": [
          "0–0.5 #472d7b rings 0,-1 1,-1 1,0 0,0 0,-1 lines ",
          "0.5–1.5 #21918c rings 0.5,-1 1,-1 1,0 0,0 0,-0.5 0.5,-1 lines 0,-0.5 0.5,-1",
          "1.5–2 #addc30 rings 1,-0.5 1,0 0.5,0 1,-0.5 lines 0.5,0 1,-0.5",
        ],
        "holes": "1,-1 3,-1 3,0 1,0",
      }
    `)
  })

  it('labels move apart no farther than they must', () => {
    const bounds = [-50, 150] as const
    expect(spread([0, 1, 2, 100], 10, bounds)).toEqual([-9, 1, 11, 100])
    expect(spread([], 10, bounds)).toEqual([])
    expect(spread([0, 20, 40], 10, bounds)).toEqual([0, 20, 40])
    expect(spread([0, 1, 2], 10, [0, 100])).toEqual([0, 10, 20])
    expect(spread([98, 99, 100], 10, [0, 100])).toEqual([80, 90, 100])
  })
})

describe('text', () => {
  it('is escaped wherever it appears', () => {
    const evil = `<script>alert("1")</script>'&\u0000\ud800`
    for (const figure of everyKind([3, 2, 1], evil)) {
      const svg = renderSvg({ ...figure, caption: evil, settings: [{ name: evil, value: evil }] })
      expect(svg).not.toContain('<script')
      expect(svg).not.toMatch(/[\u0000-\u0008]|[\ud800-\udbff](?![\udc00-\udfff])/)
      expect(() => new Resvg(svg, { font: { loadSystemFonts: false } })).not.toThrow()
    }
  })

  it('caption holds every setting', () => {
    const settings = [
      { name: 'normalization', value: 'filter' },
      { name: 'learning rate', value: 1e-5 },
    ]
    expect(fullCaption({ ...grid, kind: 'heat-map', caption: 'A plane', settings })).toBe(
      'A plane. normalization: filter; learning rate: 10⁻⁵.',
    )
    expect(fullCaption({ ...grid, kind: 'heat-map', lang: 'zh', caption: '平面。', settings })).toBe(
      '平面。normalization：filter；learning rate：10⁻⁵。',
    )
  })

  it('says what is not shown', () => {
    expect(renderSvg({ ...grid, kind: 'contour-plane', values: plane.map((v, i) => (i < 3 ? null : v)) })).toContain(
      '3 of 77 values are not finite (hatched)',
    )
    const chart = everyKind([1, 0, -1])[1]
    expect(renderSvg(chart)).toContain('2 values ≤ 0 not shown on the logarithmic scale')
    expect(renderSvg({ ...chart, lang: 'zh' })).toContain('有 2 个 ≤ 0 的数值')
  })
})

it('refuses lists that do not fit', () => {
  const chart = everyKind([1, 2])[0]
  if (chart.kind !== 'line-chart') throw new TypeError('the first kind is a line chart')
  expect(() => renderSvg({ ...chart, series: [{ name: 'a', x: [1, 2], y: [1] }] })).toThrow(ShapeError)
  expect(() => renderSvg({ ...grid, kind: 'heat-map', values: [1] })).toThrow(/77 numbers, got 1/)
  expect(() => renderSvg({ ...grid, kind: 'heat-map', xs: XS.toReversed() })).toThrow(DomainError)
})

it('two pictures of one figure have ids of their own when asked', () => {
  const figure: Figure = { ...grid, kind: 'contour-plane' }
  const ids = (svg: string): string[] => [...svg.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
  const [a, b] = [renderSvg(figure, { id: 'one' }), renderSvg(figure, { id: 'two' })]
  expect(ids(a).filter((id) => ids(b).includes(id))).toEqual([])
  for (const [, id] of a.matchAll(/url\(#([^)]+)\)/g)) expect(ids(a)).toContain(id)
})

it('PNG has the size asked for', () => {
  const png = renderPng({ ...grid, kind: 'contour-plane' }, 2, { width: 400 })
  expect([...png.subarray(1, 4)].map((byte) => String.fromCharCode(byte)).join('')).toBe('PNG')
  expect(new DataView(png.buffer, png.byteOffset).getUint32(16)).toBe(800)
})
