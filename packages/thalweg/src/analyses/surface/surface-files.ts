import { basename, extname } from 'node:path'
import { DomainError, tensor } from '@thalweg/graph'
import { nonConvexShare } from '@thalweg/landscape'
import type { CurvatureGrid, GridState } from '@thalweg/landscape'
import { encodeHdf5 } from '../../formats/hdf5.ts'
import { encodeParquet } from '../../formats/parquet-table.ts'
import type { Column } from '../../formats/parquet-table.ts'
import { encodeNpz } from '../../formats/npz.ts'
import { encodeVtp, surfacePolyData } from '../../formats/vtp.ts'
import type { PolyData } from '../../formats/vtp.ts'
import { renderSvg } from '../../report/render-svg.ts'
import { RunDirectory, float64Tensor } from '../../runs/run-directory.ts'
import { surfaceFigures } from './surface-figures.ts'
import { axisNames, directionsFile, referenceDirections } from './reference-directions.ts'
import { referenceSurface } from './surface-hdf5.ts'
import type { SurfaceResults } from './surface-results.ts'

type Arrays = Parameters<RunDirectory['writeArrays']>[1]

/** Where files go: the folder asked for, or the first free one beside the working directory's others. */
export async function openOutput(
  path: string,
  out: string | undefined,
  resume: boolean,
  prefix: string = 'surface',
): Promise<RunDirectory> {
  if (!resume) return RunDirectory.create(`${prefix}-${basename(path, extname(path))}`, out)
  if (out === undefined) throw new DomainError('--resume: which surface? Pass --out with its folder.')
  return new RunDirectory(out)
}

function curvatureArrays(grid: CurvatureGrid): Arrays {
  const shape = [grid.y.length, grid.x.length]
  return {
    curvatureX: float64Tensor([grid.x.length], grid.x),
    curvatureY: float64Tensor([grid.y.length], grid.y),
    largestEigenvalue: float64Tensor(shape, grid.largest),
    smallestEigenvalue: float64Tensor(shape, grid.smallest),
    eigenvalueResidual: float64Tensor(shape, grid.residuals),
    convexity: float64Tensor(shape, grid.convexity),
  }
}

export function curvatureJson(grid: CurvatureGrid, samples: number): object {
  const nodes = [grid.x, grid.y]
  return {
    x: Array.from(grid.x),
    y: Array.from(grid.y),
    largest: nested(grid.largest, nodes),
    smallest: nested(grid.smallest, nodes),
    residuals: nested(grid.residuals, nodes),
    convexity: nested(grid.convexity, nodes),
    nonConvexShare: nonConvexShare(grid),
    products: grid.products,
    samples,
  }
}

/** Row-major lists, the last axis outermost: values[y][x]. */
export function nested(values: Float64Array, nodes: readonly Float64Array[]): unknown {
  const shape = nodes.map((n) => n.length)
  let lists: unknown[] = Array.from(values)
  for (const length of shape.slice(0, -1))
    lists = Array.from({ length: lists.length / length }, (_, i) => lists.slice(i * length, (i + 1) * length))
  return lists
}

/** Arrays, HDF5 of the reference tool, ParaView files and figures of a surface; returns their names. */
export async function writeSurface(directory: RunDirectory, results: SurfaceResults): Promise<string[]> {
  const { nodes, chosen, argument } = results
  const files: string[] = []
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    if (typeof content === 'string') await directory.writeText(name, content)
    else await directory.writeBytes(name, content)
    files.push(name)
  }
  await write('results/surface.npz', encodeNpz(surfaceArrays(results)))
  const vectors = chosen.directions.map((d, i) => [axisNames[i], float64Tensor([d.vector.length], d.vector)])
  const center = float64Tensor([chosen.center.length], chosen.center)
  await write('results/directions.npz', encodeNpz({ center, ...Object.fromEntries(vectors) }))
  await write('results/surface.parquet', await encodeParquet(surfaceColumns(results)))
  await write('results/surface.h5', await encodeHdf5(referenceSurface(results)))
  const directions = chosen.directions.map((d) => d.vector)
  await write(`results/${directionsFile}`, await encodeHdf5(referenceDirections(results.subject.model, directions)))
  if (nodes.length === 2)
    for (const [name, data] of Object.entries(polyDataOf(results))) await write(`results/${name}.vtp`, encodeVtp(data))
  for (const [name, figure] of Object.entries(surfaceFigures(results))) {
    await write(`figures/${name}.svg`, renderSvg(figure))
    if (argument.png) await write(`figures/${name}.png`, (await import('../../report/render-png.ts')).renderPng(figure))
  }
  return files
}

