import { DomainError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { copyMatrix, requireSquare } from './matrix.ts'
import { requireLength } from './triangular.ts'

/** Numbers of negative, zero and positive eigenvalues. */
export interface Inertia {
  readonly negative: number
  readonly zero: number
  readonly positive: number
}

export interface Ldlt {
  /** Row and column i of the factored matrix are row and column `permutation[i]` of A: P A Pᵀ = L D Lᵀ. */
  readonly permutation: Uint32Array
  /** L below the diagonal (its unit diagonal left out; zero inside a 2 × 2 block), [n × n]. */
  readonly lower: Matrix
  /** Diagonal of D, [n]. */
  readonly diagonal: Float64Array
  /** Off-diagonal of D, [n]: entry i couples i and i + 1, nonzero exactly in 2 × 2 blocks. */
  readonly offDiagonal: Float64Array
  /** Inertia of A by Sylvester's law: signs of the eigenvalues of D, zero where |λ(D)| ≤ threshold (default 0). The
   * threshold is on D, not on A: to count eigenvalues of A below σ, factor A − σI. */
  inertia(threshold?: number): Inertia
  /** The x of A x = b, [n]. @throws {DomainError} if D is singular. */
  solve(b: Float64Array): Float64Array
}

/** Balances growth for 1 × 1 and 2 × 2 pivots: (1 + √17) / 8. */
const growthBound = (1 + Math.sqrt(17)) / 8

/** Factorization P A Pᵀ = L D Lᵀ of a symmetric, possibly indefinite matrix, with D of 1 × 1 and 2 × 2 blocks; only
 * the lower triangle of `a` is read.
 *
 * @throws {ShapeError} if `a` is not square.
 * Cost: n³/3 operations. Source: Bunch and Kaufman, Math. Comp. 31 (1977), diagonal pivoting method A. */
export function ldlt(a: Matrix): Ldlt {
  requireSquare('ldlt', a)
  const n = a.rows
  const lower = copyMatrix(a)
  const l = lower.data
  const permutation = Uint32Array.from({ length: n }, (_, i) => i)
  const diagonal = new Float64Array(n)
  const offDiagonal = new Float64Array(n)
  let k = 0
  while (k < n) {
    const { row, size } = choosePivot(l, n, k)
    const target = k + size - 1
    if (row !== target) swapSymmetric(l, n, target, row, permutation)
    if (size === 1) eliminateOne(l, n, k, diagonal)
    else eliminateTwo(l, n, k, diagonal, offDiagonal)
    k += size
  }
  for (let i = 0; i < n; i++) l.fill(0, i * n + i, (i + 1) * n)
  for (let i = 0; i < n - 1; i++) if (offDiagonal[i] !== 0) l[(i + 1) * n + i] = 0
  return {
    permutation,
    lower,
    diagonal,
    offDiagonal,
    inertia: (threshold = 0) => countSigns(diagonal, offDiagonal, threshold),
    solve: (b) => solveFactored(lower, permutation, diagonal, offDiagonal, b),
  }
}

/** The row to bring to the end of the pivot block that starts at k, and the size of that block. */
function choosePivot(l: Float64Array, n: number, k: number): { row: number; size: 1 | 2 } {
  const here = Math.abs(l[k * n + k])
  let r = k
  let lambda = 0
  for (let i = k + 1; i < n; i++) {
    const entry = Math.abs(l[i * n + k])
    if (entry > lambda) {
      lambda = entry
      r = i
    }
  }
  if (lambda === 0 || here >= growthBound * lambda) return { row: k, size: 1 }
  let sigma = 0
  for (let j = k; j < n; j++) {
    if (j !== r) sigma = Math.max(sigma, Math.abs(j < r ? l[r * n + j] : l[j * n + r]))
  }
  if (here * sigma >= growthBound * lambda * lambda) return { row: k, size: 1 }
  return Math.abs(l[r * n + r]) >= growthBound * sigma ? { row: r, size: 1 } : { row: r, size: 2 }
}

/** Exchanges rows and columns i < j of the trailing matrix, and with them rows i and j of the finished part of L. */
function swapSymmetric(l: Float64Array, n: number, i: number, j: number, permutation: Uint32Array): void {
  const exchange = (p: number, q: number): void => {
    const kept = l[p]
    l[p] = l[q]
    l[q] = kept
  }
  for (let c = 0; c < i; c++) exchange(i * n + c, j * n + c)
  for (let c = i + 1; c < j; c++) exchange(c * n + i, j * n + c)
  for (let c = j + 1; c < n; c++) exchange(c * n + i, c * n + j)
  exchange(i * n + i, j * n + j)
  const kept = permutation[i]
  permutation[i] = permutation[j]
  permutation[j] = kept
}

function eliminateOne(l: Float64Array, n: number, k: number, diagonal: Float64Array): void {
  const pivot = l[k * n + k]
  diagonal[k] = pivot
  if (pivot === 0) return
  const old = new Float64Array(n)
  for (let i = k + 1; i < n; i++) old[i] = l[i * n + k]
  for (let i = k + 1; i < n; i++) {
    const multiplier = old[i] / pivot
    if (multiplier !== 0) for (let j = k + 1; j <= i; j++) l[i * n + j] -= multiplier * old[j]
    l[i * n + k] = multiplier
  }
}

function eliminateTwo(l: Float64Array, n: number, k: number, diagonal: Float64Array, offDiagonal: Float64Array): void {
  const coupling = l[(k + 1) * n + k]
  const a = l[k * n + k] / coupling
  const b = l[(k + 1) * n + k + 1] / coupling
  diagonal[k] = l[k * n + k]
  diagonal[k + 1] = l[(k + 1) * n + k + 1]
  offDiagonal[k] = coupling
  const inverse = 1 / (coupling * (a * b - 1))
  const first = new Float64Array(n)
  const second = new Float64Array(n)
  for (let i = k + 2; i < n; i++) {
    first[i] = l[i * n + k]
    second[i] = l[i * n + k + 1]
  }
  for (let i = k + 2; i < n; i++) {
    const x = inverse * (b * first[i] - second[i])
    const y = inverse * (a * second[i] - first[i])
    for (let j = k + 2; j <= i; j++) l[i * n + j] -= x * first[j] + y * second[j]
    l[i * n + k] = x
    l[i * n + k + 1] = y
  }
}

function countSigns(diagonal: Float64Array, offDiagonal: Float64Array, threshold: number): Inertia {
  const counts = { negative: 0, zero: 0, positive: 0 }
  const count = (value: number): void => {
    if (Math.abs(value) <= threshold) counts.zero++
    else if (value < 0) counts.negative++
    else counts.positive++
  }
  for (let i = 0; i < diagonal.length; i++) {
    const coupling = offDiagonal[i]
    if (coupling === 0) {
      count(diagonal[i])
      continue
    }
    const mean = diagonal[i] / 2 + diagonal[i + 1] / 2
    const radius = Math.hypot(diagonal[i] / 2 - diagonal[i + 1] / 2, coupling)
    count(mean + radius)
    count(mean - radius)
    i++
  }
  return counts
}

function solveFactored(
  lower: Matrix,
  permutation: Uint32Array,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  b: Float64Array,
): Float64Array {
  const n = lower.rows
  const l = lower.data
  requireLength('ldlt.solve', b, n)
  const x = Float64Array.from(permutation, (i) => b[i])
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) x[i] -= l[i * n + j] * x[j]
  for (let i = 0; i < n; i++) {
    const coupling = offDiagonal[i]
    if (coupling === 0) {
      if (diagonal[i] === 0) {
        throw new DomainError(`ldlt.solve: the matrix must be regular, got a zero pivot at ${i}. Use minresQlp.`)
      }
      x[i] /= diagonal[i]
      continue
    }
    const a = diagonal[i] / coupling
    const c = diagonal[i + 1] / coupling
    const inverse = 1 / (coupling * (a * c - 1))
    const first = inverse * (c * x[i] - x[i + 1])
    x[i + 1] = inverse * (a * x[i + 1] - x[i])
    x[i] = first
    i++
  }
  for (let i = n - 1; i >= 0; i--) for (let j = 0; j < i; j++) x[j] -= l[i * n + j] * x[i]
  const result = new Float64Array(n)
  for (let i = 0; i < n; i++) result[permutation[i]] = x[i]
  return result
}
