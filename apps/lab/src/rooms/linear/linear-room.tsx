import { useMemo } from 'react'
import type { ReactNode } from 'react'
import { formatNumber } from '../../scenes/format-number.ts'
import { Computer } from '../../state/computer.ts'
import { numberSetting, numbersSetting, textSetting } from '../../state/place.ts'
import { Button, NumberField, Segments, Select, Slider } from '../../views/controls.tsx'
import { Figure } from '../../views/figure.tsx'
import { useComputation } from '../../views/use-computation.ts'
import { useSetting } from '../../views/use-stores.ts'
import { useWords } from '../../views/use-words.ts'
import { Chart, Legend, linePath } from '../shared/chart.tsx'
import { KindBadge } from '../shared/kind-mark.tsx'
import { MatrixMap } from '../shared/matrix-map.tsx'
import { Rich, RichLine } from '../shared/rich.tsx'
import { sharedWords } from '../shared/shared-words.ts'
import { RoomPage, Status, Step } from '../shared/story.tsx'
import { tableSetting } from '../shared/table-setting.ts'
import { LadderFigure, setText } from './ladder-figure.tsx'
import { NumberTable } from './number-table.tsx'
import { linearPresets } from './presets.ts'
import type { EscapeScene, LadderScene, LinearInput, PointInput, PointScene, Rung, WalkScene } from './scene.ts'
import { linearWords } from './words.ts'

const computer = new Computer<typeof import('./linear.worker.ts').computations>(
  () => new Worker(new URL('./linear.worker.ts', import.meta.url), { type: 'module' }),
)
/** A walk may take a second; what is chosen meanwhile is shown at once. */
const walker = new Computer<typeof import('./linear.worker.ts').computations>(
  () => new Worker(new URL('./linear.worker.ts', import.meta.url), { type: 'module' }),
)

const xSetting = tableSetting(linearPresets.modes.x, 4)
const ySetting = tableSetting(linearPresets.modes.y, 4)
const hiddenSetting = numbersSetting(linearPresets.modes.hidden)
const rungSetting = textSetting('')
const pointSetting = numberSetting(0, 0, 1)
const distanceSetting = numberSetting(0.05, 0.009, 0.6)
const seedSetting = numberSetting(0, 0, 9999)

type PresetName = keyof typeof linearPresets

/** Deep linear networks: all critical points, their Hessians, the ways down. */
export default function LinearRoom(): ReactNode {
  const words = useWords(linearWords)
  const [x] = useSetting('x', xSetting)
  const [y] = useSetting('y', ySetting)
  const [hidden] = useSetting('hidden', hiddenSetting)
  const [rungKey] = useSetting('rung', rungSetting)
  const [which] = useSetting('point', pointSetting)
  const ladder = useComputation(
    computer,
    'ladder',
    useMemo(() => fitting({ x, y, hidden }), [x, y, hidden]),
  )
  const scene = ladder.value
  const rung = scene?.rungs.find(({ key }) => key === rungKey) ?? scene?.rungs[0]
  const representative = Math.min(which, (rung?.points.length ?? 1) - 1)
  const chosen = scene && rung && { ...scene.input, subset: rung.subset, representative }
  const point = useComputation(computer, 'point', chosen).value
  return (
    <RoomPage title={words.title} lead={words.lead} sources={words.sources}>
      <Step number={1} title={words.step1} text={<Rich text={words.text1} />} controls={<DataControls />}>
        <Status busy={ladder.busy && !scene} error={ladder.error} />
        {scene && <Bowl scene={scene} />}
      </Step>
      <Step
        number={2}
        title={words.step2}
        text={<Rich text={words.text2} />}
        controls={scene && <Checks scene={scene} />}
      >
        {scene && rung && <Ladder scene={scene} rung={rung} />}
      </Step>
      <Step
        number={3}
        title={words.step3}
        text={<Rich text={words.text3} />}
        controls={scene && rung && <ClaimAndPoint scene={scene} rung={rung} representative={representative} />}
      >
        {point && rung && <HessianView point={point} name={setText(rung.key, words.emptySet)} />}
      </Step>
      <Step number={4} title={words.step4} text={point && <Rich text={escapeText(words, point.escape)} />}>
        {point?.escape && <EscapeView escape={point.escape} />}
      </Step>
      {scene && chosen && <WalkStep scene={scene} chosen={chosen} />}
    </RoomPage>
  )
}

