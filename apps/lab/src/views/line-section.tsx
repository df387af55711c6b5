import { useCallback, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import type { PlotOptions } from '@observablehq/plot'
import { formatNumber, formatTick } from '../scenes/format-number.ts'
import { linePoints } from '../scenes/line-scene.ts'
import type { LinePoint } from '../scenes/line-scene.ts'
import { lineWork } from '../state/findings.ts'
import type { DirectionChoice, Findings, MeasuredLine } from '../state/findings.ts'
import { numberSetting } from '../state/place.ts'
import { server } from '../state/server.ts'
import { verdictWords } from '../words/verdict-words.ts'
import { Button, NumberField, Select, Slider } from './controls.tsx'
import { DirectionParts } from './direction-parts.tsx'
import { Figure } from './figure.tsx'
import { Plot } from './plot.tsx'
import { useSetting } from './use-stores.ts'
import { useWords } from './use-words.ts'

type PlotModule = typeof import('@observablehq/plot')

const lineSetting = numberSetting(1, 0, 99)
const distanceSetting = numberSetting(0.3, -1e6, 1e6)

/** "Move along this direction": the measured loss at a distance that the reader sets, and what the direction is made of. */
export function LineSection({ findings }: { readonly findings: Findings }): ReactNode {
  const words = useWords(verdictWords)
  const [number, setNumber] = useSetting('line', lineSetting)
  const { lines, run } = findings
  const line = lines[Math.min(number, lines.length - 1)]
  return (
    <section className="line-section" aria-label={words.direction}>
      <h2>{words.direction}</h2>
      <p>{words.directionLead}</p>
      {line ? (
        <>
          <Select
            label={words.directionLabel}
            value={String(lines.indexOf(line))}
            onChange={(id) => setNumber(Number(id))}
            choices={lines.map(({ direction }, k) => ({ id: String(k), text: directionName(direction, words) }))}
          />
          <MeasuredLineView key={lines.indexOf(line)} line={line} />
        </>
      ) : (
        <p className="muted">{words.noLines}</p>
      )}
      {run !== null && <MeasureForm run={run} />}
    </section>
  )
}

function directionName({ label, eigenvalue }: MeasuredLine['direction'], words: typeof verdictWords.en): string {
  const name = words.directionName(label)
  return eigenvalue === null ? name : `${name}, λ = ${formatNumber(eigenvalue, { digits: 3 })}`
}

function MeasuredLineView({ line }: { readonly line: MeasuredLine }): ReactNode {
  const words = useWords(verdictWords)
  const points = useMemo(() => linePoints(line), [line])
  const [wanted, setWanted] = useSetting('t', distanceSetting)
  const at = points.reduce(
    (best, point, k) => (Math.abs(point.t - wanted) < Math.abs(points[best].t - wanted) ? k : best),
    0,
  )
  const here = points[at]
  const center = line.model.loss ?? points.find(({ t }) => t === 0)?.measured ?? Number.NaN
  const options = useCallback((plot: PlotModule) => lineOptions(plot, points, here, words), [points, here, words])
  return (
    <div className="line-layout">
      <Figure title={directionName(line.direction, words)} caption={words.lineCaption}>
        <Plot label={words.lineCaption} options={options} height={320} />
        <Slider
          label={words.distance}
          value={at}
          min={0}
          max={points.length - 1}
          step={1}
          format={() => formatNumber(here.t, { digits: 3, trim: true })}
          onChange={(k) => setWanted(points[Math.round(k)].t)}
        />
        <dl className="facts line-facts">
          <div>
            <dt>{words.measured}</dt>
            <dd>
              <span className="fact-number">{formatNumber(here.measured, { digits: 6 })}</span>
              <span className="fact-note">{words.atDistance(formatNumber(here.t, { digits: 3, trim: true }))}</span>
            </dd>
          </div>
          <div>
            <dt>{words.change}</dt>
            <dd>
              <span className={here.measured < center ? 'fact-number lower' : 'fact-number'}>
                {formatNumber(here.measured - center, { digits: 3 })}
              </span>
              <span className="fact-note">
                {words.foretold}: {formatNumber(here.foretold - center, { digits: 3 })}
              </span>
            </dd>
          </div>
          <div>
            <dt>{words.curvature}</dt>
            <dd>
              <span className="fact-number">{formatNumber(line.model.curvature, { digits: 3 })}</span>
              {line.direction.residualNorm !== null && (
                <span className="fact-note">± {formatNumber(line.direction.residualNorm, { digits: 2 })}</span>
              )}
            </dd>
          </div>
        </dl>
      </Figure>
      <DirectionParts parts={line.parts} />
    </div>
  )
}

function lineOptions(
  plot: PlotModule,
  points: readonly LinePoint[],
  here: LinePoint,
  words: typeof verdictWords.en,
): PlotOptions {
  const measured = points.map((p) => p.measured).filter(Number.isFinite)
  const [low, high] = [Math.min(...measured), Math.max(...measured)]
  const room = (high - low) * 0.12 || Math.abs(low) * 0.01 || 1
  const domain: [number, number] = [low - room, high + room]
  return {
    marginLeft: 58,
    marginBottom: 42,
    height: 320,
    x: { label: 't', grid: true },
    y: { label: words.loss, grid: true, domain, tickFormat: formatTick, ticks: 6 },
    clip: true,
    marks: [
      plot.lineY(points, {
        x: 't',
        y: 'foretold',
        stroke: 'var(--series-2)',
        strokeDasharray: '5 4',
        strokeWidth: 1.8,
        clip: true,
      }),
      plot.lineY(points, { x: 't', y: 'measured', stroke: 'var(--series-1)', strokeWidth: 2 }),
      plot.dot(points, { x: 't', y: 'measured', r: 1.9, fill: 'var(--series-1)' }),
      plot.ruleX([here.t], { stroke: 'var(--muted)', strokeDasharray: '2 3' }),
      plot.dot([here], {
        x: 't',
        y: 'measured',
        r: 6.5,
        fill: 'var(--series-1)',
        stroke: 'var(--card)',
        strokeWidth: 2,
      }),
      plot.text([points[points.length - 1]], {
        x: 't',
        y: 'measured',
        text: () => words.measured,
        dx: -6,
        dy: -12,
        textAnchor: 'end',
        fill: 'var(--series-1)',
      }),
    ],
  }
}

/** Another line through this point, measured by the server. */
function MeasureForm({ run }: { readonly run: string }): ReactNode {
  const words = useWords(verdictWords)
  const [choice, setChoice] = useState<DirectionChoice>('bottom')
  const [reach, setReach] = useState(1)
  const [state, setState] = useState('')
  return (
    <div className="measure-form">
      <Select
        label={words.directionLabel}
        value={choice}
        onChange={setChoice}
        choices={(['top', 'bottom', 'gradient', 'random'] as const).map((id) => ({ id, text: words[id] }))}
      />
      <NumberField label={words.distance} value={reach} min={1e-6} step={0.1} onChange={setReach} />
      <Button
        onPress={() => {
          server.start(lineWork(run, choice, reach)).then(
            () => setState(words.started),
            (error: unknown) => setState(error instanceof Error ? error.message : String(error)),
          )
        }}
      >
        {words.measure}
      </Button>
      <p role="status" className="small">
        {state}
      </p>
    </div>
  )
}
