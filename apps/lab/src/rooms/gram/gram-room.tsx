import { useMemo } from 'react'
import type { ReactNode } from 'react'
import { formatNumber } from '../../scenes/format-number.ts'
import { Computer } from '../../state/computer.ts'
import { choiceSetting, numberSetting, numbersSetting } from '../../state/place.ts'
import { NumberField, Segments, Select, Slider } from '../../views/controls.tsx'
import { Figure } from '../../views/figure.tsx'
import { useComputation } from '../../views/use-computation.ts'
import { useSetting } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { Chart, Legend, linePath } from '../shared/chart.tsx'
import { MatrixMap } from '../shared/matrix-map.tsx'
import { Rich } from '../shared/rich.tsx'
import { sharedWords } from '../shared/shared-words.ts'
import { Facts, RoomPage, Status, Step } from '../shared/story.tsx'
import { useSeen } from '../shared/use-seen.ts'
import { CircleFigure } from './circle-figure.tsx'
import { gramActivations, gramLabels, spreadAngles } from './scene.ts'
import type { DepthScene, GramFamily, GramInput, KernelScene, SpoilScene, TrainingScene } from './scene.ts'
import { gramWords } from './words.ts'

const computer = new Computer<typeof import('./gram.worker.ts').computations>(
  () => new Worker(new URL('./gram.worker.ts', import.meta.url), { type: 'module' }),
)
/** Trains in WebAssembly, which is fetched when training comes into view; kernels do not wait for it. */
const trainer = new Computer<typeof import('./gram.worker.ts').computations>(
  () => new Worker(new URL('./gram.worker.ts', import.meta.url), { type: 'module' }),
)

const anglesSetting = numbersSetting(spreadAngles(6))
const familySetting = choiceSetting<GramFamily>(['fc', 'resnet'], 'fc')
const depthSetting = numberSetting(2, 1, 8)
const activationSetting = choiceSetting(gramActivations, 'softplus')
const widthSetting = numberSetting(256, 8, 1024)
const seedSetting = numberSetting(0, 0, 9999)
const stepCount = 400
const widths = [8, 16, 32, 64, 128, 256, 512]

/** Gram matrices of wide networks and the convergence that follows from them. */
export default function GramRoom(): ReactNode {
  const words = useWords(gramWords)
  const [angles] = useSetting('angles', anglesSetting)
  const [family] = useSetting('network', familySetting)
  const [depth] = useSetting('depth', depthSetting)
  const [activation] = useSetting('activation', activationSetting)
  const input = useMemo<GramInput>(
    () => ({ angles, family, depth: Math.round(depth), activation }),
    [angles, family, depth, activation],
  )
  const kernel = useComputation(computer, 'kernel', input)
  const depths = useComputation(computer, 'depth', { angles, activation })
  return (
    <RoomPage title={words.title} lead={words.lead} sources={words.sources}>
      <Step number={1} title={words.step1} text={<Rich text={words.text1} />} controls={<NetworkControls />}>
        <Status busy={kernel.busy && !kernel.value} error={kernel.error} />
        <div className="figure-pair">
          <InputsFigure kernel={kernel.value} />
          {kernel.value && <KernelFigure kernel={kernel.value} />}
        </div>
      </Step>
      <Step number={2} title={words.step2} text={<Rich text={words.text2} />}>
        <Status busy={depths.busy && !depths.value} error={depths.error} />
        {depths.value && <DepthFigure scene={depths.value} input={input} />}
      </Step>
      <TrainingStep input={input} />
      <SpoilStep input={input} kernel={kernel.value} />
    </RoomPage>
  )
}

function InputsFigure({ kernel }: { readonly kernel: KernelScene | undefined }): ReactNode {
  const words = useWords(gramWords)
  const [angles, setAngles] = useSetting('angles', anglesSetting)
  const [seed] = useSetting('seed', seedSetting)
  const labels = useMemo(() => gramLabels(angles.length, seed), [angles.length, seed])
  return (
    <Figure title={words.circleTitle} caption={kernel && nearestText(words, kernel)}>
      <CircleFigure angles={angles} labels={labels} onChange={setAngles} />
    </Figure>
  )
}

function TrainingStep({ input }: { readonly input: GramInput }): ReactNode {
  const words = useWords(gramWords)
  const shared = useWords(sharedWords)
  const [width, setWidth] = useSetting('width', widthSetting)
  const [seed, setSeed] = useSetting('seed', seedSetting)
  const [place, seen] = useSeen<HTMLElement>()
  const nearest = widths.reduce((best, w) => (Math.abs(w - width) < Math.abs(best - width) ? w : best))
  const training = useComputation(
    trainer,
    'training',
    seen ? { ...input, width: nearest, seed, steps: stepCount } : undefined,
  )
  return (
    <Step
      number={3}
      title={words.step3}
      text={<Rich text={words.text3} />}
      anchor={place}
      controls={
        <>
          <Select
            label={words.width}
            value={String(nearest)}
            choices={widths.map((w) => ({ id: String(w), text: String(w) }))}
            onChange={(id) => setWidth(Number(id))}
          />
          <NumberField label={shared.seed} value={seed} min={0} max={9999} step={1} onChange={setSeed} />
        </>
      }
    >
      <Status busy={training.busy} error={training.error} progress={training.progress} />
      {training.value && <TrainingFigure scene={training.value} />}
      {training.value && <TrainingFacts scene={training.value} />}
    </Step>
  )
}

