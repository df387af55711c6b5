import { randomStream } from '../random/random-stream.ts'
import type { Dataset } from './dataset.ts'
import { generatedClasses, requireCount, requireNonNegative } from './generated.ts'

export interface GaussianMixtureOptions {
  readonly samples?: number
  readonly classes?: number
  readonly dimension?: number
  /** Distance of the two nearest class centers, in units of the classes' standard deviation. */
  readonly separation?: number
  readonly seed?: number
}

/** Classes with covariance I around random centers; sample i belongs to class i mod classes, so the classes are
 * balanced to within one sample. Centers: standard normal draws, scaled so that the nearest two lie `separation` apart. */
export function gaussianMixture(options: GaussianMixtureOptions = {}): Dataset {
  const { samples = 300, classes = 3, dimension = 2, separation = 4, seed = 0 } = options
  requireCount('gaussianMixture', 'samples', samples, 1)
  requireCount('gaussianMixture', 'classes', classes, 1)
  requireCount('gaussianMixture', 'dimension', dimension, 1)
  requireNonNegative('gaussianMixture', 'separation', separation)
  const centers = randomStream(seed, 'data/gaussian-mixture/centers', 0).normals(classes * dimension)
  if (classes > 1) {
    const factor = separation / nearestDistance(centers, classes, dimension)
    for (let i = 0; i < centers.length; i++) centers[i] *= factor
  }
  const points = randomStream(seed, 'data/gaussian-mixture/samples', 0).normals(samples * dimension)
  const labels = new BigInt64Array(samples)
  for (let i = 0; i < samples; i++) {
    const label = i % classes
    labels[i] = BigInt(label)
    for (let j = 0; j < dimension; j++) points[i * dimension + j] += centers[label * dimension + j]
  }
  const parameters = { samples, classes, dimension, separation, seed }
  return generatedClasses('gaussian-mixture', parameters, points, labels, classes)
}

function nearestDistance(centers: Float64Array, classes: number, dimension: number): number {
  let nearest = Infinity
  for (let a = 0; a < classes; a++)
    for (let b = 0; b < a; b++) {
      let squared = 0
      for (let j = 0; j < dimension; j++) squared += (centers[a * dimension + j] - centers[b * dimension + j]) ** 2
      nearest = Math.min(nearest, squared)
    }
  return Math.sqrt(nearest)
}
