import type { Expr, Operation, TensorType } from './expr.ts'
import type { OperatorAttributes, OperatorName } from './operator-attributes.ts'
import { signatures } from './signatures.ts'
import { checkShape } from './tensor.ts'

/** The only way an operation comes into being: its type is inferred, so a wrong shape cannot exist.
 * @throws {ShapeError} naming the operator, the operands' types and the broken rule. */
export function make<K extends OperatorName>(op: K, inputs: readonly Expr[], attributes: OperatorAttributes[K]): Expr {
  const infer = signatures[op] as (i: readonly TensorType[], a: OperatorAttributes[K], where: K) => TensorType
  const { dtype, shape } = infer(inputs, attributes, op)
  checkShape(op, shape)
  const node: Operation<K> = { op, inputs, attributes, dtype, shape }
  return Object.freeze(node) as Expr
}
