import * as Plot from '@observablehq/plot'
import { type AxisScale, axisScale, extentOf } from './axis-scale.ts'
import type { Canvas } from './drawing.ts'
import type { GridFigure, Palette, Value } from './scene.ts'
import { type SvgAttributes, svgElement, svgText } from './svg-element.ts'
import { textWidth } from './text-layout.ts'
import { TYPE } from './theme.ts'

export interface ColorScale {
  /** Domain in drawing units, ticks and label of the bar. */
  readonly axis: AxisScale
  /** Of a value in drawing units; ends of the palette outside the domain. */
  color(at: number): string
}

const SCHEMES: Readonly<Record<Palette, Plot.ColorScheme>> = {
  viridis: 'viridis',
  cividis: 'cividis',
  diverging: 'PuOr',
}
const palettes = new Map<Palette, (share: number) => string>()

/** Color of a share 0 … 1 of a palette. */
function paletteColor(palette: Palette, share: number): string {
  let apply = palettes.get(palette)
  if (apply === undefined) {
    const scale = Plot.scale({ color: { type: 'linear', domain: [0, 1], scheme: SCHEMES[palette] } })
    apply = (t) => hexColor(String(scale?.apply(t)))
    palettes.set(palette, apply)
  }
  // Both ends of the diverging scheme are nearly black; without them lines and marks stay visible.
  return apply(palette === 'diverging' ? 0.9 - 0.8 * clamp(share) : clamp(share))
}

/** Colors for the values of a grid. A diverging palette is centered on `center` and equally long on both sides. */
export function colorScale(figure: GridFigure, center = 0): ColorScale {
  const palette = figure.palette ?? 'viridis'
  const axis = { label: figure.valueLabel, scale: figure.valueScale, domain: figure.valueDomain }
  if (palette !== 'diverging') {
    const scale = axisScale(axis, figure.values)
    const [low, high] = scale.domain
    return { axis: scale, color: (at) => paletteColor(palette, (at - low) / (high - low)) }
  }
  const [low, high] = figure.valueDomain ?? extentOf(figure.values) ?? [center - 1, center + 1]
  const reach = Math.max(Math.abs(high - center), Math.abs(center - low)) || 1
  const scale = axisScale({ ...axis, scale: 'linear', domain: [center - reach, center + reach] }, [])
  const [from, to] = scale.domain
  return { axis: scale, color: (at) => paletteColor('diverging', (at - from) / (to - from)) }
}

export interface ColorBand {
  readonly from: number
  readonly to: number
  readonly color: string
}

export interface ColorBarOptions {
  /** Left edge; the bar is 14 pixels wide. */
  readonly x: number
  readonly top: number
  readonly bottom: number
  /** Bands of one color each instead of a gradient. */
  readonly bands?: readonly ColorBand[]
}

const BAR_WIDTH = 14
const BAR_GAP = 18

/** Pixels that the bar with its labels needs at the right of a panel. */
export function colorBarWidth(axis: AxisScale): number {
  const widest = Math.max(20, ...axis.ticks.map((tick) => textWidth(tick.text, TYPE.tick)))
  return Math.ceil(BAR_GAP + BAR_WIDTH + 8 + widest)
}

/** A vertical color bar with ticks, its label above, right-aligned with the canvas. */
export function drawColorBar(canvas: Canvas, scale: ColorScale, options: ColorBarOptions): string {
  const { theme } = canvas
  const [low, high] = scale.axis.domain
  const left = options.x + BAR_GAP
  const end = left + BAR_WIDTH
  const y = (at: number): number => options.bottom - ((at - low) / (high - low)) * (options.bottom - options.top)
  const rect = (from: number, to: number, paint: SvgAttributes): string =>
    svgElement('rect', { x: left, y: y(to), width: BAR_WIDTH, height: y(from) - y(to), ...paint })
  const bands = options.bands?.map((band) => rect(band.from, band.to, { fill: band.color })).join('')
  const fill = bands ?? gradient(canvas, scale) + rect(low, high, { fill: `url(#${canvas.id}-gradient)` })
  const ticks = spaced(scale.axis, y).map((tick) => {
    const at = y(tick.at)
    const line = svgElement('line', { x1: end, x2: end + 4, y1: at, y2: at, stroke: theme.muted })
    return (
      line + svgText(tick.text, { x: end + 8, y: at + TYPE.tick * 0.35, fill: theme.muted, 'font-size': TYPE.tick })
    )
  })
  const place = { x: canvas.width - 1, y: options.top - 10, 'text-anchor': 'end' }
  const label = svgText(scale.axis.label, { ...place, 'font-size': TYPE.label, fill: theme.ink })
  return `<g>${fill}${rect(low, high, { fill: 'none', stroke: theme.muted })}${ticks.join('')}${label}</g>`
}

/** Labels that do not touch each other. */
function spaced(axis: AxisScale, y: (at: number) => number): { at: number; text: string }[] {
  const kept: { at: number; text: string }[] = []
  for (const tick of axis.ticks) {
    const last = kept.at(-1)
    if (tick.text !== '' && (last === undefined || Math.abs(y(last.at) - y(tick.at)) >= 13)) kept.push(tick)
  }
  return kept
}

function gradient(canvas: Canvas, scale: ColorScale): string {
  const [low, high] = scale.axis.domain
  const shares = Array.from({ length: 17 }, (_, i) => i / 16)
  const stops = shares.map((t) => `<stop offset="${t}" stop-color="${scale.color(low + t * (high - low))}"/>`)
  const upwards = { id: `${canvas.id}-gradient`, x1: 0, y1: 1, x2: 0, y2: 0 }
  return `<defs>${svgElement('linearGradient', upwards, stops.join(''))}</defs>`
}

/** Red, green, blue 0 … 255 of a palette color. */
export function colorChannels(hex: string): [number, number, number] {
  return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as [number, number, number]
}

export function hexOf(channels: readonly number[]): string {
  return `#${channels
    .map((c) =>
      Math.round(Math.min(255, Math.max(0, c)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

function hexColor(color: string): string {
  return color.startsWith('#') ? color : hexOf((color.match(/[\d.]+/g) ?? ['0', '0', '0']).slice(0, 3).map(Number))
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share))
}

/** Drawing units of every value of a grid; NaN where there is none. */
export function mapValues(axis: AxisScale, values: readonly Value[]): Float64Array {
  return Float64Array.from(values, (v) => axis.map(v))
}
