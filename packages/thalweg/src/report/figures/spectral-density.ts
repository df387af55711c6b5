import * as Plot from '@observablehq/plot'
import { axisScale, countNotPositive, isFiniteValue } from '../axis-scale.ts'
import type { Canvas, Drawing, LegendEntry } from '../drawing.ts'
import { drawPanel, panelBox } from '../plot-panel.ts'
import type { SpectralDensity } from '../scene.ts'
import { seriesColor } from './line-chart.ts'

const HEIGHT = 300

/** Density with its uncertainty band; ticks on the lower edge are known eigenvalues. */
export function drawSpectralDensity(figure: SpectralDensity, canvas: Canvas): Drawing {
  const { theme, words } = canvas
  const color = seriesColor(canvas, 0)
  const { lower, upper } = figure
  const eigenvalues = figure.eigenvalues ?? []
  const band = lower !== undefined && upper !== undefined
  const x = axisScale(figure.x, [...figure.grid, ...eigenvalues])
  const positive = figure.y.scale === 'log'
  // A lower end that touches zero must not stretch a logarithmic axis down to it.
  const data = positive ? [...figure.values, ...(upper ?? [])] : [...figure.values, ...(lower ?? []), ...(upper ?? [])]
  const y = axisScale(figure.y, data, { include: positive ? [] : [0], padding: 0.03 })
  const floor = y.domain[0]
  const points = figure.grid.map((v, i) => {
    const low = y.map(lower?.[i])
    return { x: x.map(v), y: y.map(figure.values[i]), low: Number.isFinite(low) ? low : floor, high: y.map(upper?.[i]) }
  })
  const marks: Plot.Markish[] = [
    Plot.areaY(points, { x: 'x', y1: floor, y2: 'y', fill: color, fillOpacity: 0.1, clip: true }),
    ...(band
      ? [Plot.areaY(points, { x: 'x', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.28, clip: true })]
      : []),
    Plot.line(points, { x: 'x', y: 'y', stroke: color, strokeWidth: 1.8, clip: true }),
    Plot.tickX(
      eigenvalues.map((v) => x.map(v)),
      { stroke: theme.series[1], strokeWidth: 1.4, insetTop: HEIGHT - 76 },
    ),
  ]
  const svg = drawPanel(canvas, { height: HEIGHT, x, y, marks, box: panelBox(canvas, y, HEIGHT, undefined, x) })
  const legend: LegendEntry[] = [{ name: figure.y.label, color, mark: 'line' }]
  if (band) legend.push({ name: words.band, color, mark: 'band' })
  if (eigenvalues.length > 0) legend.push({ name: words.eigenvalues, color: theme.series[1], mark: 'tick' })
  const notPositive = countNotPositive(figure.y, figure.values)
  const empty = !figure.values.some(isFiniteValue)
  return {
    svg,
    height: HEIGHT,
    legend,
    notes: empty ? [words.empty] : notPositive > 0 ? [words.notPositive(notPositive)] : [],
  }
}
