import { useMemo } from 'react'
import type { ReactNode } from 'react'
import type { Grid } from '../../scenes/contour-lines.ts'
import { formatNumber } from '../../scenes/format-number.ts'
import { Computer } from '../../state/computer.ts'
import { choiceSetting, numberSetting, numbersSetting } from '../../state/place.ts'
import { Button, NumberField, Select, Slider } from '../../views/controls.tsx'
import { Figure } from '../../views/figure.tsx'
import { useComputation } from '../../views/use-computation.ts'
import { useSetting } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { ColorKey, FieldMap, rankScale } from '../shared/field-map.tsx'
import { KindBadge, KindShape } from '../shared/kind-mark.tsx'
import { Playback } from '../shared/playback.tsx'
import { Rich } from '../shared/rich.tsx'
import { sharedWords } from '../shared/shared-words.ts'
import { RoomPage, Status, Step } from '../shared/story.tsx'
import { usePlayback } from '../shared/use-playback.ts'
import { useSeen } from '../shared/use-seen.ts'
import { Quiz } from './quiz.tsx'
import { functionNames } from './scene.ts'
import type { FunctionName, FunctionScene, Racer, RacePath } from './scene.ts'
import { functionWords } from './words.ts'

const computer = new Computer<typeof import('./functions.worker.ts').computations>(
  () => new Worker(new URL('./functions.worker.ts', import.meta.url), { type: 'module' }),
)

const nameSetting = choiceSetting<FunctionName>(functionNames, 'himmelblau')
const startSetting = numbersSetting([-0.4, -2.6], 2)
const rateSetting = numberSetting(0.4, 0.009, 2.1)
const steps = 120

/** Analytic functions: their critical points, a quiz, and optimizers that race. */
export default function FunctionsRoom(): ReactNode {
  const words = useWords(functionWords)
  const [name, setName] = useSetting('function', nameSetting)
  const [start, setStart] = useSetting('start', startSetting)
  const [rate] = useSetting('rate', rateSetting)
  const [quizPlace, quizSeen] = useSeen<HTMLElement>()
  const map = useComputation(computer, 'map', { name })
  const scene = map.value
  const shown = scene?.name === name ? scene : undefined
  const race = useComputation(computer, 'race', shown && { name, start: [start[0], start[1]] as const, steps, rate })
  const choose = (next: FunctionName): void => {
    setName(next)
    setStart(firstStart(next))
  }
  return (
    <RoomPage title={words.title} lead={words.lead} sources={words.sources}>
      <Step
        number={1}
        title={words.step1}
        text={<Rich text={words.text1} />}
        controls={<FunctionSelect name={name} onChange={choose} />}
      >
        <Status busy={map.busy && !shown} error={map.error} />
        {scene && <MapFigure scene={scene} />}
        {scene && <PointTable scene={scene} />}
      </Step>
      <Step number={2} title={words.step2} text={<Rich text={words.text2} />} anchor={quizPlace}>
        {quizSeen && <Quiz computer={computer} />}
      </Step>
      <Step
        number={3}
        title={words.step3}
        text={<Rich text={words.text3} />}
        controls={shown && <RaceControls scene={shown} onFunction={choose} />}
      >
        <Status busy={race.busy && !race.value} error={race.error} />
        {shown && <Race scene={shown} paths={race.value} start={start} onStart={setStart} />}
      </Step>
    </RoomPage>
  )
}

function RaceControls({
  scene,
  onFunction,
}: {
  readonly scene: FunctionScene
  readonly onFunction: (name: FunctionName) => void
}): ReactNode {
  const words = useWords(functionWords)
  const [start, setStart] = useSetting('start', startSetting)
  const [rate, setRate] = useSetting('rate', rateSetting)
  const [low, high] = scene.domain
  return (
    <>
      <FunctionSelect name={scene.name} onChange={onFunction} />
      <div className="width-row">
        {[words.startX, words.startY].map((label, axis) => (
          <NumberField
            key={label}
            label={label}
            value={start[axis]}
            min={low}
            max={high}
            step={(high - low) / 100}
            places={3}
            onChange={(v) => setStart(start.map((old, i) => (i === axis ? v : old)))}
          />
        ))}
      </div>
      <Slider
        label={words.rate}
        value={rate}
        min={0.01}
        max={2}
        scale="log"
        format={(v) => formatNumber(v, { digits: 2 })}
        onChange={setRate}
      />
      <NearSaddle scene={scene} onStart={setStart} />
    </>
  )
}

