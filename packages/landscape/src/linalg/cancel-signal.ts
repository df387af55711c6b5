/** Something that can be cancelled; an AbortSignal is one. */
export interface CancelSignal {
  readonly aborted: boolean
}
