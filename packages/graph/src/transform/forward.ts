import { ShapeError } from '../core/errors.ts'
import type { AnyOperation, Expr, Operation } from '../core/expr.ts'
import { sameShape } from '../core/shape.ts'
import { topologicalOrder } from '../core/traversal.ts'
import { add } from '../build/elementwise.ts'
import { zeros } from '../build/structure.ts'
import { operators } from '../operators/table.ts'
import type { Derivative, Rule } from '../operators/rule.ts'
import { requireFloat } from './reverse.ts'

/** A node and the direction in which it moves. */
export type Tangent = readonly [node: Expr, direction: Expr]

function pushForward(node: AnyOperation, tangents: readonly Derivative[]): Derivative {
  const rule = operators[node.op] as unknown as Rule<'Add'>
  return rule.jvp(node as Operation<'Add'>, tangents)
}

/** Jacobian-vector products by forward mode: Σⱼ (∂outputsᵢ/∂nodeⱼ) directionⱼ for every i.
 *
 * The nodes that move may be any, not only inputs; they are then treated as independent variables. An output that
 * does not move gets zeros. Applied to a gradient this is the Hessian-vector product (Pearlmutter 1994).
 * @throws {ShapeError} if a direction has not the type of its node. */
export function jvp(outputs: readonly Expr[], moving: readonly Tangent[]): Expr[] {
  requireFloat(
    'jvp',
    moving.map(([node]) => node),
  )
  const tangents = new Map<Expr, Derivative>()
  for (const [node, direction] of moving) {
    if (direction.dtype !== node.dtype || !sameShape(direction.shape, node.shape))
      throw new ShapeError(
        `jvp: the direction must be ${node.dtype}[${node.shape}] as its node, got ${direction.dtype}[${direction.shape}].`,
      )
    const known = tangents.get(node)
    tangents.set(node, known ? add(known, direction) : direction)
  }
  for (const node of topologicalOrder(outputs)) {
    if (tangents.has(node) || node.op === 'Input' || node.op === 'Constant') continue
    const incoming = node.inputs.map((x) => tangents.get(x) ?? null)
    if (incoming.some((t) => t !== null)) tangents.set(node, pushForward(node, incoming))
  }
  return outputs.map((y) => tangents.get(y) ?? zeros(y.dtype, y.shape))
}
