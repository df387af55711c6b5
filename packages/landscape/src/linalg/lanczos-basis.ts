import type { RandomStream } from '../random/random-stream.ts'
import type { MatrixView } from './gemm.ts'
import { gemm } from './gemm.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import type { Matrix } from './matrix.ts'
import type { SymmetricEigen } from './symmetric-eigen.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import { norm, scale } from './vector.ts'
import { orthogonalize, randomOrthogonal } from './orthogonalize.ts'

const epsilon = 2 ** -53

/** An orthonormal basis V (rows) of a block Krylov space with the projected operator T, kept such that
 *
 *      A Vᵀ = Vᵀ T + Qᵀ F
 *
 * where the rows of Q are the next block, orthogonal to V. Every new block is orthogonalized twice against all of V,
 * and T is filled with the coefficients measured there, so no ghost can appear and a thick restart needs no special
 * form of T. A direction that vanishes (an invariant subspace) is replaced by a random one, with its row of F zero. */
export class LanczosBasis {
  readonly size: number
  readonly capacity: number
  /** Rows of V. */
  count = 0
  /** Rows of Q, stored behind V; 0 once V spans everything. */
  blockRows = 0
  products = 0
  breakdowns = 0
  /** The largest ‖A v‖ seen for a unit v: a lower bound of ‖A‖. */
  operatorNorm = 0
  readonly #operator: LinearOperator
  readonly #where: string
  readonly #stream: RandomStream
  readonly #block: number
  /** V, then Q. */
  readonly #rows: Float64Array
  /** T [capacity × capacity], of which the leading count × count entries are valid. */
  readonly #projected: Float64Array
  /** F [block × capacity]. */
  readonly #coupling: Float64Array

  constructor(where: string, operator: LinearOperator, capacity: number, block: number, stream: RandomStream) {
    this.#where = where
    this.#operator = operator
    this.#stream = stream
    this.size = operator.size
    this.capacity = Math.min(capacity, this.size)
    this.#block = Math.min(block, this.size)
    this.#rows = new Float64Array(Math.min(this.capacity + this.#block, this.size) * this.size)
    this.#projected = new Float64Array(this.capacity * this.capacity)
    this.#coupling = new Float64Array(this.#block * this.capacity)
  }

  /** Whether V and Q together fit, that is whether `expand` may be called. */
  get hasRoom(): boolean {
    return this.count + this.blockRows <= this.capacity
  }