function SpoilStep({
  input,
  kernel,
}: {
  readonly input: GramInput
  readonly kernel: KernelScene | undefined
}): ReactNode {
  const words = useWords(gramWords)
  const [angles, setAngles] = useSetting('angles', anglesSetting)
  const spoil = useComputation(computer, 'spoil', input)
  const gap = gapOf(angles)
  return (
    <Step
      number={4}
      title={words.step4}
      text={<Rich text={words.text4} />}
      controls={
        <Slider
          label={words.gap}
          value={gap}
          min={0.1}
          max={60}
          scale="log"
          format={(v) => `${formatNumber(v, { digits: 2 })}°`}
          onChange={(next) => setAngles(angles.map((a, i) => (i === 1 ? angles[0] + next : a)))}
        />
      }
    >
      <Status busy={spoil.busy && !spoil.value} error={spoil.error} />
      {spoil.value && kernel && <SpoilFigure scene={spoil.value} kernel={kernel} gap={gap} />}
    </Step>
  )
}

/** Degrees between the first two inputs. */
function gapOf([a, b]: readonly number[]): number {
  const turn = Math.abs(b - a) % 360
  return Math.min(turn, 360 - turn)
}

function NetworkControls(): ReactNode {
  const words = useWords(gramWords)
  const [angles, setAngles] = useSetting('angles', anglesSetting)
  const [family, setFamily] = useSetting('network', familySetting)
  const [depth, setDepth] = useSetting('depth', depthSetting)
  const [activation, setActivation] = useSetting('activation', activationSetting)
  return (
    <>
      <Slider
        label={words.count}
        value={angles.length}
        min={2}
        max={10}
        step={1}
        onChange={(n) => setAngles(spreadAngles(n))}
      />
      <Segments
        label={words.family}
        value={family}
        choices={(['fc', 'resnet'] as const).map((id) => ({ id, text: words.families[id] }))}
        onChange={setFamily}
      />
      <Slider label={words.depth} value={Math.round(depth)} min={1} max={8} step={1} onChange={setDepth} />
      <Select
        label={words.activation}
        value={activation}
        choices={gramActivations.map((id) => ({ id, text: id }))}
        onChange={setActivation}
      />
    </>
  )
}

type Words = (typeof gramWords)['en']

function nearestText(words: Words, { nearest }: KernelScene): string {
  const [a, b] = nearest.samples
  return words.circleCaption(a + 1, b + 1, formatNumber(nearest.angle, { digits: 3, trim: true }), nearest.opposite)
}

function KernelFigure({ kernel }: { readonly kernel: KernelScene }): ReactNode {
  const words = useWords(gramWords)
  const { value, bound, largest } = kernel.lambdaMin
  return (
    <Figure
      title={words.kernelTitle}
      caption={words.kernelCaption(
        `${formatNumber(value, { digits: 3 })} ± ${formatNumber(bound, { digits: 1 })}`,
        formatNumber(largest, { digits: 3 }),
      )}
    >
      <MatrixMap
        label={words.kernelLabel}
        rows={kernel.size}
        cols={kernel.size}
        data={kernel.gram}
        largest={kernel.gram.reduce((most, v) => Math.max(most, Math.abs(v)), 0)}
        numbers={kernel.size <= 8}
      />
    </Figure>
  )
}

const families = [
  { id: 'fc', color: 'var(--series-2)' },
  { id: 'resnet', color: 'var(--series-1)' },
] as const

function DepthFigure({ scene, input }: { readonly scene: DepthScene; readonly input: GramInput }): ReactNode {
  const words = useWords(gramWords)
  const shown = [...scene.fc, ...scene.resnet].filter((v) => v > 0)
  const low = Math.max(1e-18, Math.min(...shown) / 2)
  return (
    <Figure title={words.depthTitle} caption={words.depthCaption(formatNumber(scene.chi, { digits: 4 }))}>
      <Chart
        label={words.depthLabel}
        x={{ label: 'H', domain: [0.6, 12.4], ticks: 12, format: (v) => (Number.isInteger(v) ? String(v) : '') }}
        y={{ label: 'λ', domain: [low, Math.max(...shown) * 2], scale: 'log' }}
        height={320}
      >
        {(frame) => (
          <>
            <line
              className="level"
              x1={frame.x(input.depth)}
              x2={frame.x(input.depth)}
              y1={frame.top}
              y2={frame.bottom}
            />
            {families.map(({ id, color }) => (
              <g key={id}>
                <path className="line" d={linePath(frame, scene.depths, scene[id])} stroke={color} />
                {scene.depths.map((h, i) =>
                  scene[id][i] > 0 ? (
                    <circle
                      key={h}
                      cx={frame.x(h)}
                      cy={frame.y(scene[id][i])}
                      r={h === input.depth && id === input.family ? 7 : 3.6}
                      fill={color}
                    />
                  ) : null,
                )}
              </g>
            ))}
          </>
        )}
      </Chart>
      <Legend items={families.map(({ id, color }) => ({ text: words.families[id], color }))} />
    </Figure>
  )
}

