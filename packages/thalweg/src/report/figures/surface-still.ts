import { type AxisScale, axisScale, type Tick } from '../axis-scale.ts'
import { colorBarWidth, colorChannels, colorScale, drawColorBar, hexOf, mapValues } from '../color-scale.ts'
import type { Canvas, Drawing, LegendEntry } from '../drawing.ts'
import { formatNumber } from '../format-number.ts'
import type { SurfaceStill } from '../scene.ts'
import { coordinate, svgElement, svgText } from '../svg-element.ts'
import { textWidth } from '../text-layout.ts'
import { TYPE } from '../theme.ts'
import { missingNotes, trajectoryColor } from './plane.ts'
import {
  defaultView,
  farCorner,
  fitToWidth,
  type Projection,
  parallelProjection,
  type Screen,
  type Vector,
} from './projection.ts'

interface Facet {
  /** Row-major among the cells of the grid. */
  readonly cell: number
  readonly corners: readonly Vector[]
  readonly color: string
}

const LIGHT: Vector = [-0.45, -0.35, 0.82]
const AMBIENT = 0.72

/** Quads shaded by height and light, painted from the far to the near side. */
export function drawSurfaceStill(figure: SurfaceStill, canvas: Canvas): Drawing {
  const colors = colorScale(figure)
  const box = surfaceBox(figure, colors.axis)
  const barWidth = colorBarWidth(colors.axis)
  const room = { left: 58, right: canvas.width - barWidth - 34, top: 12 }
  const { projection, height } = fitToWidth(parallelProjection(figure.view), room)
  const facets = surfaceFacets(figure, box, colors.color)
  const lines = surfacePaths(figure, box)
  const parts = [
    ...facets.map((facet) => facetPart(facet, projection)),
    ...lines.flatMap((line) => pathParts(line, projection, cellSize(figure))),
  ].sort((a, b) => a.nearness - b.nearness)
  const bar = { x: canvas.width - barWidth - 4, top: Math.round(height * 0.2), bottom: Math.round(height * 0.72) }
  const svg = [
    backWalls(canvas, projection, box),
    svgElement('g', { 'stroke-width': 0.5, 'stroke-linejoin': 'round' }, parts.map((part) => part.svg).join('')),
    ...lines.map((line) => pathGhost(line, projection)),
    axisText(canvas, projection, box),
    drawColorBar(canvas, colors, bar),
  ]
  const legend = (figure.trajectories ?? []).map(
    (path, i): LegendEntry => ({ name: path.name, color: trajectoryColor(i), mark: 'line' }),
  )
  const notes = missingNotes(canvas, figure.values)
  return { svg: svg.join(''), height, legend, notes: facets.length === 0 ? [...notes, canvas.words.empty] : notes }
}

/** The three axes and the map from their drawing units to the unit box. */
interface SurfaceBox {
  readonly x: AxisScale
  readonly y: AxisScale
  readonly z: AxisScale
  place(at: readonly [number, number, number]): Vector
}

function surfaceBox(figure: SurfaceStill, z: AxisScale): SurfaceBox {
  const x = axisScale(figure.x, figure.xs, { tickCount: 4 })
  const y = axisScale(figure.y, figure.ys, { tickCount: 4 })
  const share = (v: number, [low, high]: readonly [number, number]): number => (v - low) / (high - low)
  const place = ([a, b, c]: readonly [number, number, number]): Vector => [
    2 * share(a, x.domain) - 1,
    2 * share(b, y.domain) - 1,
    Math.min(1, Math.max(0, share(c, z.domain))),
  ]
  return { x, y, z, place }
}

/** A surface in its unit box, for a picture that can be turned: colors and shades do not hang on where it is seen from. */
export interface SurfaceParts {
  /** Places of the nodes in −1 … 1, and their coordinates as they are read. */
  readonly xs: readonly number[]
  readonly ys: readonly number[]
  readonly xNodes: readonly string[]
  readonly yNodes: readonly string[]
  /** 0 … 1 per node, row-major, null where the value is not finite; and the values as they are read. */
  readonly heights: readonly (number | null)[]
  readonly values: readonly string[]
  /** Of the facets, row-major, without #; empty where a corner is missing. */
  readonly colors: readonly string[]
  readonly paths: readonly SurfacePath[]
  readonly xTicks: readonly ViewTick[]
  readonly yTicks: readonly ViewTick[]
  readonly zTicks: readonly ViewTick[]
  readonly xLabel: string
  readonly yLabel: string
  readonly zLabel: string
  readonly view: { readonly azimuth: number; readonly elevation: number }
}

