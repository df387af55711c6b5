import { useEffect, useMemo, useRef, useState } from 'react'
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react'
import { eyeOf, turned, zoomed } from '../scenes/camera.ts'
import type { Camera } from '../scenes/camera.ts'
import type { MarkerKind } from '../scenes/plane-data.ts'
import { isHidden } from '../scenes/surface-scene.ts'
import type { SurfaceScene } from '../scenes/surface-scene.ts'
import type { StageBall, StageColors, SurfaceStage } from './surface-stage.ts'
import { useShownTheme } from './use-stores.ts'

export interface AxisText {
  readonly label: string
  /** What it stands for; left out where there is little room. */
  readonly note?: string
  readonly low: string
  readonly high: string
}

export interface SurfaceViewProps {
  readonly scene: SurfaceScene
  readonly label: string
  readonly xAxis: AxisText
  readonly yAxis: AxisText
  readonly camera: Camera
  readonly onCamera: (camera: Camera) => void
  readonly balls?: readonly StageBall[]
  /** Box position of the probe, where there is one. */
  readonly probe?: readonly [number, number, number]
  /** The place of the surface under the pointer; undefined beside it. */
  readonly onHover?: (at: { readonly x: number; readonly y: number } | undefined) => void
  readonly onPick?: (at: { readonly x: number; readonly y: number }) => void
  /** Shift with an arrow key: −1, 0 or 1 along each axis. */
  readonly onProbe?: (right: number, back: number) => void
  readonly onProbePick?: () => void
  /** Shown while the drawing code is being fetched and where there is no WebGL. */
  readonly fallback: ReactNode
  /** Hands out the stage for saving pictures. */
  readonly onStage?: (stage: SurfaceStage | undefined) => void
}

type StageModule = typeof import('./surface-stage.ts')
let stageModule: StageModule | undefined

/** A surface in three dimensions. It is drawn again when something has changed and not otherwise. */
export function SurfaceView(props: SurfaceViewProps): ReactNode {
  const { scene, camera, balls, onStage, fallback } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const overlay = useRef<HTMLDivElement>(null)
  const [module, setModule] = useState(stageModule)
  const [stage, setStage] = useState<SurfaceStage>()
  const [failed, setFailed] = useState(false)
  const theme = useShownTheme()
  useEffect(() => {
    if (module) return
    let shown = true
    void import('./surface-stage.ts').then((loaded) => {
      stageModule = loaded
      if (shown) setModule(loaded)
    })
    return () => {
      shown = false
    }
  }, [module])
  useEffect(() => {
    if (!module || !canvas.current) return
    let made: SurfaceStage
    try {
      made = new module.SurfaceStage(canvas.current)
    } catch {
      return setFailed(true)
    }
    setStage(made)
    onStage?.(made)
    const observer = new ResizeObserver(([entry]) =>
      made.resize(entry.contentRect.width, entry.contentRect.height, globalThis.devicePixelRatio),
    )
    observer.observe(canvas.current)
    return () => {
      observer.disconnect()
      onStage?.(undefined)
      setStage(undefined)
      made.dispose()
    }
  }, [module, onStage])
  useEffect(() => stage?.show(scene, stageColors()), [stage, scene, theme])
  useEffect(() => stage?.look(camera), [stage, camera])
  useEffect(() => stage?.showBalls(balls ?? []), [stage, balls])
  const labels = useMemo(() => labelsOf(props), [props.scene, props.xAxis, props.yAxis, props.probe])
  useEffect(() => {
    if (!stage) return
    stage.onRender(() => overlay.current && placeLabels(overlay.current, labels, stage, camera, scene))
    stage.render()
  }, [stage, labels, camera, scene])
  if (failed) return <div className="surface-view">{fallback}</div>
  return (
    <div className="surface-view">
      {!stage && <div className="surface-fallback">{fallback}</div>}
      <SurfaceCanvas {...props} stage={stage} canvas={canvas} />
      <div className="surface-labels" ref={overlay} aria-hidden="true">
        {labels.map(({ text, note, kind }, k) => (
          <span key={k} className={`surface-label ${kind}`}>
            {text}
            {note && <span className="axis-note"> · {note}</span>}
          </span>
        ))}
      </div>
    </div>
  )
}

