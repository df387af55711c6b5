/** Statistics of samples, for the experiments of the ledger. */
import { DomainError } from '@thalweg/graph'

export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length
}

/** Standard deviation, divided by n − 1. */
export function deviation(values: ArrayLike<number>): number {
  const center = mean(values)
  const squares = Array.from(values, (value) => (value - center) ** 2)
  return Math.sqrt(sum(squares) / (values.length - 1))
}

/** The value below which a share of the sample lies, between order statistics linearly. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  const at = share * (sorted.length - 1)
  const low = Math.floor(at)
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low])
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5)
}

/** Pearson's correlation.
 * @throws {DomainError} if the samples differ in length. */
export function correlation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length)
    throw new DomainError(`correlation: needs as many y as x, got ${y.length} for ${x.length}.`)
  const [a, b] = [mean(x), mean(y)]
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - a) * (y[i] - b)
    xx += (x[i] - a) ** 2
    yy += (y[i] - b) ** 2
  }
  return xy / Math.sqrt(xx * yy)
}

/** Spearman's correlation: Pearson's of the ranks, equal values sharing theirs. */
export function rankCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return correlation(ranks(x), ranks(y))
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j])
  const result = new Float64Array(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && values[order[end]] === values[order[start]]) end++
    for (let k = start; k < end; k++) result[order[k]] = (start + end - 1) / 2
    start = end
  }
  return result
}

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]
  return total
}
