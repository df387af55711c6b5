import { DomainError, ShapeError } from '@thalweg/graph'
import { lossLine } from '../surface/loss-plane.ts'
import type { LossLine } from '../surface/loss-plane.ts'
import type { ThetaValues } from '../surface/loss-grid.ts'

/** How much higher the loss is between two models than at them, by both definitions in use. */
export interface Barrier {
  /** max_t L(t) − ½ (L(0) + L(1)) (Ainsworth et al. 2023). */
  readonly overMean: number
  /** max_t [L(t) − ((1 − t) L(0) + t L(1))] (Frankle et al. 2020, Entezari et al. 2022). */
  readonly overInterpolation: number
  /** Where the loss is greatest, and how great. */
  readonly at: number
  readonly highest: number
}

/** The barrier of losses along a path; t ascends from 0 to 1, both included. Infinite where a loss on the path is not finite.
 * The maximum is over the given points: 21 or more.
 * @throws {DomainError} if t does not run from 0 to 1; {ShapeError} if the lists differ in length. */
export function barrierOf(t: ArrayLike<number>, losses: ArrayLike<number>): Barrier {
  const last = t.length - 1
  if (t.length !== losses.length)
    throw new ShapeError(`barrier: one loss per point, got ${losses.length} for ${t.length} points.`)
  if (!(last >= 1 && t[0] === 0 && t[last] === 1))
    throw new DomainError(`barrier: t must run from 0 to 1, got ${t[0]}…${t[last]}. Include both ends.`)
  const [first, end] = [losses[0], losses[last]]
  const finite = (v: number): number => (Number.isFinite(v) ? v : Number.POSITIVE_INFINITY)
  let [at, highest, overInterpolation] = [0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i <= last; i++) {
    const loss = finite(losses[i])
    if (loss > highest) [at, highest] = [t[i], loss]
    overInterpolation = Math.max(overInterpolation, loss - ((1 - t[i]) * first + t[i] * end))
  }
  return { overMean: highest - (first + end) / 2, overInterpolation, at, highest }
}

/** L((1 − t) θ_A + t θ_B) at equally spaced t, both ends included.
 * @throws {ShapeError} if the two differ in size. */
export function linearPath(
  valuesAt: ThetaValues,
  a: Float64Array,
  b: Float64Array,
  points: number = 25,
  onProgress?: (done: number, total: number) => void,
): Promise<LossLine> {
  if (a.length !== b.length)
    throw new ShapeError(`linear path: both models need the same parameters, got ${a.length} and ${b.length}.`)
  const direction = b.map((v, i) => v - a[i])
  return lossLine({ center: a, direction, t: { start: 0, end: 1, count: points }, valuesAt, onProgress })
}
