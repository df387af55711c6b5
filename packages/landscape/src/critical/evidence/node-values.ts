import { graphOf } from '@thalweg/graph'
import type { Expr, Tensor } from '@thalweg/graph'
import type { Chunk } from '../../loss/chunks.ts'
import { feedsFor } from '../../loss/loss.ts'
import type { Loss } from '../../loss/loss.ts'
import type { LossGraph } from '../../loss/loss-graph.ts'

/** The values of nodes inside the graph of the loss at θ, on one chunk of the data.
 * @param key   names the choice of nodes: compiled graphs are kept under it.
 * @param find  the nodes, in the order wanted; a graph of another number of samples must give the same ones. */
export async function nodeValues(
  loss: Loss,
  theta: Float64Array,
  chunk: Chunk,
  key: string,
  find: (graph: LossGraph) => readonly Expr[],
): Promise<Tensor[]> {
  const run = await loss.compiled(`${key}/${chunk.size}`, () =>
    graphOf(Object.fromEntries(find(loss.graph(chunk.size)).map((node, i) => [`node${i}`, node]))),
  )
  const result = await run.run(feedsFor(run.graph, { ...chunk.values, theta: loss.parameterTensor(theta) }))
  return Array.from({ length: Object.keys(result).length }, (_, i) => result[`node${i}`])
}
