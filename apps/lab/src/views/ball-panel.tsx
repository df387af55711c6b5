import { useMemo } from 'react'
import type { ReactNode } from 'react'
import { ballMethods, typicalCurvature } from '../scenes/ball.ts'
import type { Ball, BallMethod, BallRules } from '../scenes/ball.ts'
import { formatNumber } from '../scenes/format-number.ts'
import { extentOf } from '../scenes/value-scale.ts'
import { lossOf } from '../scenes/plane-data.ts'
import type { PlaneData } from '../scenes/plane-data.ts'
import type { PlaneFunction } from '../scenes/plane-function.ts'
import { landscapeSettings } from '../state/landscape-settings.ts'
import { landscapeWords } from '../words/landscape-words.ts'
import { Button, Checks, Slider } from './controls.tsx'
import { useSetting } from './use-stores.ts'
import { useWords } from './use-words.ts'

/** Colors of the methods as the style sheet has them now. */
export function ballColors(): Record<BallMethod, string> {
  const style = getComputedStyle(document.documentElement)
  return Object.fromEntries(
    ballMethods.map((method, k) => [method, style.getPropertyValue(`--ball-${k + 1}`).trim()]),
  ) as Record<BallMethod, string>
}

/** What the reader chose, in the units of the plane. */
export function useBallSettings(
  f: PlaneFunction | undefined,
  plane: PlaneData,
): { readonly methods: readonly BallMethod[]; readonly rules: BallRules } {
  const [methods] = useSetting('methods', landscapeSettings.methods)
  const [step] = useSetting('step', landscapeSettings.step)
  const [momentum] = useSetting('momentum', landscapeSettings.momentum)
  const [noise] = useSetting('noise', landscapeSettings.noise)
  const curvature = useMemo(() => (f ? typicalCurvature(f) : 1), [f])
  const range = useMemo(() => {
    const [low, high] = extentOf(lossOf(plane).values) ?? [0, 1]
    return high - low
  }, [plane])
  const rules = useMemo((): BallRules => {
    const { x, y } = f?.domain ?? { x: [0, 1], y: [0, 1] }
    return {
      stepSize: step / curvature,
      momentum,
      // σ² is a temperature: in units of the range of the loss.
      noise: noise * Math.sqrt(0.02 * range),
      newtonShare: 0.25,
      stepMax: 0.04 * Math.hypot(x[1] - x[0], y[1] - y[0]),
    }
  }, [f, curvature, range, step, momentum, noise])
  return { methods, rules }
}

export interface BallPanelProps {
  readonly plane: PlaneData
  readonly balls: readonly Ball[]
  readonly onAgain: () => void
  readonly onClear: () => void
}

/** Optimizers that start where the reader clicks. */
export function BallPanel({ plane, balls, onAgain, onClear }: BallPanelProps): ReactNode {
  const words = useWords(landscapeWords)
  const [methods, setMethods] = useSetting('methods', landscapeSettings.methods)
  const [step, setStep] = useSetting('step', landscapeSettings.step)
  const [momentum, setMomentum] = useSetting('momentum', landscapeSettings.momentum)
  const [noise, setNoise] = useSetting('noise', landscapeSettings.noise)
  return (
    <section className="ball-panel panel" aria-label={words.ball}>
      <div>
        <h2>{words.ball}</h2>
        <p className="small">{words.ballLead}</p>
        <p className="small muted">{plane.analytic ? words.ballExact : words.ballPlane}</p>
      </div>
      <Checks
        label={words.method}
        value={methods}
        onChange={setMethods}
        choices={ballMethods.map((id, k) => ({ id, text: words.methods[id], color: `var(--ball-${k + 1})` }))}
      />
      <div className="ball-sliders">
        <Slider
          label={words.stepSize}
          value={step}
          min={0.01}
          max={4}
          scale="log"
          onChange={setStep}
          format={(v) => `${formatNumber(v, { digits: 2, trim: true })} / λ`}
        />
        <Slider label={words.momentum} value={momentum} min={0} max={0.99} step={0.01} onChange={setMomentum} />
        <Slider label={words.noise} value={noise} min={0} max={2} step={0.05} onChange={setNoise} />
        <p className="small muted">{words.stepSizeNote}</p>
      </div>
      <div className="ball-readings">
        <BallTable balls={balls} />
        <div className="ball-buttons">
          <Button onPress={onAgain} isDisabled={balls.length === 0}>
            {words.again}
          </Button>
          <Button kind="quiet" onPress={onClear} isDisabled={balls.length === 0}>
            {words.clear}
          </Button>
        </div>
      </div>
    </section>
  )
}

function BallTable({ balls }: { readonly balls: readonly Ball[] }): ReactNode {
  const words = useWords(landscapeWords)
  if (balls.length === 0) return <p className="small muted">{words.noBalls}</p>
  return (
    <table className="ball-table">
      <thead>
        <tr>
          <th scope="col">{words.method}</th>
          <th scope="col" className="number-cell">
            {words.steps}
          </th>
          <th scope="col" className="number-cell">
            {words.lossNow}
          </th>
          <th scope="col" className="number-cell">
            ‖∇L‖
          </th>
          <th scope="col">{words.state}</th>
        </tr>
      </thead>
      <tbody>
        {balls.map(({ method, steps, value, gradientNorm, state }) => (
          <tr key={method}>
            <th scope="row">
              <span className="swatch" style={{ background: `var(--ball-${ballMethods.indexOf(method) + 1})` }} />{' '}
              {words.methods[method]}
            </th>
            <td className="number-cell">{steps}</td>
            <td className="number-cell">{formatNumber(value)}</td>
            <td className="number-cell">{formatNumber(gradientNorm, { digits: 2 })}</td>
            <td>{words.states[state]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
