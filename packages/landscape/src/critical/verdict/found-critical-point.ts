import type { HessianInertia } from '../evidence/inertia.ts'
import type { FinderName } from '../finders/finders.ts'
import type { Message, VerdictKind } from './diagnosis.ts'

/** A critical point that was found, perhaps many times. */
export interface FoundCriticalPoint {
  readonly theta: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly noiseFloor: number
  readonly verdict: VerdictKind
  readonly summary: Message
  readonly inertia: HessianInertia
  /** negative / p, the index of Dauphin et al. */
  readonly indexFraction: number
  /** Dimension of the orbit of the continuous symmetries through the point; null for analytic functions. */
  readonly symmetryDimension: number | null
  /** The starts that led here, modulo symmetry. */
  readonly starts: readonly number[]
  /** Largest distance from θ to where another of these searches ended on the same flat set of critical points
   * (`joinSets`); 0 where they all ended at θ, modulo symmetry, or in one class of a linear network. */
  readonly spread: number
  readonly method: FinderName
}
