import { DomainError } from '@thalweg/graph'
import { cosine } from './direction.ts'

/** Equally spaced coordinates, both ends included. */
export interface Axis {
  readonly start: number
  readonly end: number
  readonly count: number
}

/** The coordinates of an axis; a single one is its start. The ends are exact. */
export function coordinates({ start, end, count }: Axis): Float64Array {
  if (!(Number.isInteger(count) && count >= 1 && Number.isFinite(start) && Number.isFinite(end)))
    throw new DomainError(`axis: needs finite ends and a positive number of points, got ${start}…${end}, ${count}.`)
  return Float64Array.from({ length: count }, (_, i) => (i === count - 1 && i > 0 ? end : start + ((end - start) * i) / Math.max(1, count - 1)))
}

/** Loss values on θ + x·δ + y·η. */
export interface LossPlane {
  readonly x: Float64Array
  readonly y: Float64Array
  /** Row-major [y.length × x.length]: `values[j * x.length + i]` belongs to (x[i], y[j]). Non-finite values are kept. */
  readonly values: Float64Array
  /** cos of the angle between the directions. */
  readonly cosine: number
}

export interface PlaneOptions {
  readonly center: Float64Array
  readonly directions: readonly [Float64Array, Float64Array]
  readonly x: Axis
  readonly y: Axis
  /** Losses at the rows of [count × p]. */
  readonly valuesAt: (thetas: Float64Array, count: number) => Promise<Float64Array>
  /** Points handed to `valuesAt` at once. Default 64. */
  readonly batch?: number
  readonly onProgress?: (done: number, total: number) => void
}

/** Evaluates a plane point by point, in batches; memory is one batch of parameter vectors. */
export async function lossPlane(options: PlaneOptions): Promise<LossPlane> {
  const { center, directions, onProgress } = options
  const [x, y] = [coordinates(options.x), coordinates(options.y)]
  const total = x.length * y.length
  const p = center.length
  const batch = Math.min(total, options.batch ?? 64)
  const values = new Float64Array(total)
  for (let first = 0; first < total; first += batch) {
    const count = Math.min(batch, total - first)
    const thetas = new Float64Array(count * p)
    for (let b = 0; b < count; b++) placeAt(thetas, b * p, center, directions, x[(first + b) % x.length], y[Math.floor((first + b) / x.length)])
    values.set(await options.valuesAt(thetas, count), first)
    onProgress?.(first + count, total)
  }
  return { x, y, values, cosine: cosine(directions[0], directions[1]) }
}

function placeAt(out: Float64Array, at: number, center: Float64Array, [d, e]: readonly [Float64Array, Float64Array], s: number, t: number): void {
  for (let i = 0; i < center.length; i++) out[at + i] = center[i] + s * d[i] + t * e[i]
}
