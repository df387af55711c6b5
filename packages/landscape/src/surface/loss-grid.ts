import { DomainError, ShapeError } from '@thalweg/graph'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import type { LossValues } from '../loss/loss-batch.ts'

/** Losses, and accuracies where there are classes, at the rows of [count × p]. */
export type ThetaValues = (thetas: Float64Array, count: number) => Promise<Float64Array | LossValues>

/** How far a grid has come: the first `done` nodes, in the order of `values`, have been evaluated. */
export interface GridState {
  readonly done: number
  /** NaN where not evaluated yet. */
  readonly values: Float64Array
  readonly accuracies: Float64Array | null
}

export interface GridOptions {
  /** [p]; where all coordinates are zero. */
  readonly center: Float64Array
  /** One [p] per axis. */
  readonly directions: readonly Float64Array[]
  /** Coordinates along each direction, in any order and spacing. */
  readonly coordinates: readonly Float64Array[]
  readonly valuesAt: ThetaValues
  /** Nodes handed to `valuesAt` at once. Default 64. */
  readonly batch?: number
  /** Goes on from here. */
  readonly from?: GridState
  /** Called after every batch; the arrays are live, copy what is kept. */
  readonly onState?: (state: GridState) => void | Promise<void>
  readonly onProgress?: (done: number, total: number) => void
  /** Stops between batches; what was reached is returned. */
  readonly signal?: CancelSignal
}

/** Evaluates θ + Σ_a c_a d_a on all nodes of a rectangular grid of any dimension, the first axis fastest: node
 * (i, j, …) has position i + nₓ (j + …). Values that are not finite are kept as they come. Memory is one batch of θ.
 * @throws {ShapeError} if a direction has not p entries or the state to go on from has another size. */
export async function lossGrid(options: GridOptions): Promise<GridState> {
  const { center, directions, coordinates: axes, valuesAt, onState, onProgress, signal } = options
  checkGrid(options)
  const p = center.length
  const total = axes.reduce((product, axis) => product * axis.length, 1)
  const batch = Math.min(total, options.batch ?? 64)
  const values = options.from?.values.slice() ?? new Float64Array(total).fill(Number.NaN)
  let accuracies = options.from?.accuracies?.slice() ?? null
  let done = options.from?.done ?? 0
  while (done < total && !signal?.aborted) {
    // batches start at multiples of their size, so that going on gives what one run would have given
    const count = Math.min(batch - (done % batch), total - done)
    const thetas = new Float64Array(count * p)
    for (let b = 0; b < count; b++) placeAt(thetas, b * p, center, directions, nodeAt(axes, done + b))
    const result = await valuesAt(thetas, count)
    const known = result instanceof Float64Array ? { values: result, accuracies: null } : result
    if (known.values.length !== count)
      throw new ShapeError(`lossGrid: valuesAt must return ${count} values, got ${known.values.length}.`)
    values.set(known.values, done)
    if (known.accuracies) {
      accuracies ??= new Float64Array(total).fill(Number.NaN)
      accuracies.set(known.accuracies, done)
    }
    done += count
    onProgress?.(done, total)
    await onState?.({ done, values, accuracies })
  }
  return { done, values, accuracies }
}

function checkGrid({ center, directions, coordinates: axes, from, batch }: GridOptions): void {
  if (directions.length !== axes.length)
    throw new ShapeError(`lossGrid: one direction per axis, got ${directions.length} for ${axes.length} axes.`)
  for (const [i, d] of directions.entries())
    if (d.length !== center.length)
      throw new ShapeError(
        `lossGrid: directions must have ${center.length} entries as θ, got ${d.length} in number ${i}.`,
      )
  const total = axes.reduce((product, axis) => product * axis.length, 1)
  if (from && from.values.length !== total)
    throw new ShapeError(`lossGrid: the state to go on from has ${from.values.length} nodes, the grid ${total}.`)
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1))
    throw new DomainError(`lossGrid: batch must be a positive integer, got ${batch}.`)
}

/** Coordinates of the node at a position. */
export function nodeAt(axes: readonly Float64Array[], position: number): number[] {
  let rest = position
  return axes.map((axis) => {
    const at = axis[rest % axis.length]
    rest = Math.floor(rest / axis.length)
    return at
  })
}

/** Writes θ + Σ c d to `out`; a coordinate of exactly zero leaves θ untouched, whatever its direction holds. */
function placeAt(
  out: Float64Array,
  at: number,
  center: Float64Array,
  directions: readonly Float64Array[],
  node: readonly number[],
): void {
  out.set(center, at)
  directions.forEach((d, a) => {
    const c = node[a]
    if (c !== 0) for (let i = 0; i < d.length; i++) out[at + i] += c * d[i]
  })
}

/** θ + Σ c d, [p]. */
export function pointAt(
  center: Float64Array,
  directions: readonly Float64Array[],
  node: readonly number[],
): Float64Array {
  const out = new Float64Array(center.length)
  placeAt(out, 0, center, directions, node)
  return out
}
