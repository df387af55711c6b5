import { useEffect, useId, useMemo, useRef } from 'react'
import type { PointerEvent, ReactNode } from 'react'
import { cssColor, lineOn, paletteColor } from '../../scenes/color-map.ts'
import type { Palette } from '../../scenes/color-map.ts'
import { contourLines } from '../../scenes/contour-lines.ts'
import type { Grid } from '../../scenes/contour-lines.ts'
import { formatNumber } from '../../scenes/format-number.ts'
import { valueAt } from '../../scenes/plane-data.ts'
import { useWidth } from '../../views/plot.tsx'

/** Where the values of a map stand in its colors, 0 … 1. */
export interface MapScale {
  readonly share: (value: number) => number
  readonly value: (share: number) => number
}

/** Colors by rank: each covers as much of the given maps as the others, so that flat valleys and high walls both show. */
export function rankScale(lists: readonly ArrayLike<number>[]): MapScale {
  const sorted = Float64Array.from(lists.flatMap((list) => Array.from(list).filter(Number.isFinite))).sort()
  const last = sorted.length - 1
  // Half rank, half value in the logarithm of the height above the lowest: pure ranks would show noise of a plain as relief.
  const low = sorted[0] ?? 0
  const unit = Math.max(1e-12, ((sorted[last >> 1] ?? 1) - low) / 2)
  const height = (value: number): number => Math.log1p(Math.max(0, value - low) / unit)
  const top = Math.max(1e-12, height(sorted[last] ?? 1))
  return {
    share: (value) => (Number.isFinite(value) ? height(value) / top : Number.NaN),
    value: (share) => low + unit * Math.expm1(share * top),
  }
}

export interface FieldMapProps {
  readonly label: string
  readonly grid: Grid
  readonly scale: MapScale
  readonly palette?: Palette
  /** Contour lines; default 14. */
  readonly levels?: number
  readonly axes?: readonly [x: string, y: string]
  /** Told where the pointer presses, in coordinates. */
  readonly onPick?: (x: number, y: number) => void
  /** Marks over the map. */
  readonly children?: (place: (x: number, y: number) => readonly [number, number], size: number) => ReactNode
}

const edge = { left: 40, bottom: 34, top: 6, right: 6 }
const pixels = 280

/** A map of a function of the plane: colors, contour lines and marks, square and as wide as its column. */
export function FieldMap({
  label,
  grid,
  scale,
  palette = 'relief',
  levels = 14,
  axes,
  onPick,
  children,
}: FieldMapProps): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const clip = useId()
  const width = Math.min(620, useWidth(host))
  const size = Math.max(0, width - edge.left - edge.right)
  const { xs, ys } = grid
  const [x0, x1, y0, y1] = [xs[0], xs[xs.length - 1], ys[0], ys[ys.length - 1]]
  const place = (x: number, y: number): readonly [number, number] => [
    edge.left + ((x - x0) / (x1 - x0)) * size,
    edge.top + (1 - (y - y0) / (y1 - y0)) * size,
  ]
  const pick = (event: PointerEvent<SVGSVGElement>): void => {
    if (!onPick || (event.type === 'pointermove' && event.buttons === 0)) return
    const box = event.currentTarget.getBoundingClientRect()
    const share = (v: number): number => Math.min(1, Math.max(0, v))
    onPick(
      x0 + share((event.clientX - box.left - edge.left) / size) * (x1 - x0),
      y0 + (1 - share((event.clientY - box.top - edge.top) / size)) * (y1 - y0),
    )
  }
  return (
    <div className="field-map" ref={host}>
      {size > 0 && (
        <div className="field-map-stack" style={{ width, height: size + edge.top + edge.bottom }}>
          <Colors grid={grid} scale={scale} palette={palette} size={size} />
          <svg
            width={width}
            height={size + edge.top + edge.bottom}
            role="img"
            aria-label={label}
            className={onPick ? 'pickable' : ''}
            onPointerDown={pick}
            onPointerMove={pick}
          >
            <svg x={edge.left} y={edge.top} width={size} height={size} viewBox={`0 0 ${size} ${size}`}>
              <Contours grid={grid} scale={scale} palette={palette} levels={levels} size={size} />
            </svg>
            <MapAxes ranges={[x0, x1, y0, y1]} size={size} axes={axes} />
            <clipPath id={clip}>
              <rect x={edge.left} y={edge.top} width={size} height={size} />
            </clipPath>
            <g clipPath={`url(#${clip})`}>{children?.(place, size)}</g>
          </svg>
        </div>
      )}
    </div>
  )
}

