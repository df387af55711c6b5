import { ShapeError } from '@thalweg/graph'
import type { Matrix } from '../../linalg/matrix.ts'
import { rowKernels } from './kernel-inputs.ts'
import { pixelRows } from './scaled-forward.ts'

/** Inner products and half squared distances of all pixels of unit samples [n × channels · pixels] (of the samples
 * themselves where there is no image: 0 channels). Without image the diagonal is exactly 1, so that all variances are one
 * number.
 * @throws {ShapeError} if the features are not channels × pixels. */
export function pixelKernels(
  unit: Matrix,
  channels: number,
  pixels: number,
): { readonly products: Matrix; readonly distances: Matrix } {
  if (channels === 0) {
    const kernels = rowKernels(unit)
    for (let i = 0; i < unit.rows; i++) kernels.products.data[i * unit.rows + i] = 1
    return kernels
  }
  if (unit.cols !== channels * pixels)
    throw new ShapeError(`gram: samples must have channels × pixels = ${channels * pixels} features, got ${unit.cols}.`)
  return rowKernels(pixelRows(unit, pixels))
}
