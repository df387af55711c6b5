import type { GramArchitecture } from '@thalweg/landscape'
import type { SubjectArgument } from '../../subject/subject.ts'

export interface GramArgument {
  /** Everything about MODEL and its data; `model` is empty where only data are looked at. */
  readonly subject: SubjectArgument
  /** The limit of infinite width instead of the network itself. */
  readonly infinite: boolean
  readonly architecture?: GramArchitecture
  readonly depth?: number
  readonly activation?: string
  readonly cRes?: number
  /** [channels, pixels]. */
  readonly image?: readonly [number, number]
  readonly patch?: number
  readonly normalize: boolean
  readonly standard?: 'ntk' | 'nngp'
  readonly weightVariance?: number
  readonly biasVariance?: number
  /** The first so many samples. */
  readonly samples?: number
  /** Gradient descent steps to follow, and their size for ½ Σ ‖f − y‖². */
  readonly steps?: number
  readonly stepSize?: number
  /** A run from MODEL beside the sweeps, not instead of them. */
  readonly runToo?: boolean
  /** Widths of a sweep, and networks per width. */
  readonly widths?: readonly number[]
  readonly seeds?: number
  /** Depths of a sweep. */
  readonly depths?: readonly number[]
  /** Random sets of labels to train on beside the true ones. */
  readonly labels?: number
  /** Widths of two-layer ReLU networks with fixed output signs. */
  readonly twoLayer?: readonly number[]
  readonly timeLimitMs?: number
  /** Gram matrices at the checkpoints of a run. */
  readonly checkpoints?: boolean
  /** File for the matrices (.npz). */
  readonly out?: string
  readonly threads?: number
}

/** The document that `thalweg gram --json` prints, without the common head. */
export type GramDocument = Readonly<Record<string, unknown>>
