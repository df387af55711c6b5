import type { WireError } from '@thalweg/engine'

/** To a process that does tasks. Its first message says how; then one task after the other. */
export type ToTaskWorker =
  | { readonly kind: 'open'; readonly blobs: string; readonly threads: number }
  | { readonly kind: 'task'; readonly key: string; readonly body: string }

export type FromTaskWorker =
  | { readonly kind: 'ready'; readonly fingerprint: string }
  | { readonly kind: 'result'; readonly key: string; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly key: string | null; readonly error: WireError }
