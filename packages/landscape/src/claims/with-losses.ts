import type { Dataset } from '../data/dataset.ts'
import { Loss } from '../loss/loss.ts'
import type { LossOptions } from '../loss/loss.ts'
import type { LossSpec } from '../loss/loss-function.ts'
import type { Model } from '../model/model.ts'
import type { ClaimContext } from './claim.ts'

export type LossMaker = (
  model: Model,
  dataset: Dataset,
  spec: LossSpec,
  options?: Pick<LossOptions, 'weightDecay' | 'dtype'>,
) => Loss

/** Losses that live as long as the experiment that makes them. */
export async function withLosses<T>(
  { engine }: Pick<ClaimContext, 'engine'>,
  work: (make: LossMaker) => Promise<T>,
): Promise<T> {
  const made: Loss[] = []
  try {
    return await work((model, dataset, spec, options) => {
      const loss = new Loss({ engine, model, dataset, spec, ...options })
      made.push(loss)
      return loss
    })
  } finally {
    for (const loss of made) await loss.dispose()
  }
}

/** Counts the finished parts of an experiment, reports them, and ends it when somebody asked for that. */
export function partCounter(context: ClaimContext, total: number): () => void {
  let done = 0
  context.progress(0, total)
  return () => {
    context.progress(++done, total)
    context.throwIfStopped()
  }
}

/** Starting points of many networks, [count × p], the model's own for seeds from `first` on. */
export function startsOf(model: Model, first: number, count: number): Float64Array {
  const each = Array.from({ length: count }, (_, i) => model.initialize(first + i))
  const stacked = new Float64Array(count * each[0].length)
  each.forEach((theta, i) => stacked.set(theta, i * theta.length))
  return stacked
}

/** Row i of stacked parameter vectors. */
export function rowOf(thetas: Float64Array, size: number, i: number): Float64Array {
  return thetas.slice(i * size, (i + 1) * size)
}
