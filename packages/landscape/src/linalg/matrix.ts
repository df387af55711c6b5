import { ShapeError } from '@thalweg/graph'
import type { MatrixView } from './gemm.ts'
import { gemm } from './gemm.ts'
import { norm } from './vector.ts'

/** A dense real matrix [rows × cols], float64, row-major: entry (i, j) is `data[i * cols + j]`.
 * Functions of this folder return new matrices and never write to their arguments. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly data: Float64Array
}

/** Wraps row-major entries as a matrix, without copying.
 * @throws {ShapeError} if `data` does not hold rows × cols entries. */
export function matrix(rows: number, cols: number, data: Float64Array): Matrix {
  if (!(Number.isInteger(rows) && Number.isInteger(cols) && rows >= 0 && cols >= 0) || data.length !== rows * cols) {
    throw new ShapeError(`matrix: data must hold rows × cols entries, got ${data.length} for ${rows} × ${cols}.`)
  }
  return { rows, cols, data }
}

export function zeros(rows: number, cols: number): Matrix {
  return matrix(rows, cols, new Float64Array(rows * cols))
}

export function identity(size: number): Matrix {
  return diagonalMatrix(new Float64Array(size).fill(1))
}

export function diagonalMatrix(diagonal: ArrayLike<number>): Matrix {
  const result = zeros(diagonal.length, diagonal.length)
  for (let i = 0; i < diagonal.length; i++) result.data[i * diagonal.length + i] = diagonal[i]
  return result
}

/** A matrix from its rows, which are copied.
 * @throws {ShapeError} if they differ in length. */
export function matrixFromRows(rows: readonly ArrayLike<number>[]): Matrix {
  const cols = rows.length === 0 ? 0 : rows[0].length
  const result = zeros(rows.length, cols)
  rows.forEach((entries, i) => {
    if (entries.length !== cols) {
      throw new ShapeError(`matrixFromRows: rows must have one length, got ${entries.length} after ${cols}.`)
    }
    result.data.set(entries, i * cols)
  })
  return result
}

/** Row i, sharing the matrix's memory. */
export function row(a: Matrix, i: number): Float64Array {
  return a.data.subarray(i * a.cols, (i + 1) * a.cols)
}

/** Column j, copied. */
export function column(a: Matrix, j: number): Float64Array {
  const result = new Float64Array(a.rows)
  for (let i = 0; i < a.rows; i++) result[i] = a.data[i * a.cols + j]
  return result
}

export function copyMatrix(a: Matrix): Matrix {
  return { rows: a.rows, cols: a.cols, data: a.data.slice() }
}

/** Aᵀ, by tiles of 32 × 32. */
export function transpose(a: Matrix): Matrix {
  const { rows, cols, data } = a
  const result = zeros(cols, rows)
  for (let i0 = 0; i0 < rows; i0 += 32) {
    const i1 = Math.min(rows, i0 + 32)
    for (let j0 = 0; j0 < cols; j0 += 32) {
      const j1 = Math.min(cols, j0 + 32)
      for (let i = i0; i < i1; i++) for (let j = j0; j < j1; j++) result.data[j * rows + i] = data[i * cols + j]
    }
  }
  return result
}

function view(a: Matrix): MatrixView {
  return { data: a.data, offset: 0, rowStride: a.cols, columnStride: 1 }
}

function transposedView(a: Matrix): MatrixView {
  return { data: a.data, offset: 0, rowStride: 1, columnStride: a.cols }
}

function requireInner(where: string, left: number, right: number): void {
  if (left !== right) throw new ShapeError(`${where}: inner dimensions must agree, got ${left} and ${right}.`)
}

/** A B. Cost: 2 · rows · inner · cols operations, blocked. */
export function matmul(a: Matrix, b: Matrix): Matrix {
  requireInner('matmul', a.cols, b.rows)
  const result = zeros(a.rows, b.cols)
  gemm(a.rows, b.cols, a.cols, 1, view(a), view(b), view(result))
  return result
}

/** Aᵀ B, without forming Aᵀ. */
export function matmulTransposedLeft(a: Matrix, b: Matrix): Matrix {
  requireInner('matmulTransposedLeft', a.rows, b.rows)
  const result = zeros(a.cols, b.cols)
  gemm(a.cols, b.cols, a.rows, 1, transposedView(a), view(b), view(result))
  return result
}

/** A Bᵀ: all inner products of the rows of A with the rows of B. */
export function matmulTransposedRight(a: Matrix, b: Matrix): Matrix {
  requireInner('matmulTransposedRight', a.cols, b.cols)
  const result = zeros(a.rows, b.rows)
  const inner = a.cols
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      result.data[i * b.rows + j] = rowProduct(a.data, i * inner, b.data, j * inner, inner)
    }
  }
  return result
}

/** Inner product of two runs of `length` entries, with four partial sums. */
export function rowProduct(a: Float64Array, aStart: number, b: Float64Array, bStart: number, length: number): number {
  const whole = length - (length % 4)
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  for (let i = 0; i < whole; i += 4) {
    sum0 += a[aStart + i] * b[bStart + i]
    sum1 += a[aStart + i + 1] * b[bStart + i + 1]
    sum2 += a[aStart + i + 2] * b[bStart + i + 2]
    sum3 += a[aStart + i + 3] * b[bStart + i + 3]
  }
  for (let i = whole; i < length; i++) sum0 += a[aStart + i] * b[bStart + i]
  return sum0 + sum1 + (sum2 + sum3)
}

/** A x. */
export function gemv(a: Matrix, x: Float64Array): Float64Array {
  requireInner('gemv', a.cols, x.length)
  const result = new Float64Array(a.rows)
  for (let i = 0; i < a.rows; i++) result[i] = rowProduct(a.data, i * a.cols, x, 0, a.cols)
  return result
}

/** Aᵀ x, without forming Aᵀ. */
export function gemvTransposed(a: Matrix, x: Float64Array): Float64Array {
  requireInner('gemvTransposed', a.rows, x.length)
  const result = new Float64Array(a.cols)
  gemm(1, a.cols, a.rows, 1, { data: x, offset: 0, rowStride: a.rows, columnStride: 1 }, view(a), {
    data: result,
    offset: 0,
    rowStride: a.cols,
    columnStride: 1,
  })
  return result
}

/** Σ_i a_ii over the common diagonal. */
export function trace(a: Matrix): number {
  let sum = 0
  for (let i = 0; i < Math.min(a.rows, a.cols); i++) sum += a.data[i * a.cols + i]
  return sum
}

/** √Σ a_ij², safe against overflow and underflow. */
export function frobenius(a: Matrix): number {
  return norm(a.data)
}

/** max |a_ij − a_ji| / max |a_ij|: how far a square matrix is from symmetric; 0 for the zero matrix. */
export function symmetryDefect(a: Matrix): number {
  requireSquare('symmetryDefect', a)
  let defect = 0
  let largest = 0
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j <= i; j++) {
      const lower = a.data[i * a.cols + j]
      const upper = a.data[j * a.cols + i]
      defect = Math.max(defect, Math.abs(lower - upper))
      largest = Math.max(largest, Math.abs(lower), Math.abs(upper))
    }
  }
  return largest === 0 ? 0 : defect / largest
}

/** @throws {ShapeError} if `a` is not square. */
export function requireSquare(where: string, a: Matrix): void {
  if (a.rows !== a.cols) throw new ShapeError(`${where}: the matrix must be square, got ${a.rows} × ${a.cols}.`)
}
