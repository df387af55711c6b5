import { DomainError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { Eigenpair } from './eigenpair.ts'
import { LanczosBasis } from './lanczos-basis.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import { identity } from './matrix.ts'
import { refineEigenpairs } from './refine-eigenpairs.ts'
import type { SymmetricEigen } from './symmetric-eigen.ts'
import { axpy, dot, norm, scale } from './vector.ts'

/** Something that can be cancelled; an AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean
}

export interface ExtremeEigenpairsProgress {
  readonly products: number
  readonly maxProducts: number
  /** Wanted pairs whose estimated residual is small enough by now, of how many. */
  readonly converged: number
  readonly wanted: number
  /** Ritz values so far: the largest, descending, and the smallest, ascending. */
  readonly top: readonly number[]
  readonly bottom: readonly number[]
}

export interface ExtremeEigenpairsOptions {
  /** How many of the algebraically largest; default 1; at most p are returned. */
  readonly top?: number
  /** How many of the algebraically smallest (most negative); default 0; at most p are returned. */
  readonly bottom?: number
  /** A pair is converged when ‖Av − λv‖ ≤ tolerance · ‖A‖; default 1e-8. */
  readonly tolerance?: number
  /** Products allowed, those for the final residuals included; default 1000. */
  readonly maxProducts?: number
  /** Default 0. */
  readonly seed?: number
  /** Rows to start from, [… × p]; those missing are random. */
  readonly startVectors?: Float64Array
  /** Vectors per step; default 1. More steps in batch where batched products are cheap; finds that many copies of a
   * multiple eigenvalue at once. */
  readonly blockSize?: number
  /** Rows of the basis before it is restarted; default fits in 256 MB, at least twice the wanted pairs and 24 more. */
  readonly subspaceSize?: number
  /** Whether to search, once all pairs have converged, from new random vectors orthogonal to them for copies of
   * multiple eigenvalues, which one Krylov space cannot see; at most doubles the products. Default true. */
  readonly verifyMultiplicity?: boolean
  /** A cheaper operator close to this one, such as its products in float32, that the search uses instead. What it finds
   * is then refined with products of the operator itself, whose residuals the pairs carry. */
  readonly search?: LinearOperator
  readonly onProgress?: (progress: ExtremeEigenpairsProgress) => void
  readonly signal?: CancelSignal
}

export interface ExtremeEigenpairs {
  /** Descending. */
  readonly top: readonly Eigenpair[]
  /** Ascending. */
  readonly bottom: readonly Eigenpair[]
  /** `'exact'`: the basis spans the whole space, nothing can be missing. `'converged'`: all residuals are small
   * enough. `'max-products'`, `'aborted'`: stopped before that; the pairs are the best so far. `'stagnated'`: the
   * estimates converged and the explicit residuals did not: products, or those of `search`, are less accurate than the
   * tolerance. */
  readonly status: 'exact' | 'converged' | 'max-products' | 'aborted' | 'stagnated'
  /** Of both operators. */
  readonly products: number
  /** Those of `search`; 0 without it. */
  readonly searchProducts: number
  readonly restarts: number
  /** Directions that vanished in an invariant subspace and were replaced by random ones. */
  readonly breakdowns: number
  /** A lower bound of ‖A‖: the largest modulus of a Ritz value or product seen. With `search` a lower bound of its norm. */
  readonly operatorNorm: number
  /** Whether a search from new random vectors found no further copy in the wanted ranges (or the result is exact). */
  readonly multiplicityVerified: boolean
}

interface Plan {
  readonly top: number
  readonly bottom: number
  readonly tolerance: number
  readonly maxProducts: number
  readonly capacity: number
  readonly block: number
}

/** Extreme eigenpairs of a symmetric operator, both ends in one run, by thick-restart block Lanczos with full
 * reorthogonalization (done twice, so there are no ghosts).
 *
 *      A Vᵀ = Vᵀ T + Qᵀ F ,   T = S Θ Sᵀ ,   pairs (θ_i, Vᵀ s_i)
 *
 * When all pairs have converged, the search starts again from random vectors orthogonal to them, until it finds no
 * further copy of a multiple eigenvalue. The zero operator, p = 1 and p below the number of pairs are no exceptions.
 *
 * @param operator  symmetric, [p × p].
 * @throws {DomainError} if an option is out of range or a product is not finite; {ShapeError} if a product has the
 *         wrong size.
 * Cost: per product O(p m) time for m basis rows, O(p m) memory.
 * Source: Wu and Simon, SIAM J. Matrix Anal. Appl. 22 (2000), thick restart; Parlett (1998), ch. 13. */
