/** Surfaces with the key names and the axis order of the reference tool of Li et al. (2018), which h5py reads. */
import { tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { referenceRatioOf } from '@thalweg/landscape'
import type { GridState } from '@thalweg/landscape'
import type { Hdf5Content } from '../../formats/hdf5.ts'
import { axisNames, directionsFile } from './reference-directions.ts'
import type { SurfaceResults } from './surface-results.ts'

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
