import { useCallback, useMemo, useRef, useState } from 'react'
import type { ReactNode } from 'react'
import type { Ball } from '../scenes/ball.ts'
import { formatNumber } from '../scenes/format-number.ts'
import { lossOf, nearestNode, valueAt } from '../scenes/plane-data.ts'
import type { PlaneData } from '../scenes/plane-data.ts'
import { surfaceScene } from '../scenes/surface-scene.ts'
import type { SurfaceOptions } from '../scenes/surface-scene.ts'
import { landscapeSettings } from '../state/landscape-settings.ts'
import { landscapeWords } from '../words/landscape-words.ts'
import { ballColors } from './ball-panel.tsx'
import { ColorLegend } from './color-legend.tsx'
import { ContourMap } from './contour-map.tsx'
import { Figure } from './figure.tsx'
import { axisTexts, fieldText, markerText, planeName } from './plane-text.ts'
import { savePlane } from './save-plane.ts'
import { Button } from './controls.tsx'
import { SurfaceView } from './surface-view.tsx'
import type { SurfaceStage } from './surface-stage.ts'
import { useSetting, useShownTheme } from './use-stores.ts'
import { useWords } from './use-words.ts'

export interface PlanePaneProps {
  readonly plane: PlaneData
  readonly options: SurfaceOptions
  readonly balls: readonly Ball[]
  readonly probe: { readonly x: number; readonly y: number } | undefined
  readonly onProbe: (right: number, up: number) => void
  readonly onDrop: (at: { readonly x: number; readonly y: number }) => void
}

/** One plane with its legend, its readings and its caption. */
export function PlanePane(props: PlanePaneProps): ReactNode {
  const { plane, options } = props
  const words = useWords(landscapeWords)
  const [view] = useSetting('view', landscapeSettings.view)
  const [color] = useSetting('color', landscapeSettings.color)
  const [hover, setHover] = useState<{ x: number; y: number }>()
  const stage = useRef<SurfaceStage>(undefined)
  const svg = useRef<SVGSVGElement>(null)
  const name = planeName(plane, words)
  const shown = plane.fields.some((f) => f.kind === color) || color === 'gradient-norm' ? color : 'loss'
  return (
    <Figure
      className="plane-pane"
      title={name}
      caption={<PaneCaption plane={plane} color={shown} />}
      settings={detailsOf(plane, words)}
    >
      <div className="plane-frame">
        <PaneDrawing {...props} view={view} onHover={setHover} stage={stage} svg={svg} />
        <ColorLegend
          label={words.fields[shown]}
          scale={options.color.scale}
          palette={options.color.palette}
          format={(value) =>
            shown.endsWith('accuracy') ? fieldText(shown, value) : formatNumber(value, { digits: 3, trim: true })
          }
        />
        <Readout plane={plane} at={hover ?? props.probe} isProbe={hover === undefined && props.probe !== undefined} />
      </div>
      <div className="plane-tools">
        <span className="muted small">{view === 'map' ? words.helpMap : words.help}</span>
        <SaveButtons plane={plane} options={options} stage={stage} svg={svg} view={view} />
      </div>
    </Figure>
  )
}

interface DrawingProps extends PlanePaneProps {
  readonly view: 'relief' | 'map'
  readonly onHover: (at: { readonly x: number; readonly y: number } | undefined) => void
  readonly stage: { current: SurfaceStage | undefined }
  readonly svg: { current: SVGSVGElement | null }
}

function PaneDrawing({
  plane,
  options,
  balls,
  probe,
  view,
  stage,
  svg,
  onHover,
  onProbe,
  onDrop,
}: DrawingProps): ReactNode {
  const words = useWords(landscapeWords)
  const [camera, setCamera] = useSetting('cam', landscapeSettings.camera)
  const theme = useShownTheme()
  const [xAxis, yAxis] = useMemo(() => axisTexts(plane, words), [plane, words])
  const markerLabels = useMemo(() => plane.markers.map((marker) => markerText(marker, plane, words)), [plane, words])
  const colors = useMemo(() => ballColors(), [theme])
  const name = planeName(plane, words)
  const map = (
    <ContourMap
      {...{ plane, options, xAxis, yAxis, markerLabels, onHover, onProbe, probe }}
      label={words.mapLabel(name)}
      balls={balls.map(({ method, path }) => ({ color: colors[method], path: path.filter((_, k) => k % 3 !== 2) }))}
      onPick={onDrop}
      onProbePick={() => probe && onDrop(probe)}
      onSvg={(element) => {
        svg.current = element
      }}
    />
  )
  const scene = useMemo(() => {
    const made = surfaceScene(plane, options)
    return { ...made, markers: made.markers.map((marker, k) => ({ ...marker, label: markerLabels[k] })) }
  }, [plane, options, markerLabels])
  const stageBalls = useMemo(
    () =>
      balls.map(({ method, path }) => {
        const line = path.flatMap((_, k) =>
          k % 3 === 0 ? liftedOver(scene.frame.place(path[k], path[k + 1], path[k + 2])) : [],
        )
        return { color: colors[method], path: line, position: line.slice(-3) as [number, number, number] }
      }),
    [balls, scene, colors],
  )
  const probeAt = useMemo(
    () => probe && scene.frame.place(probe.x, probe.y, valueAt(lossOf(plane), probe.x, probe.y)),
    [probe, scene, plane],
  )
  const onStage = useCallback(
    (made: SurfaceStage | undefined) => {
      stage.current = made
    },
    [stage],
  )
  if (view === 'map') return map
  return (
    <SurfaceView
      {...{ scene, xAxis, yAxis, camera, onHover, onProbe, onStage }}
      label={words.canvasLabel(name)}
      onCamera={setCamera}
      balls={stageBalls}
      probe={probeAt}
      onPick={onDrop}
      onProbePick={() => probe && onDrop(probe)}
      fallback={map}
    />
  )
}