export async function extremeEigenpairs(
  operator: LinearOperator,
  options: ExtremeEigenpairsOptions = {},
): Promise<ExtremeEigenpairs> {
  const plan = makePlan(operator.size, options)
  const stream = randomStream(options.seed ?? 0, 'extreme eigenpairs')
  const basis = new LanczosBasis('extremeEigenpairs', options.search ?? operator, plan.capacity, plan.block, stream)
  basis.startBlock(options.startVectors)
  const search = new Search(basis, plan, options)
  const stop = await search.run()
  const { top, bottom, products } = await (options.search === undefined
    ? finalPairs(operator, basis, search.ritz, plan)
    : refinedPairs(operator, basis, search.ritz, plan, options.signal))
  const settled = [...top, ...bottom].every((pair) => pair.converged)
  // All eigenvalues of an approximation are not all of the operator.
  const searched = options.search !== undefined && stop === 'exact' ? 'converged' : stop
  return {
    top,
    bottom,
    status: searched === 'converged' && !settled ? 'stagnated' : searched,
    products: basis.products + products,
    searchProducts: options.search === undefined ? 0 : basis.products,
    restarts: search.restarts,
    breakdowns: basis.breakdowns,
    operatorNorm: basis.operatorNorm,
    multiplicityVerified: stop === 'exact' || search.verified,
  }
}

type Stop = 'exact' | 'converged' | 'max-products' | 'aborted'

/** The state of one search: alternates expansion, Rayleigh–Ritz and restart until it may stop. */
class Search {
  ritz: SymmetricEigen = { values: new Float64Array(0), vectors: { rows: 0, cols: 0, data: new Float64Array(0) } }
  restarts = 0
  verified = false
  readonly #basis: LanczosBasis
  readonly #plan: Plan
  readonly #options: ExtremeEigenpairsOptions
  #residuals: Float64Array = new Float64Array(0)
  /** Products after which the round of verification began, and the wanted values then; null before the first. */
  #round: { readonly begin: number; readonly values: readonly number[] } | null = null
  /** Products that the first convergence took: the measure for the length of a round of verification. */
  #firstProducts = Number.POSITIVE_INFINITY

  constructor(basis: LanczosBasis, plan: Plan, options: ExtremeEigenpairsOptions) {
    this.#basis = basis
    this.#plan = plan
    this.#options = options
  }

  async run(): Promise<Stop> {
    const basis = this.#basis
    const { top, bottom, maxProducts } = this.#plan
    let checkedAt = 0
    for (;;) {
      const spent = basis.products + basis.blockRows + top + bottom > maxProducts
      // One step at least, so that there is a pair.
      const aborted = this.#options.signal?.aborted === true && basis.count > 0
      const due = basis.count - checkedAt >= Math.max(basis.blockRows, Math.ceil(basis.count / 8))
      if (due || spent || aborted || !basis.hasRoom || basis.blockRows === 0) {
        this.#check()
        checkedAt = basis.count
        if (basis.blockRows === 0) return 'exact'
        if (this.#settled()) return 'converged'
        if (aborted) return 'aborted'
        if (spent) return this.#round !== null && this.#convergedCount() === top + bottom ? 'converged' : 'max-products'
        if (!basis.hasRoom) this.#restart(keptColumns(basis.count, this.#plan))
        checkedAt = basis.count
      }
      await basis.expand()
    }
  }

  #scaledTolerance(): number {
    return this.#plan.tolerance * this.#basis.operatorNorm
  }

