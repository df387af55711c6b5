import * as Plot from '@observablehq/plot'
import { type AxisScale, axisScale, countNotPositive, isFiniteValue } from '../axis-scale.ts'
import type { Canvas, Drawing, LegendEntry } from '../drawing.ts'
import { drawPanel, panelBox } from '../plot-panel.ts'
import type { LineChart, Reference, Series } from '../scene.ts'
import { TYPE } from '../theme.ts'

const MARKERS_MAX = 24

/** Several series over one abscissa. A value that is not finite breaks its line. */
export function drawLineChart(figure: LineChart, canvas: Canvas): Drawing {
  const references = figure.references ?? []
  const xData = figure.series.flatMap((series) => series.x)
  const yData = figure.series.flatMap((series) => [...series.y, ...(series.lower ?? []), ...(series.upper ?? [])])
  const height = Math.round(Math.min(400, Math.max(250, canvas.width * 0.56)))
  const bars = barsOf(figure)
  const x = axisScale(figure.x, xData, {
    include: [...referenceValues(references, 'x'), ...bars.edges],
    padding: figure.series.some(({ style }) => style === 'points') ? 0.03 : 0,
  })
  const foot = bars.edges.length > 0 && figure.y.scale !== 'log' ? [0] : []
  const y = axisScale(figure.y, yData, { include: [...referenceValues(references, 'y'), ...foot], padding: 0.04 })
  const marks = [
    ...figure.series.flatMap((series, i) => bandMarks(canvas, series, i, x, y)),
    ...references.flatMap((reference) => referenceMarks(canvas, reference, x, y)),
    ...figure.series.flatMap((series, i) =>
      series.style === 'bars' ? barMarks(canvas, series, i, bars, x, y) : lineMarks(canvas, series, i, x, y),
    ),
  ]
  const svg = drawPanel(canvas, { height, x, y, marks, box: panelBox(canvas, y, height, undefined, x) })
  return {
    svg,
    height,
    legend: figure.series.map((series, i) => seriesEntry(canvas, series, i)),
    notes: lineNotes(figure, canvas),
  }
}

export function seriesColor(canvas: Canvas, color: number): string {
  return canvas.theme.series[color % canvas.theme.series.length]
}

/** A labeled line across the panel. */
export function referenceMarks(canvas: Canvas, reference: Reference, x: AxisScale, y: AxisScale): Plot.Markish[] {
  const stroke = { stroke: canvas.theme.muted, strokeDasharray: '2,3', strokeWidth: 1.2 }
  const text = {
    text: [reference.label],
    fill: canvas.theme.muted,
    fontSize: TYPE.note,
    stroke: canvas.theme.paper,
    strokeWidth: 3,
  }
  if (reference.axis === 'y') {
    const at = y.map(reference.value)
    const above = at < (y.domain[0] + 3 * y.domain[1]) / 4
    return [
      Plot.ruleY([at], stroke),
      Plot.text([at], {
        ...text,
        y: [at],
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: -4,
        dy: above ? -4 : 4,
        lineAnchor: above ? 'bottom' : 'top',
      }),
    ]
  }
  const at = x.map(reference.value)
  const before = at > (x.domain[0] + x.domain[1]) / 2
  return [
    Plot.ruleX([at], stroke),
    Plot.text([at], {
      ...text,
      x: [at],
      frameAnchor: 'top',
      textAnchor: before ? 'end' : 'start',
      dx: before ? -5 : 5,
      dy: 4,
      lineAnchor: 'top',
    }),
  ]
}

export function referenceValues(references: readonly Reference[], axis: 'x' | 'y'): number[] {
  return references.filter((reference) => reference.axis === axis).map((reference) => reference.value)
}

function lineMarks(canvas: Canvas, series: Series, i: number, x: AxisScale, y: AxisScale): Plot.Markish[] {
  const stroke = seriesColor(canvas, series.color ?? i)
  const points = series.x.map((v, k) => ({ x: x.map(v), y: y.map(series.y[k]) }))
  const shown = points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y))
  const dash = series.style === 'dashed' ? { strokeDasharray: '6,4' } : {}
  const line = Plot.line(points, {
    x: 'x',
    y: 'y',
    stroke,
    strokeWidth: 1.8,
    strokeLinejoin: 'round',
    clip: true,
    ...dash,
  })
  // A point between two gaps has no line to be seen by.
  const alone = points.filter(
    (p, k) => Number.isFinite(p.y) && !Number.isFinite(points[k - 1]?.y) && !Number.isFinite(points[k + 1]?.y),
  )
  const pointed = series.style === 'points' || (series.markers ?? shown.length <= MARKERS_MAX)
  const dots = pointed ? shown : alone
  return [
    ...(series.style === 'points' ? [] : [line]),
    ...(dots.length > 0
      ? [Plot.dot(dots, { x: 'x', y: 'y', r: 2.6, fill: stroke, stroke: canvas.theme.paper, strokeWidth: 0.8 })]
      : []),
  ]
}

