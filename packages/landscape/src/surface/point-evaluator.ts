import { graphOf, topologicalOrder } from '@thalweg/graph'
import type { Expr, Graph } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { Executable } from '@thalweg/engine'
import { valuesAt } from '../loss/loss-batch.ts'
import type { LossValues } from '../loss/loss-batch.ts'
import { correctCount } from '../loss/loss-graph.ts'
import { feedsFor } from '../loss/loss.ts'
import type { Loss } from '../loss/loss.ts'

/** How many θ are evaluated:
 *
 *     batched   many θ in one graph: networks so small that a run costs more than its arithmetic
 *     inputs    one θ after another, as an input of one graph
 *     baked     one θ after another, each in a session of its own with θ as constants, which the engine folds and packs:
 *               convolutions over many samples */
export const evaluationMethods = ['batched', 'inputs', 'baked'] as const
export type EvaluationMethod = (typeof evaluationMethods)[number]

export interface PointEvaluator {
  readonly method: EvaluationMethod
  /** θ per run of the engine. Batches that are multiples of it waste nothing. */
  readonly group: number
  /** Loss and accuracy at the rows of [count × p]. A θ that is not finite has loss NaN. The result of a row depends on
   * that θ alone, not on the rows beside it: the same bits however a grid is cut into batches of whole groups. */
  readonly valuesAt: (thetas: Float64Array, count: number) => Promise<LossValues>
}

const groupMax = 256
/** Above this much arithmetic a point keeps the engine busy by itself. */
const batchedFlopsMax = 2e7
const batchedBytesMax = 2 ** 28

/** Evaluates a loss at many θ. Without a method, one is chosen from the amount of arithmetic and memory, never by a clock,
 * so that the same call gives the same bits. */
export function pointEvaluator(loss: Loss, method: EvaluationMethod = methodFor(loss)): PointEvaluator {
  if (method === 'batched') return batchedEvaluator(loss)
  const evaluate = method === 'baked' ? bakedValue : inputValue
  return { method, group: 1, valuesAt: (thetas, count) => oneByOne(loss, thetas, count, evaluate) }
}

/** Samples per chunk where only values are wanted: as many as fit the memory without a gradient, all chunks of one size where the
 * number of samples allows it, so that `baked` builds one session a point and not two. Make the loss with it. */
export function evaluationChunkSize(loss: Loss): number {
  const [one, three] = [1, 3].map((batch) => workOf([loss.graph(batch).sum]).bytes)
  const largest = Math.max(1, Math.min(loss.samples, Math.floor(loss.memoryBytes / ((three - one) / 2))))
  const least = Math.ceil(loss.samples / largest)
  for (let count = least; count <= 2 * least; count++) if (loss.samples % count === 0) return loss.samples / count
  return Math.ceil(loss.samples / least)
}

/** The method that costs least by arithmetic and memory. */
export function methodFor(loss: Loss): EvaluationMethod {
  const root = loss.graph(loss.chunks[0].size).sum
  const { flops, bytes } = workOf([root])
  if (flops <= batchedFlopsMax && 8 * bytes <= Math.min(loss.memoryBytes, batchedBytesMax)) return 'batched'
  return topologicalOrder([root]).some((node) => node.op === 'Conv') ? 'baked' : 'inputs'
}

function batchedEvaluator(loss: Loss): PointEvaluator {
  const { bytes } = workOf([loss.graph(loss.chunks[0].size).sum])
  const fits = Math.max(1, Math.min(loss.memoryBytes, batchedBytesMax) / bytes)
  const group = Math.min(groupMax, 2 ** Math.floor(Math.log2(fits)))
  return {
    method: 'batched',
    group,
    valuesAt: async (thetas, count) => {
      const values = new Float64Array(count)
      const accuracies = new Float64Array(count)
      let classes = false
      for (let first = 0; first < count; first += group) {
        // always whole groups: one graph, whose arithmetic per row does not hang on how many rows were asked for
        const rows = new Float64Array(group * loss.size)
        const given = Math.min(group, count - first)
        for (let row = 0; row < group; row++) {
          const source = (first + Math.min(row, given - 1)) * loss.size
          rows.set(thetas.subarray(source, source + loss.size), row * loss.size)
        }
        const result = await valuesAt(loss, rows, group)
        values.set(result.values.subarray(0, given), first)
        if (result.accuracies) accuracies.set(result.accuracies.subarray(0, given), first)
        classes ||= result.accuracies !== null
      }
      return { values, accuracies: classes ? accuracies : null }
    },
  }
}

interface Sums {
  readonly sum: number
  readonly correct: number | null
}

async function oneByOne(
  loss: Loss,
  thetas: Float64Array,
  count: number,
  evaluate: (loss: Loss, theta: Float64Array) => Promise<Sums>,
): Promise<LossValues> {
  const values = new Float64Array(count)
  const accuracies = loss.dataset.targets.dtype === 'int64' ? new Float64Array(count) : null
  for (let row = 0; row < count; row++) {
    const theta = thetas.slice(row * loss.size, (row + 1) * loss.size)
    const finite = theta.every(Number.isFinite)
    const { sum, correct } = finite ? await evaluate(loss, theta) : { sum: Number.NaN, correct: Number.NaN }
    values[row] = sum / loss.normalizer + loss.penalty(theta)
    if (accuracies && correct !== null) accuracies[row] = correct / loss.samples
  }
  return { values, accuracies }
}

function pointGraph(loss: Loss, batch: number): Graph {
  const g = loss.graph(batch)
  const correct = correctCount(g)
  const outputs: Record<string, Expr> = correct ? { sum: g.sum, correct } : { sum: g.sum }
  return graphOf(outputs)
}

async function inputValue(loss: Loss, theta: Float64Array): Promise<Sums> {
  const bound = loss.parameterTensor(theta)
  return sumOver(loss, async (size) => loss.compiled(`point/${size}`, () => pointGraph(loss, size)), { theta: bound })
}

async function bakedValue(loss: Loss, theta: Float64Array): Promise<Sums> {
  const constants = { theta: loss.parameterTensor(theta) }
  const sessions = new Map<number, Executable>()
  try {
    return await sumOver(loss, async (size) => {
      const known = sessions.get(size)
      if (known) return known
      const made = await loss.engine.compile(pointGraph(loss, size), { constants })
      sessions.set(size, made)
      return made
    })
  } finally {
    for (const session of sessions.values()) await session.dispose()
  }
}

async function sumOver(
  loss: Loss,
  executableFor: (size: number) => Promise<Executable>,
  values: Parameters<typeof feedsFor>[1] = {},
): Promise<Sums> {
  let sum = 0
  let correct: number | null = null
  for (const chunk of loss.chunks) {
    const run = await executableFor(chunk.size)
    const result = await run.run(feedsFor(run.graph, { ...chunk.values, ...values }))
    sum += Number(result.sum.data[0])
    if (result.correct) correct = (correct ?? 0) + Number(result.correct.data[0])
  }
  return { sum, correct }
}
