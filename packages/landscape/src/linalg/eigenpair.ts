/** An approximate eigenpair of a symmetric operator A, with what it proves. */
export interface Eigenpair {
  /** The Rayleigh quotient of `vector`. */
  readonly value: number
  /** [p], of norm 1. */
  readonly vector: Float64Array
  /** ‖A v − value · v‖ from products of A itself: *an* eigenvalue of A lies this close to `value`. */
  readonly residualNorm: number
  /** Whether `residualNorm` ≤ tolerance · ‖A‖. */
  readonly converged: boolean
}