interface CanvasProps extends SurfaceViewProps {
  readonly stage: SurfaceStage | undefined
  readonly canvas: { current: HTMLCanvasElement | null }
}

/** The canvas with what pointer and keys do to it. */
function SurfaceCanvas({ stage, canvas, scene, label, camera, ...on }: CanvasProps): ReactNode {
  const pointers = useRef(new Map<number, { x: number; y: number }>())
  const moved = useRef(0)
  const newest = useRef({ camera, onCamera: on.onCamera })
  newest.current = { camera, onCamera: on.onCamera }
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    // React listens to wheels passively, and a page must not scroll under a zooming surface.
    const zoom = (event: WheelEvent): void => {
      if (!event.ctrlKey && document.activeElement !== element) return
      event.preventDefault()
      newest.current.onCamera(zoomed(newest.current.camera, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015))))
    }
    element.addEventListener('wheel', zoom, { passive: false })
    return () => element.removeEventListener('wheel', zoom)
  }, [canvas])
  const placeOf = (event: PointerEvent): { x: number; y: number } | undefined => {
    const box = event.currentTarget.getBoundingClientRect()
    const hit = stage?.pick(
      ((event.clientX - box.left) / box.width) * 2 - 1,
      1 - ((event.clientY - box.top) / box.height) * 2,
    )
    return hit && scene.frame.read(hit)
  }
  return (
    // the surface is turned and probed by keys
    <canvas
      ref={canvas}
      className="surface-canvas"
      // An application in the sense of ARIA: its keys are its own.
      role="application"
      aria-label={label}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
        moved.current = pointers.current.size > 1 ? 100 : 0
      }}
      onPointerMove={(event) => {
        if (pointers.current.has(event.pointerId)) moved.current += drag(event, pointers.current, newest.current)
        else on.onHover?.(placeOf(event))
      }}
      onPointerUp={(event) => {
        pointers.current.delete(event.pointerId)
        const at = moved.current < 6 ? placeOf(event) : undefined
        if (at) on.onPick?.(at)
      }}
      onPointerCancel={(event) => pointers.current.delete(event.pointerId)}
      onPointerLeave={() => on.onHover?.(undefined)}
      onKeyDown={(event) => keyDown(event, camera, on)}
    />
  )
}

/** One finger turns, two turn and zoom. Returns how far it went, in pixels. */
function drag(
  event: PointerEvent,
  pointers: Map<number, { x: number; y: number }>,
  { camera, onCamera }: { readonly camera: Camera; readonly onCamera: (camera: Camera) => void },
): number {
  const before = pointers.get(event.pointerId)
  if (!before) return 0
  const now = { x: event.clientX, y: event.clientY }
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1]
  const [dx, dy] = [now.x - before.x, now.y - before.y]
  pointers.set(event.pointerId, now)
  const share = other ? 0.5 : 1
  let next = turned(camera, -0.35 * share * dx, 0.3 * share * dy)
  if (other) {
    const spread = (p: { x: number; y: number }): number => Math.hypot(p.x - other.x, p.y - other.y)
    next = zoomed(next, spread(now) / Math.max(1, spread(before)))
  }
  onCamera(next)
  return Math.abs(dx) + Math.abs(dy)
}

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
}

function keyDown(
  event: KeyboardEvent,
  camera: Camera,
  { onCamera, onProbe, onProbePick }: Pick<SurfaceViewProps, 'onCamera' | 'onProbe' | 'onProbePick'>,
): void {
  const arrow = arrows[event.key]
  if (arrow && event.shiftKey) onProbe?.(arrow[0], arrow[1])
  else if (arrow) onCamera(turned(camera, 6 * arrow[0], 5 * arrow[1]))
  else if (event.key === '+' || event.key === '=') onCamera(zoomed(camera, 1.12))
  else if (event.key === '-') onCamera(zoomed(camera, 1 / 1.12))
  else if (event.key === 'Enter') onProbePick?.()
  else return
  event.preventDefault()
}

