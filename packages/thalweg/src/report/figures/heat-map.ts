import * as Plot from '@observablehq/plot'
import { countNotPositive } from '../axis-scale.ts'
import { colorBarWidth, colorScale, drawColorBar, mapValues } from '../color-scale.ts'
import { type Canvas, type Drawing, hatchFill, hatchPattern } from '../drawing.ts'
import { drawPanel } from '../plot-panel.ts'
import type { HeatMap } from '../scene.ts'
import { missingNotes, overlayLegend, overlayMarks, planeLayout } from './plane.ts'

/** One cell per node; cells meet halfway between nodes. */
export function drawHeatMap(figure: HeatMap, canvas: Canvas): Drawing {
  const colors = colorScale(figure, figure.valueCenter)
  const edgesX = cellEdges(figure.xs)
  const edgesY = cellEdges(figure.ys)
  const layout = planeLayout(canvas, figure, edgesX, edgesY, colorBarWidth(colors.axis))
  const values = mapValues(colors.axis, figure.values)
  const cells = Array.from(values, (at, k) => {
    const i = k % figure.xs.length
    const j = Math.floor(k / figure.xs.length)
    return {
      x1: layout.x.map(edgesX[i]),
      x2: layout.x.map(edgesX[i + 1]),
      y1: layout.y.map(edgesY[j]),
      y2: layout.y.map(edgesY[j + 1]),
      fill: Number.isFinite(at) ? colors.color(at) : hatchFill(canvas),
    }
  })
  const sides = { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2' }
  const marks: Plot.Markish[] = [
    // Crisp edges and the stroke close the hairlines that antialiasing would leave between neighbors.
    Plot.rect(
      cells.filter((cell) => cell.fill.startsWith('#')),
      { ...sides, fill: 'fill', stroke: 'fill', strokeWidth: 0.6, shapeRendering: 'crispEdges' },
    ),
    Plot.rect(
      cells.filter((cell) => !cell.fill.startsWith('#')),
      { ...sides, fill: hatchFill(canvas) },
    ),
    ...overlayMarks(figure, layout),
  ]
  const { box, height } = layout
  const svg =
    `<defs>${hatchPattern(canvas)}</defs>` +
    drawPanel(canvas, { height, x: layout.x, y: layout.y, box, marks, grid: 'none', outline: 'all' }) +
    drawColorBar(canvas, colors, { x: box.right, top: box.top, bottom: box.bottom })
  const negative = countNotPositive({ label: '', scale: figure.valueScale }, figure.values)
  const notes = [...missingNotes(canvas, figure.values), ...(negative > 0 ? [canvas.words.notPositive(negative)] : [])]
  return {
    svg,
    height,
    legend: overlayLegend(canvas, figure),
    notes: cells.length === 0 ? [...notes, canvas.words.empty] : notes,
  }
}

/** Midpoints between nodes, and as far outside the first and last as their neighbor's midpoint is inside. */
export function cellEdges(nodes: readonly number[]): number[] {
  if (nodes.length === 0) return []
  if (nodes.length === 1) return [nodes[0] - 0.5, nodes[0] + 0.5]
  const middle = nodes.slice(1).map((v, i) => nodes[i] / 2 + v / 2)
  const last = nodes.length - 1
  return [2 * nodes[0] - middle[0], ...middle, 2 * nodes[last] - middle[last - 1]]
}
