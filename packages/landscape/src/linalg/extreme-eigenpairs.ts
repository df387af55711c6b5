import { DomainError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { CancelSignal } from './cancel-signal.ts'
import type { Eigenpair } from './eigenpair.ts'
import { LanczosBasis } from './lanczos-basis.ts'
import { LanczosSearch, statusOf } from './lanczos-search.ts'
import type { SearchStop } from './lanczos-search.ts'
import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import { identity } from './matrix.ts'
import { refineEigenpairs } from './refine-eigenpairs.ts'
import type { SymmetricEigen } from './symmetric-eigen.ts'
import { axpy, dot, norm, scale } from './vector.ts'

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
  readonly status: SearchStop | 'stagnated'
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
  const search = new ExtremeSearch(basis, plan, options)
  const stop = await search.run()
  const { top, bottom, products } = await (options.search === undefined
    ? finalPairs(operator, basis, search.ritz, plan)
    : refinedPairs(operator, basis, search.ritz, plan, options.signal))
  const settled = [...top, ...bottom].every((pair) => pair.converged)
  return {
    top,
    bottom,
    status: statusOf(stop, options.search !== undefined, settled),
    products: basis.products + products,
    searchProducts: options.search === undefined ? 0 : basis.products,
    restarts: search.restarts,
    breakdowns: basis.breakdowns,
    operatorNorm: basis.operatorNorm,
    multiplicityVerified: stop === 'exact' || search.verified,
  }
}

/** The search for both ends of a spectrum. */
class ExtremeSearch extends LanczosSearch {
  ritz: SymmetricEigen = { values: new Float64Array(0), vectors: { rows: 0, cols: 0, data: new Float64Array(0) } }
  readonly #ends: Plan
  readonly #onProgress: ExtremeEigenpairsOptions['onProgress']
  #residuals: Float64Array = new Float64Array(0)

  constructor(
    basis: LanczosBasis,
    plan: Plan,
    { verifyMultiplicity = true, signal, onProgress }: ExtremeEigenpairsOptions,
  ) {
    const { top, bottom, tolerance, maxProducts } = plan
    const wanted = top + bottom
    super(basis, { wanted, tolerance, maxProducts, reserve: wanted, checkGrowth: 1 / 8, verifyMultiplicity, signal })
    this.#ends = plan
    this.#onProgress = onProgress
  }

  protected inspect(): void {
    const { basis } = this
    this.ritz = basis.ritz()
    this.#residuals = basis.residuals(this.ritz.vectors)
    const { values } = this.ritz
    const { top, bottom, maxProducts } = this.#ends
    this.#onProgress?.({
      products: basis.products,
      maxProducts,
      converged: this.convergedCount(),
      wanted: top + bottom,
      top: [...values.slice(Math.max(0, values.length - top))].reverse(),
      bottom: [...values.slice(0, bottom)],
    })
  }

  protected wantedResiduals(): number[] {
    return wantedColumns(this.basis.count, this.#ends).map((i) => this.#residuals[i])
  }

  protected wantedValues(): number[] {
    return wantedColumns(this.basis.count, this.#ends).map((i) => this.ritz.values[i])
  }

  /** Of the next Ritz value at each wanted end. */
  protected separated(): boolean {
    const { top, bottom } = this.#ends
    const { values } = this.ritz
    const n = values.length
    if (n <= top + bottom) return false
    const limit = 2 * this.residualMax
    const below = n - top - 1
    const clearTop = top === 0 || values[below] + this.#residuals[below] <= values[n - top] + limit
    const clearBottom = bottom === 0 || values[bottom] - this.#residuals[bottom] >= values[bottom - 1] - limit
    return clearTop && clearBottom
  }

  protected keepWanted(): void {
    this.#restart(wantedColumns(this.basis.count, this.#ends))
  }

  protected keepNeighbours(): void {
    this.#restart(keptColumns(this.basis.count, this.#ends))
  }

  #restart(columns: readonly number[]): void {
    this.basis.restart(this.ritz, columns)
    this.#residuals = Float64Array.from(columns, (i) => this.#residuals[i])
    this.ritz = {
      values: Float64Array.from(columns, (i) => this.ritz.values[i]),
      vectors: identity(columns.length),
    }
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
