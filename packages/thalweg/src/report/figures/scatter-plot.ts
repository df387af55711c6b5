import * as Plot from '@observablehq/plot'
import { axisScale, countNotPositive } from '../axis-scale.ts'
import type { Canvas, Drawing, LegendMark } from '../drawing.ts'
import { drawPanel, panelBox } from '../plot-panel.ts'
import type { ScatterPlot } from '../scene.ts'
import { referenceMarks, referenceValues, seriesColor } from './line-chart.ts'

const SHAPES = ['circle', 'diamond', 'square', 'triangle'] as const
const LEGEND_MARKS: readonly LegendMark[] = ['dot', 'diamond', 'square', 'triangle']

/** Points by group, told apart by color and shape; overlapping points darken. */
export function drawScatterPlot(figure: ScatterPlot, canvas: Canvas): Drawing {
  const references = figure.references ?? []
  const height = Math.round(Math.min(420, Math.max(280, canvas.width * 0.6)))
  const xData = figure.groups.flatMap((group) => group.x)
  const yData = figure.groups.flatMap((group) => group.y)
  const x = axisScale(figure.x, xData, { include: referenceValues(references, 'x'), padding: 0.04 })
  const y = axisScale(figure.y, yData, { include: referenceValues(references, 'y'), padding: 0.05 })
  const marks: Plot.Markish[] = references.flatMap((reference) => referenceMarks(canvas, reference, x, y))
  figure.groups.forEach((group, i) => {
    const points = group.x
      .map((v, k) => [x.map(v), y.map(group.y[k])])
      .filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b))
    const fill = seriesColor(canvas, i)
    marks.push(
      Plot.dot(points as [number, number][], {
        r: 3.6,
        symbol: SHAPES[i % 4],
        fill,
        fillOpacity: 0.62,
        stroke: fill,
        strokeWidth: 0.8,
      }),
    )
  })
  const svg = drawPanel(canvas, { height, x, y, marks, box: panelBox(canvas, y, height, undefined, x) })
  const hidden = countNotPositive(figure.x, xData) + countNotPositive(figure.y, yData)
  const legend = figure.groups.map((group, i) => ({
    name: group.name,
    color: seriesColor(canvas, i),
    mark: LEGEND_MARKS[i % 4],
  }))
  return {
    svg,
    height,
    legend,
    notes: xData.length === 0 ? [canvas.words.empty] : hidden > 0 ? [canvas.words.notPositive(hidden)] : [],
  }
}
