import 'uplot/dist/uPlot.min.css'
import { useEffect, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type UPlot from 'uplot'
import type { CurvePoint } from 'thalweg/protocol'
import { formatTick } from '../scenes/format-number.ts'
import { decadeTicks, isLogarithmic, onScale } from '../scenes/loss-scale.ts'
import { useWidth } from './plot.tsx'
import { useShownTheme } from './use-stores.ts'

export interface LiveCurveProps {
  readonly points: readonly CurvePoint[]
  readonly label: string
  readonly xLabel: string
}

/** A curve that grows while it is looked at: drawn on a canvas, thousands of points a frame. */
export function LiveCurve({ points, label, xLabel }: LiveCurveProps): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const width = useWidth(host)
  const theme = useShownTheme()
  const [plot, setPlot] = useState<UPlot>()
  const hasPoints = points.length > 0
  const log = isLogarithmic(points.map(({ loss }) => loss))
  useEffect(() => {
    const element = host.current
    if (!element || width === 0 || !hasPoints) return
    let made: UPlot | undefined
    let wanted = true
    void import('uplot').then(({ default: Chart }) => {
      if (!wanted) return
      made = new Chart(curveOptions(width, xLabel, label, log), [[], []], element)
      setPlot(made)
    })
    return () => {
      wanted = false
      made?.destroy()
      setPlot(undefined)
    }
  }, [width, hasPoints, theme, label, xLabel, log])
  useEffect(
    () => plot?.setData([points.map((p) => p.step), points.map((p) => onScale(p.loss, log))]),
    [plot, points, log],
  )
  const last = points.at(-1)
  return <div ref={host} className="live-curve" role="img" aria-label={last ? `${label}: ${last.loss}` : label} />
}

function curveOptions(width: number, xLabel: string, label: string, log: boolean): UPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  const axis = {
    stroke: color('muted'),
    grid: { stroke: color('rule'), width: 1 },
    ticks: { stroke: color('rule'), width: 1 },
  }
  return {
    width,
    height: 250,
    legend: { show: false },
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- 3: logarithmic; the enum has no value at run time
    scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
    axes: [
      { ...axis, label: xLabel, labelSize: 22, labelFont: '12px system-ui' },
      { ...axis, size: 60, ...(log && decades(axis)) },
    ],
    series: [{}, { label, stroke: color('series-1'), width: 1.5, points: { show: false } }],
  }
}

/** Few lines, with labels that differ. */
function decades({ grid, ticks }: Pick<UPlot.Axis, 'grid' | 'ticks'>): Partial<UPlot.Axis> {
  const filter = (_: UPlot, splits: number[]): (number | null)[] => decadeTicks(splits)
  return {
    filter,
    grid: { ...grid, filter },
    ticks: { ...ticks, filter },
    values: (_, splits) => splits.map((value: number | null) => (value === null ? '' : formatTick(value))),
  }
}
