import { useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import { cssColor, paletteColor } from '../../scenes/color-map.ts'
import { formatNumber, formatPercent } from '../../scenes/format-number.ts'
import { Computer } from '../../state/computer.ts'
import { choiceSetting, numberSetting } from '../../state/place.ts'
import { Button, NumberField, Segments, Select, Slider } from '../../views/controls.tsx'
import { Figure } from '../../views/figure.tsx'
import { useComputation } from '../../views/use-computation.ts'
import type { Computed } from '../../views/use-computation.ts'
import { useSetting } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { Chart, Legend, linePath } from '../shared/chart.tsx'
import { ColorKey, FieldMap, rankScale } from '../shared/field-map.tsx'
import type { MapScale } from '../shared/field-map.tsx'
import { Relief, firstView } from '../shared/relief.tsx'
import type { View } from '../shared/relief.tsx'
import { Rich } from '../shared/rich.tsx'
import { RoomPage, Status, Step } from '../shared/story.tsx'
import { surfaceActivations, surfaceData, surfaceStarts } from './scene.ts'
import type { NetworkSurface, SurfaceInput } from './scene.ts'
import type { SweepPoint } from './surface.worker.ts'
import { surfaceWords } from './words.ts'

type Offer = typeof import('./surface.worker.ts').computations

/** Both networks train at once, each in a worker of its own. */
const computers = {
  plain: new Computer<Offer>(() => new Worker(new URL('./surface.worker.ts', import.meta.url), { type: 'module' })),
  skip: new Computer<Offer>(() => new Worker(new URL('./surface.worker.ts', import.meta.url), { type: 'module' })),
}

const depthSetting = numberSetting(10, 2, 24)
const widthSetting = numberSetting(8, 2, 16)
const activationSetting = choiceSetting(surfaceActivations, 'tanh')
const dataSetting = choiceSetting(surfaceData, 'moons')
const startSetting = choiceSetting(surfaceStarts, 'suited')
const reachSetting = numberSetting(0.5, 0.09, 1.6)
const seedSetting = numberSetting(0, 0, 9999)
const steps = 400
const sweepDepths = [2, 4, 7, 10, 14, 18]

const kinds = [
  { id: 'plain', color: 'var(--series-2)' },
  { id: 'skip', color: 'var(--series-1)' },
] as const

type Known = Partial<NetworkSurface>
type Pair = Readonly<Record<'plain' | 'skip', Known | undefined>>

/** Networks with and without skip connections, trained and cut open. */
export default function SurfaceRoom(): ReactNode {
  const words = useWords(surfaceWords)
  const input = useInput()
  const plain = useComputation(computers.plain, 'surface', { input, skip: false })
  const skip = useComputation(computers.skip, 'surface', { input, skip: true })
  const pair: Pair = { plain: newest(plain), skip: newest(skip) }
  const progress = [plain, skip].reduce((sum, { busy, progress: own }) => sum + (busy ? (own ?? 0) : 1) / 2, 0)
  const scale = useMemo(
    () => rankScale([pair.plain?.values ?? [], pair.skip?.values ?? []]),
    [pair.plain?.values, pair.skip?.values],
  )
  return (
    <RoomPage title={words.title} lead={words.lead} sources={words.sources}>
      <Step number={1} title={words.step1} text={<Rich text={words.text1} />} controls={<NetworkControls />}>
        <Status busy={plain.busy || skip.busy} error={plain.error ?? skip.error} progress={progress} />
        {(pair.plain?.history ?? pair.skip?.history) && <TrainingFigure pair={pair} />}
      </Step>
      <Step number={2} title={words.step2} text={<Rich text={words.text2} />} controls={<ReachControl />}>
        <Surfaces pair={pair} scale={scale} />
      </Step>
      <Step number={3} title={words.step3} text={<Rich text={words.text3} />}>
        <div className="figure-pair">
          {kinds.map(({ id }) => {
            const known = pair[id]
            return known?.curvature && <CurvatureFigure key={id} name={words[id]} curvature={known.curvature} />
          })}
        </div>
      </Step>
      <Sweep input={input} />
    </RoomPage>
  )
}

function useInput(): SurfaceInput {
  const [depth] = useSetting('depth', depthSetting)
  const [width] = useSetting('width', widthSetting)
  const [activation] = useSetting('activation', activationSetting)
  const [data] = useSetting('data', dataSetting)
  const [start] = useSetting('start', startSetting)
  const [reach] = useSetting('reach', reachSetting)
  const [seed] = useSetting('seed', seedSetting)
  return useMemo(
    () => ({ depth: Math.round(depth), width: Math.round(width), activation, data, start, reach, seed, steps }),
    [depth, width, activation, data, start, reach, seed],
  )
}

function NetworkControls(): ReactNode {
  const words = useWords(surfaceWords)
  const [depth, setDepth] = useSetting('depth', depthSetting)
  const [width, setWidth] = useSetting('width', widthSetting)
  const [activation, setActivation] = useSetting('activation', activationSetting)
  const [data, setData] = useSetting('data', dataSetting)
  const [start, setStart] = useSetting('start', startSetting)
  const [seed, setSeed] = useSetting('seed', seedSetting)
  return (
    <>
      <Slider label={words.depth} value={Math.round(depth)} min={2} max={24} step={1} onChange={setDepth} />
      <Slider label={words.width} value={Math.round(width)} min={2} max={16} step={1} onChange={setWidth} />
      <Segments
        label={words.activation}
        value={activation}
        choices={surfaceActivations.map((id) => ({ id, text: id }))}
        onChange={setActivation}
      />
      <Segments
        label={words.data}
        value={data}
        choices={surfaceData.map((id) => ({ id, text: words.datasets[id] }))}
        onChange={setData}
      />
      <Select
        label={words.start}
        value={start}
        choices={surfaceStarts.map((id) => ({ id, text: words.starts[id] }))}
        onChange={setStart}
      />
      <p className="small muted">{words.startNote}</p>
      <NumberField label={words.seedNote} value={seed} min={0} max={9999} step={1} onChange={setSeed} />
    </>
  )
}

function ReachControl(): ReactNode {
  const words = useWords(surfaceWords)
  const [reach, setReach] = useSetting('reach', reachSetting)
  return (
    <Slider
      label={words.reach}
      value={reach}
      min={0.1}
      max={1.5}
      scale="log"
      format={(v) => `±${formatNumber(v, { digits: 2 })}`}
      onChange={setReach}
    />
  )
}

/** The result, or while it is computed what is known so far of the new one. */
function newest(computed: Computed<NetworkSurface>): Known | undefined {
  const partial = computed.busy ? (computed.partial as Known | undefined) : undefined
  return partial ? { ...computed.value, curvature: undefined, ...partial } : computed.value
}

function TrainingFigure({ pair }: { readonly pair: Pair }): ReactNode {
  const words = useWords(surfaceWords)
  const histories = kinds.map(({ id }) => pair[id]?.history ?? [])
  const all = histories.flat().map(({ loss }) => loss)
  const end = Math.max(...histories.map((h) => h[h.length - 1]?.step ?? 1))
  const text = (known: Known | undefined): string =>
    words.trainedEnd(formatNumber(known?.trainedLoss, { digits: 3 }), formatPercent(known?.accuracy))
  return (
    <Figure title={words.trainingTitle} caption={words.trainingCaption(text(pair.plain), text(pair.skip))}>
      <Chart
        label={words.trainingLabel}
        x={{ label: words.steps, domain: [0, end] }}
        y={{ label: words.loss, domain: [Math.min(...all) * 0.8, Math.max(...all) * 1.2], scale: 'log' }}
        height={280}
      >
        {(frame) =>
          kinds.map(({ id, color }, i) => (
            <path
              key={id}
              className={id === 'plain' ? 'line dashed' : 'line'}
              d={linePath(
                frame,
                histories[i].map(({ step }) => step),
                histories[i].map(({ loss }) => loss),
              )}
              stroke={color}
            />
          ))
        }
      </Chart>
      <Legend items={kinds.map(({ id, color }) => ({ text: words[id], color, dash: id === 'plain' }))} />
    </Figure>
  )
}

function Surfaces({ pair, scale }: { readonly pair: Pair; readonly scale: MapScale }): ReactNode {
  const words = useWords(surfaceWords)
  const [view, setView] = useState<View>(firstView)
  const shown = kinds.filter(({ id }) => pair[id]?.values)
  if (shown.length === 0) return null
  return (
    <>
      <div className="figure-pair">
        {shown.map(({ id }) => (
          <SurfaceFigure key={id} name={words[id]} known={pair[id] ?? {}} scale={scale} view={view} onView={setView} />
        ))}
      </div>
      <ColorKey scale={scale} label={words.loss} />
    </>
  )
}

function SurfaceFigure({
  name,
  known,
  scale,
  view,
  onView,
}: {
  readonly name: string
  readonly known: Known
  readonly scale: MapScale
  readonly view: View
  readonly onView: (view: View) => void
}): ReactNode {
  const words = useWords(surfaceWords)
  const { x, y, values, basins = [] } = known
  const grid = useMemo(
    () => ({ xs: x ?? new Float64Array(), ys: y ?? new Float64Array(), values: values ?? new Float64Array() }),
    [x, y, values],
  )
  return (
    <Figure title={words.mapTitle(name)} caption={words.mapCaption(basins.length)}>
      <Relief label={words.reliefLabel(name)} grid={grid} scale={scale} view={view} onView={onView} />
      <FieldMap label={words.mapLabel(name, basins.length)} grid={grid} scale={scale} axes={['α', 'β']}>
        {(place) => (
          <>
            {basins.map((b) => {
              const [px, py] = place(b.x, b.y)
              return <circle key={`${b.x},${b.y}`} cx={px} cy={py} r="4.5" className="basin-mark" />
            })}
            <Center at={place(0, 0)} />
          </>
        )}
      </FieldMap>
      <ul className="legend">
        <li>
          <svg width="18" height="18" aria-hidden="true">
            <Center at={[9, 9]} />
          </svg>
          {words.trainedHere}
        </li>
        {basins.length > 1 && (
          <li>
            <svg width="18" height="18" aria-hidden="true">
              <circle cx="9" cy="9" r="4.5" className="basin-mark" />
            </svg>
            {words.otherBasin}
          </li>
        )}
      </ul>
    </Figure>
  )
}

function Center({ at: [x, y] }: { readonly at: readonly [number, number] }): ReactNode {
  const arms = `M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x + 7} ${y - 7}L${x - 7} ${y + 7}`
  return (
    <g className="center-mark">
      <path d={arms} />
      <path d={arms} />
    </g>
  )
}

function CurvatureFigure({
  name,
  curvature,
}: {
  readonly name: string
  readonly curvature: NetworkSurface['curvature']
}): ReactNode {
  const words = useWords(surfaceWords)
  const { x, y, convexity } = curvature
  const share = formatPercent(curvature.share)
  const cell = 100 / x.length
  const shadeOf = (value: number): string =>
    cssColor(paletteColor('viridis', Number.isFinite(value) ? Math.min(1, value) : 0))
  return (
    <Figure title={words.curvatureTitle(name)} caption={words.curvatureCaption(share)}>
      <svg className="matrix-map" viewBox="0 0 100 100" role="img" aria-label={words.curvatureLabel(name, share)}>
        {Array.from(convexity, (value, k) => {
          const [i, j] = [k % x.length, Math.floor(k / x.length)]
          return (
            <g key={k}>
              <rect
                x={i * cell}
                y={(y.length - 1 - j) * cell}
                width={cell * 0.96}
                height={cell * 0.96}
                rx="1"
                fill={shadeOf(value)}
              >
                <title>{`α ${formatNumber(x[i], { digits: 2 })}, β ${formatNumber(y[j], { digits: 2 })}: ${formatNumber(value, { digits: 2 })}`}</title>
              </rect>
              <text
                x={(i + 0.48) * cell}
                y={(y.length - 1 - j + 0.48) * cell}
                fontSize={cell * 0.3}
                textAnchor="middle"
                dominantBaseline="central"
                fill={value > 0.55 ? '#101418' : '#ffffff'}
              >
                {cellText(value)}
              </text>
            </g>
          )
        })}
      </svg>
      <div className="color-key">
        <span
          className="color-key-strip"
          style={{ background: `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(shadeOf).join(', ')})` }}
        />
        <span className="color-key-ends small muted">
          <span>0: {words.convex}</span>
          <span>1: {words.strong}</span>
        </span>
      </div>
    </Figure>
  )
}

/** Two digits, no powers of ten: there is room for four signs. */
function cellText(value: number): string {
  if (!Number.isFinite(value)) return '–'
  return value < 0.005 ? '0' : value >= 10 ? String(Math.round(Math.min(99, value))) : value.toFixed(value < 1 ? 2 : 1)
}

function Sweep({ input }: { readonly input: SurfaceInput }): ReactNode {
  const words = useWords(surfaceWords)
  const [asked, setAsked] = useState<SurfaceInput>()
  const sweep = useComputation(computers.plain, 'sweep', asked && { input: asked, depths: sweepDepths })
  const points = sweep.busy ? (sweep.partial as readonly SweepPoint[] | undefined) : sweep.value
  return (
    <Step
      number={4}
      title={words.step4}
      text={<Rich text={words.text4} />}
      controls={
        <div>
          <Button kind="strong" isDisabled={sweep.busy} onPress={() => setAsked({ ...input })}>
            {asked ? words.sweepAgain : words.sweep}
          </Button>
        </div>
      }
    >
      <Status busy={sweep.busy} error={sweep.error} progress={sweep.progress} />
      {points && points.length > 0 && <SweepFigure points={points} />}
    </Step>
  )
}

function SweepFigure({ points }: { readonly points: readonly SweepPoint[] }): ReactNode {
  const words = useWords(surfaceWords)
  const most = Math.max(4, ...points.map(({ basins }) => basins))
  return (
    <Figure title={words.sweepTitle} caption={words.sweepCaption}>
      <Chart
        label={words.sweepLabel}
        x={{ label: words.depth, domain: [1, sweepDepths[sweepDepths.length - 1] + 1] }}
        y={{ label: words.basins, domain: [0, most * 1.1], format: (v) => (Number.isInteger(v) ? String(v) : '') }}
        height={290}
      >
        {(frame) =>
          kinds.map(({ id, color }) => {
            const own = points.filter(({ skip }) => skip === (id === 'skip'))
            return (
              <g key={id}>
                <path
                  className={id === 'plain' ? 'line dashed' : 'line'}
                  d={linePath(
                    frame,
                    own.map((p) => p.depth),
                    own.map((p) => p.basins),
                  )}
                  stroke={color}
                />
                {own.map((p) => (
                  <circle key={p.depth} cx={frame.x(p.depth)} cy={frame.y(p.basins)} r="5" fill={color} />
                ))}
              </g>
            )
          })
        }
      </Chart>
      <Legend items={kinds.map(({ id, color }) => ({ text: words[id], color, dash: id === 'plain' }))} />
    </Figure>
  )
}
