import type { Matrix } from './matrix.ts'
import { matmul, matmulTransposedLeft } from './matrix.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import type { SymmetricEigen } from './symmetric-eigen.ts'

/** Squares carry half of the digits: directions whose ‖(A − σI)x‖² differ by less than this share of the largest are not
 * told apart by them. */
const squaresTold = 1e-12

/** Directions beyond the wanted ones that Rayleigh–Ritz sees: a vector that mixes eigenvectors on both sides of σ is taken
 * apart only where its partner is there, too. */
export function guardCount(count: number): number {
  return Math.max(2, Math.ceil(count / 2))
}

/** Ritz pairs near σ of a symmetric A on the span of the orthonormal rows of V, in two steps: the directions with the least
 * ‖(A − σI)x‖, then Rayleigh–Ritz among them.
 *
 *      N = V (A − σI)² Vᵀ ,   M = V A Vᵀ
 *
 * Plain Rayleigh–Ritz inside of a spectrum gives values near σ that are means of eigenvalues far on either side; such a
 * vector has a large ‖(A − σI)x‖, and so does not come into the second step.
 *
 * @param squared    N, [m × m].
 * @param projected  M, [m × m].
 * @returns values, ascending, and coefficients [m × …] in orthonormal columns, of `count` pairs, a few more as guards, and
 *          all that N does not tell from those.
 * Source: Morgan (1991) and Jia (1997) for the choice of directions; Parlett (1998), ch. 11, for Rayleigh–Ritz. */
export function nearRitz(squared: Matrix, projected: Matrix, count: number): SymmetricEigen {
  const m = squared.rows
  const { values, vectors } = symmetricEigen(squared)
  const least = Math.min(m, count + guardCount(count))
  const limit = values[least - 1] + squaresTold * values[m - 1]
  let kept = least
  while (kept < m && values[kept] <= limit) kept++
  const chosen: Matrix = { rows: m, cols: kept, data: new Float64Array(m * kept) }
  for (let i = 0; i < m; i++) chosen.data.set(vectors.data.subarray(i * m, i * m + kept), i * kept)
  const inner = matmulTransposedLeft(chosen, matmul(projected, chosen))
  for (let i = 0; i < kept; i++)
    for (let j = 0; j < i; j++) {
      const mean = (inner.data[i * kept + j] + inner.data[j * kept + i]) / 2
      inner.data[i * kept + j] = mean
      inner.data[j * kept + i] = mean
    }
  const ritz = symmetricEigen(inner)
  return { values: ritz.values, vectors: matmul(chosen, ritz.vectors) }
}

/** Positions of the `count` pairs with the least ‖(A − σI)x‖ = hypot(θ − σ, ‖residual‖), least first. */
export function nearestColumns(
  values: ArrayLike<number>,
  residualNorms: ArrayLike<number>,
  target: number,
  count: number,
): number[] {
  const distances = Float64Array.from(values, (value, i) => Math.hypot(value - target, residualNorms[i]))
  return Array.from(distances.keys())
    .sort((i, j) => distances[i] - distances[j] || i - j)
    .slice(0, count)
}
