import { ShapeError } from '@thalweg/graph'
import { cosine } from './direction.ts'
import { coordinates } from './axis.ts'
import type { Axis } from './axis.ts'
import { lossGrid, pointAt } from './loss-grid.ts'
import type { GridOptions, GridState } from './loss-grid.ts'

/** Nodes of an axis: equally spaced, or listed. */
export type AxisNodes = Axis | Float64Array

type Common = Pick<GridOptions, 'center' | 'valuesAt' | 'batch' | 'from' | 'onState' | 'onProgress' | 'signal'>

/** Loss values on θ + t·δ. */
export interface LossLine {
  readonly t: Float64Array
  readonly values: Float64Array
  /** Share of samples classified right; null where the targets are not classes or nobody measured it. */
  readonly accuracies: Float64Array | null
  /** Nodes evaluated; fewer than there are only where the evaluation was stopped. */
  readonly done: number
}

export interface LineOptions extends Common {
  readonly direction: Float64Array
  readonly t: AxisNodes
}

/** Loss values on θ + x·δ + y·η. */
export interface LossPlane {
  readonly x: Float64Array
  readonly y: Float64Array
  /** Row-major [y.length × x.length]: `values[j * x.length + i]` belongs to (x[i], y[j]). Non-finite values are kept. */
  readonly values: Float64Array
  /** In the order of `values`; null where the targets are not classes or nobody measured it. */
  readonly accuracies: Float64Array | null
  /** cos of the angle between the directions. */
  readonly cosine: number
  /** Nodes evaluated; fewer than there are only where the evaluation was stopped. */
  readonly done: number
}

export interface PlaneOptions extends Common {
  readonly directions: readonly [Float64Array, Float64Array]
  readonly x: AxisNodes
  readonly y: AxisNodes
}

/** Loss values on θ + x·δ + y·η + z·ζ; `values[(k * y.length + j) * x.length + i]` belongs to (x[i], y[j], z[k]). */
export interface LossVolume extends Omit<LossPlane, 'cosine'> {
  readonly z: Float64Array
}

export interface VolumeOptions extends Common {
  readonly directions: readonly [Float64Array, Float64Array, Float64Array]
  readonly x: AxisNodes
  readonly y: AxisNodes
  readonly z: AxisNodes
}

const nodesOf = (axis: AxisNodes): Float64Array => (axis instanceof Float64Array ? axis : coordinates(axis))

/** Evaluates a line node by node, in batches; memory is one batch of parameter vectors. */
export async function lossLine(options: LineOptions): Promise<LossLine> {
  const t = nodesOf(options.t)
  const state = await lossGrid({ ...options, directions: [options.direction], coordinates: [t] })
  return { t, ...state }
}

/** Evaluates a plane node by node, in batches; memory is one batch of parameter vectors. Any numbers of nodes, any ranges. */
export async function lossPlane(options: PlaneOptions): Promise<LossPlane> {
  const [x, y] = [nodesOf(options.x), nodesOf(options.y)]
  const state = await lossGrid({ ...options, coordinates: [x, y] })
  return { x, y, ...state, cosine: cosine(...options.directions) }
}

/** Evaluates a volume node by node, in batches. */
export async function lossVolume(options: VolumeOptions): Promise<LossVolume> {
  const [x, y, z] = [nodesOf(options.x), nodesOf(options.y), nodesOf(options.z)]
  const state = await lossGrid({ ...options, coordinates: [x, y, z] })
  return { x, y, z, ...state }
}

export interface RefinePlaneOptions extends Omit<PlaneOptions, 'x' | 'y' | 'from' | 'onState'> {
  readonly plane: LossPlane
  /** Points around which to refine, in plane coordinates; default: the lowest node. */
  readonly around?: readonly (readonly [x: number, y: number])[]
}

/** The plane with the intervals around the given points (or the lowest node) halved, on both axes; nodes that were known
 * are not evaluated again. The axes stay ascending, steps then differ.
 * @throws {ShapeError} if the plane was not finished. */
export async function refinePlane(options: RefinePlaneOptions): Promise<LossPlane> {
  const { plane, directions, onProgress, signal } = options
  if (plane.done !== plane.values.length)
    throw new ShapeError(`refinePlane: the plane must be finished, got ${plane.done} of ${plane.values.length} nodes.`)
  const around = options.around ?? [lowestNode(plane)]
  const x = halved(
    plane.x,
    around.map(([a]) => a),
  )
  const y = halved(
    plane.y,
    around.map(([, b]) => b),
  )
  const values = new Float64Array(x.length * y.length).fill(Number.NaN)
  const accuracies = plane.accuracies && values.slice()
  const missing: [node: number, x: number, y: number][] = []
  for (const [j, b] of y.entries())
    for (const [i, a] of x.entries()) {
      const known = plane.y.indexOf(b) * plane.x.length + plane.x.indexOf(a)
      const at = j * x.length + i
      if (!plane.x.includes(a) || !plane.y.includes(b)) missing.push([at, a, b])
      else {
        values[at] = plane.values[known]
        if (accuracies) accuracies[at] = plane.accuracies[known]
      }
    }
  const done = await evaluateScattered(options, missing, values, accuracies, () => signal?.aborted === true, onProgress)
  return {
    x,
    y,
    values,
    accuracies,
    cosine: cosine(...directions),
    done: values.length - (missing.length - done),
  }
}

async function evaluateScattered(
  { center, directions, valuesAt, batch = 64 }: RefinePlaneOptions,
  missing: readonly (readonly [node: number, x: number, y: number])[],
  values: Float64Array,
  accuracies: Float64Array | null,
  stopped: () => boolean,
  onProgress?: (done: number, total: number) => void,
): Promise<number> {
  const p = center.length
  let done = 0
  while (done < missing.length && !stopped()) {
    const part = missing.slice(done, done + batch)
    const thetas = new Float64Array(part.length * p)
    part.forEach(([, a, b], row) => thetas.set(pointAt(center, directions, [a, b]), row * p))
    const result = await valuesAt(thetas, part.length)
    const known: Pick<GridState, 'values' | 'accuracies'> =
      result instanceof Float64Array ? { values: result, accuracies: null } : result
    part.forEach(([at], row) => {
      values[at] = known.values[row]
      if (accuracies && known.accuracies) accuracies[at] = known.accuracies[row]
    })
    done += part.length
    onProgress?.(done, missing.length)
  }
  return done
}

function lowestNode({ x, y, values }: LossPlane): [number, number] {
  let best = -1
  values.forEach((v, k) => {
    if (Number.isFinite(v) && (best < 0 || v < values[best])) best = k
  })
  return best < 0 ? [x[0], y[0]] : [x[best % x.length], y[Math.floor(best / x.length)]]
}

/** Adds the middle of every interval that touches one of the points. */
function halved(nodes: Float64Array, around: readonly number[]): Float64Array {
  const middles: number[] = []
  for (let i = 0; i + 1 < nodes.length; i++) {
    const [low, high] = [nodes[i], nodes[i + 1]]
    if (around.some((a) => a >= low && a <= high)) middles.push(low / 2 + high / 2)
  }
  return Float64Array.from([...nodes, ...middles]).sort()
}