  #row(i: number): Float64Array {
    return this.#rows.subarray(i * this.size, (i + 1) * this.size)
  }

  /** Q := random directions, preceded by the rows of `starts` [… × size] as far as they are independent; F := 0. */
  startBlock(starts: Float64Array = new Float64Array(0)): void {
    this.blockRows = Math.min(this.#block, this.size - this.count)
    this.#coupling.fill(0)
    for (let i = 0; i < this.blockRows; i++) {
      const target = this.#row(this.count + i)
      const given = starts.subarray(i * this.size, (i + 1) * this.size)
      const length = norm(given)
      if (given.length === this.size && length > 0 && Number.isFinite(length)) {
        target.set(given)
        scale(1 / length, target)
        orthogonalize(this.#rows, this.count + i, target)
        const left = norm(target)
        if (left > 1e-8) {
          scale(1 / left, target)
          continue
        }
      }
      randomOrthogonal(this.#rows, this.count + i, target, this.#stream)
    }
  }

  /** Moves Q into V: one product for each of its rows. */
  async expand(): Promise<void> {
    const { size, count, blockRows } = this
    const block = this.#rows.slice(count * size, (count + blockRows) * size)
    const images = (await applyRows(this.#where, this.#operator, block, blockRows)).slice()
    this.products += blockRows
    this.count += blockRows
    this.#coupling.fill(0)
    const nextRows = Math.min(this.#block, size - this.count)
    let filled = 0
    for (let i = 0; i < blockRows; i++) {
      const image = images.subarray(i * size, (i + 1) * size)
      this.operatorNorm = Math.max(this.operatorNorm, norm(image))
      const coefficients = orthogonalize(this.#rows, this.count + filled, image)
      this.#project(count + i, coefficients)
      for (let q = 0; q < filled; q++) {
        this.#coupling[q * this.capacity + count + i] = coefficients[this.count + q]
      }
      const left = norm(image)
      // What is left of an invariant subspace is rounding: of the product and of the orthogonalization.
      if (left <= 64 * epsilon * Math.sqrt(size) * this.operatorNorm || filled >= nextRows) continue
      this.#coupling[filled * this.capacity + count + i] = left
      scale(1 / left, image)
      this.#row(this.count + filled).set(image)
      filled++
    }
    for (; filled < nextRows; filled++) {
      this.breakdowns++
      randomOrthogonal(this.#rows, this.count + filled, this.#row(this.count + filled), this.#stream)
    }
    this.blockRows = nextRows
  }

  /** Row and column `index` of T. Entries between two rows of one block come twice; their mean is kept. */
  #project(index: number, coefficients: Float64Array): void {
    const t = this.#projected
    for (let i = 0; i < this.count; i++) {
      const seen = i >= this.count - this.blockRows && i < index
      const value = seen ? (t[i * this.capacity + index] + coefficients[i]) / 2 : coefficients[i]
      t[i * this.capacity + index] = value
      t[index * this.capacity + i] = value
    }
  }

  /** T [count × count]. */
  projection(): Matrix {
    const n = this.count
    const data = new Float64Array(n * n)
    for (let i = 0; i < n; i++) data.set(this.#projected.subarray(i * this.capacity, i * this.capacity + n), i * n)
    return { rows: n, cols: n, data }
  }

  /** Eigenvalues (ascending) and eigenvectors (columns) of T. */
  ritz(): SymmetricEigen {
    const n = this.count
    const eigen = symmetricEigen(this.projection())
    if (n > 0) {
      this.operatorNorm = Math.max(this.operatorNorm, Math.abs(eigen.values[0]), Math.abs(eigen.values[n - 1]))
    }
    return eigen
  }

  /** ‖F s‖ for each column s of `vectors` [count × …]: the residual norm of a Ritz pair, and of other unit vectors the part
   * of A Vᵀ s outside of V. */
  residuals(vectors: Matrix): Float64Array {
    const columns = vectors.cols
    const squares = new Float64Array(columns)
    for (let q = 0; q < this.blockRows; q++) {
      const image = this.couplingTimes(q, vectors)
      for (let j = 0; j < columns; j++) squares[j] += image[j] * image[j]
    }
    return squares.map(Math.sqrt)
  }

  /** Row q of F S for the columns S of `vectors` [count × …]. */
  couplingTimes(q: number, { data, cols }: Matrix): Float64Array {
    const image = new Float64Array(cols)
    for (let i = 0; i < this.count; i++) {
      const f = this.#coupling[q * this.capacity + i]
      if (f !== 0) for (let j = 0; j < cols; j++) image[j] += f * data[i * cols + j]
    }
    return image
  }

  /** The combinations of the rows of V with the given columns of `vectors` [count × …], as rows [columns × size]. */
  combine(vectors: Matrix, columns: readonly number[]): Float64Array {
    const result = new Float64Array(columns.length * this.size)
    combineRows(vectors, columns, this.#rows, this.size, result, 0, this.size)
    return result
  }

  /** Thick restart: V := the Ritz vectors of the given columns, T := their values; Q stays. Columns that are no eigenvectors
   * of T lose what couples them to the columns that go. */
  restart(eigen: SymmetricEigen, columns: readonly number[]): void {
    const { size, count, blockRows, capacity } = this
    const kept = columns.length
    const n = count
    const coupling = new Float64Array(this.#block * capacity)
    for (let q = 0; q < blockRows; q++) {
      const image = this.couplingTimes(q, eigen.vectors)
      for (let j = 0; j < kept; j++) coupling[q * capacity + j] = image[columns[j]]
    }
    this.#coupling.set(coupling)
    // Column strips, so that V is overwritten with only a strip of it copied.
    const strip = 1024
    const old = new Float64Array(n * Math.min(strip, size))
    for (let start = 0; start < size; start += strip) {
      const width = Math.min(strip, size - start)
      for (let i = 0; i < n; i++) {
        old.set(this.#rows.subarray(i * size + start, i * size + start + width), i * width)
      }
      for (let i = 0; i < kept; i++) this.#rows.fill(0, i * size + start, i * size + start + width)
      combineRows(eigen.vectors, columns, old, width, this.#rows, start, size)
    }
    this.#rows.copyWithin(kept * size, count * size, (count + blockRows) * size)
    this.#projected.fill(0)
    for (let j = 0; j < kept; j++) this.#projected[j * capacity + j] = eigen.values[columns[j]]
    this.count = kept
  }
}

/** target_r += Σ_i s_ir row_i for the given columns s of `vectors`, over runs of `width` entries. */
function combineRows(
  vectors: Matrix,
  columns: readonly number[],
  rows: Float64Array,
  width: number,
  target: Float64Array,
  targetOffset: number,
  targetStride: number,
): void {
  const n = vectors.rows
  const selected = selectedRows(vectors, columns)
  const s: MatrixView = { data: selected, offset: 0, rowStride: n, columnStride: 1 }
  const source: MatrixView = { data: rows, offset: 0, rowStride: width, columnStride: 1 }
  const result: MatrixView = { data: target, offset: targetOffset, rowStride: targetStride, columnStride: 1 }
  gemm(columns.length, width, n, 1, s, source, result)
}

/** The given columns of a matrix, as rows. */
function selectedRows({ data, rows, cols }: Matrix, columns: readonly number[]): Float64Array {
  const result = new Float64Array(columns.length * rows)
  columns.forEach((column, r) => {
    for (let i = 0; i < rows; i++) result[r * rows + i] = data[i * cols + column]
  })
  return result
}