/** The input where it is one: an address may hold anything. */
function fitting(input: LinearInput): LinearInput | undefined {
  const { x, y, hidden } = input
  const widths = hidden.length <= 4 && hidden.every((w) => Number.isInteger(w) && w >= 1 && w <= 5)
  return widths && x[0].length === y[0].length ? input : undefined
}

function Ladder({ scene, rung }: { readonly scene: LadderScene; readonly rung: Rung }): ReactNode {
  const words = useWords(linearWords)
  const [, setRung] = useSetting('rung', rungSetting)
  const [, setWhich] = useSetting('point', pointSetting)
  const select = (key: string): void => {
    setRung(key)
    setWhich(0)
  }
  return (
    <Figure title={words.ladderTitle} caption={words.ladderCaption(scene.count, scene.parameters)}>
      <LadderFigure scene={scene} selected={rung.key} onSelect={select} />
      <RungTable scene={scene} />
    </Figure>
  )
}

function ClaimAndPoint({
  scene,
  rung,
  representative,
}: {
  readonly scene: LadderScene
  readonly rung: Rung
  readonly representative: number
}): ReactNode {
  const words = useWords(linearWords)
  const [, setWhich] = useSetting('point', pointSetting)
  return (
    <>
      <Claim scene={scene} />
      {rung.points.length > 1 && (
        <Segments
          label={`${words.point} ${setText(rung.key, words.emptySet)}`}
          value={String(representative)}
          choices={[
            { id: '0', text: words.canonical },
            { id: '1', text: words.bridged },
          ]}
          onChange={(id) => setWhich(Number(id))}
        />
      )}
    </>
  )
}

function WalkStep({ scene, chosen }: { readonly scene: LadderScene; readonly chosen: PointInput }): ReactNode {
  const words = useWords(linearWords)
  const [distance, setDistance] = useSetting('distance', distanceSetting)
  const [seed, setSeed] = useSetting('seed', seedSetting)
  const walk = useComputation(walker, 'walk', { ...chosen, distance, seed })
  return (
    <Step
      number={5}
      title={words.step5}
      text={<Rich text={words.text5} />}
      controls={
        <>
          <Slider
            label={words.distance}
            value={distance}
            min={0.01}
            max={0.5}
            scale="log"
            format={(v) => formatNumber(v, { digits: 2 })}
            onChange={setDistance}
          />
          <SeedField seed={seed} onChange={setSeed} />
        </>
      }
    >
      <Status busy={walk.busy && !walk.value} error={walk.error} />
      {walk.value && <WalkView walk={walk.value} scene={scene} />}
    </Step>
  )
}

function SeedField({
  seed,
  onChange,
}: {
  readonly seed: number
  readonly onChange: (seed: number) => void
}): ReactNode {
  return <NumberField label={useWords(sharedWords).seed} value={seed} min={0} max={9999} step={1} onChange={onChange} />
}

