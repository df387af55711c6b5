/** What an iterative solver returns. */
export interface KrylovSolution<Status extends string> {
  /** [p]. */
  readonly x: Float64Array
  readonly status: Status
  /** ‖b − A x‖, from an explicit product at the end. */
  readonly residualNorm: number
  /** Products, that of the final residual included. */
  readonly products: number
  readonly iterations: number
}

export interface KrylovOptions {
  /** Default 1e-10; what it bounds is said with each solver. */
  readonly tolerance?: number
  /** Steps allowed; default 4p, at least 50. */
  readonly maxIterations?: number
  readonly onProgress?: (iteration: number, relativeResidual: number) => void
  readonly signal?: { readonly aborted: boolean }
}
