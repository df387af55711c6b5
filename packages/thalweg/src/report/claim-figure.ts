import type { ClaimFigure, ClaimSeries } from '@thalweg/landscape/claims'
import type { LineChart, Series, Value } from './scene.ts'

/** A claim's figure as a chart; JSON has turned what is not finite into null. */
export function claimChart(figure: ClaimFigure): LineChart {
  const { title, xLabel, yLabel, xScale = 'linear', yScale = 'linear', series, levels = [] } = figure
  return {
    kind: 'line-chart',
    title,
    x: { label: xLabel, scale: xScale },
    y: { label: yLabel, scale: yScale },
    series: series.map(chartSeries),
    references: levels.map(({ label, value }) => ({ axis: 'y', value, label })),
  }
}

const styles = { line: 'solid', points: 'points', bars: 'bars' } as const

function chartSeries({ name, mark, x, y, band }: ClaimSeries): Series {
  const end = (sign: number): Value[] | undefined =>
    band?.map((half, i) => (isNumber(half) && isNumber(y[i]) ? y[i] + sign * half : null))
  const lower = end(-1)
  const upper = end(1)
  return { name, x, y, style: styles[mark], ...(lower && upper && { lower, upper }) }
}

function isNumber(value: Value | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