function DataControls(): ReactNode {
  const words = useWords(linearWords)
  const [x, setX] = useSetting('x', xSetting)
  const [y, setY] = useSetting('y', ySetting)
  const [hidden, setHiddenWidths] = useSetting('hidden', hiddenSetting)
  const [, setRung] = useSetting('rung', rungSetting)
  const [, setWhich] = useSetting('point', pointSetting)
  const setHidden = (next: readonly number[]): void => {
    setHiddenWidths(next)
    setWhich(0)
  }
  const choose = (name: PresetName): void => {
    setX(linearPresets[name].x)
    setY(linearPresets[name].y)
    setHidden(linearPresets[name].hidden)
    setRung('')
  }
  const current = (Object.keys(linearPresets) as PresetName[]).find(
    (name) => JSON.stringify(linearPresets[name]) === JSON.stringify({ x, y, hidden }),
  )
  return (
    <>
      <Select
        label={words.preset}
        value={current ?? ('' as PresetName)}
        choices={(Object.keys(linearPresets) as PresetName[]).map((id) => ({ id, text: words.presets[id] }))}
        onChange={choose}
      />
      <div className="table-pair">
        <NumberTable label={words.inputs} name="X" table={x} onChange={setX} />
        <NumberTable label={words.targets} name="Y" table={y} onChange={setY} />
      </div>
      <div className="width-row">
        {hidden.map((width, k) => (
          <NumberField
            key={k}
            label={words.hiddenWidth(k + 1)}
            value={width}
            min={1}
            max={5}
            step={1}
            places={0}
            onChange={(next) => setHidden(hidden.map((w, i) => (i === k ? next : w)))}
          />
        ))}
      </div>
      <div className="button-row">
        <Button onPress={() => setHidden([...hidden, hidden.at(-1) ?? 2])} isDisabled={hidden.length >= 4}>
          {words.addLayer}
        </Button>
        <Button onPress={() => setHidden(hidden.slice(0, -1))} isDisabled={hidden.length <= 1}>
          {words.dropLayer}
        </Button>
      </div>
    </>
  )
}

function Bowl({ scene }: { readonly scene: LadderScene }): ReactNode {
  const words = useWords(linearWords)
  const shared = useWords(sharedWords)
  const { bowl, globalMinimum } = scene
  if (!bowl) return <p className="muted">{words.noBowl}</p>
  const middle = bowl.loss[Math.floor(bowl.loss.length / 2)]
  const top = middle * 1.3
  const text = (v: number): string => formatNumber(v, { digits: 4, trim: true })
  return (
    <Figure title={words.bowlTitle} caption={words.bowlCaption(text(middle), text(globalMinimum))}>
      <Chart
        label={words.bowlLabel}
        x={{ label: words.bowlX, domain: [-0.25, 1.25] }}
        y={{ label: shared.loss, domain: [Math.min(0, globalMinimum), top] }}
      >
        {(frame) => (
          <>
            <path className="line" d={linePath(frame, bowl.t, bowl.loss)} stroke="var(--accent)" />
            <line
              className="chord"
              x1={frame.x(0)}
              x2={frame.x(1)}
              y1={frame.y(globalMinimum)}
              y2={frame.y(globalMinimum)}
            />
            {[0, 1].map((t) => (
              <circle key={t} cx={frame.x(t)} cy={frame.y(globalMinimum)} r="6" fill="var(--tone-good)" />
            ))}
            <circle cx={frame.x(0.5)} cy={frame.y(middle)} r="6" fill="var(--tone-saddle)" />
          </>
        )}
      </Chart>
    </Figure>
  )
}

function Checks({ scene }: { readonly scene: LadderScene }): ReactNode {
  const words = useWords(linearWords)
  return (
    <div className="checks small">
      {scene.disagreements.length === 0 ? (
        <p>✓ {words.agree(scene.spectra)}</p>
      ) : (
        <p className="notice">{`${words.disagree}: ${scene.disagreements.join('; ')}`}</p>
      )}
      {scene.assumptionsHold && <p>✓ {words.assumptionsOk}</p>}
      {scene.warnings.map((warning) => (
        <p key={warning} className="muted" lang="en">
          {warning}
        </p>
      ))}
      {!scene.complete && <p className="muted">{words.notComplete(scene.count)}</p>}
    </div>
  )
}

