import * as Plot from '@observablehq/plot'
import { axisScale } from '../axis-scale.ts'
import type { Canvas, Drawing } from '../drawing.ts'
import { drawPanel, panelBox } from '../plot-panel.ts'
import type { Histogram } from '../scene.ts'
import { referenceMarks, referenceValues, seriesColor } from './line-chart.ts'

const HEIGHT = 290

/** Bars from edge to edge; on a logarithmic count axis they stand on half a count. */
export function drawHistogram(figure: Histogram, canvas: Canvas): Drawing {
  const references = figure.references ?? []
  const log = figure.y.scale === 'log'
  const x = axisScale(figure.x, figure.edges, { include: referenceValues(references, 'x') })
  const y = axisScale(figure.y, figure.counts, { include: [log ? 0.5 : 0, 1.06 * Math.max(1, ...figure.counts)] })
  const bars = figure.counts
    .map((count, i) => ({ x1: x.map(figure.edges[i]), x2: x.map(figure.edges[i + 1]), y: y.map(count) }))
    .filter((bar) => Number.isFinite(bar.y) && Number.isFinite(bar.x2))
  const fill = seriesColor(canvas, 0)
  const marks: Plot.Markish[] = [
    Plot.rect(bars, {
      x1: 'x1',
      x2: 'x2',
      y1: y.domain[0],
      y2: 'y',
      fill,
      fillOpacity: 0.82,
      insetLeft: 0.5,
      insetRight: 0.5,
      clip: true,
    }),
    ...references.flatMap((reference) => referenceMarks(canvas, reference, x, y)),
  ]
  const svg = drawPanel(canvas, {
    height: HEIGHT,
    x,
    y,
    marks,
    grid: 'y',
    box: panelBox(canvas, y, HEIGHT, undefined, x),
  })
  return { svg, height: HEIGHT, legend: [], notes: bars.length === 0 ? [canvas.words.empty] : [] }
}
