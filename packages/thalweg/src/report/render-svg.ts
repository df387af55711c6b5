import { checkFigure } from './check-figure.ts'
import type { Canvas, Drawing, LegendEntry } from './drawing.ts'
import { escapeMarkup, printable } from './escape-markup.ts'
import { figureWords } from './figure-words.ts'
import { drawContourPlane } from './figures/contour-plane.ts'
import { drawEigenvalueStems } from './figures/eigenvalue-stems.ts'
import { drawHeatMap } from './figures/heat-map.ts'
import { drawHistogram } from './figures/histogram.ts'
import { drawLineChart } from './figures/line-chart.ts'
import { drawScatterPlot } from './figures/scatter-plot.ts'
import { drawSpectralDensity } from './figures/spectral-density.ts'
import { drawSurfaceStill } from './figures/surface-still.ts'
import { drawValueLadder } from './figures/value-ladder.ts'
import { formatNumber } from './format-number.ts'
import type { Figure } from './scene.ts'
import { coordinate, svgElement, svgText } from './svg-element.ts'
import { ellipsize, textWidth, wrapText } from './text-layout.ts'
import { FONT_FAMILY, fileTheme, type Theme, TYPE } from './theme.ts'

export interface SvgOptions {
  /** Pixels; default 720, planes and surfaces 560. */
  readonly width?: number
  /** Colors; default those of a file, dark on white. */
  readonly theme?: Theme
  /** Title, caption and paper belong to the picture (a file), or the page sets them around it. Default true. */
  readonly framed?: boolean
  /** Prefix of ids, unique in the page. Default: derived from the figure. */
  readonly id?: string
}

const SQUARE_KINDS: ReadonlySet<Figure['kind']> = new Set(['contour-plane', 'heat-map', 'surface-still'])
const MARGIN = 16
const LEGEND_LINE = 20
const NOTE_LINE = 16

/** A figure as SVG text: self-contained, the same bytes for the same data and options, every text in it escaped.
 *  @throws {ShapeError | DomainError} where the figure's lists do not fit together.
 *  Cost: linear in the figure's data; milliseconds for a curve, some 50 ms for a surface of 50 × 50. */
export function renderSvg(figure: Figure, options: SvgOptions = {}): string {
  checkFigure(figure)
  const framed = options.framed ?? true
  const outer = options.width ?? naturalWidth(figure)
  const margin = framed ? MARGIN : 2
  const canvas: Canvas = {
    width: outer - 2 * margin,
    theme: options.theme ?? fileTheme,
    words: figureWords(figure.lang),
    id: options.id ?? `figure-${fingerprint(JSON.stringify(figure))}`,
  }
  const drawing = draw(figure, canvas)
  const rows: Row[] = [
    ...(framed ? titleRows(figure, canvas) : []),
    ...legendRows(drawing.legend, canvas),
    { svg: drawing.svg, height: drawing.height },
    ...textRows(drawing.notes.join(canvas.words.separator), canvas, TYPE.note, true),
    ...(framed ? captionRows(figure, canvas) : []),
  ]
  return printable(assemble(figure, canvas, rows, outer, margin, framed))
}

/** The caption with every setting, as one text. */
export function fullCaption(figure: Figure): string {
  const { colon, separator, stop } = figureWords(figure.lang)
  const settings = (figure.settings ?? []).map(({ name, value }) => `${name}${colon}${settingText(value)}`)
  const sentence = (figure.caption ?? '').trim()
  const closed =
    sentence === '' || settings.length === 0 || /[.!?。！？]$/.test(sentence) ? sentence : sentence + stop.trim()
  const joined = settings.length === 0 ? '' : settings.join(separator) + stop.trim()
  return [closed, joined].filter((part) => part !== '').join(figure.lang === 'zh' ? '' : ' ')
}

export function settingText(value: string | number | boolean): string {
  return typeof value === 'number' ? formatNumber(value, { digits: 8, trim: true }) : String(value)
}

/** Width in pixels at which the figure's kind is drawn when nothing else is asked for. */
export function naturalWidth(figure: Figure): number {
  return SQUARE_KINDS.has(figure.kind) ? 560 : 720
}

interface Row {
  readonly svg: string
  readonly height: number
}

function draw(figure: Figure, canvas: Canvas): Drawing {
  switch (figure.kind) {
    case 'line-chart':
      return drawLineChart(figure, canvas)
    case 'eigenvalue-stems':
      return drawEigenvalueStems(figure, canvas)
    case 'spectral-density':
      return drawSpectralDensity(figure, canvas)
    case 'contour-plane':
      return drawContourPlane(figure, canvas)
    case 'heat-map':
      return drawHeatMap(figure, canvas)
    case 'surface-still':
      return drawSurfaceStill(figure, canvas)
    case 'scatter-plot':
      return drawScatterPlot(figure, canvas)
    case 'value-ladder':
      return drawValueLadder(figure, canvas)
    case 'histogram':
      return drawHistogram(figure, canvas)
  }
}

