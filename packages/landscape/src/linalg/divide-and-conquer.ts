import type { MatrixView } from './gemm.ts'
import { gemm } from './gemm.ts'
import { RotationQueue } from './rotation-queue.ts'
import { secularRoots } from './secular-equation.ts'
import { diagonalize } from './tridiagonal.ts'
import { maxNorm } from './vector.ts'

const epsilon = 2 ** -53

/** Blocks up to this size are diagonalized by QL. */
const leafSize = 64

/** Eigenvalues and eigenvectors of a symmetric tridiagonal matrix by divide and conquer: halves T₁ and T₂ are solved and
 * joined,
 *
 *      T = diag(T₁, T₂) + ρ u uᵀ = Q (D + ρ z zᵀ) Qᵀ ,
 *
 * where the eigenvectors of D + ρ z zᵀ come from its secular equation, for a z recomputed so that they are orthogonal to
 * rounding. Most of the work is then matrix products, and what has deflated takes no part in them.
 *
 * @param d  [n], overwritten by the eigenvalues, ascending. Entries of moderate size.
 * @param e  [≥ n − 1], destroyed.
 * @returns eigenvectors as rows [n × n], in the order of the values.
 * Cost: at most about 4/3 n³ operations and 3n² numbers. Absolute, not relative, accuracy of the values.
 * Source: Cuppen (1981); Gu and Eisenstat (1995); the deflation of LAPACK's dlaed2. */
export function divideAndConquer(d: Float64Array, e: Float64Array): Float64Array {
  const n = d.length
  const joining = new Joining(d, e)
  joining.solve(0, n)
  return joining.sorted()
}

/** Which columns of a row of Q are not zero while two blocks are joined. */
const first = 0
const both = 1
const second = 2

class Joining {
  readonly #d: Float64Array
  readonly #e: Float64Array
  readonly #n: number
  /** Eigenvectors of the blocks as rows; those of rows lo … hi − 1 live in columns lo … hi − 1. */
  readonly #rows: Float64Array
  /** Positions of each block's values, ascending. */
  readonly #order: Uint32Array
  readonly #factors: Float64Array
  readonly #gathered: Float64Array

  constructor(d: Float64Array, e: Float64Array) {
    const n = d.length
    this.#d = d
    this.#e = e
    this.#n = n
    this.#rows = new Float64Array(n * n)
    this.#order = new Uint32Array(n)
    const joins = n > leafSize
    this.#factors = new Float64Array(joins ? n * n : 0)
    this.#gathered = new Float64Array(joins ? n * n : 0)
  }

  /** Diagonalizes rows and columns lo … hi − 1 of T. */
  solve(lo: number, hi: number): void {
    if (hi - lo <= leafSize) {
      this.#leaf(lo, hi)
      return
    }
    const middle = (lo + hi) >> 1
    const coupling = this.#e[middle - 1]
    this.#d[middle - 1] -= Math.abs(coupling)
    this.#d[middle] -= Math.abs(coupling)
    this.solve(lo, middle)
    this.solve(middle, hi)
    this.#join(lo, middle, hi, coupling)
  }

  /** The vectors in the order of the values, which are sorted too. */
  sorted(): Float64Array {
    const n = this.#n
    const result = this.#factors.length > 0 ? this.#factors : new Float64Array(n * n)
    this.#order.forEach((from, to) => result.set(this.#rows.subarray(from * n, (from + 1) * n), to * n))
    this.#d.set(Float64Array.from(this.#order, (from) => this.#d[from]))
    return result
  }

  #leaf(lo: number, hi: number): void {
    const size = hi - lo
    const z = new Float64Array(size * size)
    for (let i = 0; i < size; i++) z[i * size + i] = 1
    const couplings = new Float64Array(size)
    couplings.set(this.#e.subarray(lo, hi - 1))
    diagonalize(this.#d.subarray(lo, hi), couplings, new RotationQueue(z, size, size))
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) this.#rows[(lo + j) * this.#n + lo + i] = z[i * size + j]
    this.#sortPositions(lo, hi)
  }

