/** Surfaces and directions with the key names and the axis order of the reference tool of Li et al. (2018), which h5py reads. */
import { DomainError, ShapeError, numbersOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { referenceRatioOf } from '@thalweg/landscape'
import type { GridState, Model } from '@thalweg/landscape'
import { decodeHdf5 } from '../formats/hdf5.ts'
import type { Hdf5Content } from '../formats/hdf5.ts'
import type { SurfaceResults } from './surface-results.ts'

const axisNames = ['x', 'y', 'z']

/** Name of the file of directions beside the surface. */
export const directionsFile = 'directions.h5'

/** `xcoordinates`, `train_loss` [x, y] … of a line or plane; percent for accuracies; a volume has `zcoordinates` too.
 * Nodes that are not finite stay so (the reference tool marks what it did not compute by −1). */
export function referenceSurface(results: SurfaceResults): Hdf5Content {
  const { nodes, training, heldOut, curvature, trajectories } = results
  const shape = nodes.map((n) => n.length)
  const keys = (state: GridState | null, name: string): Record<string, Tensor> =>
    state
      ? {
          [`${name}_loss`]: firstAxisOutermost(state.values, shape),
          ...(state.accuracies && {
            [`${name}_acc`]: firstAxisOutermost(
              state.accuracies.map((share) => 100 * share),
              shape,
            ),
          }),
        }
      : {}
  const points = trajectories.flatMap((t) => t.points)
  const projected = (axis: number): Tensor => vector(points.map((p) => p.coordinates[axis]))
  return {
    dir_file: directionsFile,
    ...Object.fromEntries(nodes.map((n, i) => [`${axisNames[i]}coordinates`, vector(n)])),
    ...keys(training, 'train'),
    ...keys(heldOut, 'test'),
    ...(points.length > 0 && Object.fromEntries(nodes.map((_, i) => [`proj_${axisNames[i]}coord`, projected(i)]))),
    ...(curvature && curvatureContent(curvature)),
  }
}

/** The grid of eigenvalues has nodes of its own, so it stands in a group that looks like a surface file. */
function curvatureContent({ x, y, largest, smallest }: NonNullable<SurfaceResults['curvature']>): Hdf5Content {
  const shape = [x.length, y.length]
  const ratio = largest.map((value, i) => referenceRatioOf(value, smallest[i]))
  return {
    'hessian/xcoordinates': vector(x),
    'hessian/ycoordinates': vector(y),
    'hessian/max_eig': firstAxisOutermost(largest, shape),
    'hessian/min_eig': firstAxisOutermost(smallest, shape),
    'hessian/abs_eig_ratio': firstAxisOutermost(ratio, shape),
  }
}

function vector(values: ArrayLike<number>): Tensor {
  return tensor('float64', [values.length], Float64Array.from(values))
}

/** Values stored with the first axis fastest, as an array [x, y, …] with the last axis fastest. */
function firstAxisOutermost(values: Float64Array, shape: readonly number[]): Tensor {
  const out = new Float64Array(values.length)
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  for (let node = 0; node < values.length; node++) {
    let rest = node
    let target = 0
    for (const [axis, length] of shape.entries()) {
      target += (rest % length) * strides[axis]
      rest = Math.floor(rest / length)
    }
    out[target] = values[node]
  }
  return tensor('float64', shape, out)
}

/** `xdirection/0`, `xdirection/1`, …: one array per parameter of the model, in its order and shape. */
export function referenceDirections(model: Model, vectors: readonly Float64Array[]): Hdf5Content {
  const content: Record<string, Tensor> = {}
  for (const [axis, values] of vectors.entries()) {
    let first = 0
    for (const [i, { shape }] of model.parameters.entries()) {
      const size = shape.reduce((a, b) => a * b, 1)
      content[`${axisNames[axis]}direction/${i}`] = tensor('float64', shape, values.slice(first, first + size))
      first += size
    }
  }
  return content
}

/** Directions of the reference tool's file, flat, one per axis.
 * @throws {DomainError} where the file holds none; {ShapeError} where they are not of this model: a file of `states` holds
 * the statistics of batch norm too, which are no parameters. */
export async function readReferenceDirections(model: Model, bytes: Uint8Array, file: string): Promise<Float64Array[]> {
  const content = await decodeHdf5(bytes, { file })
  const found: Float64Array[] = []
  for (const axis of axisNames) {
    const count = [...content.keys()].filter((path) => path.startsWith(`${axis}direction/`)).length
    if (count === 0) break
    const arrays = Array.from({ length: count }, (_, i) => content.get(`${axis}direction/${i}`))
    found.push(flatten(model, arrays, `${file}, ${axis}direction`))
  }
  if (found.length === 0)
    throw new DomainError(`${file}: no directions. The file needs groups xdirection, ydirection with arrays 0, 1, ….`)
  return found
}

function flatten(model: Model, arrays: readonly (Tensor | string | undefined)[], where: string): Float64Array {
  const { parameters } = model
  if (arrays.length !== parameters.length)
    throw new ShapeError(
      `${where}: must hold ${parameters.length} arrays, one per parameter tensor of the model, got ${arrays.length}. ` +
        "Write it with --dir_type weights; 'states' holds batch norm's statistics too.",
    )
  const parts = parameters.map(({ name, shape }, i) => {
    const value = arrays[i]
    if (value === undefined || typeof value === 'string' || value.shape.join() !== shape.join())
      throw new ShapeError(
        `${where}/${i}: must have the shape [${shape}] of ${name}, got ${typeof value === 'object' ? `[${value.shape}]` : 'no array'}. Is it a direction of this model?`,
      )
    return numbersOf(value)
  })
  return Float64Array.from(parts.flatMap((part) => Array.from(part)))
}
