/** Small networks and data for the training benchmarks, as numbers that Python can read. */
import { tensorOf } from '@thalweg/graph'
import { makeDataset, mlp, randomStream } from '@thalweg/landscape'
import type { Dataset, Model } from '@thalweg/landscape'

export interface TrainingCase {
  readonly model: Model
  readonly dataset: Dataset
  /** Row-major, one network a row. */
  readonly thetas: Float64Array
  /** What the Python script reads. */
  readonly input: Readonly<Record<string, unknown>>
}

/** `count` networks of these widths (tanh) on n samples of a smooth function. Float32-exact numbers. */
export function trainingCase(widths: readonly number[], n: number, count: number, steps: number): TrainingCase {
  const random = randomStream(0, 'training benchmark')
  const x = Array.from(random.normals(n * widths[0]), Math.fround)
  const y = Array.from({ length: n }, (_, i) => Math.fround(Math.sin(2 * x[widths[0] * i]) + x[widths[0] * i + 1]))
  const model = mlp({ widths, activation: 'tanh' })
  const rows = Array.from({ length: count }, (_, b) => Array.from(model.initialize(b), Math.fround))
  const dataset = makeDataset({
    name: 'training benchmark',
    inputs: { x: tensorOf('float64', [n, widths[0]], x) },
    targets: tensorOf('float64', [n, 1], y),
    task: 'regression',
    origin: 'generated',
  })
  return { model, dataset, thetas: Float64Array.from(rows.flat()), input: { widths, n, steps, x, y, thetas: rows } }
}
