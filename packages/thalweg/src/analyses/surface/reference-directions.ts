/** Directions in HDF5 as the reference tool of Li et al. (2018) reads and writes them. */
import { DomainError, ShapeError, numbersOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import type { Model } from '@thalweg/landscape'
import { decodeHdf5 } from '../../formats/hdf5.ts'
import type { Hdf5Content } from '../../formats/hdf5.ts'

/** Names of the axes, as the keys of the files begin. */
export const axisNames: readonly string[] = ['x', 'y', 'z']

/** Name of the file of directions beside the surface. */
export const directionsFile = 'directions.h5'

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
