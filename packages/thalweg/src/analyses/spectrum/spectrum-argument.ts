import { DomainError } from '@thalweg/graph'
import { floorNear, interiorProductsMin, traceToAccuracyProductsMin } from '@thalweg/landscape'
import type { NearRequest, SpectralFloor } from '@thalweg/landscape'
import type { SubjectArgument } from '../../subject/subject.ts'
import type { StabilityArgument } from './stability-along.ts'

export const spectrumOperators = ['hessian', 'ggn', 'fisher', 'empirical-fisher', 'gram'] as const
export type SpectrumOperator = (typeof spectrumOperators)[number]

export interface SpectrumArgument extends StabilityArgument {
  readonly subject: SubjectArgument
  readonly operator: SpectrumOperator
  readonly top: number
  readonly bottom: number
  /** Those closest to this number, too. */
  readonly near?: number
  /** How many of them. Default 5. */
  readonly nearCount?: number
  readonly exact?: boolean
  readonly trace: boolean
  /** Wanted standard error of the trace over the trace. */
  readonly traceAccuracy?: number
  readonly density: boolean
  /** log det(A + shift·I). */
  readonly logDet?: boolean
  readonly shift?: number
  readonly layers: boolean
  readonly dtype: 'float32' | 'float64'
  /** Arithmetic of the matrix-free searches; what they find is refined in `dtype`. Default: `dtype`. */
  readonly searchDtype?: 'float32' | 'float64'
  readonly maxProducts?: number
  readonly tolerance?: number
  readonly threads?: number
  /** Compute on so many samples, drawn by the seed, instead of all. */
  readonly samples?: number
  /** Stop with the best pairs so far. */
  readonly timeLimitMs?: number
}

/** Up to this size the whole matrix is formed by default. */
const denseLimit = 2000

/** Refuses options that nothing would read.
 * @throws {DomainError} naming what they belong to. */
export function requireMeaning(argument: SpectrumArgument): void {
  const { near, nearCount, trace, traceAccuracy, shift, logDet } = argument
  const { trajectory, learningRate, momentum, nesterov } = argument
  if (nearCount !== undefined && near === undefined)
    throw new DomainError('--near-count: it belongs to --near. Add that, such as --near 0.')
  if (traceAccuracy !== undefined && !trace) throw new DomainError('--trace-accuracy: it belongs to --trace. Add that.')
  if (traceAccuracy !== undefined && !(traceAccuracy > 0))
    throw new DomainError(
      `--trace-accuracy: it must be above 0, got ${traceAccuracy}. 0.01 is a standard error of one percent.`,
    )
  if (shift !== undefined && !logDet) throw new DomainError('--shift: it belongs to --log-det. Add that.')
  const stability = learningRate !== undefined || momentum !== undefined || nesterov === true
  if (trajectory === undefined && stability)
    throw new DomainError('--learning-rate, --momentum, --nesterov: they belong to --trajectory DIR. Add that.')
  if (nesterov === true && momentum === undefined)
    throw new DomainError('--nesterov: it needs the momentum of the training. Pass --momentum.')
}

/** The eigenvalues wanted near a target. */
export function nearRequest({ near, nearCount = 5 }: SpectrumArgument): (NearRequest & { count: number }) | undefined {
  return near === undefined ? undefined : { target: near, count: nearCount }
}

/** Pairs asked for at both ends, of those that there are. */
export function wantedPairs({ top, bottom }: SpectrumArgument, size: number): number {
  return Math.min(size, top) + Math.min(size, bottom)
}

/** Products of all eigenvalues: the matrix, and the residuals of the pairs asked for. */
function denseProducts(argument: SpectrumArgument, size: number): number {
  return size + wantedPairs(argument, size) + Math.min(size, nearRequest(argument)?.count ?? 0)
}

/** Whether all eigenvalues are computed: as asked for, else where the matrix is small and the products, those for the
 * residuals included, are allowed. */
export function wantsDense(argument: SpectrumArgument, size: number): boolean {
  const { exact, maxProducts = Number.POSITIVE_INFINITY } = argument
  return exact ?? (size <= denseLimit && denseProducts(argument, size) <= maxProducts)
}

/** @throws {DomainError} if the products allowed are too few for what is asked. */
export function requireProducts(argument: SpectrumArgument, size: number, floor?: SpectralFloor): void {
  const { exact, maxProducts, top, bottom } = argument
  const wanted = wantedPairs(argument, size)
  if (maxProducts === undefined) return
  const all = denseProducts(argument, size)
  if (exact && maxProducts < all)
    throw new DomainError(
      `--exact: it takes ${all} products, got --max-products ${maxProducts}. Leave one of them out.`,
    )
  if (maxProducts <= wanted)
    throw new DomainError(
      `--max-products: ${top} largest and ${bottom} smallest eigenvalues take at least ${wanted + 1}, got ${maxProducts}. Raise it, or ask for fewer by --top and --bottom.`,
    )
  if (argument.traceAccuracy !== undefined && maxProducts < traceToAccuracyProductsMin && !wantsDense(argument, size))
    throw new DomainError(
      `--max-products: --trace-accuracy takes at least ${traceToAccuracyProductsMin}, got ${maxProducts}. Raise it, or leave the accuracy out.`,
    )
  const near = nearRequest(argument)
  if (near === undefined || exact || floorNear(size, near, floor)) return
  const least = interiorProductsMin(size, Math.min(size, near.count))
  if (maxProducts < least)
    throw new DomainError(
      `--max-products: ${near.count} eigenvalues near ${near.target} take at least ${least}, got ${maxProducts}. Raise it, or ask for fewer by --near-count.`,
    )
}
