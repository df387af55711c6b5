import * as Plot from '@observablehq/plot'
import { type AxisScale, axisScale, isFiniteValue } from '../axis-scale.ts'
import type { Canvas, LegendEntry } from '../drawing.ts'
import { type PanelBox, panelBox, panelHeight } from '../plot-panel.ts'
import type { GridFigure, MarkerKind, Overlay, Trajectory, Value } from '../scene.ts'
import { fileTheme, TYPE } from '../theme.ts'

/** Both axes of a plane and the rectangle it is drawn in. */
export interface PlaneLayout {
  readonly x: AxisScale
  readonly y: AxisScale
  readonly box: PanelBox
  readonly height: number
}

const PLOT_HEIGHT_MAX = 520

/** Equal units on both axes where the ranges are of similar size, else three quarters as high as wide.
 *  @param edgesX, edgesY  what must be inside: nodes of contours, cell edges of a heat map. */
export function planeLayout(
  canvas: Canvas,
  figure: GridFigure,
  edgesX: readonly number[],
  edgesY: readonly number[],
  right: number,
): PlaneLayout {
  const x = axisScale(figure.x, edgesX, { tickCount: 5 })
  const y = axisScale(figure.y, edgesY, { tickCount: 5 })
  const { left, right: end } = panelBox(canvas, y, 0, right)
  const ratio = span(edgesY) / span(edgesX)
  const equal = figure.x.scale !== 'log' && figure.y.scale !== 'log' && ratio >= 0.4 && ratio <= 1.25
  const plotHeight = Math.min(PLOT_HEIGHT_MAX, Math.round((end - left) * (equal ? ratio : 0.75)))
  const height = panelHeight(plotHeight)
  const box = panelBox(canvas, y, height, right)
  const width = equal ? Math.min(end - left, Math.round(plotHeight / ratio)) : end - left
  return { x, y, height, box: { ...box, right: box.left + width } }
}

/** Count of the values that are not finite, as a sentence, where there are any. */
export function missingNotes(canvas: Canvas, values: readonly Value[]): string[] {
  const missing = values.reduce((count: number, v) => count + (isFiniteValue(v) ? 0 : 1), 0)
  return missing === 0 ? [] : [canvas.words.hatched(missing, values.length)]
}

/** Paths and marked points on a plane, with a halo of paper so that they read on every color. */
export function overlayMarks(overlay: Overlay, layout: PlaneLayout): Plot.Markish[] {
  const trajectories = overlay.trajectories ?? []
  return [
    ...trajectories.flatMap((path, i) => trajectoryMarks(path, trajectoryColor(i), layout)),
    ...(overlay.markers ?? []).flatMap((marker) =>
      pointMarks(marker.kind, layout.x.map(marker.x), layout.y.map(marker.y), trajectoryColor(0), marker.label, layout),
    ),
  ]
}

export function overlayLegend(canvas: Canvas, overlay: Overlay): LegendEntry[] {
  const trajectories = overlay.trajectories ?? []
  const kinds = [...new Set((overlay.markers ?? []).filter((m) => m.label === undefined).map((m) => m.kind))]
  return [
    ...trajectories.map(
      (path, i): LegendEntry => ({
        name: path.name,
        color: trajectoryColor(i),
        mark: 'line',
      }),
    ),
    ...(trajectories.length === 0
      ? []
      : [
          { name: canvas.words.start, color: canvas.theme.ink, mark: 'ring' } as const,
          { name: canvas.words.end, color: canvas.theme.ink, mark: 'dot' } as const,
        ]),
    ...kinds.map(
      (kind): LegendEntry => ({ name: canvas.words[kind], color: canvas.theme.ink, mark: LEGEND_MARKS[kind] }),
    ),
  ]
}

const LEGEND_MARKS: Readonly<Record<MarkerKind, LegendEntry['mark']>> = {
  start: 'ring',
  end: 'dot',
  minimum: 'dot',
  saddle: 'diamond',
  maximum: 'square',
  point: 'ring',
}

const SYMBOLS = {
  start: 'circle',
  end: 'circle',
  minimum: 'circle',
  saddle: 'diamond',
  maximum: 'square',
  point: 'circle',
} as const

/** Paths lie on a palette that is the same on every paper, so their colors are too: of the series those that stand out
 *  from dark and light alike. */
export function trajectoryColor(i: number): string {
  return fileTheme.series[[1, 4, 3, 5, 0][i % 5]]
}

function trajectoryMarks(path: Trajectory, color: string, layout: PlaneLayout): Plot.Markish[] {
  const points = path.x
    .map((x, i) => ({ x: layout.x.map(x), y: layout.y.map(path.y[i]) }))
    .filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y))
  if (points.length === 0) return []
  const line = { x: 'x', y: 'y', clip: true, strokeLinejoin: 'round', strokeLinecap: 'round' } as const
  const last = points[points.length - 1]
  return [
    Plot.line(points, { ...line, stroke: '#ffffff', strokeOpacity: 0.85, strokeWidth: 4 }),
    Plot.line(points, { ...line, stroke: color, strokeWidth: 2 }),
    ...(points.length <= 40 ? [Plot.dot(points, { x: 'x', y: 'y', r: 2, fill: color, clip: true })] : []),
    ...pointMarks('start', points[0].x, points[0].y, color, undefined, layout),
    ...(points.length > 1 ? pointMarks('end', last.x, last.y, color, undefined, layout) : []),
  ]
}

function pointMarks(
  kind: MarkerKind,
  x: number,
  y: number,
  color: string,
  label: string | undefined,
  layout: PlaneLayout,
): Plot.Markish[] {
  const [left, right] = layout.x.domain
  const [low, high] = layout.y.domain
  if (!(x >= left && x <= right && y >= low && y <= high)) return []
  const open = kind === 'start' || kind === 'point'
  const symbol = SYMBOLS[kind]
  const dots = [
    Plot.dot([[x, y]], { r: 6.5, symbol, fill: '#ffffff', fillOpacity: 0.9 }),
    Plot.dot(
      [[x, y]],
      open ? { r: 4, symbol, fill: '#ffffff', stroke: color, strokeWidth: 2 } : { r: 4.5, symbol, fill: color },
    ),
  ]
  if (label === undefined) return dots
  // The text goes where there is room: to the left of points in the right half, below those at the top.
  const before = x > (left + right) / 2
  const text = {
    fill: '#ffffff',
    stroke: '#16202a',
    strokeWidth: 3,
    strokeOpacity: 0.8,
    fontSize: TYPE.label,
  } as const
  const below = y > high - 0.06 * (high - low) ? 8 : y < low + 0.06 * (high - low) ? -8 : 0
  return [
    ...dots,
    Plot.text([[x, y]], {
      ...text,
      text: [label],
      textAnchor: before ? 'end' : 'start',
      dx: before ? -10 : 10,
      dy: below,
    }),
  ]
}

function span(values: readonly number[]): number {
  const range = values.length === 0 ? 1 : values[values.length - 1] - values[0]
  return range > 0 && Number.isFinite(range) ? range : 1
}
