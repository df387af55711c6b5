import type { Engine } from '@thalweg/engine'

/** What a computation in a worker gets beside its input. */
export interface ComputationContext {
  /** The engine of this worker (WebAssembly, float64), made at the first call. */
  engine(): Promise<Engine>
  onProgress(done: number, total: number): void
  /** An intermediate result, for instance the next points of a path. */
  onPartial(value: unknown): void
  /** Set when nobody waits any more; long loops look at it. */
  readonly signal: AbortSignal
}

/** A function of plain data (whatever survives structured cloning; typed arrays do). */
export type Computation<I = never, O = unknown> = (input: I, context: ComputationContext) => O | Promise<O>

/** Computations by name: what one worker offers. */
export type Computations = Readonly<Record<string, Computation>>

export type InputOf<C> = C extends (input: infer I, context: ComputationContext) => unknown ? I : never
export type OutputOf<C> = C extends (input: never, context: ComputationContext) => infer O ? Awaited<O> : never

export type ToWorker =
  | { readonly kind: 'start'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'abort'; readonly id: number }

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly done: number; readonly total: number }
  | { readonly kind: 'partial'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string; readonly aborted: boolean }
