import { add, div, mul, neg, scalar } from '../build/elementwise.ts'
import type { Expr, Graph, InputExpr } from '../core/expr.ts'
import { isFloat } from '../core/tensor.ts'
import { rebuild, withOperands } from './rebuild.ts'

/** value = core · factor, with an early factor. */
interface Product {
  readonly core: Expr
  readonly factor: Expr
}

/** The same function with early factors multiplied together before they meet a late value: (v·a)·b becomes v·(a·b),
 * and so do signs, doublings and early divisors. A chain of such steps then costs one late operation instead of one
 * each: worth doing before `partition`.
 *
 * **Invariant:** results change by rounding only, unless a product of early factors leaves the range of the dtype. */
export function gatherFactors(graph: Graph, late: readonly InputExpr[]): Graph {
  const isLate = new Set<Expr>(late)
  const products = new Map<Expr, Product>()
  const names = Object.keys(graph.outputs)
  const outputs = rebuild(Object.values(graph.outputs), (original, operands) => {
    const node = withOperands(original, operands)
    if (!operands.some((x) => isLate.has(x))) return node
    const product = isFloat(node.dtype) ? productOf(node, isLate, products) : undefined
    const out = product && products.has(lateOperand(node, isLate)) ? mul(product.core, product.factor) : node
    isLate.add(out)
    if (product) products.set(out, product)
    return out
  })
  return { inputs: graph.inputs, outputs: Object.fromEntries(names.map((name, i) => [name, outputs[i]])) }
}

const lateOperand = (node: Expr, isLate: ReadonlySet<Expr>): Expr => node.inputs.find((x) => isLate.has(x))!

/** How a node multiplies its one late operand by something early; undefined if it does anything else. */
function productOf(node: Expr, isLate: ReadonlySet<Expr>, products: ReadonlyMap<Expr, Product>): Product | undefined {
  const value = lateOperand(node, isLate)
  const { core, factor } = products.get(value) ?? { core: value, factor: undefined }
  const scaled = (f: Expr): Product => ({ core, factor: factor ? mul(factor, f) : f })
  const [a, b] = node.inputs
  switch (node.op) {
    case 'Neg':
      return factor ? { core, factor: neg(factor) } : { core, factor: scalar(-1, node.dtype) }
    case 'Mul':
      return isLate.has(a) && isLate.has(b) ? undefined : scaled(isLate.has(a) ? b : a)
    case 'Div':
      if (!isLate.has(a) || isLate.has(b)) return undefined
      return { core, factor: factor ? div(factor, b) : div(scalar(1, node.dtype), b) }
    case 'Add':
      return a === b ? { core, factor: factor ? add(factor, factor) : scalar(2, node.dtype) } : undefined
    default:
      return undefined
  }
}
