import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { scaledLossVariant } from './scaled-loss-variant.ts'
import { stiffGradientFlow } from './stiff-gradient-flow.ts'

export interface ScalingResult {
  /** `certified`: the loss is zero; `failure-mode`: b grows and L̄ falls to L(θ) > 0. */
  readonly outcome: 'certified' | 'failure-mode' | 'stopped'
  readonly summary: string
  readonly lossBefore: number
  readonly lossAfter: number
  readonly modifiedLoss: number
  readonly a: number
  readonly b: number
  readonly gradientNorm: number
  readonly time: number
  readonly theta: Float64Array
}

/** Trains the variant without extra unit by its gradient flow from θ, a = 0.1, b = 0, and says what came of it: a local minimum
 * has L(θ) = 0, everything else runs to b = ∞. Cost: as `stiffGradientFlow`. */
export async function eliminateByScaling(
  loss: Loss,
  theta: Float64Array,
  options: {
    readonly lambda?: number
    readonly timeEnd?: number
    readonly tolerance?: number
    readonly signal?: CancelSignal
  } = {},
): Promise<ScalingResult> {
  const { lambda = 0.1, timeEnd = 1e4, tolerance = 1e-8, signal } = options
  const start = new Float64Array(loss.size + 2)
  start.set(theta)
  start[loss.size] = 0.1
  const { state } = await stiffGradientFlow(scaledLossVariant(loss, lambda), start, { timeEnd, signal })
  const [a, b] = state.z.subarray(loss.size)
  const at = state.z.slice(0, loss.size)
  const lossAfter = await loss.value(at)
  const certified = lossAfter <= tolerance
  const runsAway = !certified && b > 0.5 && Math.abs(a * Math.exp(b) - 1) < 0.5 && state.value > lossAfter
  return {
    outcome: certified ? 'certified' : runsAway ? 'failure-mode' : 'stopped',
    summary: certified
      ? `The loss is ${lossAfter.toExponential(1)}: no loss is lower than zero.`
      : runsAway
        ? `b grew to ${b.toFixed(2)} with a e^b → 1 and L̄ → L(θ) = ${lossAfter.toPrecision(6)}: the bad minimum was moved to infinity, not removed.`
        : `Neither: L(θ) = ${lossAfter.toPrecision(6)} after time ${state.time.toPrecision(4)}.`,
    lossBefore: await loss.value(theta),
    lossAfter,
    modifiedLoss: state.value,
    a,
    b,
    gradientNorm: norm(state.gradient),
    time: state.time,
    theta: at,
  }
}