  #check(): void {
    const basis = this.#basis
    this.ritz = basis.ritz()
    this.#residuals = basis.residuals(this.ritz.vectors)
    const { values } = this.ritz
    const { top, bottom, maxProducts } = this.#plan
    this.#options.onProgress?.({
      products: basis.products,
      maxProducts,
      converged: this.#convergedCount(),
      wanted: top + bottom,
      top: [...values.slice(Math.max(0, values.length - top))].reverse(),
      bottom: [...values.slice(0, bottom)],
    })
  }

  /** Wanted Ritz pairs with an estimated residual of at most half the tolerance; none while V is too small. */
  #convergedCount(): number {
    if (this.#basis.count < this.#plan.top + this.#plan.bottom) return 0
    const limit = this.#scaledTolerance() / 2
    return wantedColumns(this.#basis.count, this.#plan).filter((i) => this.#residuals[i] <= limit).length
  }

  /** Whether the search may end; begins a round of verification where one is due. */
  #settled(): boolean {
    const { top, bottom } = this.#plan
    if (this.#convergedCount() < top + bottom) return false
    if (this.#options.verifyMultiplicity === false) return true
    const products = this.#basis.products
    if (this.#round === null) {
      this.#firstProducts = Math.min(this.#firstProducts, products)
      // Where a basis of the whole space is no dearer than a search for copies, it is the better proof.
      const missing = this.#basis.size - this.#basis.count
      if (this.#basis.capacity < this.#basis.size || missing > Math.max(16, this.#firstProducts)) this.#beginRound()
      return false
    }
    const used = products - this.#round.begin
    const wanted = this.#wantedValues()
    const unchanged = wanted.every((value, i) => {
      const before = this.#round === null ? Number.NaN : this.#round.values[i]
      return Math.abs(value - before) <= 2 * this.#scaledTolerance()
    })
    if (!unchanged) {
      this.#beginRound()
      return false
    }
    // A copy of a wanted eigenvalue shows about as fast as the first one did: half as long is enough to see it.
    if (used < Math.max(8, Math.ceil(this.#firstProducts / 2))) return false
    this.verified = this.#separated()
    return this.verified || used >= Math.max(16, this.#firstProducts)
  }

  #wantedValues(): number[] {
    return wantedColumns(this.#basis.count, this.#plan).map((i) => this.ritz.values[i])
  }

  /** Keeps the wanted pairs only and goes on from random vectors orthogonal to them. */
  #beginRound(): void {
    this.#round = { begin: this.#basis.products, values: this.#wantedValues() }
    this.#restart(wantedColumns(this.#basis.count, this.#plan))
    this.#basis.startBlock()
  }

  /** Whether the next Ritz value at each wanted end cannot, by its residual, belong into the wanted range. */
  #separated(): boolean {
    const { top, bottom } = this.#plan
    const { values } = this.ritz
    const n = values.length
    if (n <= top + bottom) return false
    const limit = this.#scaledTolerance()
    const below = n - top - 1
    const clearTop = top === 0 || values[below] + this.#residuals[below] <= values[n - top] + limit
    const clearBottom = bottom === 0 || values[bottom] - this.#residuals[bottom] >= values[bottom - 1] - limit
    return clearTop && clearBottom
  }

  #restart(columns: readonly number[]): void {
    this.#basis.restart(this.ritz, columns)
    this.#residuals = Float64Array.from(columns, (i) => this.#residuals[i])
    this.ritz = {
      values: Float64Array.from(columns, (i) => this.ritz.values[i]),
      vectors: identity(columns.length),
    }
    this.restarts++
  }
}

/** Columns of the wanted Ritz pairs among `count` ascending ones, without repetition. */
function wantedColumns(count: number, plan: { readonly top: number; readonly bottom: number }): number[] {
  const bottom = Math.min(plan.bottom, count)
  const top = Math.min(plan.top, count - bottom)
  const columns: number[] = []
  for (let i = 0; i < bottom; i++) columns.push(i)
  for (let i = count - top; i < count; i++) columns.push(i)
  return columns
}

/** Columns that survive a restart: the wanted ones, and a third of the rest of the room next to them. */
function keptColumns(count: number, plan: Plan): number[] {
  const wanted = plan.top + plan.bottom
  const extra = Math.max(0, Math.min(Math.ceil((plan.capacity - wanted) / 3), count - wanted - 2 * plan.block))
  const extraBottom = Math.round((extra * plan.bottom) / wanted)
  return wantedColumns(count, { bottom: plan.bottom + extraBottom, top: plan.top + extra - extraBottom })
}

interface FoundPairs {
  readonly top: readonly Eigenpair[]
  readonly bottom: readonly Eigenpair[]
  readonly products: number
}

/** Columns of the wanted Ritz pairs, of which there may be fewer than wanted, and how many belong to each end. */
function finalColumns(ritz: SymmetricEigen, plan: Plan): { columns: number[]; top: number; bottom: number } {
  const count = ritz.values.length
  const bottom = Math.min(plan.bottom, count)
  const top = Math.min(plan.top, count)
  const columns = Array.from({ length: count }, (_, i) => i).filter((i) => i < bottom || i >= count - top)
  return { columns, top, bottom }
}

/** The wanted pairs with explicit residuals: one product each. */
async function finalPairs(
  operator: LinearOperator,
  basis: LanczosBasis,
  ritz: SymmetricEigen,
  plan: Plan,
): Promise<FoundPairs> {
  const { size } = operator
  const { columns, top, bottom } = finalColumns(ritz, plan)
  const vectors = basis.combine(ritz.vectors, columns)
  columns.forEach((_, i) => {
    const vector = vectors.subarray(i * size, (i + 1) * size)
    scale(1 / norm(vector), vector)
  })
  const images = (await applyRows('extremeEigenpairs', operator, vectors, columns.length)).slice()
  const all = columns.map((_, i): Eigenpair => {
    const vector = vectors.slice(i * size, (i + 1) * size)
    const image = images.subarray(i * size, (i + 1) * size)
    const value = dot(vector, image)
    axpy(-value, vector, image)
    const residualNorm = norm(image)
    return { value, vector, residualNorm, converged: residualNorm <= plan.tolerance * basis.operatorNorm }
  })
  const ascending = [...all].sort((a, b) => a.value - b.value)
  return {
    bottom: ascending.slice(0, bottom),
    top: ascending.slice(all.length - top).reverse(),
    products: columns.length,
  }
}

/** The wanted pairs of `operator` near those that the search found with another one. */
async function refinedPairs(
  operator: LinearOperator,
  basis: LanczosBasis,
  ritz: SymmetricEigen,
  plan: Plan,
  signal: CancelSignal | undefined,
): Promise<FoundPairs> {
  const { columns, top, bottom } = finalColumns(ritz, plan)
  return refineEigenpairs(operator, basis.combine(ritz.vectors, columns), columns.length, {
    top,
    bottom,
    residualMax: plan.tolerance * basis.operatorNorm,
    maxProducts: plan.maxProducts - basis.products,
    signal,
  })
}

function makePlan(size: number, options: ExtremeEigenpairsOptions): Plan {
  const where = 'extremeEigenpairs'
  const whole = (name: string, value: number, least: number): number => {
    if (Number.isInteger(value) && value >= least) return value
    throw new DomainError(`${where}: ${name} must be an integer of at least ${least}, got ${value}.`)
  }
  whole('size of the operator', size, 1)
  const top = Math.min(size, whole('top', options.top ?? 1, 0))
  const bottom = Math.min(size, whole('bottom', options.bottom ?? 0, 0))
  const tolerance = options.tolerance ?? 1e-8
  if (!(tolerance > 0)) throw new DomainError(`${where}: tolerance must be positive, got ${tolerance}.`)
  const block = Math.min(size, whole('blockSize', options.blockSize ?? 1, 1))
  const wanted = top + bottom
  if (wanted === 0) throw new DomainError(`${where}: top + bottom must be at least 1, got 0.`)
  const least = wanted + 3 * block
  const roomy = Math.max(2 * wanted + 24, Math.min(160, Math.floor(2 ** 25 / size)))
  const capacity = Math.min(size, Math.max(least, whole('subspaceSize', options.subspaceSize ?? roomy, 1)))
  const maxProducts = whole('maxProducts', options.maxProducts ?? 1000, 1)
  if (maxProducts < wanted + block) {
    throw new DomainError(
      `${where}: maxProducts must be at least top + bottom + blockSize = ${wanted + block}, got ${maxProducts}.`,
    )
  }
  if (options.search !== undefined && options.search.size !== size)
    throw new DomainError(`${where}: search must have size ${size}, got ${options.search.size}.`)
  if (options.startVectors !== undefined && options.startVectors.length % size !== 0) {
    throw new DomainError(`${where}: startVectors must be rows of ${size}, got ${options.startVectors.length} numbers.`)
  }
  return { top, bottom, tolerance, maxProducts, capacity, block }
}
