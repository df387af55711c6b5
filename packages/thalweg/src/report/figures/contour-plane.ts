import * as Plot from '@observablehq/plot'
import { type AxisScale, linearTicks } from '../axis-scale.ts'
import { type ColorBand, type ColorScale, colorBarWidth, colorScale, drawColorBar, mapValues } from '../color-scale.ts'
import { contoursAt, type Point } from '../contour-bands.ts'
import { type Canvas, type Drawing, hatchFill, hatchPattern } from '../drawing.ts'
import { drawPanel } from '../plot-panel.ts'
import type { ContourPlane } from '../scene.ts'
import { missingNotes, overlayLegend, overlayMarks, planeLayout } from './plane.ts'

/** Geometry of a contour plane in drawing units: what is filled, where the lines run, what has no value. */
export interface ContourScene {
  readonly x: AxisScale
  readonly y: AxisScale
  readonly levels: readonly number[]
  readonly bands: readonly (ColorBand & { readonly rings: Point[][]; readonly lines: Point[][] })[]
  /** Quads with a corner that has no value. */
  readonly holes: Point[][]
}

const LEVEL_COUNT = 12

/** Filled contours and lines; nodes lie exactly at `xs`, `ys`. */
export function drawContourPlane(figure: ContourPlane, canvas: Canvas): Drawing {
  const colors = colorScale(figure)
  const layout = planeLayout(canvas, figure, figure.xs, figure.ys, colorBarWidth(colors.axis))
  const scene = contourScene(figure, layout.x, layout.y, colors)
  const { box } = layout
  const marks: Plot.Markish[] = [
    ...scene.bands.map((band) => polygons(band.rings, { fill: band.color, stroke: band.color, strokeWidth: 0.4 })),
    ...scene.bands.slice(1).map((band) => lines(band.lines)),
    ...(scene.holes.length > 0
      ? [
          polygons(
            scene.holes.map((hole) => [...hole, hole[0]]),
            { fill: hatchFill(canvas) },
          ),
        ]
      : []),
    ...overlayMarks(figure, layout),
  ]
  const svg =
    `<defs>${hatchPattern(canvas)}</defs>` +
    drawPanel(canvas, { height: layout.height, x: layout.x, y: layout.y, box, marks, grid: 'none', outline: 'all' }) +
    drawColorBar(canvas, colors, { x: box.right, top: box.top, bottom: box.bottom, bands: scene.bands })
  return { svg, height: layout.height, legend: overlayLegend(canvas, figure), notes: contourNotes(figure, canvas) }
}

/** The geometry alone, for tests and for other renderers. */
export function contourScene(figure: ContourPlane, x: AxisScale, y: AxisScale, colors: ColorScale): ContourScene {
  const [low, high] = colors.axis.domain
  const levels = contourLevels(figure, colors.axis)
  const values = mapValues(colors.axis, figure.values)
  const xs = figure.xs.map((v) => x.map(v))
  const ys = figure.ys.map((v) => y.map(v))
  const starts = [Number.NEGATIVE_INFINITY, ...levels]
  const bands = starts.map((level, k) => {
    const from = Math.max(low, level)
    const to = k + 1 < starts.length ? starts[k + 1] : high
    const { rings, lines: edges } = contoursAt(xs, ys, values, level)
    return { from, to, color: colors.color((from + to) / 2), rings, lines: edges }
  })
  return { x, y, levels, bands, holes: missingQuads(xs, ys, values) }
}

/** Levels strictly inside the color domain, in drawing units. */
function contourLevels(figure: ContourPlane, axis: AxisScale): number[] {
  const [low, high] = axis.domain
  const given = figure.levels?.map((level) => axis.map(level)).filter(Number.isFinite)
  const all = given ?? linearTicks(low, high, LEVEL_COUNT).values
  return all.filter((level) => level > low && level < high)
}

function polygons(rings: Point[][], options: Plot.GeoOptions): Plot.Markish {
  return Plot.geo([{ type: 'MultiPolygon', coordinates: [rings] }], options)
}

function lines(paths: Point[][]): Plot.Markish {
  const options = { stroke: '#10202a', strokeOpacity: 0.45, strokeWidth: 0.7, fill: 'none' }
  return Plot.geo([{ type: 'MultiLineString', coordinates: paths }], options)
}

function missingQuads(xs: readonly number[], ys: readonly number[], values: ArrayLike<number>): Point[][] {
  const quads: Point[][] = []
  for (let j = 0; j + 1 < ys.length; j++) {
    for (let i = 0; i + 1 < xs.length; i++) {
      const a = j * xs.length + i
      const whole = [a, a + 1, a + xs.length, a + xs.length + 1].every((k) => Number.isFinite(values[k]))
      if (!whole)
        quads.push([
          [xs[i], ys[j]],
          [xs[i + 1], ys[j]],
          [xs[i + 1], ys[j + 1]],
          [xs[i], ys[j + 1]],
        ])
    }
  }
  return quads
}

function contourNotes(figure: ContourPlane, canvas: Canvas): string[] {
  const notes = missingNotes(canvas, figure.values)
  const negative =
    figure.valueScale === 'log' ? figure.values.filter((v) => v !== null && Number.isFinite(v) && v <= 0).length : 0
  const tooSmall = figure.xs.length < 2 || figure.ys.length < 2
  return [
    ...notes,
    ...(negative > 0 ? [canvas.words.notPositive(negative)] : []),
    ...(tooSmall ? [canvas.words.empty] : []),
  ]
}
