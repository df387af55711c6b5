import { tensorOf } from '@thalweg/graph'
import { makeDataset } from '../../data/index.ts'
import type { Dataset } from '../../data/index.ts'
import { randomStream } from '../../random/index.ts'
import type { ClaimSource } from '../claim.ts'

/** The heading of these claims in the ledger. */
export const topic = 'Elimination of bad local minima'

/** Kawaguchi and Kaelbling: "Elimination of all bad local minima in deep learning". */
export function eliminationPaper(place: string): ClaimSource {
  return { text: 'Kawaguchi and Kaelbling 2020', place, reference: 'arXiv:1901.00279' }
}

/** n rows of d numbers N(0, 1). */
export function normalRows(seed: number, n: number, d: number): number[][] {
  const stream = randomStream(seed, 'rows of elimination')
  return Array.from({ length: n }, () => Array.from(stream.normals(d)))
}

export function labeledDataset(
  x: readonly (readonly number[])[],
  labels: readonly number[],
  classCount: number,
): Dataset {
  return makeDataset({
    name: 'labels',
    inputs: { x: tensorOf('float64', [x.length, x[0].length], x.flat()) },
    targets: tensorOf('int64', [labels.length], labels),
    task: 'classification',
    classCount,
    origin: 'constructed',
  })
}
