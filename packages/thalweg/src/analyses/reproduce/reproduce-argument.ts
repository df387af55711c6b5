import type { Claim } from '@thalweg/landscape/claims'
import type { ClaimConditions, ClaimRecord, ClaimStore } from './reproduce-store.ts'

export interface ReproduceArgument {
  /** Empty: all. */
  readonly ids: readonly string[]
  readonly topic?: string
  readonly seed: number
  /** Experiments at a time. Default: the cores of the machine. */
  readonly workers?: number
  readonly timeLimitMs?: number
  /** Takes findings of the same code, engine and seed from the folder. */
  readonly resume: boolean
  readonly out: string
  readonly lang: 'en' | 'zh'
  /** How the user asked, for the page. */
  readonly command: string
}

/** How one claim ended. */
export type ClaimEnd =
  | { readonly status: 'finished'; readonly record: ClaimRecord; readonly earlier: boolean }
  | { readonly status: 'failed' | 'not-run'; readonly problem: string }

export type ReproduceStatus = 'finished' | 'time-limit' | 'interrupted'

/** The document of `thalweg reproduce --json`, without the common head. */
export type ReproduceDocument = Readonly<Record<string, unknown>>

/** A run that is over. */
export interface ReproduceEnd {
  readonly claims: readonly Claim[]
  readonly ends: ReadonlyMap<string, ClaimEnd>
  readonly status: ReproduceStatus
  readonly conditions: ClaimConditions
  readonly store: ClaimStore
  readonly workers: number
  readonly elapsedMs: number
}
