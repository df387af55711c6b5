import type { ClaimOutcome } from '@thalweg/landscape/claims'
import type { Figure, Language, Setting } from './scene.ts'

/** The ledger of claims as plain data; {@link import('./render-ledger.ts').renderLedger} makes the page. */
export interface Ledger {
  readonly lang: Language
  /** When, as it is to be read. */
  readonly date?: string
  readonly seed: number
  /** Wall time of the whole run, as it is to be read. */
  readonly duration: string
  /** In the order of the page; those of one topic together. */
  readonly entries: readonly LedgerEntry[]
  readonly versions: readonly Setting[]
  /** How to repeat it. */
  readonly command: string
}

/** One claim with what came out, as far as it came. */
export interface LedgerEntry {
  readonly id: string
  readonly topic: string
  readonly statement: string
  readonly source: string
  readonly experiment: string
  readonly remark?: string
  readonly expected: ClaimOutcome
  readonly result: LedgerResult | LedgerGap
}

export interface LedgerResult {
  readonly status: 'finished'
  readonly outcome: ClaimOutcome
  readonly summary: string
  readonly measurements: readonly LedgerMeasurement[]
  readonly figure: Figure
  /** As it is to be read. */
  readonly time: string
  readonly seed: number
  /** Taken from an earlier run of the same code, engine and seed. */
  readonly earlier: boolean
}

/** A claim whose experiment did not come to an end. */
export interface LedgerGap {
  readonly status: 'failed' | 'not-run'
  readonly problem: string
}

export interface LedgerMeasurement {
  readonly name: string
  readonly measured: number | string | null
  readonly expected?: number | string | null
  readonly tolerance?: string
  readonly literature?: string
  readonly met?: boolean
}
