import { ShapeError, castTensor, graphOf, input, numbersOf, simplify, tensor, vmap } from '@thalweg/graph'
import type { Expr, Graph, InputExpr, Stack, Tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { Executable } from '@thalweg/engine'
import { chunkSizes } from './chunks.ts'
import { feedsFor } from './loss.ts'
import type { Loss } from './loss.ts'
import { correctCount } from './loss-graph.ts'

export interface LossValues {
  /** L(θ) of each row. */
  readonly values: Float64Array
  /** Share of samples classified right; null where the targets are not classes. */
  readonly accuracies: Float64Array | null
}

/** Many θ in one graph: more only cost memory. */
const groupMax = 1024

/** L and accuracy at the rows of `thetas` [count × p], many rows per run of the engine: for small networks, where a run
 * costs more than its arithmetic.
 *
 * Groups are as large as `loss.memoryBytes` allows. A row that is not finite, or overflows, gives a value that is not
 * finite and does not disturb the others.
 * @throws {ShapeError} if `thetas` has not count · p entries.
 * Cost: count evaluations; O(group · chunk) memory. */
export async function valuesAt(loss: Loss, thetas: Float64Array, count: number): Promise<LossValues> {
  const p = loss.size
  if (thetas.length !== count * p)
    throw new ShapeError(`valuesAt: θ must have ${count} × ${p} entries, got ${thetas.length}.`)
  const values = new Float64Array(count)
  const correct = new Float64Array(count)
  const group = Math.min(count, groupSize(loss))
  let classes = false
  for (let start = 0; start < count; start += group) {
    const rows = paddedRows(thetas.subarray(start * p, Math.min(count, start + group) * p), group, p)
    const theta = castTensor(tensor('float64', [group, p], rows), loss.dtype)
    for (const chunk of loss.chunks) {
      const run = await executable(loss, chunk.size, group)
      const result = await run.run(feedsFor(run.graph, { ...chunk.values, theta }))
      addRows(values, start, result.sum)
      if (result.correct) addRows(correct, start, result.correct)
      classes ||= result.correct !== undefined
    }
  }
  for (let i = 0; i < count; i++) {
    const penalty = loss.penalty(thetas.subarray(i * p, (i + 1) * p))
    values[i] = values[i] / loss.normalizer + penalty
  }
  return { values, accuracies: classes ? correct.map((c) => c / loss.samples) : null }
}

/** Rows per run: a power of two, so that few sizes are ever compiled. */
function groupSize(loss: Loss): number {
  const [largest] = chunkSizes(loss.samples, loss.chunks[0].size)
  const { bytes } = workOf([loss.graph(largest).sum])
  const fits = Math.max(1, Math.floor(loss.memoryBytes / bytes))
  return Math.min(groupMax, 2 ** Math.floor(Math.log2(fits)))
}

/** The rows, and the last one repeated up to `group`. */
function paddedRows(rows: Float64Array, group: number, p: number): Float64Array {
  if (rows.length === group * p) return rows
  const out = new Float64Array(group * p)
  out.set(rows)
  const last = rows.subarray(rows.length - p)
  for (let at = rows.length; at < out.length; at += p) out.set(last, at)
  return out
}

function addRows(sums: Float64Array, start: number, part: Tensor): void {
  const numbers = numbersOf(part)
  const count = Math.min(numbers.length, sums.length - start)
  for (let i = 0; i < count; i++) sums[start + i] += numbers[i]
}

function executable(loss: Loss, chunkSize: number, group: number): Promise<Executable> {
  return loss.compiled(`values/${chunkSize}/${group}`, () => populationGraph(loss, chunkSize, group))
}

/** Sum of losses and right answers for a stack of θ.
 * @param own  names of data that differ from network to network, fed as [group × n × …]. */
export function populationGraph(loss: Loss, batch: number, group: number, own: readonly string[] = []): Graph {
  const g = loss.graph(batch)
  const correct = correctCount(g)
  const outputs: Record<string, Expr> = correct ? { sum: g.sum, correct } : { sum: g.sum }
  const stackOf = (node: InputExpr): Stack => [node, input(node.attributes.name, node.dtype, [group, ...node.shape])]
  const data = [...g.inputs, g.targets, ...(g.weights ? [g.weights] : [])]
  const stacks = [g.theta, ...data.filter((node) => own.includes(node.attributes.name))].map(stackOf)
  const batched = vmap(Object.values(outputs), stacks)
  return simplify(graphOf(Object.fromEntries(Object.keys(outputs).map((name, i) => [name, batched[i]]))))
}
