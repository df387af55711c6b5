import { ShapeError } from '../core/errors.ts'
import type { Expr, Operation } from '../core/expr.ts'
import { sameShape } from '../core/shape.ts'
import { topologicalOrder } from '../core/traversal.ts'
import { expand, reshape } from '../build/structure.ts'
import { operators } from '../operators/table.ts'
import type { BatchedOperand, Rule } from '../operators/rule.ts'

/** A node and its stack: the same type with a new first axis. */
export type Stack = readonly [node: Expr, stack: Expr]

/** The outputs for a whole stack of values at once; each result has the new axis first.
 *
 * Nodes that depend on none of the stacked ones are computed once and shared. Any node may be stacked, so
 * `vmap(jvp(grad(loss, θ), [[θ, v]]), [[v, V]])` with V = I is the dense Hessian.
 * @throws {ShapeError} if the stacks do not all have one length, or do not fit their nodes. */
export function vmap(outputs: readonly Expr[], stacks: readonly Stack[]): Expr[] {
  if (stacks.length === 0 || stacks[0][1].shape.length === 0)
    throw new ShapeError('vmap: needs at least one node with a stack of its values, got none.')
  const size = stacks[0][1].shape[0]
  const batched = new Map<Expr, Expr>()
  for (const [node, stack] of stacks) {
    if (stack.dtype !== node.dtype || !sameShape(stack.shape, [size, ...node.shape]))
      throw new ShapeError(
        `vmap: the stack must be ${node.dtype}[${[size, ...node.shape]}], got ${stack.dtype}[${stack.shape}].`,
      )
    batched.set(node, stack)
  }
  for (const node of topologicalOrder(outputs)) {
    if (batched.has(node) || node.op === 'Input' || node.op === 'Constant') continue
    if (!node.inputs.some((x) => batched.has(x))) continue
    const operands = node.inputs.map((x): BatchedOperand => {
      const value = batched.get(x)
      return value ? { value, batched: true } : { value: x, batched: false }
    })
    const rule = operators[node.op] as unknown as Rule<'Add'>
    batched.set(node, rule.batch(node as Operation<'Add'>, operands, size))
  }
  return outputs.map((y) => batched.get(y) ?? expand(reshape(y, [1, ...y.shape]), [size, ...y.shape]))
}
