import { ShapeError, numbersOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import type { Dataset } from './dataset.ts'
import { generatedValues, requireCount, requireNonNegative } from './generated.ts'

export interface LinearRegressionOptions {
  readonly samples?: number
  readonly inputs?: number
  readonly outputs?: number
  readonly noise?: number
  /** The map A, [outputs × inputs]; default: entries N(0, 1/inputs). */
  readonly map?: Tensor
  readonly seed?: number
}

/** y = A x + noise with x ~ N(0, I).
 * @throws {ShapeError} if the given map is not a matrix, or `inputs`/`outputs` contradict it. */
export function linearRegression(options: LinearRegressionOptions = {}): Dataset {
  const { samples = 100, noise = 0, seed = 0 } = options
  requireCount('linearRegression', 'samples', samples, 1)
  requireNonNegative('linearRegression', 'noise', noise)
  const map = options.map ?? randomMap(options.inputs ?? 5, options.outputs ?? 1, seed)
  const [k, d] = map.shape
  if (map.shape.length !== 2 || (options.inputs ?? d) !== d || (options.outputs ?? k) !== k)
    throw new ShapeError(
      `linearRegression: the map must have shape [outputs, inputs] = [${options.outputs ?? 'any'}, ${options.inputs ?? 'any'}], got [${map.shape}].`,
    )
  const a = numbersOf(map)
  const x = randomStream(seed, 'data/linear-regression/inputs', 0).normals(samples * d)
  const y = randomStream(seed, 'data/linear-regression/noise', 0).normals(samples * k)
  for (let i = 0; i < samples; i++)
    for (let r = 0; r < k; r++) {
      let sum = noise * y[i * k + r]
      for (let j = 0; j < d; j++) sum += a[r * d + j] * x[i * d + j]
      y[i * k + r] = sum
    }
  return generatedValues('linear-regression', { samples, inputs: d, outputs: k, noise, seed }, samples, x, y)
}

function randomMap(inputs: number, outputs: number, seed: number): Tensor {
  requireCount('linearRegression', 'inputs', inputs, 1)
  requireCount('linearRegression', 'outputs', outputs, 1)
  const entries = randomStream(seed, 'data/linear-regression/map', 0).normals(inputs * outputs)
  const factor = 1 / Math.sqrt(inputs)
  return tensor(
    'float64',
    [outputs, inputs],
    entries.map((entry) => entry * factor),
  )
}
