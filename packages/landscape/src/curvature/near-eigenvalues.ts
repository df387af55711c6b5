import { DomainError } from '@thalweg/graph'
import type { Eigenpair } from '../linalg/eigenpair.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { interiorEigenpairs } from '../linalg/interior-eigenpairs.ts'
import type { InteriorEigenpairs } from '../linalg/interior-eigenpairs.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'

/** What the form of a matrix says of its smallest eigenvalues: none is below `value`, and all but `rank` equal it. So the
 * matrices JᵀBJ + V·I with B ⪰ 0 on n·k outputs: value V, rank n·k. */
export interface SpectralFloor {
  readonly value: number
  readonly rank: number
}

/** An eigenvalue by the form of the matrix, and how often it is there at least. */
export interface KnownEigenvalue {
  readonly value: number
  readonly count: number
}

/** Which eigenvalues are wanted: the `count` (default 5) closest to `target`; with target 0, those of smallest modulus. */
export interface NearRequest {
  readonly target: number
  readonly count?: number
}

/** The eigenvalues closest to a target, as far as they were found. */
export interface NearEigenvalues {
  readonly target: number
  readonly method: 'dense' | 'lanczos'
  /** Nearest first. Empty where `floor` stands for them. Unless `status` is `'exact'` they need not be the closest ones:
   * each residual proves some eigenvalue that close to the value. */
  readonly pairs: readonly Eigenpair[]
  /** The target is not above the smallest eigenvalue, which the form of the matrix gives often enough; else null. */
  readonly floor: KnownEigenvalue | null
  /** How many of all eigenvalues equal the target up to rounding; null unless all were computed. */
  readonly equal: number | null
  readonly status: InteriorEigenpairs['status']
  /** Whether further copies of multiple eigenvalues were searched for until none was found, or all eigenvalues are known. */
  readonly multiplicityVerified: boolean
  /** A lower bound of ‖A‖. */
  readonly operatorNorm: number
  readonly products: number
  readonly searchProducts: number
}

export interface NearSearchOptions {
  readonly tolerance?: number
  readonly maxProducts?: number
  readonly search?: LinearOperator
  readonly floor?: SpectralFloor
  readonly seed?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (done: number, total: number) => void
}

/** @throws {DomainError} naming what is out of range. */
export function requireNear({ target, count = 5 }: NearRequest): void {
  if (!Number.isFinite(target)) throw new DomainError(`spectrum: near.target must be a finite number, got ${target}.`)
  if (!(Number.isInteger(count) && count >= 1))
    throw new DomainError(`spectrum: near.count must be a number of pairs of at least 1, got ${count}.`)
}

/** The floor, where the target is not above it and it is there as often as eigenvalues are wanted. */
export function floorNear(size: number, near: NearRequest, floor: SpectralFloor | undefined): KnownEigenvalue | null {
  const count = floor ? size - floor.rank : 0
  if (!floor || near.target > floor.value || count < Math.min(size, near.count ?? 5)) return null
  return { value: floor.value, count }
}

/** The eigenvalues closest to a target by Lanczos, or by what the form of the matrix says: zeros by the thousand are not
 * searched for. */
export async function nearEigenvalues(
  operator: LinearOperator,
  near: NearRequest,
  options: NearSearchOptions,
): Promise<NearEigenvalues> {
  const { target, count = 5 } = near
  const floor = floorNear(operator.size, near, options.floor)
  if (floor) {
    const nothing = { pairs: [], operatorNorm: Math.abs(floor.value), products: 0, searchProducts: 0 }
    return { target, method: 'lanczos', floor, status: 'exact', multiplicityVerified: true, equal: null, ...nothing }
  }
  const { tolerance = 1e-6, maxProducts, search, seed, signal, onProgress } = options
  const { restarts: _, ...found } = await interiorEigenpairs(operator, {
    ...{ target, count, tolerance, maxProducts, search, seed, signal },
    onProgress: (p) => onProgress?.(p.products, p.maxProducts),
  })
  return { target, method: 'lanczos', floor: null, equal: null, ...found }
}

/** Positions of the `count` values closest to `target`, nearest first; of two equally close ones the smaller. */
export function nearestPositions(values: ArrayLike<number>, { target, count = 5 }: NearRequest): number[] {
  return Array.from({ length: values.length }, (_, i) => i)
    .sort((i, j) => Math.abs(values[i] - target) - Math.abs(values[j] - target) || i - j)
    .slice(0, count)
}
