import { useEffect, useRef } from 'react'
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react'
import { cssColor, paletteColor } from '../../scenes/color-map.ts'
import type { Grid } from '../../scenes/contour-lines.ts'
import { useWidth } from '../../views/plot.tsx'
import type { MapScale } from './field-map.tsx'

/** From where a relief is seen, in radians. */
export interface View {
  readonly turn: number
  readonly tilt: number
}

export const firstView: View = { turn: -0.65, tilt: 0.62 }

export interface ReliefProps {
  readonly label: string
  readonly grid: Grid
  /** Heights and colors; reliefs that share it are comparable. */
  readonly scale: MapScale
  readonly view: View
  readonly onView: (view: View) => void
}

const tiltRange = [0.12, 1.45] as const

/** A surface over a square, drawn back to front. Small enough for that: no WebGL is needed. Turned by dragging or by arrow
 * keys. */
export function Relief({ label, grid, scale, view, onView }: ReliefProps): ReactNode {
  const host = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const width = Math.min(560, useWidth(host))
  const height = Math.round(width * 0.76)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || width === 0) return
    const ratio = globalThis.devicePixelRatio || 1
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    draw(context, grid, scale, view, width, height)
  }, [grid, scale, view, width, height])
  const turned = (turn: number, tilt: number): View => ({
    turn,
    tilt: Math.min(tiltRange[1], Math.max(tiltRange[0], tilt)),
  })
  const drag = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId)
    else if (event.buttons > 0) onView(turned(view.turn + event.movementX / 160, view.tilt + event.movementY / 160))
  }
  const keys = (event: KeyboardEvent): void => {
    const move = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.08], ArrowDown: [0, 0.08] }[event.key]
    if (!move) return
    event.preventDefault()
    onView(turned(view.turn + move[0], view.tilt + move[1]))
  }
  const ratio = globalThis.devicePixelRatio || 1
  return (
    <div ref={host} className="relief-host">
      {width > 0 && (
        <canvas
          ref={canvas}
          className="relief"
          role="img"
          tabIndex={0}
          aria-label={label}
          width={Math.round(width * ratio)}
          height={Math.round(height * ratio)}
          style={{ width, height }}
          onPointerDown={drag}
          onPointerMove={drag}
          onKeyDown={keys}
        />
      )}
    </div>
  )
}

/** Height of the relief beside the side of its square. */
const steepness = 0.62

function draw(
  context: CanvasRenderingContext2D,
  { xs, ys, values }: Grid,
  scale: MapScale,
  { turn, tilt }: View,
  width: number,
  height: number,
): void {
  const [nx, ny] = [xs.length, ys.length]
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  const [ct, st] = [Math.cos(tilt), Math.sin(tilt)]
  const size = Math.min(width * 0.66, height * 0.92)
  const shares = Float64Array.from({ length: nx * ny }, (_, k) => Math.min(1, scale.share(values[k])))
  const across = new Float64Array(nx * ny)
  const up = new Float64Array(nx * ny)
  const depth = new Float64Array(nx * ny)
  for (let j = 0; j < ny; j++)
    for (let i = 0; i < nx; i++) {
      const k = j * nx + i
      const [x, y] = [i / (nx - 1) - 0.5, j / (ny - 1) - 0.5]
      const [u, v] = [cos * x - sin * y, sin * x + cos * y]
      depth[k] = v
      across[k] = width / 2 + size * u
      up[k] = height * 0.58 - size * (v * st * 1 + (shares[k] - 0.35) * steepness * ct)
    }
  const cells: number[] = []
  for (let j = 0; j + 1 < ny; j++) for (let i = 0; i + 1 < nx; i++) cells.push(j * nx + i)
  const far = (k: number): number => depth[k] + depth[k + nx + 1]
  cells.sort((a, b) => far(b) - far(a))
  context.lineJoin = 'round'
  for (const k of cells) {
    const corners = [k, k + 1, k + nx + 1, k + nx]
    const mean = (shares[corners[0]] + shares[corners[1]] + shares[corners[2]] + shares[corners[3]]) / 4
    if (!Number.isFinite(mean)) continue
    // Light from the upper left of the picture.
    const slope = shares[corners[1]] - shares[corners[0]] + (shares[corners[3]] - shares[corners[0]]) * 0.6
    const light = Math.max(-0.3, Math.min(0.3, slope * 3))
    const color = paletteColor('relief', mean).map((c) => c * (1 - light * 0.55) + Math.max(0, -light) * 0.25)
    const css = cssColor([color[0], color[1], color[2]])
    context.beginPath()
    corners.forEach((c, n) => (n === 0 ? context.moveTo(across[c], up[c]) : context.lineTo(across[c], up[c])))
    context.closePath()
    context.fillStyle = css
    context.strokeStyle = css
    context.lineWidth = 0.7
    context.fill()
    context.stroke()
  }
}
