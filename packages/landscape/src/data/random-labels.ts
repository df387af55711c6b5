import { DomainError, tensor } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import { withFields } from './dataset.ts'
import type { Dataset } from './dataset.ts'
import { generatedClasses, requireCount } from './generated.ts'
import { requireLabels } from './one-hot.ts'

export interface RandomLabelsOptions {
  readonly seed?: number
  /** Chance that a sample's label is drawn anew; default 1. */
  readonly fraction?: number
}

/** The same inputs with labels drawn uniformly from all classes, independently of everything: the test of
 * Zhang et al. (2017) whether a network memorizes.
 * @throws {DomainError} if the targets are not class indices, or fraction is outside 0 … 1. */
export function randomLabels(dataset: Dataset, options: RandomLabelsOptions = {}): Dataset {
  const { seed = 0, fraction = 1 } = options
  requireLabels('randomLabels', dataset)
  if (!(fraction >= 0 && fraction <= 1))
    throw new DomainError(`randomLabels: fraction must be in 0…1, got ${fraction}.`)
  const chance = randomStream(seed, 'data/random-labels/chance', 0)
  const draw = randomStream(seed, 'data/random-labels/label', 0)
  const classCount = dataset.classCount as number
  // Both streams advance for every sample, so a larger fraction changes a superset of the labels.
  const labels = (dataset.targets.data as BigInt64Array).map((label) => {
    const replace = chance.uniform() < fraction
    const drawn = BigInt(draw.integer(classCount))
    return replace ? drawn : label
  })
  return withFields(dataset, {
    targets: tensor('int64', dataset.targets.shape, labels),
    origin: `${dataset.origin}, random labels (fraction=${fraction}, seed=${seed})`,
  })
}

export interface RandomLabelsDatasetOptions {
  readonly samples?: number
  readonly dimension?: number
  readonly classes?: number
  readonly seed?: number
}

/** Standard normal inputs with uniformly random labels: nothing to learn, only to memorize. */
export function randomLabelsDataset(options: RandomLabelsDatasetOptions = {}): Dataset {
  const { samples = 100, dimension = 10, classes = 2, seed = 0 } = options
  requireCount('randomLabels', 'samples', samples, 1)
  requireCount('randomLabels', 'dimension', dimension, 1)
  requireCount('randomLabels', 'classes', classes, 1)
  const points = randomStream(seed, 'data/random-labels/inputs', 0).normals(samples * dimension)
  const draw = randomStream(seed, 'data/random-labels/label', 0)
  const labels = BigInt64Array.from({ length: samples }, () => BigInt(draw.integer(classes)))
  return generatedClasses('random-labels', { samples, dimension, classes, seed }, points, labels, classes)
}
