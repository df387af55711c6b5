import { DomainError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { gemvTransposed, matmulTransposedRight, row } from './matrix.ts'
import { orthogonalize } from './orthogonalize.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import { axpy, dot, norm, scale } from './vector.ts'

export interface PrincipalComponentOptions {
  /** What to subtract from every row: their mean (default), or nothing. */
  readonly center?: 'mean' | 'none'
  /** Components to return at most; default all that are above rounding. */
  readonly count?: number
}

export interface PrincipalComponents {
  /** [c × p], orthonormal rows, by descending variance; c is at most the numerical rank. */
  readonly components: Matrix
  /** [k × c], coordinates of the centered rows. */
  readonly scores: Matrix
  /** [c], sums of squared scores; divide by k − 1 for variances. */
  readonly squares: Float64Array
  /** [c], shares of the total sum of squares; zero for all if the total is zero. */
  readonly explained: Float64Array
  /** [p], what was subtracted. */
  readonly center: Float64Array
}

/** Principal components of k rows of p numbers with k much smaller than p, from the k × k Gram matrix of the rows:
 * X Xᵀ = U Λ Uᵀ, components Λ^(−½) Uᵀ X, then made orthonormal to rounding. Components with a variance below
 * k · ε of the largest cannot be told from rounding in the Gram matrix and are left out.
 *
 * @throws {DomainError} if there are no rows, or an entry is not finite.
 * Cost: k² p + 2 c² p operations. */
export function principalComponents(x: Matrix, options: PrincipalComponentOptions = {}): PrincipalComponents {
  const { rows: k, cols: p } = x
  if (k === 0) throw new DomainError('principalComponents: at least one row is needed, got 0.')
  const center = new Float64Array(p)
  const centered = { rows: k, cols: p, data: x.data.slice() }
  if (options.center !== 'none') {
    for (let i = 0; i < k; i++) axpy(1 / k, row(x, i), center)
    for (let i = 0; i < k; i++) axpy(-1, center, row(centered, i))
  }
  const gram = matmulTransposedRight(centered, centered)
  let total = 0
  for (let i = 0; i < k; i++) total += gram.data[i * k + i]
  const { values, vectors } = symmetricEigen(gram)
  const threshold = k * 2 ** -52 * Math.max(0, values[k - 1])
  const above = values.filter((value) => value > threshold).length
  const count = Math.min(above, options.count ?? above)
  const data = new Float64Array(count * p)
  for (let c = 0; c < count; c++) {
    const coefficients = Float64Array.from({ length: k }, (_, i) => vectors.data[i * k + k - 1 - c])
    const component = gemvTransposed(centered, coefficients)
    scale(1 / norm(component), component)
    orthogonalize(data, c, component)
    scale(1 / norm(component), component)
    data.set(component, c * p)
  }
  const components = { rows: count, cols: p, data }
  const scores = matmulTransposedRight(centered, components)
  const squares = new Float64Array(count)
  for (let c = 0; c < count; c++) {
    const coordinates = Float64Array.from({ length: k }, (_, i) => scores.data[i * count + c])
    squares[c] = dot(coordinates, coordinates)
  }
  return { components, scores, squares, explained: squares.map((s) => (total > 0 ? s / total : 0)), center }
}
