import { add, constant, mul, reshape, sin, tensorOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import { makeDataset } from '../../../data/dataset.ts'
import type { Dataset } from '../../../data/dataset.ts'
import { Loss } from '../../../loss/loss.ts'
import type { LossSpec } from '../../../loss/loss-function.ts'
import type { Model } from '../../../model/model.ts'

export const squared: LossSpec = { name: 'squared', reduction: 'mean' }

export function rowsDataset(x: readonly (readonly number[])[], y: readonly (readonly number[])[]): Dataset {
  return makeDataset({
    name: 'rows',
    inputs: { x: tensorOf('float64', [x.length, x[0].length], x.flat()) },
    targets: tensorOf('float64', [y.length, y[0].length], y.flat()),
    task: 'regression',
    origin: 'test',
  })
}

/** f(x; θ) = sin(θ x): six local minima on [−6, 6], one of them good. */
export const sineModel: Model = {
  name: 'sin(θx)',
  inputs: [{ name: 'x', dtype: 'float', shape: [1] }],
  parameters: [{ name: 'theta', shape: [1], role: 'other', outputAxis: null }],
  outputShape: [1],
  architecture: { kind: 'unknown' },
  notes: [],
  forward: ([theta], [x]) => sin(mul(x, theta)),
  initialize: () => Float64Array.of(1.4),
}

export function sineLoss(engine: Engine): Loss {
  const x = [-1.7, -0.6, 0.4, 1.1, 2.3]
  const dataset = rowsDataset(
    x.map((v) => [v]),
    x.map((v) => [Math.sin(v)]),
  )
  return new Loss({ engine, model: sineModel, dataset, spec: squared })
}

/** A model whose outputs do not depend on its one parameter: residuals are what the data say. */
export function fixedModel(outputs: readonly number[]): Model {
  return {
    name: 'fixed outputs',
    inputs: [{ name: 'x', dtype: 'float', shape: [1] }],
    parameters: [{ name: 'idle', shape: [1], role: 'other', outputAxis: null }],
    outputShape: [1],
    architecture: { kind: 'unknown' },
    notes: [],
    forward: ([idle], [x]) => {
      const values = constant(tensorOf('float64', [outputs.length, 1], outputs))
      return add(values, mul(mul(reshape(idle, [1, 1]), x), 0))
    },
    initialize: () => Float64Array.of(0),
  }
}

/** Residuals f − y = r at the inputs x. */
export function residualLoss(engine: Engine, x: readonly number[], r: readonly number[]): Loss {
  const dataset = rowsDataset(
    x.map((v) => [v]),
    x.map(() => [0]),
  )
  return new Loss({ engine, model: fixedModel(r), dataset, spec: squared, chunkSize: x.length })
}