  #sortPositions(lo: number, hi: number): void {
    const d = this.#d
    const order = this.#order.subarray(lo, hi)
    for (let i = 0; i < order.length; i++) order[i] = lo + i
    order.sort((i, j) => d[i] - d[j] || i - j)
  }

  #join(lo: number, middle: number, hi: number, coupling: number): void {
    const problem = this.#deflated(lo, middle, hi, coupling)
    const k = problem.positions.length
    if (k > 0) {
      const roots = new Float64Array(k)
      secularRoots(k, problem.poles, problem.z, problem.rho, roots, this.#factors)
      const columns = groupedByKind(problem.kinds)
      secularVectors(k, problem.poles, problem.z, columns.placeOf, this.#factors)
      this.#multiply(problem.positions, columns, [lo, middle, hi])
      problem.positions.forEach((position, i) => {
        this.#d[position] = roots[i]
      })
    }
    this.#sortPositions(lo, hi)
  }

  /** What is left of D + ρ z zᵀ where entries of z are negligible, or are made so by rotating rows of nearly equal
   * values; a value that deflates is final, and so is its row. */
  #deflated(lo: number, middle: number, hi: number, coupling: number): RankOneProblem {
    const d = this.#d
    const n = this.#n
    const z = new Float64Array(hi - lo)
    const kinds = new Uint8Array(hi - lo)
    for (let i = lo; i < hi; i++) {
      const entry = i < middle ? this.#rows[i * n + middle - 1] : Math.sign(coupling) * this.#rows[i * n + middle]
      z[i - lo] = entry * Math.SQRT1_2
      kinds[i - lo] = i < middle ? first : second
    }
    const rho = 2 * Math.abs(coupling)
    const tolerance = 8 * epsilon * Math.max(maxNorm(d.subarray(lo, hi)), maxNorm(z))
    const kept: number[] = []
    for (const position of this.#merged(lo, middle, hi)) {
      if (rho * Math.abs(z[position - lo]) <= tolerance) continue
      const last = kept.at(-1)
      if (last !== undefined && this.#rotatedApart(last, position, lo, z, tolerance)) {
        if (kinds[last - lo] !== kinds[position - lo]) kinds[last - lo] = kinds[position - lo] = both
        kept.pop()
      }
      kept.push(position)
    }
    return {
      positions: Uint32Array.from(kept),
      poles: Float64Array.from(kept, (position) => d[position]),
      z: Float64Array.from(kept, (position) => z[position - lo]),
      kinds: Uint8Array.from(kept, (position) => kinds[position - lo]),
      rho,
    }
  }

  /** Positions lo … hi − 1 by value, from the orders of the two blocks. */
  #merged(lo: number, middle: number, hi: number): Uint32Array {
    const d = this.#d
    const result = new Uint32Array(hi - lo)
    let i = lo
    let j = middle
    for (let at = 0; at < result.length; at++) {
      const fromFirst = j === hi || (i < middle && d[this.#order[i]] <= d[this.#order[j]])
      result[at] = this.#order[fromFirst ? i++ : j++]
    }
    return result
  }

  /** Turns the plane of two rows so that the lower one's entry of z vanishes, if their values are so close that what
   * this leaves beside the diagonal is negligible. */
  #rotatedApart(lower: number, upper: number, lo: number, z: Float64Array, tolerance: number): boolean {
    const d = this.#d
    const length = Math.hypot(z[lower - lo], z[upper - lo])
    const c = z[upper - lo] / length
    const s = -z[lower - lo] / length
    const difference = d[upper] - d[lower]
    if (Math.abs(difference * c * s) > tolerance) return false
    z[upper - lo] = length
    z[lower - lo] = 0
    const rows = this.#rows
    const a = lower * this.#n
    const b = upper * this.#n
    for (let i = lo; i < lo + z.length; i++) {
      const x = rows[a + i]
      const y = rows[b + i]
      rows[a + i] = c * x + s * y
      rows[b + i] = c * y - s * x
    }
    const [low, high] = [d[lower], d[upper]]
    d[lower] = low * c * c + high * s * s
    d[upper] = low * s * s + high * c * c
    return true
  }

  /** Rows at `positions` ← factors × those rows. Rows of one block only are zero in the other's columns, and the order of
   * `columns` puts those that count for either together. */
  #multiply(positions: Uint32Array, columns: Columns, [lo, middle, hi]: readonly [number, number, number]): void {
    const k = positions.length
    const halves = [
      { start: lo, width: middle - lo, from: 0, count: columns.secondStart },
      { start: middle, width: hi - middle, from: columns.bothStart, count: k - columns.bothStart },
    ]
    for (const { start, width, from, count } of halves) {
      for (let l = 0; l < count; l++) {
        const source = positions[columns.order[from + l]] * this.#n + start
        this.#gathered.set(this.#rows.subarray(source, source + width), l * width)
      }
      const b: MatrixView = { data: this.#gathered, offset: 0, rowStride: width, columnStride: 1 }
      // Kept positions are not evenly spaced: products go to rows of their own and are then put in place.
      const product = new Float64Array(k * width)
      gemm(k, width, count, 1, { data: this.#factors, offset: from, rowStride: k, columnStride: 1 }, b, {
        data: product,
        offset: 0,
        rowStride: width,
        columnStride: 1,
      })
      positions.forEach((position, i) => {
        this.#rows.set(product.subarray(i * width, (i + 1) * width), position * this.#n + start)
      })
    }
  }
}

