import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { AxisScale, Tick } from './axis-scale.ts'
import type { Canvas } from './drawing.ts'
import { coordinate } from './svg-element.ts'
import { textWidth } from './text-layout.ts'
import { TYPE } from './theme.ts'

export interface PanelBox {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface PanelSpec {
  readonly height: number
  readonly x: AxisScale
  readonly y: AxisScale
  readonly marks: readonly Plot.Markish[]
  readonly box: PanelBox
  /** Grid lines behind the marks; default both. */
  readonly grid?: 'x' | 'y' | 'both' | 'none'
  /** Only the outline of the picture: no horizontal axis (a ladder), or a frame on all sides (a plane). */
  readonly outline?: 'left-bottom' | 'all' | 'none'
  readonly hideX?: boolean
}

const LABEL_ROW = 24
const TICK_LENGTH = 5
const AXIS_ROW = 42
const EDGE = 14

/** Room around the plot area for these axes; `right` is what a color bar or labels need beside it. */
export function panelBox(canvas: Canvas, y: AxisScale, height: number, right: number = EDGE, x?: AxisScale): PanelBox {
  const widest = Math.max(14, ...y.ticks.map((tick) => textWidth(tick.text, TYPE.tick)))
  const lastTick = x?.ticks.findLast((tick) => tick.text !== '')
  const overhang = lastTick === undefined ? 0 : textWidth(lastTick.text, TYPE.tick) / 2 + 2
  return {
    left: Math.ceil(widest + TICK_LENGTH + 8),
    right: canvas.width - Math.max(right, Math.min(overhang, 40)),
    top: LABEL_ROW,
    bottom: height - AXIS_ROW,
  }
}

/** Height of a panel whose plot area has this height. */
export function panelHeight(plotHeight: number): number {
  return LABEL_ROW + plotHeight + AXIS_ROW
}

/** Axes, grid and marks as an SVG group. The marks' coordinates are drawing units of the two scales. */
export function drawPanel(canvas: Canvas, spec: PanelSpec): string {
  const { box, x, y } = spec
  const marks = [...gridMarks(canvas, spec), ...spec.marks, ...outlineMarks(canvas, spec), ...axisMarks(canvas, spec)]
  const svg = Plot.plot({
    document: pageDocument(),
    className: 'thalweg',
    width: canvas.width,
    height: spec.height,
    marginLeft: box.left,
    marginRight: canvas.width - box.right,
    marginTop: box.top,
    marginBottom: spec.height - box.bottom,
    x: { type: 'linear', domain: [...x.domain], axis: null, label: null },
    y: { type: 'linear', domain: [...y.domain], axis: null, label: null },
    marks,
  })
  return group(canvas, String(svg.outerHTML))
}

function gridMarks(canvas: Canvas, spec: PanelSpec): Plot.Markish[] {
  const grid = spec.grid ?? 'both'
  const options = { stroke: canvas.theme.rule, strokeOpacity: 1 }
  return [
    ...(grid === 'x' || grid === 'both' ? [Plot.gridX(labeled(spec.x.ticks), options)] : []),
    ...(grid === 'y' || grid === 'both' ? [Plot.gridY(labeled(spec.y.ticks), options)] : []),
  ]
}

function outlineMarks(canvas: Canvas, spec: PanelSpec): Plot.Markish[] {
  const stroke = canvas.theme.muted
  if (spec.outline === 'none') return []
  if (spec.outline === 'all') return [Plot.frame({ stroke })]
  return [Plot.frame({ anchor: 'left', stroke }), ...(spec.hideX ? [] : [Plot.frame({ anchor: 'bottom', stroke })])]
}

function axisMarks(canvas: Canvas, spec: PanelSpec): Plot.Markish[] {
  const { theme } = canvas
  const common = { stroke: theme.muted, fill: theme.muted, fontSize: TYPE.tick, label: null }
  const minor = { stroke: theme.muted, tickSize: 3, tickFormat: () => '', label: null }
  const label = { fill: theme.ink, fontSize: TYPE.label, monotonic: true }
  const horizontal = spec.hideX
    ? []
    : [
        Plot.axisX(labeled(spec.x.ticks), { ...common, tickSize: TICK_LENGTH, tickFormat: tickText(spec.x.ticks) }),
        Plot.axisX(unlabeled(spec.x.ticks), minor),
        Plot.text([spec.x.label], { ...label, frameAnchor: 'bottom', dy: AXIS_ROW - 4, lineAnchor: 'bottom' }),
      ]
  return [
    ...horizontal,
    Plot.axisY(labeled(spec.y.ticks), { ...common, tickSize: TICK_LENGTH, tickFormat: tickText(spec.y.ticks) }),
    Plot.axisY(unlabeled(spec.y.ticks), minor),
    Plot.text([spec.y.label], {
      ...label,
      frameAnchor: 'top-left',
      dx: -spec.box.left + 1,
      dy: -10,
      lineAnchor: 'bottom',
      textAnchor: 'start',
    }),
  ]
}

const labeled = (ticks: readonly Tick[]): number[] => ticks.filter((tick) => tick.text !== '').map((tick) => tick.at)
const unlabeled = (ticks: readonly Tick[]): number[] => ticks.filter((tick) => tick.text === '').map((tick) => tick.at)

function tickText(ticks: readonly Tick[]): (at: number) => string {
  const texts = new Map(ticks.map((tick) => [tick.at, tick.text]))
  return (at) => texts.get(at) ?? ''
}

// Plot asks for the document of a browser; its type is none of a Node program.
type PageDocument = NonNullable<Plot.PlotOptions['document']>

let sharedDocument: PageDocument

function pageDocument(): PageDocument {
  sharedDocument ??= parseHTML('<!doctype html><html><body></body></html>').document
  return sharedDocument
}

/** The content of Plot's picture without its style sheet; ids numbered per picture instead of per process, coordinates
 *  rounded. */
function group(canvas: Canvas, svg: string): string {
  const content = svg
    .replace(/^<svg[^>]*>/, '')
    .replace(/<\/svg>$/, '')
    .replace(/<style>[\s\S]*?<\/style>/, '')
  const ids = new Map<string, string>()
  const renamed = content.replace(/plot-(clip|marker)-\d+/g, (id) => {
    if (!ids.has(id)) ids.set(id, `${canvas.id}-part-${ids.size + 1}`)
    return ids.get(id) as string
  })
  const attributes = / (d|transform|x|y|x1|x2|y1|y2|cx|cy|r|width|height)="([^"]*)"/g
  const rounded = renamed.replace(/<[^>]+>/g, (tag) =>
    tag.replace(
      attributes,
      (_, name: string, value: string) =>
        ` ${name}="${value.replace(/-?\d+\.\d+(e-?\d+)?|-?\d+e-\d+/g, (n) => coordinate(Number(n)))}"`,
    ),
  )
  return `<g text-anchor="middle" font-size="${TYPE.tick}" fill="${canvas.theme.ink}">${rounded}</g>`
}
