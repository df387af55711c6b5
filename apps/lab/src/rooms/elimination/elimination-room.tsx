import { useMemo } from 'react'
import type { ReactNode } from 'react'
import { formatNumber } from '../../scenes/format-number.ts'
import { Computer } from '../../state/computer.ts'
import { choiceSetting, numberSetting } from '../../state/place.ts'
import { Segments, Slider } from '../../views/controls.tsx'
import { Figure } from '../../views/figure.tsx'
import { useComputation } from '../../views/use-computation.ts'
import { useSetting } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { Chart, Legend, linePath } from '../shared/chart.tsx'
import type { Frame } from '../shared/chart.tsx'
import { KindBadge, KindShape } from '../shared/kind-mark.tsx'
import { Playback } from '../shared/playback.tsx'
import { Rich } from '../shared/rich.tsx'
import { sharedWords } from '../shared/shared-words.ts'
import { Facts, RoomPage, Status, Step } from '../shared/story.tsx'
import { useSeen } from '../shared/use-seen.ts'
import { usePlayback } from '../shared/use-playback.ts'
import { fitCurve, thetaRange } from './scene.ts'
import type { CurveScene, EliminationProblem, FlowMoment, FlowScene, StartOutcome } from './scene.ts'
import { eliminationWords } from './words.ts'

const computer = new Computer<typeof import('./elimination.worker.ts').computations>(
  () => new Worker(new URL('./elimination.worker.ts', import.meta.url), { type: 'module' }),
)
/** Many flows take seconds: they have a worker of their own, so that the one that is watched does not wait. */
const surveyor = new Computer<typeof import('./elimination.worker.ts').computations>(
  () => new Worker(new URL('./elimination.worker.ts', import.meta.url), { type: 'module' }),
)

const problemSetting = choiceSetting<EliminationProblem>(['sine', 'logistic'], 'sine')
const startSetting = numberSetting(5.6, -6.6, 6.6)
const lambdaSetting = numberSetting(0.1, 0.001, 10)
const startCount = 40

/** Added neurons that remove bad local minima, and where these go. */
export default function EliminationRoom(): ReactNode {
  const words = useWords(eliminationWords)
  const [problem] = useSetting('problem', problemSetting)
  const [wantedStart, setStart] = useSetting('start', startSetting)
  const [lambda] = useSetting('lambda', lambdaSetting)
  const [low, high] = thetaRange[problem]
  const start = Math.min(high, Math.max(low, wantedStart))
  const curve = useComputation(computer, 'curve', { problem })
  const flow = useComputation(computer, 'flow', { problem, start, lambda })
  const scene = flow.value
  const playback = usePlayback(scene, 7, scene !== undefined)
  const moment = scene?.moments[Math.round(playback.position * (scene.moments.length - 1))]
  return (
    <RoomPage title={words.title} lead={words.lead} sources={words.sources}>
      <Step
        number={1}
        title={words.step1}
        text={<Rich text={problem === 'sine' ? words.text1 : words.text1Logistic} />}
        controls={<StartControls start={start} />}
      >
        <Status busy={curve.busy && !curve.value} error={curve.error} />
        {curve.value && <CurveFigure curve={curve.value} start={start} moment={moment} onStart={setStart} />}
      </Step>
      <Step
        number={2}
        title={words.step2}
        text={<Rich text={words.text2} />}
        controls={
          <>
            <LambdaControl />
            {moment && <Playback playback={playback} label={words.time} text={timeText(moment.time)} />}
          </>
        }
      >
        <Status busy={flow.busy && !scene} error={flow.error} />
        {scene && moment && curve.value && (
          <div className="figure-pair">
            <LossFigure scene={scene} moment={moment} />
            <FitFigure problem={problem} curve={curve.value} moment={moment} />
          </div>
        )}
      </Step>
      <Step
        number={3}
        title={words.step3}
        text={<Rich text={words.text3} />}
        controls={scene && <Outcome scene={scene} />}
      >
        {scene && moment && <NeuronFigure scene={scene} moment={moment} />}
        {scene && <OutcomeFacts scene={scene} />}
      </Step>
      <SurveyStep problem={problem} lambda={lambda} start={start} />
    </RoomPage>
  )
}

function StartControls({ start }: { readonly start: number }): ReactNode {
  const words = useWords(eliminationWords)
  const [problem, setProblem] = useSetting('problem', problemSetting)
  const [, setStart] = useSetting('start', startSetting)
  const [low, high] = thetaRange[problem]
  return (
    <>
      <Segments
        label={words.problem}
        value={problem}
        choices={(['sine', 'logistic'] as const).map((id) => ({ id, text: words.problems[id] }))}
        onChange={setProblem}
      />
      <Slider
        label={words.start}
        value={start}
        min={low}
        max={high}
        step={0.05}
        format={(v) => formatNumber(v, { digits: 3 })}
        onChange={setStart}
      />
    </>
  )
}