function surfaceArrays({ nodes, training, heldOut, classes, curvature }: SurfaceResults): Arrays {
  const shape = nodes.map((n) => n.length).toReversed()
  return {
    ...Object.fromEntries(nodes.map((n, i) => [axisNames[i], float64Tensor([n.length], n)])),
    loss: float64Tensor(shape, training.values),
    ...(training.accuracies && { accuracy: float64Tensor(shape, training.accuracies) }),
    ...(heldOut && { heldOutLoss: float64Tensor(shape, heldOut.values) }),
    ...(heldOut?.accuracies && { heldOutAccuracy: float64Tensor(shape, heldOut.accuracies) }),
    ...(classes.length > 0 && classArrays(classes, shape)),
    ...(curvature && curvatureArrays(curvature)),
  }
}

/** One row per node. */
function surfaceColumns({ nodes, training, heldOut, classes }: SurfaceResults): Column[] {
  const stride = (axis: number): number => nodes.slice(0, axis).reduce((product, n) => product * n.length, 1)
  const at = (axis: number): Float64Array =>
    training.values.map((_, node) => nodes[axis][Math.floor(node / stride(axis)) % nodes[axis].length])
  const ofState = ({ values, accuracies }: GridState, prefix: string, of: string): Column[] => [
    { name: `${prefix}loss`, description: `loss of ${of}`, data: values },
    ...(accuracies
      ? [{ name: `${prefix}accuracy`, description: `share of ${of} that is right`, data: accuracies }]
      : []),
  ]
  return [
    ...nodes.map((_, axis) => ({
      name: axisNames[axis],
      description: `step along direction ${axis + 1}, in units of that direction`,
      data: at(axis),
    })),
    ...ofState(training, '', 'the training data'),
    ...(heldOut ? ofState(heldOut, 'held_out_', 'the held-out data') : []),
    ...classes.flatMap(({ label, state }) => ofState(state, `class_${label}_`, `the samples of class ${label}`)),
  ]
}

/** Per class, in the order of `classLabels`. */
function classArrays(classes: SurfaceResults['classes'], shape: readonly number[]): Arrays {
  const stacked = (of: (state: GridState) => Float64Array): Float64Array =>
    Float64Array.from(classes.flatMap(({ state }) => Array.from(of(state))))
  const all = [classes.length, ...shape]
  return {
    classLabels: tensor(
      'int64',
      [classes.length],
      BigInt64Array.from(classes, ({ label }) => BigInt(label)),
    ),
    classLoss: float64Tensor(
      all,
      stacked(({ values }) => values),
    ),
    ...(classes[0].state.accuracies && {
      classAccuracy: float64Tensor(
        all,
        stacked((s) => s.accuracies!),
      ),
    }),
  }
}

/** The surface with the loss as height, and the trajectories on it. */
function polyDataOf({ nodes: [x, y], training, trajectories }: SurfaceResults): Record<string, PolyData> {
  const { values, accuracies } = training
  const surface = surfacePolyData(x, y, { loss: values, ...(accuracies && { accuracy: accuracies }) }, values)
  if (trajectories.length === 0) return { surface }
  const all = trajectories.flatMap((t) => t.points)
  let first = 0
  const lines = trajectories.map(({ points }) => {
    first += points.length
    return points.map((_, i) => first - points.length + i)
  })
  const points = Float64Array.from(all.flatMap((p) => [p.coordinates[0], p.coordinates[1], p.planeLoss]))
  const pointData = {
    loss: Float64Array.from(all, (p) => p.loss),
    planeLoss: Float64Array.from(all, (p) => p.planeLoss),
    offPlaneDistance: Float64Array.from(all, (p) => p.offPlaneDistance),
  }
  return { surface, trajectory: { points, lines, pointData } }
}
