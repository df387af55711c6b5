import { norm } from './adjoint-defect.ts'

type Objective = (theta: Float64Array) => number

/** (2ε)^⅓ · max(1, ‖θ‖): balances truncation against rounding. */
export function differenceStep(theta: ArrayLike<number>): number {
  return Math.cbrt(2 ** -52) * Math.max(1, norm(theta))
}

/** The gradient by central differences, 2p evaluations. */
export function centralDifference(value: Objective, theta: Float64Array): Float64Array {
  const h = differenceStep(theta)
  const moved = Float64Array.from(theta)
  return Float64Array.from(theta, (x, i) => {
    moved[i] = x + h
    const above = value(moved)
    const up = moved[i]
    moved[i] = x - h
    const slope = (above - value(moved)) / (up - moved[i])
    moved[i] = x
    return slope
  })
}

/** ‖difference quotient − gradient‖ relative to the larger of the two; below 1e-6 they agree.
 * Where both are tiny beside the value, its rounding is the scale. */
export function differenceDefect(value: Objective, gradient: ArrayLike<number>, theta: Float64Array): number {
  const quotient = centralDifference(value, theta)
  const scale = Math.max(norm(quotient), norm(gradient), 1e-3 * Math.abs(value(theta)), Number.MIN_VALUE)
  return norm(quotient.map((q, i) => q - gradient[i])) / scale
}
