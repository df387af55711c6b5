import type { Eigenpair } from './eigenpair.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import { orthogonalize } from './orthogonalize.ts'
import type { Matrix } from './matrix.ts'
import { nearestColumns, nearRitz } from './near-ritz.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import type { SymmetricEigen } from './symmetric-eigen.ts'
import { axpy, dot, norm, scale } from './vector.ts'

export interface RefinementLimits {
  /** A pair is done when ‖Av − λv‖ is at most this. */
  readonly residualMax: number
  /** Products allowed; at least one for each row is made. */
  readonly maxProducts: number
  readonly signal?: { readonly aborted: boolean }
}

export interface RefinementOptions extends RefinementLimits {
  /** Pairs wanted from each end; at most as many as there are rows. Where a row serves both ends, so does its pair. */
  readonly bottom: number
  readonly top: number
}

export interface InteriorRefinementOptions extends RefinementLimits {
  /** Pairs wanted with values nearest to `target`; at most as many as there are rows. */
  readonly count: number
  readonly target: number
}

export interface RefinedEigenpairs {
  /** Descending. */
  readonly top: readonly Eigenpair[]
  /** Ascending. */
  readonly bottom: readonly Eigenpair[]
  readonly products: number
}

/** Rounds of expansion: each gains about the ratio of the bulk of the spectrum to its ends. */
const roundsMax = 12

/** Extreme eigenpairs of a symmetric operator from approximate eigenvectors, which another, cheaper operator may have
 * given: Rayleigh–Ritz on their span, which is extended by the residuals of the pairs that are not done.
 *
 *      T = V A Vᵀ = S Θ Sᵀ ,   pairs (θ_i, Vᵀ s_i) ,   V ← V ∪ {A Vᵀ s_i − θ_i Vᵀ s_i}
 *
 * Values err by the square of the error of the vectors over the gap; the residuals are those of `operator` itself,
 * whatever the vectors came from. Ends early where a round no longer takes a fifth off the
 * largest residual.
 *
 * @param vectors  rows [count × size], orthonormal.
 * Cost: one product per row, then one per open pair and round; 2 · size numbers per product.
 * Source: Davidson (1975) without preconditioner; Parlett (1998), ch. 11, for Rayleigh–Ritz. */
export async function refineEigenpairs(
  operator: LinearOperator,
  vectors: Float64Array,
  count: number,
  options: RefinementOptions,
): Promise<RefinedEigenpairs> {
  const { bottom, top, residualMax } = options
  const { pairs, products } = await refine(operator, vectors, count, options, (span) => span.pairs(bottom, top))
  const all = pairs.map((pair) => eigenpairOf(pair, residualMax))
  return { bottom: all.slice(0, bottom), top: all.slice(all.length - top).reverse(), products }
}

/** Eigenpairs nearest to a target from approximate eigenvectors, as `refineEigenpairs` does for the ends; `pairs` come
 * nearest first. */
export async function refineInterior(
  operator: LinearOperator,
  vectors: Float64Array,
  count: number,
  options: InteriorRefinementOptions,
): Promise<{ readonly pairs: readonly Eigenpair[]; readonly products: number }> {
  const { target, residualMax } = options
  const { pairs, products } = await refine(operator, vectors, count, options, (span) =>
    span.pairsNear(target, options.count),
  )
  const all = pairs.map((pair) => eigenpairOf(pair, residualMax))
  return { pairs: all.sort((a, b) => Math.abs(a.value - target) - Math.abs(b.value - target)), products }
}

async function refine(
  operator: LinearOperator,
  vectors: Float64Array,
  count: number,
  { residualMax, maxProducts, signal }: RefinementLimits,
  choose: (span: Span) => RitzPair[],
): Promise<{ readonly pairs: readonly RitzPair[]; readonly products: number }> {
  const span = new Span(operator, (roundsMax + 1) * count)
  await span.append(vectors, count)
  let before = Number.POSITIVE_INFINITY
  for (let round = 0; ; round++) {
    const pairs = choose(span)
    const open = pairs.filter(({ residualNorm }) => !(residualNorm <= residualMax))
    const worst = open.reduce((most, { residualNorm }) => Math.max(most, residualNorm), 0)
    const spent = span.products + open.length > maxProducts || round === roundsMax || signal?.aborted === true
    if (open.length === 0 || spent || !(worst <= 0.8 * before) || !(await span.extend(open)))
      return { pairs, products: span.products }
    before = worst
  }
}

interface RitzPair {
  readonly value: number
  readonly vector: Float64Array
  readonly residual: Float64Array
  readonly residualNorm: number
}

/** Orthonormal rows V with their images and the projection V A Vᵀ. */
class Span {
  products = 0
  readonly #operator: LinearOperator
  readonly #rows: Float64Array
  readonly #images: Float64Array
  /** Rows of the lower triangle of V A Vᵀ, made symmetric. */
  readonly #projected: number[][] = []
  #count = 0

