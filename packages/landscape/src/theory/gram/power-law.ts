import { DomainError } from '@thalweg/graph'

export interface PowerLaw {
  readonly exponent: number
  /** Of the exponent, from the scatter around the line; NaN for two points. */
  readonly standardError: number
  readonly factor: number
}

/** The least-squares line of log y over log x: y ≈ factor · x^exponent.
 * @throws {DomainError} if there are fewer than two different x, or a value is not positive. */
export function powerLaw(x: readonly number[], y: readonly number[]): PowerLaw {
  if (x.length !== y.length || [...x, ...y].some((value) => !(value > 0 && value < Number.POSITIVE_INFINITY)))
    throw new DomainError('powerLaw: needs as many y as x, all finite and positive, got others.')
  const [u, v] = [x.map(Math.log), y.map(Math.log)]
  const n = u.length
  const [meanU, meanV] = [u, v].map((values) => values.reduce((sum, value) => sum + value, 0) / n)
  const square = u.reduce((sum, value) => sum + (value - meanU) ** 2, 0)
  if (!(square > 0)) throw new DomainError(`powerLaw: needs two different x, got ${n} points at one.`)
  const exponent = u.reduce((sum, value, i) => sum + (value - meanU) * (v[i] - meanV), 0) / square
  const rest = v.reduce((sum, value, i) => sum + (value - meanV - exponent * (u[i] - meanU)) ** 2, 0)
  return {
    exponent,
    standardError: Math.sqrt(rest / (n - 2) / square),
    factor: Math.exp(meanV - exponent * meanU),
  }
}
