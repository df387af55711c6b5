import { dependents, isFloat, numbersOf, topologicalOrder } from '@thalweg/graph'
import type { Expr, OperatorName } from '@thalweg/graph'
import type { Loss } from '../../loss/loss.ts'
import type { LossGraph } from '../../loss/loss-graph.ts'
import { nodeValues } from './node-values.ts'

/** Arguments beyond which the slope of an operator is below about 1e-7 of its largest (for Softplus: constant to that). */
const limits: Partial<Record<OperatorName, { readonly low: number; readonly high: number }>> = {
  Tanh: { low: -8.5, high: 8.5 },
  Sigmoid: { low: -17, high: 17 },
  Softplus: { low: -17, high: 17 },
  Erf: { low: -4, high: 4 },
  Exp: { low: -17, high: Number.POSITIVE_INFINITY },
}
/** Of Softmax: smallest and largest probability that still moves. */
const probabilityMin = 1e-7

export interface Saturation {
  /** Elements over all samples whose operator has run into a flat end. */
  readonly saturated: number
  readonly elements: number
  /** The operator with most of them. */
  readonly operator: OperatorName | null
}

/** How many activations of the model sit where a smooth operator is nearly constant. There the loss is not flat but too flat
 * for float64: what looks like a kernel of the Hessian, or like a critical point, may be underflow.
 * Cost: one forward pass. */
export async function saturationOf(loss: Loss, theta: Float64Array): Promise<Saturation> {
  const found = nodesOf(loss.graph(loss.chunks[0].size))
  const counts = found.map(() => ({ saturated: 0, elements: 0 }))
  for (const chunk of found.length === 0 ? [] : loss.chunks) {
    const values = await nodeValues(loss, theta, chunk, 'saturation', (graph) => nodesOf(graph).map(watched))
    for (const [i, node] of found.entries()) {
      const numbers = numbersOf(values[i])
      counts[i].elements += numbers.length
      counts[i].saturated += numbers.reduce((sum, x) => sum + Number(isFlat(node.op as OperatorName, x)), 0)
    }
  }
  const worst = counts.reduce((best, c, i) => (c.saturated > (counts[best]?.saturated ?? 0) ? i : best), -1)
  return {
    saturated: counts.reduce((sum, c) => sum + c.saturated, 0),
    elements: counts.reduce((sum, c) => sum + c.elements, 0),
    operator: worst < 0 ? null : (found[worst].op as OperatorName),
  }
}

function nodesOf({ outputs, theta }: LossGraph): Expr[] {
  const order = topologicalOrder([outputs])
  const moving = dependents(order, [theta])
  return order.filter((node) => moving.has(node) && isFloat(node.dtype) && (node.op in limits || node.op === 'Softmax'))
}

function watched(node: Expr): Expr {
  return node.op === 'Softmax' ? node : node.inputs[0]
}

function isFlat(operator: OperatorName, value: number): boolean {
  const limit = limits[operator]
  if (limit) return value < limit.low || value > limit.high
  return value < probabilityMin || value > 1 - probabilityMin
}
