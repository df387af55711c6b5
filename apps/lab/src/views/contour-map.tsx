import { useEffect, useMemo, useState } from 'react'
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react'
import { cssColor, lineOn, paletteColor } from '../scenes/color-map.ts'
import { contourLines } from '../scenes/contour-lines.ts'
import { mapRaster } from '../scenes/map-raster.ts'
import { lossOf, resampled, valueAt } from '../scenes/plane-data.ts'
import type { PlaneData } from '../scenes/plane-data.ts'
import { frameOf } from '../scenes/surface-scene.ts'
import type { SurfaceOptions } from '../scenes/surface-scene.ts'
import type { AxisText } from './surface-view.tsx'

export interface MapBall {
  readonly color: string
  /** x₀ y₀ x₁ y₁ … in plane coordinates. */
  readonly path: readonly number[]
}

export interface ContourMapProps {
  readonly plane: PlaneData
  readonly options: SurfaceOptions
  readonly label: string
  readonly xAxis: AxisText
  readonly yAxis: AxisText
  readonly markerLabels: readonly string[]
  readonly balls?: readonly MapBall[]
  readonly probe?: { readonly x: number; readonly y: number }
  readonly onHover?: (at: { readonly x: number; readonly y: number } | undefined) => void
  readonly onPick?: (at: { readonly x: number; readonly y: number }) => void
  readonly onProbe?: (right: number, up: number) => void
  readonly onProbePick?: () => void
  readonly onSvg?: (svg: SVGSVGElement | null) => void
}

const size = 640
const margin = { left: 30, right: 14, top: 12, bottom: 34 }

/** The plane from above: shaded colors, contour lines, path, marks. Everything that the relief shows, and it needs no
 *  WebGL. */
export function ContourMap(props: ContourMapProps): ReactNode {
  const { plane, options, label, xAxis, yAxis, onHover, onPick, onProbe, onProbePick, onSvg } = props
  const { halfWidth, halfDepth } = frameOf(plane, options.heights)
  const [width, height] = [size * halfWidth, size * halfDepth]
  const place = useMemo(() => placeIn(plane, width, height), [plane, width, height])
  const at = (event: PointerEvent<SVGSVGElement>): { x: number; y: number } | undefined =>
    place.read(event.currentTarget, event.clientX, event.clientY)
  const keyed = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
    if (step) onProbe?.(step[0], step[1])
    else if (event.key === 'Enter') onProbePick?.()
    else return
    event.preventDefault()
  }
  return (
    <svg
      ref={onSvg}
      className="contour-map"
      viewBox={`${-margin.left} ${-margin.top} ${width + margin.left + margin.right} ${height + margin.top + margin.bottom}`}
      role="application"
      aria-label={label}
      tabIndex={onProbe ? 0 : undefined}
      onPointerMove={(event) => onHover?.(at(event))}
      onPointerLeave={() => onHover?.(undefined)}
      onClick={(event) => {
        const spot = place.read(event.currentTarget, event.clientX, event.clientY)
        if (spot) onPick?.(spot)
      }}
      onKeyDown={keyed}
    >
      <Ground plane={plane} options={options} width={width} height={height} />
      <Contours plane={plane} options={options} place={place} />
      <rect width={width} height={height} fill="none" stroke="var(--muted)" strokeWidth="1" />
      <Overlay {...props} place={place} />
      <g fill="var(--muted)" fontSize="13" fontFamily="system-ui, sans-serif">
        <text x="0" y={height + 17}>
          {xAxis.low}
        </text>
        <text x={width} y={height + 17} textAnchor="end">
          {xAxis.high}
        </text>
        <text x={width / 2} y={height + 20} textAnchor="middle" fill="var(--ink)">
          {[xAxis.label, xAxis.note].filter(Boolean).join(' · ')}
        </text>
        <text transform={`translate(-9 ${height}) rotate(-90)`}>{yAxis.low}</text>
        <text transform="translate(-9 0) rotate(-90)" textAnchor="end">
          {yAxis.high}
        </text>
        <text transform={`translate(-12 ${height / 2}) rotate(-90)`} textAnchor="middle" fill="var(--ink)">
          {[yAxis.label, yAxis.note].filter(Boolean).join(' · ')}
        </text>
      </g>
    </svg>
  )
}

interface Place {
  readonly x: (x: number) => number
  readonly y: (y: number) => number
  readonly read: (svg: SVGSVGElement, clientX: number, clientY: number) => { x: number; y: number } | undefined
}

function placeIn(plane: PlaneData, width: number, height: number): Place {
  const { xs, ys } = lossOf(plane)
  const [x0, x1, y0, y1] = [xs[0], xs[xs.length - 1], ys[0], ys[ys.length - 1]]
  return {
    x: (x) => ((x - x0) / (x1 - x0)) * width,
    y: (y) => (1 - (y - y0) / (y1 - y0)) * height,
    read: (svg, clientX, clientY) => {
      const matrix = svg.getScreenCTM()?.inverse()
      if (!matrix) return undefined
      const point = new DOMPoint(clientX, clientY).matrixTransform(matrix)
      const [u, v] = [point.x / width, 1 - point.y / height]
      if (u < 0 || u > 1 || v < 0 || v > 1) return undefined
      return { x: x0 + u * (x1 - x0), y: y0 + v * (y1 - y0) }
    },
  }
}

