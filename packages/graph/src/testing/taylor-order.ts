import { dot, norm } from './adjoint-defect.ts'
import { randomVector, seededNumbers } from './seeded-numbers.ts'

/** A scalar function of a flat vector with its derivatives. */
export interface DifferentiableFunction {
  readonly value: (theta: Float64Array) => number
  readonly gradient: (theta: Float64Array) => Float64Array
  /** Absent: the first-order remainder is measured. */
  readonly hessianTimes?: (theta: Float64Array, v: Float64Array) => Float64Array
}

export interface TaylorOptions {
  readonly seed?: number
  /** Number of (point, direction) pairs, odd. */
  readonly pairs?: number
  /** Length of the longer of the two steps. */
  readonly step?: number
  /** How far the points scatter around `theta`; 0 keeps them all there. */
  readonly spread?: number
}

/** Median order at which the Taylor remainder vanishes: log₂ R(t) / R(t/2) with
 *
 *      R(t) = |f(θ + t v) − f(θ) − t ⟨g, v⟩ − ½ t² ⟨v, H v⟩|,   ‖v‖ = 1
 *
 * 2 where the gradient is right, 3 where the Hessian is too; +Infinity where the remainder is rounding, as it is for
 * polynomials. Single pairs are flaky, hence the median. Cost: 3 values, 1 gradient and 1 product per pair. */
export function taylorOrder(f: DifferentiableFunction, theta: Float64Array, options: TaylorOptions = {}): number {
  const { seed = 0, pairs = 31, spread = 0 } = options
  const step = options.step ?? (f.hessianTimes ? 1e-2 : 1e-3)
  const numbers = seededNumbers(seed)
  const orders = Array.from({ length: pairs }, () => {
    const at = theta.map((x) => x + spread * numbers.uniform(-1, 1))
    const direction = randomVector(theta.length, numbers)
    const length = norm(direction)
    return orderAlong(
      f,
      at,
      direction.map((d) => d / length),
      step,
    )
  })
  return orders.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))[(pairs - 1) / 2]
}

function orderAlong(f: DifferentiableFunction, at: Float64Array, v: Float64Array, step: number): number {
  const base = f.value(at)
  const slope = dot(f.gradient(at), v)
  const curvature = f.hessianTimes ? dot(f.hessianTimes(at, v), v) : 0
  const remainder = (t: number): number =>
    Math.abs(f.value(at.map((x, i) => x + t * v[i])) - base - t * slope - 0.5 * t * t * curvature)
  const [far, near] = [remainder(step), remainder(step / 2)]
  const noise = 2 ** -53 * Math.max(Math.abs(base), Math.abs(step * slope), norm(at)) * 300
  return far < noise ? Number.POSITIVE_INFINITY : Math.log2(far / near)
}
