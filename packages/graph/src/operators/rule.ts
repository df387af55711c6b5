import type { Expr, Operation, TensorType } from '../core/expr.ts'
import type { OperatorAttributes, OperatorName } from '../core/operator-attributes.ts'
import { signatures } from '../core/signatures.ts'
import type { NdArray } from '../interpret/nd-array.ts'

/** `null` stands for a tangent or cotangent that is zero for structural reasons. */
export type Derivative = Expr | null

/** An operand under vmap: batched values carry the new axis first. */
export interface BatchedOperand {
  readonly value: Expr
  readonly batched: boolean
}

/** All that is known of one operator.
 *
 * With y = f(x₁, …) and J its Jacobian:
 *   `vjp`  ȳ ↦ Jᵀȳ, one entry per operand; operands not `wanted` may be left null;
 *   `jvp`  ẋ ↦ Jẋ, tangents of operands that do not move are null, at least one is not;
 *   `batch` f applied to a stack: at least one operand is batched, the result has the new axis first;
 *   `interpret` the reference: plain float64, obviously right rather than fast. */
export interface Rule<K extends OperatorName> {
  readonly infer: (inputs: readonly TensorType[], attributes: OperatorAttributes[K], where: K) => TensorType
  readonly vjp: (node: Operation<K>, cotangent: Expr, wanted: readonly boolean[]) => readonly Derivative[]
  readonly jvp: (node: Operation<K>, tangents: readonly Derivative[]) => Derivative
  readonly batch: (node: Operation<K>, operands: readonly BatchedOperand[], size: number) => Expr
  readonly interpret: (inputs: readonly NdArray[], attributes: OperatorAttributes[K], type: TensorType) => NdArray
}

type Parts<K extends OperatorName> = Omit<Rule<K>, 'infer'>

/** A table entry: the signature of the operator joined with its other rules. */
export function rule<K extends OperatorName>(op: K, parts: Parts<K>): Rule<K> {
  return { infer: signatures[op], ...parts }
}

/** For results that are piecewise constant: no derivative flows. */
export const notDifferentiable: { vjp: (node: { inputs: readonly Expr[] }) => null[]; jvp: () => null } = {
  vjp: (node) => node.inputs.map(() => null),
  jvp: () => null,
}
