import { DomainError, ShapeError } from '../core/errors.ts'
import type { AnyOperation, Expr, Operation } from '../core/expr.ts'
import { sameShape } from '../core/shape.ts'
import { isFloat } from '../core/tensor.ts'
import { dependents, topologicalOrder } from '../core/traversal.ts'
import { add, scalar } from '../build/elementwise.ts'
import { zeros } from '../build/structure.ts'
import { operators } from '../operators/table.ts'
import type { Derivative, Rule } from '../operators/rule.ts'

function accumulate(cotangents: Map<Expr, Expr>, node: Expr, term: Expr): void {
  const sum = cotangents.get(node)
  cotangents.set(node, sum ? add(sum, term) : term)
}

function pullBack(node: AnyOperation, cotangent: Expr, wanted: readonly boolean[]): readonly Derivative[] {
  const rule = operators[node.op] as unknown as Rule<'Add'>
  return rule.vjp(node as Operation<'Add'>, cotangent, wanted)
}

/** @throws {DomainError} if one of the nodes holds integers or bools. */
export function requireFloat(where: string, nodes: readonly Expr[]): void {
  const bad = nodes.find((x) => !isFloat(x.dtype))
  if (bad) throw new DomainError(`${where}: derivatives need floating-point values, got ${bad.dtype}[${bad.shape}].`)
}

/** Vector-Jacobian products by reverse mode: Σᵢ (∂outputsᵢ/∂wrtⱼ)ᵀ cotangentsᵢ for every j.
 *
 * `wrt` may be any nodes, not only inputs; they are then treated as independent variables. A node on which no
 * output depends gets zeros, and so does one that only integers and bools depend on. Cost of the resulting graph: at
 * most a small multiple of the forward graph.
 * @throws {ShapeError} if a cotangent has not the type of its output. */
export function vjp(outputs: readonly Expr[], wrt: readonly Expr[], cotangents: readonly Expr[]): Expr[] {
  requireFloat('vjp', wrt)
  outputs.forEach((y, i) => {
    const g = cotangents[i]
    if (!g || g.dtype !== y.dtype || !sameShape(g.shape, y.shape))
      throw new ShapeError(
        `vjp: cotangent ${i} must be ${y.dtype}[${y.shape}], got ${g ? `${g.dtype}[${g.shape}]` : 'none'}.`,
      )
  })
  const order = topologicalOrder(outputs)
  const active = dependents(order, wrt)
  const sums = new Map<Expr, Expr>()
  outputs.forEach((y, i) => {
    if (active.has(y) && isFloat(y.dtype)) accumulate(sums, y, cotangents[i])
  })
  const stops = new Set(wrt)
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]
    const g = sums.get(node)
    if (!g || stops.has(node) || node.op === 'Input' || node.op === 'Constant') continue
    const wanted = node.inputs.map((x) => active.has(x) && isFloat(x.dtype))
    pullBack(node, g, wanted).forEach((term, k) => {
      if (term && wanted[k]) accumulate(sums, node.inputs[k], term)
    })
  }
  return wrt.map((x) => sums.get(x) ?? zeros(x.dtype, x.shape))
}

/** Gradients of a scalar with respect to any nodes.
 * @throws {ShapeError} if `y` is not a scalar. */
export function grad(y: Expr, wrt: readonly Expr[]): Expr[] {
  if (y.shape.length !== 0)
    throw new ShapeError(`grad: the output must be a scalar, got [${y.shape}]. Reduce it, or use vjp.`)
  requireFloat('grad', [y])
  return vjp([y], wrt, [scalar(1, y.dtype)])
}
