import type { CurvePoint } from '../evidence/degenerate.ts'
import type { HessianInertia } from '../evidence/inertia.ts'
import type { MessageId } from './message-id.ts'
import type { Escape } from '../evidence/saddle-evidence.ts'
import type { SearchStatus } from '../finders/search.ts'
import type { SymmetryKind } from '../evidence/symmetry-orbit.ts'

/** Where training stopped; what each verdict needs as evidence is written at `diagnose`. */
export type VerdictKind =
  | 'not-critical'
  | 'strict-saddle'
  | 'non-strict-saddle'
  | 'local-minimum'
  | 'global-minimum'
  | 'near-infimum'
  | 'undecided'

/** A sentence as data: what it says and the numbers in it. `wording.ts` renders it. */
export interface Message {
  readonly id: MessageId
  readonly values: Readonly<Record<string, number | string>>
}

export type EvidenceKind =
  | 'gradient'
  | 'gradient-flat'
  | 'polish'
  | 'negative-eigenvalue'
  | 'two-sided-decrease'
  | 'full-count'
  | 'symmetry-orbit'
  | 'constant-rank'
  | 'degenerate-descent'
  | 'kink-distance'
  | 'one-sided-descent'
  | 'function-space-optimum'
  | 'convex-model'
  | 'lower-bound'
  | 'near-infimum'
  | 'interpolation'
  | 'tangent-model'
  | 'gradient-noise'
  | 'edge-of-stability'
  | 'attainable-decrease'

/** One thing a reader can check. */
export interface Evidence {
  readonly kind: EvidenceKind
  readonly claim: Message
  /** The number that the claim rests on. */
  readonly value: number | null
  /** What it is held against: a noise floor, an error, a tolerance. */
  readonly bound: number | null
  /** How it was obtained. */
  readonly method: string
}

export interface EigenvalueReport {
  readonly value: number
  readonly residualNorm: number
  readonly converged: boolean
}

/** The critical point that a Newton-type polish reached. */
export interface PolishedPoint {
  readonly status: SearchStatus
  readonly distance: number
  readonly loss: number
  readonly gradientNorm: number
  readonly noiseFloor: number
  /** Of that point; null where the polish reached none. */
  readonly verdict: VerdictKind | null
  readonly inertia: HessianInertia | null
  readonly theta: readonly number[]
}

/** A verdict with its evidence, as plain data (ready for JSON). */
export interface Diagnosis {
  readonly verdict: VerdictKind
  readonly summary: Message
  readonly advice: readonly Message[]
  readonly loss: number
  readonly gradientNorm: number
  /** Of gradient and loss in float64. */
  readonly noiseFloor: { readonly gradient: number; readonly loss: number }
  /** Distance from θ to the critical point that the verdict is about; 0 where that is θ, null where there is none. */
  readonly criticalDistance: number | null
  /** r of the gradient-flat measure at θ; null where not measured. */
  readonly flatness: number | null
  /** At the point that the verdict is about. */
  readonly inertia: HessianInertia
  readonly eigenvalues: {
    readonly method: 'dense' | 'lanczos'
    readonly top: readonly EigenvalueReport[]
    readonly bottom: readonly EigenvalueReport[]
  }
  readonly evidence: readonly Evidence[]
  readonly polished: PolishedPoint | null
  readonly escape: Escape | null
  /** A bound of L(θ) minus the best value there is, where one is known. */
  readonly gap: number | null
  readonly symmetry: {
    readonly dimension: number
    readonly kinds: readonly { readonly kind: SymmetryKind; readonly dimension: number }[]
  } | null
  readonly kinks: {
    readonly distance: number | null
    readonly onKink: number
    readonly deadUnits: number
  } | null
  readonly curve: readonly CurvePoint[]
  readonly warnings: readonly Message[]
  readonly cost: { readonly products: number }
}
