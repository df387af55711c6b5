import { DomainError, add, and, equal, greater, less, lessOrEqual, mul, or, reduceL2, sub, where } from '@thalweg/graph'
import type { Optimizer } from './optimizer.ts'
import { requireNumber } from './require-number.ts'

export interface PerturbedGradientDescentOptions {
  /** g_thres: perturb where the gradient norm is at most this. Default 1e-3. */
  readonly gradientThreshold?: number
  /** r: radius of the ball from which perturbations are drawn uniformly. Default 1e-2. */
  readonly radius?: number
  /** t_thres: steps between perturbations, and after which progress is judged. Default 100. */
  readonly interval?: number
  /** f_thres: if the loss fell by less since the perturbation, the point before it is returned. Default 0: never stop. */
  readonly decreaseThreshold?: number
  /** Of the perturbations. Default 0. */
  readonly seed?: number
}

/** Slots of the state. */
const slots = [
  { name: 'steps-since-perturbation', kind: 'scalar', start: Number.POSITIVE_INFINITY },
  { name: 'perturbations', kind: 'scalar', start: 0 },
  { name: 'loss-before', kind: 'scalar', start: 0 },
  { name: 'stopped', kind: 'scalar', start: 0 },
  { name: 'theta-before', kind: 'vector', start: 0 },
] as const

/** Perturbed gradient descent: θ ← θ − η g, except where ‖g‖ is small and the last perturbation long ago; there
 * θ ← θ + ξ with ξ uniform on the ball of radius r. It leaves strict saddles with high probability. When `interval` steps
 * after a perturbation the loss has fallen by less than f_thres, the point before it is an approximate local minimum:
 * θ returns there and stays.
 *
 * Source: Jin, Ge, Netrapalli, Kakade, Jordan, "How to escape saddle points efficiently", ICML 2017, Algorithm 2.
 * Differs from it in 1. the perturbation is a step of its own, so that one gradient per step suffices; 2. thresholds are
 * given directly, not through Lipschitz constants; 3. without f_thres it never stops.
 * @throws {DomainError} if an option is out of range. */
export function perturbedGradientDescent(options: PerturbedGradientDescentOptions = {}): Optimizer {
  const { gradientThreshold = 1e-3, radius = 1e-2, interval = 100, decreaseThreshold = 0, seed = 0 } = options
  const where_ = 'perturbedGradientDescent'
  requireNumber(where_, 'gradientThreshold', gradientThreshold, { low: 0 })
  requireNumber(where_, 'radius', radius, { low: 0, includeLow: false })
  requireNumber(where_, 'decreaseThreshold', decreaseThreshold, { low: 0 })
  if (!(Number.isInteger(interval) && interval >= 1))
    throw new DomainError(`${where_}: interval must be a positive integer, got ${interval}.`)
  return {
    kind: 'first-order',
    name: 'perturbed-gradient-descent',
    slots,
    coefficients: (learningRate) => [learningRate],
    noise: { stepsMax: interval, countSlot: 1, seed },
    stopped: { slot: 3, message: 'no perturbation lowers the loss enough: an approximate local minimum' },
    step({
      theta,
      gradient,
      loss,
      state: [since, count, lossBefore, stopped, thetaBefore],
      coefficients: [rate],
      noise,
    }) {
      const flat = and(lessOrEqual(reduceL2(gradient), gradientThreshold), greater(since, interval))
      const perturbs = and(flat, less(stopped, 1))
      const judged = and(equal(since, interval), greater(add(sub(loss, lossBefore), decreaseThreshold), 0))
      const ends = decreaseThreshold > 0 ? or(judged, greater(stopped, 0)) : greater(stopped, 0)
      const moved = where(perturbs, add(theta, mul(noise!, radius)), sub(theta, mul(rate, gradient)))
      return {
        theta: where(ends, thetaBefore, moved),
        state: [
          where(perturbs, 1, add(since, 1)),
          where(perturbs, add(count, 1), count),
          where(perturbs, loss, lossBefore),
          where(ends, add(mul(stopped, 0), 1), stopped),
          where(perturbs, theta, thetaBefore),
        ],
      }
    },
  }
}
