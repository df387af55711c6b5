import { DomainError } from '@thalweg/graph'
import { edgeOfStabilityAlong, stabilityLimit } from '@thalweg/landscape'
import type { Loss, Model, StableOptimizer } from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'
import { loadTrajectory } from '../../models/load-trajectory.ts'
import type { Deadline } from '../deadline.ts'

export interface StabilityArgument {
  /** Folder of checkpoints, or a run. */
  readonly trajectory?: string
  readonly learningRate?: number
  /** Of SGD. Adam's limit needs its second moments, which checkpoints do not hold. */
  readonly momentum?: number
  readonly nesterov?: boolean
}

/** The edge-of-stability figure at every checkpoint of a training, as JSON; undefined where no trajectory was asked for.
 * @throws {DomainError} without a learning rate; as `loadTrajectory`. */
export async function stabilityAlong(
  { trajectory, learningRate, momentum, nesterov }: StabilityArgument,
  loss: Loss,
  model: Model,
  seed: number,
  { onProgress }: Pick<JobContext, 'onProgress'>,
  deadline: Deadline,
): Promise<object | undefined> {
  if (trajectory === undefined) return undefined
  if (learningRate === undefined)
    throw new DomainError(
      '--trajectory: the edge of stability needs the step size of the training. Pass --learning-rate.',
    )
  const { points } = await loadTrajectory(trajectory, model)
  const optimizer: StableOptimizer =
    momentum === undefined ? { name: 'gradient-descent' } : { name: nesterov ? 'nesterov' : 'momentum', momentum }
  const found = await edgeOfStabilityAlong(
    loss,
    points.map(({ theta }) => theta),
    {
      ...{ learningRate, seed, signal: deadline.signal, optimizerAt: () => optimizer },
      onProgress: (done, total) => onProgress({ stage: 'edge of stability', done, total }),
    },
  )
  return {
    learningRate,
    optimizer,
    limit: stabilityLimit(optimizer),
    points: found.map((point, i) => ({ checkpoint: points[i].name, ...point })),
    of: points.length,
  }
}
