import type { OptimizerFacts } from '@thalweg/landscape'
import type { TrainingSpec } from '../../experiment/schema.ts'

/** What is known of the training: from the run, corrected by what the caller says. The step size of an adaptive
 * optimizer is left out: it does not multiply the gradient, so the edge of stability says nothing about it. */
export function optimizerFacts(
  training: TrainingSpec | undefined,
  said: Pick<OptimizerFacts, 'learningRate' | 'batchSize'>,
): OptimizerFacts {
  const plain = training?.optimizer.name === 'sgd' || training?.optimizer.name === 'gradient-descent'
  const { learningRate = plain ? training.learningRate : undefined, batchSize = training?.batchSize } = said
  const { momentum, nesterov } = training?.optimizer.name === 'sgd' ? training.optimizer : {}
  return {
    ...(learningRate !== undefined && { learningRate }),
    ...(typeof batchSize === 'number' && { batchSize }),
    ...(momentum !== undefined && { momentum }),
    ...(nesterov !== undefined && { nesterov }),
  }
}