function TrainingFigure({ scene }: { readonly scene: TrainingScene }): ReactNode {
  const words = useWords(gramWords)
  const shared = useWords(sharedWords)
  const { losses, bound } = scene
  const steps = useMemo(() => Array.from(losses, (_, k) => k), [losses])
  const low = Math.max(1e-16, losses.reduce((least, v) => Math.min(least, v), Number.POSITIVE_INFINITY) / 2)
  const text = (v: number | null): string => formatNumber(v, { digits: 3 })
  return (
    <Figure
      title={words.trainTitle}
      caption={
        <>
          {words.trainCaption(scene.violations, formatNumber(scene.parameters))} {bound.length === 0 && words.noBound}
        </>
      }
      settings={[['η', text(scene.stepSize)]]}
    >
      <Chart
        label={words.trainLabel}
        x={{ label: words.steps, domain: [0, scene.steps] }}
        y={{ label: shared.loss, domain: [low, Math.max(losses[0], 1e-12) * 2], scale: 'log' }}
        height={330}
      >
        {(frame) => (
          <>
            {bound.length > 0 && (
              <path
                d={`${linePath(frame, steps, bound)}L${frame.right} ${frame.top - 4}L${frame.left} ${frame.top - 4}Z`}
                fill="var(--series-2)"
                opacity="0.1"
              />
            )}
            <path className="line dashed" d={linePath(frame, steps, bound)} stroke="var(--series-2)" />
            <path className="line" d={linePath(frame, steps, losses)} stroke="var(--accent)" />
            {scene.predicted.map(({ step, loss }) => (
              <circle
                key={step}
                cx={frame.x(step)}
                cy={frame.y(loss)}
                r="4.5"
                fill="var(--series-4)"
                className="kind-rim"
              />
            ))}
          </>
        )}
      </Chart>
      <Legend
        items={[
          { text: words.measured, color: 'var(--accent)' },
          { text: words.bound, color: 'var(--series-2)', dash: true },
          { text: words.linear, color: 'var(--series-4)', shape: 'dot' },
        ]}
      />
    </Figure>
  )
}

function TrainingFacts({ scene }: { readonly scene: TrainingScene }): ReactNode {
  const words = useWords(gramWords)
  const { facts } = words
  const { losses } = scene
  const text = (v: number | null): string => formatNumber(v, { digits: 3 })
  return (
    <>
      <Facts
        items={[
          [facts.lambda, text(scene.lambda)],
          [facts.own, text(scene.initialLambda)],
          [facts.final, text(losses[losses.length - 1])],
          [facts.moved, text(scene.movement.absolute)],
          [facts.relative, `${text(100 * scene.movement.relative)} %`],
          [
            facts.asked,
            scene.theoremWidth === null ? '–' : words.order(formatNumber(scene.theoremWidth, { digits: 1 })),
          ],
        ]}
      />
      <p className="small muted">{words.askedNote}</p>
    </>
  )
}

function SpoilFigure({
  scene,
  kernel,
  gap,
}: {
  readonly scene: SpoilScene
  readonly kernel: KernelScene
  readonly gap: number
}): ReactNode {
  const words = useWords(gramWords)
  const shown = scene.lambdaMin.filter((v) => v > 0)
  const now = kernel.lambdaMin.value
  return (
    <Figure title={words.spoilTitle} caption={words.spoilCaption}>
      <Chart
        label={words.spoilLabel}
        x={{ label: words.angle, domain: [scene.gaps[scene.gaps.length - 1], 60], scale: 'log' }}
        y={{
          label: 'λ',
          domain: [Math.max(1e-18, Math.min(...shown, now > 0 ? now : 1) / 2), Math.max(...shown, now) * 2],
          scale: 'log',
        }}
        height={290}
      >
        {(frame) => (
          <>
            <path className="line" d={linePath(frame, scene.gaps, scene.lambdaMin)} stroke="var(--accent)" />
            <circle cx={frame.x(gap)} cy={frame.y(now)} r="7" fill="var(--series-2)" className="kind-rim" />
          </>
        )}
      </Chart>
    </Figure>
  )
}