interface ViewTick {
  readonly t: number
  readonly text: string
}

const round = (v: number): number => Math.round(v * 1e4) / 1e4

export function surfaceParts(figure: SurfaceStill): SurfaceParts {
  const colors = colorScale(figure)
  const box = surfaceBox(figure, colors.axis)
  const { x, y, z, place } = box
  const facets = new Map(surfaceFacets(figure, box, colors.color).map((facet) => [facet.cell, facet.color.slice(1)]))
  const cells = (figure.xs.length - 1) * (figure.ys.length - 1)
  const heights = mapValues(z, figure.values)
  const ticksOf = (axis: AxisScale, position: (at: number) => number): ViewTick[] =>
    labeledTicks(axis).map((tick) => ({ t: round(position(tick.at)), text: tick.text }))
  const read = (v: number | null): string => formatNumber(v, { digits: 4, trim: true })
  return {
    xs: figure.xs.map((v) => round(place([x.map(v), 0, 0])[0])),
    ys: figure.ys.map((v) => round(place([0, y.map(v), 0])[1])),
    xNodes: figure.xs.map(read),
    yNodes: figure.ys.map(read),
    heights: Array.from(heights, (h) => (Number.isFinite(h) ? round(place([0, 0, h])[2]) : null)),
    values: figure.values.map(read),
    colors: Array.from({ length: cells }, (_, cell) => facets.get(cell) ?? ''),
    paths: surfacePaths(figure, box).map(({ points, color }) => ({
      color,
      points: points.map((point) => point.map(round) as unknown as Vector),
    })),
    xTicks: ticksOf(x, (at) => place([at, 0, 0])[0]),
    yTicks: ticksOf(y, (at) => place([0, at, 0])[1]),
    zTicks: ticksOf(z, (at) => place([0, 0, at])[2]),
    xLabel: x.label,
    yLabel: y.label,
    zLabel: z.label,
    view: figure.view ?? defaultView,
  }
}

function surfaceFacets(figure: SurfaceStill, box: SurfaceBox, color: (at: number) => string): Facet[] {
  const { xs, ys } = figure
  const heights = mapValues(box.z, figure.values)
  const facets: Facet[] = []
  for (let j = 0; j + 1 < ys.length; j++) {
    for (let i = 0; i + 1 < xs.length; i++) {
      const nodes = [
        [i, j],
        [i + 1, j],
        [i + 1, j + 1],
        [i, j + 1],
      ]
      const at = nodes.map(([a, b]) => heights[b * xs.length + a])
      if (!at.every(Number.isFinite)) continue
      const corners = nodes.map(([a, b], k) => box.place([box.x.map(xs[a]), box.y.map(ys[b]), at[k]]))
      facets.push({
        cell: j * (xs.length - 1) + i,
        corners,
        color: shade(color((at[0] + at[1] + at[2] + at[3]) / 4), corners),
      })
    }
  }
  return facets
}

function shade(color: string, corners: readonly Vector[]): string {
  const [a, b, c, d] = corners
  const u = [c[0] - a[0], c[1] - a[1], c[2] - a[2]]
  const v = [d[0] - b[0], d[1] - b[1], d[2] - b[2]]
  const normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
  const length = Math.hypot(...normal) || 1
  const facing = Math.abs(normal[0] * LIGHT[0] + normal[1] * LIGHT[1] + normal[2] * LIGHT[2]) / length
  const light = AMBIENT + (1.12 - AMBIENT) * facing
  return hexOf(colorChannels(color).map((channel) => channel * light))
}

/** One piece of the picture and how near it is to the eye; pieces are painted from the far to the near one. */
interface Part {
  readonly nearness: number
  readonly svg: string
}

function facetPart({ corners, color }: Facet, projection: Projection): Part {
  const svg = svgElement('path', { d: closed(corners, projection), fill: color, stroke: darker(color) })
  return { nearness: meanNearness(corners, projection), svg }
}

