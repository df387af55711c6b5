import { DomainError, ShapeError } from './errors.ts'

export type DType = 'float64' | 'float32' | 'int64' | 'bool'
export type FloatDType = 'float64' | 'float32'
export type Shape = readonly number[]

/** The array that holds the elements of each dtype; `bool` is one byte per element, 0 or 1. */
export interface DataOf {
  float64: Float64Array
  float32: Float32Array
  int64: BigInt64Array
  bool: Uint8Array
}

/** A dense array in row-major order. Treated as immutable by everything that receives one. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: Shape
  readonly data: DataOf[D]
}

/** Refuses axis lengths that are not integers ≥ 0.
 * @throws {ShapeError} naming `where` and the shape. */
export function checkShape(where: string, shape: Shape): void {
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw new ShapeError(`${where}: axis lengths must be integers ≥ 0, got [${shape}].`, { shape })
}

/** Number of elements of a shape; 1 for a scalar `[]`. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (const d of shape) size *= d
  return size
}

const constructors = {
  float64: Float64Array,
  float32: Float32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT
}

export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'float64' || dtype === 'float32'
}

/** New zeroed storage for `length` elements. */
export function allocate<D extends DType>(dtype: D, length: number): DataOf[D] {
  return new constructors[dtype](length) as DataOf[D]
}

/** A tensor over existing data, without copying.
 * @throws {ShapeError} if the data's type or length does not match dtype and shape. */
export function tensor<D extends DType>(dtype: D, shape: Shape, data: DataOf[D]): Tensor<D> {
  if (!(data instanceof constructors[dtype]))
    throw new ShapeError(
      `tensor: ${dtype} needs ${constructors[dtype].name}, got ${(data as object).constructor.name}.`,
    )
  checkShape('tensor', shape)
  if (data.length !== sizeOf(shape))
    throw new ShapeError(`tensor: shape [${shape}] has ${sizeOf(shape)} elements, got ${data.length}.`)
  return { dtype, shape, data }
}

/** A tensor from numbers, converted to `dtype` (int64 requires safe integers). */
export function tensorOf<D extends DType>(dtype: D, shape: Shape, values: ArrayLike<number>): Tensor<D> {
  const data = allocate(dtype, values.length)
  if (dtype === 'int64') {
    const out = data as BigInt64Array
    for (let i = 0; i < values.length; i++) {
      if (!Number.isSafeInteger(values[i]))
        throw new DomainError(`tensorOf: int64 needs safe integers, got ${values[i]} at ${i}.`)
      out[i] = BigInt(values[i])
    }
  } else if (dtype === 'bool') {
    for (let i = 0; i < values.length; i++) (data as Uint8Array)[i] = values[i] ? 1 : 0
  } else (data as Float64Array).set(values)
  return tensor(dtype, shape, data)
}

/** The elements as numbers. Float64 data is returned as it is, not copied. */
export function numbersOf(value: Tensor): Float64Array {
  if (value.dtype === 'float64') return value.data as Float64Array
  const out = new Float64Array(value.data.length)
  for (let i = 0; i < out.length; i++) out[i] = Number(value.data[i])
  return out
}

/** The same values in another dtype; the same object when nothing changes. */
export function castTensor<D extends DType>(value: Tensor, dtype: D): Tensor<D> {
  if (value.dtype === dtype) return value as Tensor<D>
  const values = numbersOf(value)
  return tensorOf(dtype, value.shape, dtype === 'int64' ? values.map(Math.trunc) : values)
}

/** Row-major strides of a shape, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]
  }
  return strides
}
