import { maxNorm, norm } from '../../linalg/vector.ts'
import type { ModifiedLoss } from './modified-loss.ts'

/** What is watched while the modified loss is trained. */
export interface EliminationPoint {
  /** Of the gradient flow; the number of the iteration for other methods. */
  readonly time: number
  readonly modifiedLoss: number
  /** L(θ), without the neurons. */
  readonly loss: number
  readonly gradientNorm: number
  readonly aNorm: number
  readonly bNorm: number
  readonly wNorm: number
  /** √(mean ‖g(x_i)‖²). */
  readonly neuronRms: number
  /** max_k λ a_k² t. */
  readonly amplitudeLaw: number
  /** The largest M_k = max_i (w_kᵀx_i + b_k). */
  readonly maxExponent: number
}

/** Measures a point of training. Cost: one evaluation of L. */
export async function watch(
  modified: ModifiedLoss,
  z: Float64Array,
  time: number,
  at: { readonly value: number; readonly gradient: Float64Array },
): Promise<EliminationPoint> {
  const a = modified.part(z, 'a')
  return {
    time,
    modifiedLoss: at.value,
    loss: await modified.base.value(modified.theta(z).slice()),
    gradientNorm: norm(at.gradient),
    aNorm: norm(a),
    bNorm: norm(modified.part(z, 'b')),
    wNorm: norm(modified.part(z, 'w')),
    neuronRms: await modified.neuronRms(z),
    amplitudeLaw: modified.lambda * maxNorm(a) ** 2 * time,
    maxExponent: modified.maxExponents(z).reduce((m, v) => Math.max(m, v), Number.NEGATIVE_INFINITY),
  }
}

/** How training of the modified loss escapes to infinity instead of converging. */
export interface Divergence {
  /** A: amplitude, b → ∞ with w finite. B: spike, ‖w‖ → ∞ and g concentrates on one extreme input. null: none. */
  readonly type: 'A' | 'B' | null
  /** Whether steps of fixed length stopped moving although the gradient is large (curvature of a at 2/η). */
  readonly fakeConvergence: boolean
  /** One sentence for people. */
  readonly statement: string
  readonly neuronRms: number
  /** L(θ) − L̃. */
  readonly margin: number
  /** ‖∇L̃‖·t: ½ for type A, 1/gap for type B; null without a time. */
  readonly gradientTimesTime: number | null
  /** max λ a² t: ¼ for type A, → 0 for type B. */
  readonly amplitudeLaw: number | null
  /** d‖b‖ / d ln t and d‖w‖ / d ln t over the window. */
  readonly bRate: number | null
  readonly wRate: number | null
  /** Slope of ln ‖∇L̃‖ against ln t: −1 for a divergence, far below for convergence. */
  readonly gradientSlope: number | null
  /** Share of Σ g² on the one input where it is largest. */
  readonly spikeShare: number
  /** How far the minimum was pushed: M = max exponent. */
  readonly maxExponent: number
}

/** Judges a history by what it shows in its last decade of time: g stays, a falls, (b, w) grow, L̃ is below L(θ).
 *
 * Laws of the gradient flow for one diverging output: type A has λa²t → ¼ and ‖∇L̃‖t → ½; type B ‖∇L̃‖t → 1/gap and λa²t → 0.
 * The gradient along the slow drift is taken from the path, ‖∇L̃‖t = ‖dz/d ln t‖: rounding of the stiff directions would
 * drown it.
 * @param history  of a flow, or of other methods (`timed` false): then only where it stands is judged. */
export function detectDivergence(
  modified: ModifiedLoss,
  history: readonly EliminationPoint[],
  z: Float64Array,
  { timed, fakeConvergence = false }: { readonly timed: boolean; readonly fakeConvergence?: boolean },
): Divergence {
  const last = history[history.length - 1]
  const first = history.find(({ time }) => time >= last.time / 10 && time > 0) ?? last
  const span = Math.log(last.time / first.time)
  const usable = timed && span > 0.5
  const rate = (key: 'bNorm' | 'wNorm'): number | null => (usable ? (last[key] - first[key]) / span : null)
  const [bRate, wRate] = [rate('bNorm'), rate('wNorm')]
  // The laws are reached slowly: the speed is that of the last doubling of time.
  const recent = history.find(({ time }) => time >= last.time / 2) ?? first
  const speed = Math.hypot(last.bNorm - recent.bNorm, last.wNorm - recent.wNorm) / Math.log(last.time / recent.time)
  const spikeShare = spike(modified, z)
  const margin = last.loss - last.modifiedLoss
  const present = last.neuronRms > 1e-4 && margin > 1e-8 * Math.max(1, Math.abs(last.loss))
  const runsAway = usable
    ? last.aNorm < first.aNorm && Math.max(bRate ?? 0, wRate ?? 0) > 0.02
    : last.maxExponent > 3 && modified.lambda * last.aNorm ** 2 < 0.02 * margin
  const spiky = usable
    ? (wRate ?? 0) > 3 * Math.abs(bRate ?? 0) && last.amplitudeLaw < 0.05
    : spikeShare > 0.999 && last.wNorm > last.bNorm
  const type = present && runsAway ? (spiky ? 'B' : 'A') : null
  return {
    type,
    fakeConvergence: fakeConvergence && present,
    statement: statementOf(type, fakeConvergence && present, last),
    neuronRms: last.neuronRms,
    margin,
    gradientTimesTime: usable && Number.isFinite(speed) ? speed : null,
    amplitudeLaw: timed ? last.amplitudeLaw : null,
    bRate,
    wRate,
    gradientSlope: usable && first.gradientNorm > 0 ? Math.log(last.gradientNorm / first.gradientNorm) / span : null,
    spikeShare,
    maxExponent: last.maxExponent,
  }
}

function statementOf(
  type: 'A' | 'B' | null,
  fake: boolean,
  { modifiedLoss, loss, maxExponent, aNorm }: EliminationPoint,
): string {
  const where = `The neurons hold the modified loss at ${modifiedLoss.toPrecision(6)} while θ alone has ${loss.toPrecision(6)}`
  if (fake)
    return `${where}, and the steps no longer move although the gradient is large: the curvature along a has reached 2/step. This is no convergence; use adaptive steps.`
  if (type === 'A')
    return `${where}: ‖a‖ = ${aNorm.toExponential(1)} falls and b grows without end (largest exponent ${maxExponent.toFixed(1)}). The bad minimum of θ was moved to infinity, not removed.`
  if (type === 'B')
    return `${where}: ‖w‖ grows without end and the response concentrates on one extreme input. The bad minimum of θ was moved to infinity, not removed.`
  return 'The neurons do not run away.'
}

function spike(modified: ModifiedLoss, z: Float64Array): number {
  if (modified.neurons.kind !== 'exponential') return 0
  const g = modified.neuronOutputs(z)
  const { outputs: k } = modified.neurons
  let [largest, total] = [0, 0]
  for (let i = 0; i * k < g.length; i++) {
    const square = norm(g.subarray(i * k, (i + 1) * k)) ** 2
    largest = Math.max(largest, square)
    total += square
  }
  return total === 0 ? 0 : largest / total
}