function meanNearness(points: readonly Vector[], projection: Projection): number {
  return points.reduce((sum, point) => sum + projection.nearness(point), 0) / points.length
}

const darker = (color: string): string => hexOf(colorChannels(color).map((channel) => channel * 0.86))

/** Floor and the two far walls with grid lines at the ticks. */
function backWalls({ theme }: Canvas, projection: Projection, { x, y, z, place }: SurfaceBox): string {
  const [farX, farY] = farCorner(projection)
  const paint = { fill: theme.rule, 'fill-opacity': 0.35, stroke: theme.rule }
  /** The rectangle with these opposite corners; one coordinate is the same in both. */
  const wall = (a: Vector, b: Vector): string => {
    const [c, d]: Vector[] =
      a[2] === b[2]
        ? [
            [b[0], a[1], a[2]],
            [a[0], b[1], a[2]],
          ]
        : [
            [b[0], b[1], a[2]],
            [a[0], a[1], b[2]],
          ]
    return svgElement('path', { d: closed([a, c, b, d], projection), ...paint })
  }
  const walls = wall([-1, -1, 0], [1, 1, 0]) + wall([farX, -1, 0], [farX, 1, 1]) + wall([-1, farY, 0], [1, farY, 1])
  const lines: Vector[][] = []
  for (const tick of labeledTicks(x)) lines.push(crossLine(place([tick.at, 0, z.domain[0]])[0], 0, farY))
  for (const tick of labeledTicks(y)) lines.push(crossLine(place([0, tick.at, z.domain[0]])[1], 1, farX))
  for (const tick of labeledTicks(z)) {
    const h = place([x.domain[0], y.domain[0], tick.at])[2]
    lines.push([
      [farX, -farY, h],
      [farX, farY, h],
      [-farX, farY, h],
    ])
  }
  const drawn = lines.map((line) => svgElement('path', { d: pathData(line, projection) }))
  return `<g>${walls}${svgElement('g', { fill: 'none', stroke: theme.rule }, drawn.join(''))}</g>`
}

/** A grid line over the floor and up the far wall, at position `at` of axis 0 (x) or 1 (y). */
function crossLine(at: number, axis: 0 | 1, far: number): Vector[] {
  const point = (other: number, h: number): Vector => (axis === 0 ? [at, other, h] : [other, at, h])
  return [point(-far, 0), point(far, 0), point(far, 1)]
}

/** Ticks and labels along the two near edges of the floor. */
function axisText(canvas: Canvas, projection: Projection, { x, y, place }: SurfaceBox): string {
  const [farX, farY] = farCorner(projection)
  const low = place([x.domain[0], y.domain[0], Number.NEGATIVE_INFINITY])[2]
  const edgeX = (t: number): Vector => [t, -farY, low]
  const edgeY = (t: number): Vector => [-farX, t, low]
  const xTicks = labeledTicks(x).map((tick) => ({ t: place([tick.at, 0, 0])[0], text: tick.text }))
  const yTicks = labeledTicks(y).map((tick) => ({ t: place([0, tick.at, 0])[1], text: tick.text }))
  return edgeText(canvas, projection, edgeX, xTicks, x.label) + edgeText(canvas, projection, edgeY, yTicks, y.label)
}

const labeledTicks = (axis: AxisScale): Tick[] => axis.ticks.filter((tick) => tick.text !== '')

/** Whether a text that is anchored at x stays on the picture. */
function fits(x: number, text: string, size: number, anchor: string, width: number): boolean {
  const length = textWidth(text, size)
  const left = x - (anchor === 'start' ? 0 : anchor === 'end' ? length : length / 2)
  return left >= 0 && left + length <= width
}

/** Places along an edge for its name: the middle, then on towards the lower end, where there is more room beside it. */
const namePlaces = [0, 0.15, 0.3, 0.45, 0.6]

