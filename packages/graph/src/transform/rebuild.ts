import type { Expr, Operation } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { topologicalOrder } from '../core/traversal.ts'

/** Calls `visit` for each node after its operands; the results stand for the operands of later nodes. */
export function rebuild(roots: readonly Expr[], visit: (node: Expr, operands: readonly Expr[]) => Expr): Expr[] {
  const made = new Map<Expr, Expr>()
  for (const node of topologicalOrder(roots))
    made.set(
      node,
      visit(
        node,
        node.inputs.map((x) => made.get(x)!),
      ),
    )
  return roots.map((r) => made.get(r)!)
}

/** The same node over other operands; the node itself when they are unchanged. */
export function withOperands(node: Expr, operands: readonly Expr[]): Expr {
  if (operands.every((x, i) => x === node.inputs[i])) return node
  const operation = node as Operation
  return make(operation.op, operands, operation.attributes as never)
}

/** The roots with some nodes replaced by others. */
export function substitute(roots: readonly Expr[], replacements: ReadonlyMap<Expr, Expr>): Expr[] {
  return rebuild(roots, (node, operands) => replacements.get(node) ?? withOperands(node, operands))
}