/** Where a race begins that shows something. */
function firstStart(name: FunctionName): readonly number[] {
  const starts: Partial<Record<FunctionName, readonly number[]>> = {
    himmelblau: [-0.4, -2.6],
    'simple-saddle': [0.7, 0.03],
    'monkey-saddle': [0.5, 0.3],
    peano: [0.6, 0.75],
    rosenbrock: [-1.2, 1],
    beale: [-1, 1.5],
    'styblinski-tang': [0.4, 0.6],
    sine: [1, 1.2],
    'gradient-flat': [1.2, 1.4],
  }
  return starts[name] ?? [0.3, 0.3]
}

function FunctionSelect({
  name,
  onChange,
}: {
  readonly name: FunctionName
  readonly onChange: (name: FunctionName) => void
}): ReactNode {
  const words = useWords(functionWords)
  return (
    <Select
      label={words.functionName}
      value={name}
      choices={functionNames.map((id) => ({ id, text: words.names[id] }))}
      onChange={onChange}
    />
  )
}

function NearSaddle({
  scene,
  onStart,
}: {
  readonly scene: FunctionScene
  readonly onStart: (start: readonly number[]) => void
}): ReactNode {
  const words = useWords(functionWords)
  const saddle = scene.points.find(({ kind }) => kind === 'strict-saddle' || kind === 'non-strict-saddle')
  if (!saddle) return null
  const size = scene.domain[1] - scene.domain[0]
  const near = saddle.theta.map((t, i) => Number((t + (i === 0 ? 0.06 : 0.04) * size).toPrecision(4)))
  return <Button onPress={() => onStart(near)}>{words.trySaddle}</Button>
}

function gridOf({ x, y, values }: Pick<FunctionScene, 'x' | 'y' | 'values'>): Grid {
  return { xs: x, ys: y, values }
}

function pointText([x, y]: readonly number[]): string {
  const text = (v: number): string => formatNumber(Math.abs(v) < 5e-8 ? 0 : v, { digits: 4, trim: true })
  return `(${text(x)}, ${text(y)})`
}

function MapFigure({ scene }: { readonly scene: FunctionScene }): ReactNode {
  const words = useWords(functionWords)
  const kinds = useWords(sharedWords).kinds
  const grid = useMemo(() => gridOf(scene), [scene])
  const scale = useMemo(() => rankScale([scene.values]), [scene])
  const spoken = scene.points.map(({ theta, kind }) => `${pointText(theta)} ${kinds[kind]}`).join('; ')
  return (
    <Figure
      title={`${words.mapTitle}: ${words.names[scene.name]}`}
      caption={scene.points.length > 0 ? words.mapCaption : words.noCritical}
      settings={[['f', scene.formula]]}
    >
      <FieldMap
        label={words.mapLabel(words.names[scene.name], spoken || words.noPoints)}
        grid={grid}
        scale={scale}
        axes={['x', 'y']}
      >
        {(place) =>
          scene.points.map((point) => {
            const [px, py] = place(...point.theta)
            return <KindShape key={point.theta.join()} kind={point.kind} x={px} y={py} size={9} />
          })
        }
      </FieldMap>
      <p className="kind-row">
        {[...new Set(scene.points.map(({ kind }) => kind))].map((kind) => (
          <KindBadge key={kind} kind={kind} />
        ))}
      </p>
      <ColorKey scale={scale} label="f" />
    </Figure>
  )
}

