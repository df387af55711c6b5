import * as Plot from '@observablehq/plot'
import { axisScale, isFiniteValue, plainAxis } from '../axis-scale.ts'
import type { Canvas, Drawing, LegendEntry } from '../drawing.ts'
import { formatNumber } from '../format-number.ts'
import { drawPanel, panelBox } from '../plot-panel.ts'
import type { Eigenvalue, EigenvalueStems } from '../scene.ts'
import { textWidth } from '../text-layout.ts'
import { TYPE } from '../theme.ts'

interface Stem {
  readonly place: number
  readonly value: number
  readonly low: number
  readonly high: number
  readonly converged: boolean
  readonly color: string
  readonly label: string
}

/** λ₁ … from the left, the smallest from the right, a gap for all that lies between; error bars are the residuals. */
export function drawEigenvalueStems(figure: EigenvalueStems, canvas: Canvas): Drawing {
  const { theme } = canvas
  const height = 300
  const all = [...figure.top, ...figure.bottom]
  const ends = all.flatMap((e) =>
    isFiniteValue(e.value) ? [e.value - (e.residualNorm ?? 0), e.value + (e.residualNorm ?? 0)] : [],
  )
  const y = axisScale({ ...figure.y, scale: 'linear' }, ends, { include: [0], padding: 0.1 })
  const stems = placeStems(figure, canvas, (v) => y.map(v))
  const count = Math.max(2, figure.top.length + figure.bottom.length + (bothEnds(figure) ? 1 : 0))
  const x = plainAxis(0.3, count + 0.7)
  // Values stand beside each other only where there is room; the table beside the picture has them anyway.
  const slot = (canvas.width - 40) / count
  const labels = stems.every((s) => textWidth(s.label, TYPE.note) < slot) ? stems : []
  const at = { x: 'place', fontSize: TYPE.note, fill: theme.ink } as const
  const marks: Plot.Markish[] = [
    Plot.ruleY([0], { stroke: theme.muted }),
    Plot.ruleX(stems, { x: 'place', y1: 0, y2: 'value', stroke: 'color', strokeWidth: 2 }),
    Plot.ruleX(
      stems.filter((s) => s.high > s.low),
      { x: 'place', y1: 'low', y2: 'high', stroke: theme.ink, strokeWidth: 1.2, marker: 'tick' },
    ),
    Plot.dot(
      stems.filter((s) => s.converged),
      { x: 'place', y: 'value', r: 4, fill: 'color' },
    ),
    Plot.dot(
      stems.filter((s) => !s.converged),
      { x: 'place', y: 'value', r: 4, fill: theme.paper, stroke: 'color', strokeWidth: 1.8 },
    ),
    Plot.text(
      labels.filter((s) => s.value >= 0),
      { ...at, y: 'high', text: 'label', dy: -8, lineAnchor: 'bottom' },
    ),
    Plot.text(
      labels.filter((s) => s.value < 0),
      { ...at, y: 'low', text: 'label', dy: 8, lineAnchor: 'top' },
    ),
    ...rankMarks(figure, canvas, count),
  ]
  const box = { ...panelBox(canvas, y, height), bottom: height - 28 }
  const svg = drawPanel(canvas, { height, x, y, marks, box, grid: 'y', outline: 'left-bottom', hideX: true })
  return {
    svg,
    height,
    legend: stemLegend(figure, canvas, stems),
    notes: stems.length === 0 ? [canvas.words.empty] : [],
  }
}

function placeStems(figure: EigenvalueStems, canvas: Canvas, map: (v: number) => number): Stem[] {
  const { series } = canvas.theme
  const offset = figure.top.length + (bothEnds(figure) ? 1 : 0)
  // Plot would fit a color scale to a channel with a color it cannot parse; a CSS variable is one to it as well.
  const stem = (e: Eigenvalue, place: number, color: string): Stem[] => {
    if (!isFiniteValue(e.value)) return []
    const residual = e.residualNorm ?? 0
    const ends = { low: map(e.value - residual), high: map(e.value + residual) }
    return [
      {
        place,
        value: map(e.value),
        ...ends,
        converged: e.converged !== false,
        color,
        label: formatNumber(e.value, { digits: 3 }),
      },
    ]
  }
  const bottom = [...figure.bottom].reverse()
  return [
    ...figure.top.flatMap((e, i) => stem(e, i + 1, series[0])),
    ...bottom.flatMap((e, i) => stem(e, offset + i + 1, series[1])),
  ]
}

/** Ranks under the axis: 1, 2, … for the largest, p, p−1, … for the smallest. */
function rankMarks(figure: EigenvalueStems, canvas: Canvas, count: number): Plot.Markish[] {
  const names = [
    ...figure.top.map((_, i) => ({ place: i + 1, text: `λ${subscript(i + 1)}` })),
    ...figure.bottom.map((_, i) => ({ place: count - i, text: i === 0 ? 'λₚ' : `λₚ₋${subscript(i)}` })),
  ]
  const stride = Math.ceil(names.length / 16)
  const shown = names.filter((name) => (name.place - 1) % stride === 0 || names.length <= 16)
  const gap = bothEnds(figure) ? [{ place: figure.top.length + 1, text: '···' }] : []
  return [
    Plot.text([...shown, ...gap], {
      x: 'place',
      text: 'text',
      frameAnchor: 'bottom',
      dy: 18,
      fontSize: TYPE.tick,
      fill: canvas.theme.muted,
    }),
  ]
}

function stemLegend(figure: EigenvalueStems, canvas: Canvas, stems: readonly Stem[]): LegendEntry[] {
  const { theme, words } = canvas
  const entries: LegendEntry[] = []
  if (figure.top.length > 0) entries.push({ name: words.largest, color: theme.series[0], mark: 'dot' })
  if (figure.bottom.length > 0) entries.push({ name: words.smallest, color: theme.series[1], mark: 'dot' })
  if (stems.some((s) => s.high > s.low)) entries.push({ name: words.residual, color: theme.ink, mark: 'tick' })
  if (stems.some((s) => !s.converged)) entries.push({ name: words.notConverged, color: theme.ink, mark: 'ring' })
  return entries
}

const bothEnds = (figure: EigenvalueStems): boolean => figure.top.length > 0 && figure.bottom.length > 0

function subscript(n: number): string {
  return String(n).replace(/\d/g, (digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)])
}
