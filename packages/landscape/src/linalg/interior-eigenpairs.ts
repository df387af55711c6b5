import { DomainError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { CancelSignal } from './cancel-signal.ts'
import type { Eigenpair } from './eigenpair.ts'
import type { ExtremeEigenpairs } from './extreme-eigenpairs.ts'
import { LanczosBasis } from './lanczos-basis.ts'
import { LanczosSearch, statusOf } from './lanczos-search.ts'
import type { LinearOperator } from './linear-operator.ts'
import type { Matrix } from './matrix.ts'
import { matmul } from './matrix.ts'
import { guardCount, nearestColumns, nearRitz } from './near-ritz.ts'
import { refineInterior } from './refine-eigenpairs.ts'
import type { SymmetricEigen } from './symmetric-eigen.ts'

export interface InteriorEigenpairsOptions {
  /** σ: eigenvalues closest to it are wanted. */
  readonly target: number
  /** How many; default 1; at most p are returned. */
  readonly count?: number
  /** A pair is converged when ‖Av − λv‖ ≤ tolerance · ‖A‖; default 1e-8. */
  readonly tolerance?: number
  /** Products allowed, those for the final residuals included; default 1000. */
  readonly maxProducts?: number
  /** Default 0. */
  readonly seed?: number
  /** Rows of the basis before it is restarted; default `interiorSubspaceSize`. */
  readonly subspaceSize?: number
  /** A cheaper operator close to this one that the search uses instead, as for `extremeEigenpairs`. */
  readonly search?: LinearOperator
  readonly onProgress?: (progress: InteriorEigenpairsProgress) => void
  readonly signal?: CancelSignal
}

export interface InteriorEigenpairsProgress {
  readonly products: number
  readonly maxProducts: number
  /** Wanted pairs whose estimated residual is small enough by now, of how many. */
  readonly converged: number
  readonly wanted: number
}

export interface InteriorEigenpairs
  extends Pick<ExtremeEigenpairs, 'status' | 'products' | 'searchProducts' | 'operatorNorm' | 'multiplicityVerified'> {
  /** By distance from the target, nearest first. */
  readonly pairs: readonly Eigenpair[]
  readonly restarts: number
}

/** Rows of the basis that fit in 256 MB; more than for the ends, as what a restart throws away is missed more. */
export function interiorSubspaceSize(size: number, count: number): number {
  return Math.min(size, Math.max(4 * count + 24, Math.min(320, Math.floor(2 ** 25 / size))))
}

/** The eigenpairs of a symmetric operator whose eigenvalues are closest to a target σ, inside of the spectrum or not, by
 * thick-restart Lanczos with full reorthogonalization; pairs are taken from the directions with the least ‖(A − σI)x‖.
 *
 *      A Vᵀ = Vᵀ T + Qᵀ F ,   x = Vᵀ s ,   ‖(A − σI)x‖² = ‖(T − σI)s‖² + ‖F s‖²
 *
 * No power of A is formed, so no digit is lost, and an eigenvalue as far to the left of σ as another one is to the right
 * does no harm. As soon as all pairs have converged, the search starts once more from a random vector orthogonal to
 * them, which finds copies of multiple eigenvalues.
 *
 * What is proved: *some* eigenvalue lies within `residualNorm` of each value, and, the vectors being orthonormal, as many
 * as there are pairs within the norm of all residuals together (Parlett 1998, theorem 11.5.1). Not that they are the
 * closest, unless `status` is `'exact'`. Inside of a spectrum a Krylov space tells eigenvalues apart only after
 * about ‖A‖ / gap products: isolated ones are found, in a dense cluster the products run out.
 *
 * @param operator  symmetric, [p × p].
 * @throws {DomainError} if an option is out of range or a product is not finite; {ShapeError} if a product has the
 *         wrong size.
 * Cost: per product O(p m) time for m basis rows, O(p m) memory.
 * Source: Wu and Simon (2000), thick restart; Morgan (1991) for the extraction. */
export async function interiorEigenpairs(
  operator: LinearOperator,
  options: InteriorEigenpairsOptions,
): Promise<InteriorEigenpairs> {
  const plan = planOf(operator.size, options)
  const stream = randomStream(options.seed ?? 0, 'interior eigenpairs')
  const basis = new LanczosBasis('interiorEigenpairs', options.search ?? operator, plan.capacity, 1, stream)
  basis.startBlock()
  const search = new InteriorSearch(basis, plan, options)
  const stop = await search.run()
  const rows = search.candidates(plan.reserve)
  const { pairs, products } = await refineInterior(operator, rows, rows.length / operator.size, {
    target: search.target,
    count: plan.count,
    residualMax: plan.tolerance * basis.operatorNorm,
    maxProducts: plan.maxProducts - basis.products,
    signal: options.signal,
  })
  const settled = pairs.every((pair) => pair.converged)
  return {
    pairs,
    status: statusOf(stop, options.search !== undefined, settled),
    products: basis.products + products,
    searchProducts: options.search === undefined ? 0 : basis.products,
    restarts: search.restarts,
    operatorNorm: basis.operatorNorm,
    multiplicityVerified: stop === 'exact' || search.verified,
  }
}

interface Plan {
  readonly target: number
  readonly count: number
  readonly tolerance: number
  readonly maxProducts: number
  readonly capacity: number
  /** Products kept back for the residuals: of the pairs and their guards. */
  readonly reserve: number
}

/** Ritz vectors from which pairs are taken: the nearest ones. */
const windowOf = (count: number): number => Math.max(48, 4 * (count + guardCount(count)))

interface Candidates extends SymmetricEigen {
  /** ‖A x − θ x‖, as T and F give it. */
  readonly residualNorms: Float64Array
  /** Columns by ‖(A − σI)x‖, least first. */
  readonly order: readonly number[]
}

/** The search next to a target. */
class InteriorSearch extends LanczosSearch {
  /** σ, moved to within ‖A‖ of the Ritz values: beyond them the order by distance is the same, and digits are not lost. */
  target: number
  readonly #interior: Plan
  readonly #onProgress: InteriorEigenpairsOptions['onProgress']
  #found: Candidates | null = null
  /** Ritz pairs of T, and ‖F s‖ for each. */
  #ritz: SymmetricEigen | null = null
  #outside: Float64Array = new Float64Array(0)

  constructor(basis: LanczosBasis, plan: Plan, { signal, onProgress }: InteriorEigenpairsOptions) {
    const { count: wanted, tolerance, maxProducts, reserve } = plan
    super(basis, { wanted, tolerance, maxProducts, reserve, checkGrowth: 1 / 6, verifyMultiplicity: true, signal })
    this.#interior = plan
    this.#onProgress = onProgress
    this.target = plan.target
  }

  /** At most `most` of the best directions, as orthonormal rows. */
  candidates(most: number): Float64Array {
    const { vectors, order } = this.#found!
    return this.basis.combine(vectors, order.slice(0, most))
  }

  protected inspect(): void {
    const { basis } = this
    const ritz = basis.ritz()
    const { values } = ritz
    this.#ritz = ritz
    this.#outside = basis.residuals(ritz.vectors)
    const margin = basis.operatorNorm
    const [least, most] = [values[0] - margin, values[values.length - 1] + margin]
    this.target = Math.min(Math.max(this.#interior.target, least), most)
    this.#found = this.#extract(ritz)
    const { maxProducts, count } = this.#interior
    this.#onProgress?.({ products: basis.products, maxProducts, converged: this.convergedCount(), wanted: count })
  }

  /** Pairs from the Ritz vectors nearest to σ, in whose basis T is diagonal. */
  #extract({ values, vectors }: SymmetricEigen): Candidates {
    const { basis } = this
    const { count } = this.#interior
    const window = nearestColumns(values, this.#outside, this.target, windowOf(count)).sort((i, j) => i - j)
    const w = window.length
    const scale = basis.operatorNorm > 0 ? basis.operatorNorm : 1
    const squared: Matrix = { rows: w, cols: w, data: new Float64Array(w * w) }
    const projected: Matrix = { rows: w, cols: w, data: new Float64Array(w * w) }
    const couplings = Array.from({ length: basis.blockRows }, (_, q) => basis.couplingTimes(q, vectors))
    window.forEach((a, i) => {
      projected.data[i * w + i] = values[a]
      squared.data[i * w + i] = ((values[a] - this.target) / scale) ** 2
      window.forEach((b, j) => {
        for (const f of couplings) squared.data[i * w + j] += (f[a] / scale) * (f[b] / scale)
      })
    })
    const near = nearRitz(squared, projected, count)
    const columns = near.values.length
    const residualNorms = Float64Array.from(near.values, (value, j) => {
      let length = 0
      for (let i = 0; i < w; i++)
        length = Math.hypot(length, (values[window[i]] - value) * near.vectors.data[i * columns + j])
      for (const f of couplings) {
        let outside = 0
        for (let i = 0; i < w; i++) outside += f[window[i]] * near.vectors.data[i * columns + j]
        length = Math.hypot(length, outside)
      }
      return length
    })
    const shown = selectColumns(vectors, window)
    const order = nearestColumns(near.values, residualNorms, this.target, columns)
    return { values: near.values, vectors: matmul(shown, near.vectors), residualNorms, order }
  }

  #wanted(): readonly number[] {
    return this.#found!.order.slice(0, this.#interior.count)
  }

  protected wantedResiduals(): number[] {
    return this.#wanted().map((i) => this.#found!.residualNorms[i])
  }

  protected wantedValues(): number[] {
    return this.#wanted()
      .map((i) => this.#found!.values[i])
      .sort((a, b) => a - b)
  }

  /** Of the pair next to the wanted ones. */
  protected separated(): boolean {
    const { values, residualNorms, order } = this.#found!
    const { count } = this.#interior
    if (order.length <= count) return false
    const distance = (i: number): number => Math.abs(values[i] - this.target)
    const farthest = Math.max(...this.#wanted().map(distance))
    const next = order[count]
    return distance(next) - residualNorms[next] >= farthest - 2 * this.residualMax
  }

  protected keepWanted(): void {
    this.basis.restart(this.#found!, this.#wanted())
  }

  /** Half of the room: the Ritz vectors nearest to σ by ‖(A − σI)x‖. */
  protected keepNeighbours(): void {
    const ritz = this.#ritz!
    const kept = Math.floor(this.#interior.capacity / 2)
    const columns = nearestColumns(ritz.values, this.#outside, this.target, kept).sort((i, j) => i - j)
    this.basis.restart(ritz, columns)
  }
}

function selectColumns({ rows, cols, data }: Matrix, columns: readonly number[]): Matrix {
  const chosen = new Float64Array(rows * columns.length)
  for (let i = 0; i < rows; i++)
    columns.forEach((column, j) => {
      chosen[i * columns.length + j] = data[i * cols + column]
    })
  return { rows, cols: columns.length, data: chosen }
}

/** Products that `interiorEigenpairs` needs at least: one step, and the residuals of the pairs and their guards. */
export function interiorProductsMin(size: number, count: number): number {
  return 1 + Math.min(size, count + guardCount(count))
}

function planOf(size: number, options: InteriorEigenpairsOptions): Plan {
  const where = 'interiorEigenpairs'
  const whole = (name: string, value: number, least: number): number => {
    if (Number.isInteger(value) && value >= least) return value
    throw new DomainError(`${where}: ${name} must be an integer of at least ${least}, got ${value}.`)
  }
  whole('size of the operator', size, 1)
  const { target, tolerance = 1e-8, search } = options
  if (!Number.isFinite(target)) throw new DomainError(`${where}: target must be a finite number, got ${target}.`)
  if (!(tolerance > 0)) throw new DomainError(`${where}: tolerance must be positive, got ${tolerance}.`)
  const count = Math.min(size, whole('count', options.count ?? 1, 1))
  const reserve = Math.min(size, count + guardCount(count))
  const roomy = interiorSubspaceSize(size, count)
  const least = 2 * (count + guardCount(count)) + 4
  const capacity = Math.min(size, Math.max(least, whole('subspaceSize', options.subspaceSize ?? roomy, 1)))
  const maxProducts = whole('maxProducts', options.maxProducts ?? 1000, 1)
  const productsMin = interiorProductsMin(size, count)
  if (maxProducts < productsMin)
    throw new DomainError(
      `${where}: maxProducts must be at least ${productsMin} for ${count} pairs, got ${maxProducts}.`,
    )
  if (search !== undefined && search.size !== size)
    throw new DomainError(`${where}: search must have size ${size}, got ${search.size}.`)
  return { target, count, tolerance, maxProducts, capacity, reserve }
}