function LambdaControl(): ReactNode {
  const words = useWords(eliminationWords)
  const [lambda, setLambda] = useSetting('lambda', lambdaSetting)
  return (
    <>
      <Slider
        label={words.lambda}
        value={lambda}
        min={0.001}
        max={10}
        scale="log"
        format={(v) => formatNumber(v, { digits: 2 })}
        onChange={setLambda}
      />
      <p className="small muted">{words.run}</p>
    </>
  )
}

function SurveyStep({
  problem,
  lambda,
  start,
}: {
  readonly problem: EliminationProblem
  readonly lambda: number
  readonly start: number
}): ReactNode {
  const words = useWords(eliminationWords)
  const [place, seen] = useSeen<HTMLElement>()
  const survey = useComputation(surveyor, 'starts', seen ? { problem, lambda, count: startCount } : undefined)
  const outcomes = survey.busy ? (survey.partial as readonly StartOutcome[] | undefined) : survey.value
  return (
    <Step number={4} title={words.step4} text={<Rich text={words.text4} />} anchor={place}>
      <Status busy={survey.busy} error={survey.error} progress={(outcomes?.length ?? 0) / startCount} />
      {outcomes && outcomes.length > 0 && (
        <StartsFigure outcomes={outcomes} range={thetaRange[problem]} start={start} />
      )}
    </Step>
  )
}

function timeText(time: number): string {
  return `t = ${formatNumber(time, { digits: 3 })}`
}

function CurveFigure({
  curve,
  start,
  moment,
  onStart,
}: {
  readonly curve: CurveScene
  readonly start: number
  readonly moment: FlowMoment | undefined
  readonly onStart: (theta: number) => void
}): ReactNode {
  const words = useWords(eliminationWords)
  const shared = useWords(sharedWords)
  const { theta, loss, minima } = curve
  const top = loss.reduce((most, v) => Math.max(most, v), 0) * 1.05
  const good = minima.filter(({ verdict }) => verdict === 'global-minimum').length
  return (
    <Figure
      title={words.curveTitle}
      caption={minima.length > 0 ? words.curveCaption(good, minima.length - good) : words.curveCaptionNone}
    >
      <Chart
        label={words.curveLabel}
        x={{ label: 'θ', domain: [theta[0], theta[theta.length - 1]] }}
        y={{ label: shared.loss, domain: [0, top] }}
        height={330}
        onPick={(x) => onStart(Math.round(x * 20) / 20)}
      >
        {(frame) => (
          <>
            <path className="line" d={linePath(frame, theta, loss)} stroke="var(--ink)" />
            <line className="level" x1={frame.x(start)} x2={frame.x(start)} y1={frame.top} y2={frame.bottom} />
            {minima.map((m) => (
              <KindShape key={m.theta} kind={m.verdict} x={frame.x(m.theta)} y={frame.y(m.loss)} size={8} />
            ))}
            {moment && <Ball frame={frame} moment={moment} />}
          </>
        )}
      </Chart>
      <Legend
        items={[
          { text: words.alone, color: 'var(--accent)', shape: 'dot' },
          { text: words.enlarged, color: 'var(--series-2)', shape: 'dot' },
        ]}
      />
      <p className="kind-row">
        {[...new Set(minima.map(({ verdict }) => verdict))].map((kind) => (
          <KindBadge key={kind} kind={kind} />
        ))}
      </p>
    </Figure>
  )
}

function Ball({ frame, moment }: { readonly frame: Frame; readonly moment: FlowMoment }): ReactNode {
  return (
    <g>
      <line
        x1={frame.x(moment.theta)}
        x2={frame.x(moment.theta)}
        y1={frame.y(moment.loss)}
        y2={frame.y(moment.modifiedLoss)}
        stroke="var(--series-2)"
        strokeWidth="2.5"
      />
      <circle cx={frame.x(moment.theta)} cy={frame.y(moment.modifiedLoss)} r="5" fill="var(--series-2)" />
      <circle cx={frame.x(moment.theta)} cy={frame.y(moment.loss)} r="8" fill="var(--accent)" className="kind-rim" />
    </g>
  )
}

/** Times from the first moment that a logarithmic axis can show. */
function later(moments: readonly FlowMoment[]): readonly FlowMoment[] {
  return moments.filter(({ time }) => time >= 1e-2)
}

function timeAxis(moments: readonly FlowMoment[]): { label: string; domain: readonly [number, number]; scale: 'log' } {
  const shown = later(moments)
  return { label: 't', domain: [1e-2, Math.max(0.1, shown[shown.length - 1]?.time ?? 1)], scale: 'log' }
}

const leastLoss = 1e-12

