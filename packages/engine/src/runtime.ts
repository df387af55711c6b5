import type { DType, Tensor } from '@thalweg/graph'

/** What a session reads and writes, in the order of its feeds and results. */
export interface SessionPlan {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Threads within one operator, at least 1. */
  readonly threads: number
}

/** A model made ready to run. */
export interface Session {
  /** One run; the caller awaits it before the next. A tensor that is the same object as in the run before counts as
   * unchanged and is not converted or sent again. */
  run(feeds: readonly Tensor[], signal?: AbortSignal): Promise<Tensor[]>
  release(): Promise<void>
}

/** A place where `.onnx` models run: a build of ONNX Runtime in this process, or in another one. */
export interface Runtime {
  readonly name: string
  /** Version, instruction set, threads: what may change the last bits of a result. */
  readonly fingerprint: string
  readonly threadsAvailable: number
  readonly dtypes: readonly DType[]
  createSession(model: Uint8Array, plan: SessionPlan): Promise<Session>
  dispose(): Promise<void>
}

/** Optimizations of ONNX Runtime that lose digits, by their names there: this one folds a float64 factor of a product into
 * a float32 attribute, a relative error of 1e-8 in attention's 1/√d. */
export const inexactOptimizers = 'MatMulScaleFusion'