function Colors({
  grid,
  scale,
  palette,
  size,
}: Pick<FieldMapProps, 'grid' | 'scale'> & { palette: Palette; size: number }): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context) return
    const image = context.createImageData(pixels, pixels)
    const { xs, ys } = grid
    const at = (nodes: ArrayLike<number>, share: number): number =>
      nodes[0] + share * (nodes[nodes.length - 1] - nodes[0])
    for (let j = 0; j < pixels; j++)
      for (let i = 0; i < pixels; i++) {
        const value = valueAt(grid, at(xs, i / (pixels - 1)), at(ys, 1 - j / (pixels - 1)))
        const share = scale.share(value)
        const color = Number.isFinite(share) ? paletteColor(palette, share) : ([0.5, 0.5, 0.5] as const)
        image.data.set(
          [...color.map((c) => Math.round(255 * c)), Number.isFinite(share) ? 255 : 60],
          4 * (j * pixels + i),
        )
      }
    context.putImageData(image, 0, 0)
  }, [grid, scale, palette])
  return (
    <canvas
      ref={canvas}
      width={pixels}
      height={pixels}
      aria-hidden="true"
      style={{ left: edge.left, top: edge.top, width: size, height: size }}
    />
  )
}

function Contours({
  grid,
  scale,
  palette,
  levels,
  size,
}: Pick<FieldMapProps, 'grid' | 'scale'> & { palette: Palette; levels: number; size: number }): ReactNode {
  const paths = useMemo(() => {
    const { xs, ys } = grid
    const [x0, x1, y0, y1] = [xs[0], xs[xs.length - 1], ys[0], ys[ys.length - 1]]
    return Array.from({ length: levels }, (_, k) => (k + 0.5) / levels).map((share) => {
      const lines = contourLines(grid, scale.value(share))
      const path = lines.map((line) => {
        let text = ''
        for (let i = 0; i < line.length; i += 2)
          text += `${i === 0 ? 'M' : 'L'}${(((line[i] - x0) / (x1 - x0)) * size).toFixed(1)} ${((1 - (line[i + 1] - y0) / (y1 - y0)) * size).toFixed(1)}`
        return text
      })
      return { share, path: path.join(''), color: cssColor(lineOn(paletteColor(palette, share))) }
    })
  }, [grid, scale, palette, levels, size])
  return (
    <g fill="none" strokeWidth="1">
      {paths.map(({ share, path, color }) => (
        <path key={share} d={path} stroke={color} />
      ))}
    </g>
  )
}

function MapAxes({
  ranges: [x0, x1, y0, y1],
  size,
  axes,
}: {
  readonly ranges: readonly number[]
  readonly size: number
  readonly axes?: readonly [string, string]
}): ReactNode {
  const text = (value: number): string => formatNumber(Number(value.toPrecision(3)), { digits: 3, trim: true })
  const bottom = edge.top + size
  return (
    <g className="chart-ticks">
      {[x0, (x0 + x1) / 2, x1].map((v, i) => (
        <text
          key={i}
          x={edge.left + (size * i) / 2}
          y={bottom + 16}
          textAnchor={i === 0 ? 'start' : i === 1 ? 'middle' : 'end'}
        >
          {text(v)}
        </text>
      ))}
      {[y0, (y0 + y1) / 2, y1].map((v, i) => (
        <text key={i} x={edge.left - 6} y={bottom - (size * i) / 2 + (i === 2 ? 10 : i === 1 ? 4 : 0)} textAnchor="end">
          {text(v)}
        </text>
      ))}
      {axes && (
        <text className="chart-label" x={edge.left + size} y={bottom + 31} textAnchor="end">
          {axes[0]} →
        </text>
      )}
      {axes && (
        <text
          className="chart-label"
          transform={`translate(11 ${edge.top + size * 0.28}) rotate(-90)`}
          textAnchor="middle"
        >
          {axes[1]} →
        </text>
      )}
    </g>
  )
}

/** What the colors of a map mean: a strip with the value at its ends and middle. */
export function ColorKey({
  scale,
  palette = 'relief',
  label,
}: {
  readonly scale: MapScale
  readonly palette?: Palette
  readonly label: string
}): ReactNode {
  const stops = Array.from({ length: 13 }, (_, i) => cssColor(paletteColor(palette, i / 12)))
  const text = (share: number): string => formatNumber(scale.value(share), { digits: 2, trim: true })
  return (
    <div className="color-key">
      <span className="small muted">{label}</span>
      <span className="color-key-strip" style={{ background: `linear-gradient(90deg, ${stops.join(', ')})` }} />
      <span className="color-key-ends small muted">
        <span>{text(0)}</span>
        <span>{text(0.5)}</span>
        <span>{text(1)}</span>
      </span>
    </div>
  )
}