/** Where the bars of a chart stand: those of one place share its room. */
interface Bars {
  /** Half of the room of a place, in units of the axis (its logarithm on a logarithmic one). */
  readonly half: number
  /** Series of bars, in their order. */
  readonly members: readonly number[]
  /** Left end of the first and right end of the last bar. */
  readonly edges: readonly number[]
}

function barsOf({ series, x }: LineChart): Bars {
  const members = series.flatMap(({ style }, i) => (style === 'bars' ? [i] : []))
  const log = x.scale === 'log'
  const places = members
    .flatMap((i) => series[i].x)
    .filter((v): v is number => isFiniteValue(v) && !(log && v <= 0))
    .map((v) => (log ? Math.log10(v) : v))
    .sort((a, b) => a - b)
  if (places.length === 0) return { half: 0, members, edges: [] }
  const gaps = places.slice(1).map((v, k) => v - places[k])
  const least = Math.min(...gaps.filter((gap) => gap > 0))
  const half = 0.42 * (Number.isFinite(least) ? least : 1)
  const ends = [places[0] - half, places[places.length - 1] + half]
  return { half, members, edges: log ? ends.map((v) => 10 ** v) : ends }
}

function barMarks(canvas: Canvas, series: Series, i: number, bars: Bars, x: AxisScale, y: AxisScale): Plot.Markish[] {
  const fill = seriesColor(canvas, series.color ?? i)
  const width = (2 * bars.half) / bars.members.length
  const from = bars.members.indexOf(i) * width - bars.half
  // drawing units of a linear axis may be scaled by a power of ten
  const unit = x.map(1) - x.map(0)
  const scale = Number.isFinite(unit) ? unit : 1
  const foot = Math.max(y.domain[0], Math.min(y.domain[1], Number.isFinite(y.map(0)) ? y.map(0) : y.domain[0]))
  const rects = series.x
    .map((v, k) => ({ x1: x.map(v) + scale * from, x2: x.map(v) + scale * (from + width), y: y.map(series.y[k]) }))
    .filter((rect) => Number.isFinite(rect.x1) && Number.isFinite(rect.y))
  return [Plot.rect(rects, { x1: 'x1', x2: 'x2', y1: foot, y2: 'y', fill, fillOpacity: 0.82, clip: true })]
}

function bandMarks(canvas: Canvas, series: Series, i: number, x: AxisScale, y: AxisScale): Plot.Markish[] {
  if (series.lower === undefined || series.upper === undefined) return []
  const { lower, upper } = series
  const points = series.x.map((v, k) => ({ x: x.map(v), low: y.map(lower[k]), high: y.map(upper[k]) }))
  const fill = seriesColor(canvas, series.color ?? i)
  return [Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill, fillOpacity: 0.18, clip: true })]
}

const legendMarks = { solid: 'line', dashed: 'dashed', points: 'dot', bars: 'square' } as const

function seriesEntry(canvas: Canvas, series: Series, i: number): LegendEntry {
  return {
    name: series.name,
    color: seriesColor(canvas, series.color ?? i),
    mark: legendMarks[series.style ?? 'solid'],
  }
}

function lineNotes(figure: LineChart, canvas: Canvas): string[] {
  const y = figure.series.flatMap((series) => series.y)
  const notPositive =
    countNotPositive(figure.y, y) +
    countNotPositive(
      figure.x,
      figure.series.flatMap((series) => series.x),
    )
  const missing = y.filter((v) => !isFiniteValue(v)).length
  if (y.length === missing) return [canvas.words.empty]
  return [
    ...(missing > 0 ? [canvas.words.notFinite(missing, y.length)] : []),
    ...(notPositive > 0 ? [canvas.words.notPositive(notPositive)] : []),
  ]
}
