import { DomainError, allocate, tensor } from '@thalweg/graph'
import type { FloatDType } from '@thalweg/graph'
import { sampleCount, withFields } from './dataset.ts'
import type { Dataset } from './dataset.ts'

/** The data set with class indices [n] replaced by rows of zeros and a one, [n × classes]: what squared losses and
 * label smoothing need. Still a classification.
 * @throws {DomainError} if the targets are not class indices. */
export function oneHot(dataset: Dataset, dtype: FloatDType = 'float64'): Dataset {
  requireLabels('oneHot', dataset)
  const n = sampleCount(dataset)
  const classCount = dataset.classCount as number
  const rows = allocate(dtype, n * classCount)
  for (let i = 0; i < n; i++) rows[i * classCount + Number(dataset.targets.data[i])] = 1
  return withFields(dataset, { targets: tensor(dtype, [n, classCount], rows), origin: `${dataset.origin}, one-hot` })
}

/** @throws {DomainError} unless the targets are class indices. */
export function requireLabels(where: string, dataset: Dataset): void {
  if (dataset.task !== 'classification' || dataset.targets.dtype !== 'int64')
    throw new DomainError(
      `${where}: '${dataset.name}' must have class indices as targets, got ${dataset.task} with ${dataset.targets.dtype} targets.`,
    )
}