function Ground({
  plane,
  options,
  width,
  height,
}: {
  plane: PlaneData
  options: SurfaceOptions
  width: number
  height: number
}): ReactNode {
  const [url, setUrl] = useState('')
  useEffect(() => {
    const raster = mapRaster(plane, options, Math.round(width / 2), Math.round(height / 2))
    const canvas = document.createElement('canvas')
    canvas.width = raster.width
    canvas.height = raster.height
    canvas.getContext('2d')?.putImageData(new ImageData(raster.data, raster.width, raster.height), 0, 0)
    setUrl(canvas.toDataURL())
  }, [plane, options, width, height])
  return (
    <>
      <rect width={width} height={height} fill="var(--missing)" />
      {url !== '' && <image href={url} width={width} height={height} preserveAspectRatio="none" />}
    </>
  )
}

function Contours({ plane, options, place }: { plane: PlaneData; options: SurfaceOptions; place: Place }): ReactNode {
  const lines = useMemo(() => {
    const grid = lossOf(plane)
    const { color, heights, levels } = options
    const shades = { xs: grid.xs, ys: grid.ys, values: resampled(color.field, grid) }
    return heights.ticks(levels).flatMap((level) =>
      contourLines(grid, level).map((line) => {
        const middle = 2 * Math.floor(line.length / 4)
        const ground = color.scale.share(valueAt(shades, line[middle], line[middle + 1])) || 0
        let d = ''
        for (let k = 0; k < line.length; k += 2)
          d += `${k === 0 ? 'M' : 'L'}${place.x(line[k]).toFixed(1)} ${place.y(line[k + 1]).toFixed(1)}`
        return { d, color: cssColor(lineOn(paletteColor(color.palette, ground))) }
      }),
    )
  }, [plane, options, place])
  return (
    <g fill="none" strokeWidth="1" strokeLinejoin="round" opacity="0.85">
      {lines.map(({ d, color }, k) => (
        <path key={k} d={d} stroke={color} />
      ))}
    </g>
  )
}

function Overlay({
  plane,
  markerLabels,
  balls = [],
  probe,
  place,
}: ContourMapProps & { readonly place: Place }): ReactNode {
  const points = (path: readonly number[]): string => {
    let text = ''
    for (let k = 0; k + 1 < path.length; k += 2)
      text += `${place.x(path[k]).toFixed(1)},${place.y(path[k + 1]).toFixed(1)} `
    return text
  }
  return (
    <g>
      {plane.trajectories.map(({ name, points: along }) => (
        <g key={name}>
          <polyline
            points={points(along.flatMap((p) => [p.x, p.y]))}
            fill="none"
            stroke="var(--paper)"
            strokeWidth="4.5"
            opacity="0.55"
          />
          <polyline
            points={points(along.flatMap((p) => [p.x, p.y]))}
            fill="none"
            stroke="var(--path)"
            strokeWidth="2"
          />
          {along.map((p) => (
            <circle key={p.name} cx={place.x(p.x)} cy={place.y(p.y)} r="2.6" fill="var(--path)" />
          ))}
        </g>
      ))}
      <Marks plane={plane} labels={markerLabels} place={place} />
      {balls.map(({ color, path }, k) => (
        <g key={k}>
          <polyline points={points(path)} fill="none" stroke={color} strokeWidth="2.2" strokeLinejoin="round" />
          <circle
            cx={place.x(path[path.length - 2])}
            cy={place.y(path[path.length - 1])}
            r="6"
            fill={color}
            stroke="var(--paper)"
            strokeWidth="1.6"
          />
        </g>
      ))}
      {probe && (
        <g
          transform={`translate(${place.x(probe.x)} ${place.y(probe.y)})`}
          stroke="var(--ink)"
          strokeWidth="1.6"
          fill="none"
        >
          <circle r="7" />
          <path d="M-12 0h8M4 0h8M0 -12v8M0 4v8" />
        </g>
      )}
    </g>
  )
}

/** Told apart by shape as well as by color. */
function Marks({ plane, labels, place }: { plane: PlaneData; labels: readonly string[]; place: Place }): ReactNode {
  return plane.markers.map(({ kind, x, y }, k) => {
    const saddle = kind === 'saddle' || kind === 'critical'
    return (
      <g key={k} transform={`translate(${place.x(x)} ${place.y(y)})`}>
        <path
          d={saddle ? 'M0 -7L7 0L0 7L-7 0Z' : 'M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0Z'}
          fill={saddle ? 'var(--tone-saddle)' : kind === 'minimum' ? 'var(--tone-good)' : 'var(--ink)'}
          stroke="var(--paper)"
          strokeWidth="1.6"
        />
        <text className="map-label" y="-12" textAnchor={textAnchor(place.x(x))}>
          {labels[k]}
        </text>
      </g>
    )
  })
}

function textAnchor(x: number): 'start' | 'middle' | 'end' {
  return x < 60 ? 'start' : x > size - 60 ? 'end' : 'middle'
}
