import { randomStream } from '../random/random-stream.ts'
import type { Dataset } from './dataset.ts'
import { generatedValues, requireCount } from './generated.ts'

export interface UnitSphereOptions {
  readonly samples?: number
  readonly dimension?: number
  readonly seed?: number
}

/** Inputs uniform on the unit sphere of R^dimension and independent targets ±1 [n × 1]: the setting of the Gram-matrix
 * theory, which wants ‖x‖ = 1. A regression, since hinge and squared losses take the signs as numbers. */
export function unitSphere(options: UnitSphereOptions = {}): Dataset {
  const { samples = 50, dimension = 10, seed = 0 } = options
  requireCount('unitSphere', 'samples', samples, 1)
  requireCount('unitSphere', 'dimension', dimension, 1)
  const inputs = randomStream(seed, 'data/unit-sphere/inputs', 0).normals(samples * dimension)
  for (let i = 0; i < samples; i++) {
    const row = inputs.subarray(i * dimension, (i + 1) * dimension)
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
    for (let j = 0; j < dimension; j++) row[j] /= norm
  }
  const targets = randomStream(seed, 'data/unit-sphere/labels', 0).rademacher(samples)
  return generatedValues('unit-sphere', { samples, dimension, seed }, samples, inputs, targets)
}