function edgeText(
  { theme, width }: Canvas,
  projection: Projection,
  edge: (t: number) => Vector,
  ticks: readonly { t: number; text: string }[],
  label: string,
): string {
  const [a, b] = [projection.toScreen(edge(-1)), projection.toScreen(edge(1))]
  const out = outward(a, b, projection.toScreen([0, 0, 0]))
  const anchor = out[0] > 0.25 ? 'start' : out[0] < -0.25 ? 'end' : 'middle'
  const text = (content: string, at: Screen, distance: number, size: number, fill: string): string => {
    const place = { x: at[0] + distance * out[0], y: at[1] + distance * out[1] + size * 0.35, 'text-anchor': anchor }
    return svgText(content, { ...place, 'font-size': size, fill })
  }
  const line = (from: Screen, to: Screen): string =>
    svgElement('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], stroke: theme.muted })
  const marks = ticks.map((tick) => {
    const at = projection.toScreen(edge(tick.t))
    return line(at, [at[0] + 5 * out[0], at[1] + 5 * out[1]]) + text(tick.text, at, 11, TYPE.tick, theme.muted)
  })
  const widest = Math.max(0, ...ticks.map((tick) => textWidth(tick.text, TYPE.tick)))
  const away = 25 + Math.abs(out[0]) * widest
  const lower = a[1] > b[1] ? -1 : 1
  const places = namePlaces.map((t) => projection.toScreen(edge(lower * t)))
  const roomy = places.find((at) => fits(at[0] + away * out[0], label, TYPE.label, anchor, width)) ?? places[0]
  const name = text(label, roomy, away, TYPE.label, theme.ink)
  return `<g>${line(a, b)}${marks.join('')}${name}</g>`
}

/** The unit vector at a right angle to the edge from `a` to `b`, away from `middle`. */
function outward(a: Screen, b: Screen, middle: Screen): Screen {
  const along = [b[0] - a[0], b[1] - a[1]]
  const length = Math.hypot(...along) || 1
  const sign = along[1] * (a[0] - middle[0]) - along[0] * (a[1] - middle[1]) > 0 ? 1 : -1
  return [(sign * along[1]) / length, (-sign * along[0]) / length]
}

interface SurfacePath {
  readonly points: readonly Vector[]
  readonly color: string
}

function surfacePaths(figure: SurfaceStill, { x, y, z, place }: SurfaceBox): SurfacePath[] {
  return (figure.trajectories ?? []).map((line, i) => ({
    color: trajectoryColor(i),
    points: line.x
      .map((v, k): [number, number, number] => [x.map(v), y.map(line.y[k]), z.map(line.z[k])])
      .filter((p) => p.every(Number.isFinite))
      .map(place),
  }))
}

/** The segments among the facets, so that ridges hide what lies behind them. */
function pathParts({ points, color }: SurfacePath, projection: Projection, lift: number): Part[] {
  const paint = { fill: 'none', 'stroke-linecap': 'round', stroke: color, 'stroke-width': 2.4 }
  return points.slice(1).map((end, i) => ({
    nearness: meanNearness([points[i], end], projection) + lift,
    svg: svgElement('path', { d: pathData([points[i], end], projection), ...paint }),
  }))
}

/** A path lies in the facets; as much nearer as they are long it is painted after its own. */
function cellSize({ xs, ys }: SurfaceStill): number {
  return 2 / Math.max(1, Math.min(xs.length, ys.length) - 1)
}

/** The whole path faintly, hidden parts too, with its ends. */
function pathGhost({ points, color }: SurfacePath, projection: Projection): string {
  if (points.length === 0) return ''
  const [startX, startY] = projection.toScreen(points[0])
  const [endX, endY] = projection.toScreen(points[points.length - 1])
  const dots = { fill: 'none', stroke: color, 'stroke-width': 1.2, 'stroke-dasharray': '2,3' }
  return (
    svgElement('path', { d: pathData(points, projection), ...dots }) +
    svgElement('circle', { cx: startX, cy: startY, r: 4, fill: '#ffffff', stroke: color, 'stroke-width': 2 }) +
    svgElement('circle', { cx: endX, cy: endY, r: 4.5, fill: color, stroke: '#ffffff' })
  )
}

function closed(points: readonly Vector[], projection: Projection): string {
  return `${pathData(points, projection)}Z`
}

function pathData(points: readonly Vector[], projection: Projection): string {
  return points
    .map((point, i) => {
      const [x, y] = projection.toScreen(point)
      return `${i === 0 ? 'M' : 'L'}${coordinate(x)},${coordinate(y)}`
    })
    .join('')
}
