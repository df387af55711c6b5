import { useId, useRef } from 'react'
import type { PointerEvent, ReactNode } from 'react'
import { formatNumber } from '../../scenes/format-number.ts'
import { valueScale } from '../../scenes/value-scale.ts'
import type { ScaleKind } from '../../scenes/value-scale.ts'
import { useWidth } from '../../views/plot.tsx'

export interface AxisSpec {
  readonly label: string
  readonly domain: readonly [number, number]
  readonly scale?: ScaleKind
  /** About how many ticks. */
  readonly ticks?: number
  readonly format?: (value: number) => string
}

/** Where things are on a chart, in pixels. */
export interface Frame {
  readonly x: (value: number) => number
  readonly y: (value: number) => number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface ChartProps {
  /** What a reader who does not see it is told. */
  readonly label: string
  readonly x: AxisSpec
  readonly y: AxisSpec
  readonly height?: number
  readonly children: (frame: Frame) => ReactNode
  /** Told where the pointer presses or drags, in values. There must be another way by keyboard. */
  readonly onPick?: (x: number, y: number) => void
}

const margin = { left: 58, right: 24, top: 30, bottom: 42 }

/** Powers of ten are written without their factor 1: there is little room beside an axis. */
const tickText = (value: number): string =>
  formatNumber(value, { digits: 3, trim: true }).replace(/^1\u202f×\u202f/, '')

/** Axes of a figure, as wide as its column; the marks are drawn by the caller in its frame. */
export function Chart({ label, x, y, height = 280, children, onPick }: ChartProps): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const width = useWidth(host)
  return (
    <div className="chart" ref={host} style={{ minHeight: height }}>
      {width > 0 && (
        <ChartBody label={label} x={x} y={y} width={width} height={height} onPick={onPick}>
          {children}
        </ChartBody>
      )}
    </div>
  )
}

function ChartBody({
  label,
  x,
  y,
  width,
  height,
  children,
  onPick,
}: ChartProps & { readonly width: number; readonly height: number }): ReactNode {
  const clip = useId()
  const [sx, sy] = [x, y].map(({ domain, scale }) => valueScale([domain], scale ?? 'linear'))
  const frame: Frame = {
    left: margin.left,
    right: width - margin.right,
    top: margin.top,
    bottom: height - margin.bottom,
    x: (value) => margin.left + sx.share(value) * (width - margin.left - margin.right),
    y: (value) => height - margin.bottom - sy.share(value) * (height - margin.top - margin.bottom),
  }
  const pick = (event: PointerEvent<SVGSVGElement>): void => {
    if (!onPick || (event.type === 'pointermove' && event.buttons === 0)) return
    const box = event.currentTarget.getBoundingClientRect()
    const share = (at: number, from: number, to: number): number => Math.min(1, Math.max(0, (at - from) / (to - from)))
    onPick(
      sx.value(share(event.clientX - box.left, frame.left, frame.right)),
      sy.value(share(event.clientY - box.top, frame.bottom, frame.top)),
    )
  }
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
      className={onPick ? 'chart-svg pickable' : 'chart-svg'}
      onPointerDown={pick}
      onPointerMove={pick}
    >
      <defs>
        <clipPath id={clip}>
          <rect
            x={frame.left}
            y={frame.top - 4}
            width={Math.max(0, frame.right - frame.left + 2)}
            height={frame.bottom - frame.top + 8}
          />
        </clipPath>
      </defs>
      <Axes
        x={x}
        y={y}
        frame={frame}
        xTicks={sx.ticks(x.ticks ?? Math.max(3, Math.floor(width / 90)))}
        yTicks={sy.ticks(y.ticks ?? Math.max(3, Math.floor(height / 55)))}
      />
      <g clipPath={`url(#${clip})`}>{children(frame)}</g>
    </svg>
  )
}

function Axes({
  x,
  y,
  frame,
  xTicks,
  yTicks,
}: {
  readonly x: AxisSpec
  readonly y: AxisSpec
  readonly frame: Frame
  readonly xTicks: readonly number[]
  readonly yTicks: readonly number[]
}): ReactNode {
  return (
    <>
      <g className="chart-grid">
        {yTicks.map((tick) => (
          <line key={tick} x1={frame.left} x2={frame.right} y1={frame.y(tick)} y2={frame.y(tick)} />
        ))}
      </g>
      <g className="chart-ticks">
        {xTicks.map((tick) => (
          <text key={tick} x={frame.x(tick)} y={frame.bottom + 17} textAnchor="middle">
            {(x.format ?? tickText)(tick)}
          </text>
        ))}
        {yTicks.map((tick) => (
          <text key={tick} x={frame.left - 8} y={frame.y(tick) + 4} textAnchor="end">
            {(y.format ?? tickText)(tick)}
          </text>
        ))}
      </g>
      <line className="chart-base" x1={frame.left} x2={frame.right} y1={frame.bottom} y2={frame.bottom} />
      <text className="chart-label" x={frame.right} y={frame.bottom + 36} textAnchor="end">
        {x.label}
      </text>
      <text className="chart-label" x={2} y={13}>
        {y.label}
      </text>
    </>
  )
}

/** A path through points, broken where a value is not finite. */
export function linePath(frame: Frame, xs: ArrayLike<number>, ys: ArrayLike<number>): string {
  let path = ''
  let pen = false
  for (let i = 0; i < xs.length; i++) {
    const [px, py] = [frame.x(xs[i]), frame.y(ys[i])]
    if (Number.isFinite(px) && Number.isFinite(py)) {
      path += `${pen ? 'L' : 'M'}${px.toFixed(1)} ${py.toFixed(1)}`
      pen = true
    } else pen = false
  }
  return path
}

export interface LegendItem {
  readonly text: ReactNode
  readonly color: string
  readonly dash?: boolean
  readonly shape?: 'line' | 'dot' | 'area'
}

/** What the colors and dashes mean. */
export function Legend({ items }: { readonly items: readonly LegendItem[] }): ReactNode {
  return (
    <ul className="legend">
      {items.map(({ text, color, dash, shape = 'line' }, i) => (
        <li key={i}>
          <svg width="26" height="12" aria-hidden="true">
            {shape === 'line' && (
              <line x1="1" x2="25" y1="6" y2="6" stroke={color} strokeWidth="2.5" strokeDasharray={dash ? '5 4' : ''} />
            )}
            {shape === 'dot' && <circle cx="13" cy="6" r="5" fill={color} />}
            {shape === 'area' && <rect x="3" y="1" width="20" height="10" fill={color} />}
          </svg>
          {text}
        </li>
      ))}
    </ul>
  )
}
