import * as Plot from '@observablehq/plot'
import { type AxisScale, axisScale, countNotPositive, plainAxis } from '../axis-scale.ts'
import type { Canvas, Drawing, LegendEntry } from '../drawing.ts'
import { drawPanel, panelBox } from '../plot-panel.ts'
import type { LadderLevel, ValueLadder } from '../scene.ts'
import { ellipsize, textWidth } from '../text-layout.ts'
import { TYPE } from '../theme.ts'

interface Rung {
  readonly level: LadderLevel
  /** Height in drawing units. */
  readonly at: number
}

interface Label extends Rung {
  /** Where its text stands: moved from the rung only as far as the others require. */
  readonly textAt: number
}

const KINDS = [
  'global-minimum',
  'local-minimum',
  'strict-saddle',
  'non-strict-saddle',
  'both-saddles',
  'maximum',
] as const
const COLORS: Readonly<Record<LadderLevel['kind'], number>> = {
  'global-minimum': 2,
  'local-minimum': 5,
  'strict-saddle': 0,
  'non-strict-saddle': 1,
  'both-saddles': 3,
  maximum: 6,
}
const LINE_HEIGHT = 17
const LABELS_MAX = 80

/** One rung per critical value, at its height; labels stand beside, joined by a thin line where they had to move. */
export function drawValueLadder(figure: ValueLadder, canvas: Canvas): Drawing {
  const { theme, words } = canvas
  const values = figure.levels.map((level) => level.value)
  const height = Math.max(240, Math.min(LABELS_MAX, values.length) * LINE_HEIGHT + 20) + 44
  const y = axisScale(figure.y, values, { padding: 0.05 })
  const box = { ...panelBox(canvas, y, height), bottom: height - 18 }
  const rungs = sortedRungs(figure, y)
  const stride = Math.max(1, Math.ceil(rungs.length / LABELS_MAX))
  const labels = placeLabels(
    rungs.filter((_, i) => i % stride === 0),
    y,
    box.bottom - box.top,
  )
  const width = box.right - box.left
  const marks = [...rungMarks(canvas, rungs, width), ...labelMarks(canvas, labels, width)]
  const x = plainAxis(0, width)
  const svg = drawPanel(canvas, { height, x, y, marks, box, grid: 'none', hideX: true })
  const present = KINDS.filter((kind) => figure.levels.some((level) => level.kind === kind))
  const legend = present.map(
    (kind): LegendEntry => ({ name: words.ladder[kind], color: theme.series[COLORS[kind]], mark: 'line' }),
  )
  const hidden = countNotPositive(figure.y, values)
  const notes = [
    ...(rungs.length === 0 ? [words.empty] : []),
    ...(hidden > 0 ? [words.notPositive(hidden)] : []),
    ...(stride > 1 ? [words.thinned(stride)] : []),
  ]
  return { svg, height, legend, notes }
}

const RUNG_SHARE = 0.36
const LABEL_GAP = 44

function rungMarks(canvas: Canvas, rungs: readonly Rung[], width: number): Plot.Markish[] {
  const x2 = Math.round(width * RUNG_SHARE)
  return KINDS.map((kind) => {
    const own = rungs.filter((rung) => rung.level.kind === kind)
    return Plot.ruleY(own, { y: 'at', x1: 0, x2, stroke: canvas.theme.series[COLORS[kind]], strokeWidth: 2.6 })
  })
}

function labelMarks(canvas: Canvas, labels: readonly Label[], width: number): Plot.Markish[] {
  const { theme, words } = canvas
  const end = Math.round(width * RUNG_SHARE)
  const left = end + LABEL_GAP
  const inertiaWidth = Math.max(0, ...labels.map((label) => textWidth(inertiaText(label.level), TYPE.tick)))
  const room = width - left - (inertiaWidth > 0 ? inertiaWidth + 16 : 0)
  const text = { y: 'textAt', fontSize: TYPE.tick } as const
  const name = (label: Label): string => ellipsize(label.level.label, TYPE.tick, room)
  const head = { frameAnchor: 'top-right', textAnchor: 'end', lineAnchor: 'bottom', dy: -10 } as const
  return [
    Plot.link(labels, { x1: end + 4, x2: left - 6, y1: 'at', y2: 'textAt', stroke: theme.muted, strokeOpacity: 0.6 }),
    Plot.text(labels, { ...text, x: left, text: name, textAnchor: 'start', fill: theme.ink }),
    Plot.text(labels, {
      ...text,
      x: width,
      text: (label: Label) => inertiaText(label.level),
      textAnchor: 'end',
      fill: theme.muted,
    }),
    Plot.text(inertiaWidth > 0 ? [words.inertia] : [], { ...head, fill: theme.ink, fontSize: TYPE.label }),
  ]
}

/** From the highest rung down. */
function sortedRungs(figure: ValueLadder, y: AxisScale): Rung[] {
  return figure.levels
    .map((level) => ({ level, at: y.map(level.value) }))
    .filter((rung) => Number.isFinite(rung.at))
    .sort((a, b) => b.at - a.at)
}

/** Labels as near to their rungs as their height allows, within a plot area of `height` pixels. */
function placeLabels(rungs: readonly Rung[], y: AxisScale, height: number): Label[] {
  const [low, high] = y.domain
  const unit = (high - low) / height
  const pixels = spread(
    rungs.map((rung) => (high - rung.at) / unit),
    LINE_HEIGHT,
    [4, height - 4],
  )
  return rungs.map(({ level, at }, i) => ({ level, at, textAt: high - pixels[i] * unit }))
}

/** Positions at least `gap` apart and inside `bounds` with the least sum of squared moves (pool adjacent violators).
 *  @param wanted ascending; they fit, that is (n − 1) · gap is at most the distance of the bounds. */
export function spread(wanted: readonly number[], gap: number, bounds: readonly [number, number]): number[] {
  const blocks: { sum: number; count: number }[] = []
  wanted.forEach((want, i) => {
    blocks.push({ sum: want - i * gap, count: 1 })
    while (blocks.length > 1) {
      const [before, last] = blocks.slice(-2)
      if (before.sum / before.count <= last.sum / last.count) break
      blocks.splice(-2, 2, { sum: before.sum + last.sum, count: before.count + last.count })
    }
  })
  const latest = bounds[1] - (wanted.length - 1) * gap
  const starts = blocks.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count))
  return starts.map((start, i) => Math.max(bounds[0], Math.min(latest, start)) + i * gap)
}

function inertiaText(level: LadderLevel): string {
  return level.inertia === undefined
    ? ''
    : `(${level.inertia.negative}, ${level.inertia.zero}, ${level.inertia.positive})`
}
