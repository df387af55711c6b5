import { DomainError, ShapeError } from '@thalweg/graph'
import {
  frobenius,
  identity,
  lu,
  matmul,
  matmulTransposedLeft,
  matrix,
  row,
  transpose,
  zeros,
} from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { criticalClass, requireSubset } from './critical-classes.ts'
import type { LinearKind } from './critical-classes.ts'
import type { LinearProblem } from './linear-problem.ts'
import { layerProduct } from './linear-weights.ts'

/** An invertible matrix D_k of a hidden layer, with its inverse. */
export interface HiddenBasis {
  readonly forward: Matrix
  readonly inverse: Matrix
}

/** The free choices in a critical point of class S with |S| = r. */
export interface CriticalBlocks {
  /** D_1 … D_H; default identities. */
  readonly bases?: readonly HiddenBasis[]
  /** Z_1 … Z_L, Z_k [(d_k − r) × (d_{k−1} − r)], where Z_1 has d_x columns and Z_L has d_y − r rows; default zero. */
  readonly z?: readonly Matrix[]
}

/** D with its inverse.
 * @throws {DomainError} if it is singular. */
export function hiddenBasis(forward: Matrix): HiddenBasis {
  const factors = lu(forward)
  const n = forward.rows
  const columns = Array.from({ length: n }, (_, j) => factors.solve(row(identity(n), j)))
  const inverse = zeros(n, n)
  columns.forEach((solution, j) => solution.forEach((entry, i) => (inverse.data[i * n + j] = entry)))
  return { forward, inverse }
}

/** The shapes of Z_1 … Z_L. */
export function zShapes({ widths, layers }: LinearProblem, rank: number): { rows: number; cols: number }[] {
  return Array.from({ length: layers }, (_, k) => ({
    rows: widths[k + 1] - rank,
    cols: k === 0 ? widths[0] : widths[k] - rank,
  }))
}

/** U_S and U_Q: the eigenvectors in S and the others, in columns. */
export function eigenvectorBlocks(problem: LinearProblem, subset: readonly number[]): { kept: Matrix; left: Matrix } {
  const { eigenvectors } = problem
  const positions = Array.from({ length: eigenvectors.cols }, (_, i) => i + 1)
  const pick = (chosen: readonly number[]): Matrix => {
    const result = zeros(eigenvectors.rows, chosen.length)
    for (let i = 0; i < eigenvectors.rows; i++) {
      chosen.forEach((position, k) => {
        result.data[i * chosen.length + k] = eigenvectors.data[i * eigenvectors.cols + position - 1]
      })
    }
    return result
  }
  return { kept: pick(subset), left: pick(positions.filter((i) => !subset.includes(i))) }
}

/** T = X Yᵀ U_Q, [d_x × (d_y − r)]. */
export function remainingSignal(problem: LinearProblem, subset: readonly number[]): Matrix {
  return matmulTransposedLeft(problem.crossMoment, eigenvectorBlocks(problem, subset).left)
}

/** The point of class S with the given D_k and Z_k,
 *
 *      W_1 = D_1 [U_Sᵀ R; Z_1] ,   W_k = D_k [I_r 0; 0 Z_k] D_{k−1}⁻¹ ,   W_L = [U_S, U_Q Z_L] D_{L−1}⁻¹ .
 *
 * It is critical exactly if the products of `cyclicProducts` vanish; a single layer is U_S U_Sᵀ R.
 * @throws {DomainError} if the subset names no class; {ShapeError} if a block has a wrong shape.
 * Source: Achour, Malgouyres, Gerchinovitz, JMLR 2024. */
export function criticalPoint(
  problem: LinearProblem,
  subset: readonly number[],
  blocks: CriticalBlocks = {},
): Matrix[] {
  requireSubset(problem, subset)
  const { layers, widths, leastSquaresMap } = problem
  const { kept, left } = eigenvectorBlocks(problem, subset)
  const top = matmulTransposedLeft(kept, leastSquaresMap)
  if (layers === 1) return [matmul(kept, top)]
  const r = subset.length
  const z = blocks.z ?? zeroBlocks(problem, r)
  requireBlocks(problem, r, z)
  const bases = blocks.bases ?? widths.slice(1, -1).map((d) => ({ forward: identity(d), inverse: identity(d) }))
  return z.map((block, k) => {
    const core =
      k === 0
        ? stackRows(top, block)
        : k === layers - 1
          ? joinColumns(kept, matmul(left, block))
          : blockDiagonal(r, block)
    const turned = k === 0 ? core : matmul(core, bases[k - 1].inverse)
    return k === layers - 1 ? turned : matmul(bases[k].forward, turned)
  })
}

