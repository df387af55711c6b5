import { sizeOf, tensorOf } from '@thalweg/graph'
import type { DType, Shape, Tensor } from '@thalweg/graph'

/** Values that both languages of a benchmark compute alike: scale · sin(1.7 i + phase) at position i (see sine_tensor.py). */
export function sineTensor(dtype: DType, shape: Shape, phase: number, scale = 1): Tensor {
  return tensorOf(
    dtype,
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(1.7 * i + phase)),
  )
}
