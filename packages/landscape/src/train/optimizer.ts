import type { Expr } from '@thalweg/graph'

/** One piece of what an optimizer remembers. */
export interface StateSlot {
  readonly name: string
  /** As long as θ, or one number. */
  readonly kind: 'vector' | 'scalar'
  /** Every entry at the start. */
  readonly start: number
}

/** Random directions that a rule may add to θ. They are drawn outside the graph, one per call of the loop. */
export interface NoiseRule {
  /** At most this many steps per call, so that one direction suffices. */
  readonly stepsMax: number
  /** The slot (a scalar) that counts the directions used so far: direction number c has its own random stream, so that
   * the result does not depend on how steps are cut into calls. */
  readonly countSlot: number
  readonly seed: number
}

/** What one step sees. All vectors are [p], all scalars []. */
export interface StepContext {
  readonly theta: Expr
  readonly gradient: Expr
  /** Loss at θ. */
  readonly loss: Expr
  /** By slot. */
  readonly state: readonly Expr[]
  /** By position in `coefficients`. */
  readonly coefficients: readonly Expr[]
  /** Uniform on the unit ball; null unless the optimizer has a noise rule. */
  readonly noise: Expr | null
}

/** A first-order method as an expression rule, so that many steps, or steps of many networks, are one graph.
 *
 * What depends on time alone (learning rate, bias corrections) is computed outside in float64 and enters as
 * coefficients. */
export interface Optimizer {
  readonly kind: 'first-order'
  readonly name: string
  readonly slots: readonly StateSlot[]
  /** Numbers for step t = 1, 2, …; always equally many. */
  coefficients(learningRate: number, t: number): readonly number[]
  step(context: StepContext): { readonly theta: Expr; readonly state: readonly Expr[] }
  readonly noise?: NoiseRule
  /** The scalar slot that becomes 1 when the method ends by itself, and what that means. */
  readonly stopped?: { readonly slot: number; readonly message: string }
}