function assemble(
  figure: Figure,
  canvas: Canvas,
  rows: readonly Row[],
  width: number,
  margin: number,
  framed: boolean,
): string {
  let y = margin
  const placed = rows.map((row) => {
    const group = svgElement('g', { transform: `translate(${margin},${coordinate(y)})` }, row.svg)
    y += row.height
    return group
  })
  const height = Math.ceil(y + (framed ? margin : 2))
  const size = { viewBox: `0 0 ${width} ${height}`, width, height }
  const { id, theme } = canvas
  // In a page the caption beside the picture says the same, and a <title> would pop up under the pointer.
  const label = framed ? { 'aria-labelledby': `${id}-title ${id}-text` } : { 'aria-label': figure.title }
  const title = svgElement('title', { id: `${id}-title` }, escapeMarkup(figure.title))
  const text = svgElement('desc', { id: `${id}-text` }, escapeMarkup(fullCaption(figure)))
  const paper = svgElement('rect', { width, height, fill: theme.paper })
  const root = { xmlns: 'http://www.w3.org/2000/svg', ...size, role: 'img', ...label, 'font-family': FONT_FAMILY }
  return svgElement('svg', root, (framed ? title + text + paper : '') + placed.join(''))
}

function titleRows(figure: Figure, canvas: Canvas): Row[] {
  const lines = wrapText(figure.title, TYPE.title * 1.06, canvas.width).slice(0, 3)
  const style = { 'font-size': TYPE.title, 'font-weight': 600, fill: canvas.theme.ink }
  const svg = lines.map((line, i) => svgText(line, { y: 14 + 20 * i, ...style })).join('')
  return lines.length === 0 ? [] : [{ svg, height: 20 * lines.length + 8 }]
}

function captionRows(figure: Figure, canvas: Canvas): Row[] {
  const rows = textRows(fullCaption(figure), canvas, TYPE.caption, false)
  return rows.length === 0 ? [] : [{ svg: '', height: 6 }, ...rows]
}

function textRows(text: string, canvas: Canvas, fontSize: number, italic: boolean): Row[] {
  const lines = wrapText(text, fontSize, canvas.width)
  if (lines.length === 0) return []
  const style = { 'font-size': fontSize, fill: canvas.theme.muted, 'font-style': italic ? 'italic' : undefined }
  const svg = lines.map((line, i) => svgText(line, { y: 12 + NOTE_LINE * i, ...style })).join('')
  return [{ svg, height: NOTE_LINE * lines.length + 2 }]
}

/** Legend entries from left to right, in as many lines as they need. */
function legendRows(entries: readonly LegendEntry[], canvas: Canvas): Row[] {
  if (entries.length === 0) return []
  let x = 0
  let line = 0
  const items = entries.map((entry) => {
    const name = ellipsize(entry.name, TYPE.label, canvas.width - 40)
    const width = 26 + textWidth(name, TYPE.label)
    if (x > 0 && x + width > canvas.width) {
      x = 0
      line++
    }
    const transform = `translate(${coordinate(x)},${line * LEGEND_LINE})`
    x += width + 16
    const text = svgText(name, { x: 26, y: 12, 'font-size': TYPE.label, fill: canvas.theme.ink })
    return svgElement('g', { transform }, swatch(entry) + text)
  })
  return [{ svg: items.join(''), height: (line + 1) * LEGEND_LINE + 4 }]
}

function swatch({ mark, color }: LegendEntry): string {
  const across = { x1: 0, x2: 20, y1: 8, y2: 8, stroke: color }
  const round = { cx: 12, cy: 8 }
  switch (mark) {
    case 'line':
      return svgElement('line', { ...across, 'stroke-width': 2.4 })
    case 'dashed':
      return svgElement('line', { ...across, 'stroke-width': 2, 'stroke-dasharray': '5,3' })
    case 'dot':
      return svgElement('circle', { ...round, r: 4.5, fill: color })
    case 'ring':
      return svgElement('circle', { ...round, r: 4, fill: 'none', stroke: color, 'stroke-width': 2 })
    case 'square':
      return svgElement('rect', { x: 8, y: 4, width: 8, height: 8, fill: color })
    case 'diamond':
      return svgElement('path', { d: 'M12,2.5L17,8L12,13.5L7,8Z', fill: color })
    case 'triangle':
      return svgElement('path', { d: 'M12,3L17,12L7,12Z', fill: color })
    case 'band':
      return svgElement('rect', { x: 0, y: 3, width: 20, height: 10, fill: color, 'fill-opacity': 0.3 })
    case 'tick':
      return svgElement('line', { x1: 12, x2: 12, y1: 2, y2: 14, stroke: color, 'stroke-width': 1.6 })
  }
}

/** FNV-1a, 32 bits: short, and stable for equal figures. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(36)
}