function RungTable({ scene }: { readonly scene: LadderScene }): ReactNode {
  const words = useWords(linearWords)
  const { columns } = words
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={words.tableCaption}>
      <table className="rung-table">
        <caption>{words.tableCaption}</caption>
        <thead>
          <tr>
            <th scope="col">{columns.set}</th>
            <th scope="col" className="number-cell">
              {columns.loss}
            </th>
            <th scope="col">{columns.kind}</th>
            <th scope="col" className="number-cell">
              {columns.inertia}
            </th>
            <th scope="col" className="number-cell">
              {columns.smallest}
            </th>
          </tr>
        </thead>
        <tbody>
          {scene.rungs.flatMap((rung) =>
            rung.points.map((point, i) => (
              <tr key={`${rung.key}/${i}`}>
                <th scope="row">{setText(rung.key, words.emptySet)}</th>
                <td className="number-cell">{formatNumber(rung.loss, { digits: 6 })}</td>
                <td>
                  <KindBadge kind={point.kind} />
                </td>
                <td className="number-cell">
                  {point.inertia && `${point.inertia.negative} / ${point.inertia.zero} / ${point.inertia.positive}`}
                </td>
                <td className="number-cell">{tidy(point.minEigenvalue)}</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  )
}

/** An eigenvalue of rounding's size is shown as the zero that it was counted as. */
function tidy(value: number | null): string {
  return value !== null && Math.abs(value) < 1e-12 ? '0' : formatNumber(value, { digits: 5 })
}

function Claim({ scene }: { readonly scene: LadderScene }): ReactNode {
  const words = useWords(linearWords)
  const { holds, witnesses, saddles } = scene.claim
  const rungs = [...new Set(witnesses.map(({ key }) => setText(key, words.emptySet)))].join(', ')
  return (
    <div className={holds ? 'verdict-box good' : 'verdict-box bad'}>
      <p className="verdict-claim">{words.claim}</p>
      <p>{holds ? words.claimHolds(saddles) : words.claimFails(witnesses.length, saddles, rungs)}</p>
      {!holds && <p className="small muted">{words.claimHint}</p>}
    </div>
  )
}

function HessianView({ point, name }: { readonly point: PointScene; readonly name: string }): ReactNode {
  const words = useWords(linearWords)
  const { hessian, layerStarts } = point
  return (
    <div className="figure-pair">
      <Figure
        title={
          <>
            {words.hessianTitle} · {name} · <KindBadge kind={point.kind} />
          </>
        }
        caption={
          hessian.largest === 0
            ? words.hessianZero
            : words.hessianCaption(formatNumber(hessian.largest, { digits: 3, trim: true }))
        }
      >
        <MatrixMap
          label={words.hessianLabel}
          rows={hessian.size}
          cols={hessian.size}
          data={hessian.data}
          largest={hessian.largest}
          blocks={layerStarts}
          blockNames={layerStarts.map((_, k) => `W${'₁₂₃₄₅₆₇₈₉'[k]}`)}
        />
      </Figure>
      <SpectrumFigure point={point} />
    </div>
  )
}

function SpectrumFigure({ point }: { readonly point: PointScene }): ReactNode {
  const words = useWords(linearWords)
  const { inertia, eigenvalues } = point
  const largest = Math.max(Math.abs(eigenvalues[0]), Math.abs(eigenvalues[eigenvalues.length - 1]))
  const extent = largest > point.threshold ? largest : 1
  const [low, high] = [
    Math.min(-0.15 * extent, eigenvalues[0]),
    Math.max(0.15 * extent, eigenvalues[eigenvalues.length - 1]),
  ]
  return (
    <Figure
      title={words.spectrumTitle}
      caption={words.spectrumCaption(inertia.negative, inertia.zero, inertia.positive)}
    >
      <Chart
        label={`${words.spectrumLabel} ${words.spectrumCaption(inertia.negative, inertia.zero, inertia.positive)}`}
        x={{
          label: words.order,
          domain: [0.3, eigenvalues.length + 0.7],
          format: (v) => (Number.isInteger(v) ? String(v) : ''),
        }}
        y={{ label: words.eigenvalue, domain: [low * 1.08, high * 1.08] }}
        height={300}
      >
        {(frame) => (
          <>
            <line className="zero-line" x1={frame.left} x2={frame.right} y1={frame.y(0)} y2={frame.y(0)} />
            {Array.from(eigenvalues, (value, i) => {
              const color =
                value < -point.threshold
                  ? 'var(--tone-saddle)'
                  : value > point.threshold
                    ? 'var(--accent)'
                    : 'var(--edge)'
              return (
                <g key={i}>
                  <line
                    x1={frame.x(i + 1)}
                    x2={frame.x(i + 1)}
                    y1={frame.y(0)}
                    y2={frame.y(value)}
                    stroke={color}
                    strokeWidth="2.5"
                  />
                  <circle cx={frame.x(i + 1)} cy={frame.y(value)} r="4.5" fill={color} />
                </g>
              )
            })}
          </>
        )}
      </Chart>
    </Figure>
  )
}

type Words = (typeof linearWords)['en']

function escapeText(words: Words, escape: EscapeScene | null): string {
  if (!escape) return words.bottomText
  return escape.kind === 'rotation' ? words.rotationText : words.orderText(escape.layers)
}

function EscapeView({ escape }: { readonly escape: EscapeScene }): ReactNode {
  const words = useWords(linearWords)
  const shared = useWords(sharedWords)
  const { points } = escape
  const losses = points.map(({ loss }) => loss)
  const [low, high] = [Math.min(...losses), Math.max(...losses)]
  const pad = 0.08 * Math.max(high - low, 1e-12)
  return (
    <Figure title={words.escapeTitle} caption={words.escapeCaption(formatNumber(escape.error, { digits: 2 }))}>
      <Chart
        label={words.escapeLabel}
        x={{ label: 't', domain: [0, points[points.length - 1].t] }}
        y={{ label: shared.loss, domain: [Math.max(0, low - pad), high + pad] }}
      >
        {(frame) => (
          <>
            <path
              className="line"
              d={linePath(
                frame,
                points.map(({ t }) => t),
                points.map(({ predicted }) => predicted),
              )}
              stroke="var(--series-2)"
            />
            {points
              .filter((_, i) => i % 3 === 0)
              .map(({ t, loss }) => (
                <circle key={t} cx={frame.x(t)} cy={frame.y(loss)} r="4" fill="var(--series-1)" />
              ))}
          </>
        )}
      </Chart>
      <Legend
        items={[
          { text: words.measured, color: 'var(--series-1)', shape: 'dot' },
          { text: words.formula, color: 'var(--series-2)' },
        ]}
      />
    </Figure>
  )
}

function WalkView({ walk, scene }: { readonly walk: WalkScene; readonly scene: LadderScene }): ReactNode {
  const words = useWords(linearWords)
  const shared = useWords(sharedWords)
  const ladder = scene.rungs.filter(({ subset }) => subset.every((i, k) => i === k + 1))
  const top = Math.max(walk.loss[0], ...ladder.map(({ loss }) => loss))
  const end = walk.time[walk.time.length - 1]
  const rests = walk.plateaus
    .map(
      (p) =>
        `${formatNumber(p.loss, { digits: 4 })} (L${setText(Array.from({ length: p.rank }, (_, i) => i + 1).join(','), words.emptySet)} = ${formatNumber(p.predicted, { digits: 4 })})`,
    )
    .join(', ')
  return (
    <Figure
      title={words.walkTitle}
      caption={
        <>
          <RichLine text={words.walkCaption(rests)} /> {walk.status === 'step-limit' && words.stopped}
        </>
      }
    >
      <Chart
        label={words.walkLabel}
        x={{ label: words.time, domain: [0, end] }}
        y={{ label: shared.loss, domain: [Math.min(0, scene.globalMinimum), top * 1.06] }}
        height={320}
      >
        {(frame) => (
          <>
            {ladder.map(({ key, loss }, i) => (
              <g key={key}>
                <line className="level" x1={frame.left} x2={frame.right} y1={frame.y(loss)} y2={frame.y(loss)} />
                {(i === 0 || frame.y(loss) - frame.y(ladder[i - 1].loss) > 15) && (
                  <text className="level-name" x={frame.right - 2} y={frame.y(loss) - 5} textAnchor="end">
                    {setText(key, words.emptySet)}
                  </text>
                )}
              </g>
            ))}
            <path className="line" d={linePath(frame, walk.time, walk.loss)} stroke="var(--accent)" />
            {walk.plateaus.map((p) => (
              <circle key={p.time} cx={frame.x(p.time)} cy={frame.y(p.loss)} r="5" fill="var(--tone-saddle)" />
            ))}
          </>
        )}
      </Chart>
    </Figure>
  )
}