function LossFigure({ scene, moment }: { readonly scene: FlowScene; readonly moment: FlowMoment }): ReactNode {
  const words = useWords(eliminationWords)
  const shared = useWords(sharedWords)
  const shown = later(scene.moments)
  const times = shown.map(({ time }) => time)
  const values = shown.flatMap(({ loss, modifiedLoss }) => [loss, modifiedLoss])
  const low = Math.max(leastLoss, Math.min(...values) * 0.7)
  const high = Math.max(...values) * 1.4
  return (
    <Figure title={words.lossTitle} caption={words.lossCaption}>
      <Chart
        label={words.lossLabel}
        x={{ ...timeAxis(scene.moments), ticks: 4 }}
        y={{ label: shared.loss, domain: [low, high], scale: 'log', ticks: 5 }}
        height={290}
      >
        {(frame) => (
          <>
            <path
              className="line"
              d={linePath(
                frame,
                times,
                shown.map((m) => Math.max(m.loss, low)),
              )}
              stroke="var(--accent)"
            />
            <path
              className="line"
              d={linePath(
                frame,
                times,
                shown.map((m) => Math.max(m.modifiedLoss, low)),
              )}
              stroke="var(--series-2)"
            />
            <line
              className="level"
              x1={frame.x(Math.max(1e-2, moment.time))}
              x2={frame.x(Math.max(1e-2, moment.time))}
              y1={frame.top}
              y2={frame.bottom}
            />
          </>
        )}
      </Chart>
      <Legend
        items={[
          { text: words.alone, color: 'var(--accent)' },
          { text: words.enlarged, color: 'var(--series-2)' },
        ]}
      />
    </Figure>
  )
}

function FitFigure({
  problem,
  curve,
  moment,
}: {
  readonly problem: EliminationProblem
  readonly curve: CurveScene
  readonly moment: FlowMoment
}): ReactNode {
  const words = useWords(eliminationWords)
  const { x, y } = curve.data
  const reach: readonly [number, number] = problem === 'sine' ? [-2.8, 1.7] : [-6, 12]
  const xs = useMemo(() => Array.from({ length: 161 }, (_, i) => -2.1 + (4.8 * i) / 160), [])
  const { plain, modified } = fitCurve(problem, moment, xs)
  return (
    <Figure title={words.fitTitle} caption={words.fitCaption}>
      <Chart
        label={words.fitLabel}
        x={{ label: 'x', domain: [-2.1, 2.7], ticks: 5 }}
        y={{ label: 'y', domain: reach, ticks: 5 }}
        height={290}
      >
        {(frame) => (
          <>
            <line
              className="zero-line"
              x1={frame.left}
              x2={frame.right}
              y1={frame.y(0)}
              y2={frame.y(0)}
              opacity="0.5"
            />
            <path className="line dashed thin" d={linePath(frame, xs, plain)} stroke="var(--accent)" />
            <path className="line" d={linePath(frame, xs, modified)} stroke="var(--series-2)" />
            {x.map((v, i) => (
              <circle key={v} cx={frame.x(v)} cy={frame.y(y[i])} r="6" fill="var(--ink)" className="kind-rim" />
            ))}
          </>
        )}
      </Chart>
      <Legend
        items={[
          { text: words.plainFit, color: 'var(--accent)', dash: true },
          { text: words.modifiedFit, color: 'var(--series-2)' },
        ]}
      />
    </Figure>
  )
}

function Outcome({ scene }: { readonly scene: FlowScene }): ReactNode {
  const words = useWords(eliminationWords)
  const theta = formatNumber(scene.moments[scene.moments.length - 1].theta, { digits: 5 })
  const text =
    scene.outcome === 'certified'
      ? words.certifiedText(theta, formatNumber(scene.certificate?.groupGradientMax ?? Number.NaN, { digits: 2 }))
      : scene.outcome === 'vacuous'
        ? words.vacuousText
        : scene.divergence.type === 'A'
          ? words.typeA(theta)
          : scene.divergence.type === 'B'
            ? words.typeB(theta)
            : words.stoppedText
  return (
    <div className={scene.outcome === 'certified' ? 'verdict-box good' : 'verdict-box bad'} role="status">
      <p className="outcome">{words.outcomes[scene.outcome]}</p>
      <p>{text}</p>
    </div>
  )
}

function OutcomeFacts({ scene }: { readonly scene: FlowScene }): ReactNode {
  const { facts } = useWords(eliminationWords)
  const { certificate, divergence } = scene
  const text = (v: number | null | undefined): string => formatNumber(v, { digits: 3 })
  const diverges = scene.outcome !== 'certified'
  return (
    <Facts
      items={[
        [facts.before, text(scene.lossBefore)],
        [facts.after, text(scene.lossAfter)],
        [facts.enlarged, text(scene.modifiedLoss)],
        [facts.group, text(certificate?.groupGradientMax)],
        [facts.rms, text(divergence.neuronRms)],
        ...(diverges
          ? ([
              [facts.law, text(divergence.amplitudeLaw)],
              [facts.gradientLaw, text(divergence.gradientTimesTime)],
              [facts.decrease, text(certificate?.witnessDecrease)],
            ] as const)
          : []),
      ]}
    />
  )
}

