/** Results as the commands write them, typed where the lab reads them. A number that is not finite is `null`. */

export type VerdictKind =
  | 'not-critical'
  | 'strict-saddle'
  | 'non-strict-saddle'
  | 'local-minimum'
  | 'global-minimum'
  | 'near-infimum'
  | 'undecided'

/** `results/training.json` */
export interface TrainingRecord {
  readonly status: string
  readonly message: string
  readonly steps: number
  readonly history: readonly HistoryPoint[]
}

/** Measured on the full data. */
export interface HistoryPoint {
  readonly step: number
  readonly epoch: number
  readonly loss: number | null
  readonly gradientNorm: number | null
  readonly accuracy?: number | null
  readonly testLoss?: number | null
  readonly testAccuracy?: number | null
}

/** `results/end.json` */
export interface EndPoint {
  readonly loss: number | null
  readonly gradientNorm: number | null
  readonly accuracy: number | null
  readonly testLoss?: number | null
  readonly testAccuracy?: number | null
}

export interface Eigenvalue {
  readonly value: number | null
  readonly residualNorm: number | null
  readonly converged: boolean
}

export interface Inertia {
  readonly negative: number
  readonly zero: number
  readonly positive: number
  readonly threshold: number | null
  /** false: negative and positive are lower bounds. */
  readonly exact: boolean
}

/** The verdict card. Sentences are in the language that the work was started with. */
export interface DiagnosisDocument {
  readonly verdict: VerdictKind
  readonly summary: string
  readonly gradientNorm: number | null
  readonly noiseFloor: { readonly gradient: number | null; readonly loss: number | null }
  readonly criticalDistance: number | null
  readonly flatness: number | null
  readonly inertia: Inertia
  readonly eigenvalues: {
    readonly method: string
    readonly top: readonly Eigenvalue[]
    readonly bottom: readonly Eigenvalue[]
  }
  readonly evidence: readonly Evidence[]
  readonly advice: readonly string[]
  readonly polished?: {
    readonly status: string
    readonly distance: number | null
    readonly loss: number | null
    readonly gradientNorm: number | null
    readonly verdict: VerdictKind | null
    readonly inertia: Inertia | null
  }
  readonly escape?: {
    readonly distance: number | null
    readonly lossBefore: number | null
    readonly lossAfter: number | null
    readonly [key: string]: unknown
  }
  readonly gap?: number | null
  readonly kinks?: { readonly distance: number | null; readonly onKink: number; readonly deadUnits: number }
  /** Loss along the descent from a degenerate point. */
  readonly curve?: readonly Readonly<Record<string, number | null>>[]
  readonly warnings?: readonly string[]
  readonly [key: string]: unknown
}

/** `kind` names the rule: its formula and its source are told by the lab, by kind. */
export interface Evidence {
  readonly kind: string
  readonly claim: string
  readonly value: number | null
  readonly bound: number | null
  readonly method: string
}

/** As `thalweg spectrum --json`. */
export interface SpectrumDocument {
  readonly status: string
  readonly operator: string
  readonly size: number
  readonly gradientNorm: number | null
  readonly eigenvalues: {
    readonly method: string
    readonly products: number
    readonly top: readonly Eigenvalue[]
    readonly bottom: readonly Eigenvalue[]
    /** All of them, where the matrix was formed. */
    readonly all?: readonly number[]
  }
  readonly morseIndex: { readonly value: number; readonly threshold: number | null; readonly exact: boolean }
  readonly trace: {
    readonly value: number | null
    readonly standardError: number | null
    readonly method: string
  } | null
  /** Values with a standard error each: the band. */
  readonly density?: {
    readonly grid: readonly number[]
    readonly values: readonly number[]
    readonly standardErrors: readonly (number | null)[]
  }
  readonly layers?: readonly Readonly<Record<string, unknown>>[]
  readonly warnings: readonly string[]
  readonly [key: string]: unknown
}

/** As `thalweg critical --json`: index against loss. */
export interface CriticalDocument {
  readonly status: string
  readonly method: string
  readonly outcomes: Readonly<Record<string, number>>
  readonly points: readonly {
    readonly loss: number | null
    readonly gradientNorm: number | null
    /** Share of negative eigenvalues. */
    readonly index: number
    readonly inertia: Inertia
    readonly verdict: VerdictKind
    readonly summary: string
    readonly multiplicity: number
    readonly [key: string]: unknown
  }[]
  readonly warnings: readonly string[]
  readonly [key: string]: unknown
}

/** As `thalweg connect --json`. */
export interface ConnectDocument {
  readonly distance: number
  readonly paths: readonly {
    readonly name: string
    readonly label: string
    readonly t: readonly number[]
    readonly losses: readonly (number | null)[]
    readonly accuracies?: readonly (number | null)[] | null
    readonly barrier: Readonly<Record<string, number | null>>
  }[]
  readonly warnings: readonly string[]
  readonly [key: string]: unknown
}