function liftedOver([x, y, z]: readonly [number, number, number]): number[] {
  return Number.isFinite(z) ? [x, y, z + 0.008] : []
}

function PaneCaption({
  plane,
  color,
}: {
  readonly plane: PlaneData
  readonly color: keyof typeof landscapeWords.en.fields
}): ReactNode {
  const words = useWords(landscapeWords)
  const own = plane.fields.some(({ kind }) => kind === color)
  return (
    <>
      {plane.analytic ? words.functionCaption(plane.analytic) : words.caption(plane.name)}{' '}
      {color !== 'loss' && (own ? words.fieldNotes[color] : words.planeGradientNote)}{' '}
      {plane.trajectories.length > 0 && words.trajectoryNote}
      {plane.warnings.length > 0 && <span className="plane-warnings">{plane.warnings.join(' ')}</span>}
    </>
  )
}

function detailsOf(plane: PlaneData, words: typeof landscapeWords.en): readonly (readonly [string, ReactNode])[] {
  const { xs, ys, values } = lossOf(plane)
  const holes = Array.from(values).filter((value) => !Number.isFinite(value)).length
  return [
    [words.nodes, `${xs.length} × ${ys.length}`],
    ...(plane.analytic ? [] : ([[words.normalization, plane.normalization]] as const)),
    ...(plane.cosine === null || plane.analytic
      ? []
      : ([[words.cosine, formatNumber(plane.cosine, { digits: 2 })]] as const)),
    ...(holes > 0 ? ([[words.notFinite, formatNumber(holes)]] as const) : []),
  ]
}

/** The values at the nearest node: what was measured, not what is between. */
function Readout({
  plane,
  at,
  isProbe,
}: {
  readonly plane: PlaneData
  readonly at: { readonly x: number; readonly y: number } | undefined
  readonly isProbe: boolean
}): ReactNode {
  const words = useWords(landscapeWords)
  if (!at) return <p className="readout muted">{words.outside}</p>
  const loss = lossOf(plane)
  const { i, j } = nearestNode(loss, at.x, at.y)
  const [x, y] = [loss.xs[i], loss.ys[j]]
  return (
    <dl className="readout" aria-live={isProbe ? 'polite' : 'off'}>
      <div>
        <dt>{words.node}</dt>
        <dd>
          ({formatNumber(x, { digits: 4, trim: true })}, {formatNumber(y, { digits: 4, trim: true })})
        </dd>
      </div>
      {plane.fields.map(({ kind, grid }) => (
        <div key={kind}>
          <dt>{words.fields[kind]}</dt>
          <dd>{fieldText(kind, valueAt(grid, clampTo(x, grid.xs), clampTo(y, grid.ys)))}</dd>
        </div>
      ))}
    </dl>
  )
}

function clampTo(x: number, nodes: ArrayLike<number>): number {
  return Math.min(nodes[nodes.length - 1], Math.max(nodes[0], x))
}

interface SaveProps {
  readonly plane: PlaneData
  readonly options: SurfaceOptions
  readonly stage: { current: SurfaceStage | undefined }
  readonly svg: { current: SVGSVGElement | null }
  readonly view: 'relief' | 'map'
}

function SaveButtons({ plane, options, stage, svg, view }: SaveProps): ReactNode {
  const words = useWords(landscapeWords)
  const formats = view === 'map' ? (['SVG', 'STL'] as const) : (['PNG', 'glTF', 'STL'] as const)
  return (
    <div className="save-buttons">
      <span className="muted small">{words.export}</span>
      {formats.map((format) => (
        <Button
          key={format}
          kind="quiet"
          label={`${words.export} ${format}`}
          onPress={() => void savePlane(format, plane, options, stage.current, svg.current)}
        >
          {format}
        </Button>
      ))}
    </div>
  )
}
