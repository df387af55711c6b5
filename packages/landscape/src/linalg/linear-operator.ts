import { DomainError, ShapeError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { gemv, matmul, requireSquare, symmetryDefect, transpose } from './matrix.ts'
import { axpy, dot, firstNonFinite, scale } from './vector.ts'

/** A square linear map of vectors of `size` numbers, given by its products; asynchronous because engines are.
 * `apply` must neither keep nor change its argument, and returns a new array each time. */
export interface LinearOperator {
  readonly size: number
  /** A v, [size]. */
  apply(v: Float64Array): Promise<Float64Array>
  /** `count` products at once, where that is cheaper: rows of `vectors` [count × size] in, rows of the result out. */
  applyBatch?(vectors: Float64Array, count: number): Promise<Float64Array>
}

/** Products with `count` rows, batched where the operator can; checks the size of what comes back.
 * @throws {ShapeError} if the operator returns another number of entries; {DomainError} if one is not finite. */
export async function applyRows(
  where: string,
  operator: LinearOperator,
  vectors: Float64Array,
  count: number,
): Promise<Float64Array> {
  const { size } = operator
  if (operator.applyBatch !== undefined && count > 1) {
    return checkedProduct(where, await operator.applyBatch(vectors, count), count * size, size)
  }
  const result = new Float64Array(count * size)
  for (let i = 0; i < count; i++) {
    const product = await operator.apply(vectors.slice(i * size, (i + 1) * size))
    result.set(checkedProduct(where, product, size, size), i * size)
  }
  return result
}

function checkedProduct(where: string, product: Float64Array, length: number, size: number): Float64Array {
  if (product.length !== length) {
    throw new ShapeError(`${where}: the operator must return ${length} numbers, got ${product.length}.`)
  }
  const bad = firstNonFinite(product)
  if (bad >= 0) {
    throw new DomainError(
      `${where}: the operator must return finite numbers, got ${product[bad]} at entry ${bad % size}. ` +
        'Check that loss and derivatives are finite at this point.',
      { entry: bad % size, value: product[bad] },
    )
  }
  return product
}

/** The operator of a square matrix.
 * @throws {ShapeError} if `a` is not square. */
export function denseOperator(a: Matrix): LinearOperator {
  requireSquare('denseOperator', a)
  const transposed = symmetryDefect(a) === 0 ? a : transpose(a)
  return {
    size: a.rows,
    apply: async (v) => gemv(a, v),
    applyBatch: async (vectors, count) => matmul({ rows: count, cols: a.rows, data: vectors }, transposed).data,
  }
}

/** The operator of diag(d). */
export function diagonalOperator(diagonal: Float64Array): LinearOperator {
  return { size: diagonal.length, apply: async (v) => v.map((value, i) => value * diagonal[i]) }
}

/** Unit vectors start … start + count − 1 as rows [count × size]. */
export function unitRows(start: number, count: number, size: number): Float64Array {
  const rows = new Float64Array(count * size)
  for (let i = 0; i < count; i++) rows[i * size + start + i] = 1
  return rows
}

export interface DenseOptions {
  /** Columns per batched product; default 32. */
  readonly batch?: number
  readonly onProgress?: (products: number, total: number) => void
  /** Whether to average the matrix with its transpose; default true. */
  readonly symmetrize?: boolean
}

export interface DenseOfOperator {
  readonly matrix: Matrix
  /** max |a_ij − a_ji| / max |a_ij| before symmetrizing: rounding for a symmetric operator. */
  readonly symmetryDefect: number
}

/** The matrix of an operator, from its products with the unit vectors.
 * @throws {ShapeError}, {DomainError} as `applyRows`.
 * Cost: size products, size² numbers. */
export async function denseOf(operator: LinearOperator, options: DenseOptions = {}): Promise<DenseOfOperator> {
  const { size } = operator
  const batch = options.batch ?? 32
  const data = new Float64Array(size * size)
  for (let start = 0; start < size; start += batch) {
    const count = Math.min(batch, size - start)
    const products = await applyRows('denseOf', operator, unitRows(start, count, size), count)
    // Product i is column start + i; stored as a row, and transposed at the end.
    data.set(products, start * size)
    options.onProgress?.(start + count, size)
  }
  const transposed = { rows: size, cols: size, data }
  const matrix = transpose(transposed)
  const defect = symmetryDefect(matrix)
  if (options.symmetrize ?? true) for (let i = 0; i < data.length; i++) matrix.data[i] = (matrix.data[i] + data[i]) / 2
  return { matrix, symmetryDefect: defect }
}

/** αA + σI. */
export function shiftedOperator(operator: LinearOperator, shift: number, factor: number = 1): LinearOperator {
  return mapped(operator, (product, v) => {
    if (factor !== 1) scale(factor, product)
    axpy(shift, v, product)
  })
}

/** αA. */
export function scaledOperator(operator: LinearOperator, factor: number): LinearOperator {
  return mapped(operator, (product) => scale(factor, product))
}

/** P A P with P = I − QᵀQ the projection away from the rows of `basis` [count × size], which must be orthonormal. */
export function projectedOperator(operator: LinearOperator, basis: Matrix): LinearOperator {
  const { size } = operator
  if (basis.cols !== size) {
    throw new ShapeError(`projectedOperator: basis rows must have ${size} entries, got ${basis.cols}.`)
  }
  const project = (vectors: Float64Array): Float64Array => {
    for (let start = 0; start < vectors.length; start += size) {
      const v = vectors.subarray(start, start + size)
      for (let i = 0; i < basis.rows; i++) {
        const q = basis.data.subarray(i * size, (i + 1) * size)
        axpy(-dot(q, v), q, v)
      }
    }
    return vectors
  }
  const inner = operator.applyBatch?.bind(operator)
  return {
    size,
    apply: async (v) => project((await operator.apply(project(v.slice()))).slice()),
    ...(inner && { applyBatch: async (v, count) => project((await inner(project(v.slice()), count)).slice()) }),
  }
}

/** The operator whose products are those of `operator` after `change(product, v)`. */
function mapped(operator: LinearOperator, change: (product: Float64Array, v: Float64Array) => void): LinearOperator {
  const changed = (product: Float64Array, v: Float64Array): Float64Array => {
    const copy = product.slice()
    change(copy, v)
    return copy
  }
  const inner = operator.applyBatch?.bind(operator)
  return {
    size: operator.size,
    apply: async (v) => changed(await operator.apply(v), v),
    ...(inner && { applyBatch: async (v, count) => changed(await inner(v, count), v) }),
  }
}
