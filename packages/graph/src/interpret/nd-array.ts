import { allocate, castTensor, numbersOf, sizeOf, stridesOf, tensor } from '../core/tensor.ts'
import type { DType, Shape, Tensor } from '../core/tensor.ts'

/** The interpreter's value: every dtype held as float64 numbers (int64 exact to 2⁵³, bool as 0 and 1). */
export interface NdArray {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: Float64Array
}

export function ndArray(dtype: DType, shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))): NdArray {
  return { dtype, shape, data }
}

export function ndArrayOf(value: Tensor): NdArray {
  return ndArray(value.dtype, value.shape, numbersOf(value))
}

export function tensorOfNdArray(value: NdArray): Tensor {
  if (value.dtype === 'float64') return tensor('float64', value.shape, value.data)
  if (value.dtype === 'int64') {
    const out = allocate('int64', value.data.length)
    for (let i = 0; i < out.length; i++) out[i] = BigInt(value.data[i])
    return tensor('int64', value.shape, out)
  }
  return castTensor(tensor('float64', value.shape, value.data), value.dtype)
}

/** Calls `visit(position, coordinates)` for each element in row-major order. The coordinates are reused. */
export function forEachIndex(shape: Shape, visit: (position: number, at: number[]) => void): void {
  const at = new Array<number>(shape.length).fill(0)
  const size = sizeOf(shape)
  for (let position = 0; position < size; position++) {
    visit(position, at)
    for (let i = shape.length - 1; i >= 0; i--) {
      if (++at[i] < shape[i]) break
      at[i] = 0
    }
  }
}

/** Element positions of `shape` read as if broadcast to `target`: a stride of 0 along stretched axes. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape)
  const offset = target.length - shape.length
  return target.map((_, i) => (i < offset || shape[i - offset] === 1 ? 0 : strides[i - offset]))
}

export function positionOf(at: readonly number[], strides: readonly number[]): number {
  let p = 0
  for (let i = 0; i < strides.length; i++) p += at[i] * strides[i]
  return p
}

/** A new array whose element at each index is computed from the coordinates. */
export function generate(dtype: DType, shape: Shape, value: (at: number[]) => number): NdArray {
  const out = ndArray(dtype, shape)
  forEachIndex(shape, (position, at) => {
    out.data[position] = value(at)
  })
  return out
}
