import type { DType, Expr, Graph, InputExpr, Tensor } from '@thalweg/graph'

/** Tensors by the name of an input or output. */
export type Values = Readonly<Record<string, Tensor>>

export interface CompileOptions {
  /** Inputs whose values are fixed now: they become initializers, which the engine folds and re-packs.
   * Pays where one graph runs many times at the same parameters. */
  readonly constants?: Values
  /** Threads within one operator; 0 or nothing chooses by the amount of work. */
  readonly threads?: number
}

export interface RunOptions {
  /** Cancels a run. In a child process the run ends at once; elsewhere only runs that have not started are cancelled. */
  readonly signal?: AbortSignal
}

/** A compiled graph. Runs take turns: a call made during another one waits for it. */
export interface Executable {
  /** What runs: specialised, simplified and lowered. */
  readonly graph: Graph
  /** Values that are no input are ignored. A tensor passed again (the same object) is not copied again.
   * @throws {ShapeError} if a value has the wrong type; {DomainError} if one is missing, an index lies outside its
   *         axis, or the executable has been disposed; {TaskError} if the run fails or is cancelled. */
  run(values: Values, options?: RunOptions): Promise<Record<string, Tensor>>
  /** Releases memory, after the run in progress. */
  dispose(): Promise<void>
}

/** Steps repeated inside the engine: carriedₜ₊₁ = next(carriedₜ, t, inputs). */
export interface LoopProgram {
  /** State; `next[i]` must have the type of `carried[i]`. */
  readonly carried: readonly InputExpr[]
  readonly next: readonly Expr[]
  /** int64 scalar that counts the steps of one call from 0. */
  readonly step: InputExpr
  /** Values kept from every step, stacked along a new first axis. */
  readonly records: Readonly<Record<string, Expr>>
  /** Other inputs, the same in every step. */
  readonly inputs: readonly InputExpr[]
}

export interface LoopResult {
  readonly carried: Record<string, Tensor>
  readonly records: Record<string, Tensor>
}

export interface LoopExecutable {
  readonly program: LoopProgram
  /** Runs `steps` steps. Keep `steps` small enough that progress and cancelling stay possible: a call cannot be
   * interrupted.
   * @returns the carried values by name, and each record as [steps × …]. */
  run(values: Values, steps: number, options?: RunOptions): Promise<LoopResult>
  dispose(): Promise<void>
}

/** Runs graphs. Same graph, same values, same fingerprint → equal bits. */
export interface Engine {
  readonly name: string
  /** Engine version, instruction set and thread count: what results may depend on at rounding level. */
  readonly fingerprint: string
  /** Whether values of this dtype can be computed; verdicts need float64. */
  supports(dtype: DType): boolean
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>
  compileLoop(program: LoopProgram, options?: CompileOptions): Promise<LoopExecutable>
  /** Releases every executable that is still alive. */
  dispose(): Promise<void>
}
