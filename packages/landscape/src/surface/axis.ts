import { DomainError } from '@thalweg/graph'

/** Equally spaced coordinates, both ends included. */
export interface Axis {
  readonly start: number
  readonly end: number
  readonly count: number
}

/** A node this much nearer to zero than its neighbors is meant to be zero. */
const zeroShare = 1e-9

/** The coordinates of an axis, as (start · (n−1−i) + end · i) / (n−1). The ends are exact, symmetric axes have
 * exactly symmetric nodes, and an axis that passes through zero with a node has 0 there and not a
 * rounding error. A single coordinate is the start.
 * @throws {DomainError} if an end is not finite or there is no point. */
export function coordinates({ start, end, count }: Axis): Float64Array {
  if (!(Number.isInteger(count) && count >= 1 && Number.isFinite(start) && Number.isFinite(end)))
    throw new DomainError(`axis: needs finite ends and a positive number of points, got ${start}…${end}, ${count}.`)
  if (count > 1 && start === end)
    throw new DomainError(`axis: ${count} points need ends that differ, got ${start} twice. Ask for one point.`)
  if (count === 1) return Float64Array.of(start)
  const last = count - 1
  const step = Math.abs(end - start) / last
  return Float64Array.from({ length: count }, (_, i) => {
    if (i === 0 || i === last) return i === 0 ? start : end
    const at = (start * (last - i) + end * i) / last
    return Math.abs(at) < zeroShare * step ? 0 : at
  })
}