function PointTable({ scene }: { readonly scene: FunctionScene }): ReactNode {
  const { columns, tableCaption } = useWords(functionWords)
  if (scene.points.length === 0) return null
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={tableCaption}>
      <table className="rung-table">
        <caption>{tableCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.point}</th>
            <th scope="col" className="number-cell">
              {columns.value}
            </th>
            <th scope="col">{columns.kind}</th>
            <th scope="col" className="number-cell">
              {columns.eigenvalues}
            </th>
          </tr>
        </thead>
        <tbody>
          {scene.points.map((point) => (
            <tr key={point.theta.join()}>
              <th scope="row">{pointText(point.theta)}</th>
              <td className="number-cell">{formatNumber(tiny(point.value), { digits: 5, trim: true })}</td>
              <td>
                <KindBadge kind={point.kind} />
              </td>
              <td className="number-cell">
                {point.eigenvalues.map((v) => formatNumber(tiny(v), { digits: 4, trim: true })).join(', ')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Rounding of a search is shown as the zero that it stands for. */
function tiny(value: number): number {
  return Math.abs(value) < 1e-12 ? 0 : value
}

const racerColors: Readonly<Record<Racer, string>> = {
  'gradient-descent': 'var(--race-1)',
  momentum: 'var(--race-2)',
  adam: 'var(--race-3)',
  newton: 'var(--race-4)',
  'saddle-free-newton': 'var(--race-5)',
}

function Race({
  scene,
  paths,
  start,
  onStart,
}: {
  readonly scene: FunctionScene
  readonly paths: readonly RacePath[] | undefined
  readonly start: readonly number[]
  readonly onStart: (start: readonly number[]) => void
}): ReactNode {
  const words = useWords(functionWords)
  const grid = useMemo(() => gridOf(scene), [scene])
  const scale = useMemo(() => rankScale([scene.values]), [scene])
  const playback = usePlayback(paths, 6, paths !== undefined)
  // The first steps are the interesting ones: time runs slower there.
  const step = Math.round(steps * playback.position ** 2)
  const digits = (v: number): number => Number(v.toPrecision(3))
  return (
    <>
      <Figure title={words.raceTitle} caption={words.raceCaption}>
        <FieldMap
          label={words.raceLabel}
          grid={grid}
          scale={scale}
          axes={['x', 'y']}
          onPick={(x, y) => onStart([digits(x), digits(y)])}
        >
          {(place) => (
            <>
              {(paths ?? []).map((path) => (
                <RaceLine key={path.racer} path={path} step={step} place={place} />
              ))}
              <StartMark at={place(start[0], start[1])} />
            </>
          )}
        </FieldMap>
        <Playback playback={playback} label={words.playback} text={words.stepOf(step)} />
      </Figure>
      {paths && <RaceTable paths={paths} step={step} />}
    </>
  )
}

function StartMark({ at: [x, y] }: { readonly at: readonly [number, number] }): ReactNode {
  return (
    <g className="start-mark">
      <path d={`M${x - 7} ${y}H${x + 7}M${x} ${y - 7}V${y + 7}`} />
    </g>
  )
}

function RaceLine({
  path,
  step,
  place,
}: {
  readonly path: RacePath
  readonly step: number
  readonly place: (x: number, y: number) => readonly [number, number]
}): ReactNode {
  const count = Math.min(path.path.length / 2, step + 1)
  const points = Array.from({ length: count }, (_, k) => place(path.path[2 * k], path.path[2 * k + 1]))
  const color = racerColors[path.racer]
  const line = points.map(([x, y], k) => `${k === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')
  const [x, y] = points[points.length - 1]
  const newton = path.rate === null
  return (
    <g>
      <path className="race-line under" d={line} />
      <path className="race-line" d={line} stroke={color} strokeDasharray={newton ? '7 4' : ''} />
      {newton && points.slice(0, 30).map(([px, py], k) => <circle key={k} cx={px} cy={py} r="3" fill={color} />)}
      <circle cx={x} cy={y} r="6.5" fill={color} className="race-head" />
    </g>
  )
}

function RaceTable({ paths, step }: { readonly paths: readonly RacePath[]; readonly step: number }): ReactNode {
  const words = useWords(functionWords)
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={words.raceTableCaption}>
      <table className="rung-table">
        <caption>{words.raceTableCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{words.raceTable.racer}</th>
            <th scope="col" className="number-cell">
              {words.raceTable.steps}
            </th>
            <th scope="col" className="number-cell">
              {words.raceTable.value}
            </th>
            <td>{words.raceTable.end}</td>
          </tr>
        </thead>
        <tbody>
          {paths.map((path) => {
            const at = Math.min(path.values.length - 1, step)
            return (
              <tr key={path.racer}>
                <th scope="row">
                  <span className="race-key" style={{ background: racerColors[path.racer] }} />
                  {words.racers[path.racer]}
                </th>
                <td className="number-cell">{at}</td>
                <td className="number-cell">{formatNumber(tiny(path.values[at]), { digits: 4 })}</td>
                <td className="muted">{at === path.values.length - 1 ? words.ends[path.end] : words.ends.running}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
