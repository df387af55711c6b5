import { DomainError, TaskError } from '@thalweg/graph'
import { extremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import type { Eigenpair } from '../linalg/eigenpair.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import type { ExtremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import { applyRows, denseOf } from '../linalg/linear-operator.ts'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import { frobenius, row } from '../linalg/matrix.ts'
import { densityOf, spectralDensity, stochasticTraceFunction } from '../linalg/spectral-density.ts'
import type { SpectralDensity } from '../linalg/spectral-density.ts'
import { symmetricEigenbasis } from '../linalg/symmetric-eigen.ts'
import { traceToAccuracy } from '../linalg/adaptive-trace.ts'
import { frobeniusNorm, hutchPlusPlusTrace } from '../linalg/trace-estimators.ts'
import type { Estimate } from '../linalg/trace-estimators.ts'
import { norm } from '../linalg/vector.ts'
import { nearEigenvalues, nearestPositions, requireNear } from './near-eigenvalues.ts'
import type { KnownEigenvalue, NearEigenvalues, NearRequest, SpectralFloor } from './near-eigenvalues.ts'

export interface SpectrumOptions {
  /** Pairs from each end. Default 5. */
  readonly top?: number
  readonly bottom?: number
  /** The eigenvalues closest to a target, too. */
  readonly near?: NearRequest
  /** All eigenvalues from the dense matrix. Default: where p ≤ `denseLimit`. */
  readonly exact?: boolean
  /** Default 2000. */
  readonly denseLimit?: number
  /** Residual ‖Av − λv‖ ≤ tolerance · ‖A‖ counts as converged. Default 1e-6. */
  readonly tolerance?: number
  /** Of the search for both ends, and of that near a target: each. */
  readonly maxProducts?: number
  /** A cheaper operator close to this one, which the matrix-free searches use instead; the pairs are then refined with
   * products of the operator itself. */
  readonly search?: LinearOperator
  /** Where it covers all pairs wanted from the bottom, these are not searched for, and none is negative if it is not: Lanczos
   * finds one of many copies at a time. */
  readonly floor?: SpectralFloor
  /** Trace and Frobenius norm by stochastic estimation with this many products each (exact in dense mode). */
  readonly traceProducts?: number
  /** Standard error of the trace over the trace: as many products as that takes instead, `maxProducts` at most. */
  readonly traceAccuracy?: number
  /** Spectral density, by Lanczos quadrature where not all eigenvalues are known. */
  readonly density?: { readonly probes?: number; readonly steps?: number }
  /** log det(A + shift·I): from all eigenvalues where they are known, else by Lanczos quadrature. */
  readonly logDeterminant?: { readonly shift?: number; readonly probes?: number; readonly steps?: number }
  readonly seed?: number
  readonly onProgress?: (stage: 'matrix' | 'eigenvalues' | 'near' | 'density', done: number, total: number) => void
  /** Stops the search with the best pairs so far (`status` says so) and leaves out what was not begun. A matrix that is
   * being formed is given up: `TaskError`. */
  readonly signal?: CancelSignal
}

/** How many eigenvalues are negative. */
export interface MorseIndex {
  readonly value: number
  /** Eigenvalues of smaller modulus are not told from zero. */
  readonly threshold: number
  /** False: only a lower bound, from pairs whose residual proves a negative eigenvalue. */
  readonly exact: boolean
}

/** log det(A + shift·I) = Σ_i log(λ_i + shift). */
export interface LogDeterminant {
  readonly shift: number
  /** Null where A + shift·I is not positive definite. */
  readonly value: number | null
  /** Of the probes and the quadrature together. 0 where exact. */
  readonly standardError: number | null
  /** The part of it that further Lanczos steps would remove. 0 where exact. */
  readonly quadratureError: number | null
  readonly products: number
  readonly method: 'exact' | 'stochastic-lanczos-quadrature'
  /** An eigenvalue, or a number within the spectrum, that is not above −shift; null where there is none. */
  readonly obstacle: number | null
  /** False where time ran out. */
  readonly complete: boolean
}

export interface Spectrum {
  readonly size: number
  readonly method: 'dense' | 'lanczos'
  /** Descending from the largest. */
  readonly top: readonly Eigenpair[]
  /** Ascending from the smallest. Empty where `floor` stands for them. */
  readonly bottom: readonly Eigenpair[]
  /** The smallest eigenvalue by the form of the matrix, at least so many times; null where the bottom was searched. */
  readonly floor: KnownEigenvalue | null
  /** Null where they were not asked for, or time ran out before. */
  readonly near: NearEigenvalues | null
  /** Every eigenvalue, ascending; dense only. */
  readonly all: Float64Array | null
  readonly status: ExtremeEigenpairs['status']
  /** Whether further copies of multiple eigenvalues were searched for until none was found, or all eigenvalues are known.
   * If not, a converged pair may stand where a copy of one before it belongs. */
  readonly multiplicityVerified: boolean
  readonly morseIndex: MorseIndex
  readonly trace: Estimate | null
  readonly frobeniusNorm: Estimate | null
  /** (tr A)² / ‖A‖²_F: how many equal eigenvalues would spread as much. Null without trace and norm. */
  readonly effectiveRank: number | null
  readonly density: SpectralDensity | null
  readonly logDeterminant: LogDeterminant | null
  /** A lower bound of ‖A‖. */
  readonly operatorNorm: number
  readonly products: number
  /** How many of them were those of `search`. */
  readonly searchProducts: number
  /** max |a_ij − a_ji| / max |a_ij| of the products as they came; dense only. */
  readonly symmetryDefect: number | null
}

const epsilon = 2 ** -53

/** The spectrum of a symmetric operator: both ends with residuals, the number of negative eigenvalues, and what was asked.
 *
 * Dense (p products, O(p³)): everything is counted and the index exact. Otherwise Lanczos: each pair's residual proves
 * that *an* eigenvalue lies that close, not that it is the extreme one, so the index is a lower bound.
 * @throws {DomainError} if a product is not finite or an option out of range; {TaskError} if it was stopped before it
 *         had anything. */
export async function spectrum(operator: LinearOperator, options: SpectrumOptions = {}): Promise<Spectrum> {
  for (const key of ['top', 'bottom'] as const) {
    const count = options[key] ?? 5
    if (!(Number.isInteger(count) && count >= 0))
      throw new DomainError(`spectrum: ${key} must be a number of pairs, got ${count}.`)
  }
  if (options.near) requireNear(options.near)
  const dense = options.exact ?? operator.size <= (options.denseLimit ?? 2000)
  const base = dense ? await denseSpectrum(operator, options) : await krylovSpectrum(operator, options)
  const density = await densityIn(operator, base, options)
  const logDeterminant =
    options.logDeterminant && !options.signal?.aborted ? await logDeterminantOf(operator, base, options) : null
  const { trace, frobeniusNorm: size } = base
  return {
    ...base,
    density,
    logDeterminant,
    products: base.products + (density?.products ?? 0) + (base.all ? 0 : (logDeterminant?.products ?? 0)),
    // The quotient first: squares overflow.
    effectiveRank: trace && size && size.value > 0 ? (trace.value / size.value) ** 2 : null,
  }
}

async function densityIn(
  operator: LinearOperator,
  base: Base,
  options: SpectrumOptions,
): Promise<SpectralDensity | null> {
  const { density, signal, seed, onProgress } = options
  if (!density || signal?.aborted) return null
  if (base.all) return densityOf(base.all)
  const report = (done: number, total: number): void => onProgress?.('density', done, total)
  return spectralDensity(operator, { ...density, seed, signal, onProgress: report })
}

type Base = Omit<Spectrum, 'density' | 'effectiveRank' | 'logDeterminant'>

async function logDeterminantOf(
  operator: LinearOperator,
  base: Base,
  options: SpectrumOptions,
): Promise<LogDeterminant> {
  const { shift = 0, probes, steps } = options.logDeterminant ?? {}
  const rounding = operator.size * epsilon * base.operatorNorm
  if (base.all) {
    const obstacle = base.all[0] + shift <= rounding ? base.all[0] : null
    const value = obstacle === null ? base.all.reduce((sum, v) => sum + Math.log(v + shift), 0) : null
    const common = { products: operator.size, method: 'exact', complete: true } as const
    const none = value === null ? null : 0
    return { shift, value, standardError: none, quadratureError: none, obstacle, ...common }
  }
  let least = Number.POSITIVE_INFINITY
  const f = (node: number): number => {
    least = Math.min(least, node)
    return Math.log(Math.max(node + shift, Number.MIN_VALUE))
  }
  const { seed, signal } = options
  const found = await stochasticTraceFunction(operator, f, { probes, steps, seed, signal })
  // A Ritz value is above the smallest eigenvalue: one that is not positive proves that the determinant has no logarithm.
  const lowest = Math.min(least, base.bottom[0]?.value ?? base.floor?.value ?? Number.POSITIVE_INFINITY)
  const obstacle = lowest + shift <= rounding ? lowest : null
  const { products, method, complete } = found
  const common = { shift, products, method, complete, obstacle }
  return obstacle === null
    ? { ...common, value: found.value, standardError: found.standardError, quadratureError: found.quadratureError }
    : { ...common, value: null, standardError: null, quadratureError: null }
}

/** An estimate, or null where it was stopped before it had one. */
async function unlessStopped(estimate: Promise<Estimate>, signal: CancelSignal | undefined): Promise<Estimate | null> {
  try {
    return await estimate
  } catch (error) {
    if (error instanceof TaskError && signal?.aborted) return null
    throw error
  }
}

async function denseSpectrum(operator: LinearOperator, options: SpectrumOptions): Promise<Base> {
  const { size } = operator
  const batch = Math.min(size, 128)
  const { matrix, symmetryDefect } = await denseOf(operator, {
    batch,
    onProgress: (done, total) => {
      // At the last column, too: the decomposition that follows cannot be interrupted.
      if (options.signal?.aborted)
        throw new TaskError(
          `spectrum: stopped after ${done} of ${total} columns of the matrix. Allow more time, or search for the ends only.`,
        )
      options.onProgress?.('matrix', done, total)
    },
  })
  const basis = symmetricEigenbasis(matrix)
  const { values } = basis
  const [least, most] = [values[0], values[size - 1]]
  const operatorNorm = Math.max(Math.abs(least), Math.abs(most))
  const threshold = zeroThreshold(size, operatorNorm, symmetryDefect)
  const pairsAt = async (positions: readonly number[]): Promise<Eigenpair[]> => {
    const vectors = basis.vectors(positions)
    const wanted = positions.map((_, k) => row(vectors, k).slice())
    const residuals = await residualNorms(
      operator,
      wanted,
      positions.map((i) => values[i]),
    )
    const limit = (options.tolerance ?? 1e-6) * operatorNorm
    return positions.map((i, k) => ({
      value: values[i],
      vector: wanted[k],
      residualNorm: residuals[k],
      converged: residuals[k] <= Math.max(limit, threshold),
    }))
  }
  const top = await pairsAt(Array.from({ length: Math.min(size, options.top ?? 5) }, (_, k) => size - 1 - k))
  const bottom = await pairsAt(Array.from({ length: Math.min(size, options.bottom ?? 5) }, (_, k) => k))
  const near = options.near && (await pairsAt(nearestPositions(values, options.near)))
  const exact = (value: number): Estimate => ({ value, standardError: 0, products: size, method: 'exact' })
  return {
    size,
    method: 'dense',
    top,
    bottom,
    floor: null,
    near: options.near && near ? denseNear(options.near.target, near, values, operatorNorm, threshold) : null,
    all: values,
    status: 'exact',
    multiplicityVerified: true,
    morseIndex: { value: values.filter((v) => v < -threshold).length, threshold, exact: true },
    trace: exact(values.reduce((s, v) => s + v, 0)),
    frobeniusNorm: exact(frobenius(matrix)),
    operatorNorm,
    products: size + top.length + bottom.length + (near?.length ?? 0),
    searchProducts: 0,
    symmetryDefect,
  }
}

function denseNear(
  target: number,
  pairs: readonly Eigenpair[],
  all: Float64Array,
  operatorNorm: number,
  threshold: number,
): NearEigenvalues {
  const equal = all.filter((value) => Math.abs(value - target) <= threshold).length
  const whole = { method: 'dense', status: 'exact', multiplicityVerified: true } as const
  return { target, pairs, floor: null, equal, operatorNorm, ...whole, products: pairs.length, searchProducts: 0 }
}

/** Rounding of the dense path: p·ε·‖A‖ for the solver, and the asymmetry the products came with. */
function zeroThreshold(size: number, operatorNorm: number, symmetryDefect: number): number {
  return Math.max(size * epsilon, symmetryDefect) * operatorNorm
}

async function residualNorms(
  operator: LinearOperator,
  vectors: readonly Float64Array[],
  values: readonly number[],
): Promise<number[]> {
  if (vectors.length === 0) return []
  const stacked = new Float64Array(vectors.length * operator.size)
  vectors.forEach((v, i) => stacked.set(v, i * operator.size))
  const images = await applyRows('spectrum', operator, stacked, vectors.length)
  return vectors.map((v, i) => norm(v.map((x, j) => images[i * operator.size + j] - values[i] * x)))
}

type Ends = Pick<
  ExtremeEigenpairs,
  'top' | 'bottom' | 'status' | 'multiplicityVerified' | 'operatorNorm' | 'products' | 'searchProducts'
>

const noEnds: Ends = {
  ...{ top: [], bottom: [], status: 'converged', multiplicityVerified: true, operatorNorm: 0 },
  ...{ products: 0, searchProducts: 0 },
}

/** The floor, where it is not negative and as many eigenvalues lie on it as are wanted. */
function floorOf({ size }: LinearOperator, { floor, bottom = 5 }: SpectrumOptions): Spectrum['floor'] {
  if (!floor || floor.value < 0 || bottom === 0) return null
  const count = size - floor.rank
  return count >= bottom ? { value: floor.value, count } : null
}

/** Both ends by Lanczos; nothing where no pair is wanted, as where trace or density are all that is asked for. */
async function endsOf(operator: LinearOperator, options: SpectrumOptions): Promise<Ends> {
  const { top = 5, bottom = 5, tolerance = 1e-6, maxProducts, search, seed, signal } = options
  if (top + bottom === 0) return noEnds
  return extremeEigenpairs(operator, {
    ...{ top, bottom, tolerance, maxProducts, search, seed, signal },
    onProgress: (p) => options.onProgress?.('eigenvalues', p.products, p.maxProducts),
  })
}

/** Null where it was stopped before it began. */
async function nearOf(operator: LinearOperator, options: SpectrumOptions): Promise<NearEigenvalues | null> {
  const { near, tolerance, maxProducts, search, floor, seed, signal } = options
  if (!near || signal?.aborted) return null
  return nearEigenvalues(operator, near, {
    ...{ tolerance, maxProducts, search, floor, seed, signal },
    onProgress: (done, total) => options.onProgress?.('near', done, total),
  })
}

async function krylovSpectrum(operator: LinearOperator, options: SpectrumOptions): Promise<Base> {
  const { seed, signal } = options
  const floor = floorOf(operator, options)
  const ends = await endsOf(operator, floor ? { ...options, bottom: 0 } : options)
  const near = await nearOf(operator, options)
  const operatorNorm = Math.max(ends.operatorNorm, near?.operatorNorm ?? 0)
  const { traceProducts, traceAccuracy: accuracy, maxProducts } = options
  const estimate = { products: traceProducts, seed, signal }
  const traced = accuracy !== undefined || (traceProducts !== undefined && traceProducts > 0)
  const traceOf = (): Promise<Estimate> =>
    accuracy === undefined
      ? hutchPlusPlusTrace(operator, estimate)
      : traceToAccuracy(operator, { accuracy, maxProducts, seed, signal })
  const trace = traced && !signal?.aborted ? await unlessStopped(traceOf(), signal) : null
  const size = traced && !signal?.aborted ? await unlessStopped(frobeniusNorm(operator, estimate), signal) : null
  const threshold = operator.size * epsilon * operatorNorm
  const provenBy = (pairs: readonly Eigenpair[]): number =>
    pairs.filter((pair) => pair.value + pair.residualNorm < -threshold).length
  const proven = Math.max(provenBy(ends.bottom), provenBy(near?.pairs ?? []))
  return {
    size: operator.size,
    method: 'lanczos',
    top: ends.top,
    bottom: ends.bottom,
    floor,
    near,
    all: null,
    status: ends.status,
    multiplicityVerified: ends.multiplicityVerified,
    morseIndex: {
      value: proven,
      threshold,
      exact: floor !== null || (ends.status === 'exact' && proven < ends.bottom.length),
    },
    trace,
    frobeniusNorm: size,
    operatorNorm,
    products: ends.products + (near?.products ?? 0) + (trace?.products ?? 0) + (size?.products ?? 0),
    searchProducts: ends.searchProducts + (near?.searchProducts ?? 0),
    symmetryDefect: null,
  }
}
