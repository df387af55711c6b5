import type { DType, Tensor } from '@thalweg/graph'
import type { SessionPlan } from '../runtime.ts'
import type { WireError } from '../wire-error.ts'

/** What the child is asked. A feed of null is the one of the run before. */
export type ChildCall =
  | { readonly call: 'start'; readonly threads: number | undefined }
  | { readonly call: 'open'; readonly session: number; readonly model: Uint8Array; readonly plan: SessionPlan }
  | { readonly call: 'run'; readonly session: number; readonly feeds: readonly (Tensor | null)[] }
  | { readonly call: 'release'; readonly session: number }

export interface ChildRequest {
  readonly id: number
  readonly body: ChildCall
}

/** What the child says of itself once it has started. */
export interface ChildIdentity {
  readonly name: string
  readonly fingerprint: string
  readonly threadsAvailable: number
  readonly dtypes: readonly DType[]
}

export type ChildResult = ChildIdentity | Tensor[] | null

export type ChildReply =
  | { readonly id: number; readonly result: ChildResult }
  | { readonly id: number; readonly error: WireError }
