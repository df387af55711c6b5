import { ShapeError } from '@thalweg/graph'

/** @throws {ShapeError} if `x` has not `length` entries. */
export function requireLength(where: string, x: Float64Array, length: number): void {
  if (x.length !== length) {
    throw new ShapeError(`${where}: the vector must have ${length} entries, got ${x.length}.`)
  }
}

/** Solves R x = b in place for the leading [size × size] block of an upper triangular matrix with rows of `stride`. */
export function solveUpper(r: Float64Array, stride: number, size: number, x: Float64Array): void {
  for (let i = size - 1; i >= 0; i--) {
    let sum = x[i]
    for (let j = i + 1; j < size; j++) sum -= r[i * stride + j] * x[j]
    x[i] = sum / r[i * stride + i]
  }
}

/** Solves Rᵀ x = b in place, R as in `solveUpper`. */
export function solveUpperTransposed(r: Float64Array, stride: number, size: number, x: Float64Array): void {
  for (let i = 0; i < size; i++) {
    x[i] /= r[i * stride + i]
    for (let j = i + 1; j < size; j++) x[j] -= r[i * stride + j] * x[i]
  }
}