  constructor(operator: LinearOperator, capacity: number) {
    this.#operator = operator
    const room = Math.min(operator.size, capacity) * operator.size
    this.#rows = new Float64Array(room)
    this.#images = new Float64Array(room)
  }

  /** Takes `count` rows that are orthonormal and orthogonal to V, and makes their products. */
  async append(rows: Float64Array, count: number): Promise<void> {
    const { size } = this.#operator
    const images = await applyRows('refineEigenpairs', this.#operator, rows, count)
    this.#rows.set(rows, this.#count * size)
    this.#images.set(images, this.#count * size)
    this.#count += count
    this.products += count
    const at = (data: Float64Array, i: number): Float64Array => data.subarray(i * size, (i + 1) * size)
    for (let j = this.#projected.length; j < this.#count; j++) {
      const entry = (i: number): number =>
        (dot(at(this.#rows, i), at(this.#images, j)) + dot(at(this.#rows, j), at(this.#images, i))) / 2
      this.#projected.push(Array.from({ length: j + 1 }, (_, i) => entry(i)))
    }
  }

  /** Adds the residuals of these pairs. False where nothing of them is outside of V. */
  async extend(pairs: readonly RitzPair[]): Promise<boolean> {
    const { size } = this.#operator
    const fresh = this.#rows.slice(0, (this.#count + pairs.length) * size)
    let added = 0
    for (const { residual, residualNorm } of pairs) {
      if (this.#count + added >= size) break
      const row = fresh.subarray((this.#count + added) * size, (this.#count + added + 1) * size)
      row.set(residual)
      scale(1 / residualNorm, row)
      orthogonalize(fresh, this.#count + added, row)
      const left = norm(row)
      if (!(left > 1e-8)) continue
      scale(1 / left, row)
      added++
    }
    if (added === 0) return false
    await this.append(fresh.slice(this.#count * size, (this.#count + added) * size), added)
    return true
  }

  /** The `bottom` smallest and `top` largest Ritz pairs, ascending. */
  pairs(bottom: number, top: number): RitzPair[] {
    const count = this.#count
    const eigen = symmetricEigen(this.#projection())
    const columns = Array.from({ length: count }, (_, i) => i).filter((i) => i < bottom || i >= count - top)
    return columns.map((column) => this.#pair(eigen, column))
  }

  /** The `count` Ritz pairs nearest to `target`. */
  pairsNear(target: number, count: number): RitzPair[] {
    const eigen = nearRitz(this.#squared(target), this.#projection(), count)
    const pairs = Array.from(eigen.values, (_, column) => this.#pair(eigen, column))
    const residuals = pairs.map(({ residualNorm }) => residualNorm)
    return nearestColumns(eigen.values, residuals, target, count).map((column) => pairs[column])
  }

  #projection(): Matrix {
    const count = this.#count
    const data = Float64Array.from({ length: count * count }, (_, at) => {
      const [i, j] = [Math.floor(at / count), at % count]
      return this.#projected[Math.max(i, j)][Math.min(i, j)]
    })
    return { rows: count, cols: count, data }
  }

  /** V (A − σI)² Vᵀ, up to a factor. */
  #squared(target: number): Matrix {
    const { size } = this.#operator
    const count = this.#count
    const shifted = Array.from({ length: count }, (_, i) => {
      const image = this.#images.slice(i * size, (i + 1) * size)
      axpy(-target, this.#rows.subarray(i * size, (i + 1) * size), image)
      return image
    })
    const most = Math.max(...shifted.map(norm))
    if (most > 0) for (const image of shifted) scale(1 / most, image)
    const data = Float64Array.from({ length: count * count }, (_, at) =>
      dot(shifted[Math.floor(at / count)], shifted[at % count]),
    )
    return { rows: count, cols: count, data }
  }

  #pair(eigen: SymmetricEigen, column: number): RitzPair {
    const vector = this.#combine(this.#rows, eigen.vectors, column)
    const residual = this.#combine(this.#images, eigen.vectors, column)
    const value = eigen.values[column]
    axpy(-value, vector, residual)
    return { value, vector, residual, residualNorm: norm(residual) }
  }

  #combine(rows: Float64Array, { data, cols }: Matrix, column: number): Float64Array {
    const { size } = this.#operator
    const out = new Float64Array(size)
    for (let i = 0; i < this.#count; i++) axpy(data[i * cols + column], rows.subarray(i * size, (i + 1) * size), out)
    return out
  }
}

function eigenpairOf({ value, vector, residualNorm }: RitzPair, residualMax: number): Eigenpair {
  scale(1 / norm(vector), vector)
  return { value, vector, residualNorm, converged: residualNorm <= residualMax }
}