/** D + ρ z zᵀ after deflation, by ascending value. */
interface RankOneProblem {
  /** Where its values and rows are kept. */
  readonly positions: Uint32Array
  readonly poles: Float64Array
  readonly z: Float64Array
  readonly kinds: Uint8Array
  readonly rho: number
}

/** Columns of the factors: those of the first block, of both, of the second. */
interface Columns {
  /** Which entry of the problem each column belongs to, and the inverse. */
  readonly order: Uint32Array
  readonly placeOf: Uint32Array
  readonly bothStart: number
  readonly secondStart: number
}

function groupedByKind(kinds: Uint8Array): Columns {
  const order = Uint32Array.from(kinds, (_, i) => i).sort((i, j) => kinds[i] - kinds[j] || i - j)
  const placeOf = new Uint32Array(order.length)
  order.forEach((entry, place) => {
    placeOf[entry] = place
  })
  const bothStart = kinds.filter((kind) => kind === first).length
  return { order, placeOf, bothStart, secondStart: bothStart + kinds.filter((kind) => kind === both).length }
}

/** Eigenvectors of D + ρ z zᵀ from gaps [k × k] with d_j − λ_i in row i, in place: row i becomes ẑ_j / (d_j − λ_i),
 * normalized, at column `placeOf[j]`, with the ẑ for which the λ_i are exact (Gu and Eisenstat 1995). */
function secularVectors(k: number, d: Float64Array, z: Float64Array, placeOf: Uint32Array, gaps: Float64Array): void {
  const exact = new Float64Array(k)
  for (let j = 0; j < k; j++) exact[j] = gaps[j * k + j]
  for (let i = 0; i < k; i++) {
    const pole = d[i]
    for (let j = 0; j < i; j++) exact[j] *= gaps[i * k + j] / (d[j] - pole)
    for (let j = i + 1; j < k; j++) exact[j] *= gaps[i * k + j] / (d[j] - pole)
  }
  for (let j = 0; j < k; j++) exact[j] = z[j] < 0 ? -Math.sqrt(Math.abs(exact[j])) : Math.sqrt(Math.abs(exact[j]))
  const placed = new Float64Array(k)
  for (let i = 0; i < k; i++) {
    let square = 0
    for (let j = 0; j < k; j++) {
      const entry = exact[j] / gaps[i * k + j]
      placed[placeOf[j]] = entry
      square += entry * entry
    }
    const inverse = 1 / Math.sqrt(square)
    for (let j = 0; j < k; j++) gaps[i * k + j] = placed[j] * inverse
  }
}