interface SurfaceLabel {
  readonly text: string
  readonly note?: string
  readonly kind: 'axis' | 'tick' | 'mark' | 'probe'
  /** In the box; axes and ticks are moved to the edge in front. */
  readonly position: readonly [number, number, number]
  readonly edge?: 'x' | 'y'
}

/** Where there is no room for all labels, the first ones stay. */
const labelOrder: readonly MarkerKind[] = ['critical', 'center', 'end', 'saddle', 'minimum', 'maximum']

function byImportance(markers: SurfaceScene['markers']): SurfaceScene['markers'] {
  return markers.toSorted((a, b) => labelOrder.indexOf(a.kind) - labelOrder.indexOf(b.kind))
}

function labelsOf({ scene, xAxis, yAxis, probe }: SurfaceViewProps): SurfaceLabel[] {
  const { halfWidth: a, halfDepth: b, floor } = scene
  return [
    ...byImportance(scene.markers).map(
      ({ label, position: [x, y, z] }): SurfaceLabel => ({
        text: label,
        kind: 'mark',
        position: [x, y, z + 0.07],
      }),
    ),
    { text: xAxis.label, note: xAxis.note, kind: 'axis', edge: 'x', position: [0, b * 1.17, floor] },
    { text: xAxis.low, kind: 'tick', edge: 'x', position: [-a * 0.86, b * 1.09, floor] },
    { text: xAxis.high, kind: 'tick', edge: 'x', position: [a * 0.86, b * 1.09, floor] },
    { text: yAxis.label, note: yAxis.note, kind: 'axis', edge: 'y', position: [a * 1.17, 0, floor] },
    { text: yAxis.low, kind: 'tick', edge: 'y', position: [a * 1.09, -b * 0.84, floor] },
    { text: yAxis.high, kind: 'tick', edge: 'y', position: [a * 1.09, b * 0.84, floor] },
    ...(probe ? [{ text: '', kind: 'probe', position: probe } as const] : []),
  ]
}

/** Labels follow the picture without React: this runs after every frame. A label that would cover an earlier one of its
 *  kind is left out. */
function placeLabels(
  overlay: HTMLElement,
  labels: readonly SurfaceLabel[],
  stage: SurfaceStage,
  camera: Camera,
  scene: SurfaceScene,
): void {
  const eye = eyeOf({ ...camera, distance: 1 })
  const { width, height } = overlay.getBoundingClientRect()
  const taken: { left: number; top: number; half: number }[] = []
  labels.forEach(({ position: [x, y, z], edge, kind, text }, k) => {
    const element = overlay.children[k] as HTMLElement | undefined
    if (!element) return
    const front: [number, number, number] = [
      edge === 'y' && eye[0] < 0 ? -x : x,
      edge === 'x' && eye[1] < 0 ? -y : y,
      z,
    ]
    const at = stage.project(front)
    const [left, top] = [at.left * width, at.top * height]
    const half = 3.6 * text.length + 6
    const covered =
      kind === 'mark' &&
      (taken.some((t) => Math.abs(t.left - left) < t.half + half && Math.abs(t.top - top) < 20) ||
        isHidden(scene, [x, y, z - 0.02], stage.eye()))
    element.style.visibility = covered ? 'hidden' : 'visible'
    element.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px) translate(-50%, -50%)`
    if (!covered && kind === 'mark') taken.push({ left, top, half })
  })
}

function stageColors(): StageColors {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    paper: color('paper'),
    ink: color('ink'),
    rule: color('rule'),
    path: color('path'),
    minimum: color('tone-good'),
    saddle: color('tone-saddle'),
  }
}