function NeuronFigure({ scene, moment }: { readonly scene: FlowScene; readonly moment: FlowMoment }): ReactNode {
  const words = useWords(eliminationWords)
  const shown = later(scene.moments)
  const times = shown.map(({ time }) => time)
  const parts = [
    { text: words.amplitude, color: 'var(--series-2)', values: shown.map(({ a }) => Math.abs(a)) },
    { text: words.emphasis, color: 'var(--series-1)', values: shown.map(({ b }) => b) },
    { text: words.slope, color: 'var(--series-3)', values: shown.map(({ w }) => Math.abs(w)) },
  ]
  const all = parts.flatMap(({ values }) => values)
  const [low, high] = [Math.min(0, ...all), Math.max(...all, 0.1)]
  return (
    <Figure title={words.neuronTitle} caption={words.neuronCaption}>
      <Chart
        label={words.neuronLabel}
        x={timeAxis(scene.moments)}
        y={{ label: '', domain: [low - 0.03 * (high - low), high * 1.05] }}
        height={280}
      >
        {(frame) => (
          <>
            <line className="zero-line" x1={frame.left} x2={frame.right} y1={frame.y(0)} y2={frame.y(0)} />
            {parts.map(({ text, color, values }) => (
              <path key={text} className="line" d={linePath(frame, times, values)} stroke={color} />
            ))}
            <line
              className="level"
              x1={frame.x(Math.max(1e-2, moment.time))}
              x2={frame.x(Math.max(1e-2, moment.time))}
              y1={frame.top}
              y2={frame.bottom}
            />
          </>
        )}
      </Chart>
      <Legend items={parts.map(({ text, color }) => ({ text, color }))} />
    </Figure>
  )
}

function groupOf({ outcome, type }: StartOutcome): 'certified' | 'A' | 'B' | 'other' {
  return outcome === 'certified' ? 'certified' : (type ?? 'other')
}

const groupColors = {
  certified: 'var(--tone-good)',
  A: 'var(--series-2)',
  B: 'var(--series-4)',
  other: 'var(--edge)',
} as const

function StartsFigure({
  outcomes,
  range,
  start,
}: {
  readonly outcomes: readonly StartOutcome[]
  readonly range: readonly [number, number]
  readonly start: number
}): ReactNode {
  const words = useWords(eliminationWords)
  const ends = outcomes.map(({ end }) => end)
  const domain = [Math.min(range[0], ...ends) - 0.1, Math.max(range[1], ...ends) + 0.1] as const
  const groups = (['certified', 'A', 'B', 'other'] as const).filter((g) => outcomes.some((o) => groupOf(o) === g))
  return (
    <Figure
      title={words.startsTitle}
      caption={words.startsCaption(outcomes.filter(({ outcome }) => outcome === 'certified').length, outcomes.length)}
    >
      <Chart
        label={words.startsLabel}
        x={{ label: 'θ', domain }}
        y={{
          label: '',
          domain: [-0.15, 1.15],
          ticks: 2,
          format: (v) => (v === 1 ? words.startsRow : v === 0 ? words.endsRow : ''),
        }}
        height={230}
      >
        {(frame) => (
          <>
            <line className="level" x1={frame.x(start)} x2={frame.x(start)} y1={frame.top} y2={frame.y(1)} />
            {outcomes.map((o) => {
              const color = groupColors[groupOf(o)]
              return (
                <g key={o.start}>
                  <path
                    d={`M${frame.x(o.start)} ${frame.y(1)}C${frame.x(o.start)} ${frame.y(0.45)} ${frame.x(o.end)} ${frame.y(0.55)} ${frame.x(o.end)} ${frame.y(0)}`}
                    fill="none"
                    stroke={color}
                    strokeWidth="1.6"
                    strokeDasharray={groupOf(o) === 'certified' ? '' : groupOf(o) === 'A' ? '6 3' : '2 3'}
                  />
                  <circle cx={frame.x(o.start)} cy={frame.y(1)} r="4" fill={color} />
                  <circle cx={frame.x(o.end)} cy={frame.y(0)} r="4.5" fill={color} />
                </g>
              )
            })}
          </>
        )}
      </Chart>
      <Legend
        items={groups.map((g) => ({ text: words.startOutcomes[g], color: groupColors[g], dash: g !== 'certified' }))}
      />
    </Figure>
  )
}