/** Z_k = 0 for every layer. */
export function zeroBlocks(problem: LinearProblem, rank: number): Matrix[] {
  return zShapes(problem, rank).map(({ rows, cols }) => zeros(rows, cols))
}

function requireBlocks(problem: LinearProblem, rank: number, z: readonly Matrix[]): void {
  const expected = zShapes(problem, rank)
  const wrong =
    z.length !== expected.length || z.some((b, k) => b.rows !== expected[k].rows || b.cols !== expected[k].cols)
  if (wrong) {
    const shapes = expected.map(({ rows, cols }) => `${rows}×${cols}`).join(', ')
    throw new ShapeError(`criticalPoint: Z_1 … Z_L must have shapes ${shapes}.`)
  }
}

/** The L products Z_{k−1} ⋯ Z_1 · T · Z_L ⋯ Z_{k+1}, k = 1 … L. All zero ⇔ the point is critical (A1–A3). */
export function cyclicProducts(problem: LinearProblem, subset: readonly number[], z: readonly Matrix[]): Matrix[] {
  const signal = remainingSignal(problem, subset)
  const { layers } = problem
  return z.map((_, k) => {
    const before = k === 0 ? signal : matmul(layerProduct(z, k, 1), signal)
    return k === layers - 1 ? before : matmul(before, layerProduct(z, layers, k + 2))
  })
}

/** Whether the cyclic products vanish to a relative 1e-10 of their factors. */
export function satisfiesCyclicProducts(
  problem: LinearProblem,
  subset: readonly number[],
  z: readonly Matrix[],
): boolean {
  const signal = frobenius(remainingSignal(problem, subset))
  return cyclicProducts(problem, subset, z).every((product, k) => {
    const size = z.reduce((factor, block, i) => (i === k ? factor : factor * frobenius(block)), signal)
    return frobenius(product) <= 1e-10 * size
  })
}

/** An explicit point of a class. */
export interface Representative {
  readonly subset: readonly number[]
  /** The kind that the construction gives. */
  readonly kind: LinearKind
  /** Z = 0 and D = I. */
  readonly canonical: boolean
  readonly z: readonly Matrix[]
  readonly weights: readonly Matrix[]
}

/** One explicit point of every kind in a class: the canonical one (Z = 0, D = I), and, where a class has strict and
 * non-strict saddles, a strict one with Z_1 = Z_L = 0 and rectangular identities between (pivot (L, 1) is not tightened).
 * @throws {DomainError} if the subset names no class. */
export function representatives(problem: LinearProblem, subset: readonly number[]): Representative[] {
  const { kinds, rank } = criticalClass(problem, subset)
  const make = (kind: LinearKind, canonical: boolean, z: readonly Matrix[]): Representative => ({
    subset: [...subset],
    kind,
    canonical,
    z,
    weights: criticalPoint(problem, subset, { z }),
  })
  const canonical = make(
    kinds.includes('non-strict-saddle') ? 'non-strict-saddle' : kinds[0],
    true,
    zeroBlocks(problem, rank),
  )
  if (kinds.length === 1) return [canonical]
  const last = problem.layers - 1
  const bridged = zShapes(problem, rank).map(({ rows, cols }, k) =>
    k === 0 || k === last ? zeros(rows, cols) : rectangularIdentity(rows, cols),
  )
  return [canonical, make('strict-saddle', false, bridged)]
}

function rectangularIdentity(rows: number, cols: number): Matrix {
  const result = zeros(rows, cols)
  for (let i = 0; i < Math.min(rows, cols); i++) result.data[i * cols + i] = 1
  return result
}

function stackRows(a: Matrix, b: Matrix): Matrix {
  return matrix(a.rows + b.rows, a.cols, Float64Array.of(...a.data, ...b.data))
}

function joinColumns(a: Matrix, b: Matrix): Matrix {
  return transpose(stackRows(transpose(a), transpose(b)))
}

function blockDiagonal(rank: number, block: Matrix): Matrix {
  const result = zeros(rank + block.rows, rank + block.cols)
  for (let i = 0; i < rank; i++) result.data[i * result.cols + i] = 1
  for (let i = 0; i < block.rows; i++) result.data.set(row(block, i), (rank + i) * result.cols + rank)
  return result
}

/** @throws {DomainError} where a function needs a hidden layer and there is none. */
export function requireHiddenLayer(where: string, problem: LinearProblem): void {
  if (problem.layers < 2) {
    throw new DomainError(`${where}: needs at least one hidden layer, got widths [${problem.widths}].`)
  }
}
