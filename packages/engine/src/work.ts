import { bytesOf, sizeOf, topologicalOrder } from '@thalweg/graph'
import type { Expr, Graph } from '@thalweg/graph'

/** What one run of a graph costs, before it is run. */
export interface Work {
  /** Floating-point operations: 2 per multiply-add of a contraction, 1 per element otherwise. */
  readonly flops: number
  /** Bytes of all intermediate values together: an upper bound of what is alive at once. */
  readonly bytes: number
}

function flopsOf(node: Expr): number {
  const size = sizeOf(node.shape)
  switch (node.op) {
    case 'MatMul':
      return 2 * size * node.inputs[0].shape.at(-1)!
    case 'Conv':
      return 2 * size * sizeOf(node.inputs[1].shape.slice(1))
    case 'ConvInputGradient':
      return 2 * sizeOf(node.inputs[0].shape) * sizeOf(node.inputs[1].shape.slice(1))
    case 'ConvWeightGradient':
      return 2 * sizeOf(node.inputs[1].shape) * sizeOf(node.shape.slice(1))
    case 'Input':
    case 'Constant':
    case 'Reshape':
      return 0
    default:
      return Math.max(size, ...node.inputs.map((x) => sizeOf(x.shape)))
  }
}

/** Estimated cost of one run of these outputs. */
export function workOf(roots: readonly Expr[]): Work {
  let flops = 0
  let bytes = 0
  for (const node of topologicalOrder(roots)) {
    flops += flopsOf(node)
    if (node.op !== 'Input' && node.op !== 'Constant') bytes += sizeOf(node.shape) * bytesOf(node.dtype)
  }
  return { flops, bytes }
}

/** Below this much arithmetic per operator, a second thread costs more than it gives (measured). */
const flopsPerOperatorForThreads = 2e5

/** Threads worth using for a graph on a machine with `available` of them. */
export function threadsFor(graph: Pick<Graph, 'outputs'>, available: number): number {
  const roots = Object.values(graph.outputs)
  const heaviest = topologicalOrder(roots).reduce((most, node) => Math.max(most, flopsOf(node)), 0)
  return heaviest < flopsPerOperatorForThreads ? 1 : available
}
