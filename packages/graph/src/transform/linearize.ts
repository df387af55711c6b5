import { input } from '../core/expr.ts'
import type { Expr, Graph, InputExpr } from '../core/expr.ts'
import { dependents, graphOf, topologicalOrder } from '../core/traversal.ts'
import { substitute } from './rebuild.ts'

/** A graph cut in two: what can be computed before the late inputs are known, and the rest. */
export interface Partition {
  /** early inputs → residuals, named as the extra inputs of `late`. */
  readonly early: Graph
  /** late inputs and residuals → the outputs of the whole. */
  readonly late: Graph
}

/** Cuts a graph by which inputs are late, so that many runs with different late inputs share the early part.
 *
 * For a Hessian-vector product with a late direction, `early` is the forward and backward pass at θ and `late` only
 * the tangent pass (the "linearize" of Bradbury et al. 2018). Residuals are the early values that late nodes read;
 * cheap views of one early value are recomputed late rather than stored twice. */
export function partition(graph: Graph, late: readonly InputExpr[], prefix = 'residual'): Partition {
  const roots = Object.values(graph.outputs)
  const order = topologicalOrder(roots)
  const isLate = dependents(order, late)
  const replacements = new Map<Expr, Expr>()
  const early: Record<string, Expr> = {}
  const inputs: InputExpr[] = []
  const residual = (x: Expr): void => {
    if (isLate.has(x)) return
    let source = x
    while (isView(source) && !replacements.has(source)) source = source.inputs[0]
    if (replacements.has(source) || source.op === 'Constant') return
    const name = `${prefix}${inputs.length}`
    const stand = input(name, source.dtype, source.shape)
    early[name] = source
    inputs.push(stand)
    replacements.set(source, stand)
  }
  for (const node of order) if (isLate.has(node)) node.inputs.forEach(residual)
  roots.forEach(residual)
  const outputs = substitute(roots, replacements)
  const names = Object.keys(graph.outputs)
  return {
    early: graphOf(early),
    late: graphOf(Object.fromEntries(names.map((n, i) => [n, outputs[i]])), [...late, ...inputs]),
  }
}

/** Costs nothing to redo and would only store its operand again, perhaps larger. */
function isView(x: Expr): boolean {
  return x.op === 'Reshape' || x.op === 'Expand' || (x.op === 'Transpose' && x.inputs[0].op === 'Input')
}
