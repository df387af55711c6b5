import type { Expr, Graph, InputExpr } from './expr.ts'
import { InvariantError } from './errors.ts'

/** Every node that the roots depend on, each after its operands. Deep graphs do not overflow the stack. */
export function topologicalOrder(roots: readonly Expr[]): Expr[] {
  const order: Expr[] = []
  const seen = new Set<Expr>()
  const pending: { node: Expr; next: number }[] = []
  for (const root of roots) {
    if (seen.has(root)) continue
    seen.add(root)
    pending.push({ node: root, next: 0 })
    while (pending.length > 0) {
      const top = pending[pending.length - 1]
      if (top.next === top.node.inputs.length) {
        order.push(top.node)
        pending.pop()
        continue
      }
      const operand = top.node.inputs[top.next++]
      if (seen.has(operand)) continue
      seen.add(operand)
      pending.push({ node: operand, next: 0 })
    }
  }
  return order
}

/** The nodes among `order` that depend on one of the sources, sources included. `order` must be topological. */
export function dependents(order: readonly Expr[], sources: Iterable<Expr>): Set<Expr> {
  const reached = new Set<Expr>(sources)
  for (const node of order) if (!reached.has(node) && node.inputs.some((x) => reached.has(x))) reached.add(node)
  return reached
}

/** The inputs that the roots depend on, in order of first use.
 * @throws {InvariantError} if two different inputs share a name. */
export function inputsOf(roots: readonly Expr[]): InputExpr[] {
  const inputs = topologicalOrder(roots).filter((node): node is InputExpr => node.op === 'Input')
  checkNames(inputs)
  return inputs
}

function checkNames(inputs: readonly InputExpr[]): void {
  const names = new Set<string>()
  for (const { attributes } of inputs) {
    if (names.has(attributes.name))
      throw new InvariantError(`graph: two inputs are named ${attributes.name}. Name them apart.`)
    names.add(attributes.name)
  }
}

/** A graph with these outputs; inputs are found, in order of first use, unless given. */
export function graphOf(outputs: Readonly<Record<string, Expr>>, inputs?: readonly InputExpr[]): Graph {
  const used = inputsOf(Object.values(outputs))
  if (inputs) {
    checkNames(inputs)
    const listed = new Set(inputs)
    const missing = used.find((i) => !listed.has(i))
    if (missing) throw new InvariantError(`graph: input ${missing.attributes.name} is used but not listed.`)
  }
  return { inputs: inputs ?? used, outputs }
}
