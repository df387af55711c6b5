import { DomainError } from '@thalweg/graph'
import { axpy, maxNorm, norm } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { topClasses } from './critical-classes.ts'
import { linearGradient, linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { flattenWeights, unflattenWeights } from './linear-weights.ts'

export interface FlowPoint {
  readonly time: number
  readonly loss: number
  /** ‖∇L̄‖. */
  readonly gradientNorm: number
}

export interface LinearFlow {
  /** One point per accepted step, the start included. */
  readonly points: readonly FlowPoint[]
  readonly weights: readonly Matrix[]
  /** `stopped`: `until` became true. `step-limit`: `stepsMax` steps did not reach `time`. */
  readonly status: 'finished' | 'stopped' | 'step-limit'
}

export interface LinearFlowOptions {
  /** Integrate up to this time. */
  readonly time: number
  /** Error per step relative to max(‖W‖, 1e-3); default 1e-8. */
  readonly tolerance?: number
  /** Stop after the first step for which this holds. */
  readonly until?: (point: FlowPoint) => boolean
  /** Default 100 000. */
  readonly stepsMax?: number
}

/** Gradient flow Ẇ = −∇L̄(W) by the embedded Runge–Kutta pair of order 5(4) with adaptive steps.
 * @throws {ShapeError} if the weights do not fit; {DomainError} if `time` is not positive.
 * Source: Dormand and Prince, J. Comput. Appl. Math. 6 (1980). */
export function linearGradientFlow(
  problem: LinearProblem,
  start: LinearWeights,
  options: LinearFlowOptions,
): LinearFlow {
  const { time, tolerance = 1e-8, until, stepsMax = 100_000 } = options
  if (!(time > 0)) throw new DomainError(`linearGradientFlow: time must be positive, got ${time}.`)
  const slope = (theta: Float64Array): Float64Array =>
    flattenWeights(linearGradient(problem, unflattenWeights(problem.widths, theta))).map((g) => -g)
  const pointAt = (now: number, theta: Float64Array, rate: Float64Array): FlowPoint => ({
    time: now,
    loss: linearLoss(problem, unflattenWeights(problem.widths, theta)),
    gradientNorm: norm(rate),
  })
  let theta = flattenWeights(start)
  let rate = slope(theta)
  let now = 0
  let step = Math.min(time, (1e-3 * Math.max(norm(theta), 1e-3)) / Math.max(norm(rate), 1e-12))
  const points = [pointAt(0, theta, rate)]
  const finish = (status: LinearFlow['status']): LinearFlow => ({
    points,
    weights: unflattenWeights(problem.widths, theta),
    status,
  })
  for (let taken = 0; taken < stepsMax; ) {
    const trial = dormandPrince(slope, theta, rate, Math.min(step, time - now))
    const error = trial.error / (tolerance * Math.max(norm(theta), 1e-3))
    const growth = Math.min(5, Math.max(0.2, 0.9 * (error || 1e-10) ** -0.2))
    if (error <= 1) {
      now += Math.min(step, time - now)
      theta = trial.theta
      rate = trial.rate
      taken++
      const point = pointAt(now, theta, rate)
      points.push(point)
      if (until?.(point)) return finish('stopped')
      if (now >= time * (1 - 1e-14)) return finish('finished')
    }
    step = Math.min(step, time) * growth
  }
  return finish('step-limit')
}

const stages: readonly (readonly number[])[] = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
/** Fifth-order minus fourth-order weights. */
const errorWeights: readonly number[] = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40]

function dormandPrince(
  slope: (theta: Float64Array) => Float64Array,
  theta: Float64Array,
  first: Float64Array,
  step: number,
): { theta: Float64Array; rate: Float64Array; error: number } {
  const rates = [first]
  let at = theta
  for (const coefficients of stages) {
    at = theta.slice()
    coefficients.forEach((c, i) => axpy(step * c, rates[i], at))
    rates.push(slope(at))
  }
  const defect = new Float64Array(theta.length)
  errorWeights.forEach((e, i) => axpy(step * e, rates[i], defect))
  // The last stage is the new point: its slope starts the next step.
  return { theta: at, rate: rates[rates.length - 1], error: maxNorm(defect) }
}

export interface Plateau {
  readonly time: number
  readonly loss: number
  readonly gradientNorm: number
  /** The rank r of the top class {1..r} with the closest loss, its loss L_{1..r}, and the distance between the two. */
  readonly rank: number
  readonly predicted: number
  readonly deviation: number
}

/** Where a trajectory rests on its way down: minima of the gradient norm from which it rises, and to which it had fallen, by
 * the factor 1/`depth` (default 0.2), and the end. From small weights these are the losses of the classes {1..r} in turn. */
export function plateausOf(problem: LinearProblem, flow: LinearFlow, options: { depth?: number } = {}): Plateau[] {
  const ladder = topClasses(problem)
  const found = [...gradientMinima(flow.points, options.depth ?? 0.2), flow.points[flow.points.length - 1]]
  return found.map(({ time, loss, gradientNorm }) => {
    const closest = ladder.reduce((best, c) => (Math.abs(c.loss - loss) < Math.abs(best.loss - loss) ? c : best))
    const deviation = Math.abs(closest.loss - loss)
    return { time, loss, gradientNorm, rank: closest.rank, predicted: closest.loss, deviation }
  })
}

function gradientMinima(points: readonly FlowPoint[], depth: number): FlowPoint[] {
  const minima: FlowPoint[] = []
  let lowest: FlowPoint | undefined = points[0]
  let peak = 0
  for (const point of points) {
    if (lowest === undefined) {
      peak = Math.max(peak, point.gradientNorm)
      if (point.gradientNorm < depth * peak) lowest = point
    } else if (point.gradientNorm < lowest.gradientNorm) {
      lowest = point
    } else if (depth * point.gradientNorm > lowest.gradientNorm) {
      minima.push(lowest)
      lowest = undefined
      peak = point.gradientNorm
    }
  }
  return minima
}
