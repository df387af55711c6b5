import { add, mul, sin, tensorOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import { makeDataset } from '../../data/dataset.ts'
import type { Dataset } from '../../data/dataset.ts'
import { Loss } from '../../loss/loss.ts'
import type { LossSpec } from '../../loss/loss-function.ts'
import type { Model } from '../../model/model.ts'

export const squared: LossSpec = { name: 'squared', reduction: 'mean' }

export function rowsDataset(x: readonly (readonly number[])[], y: readonly (readonly number[])[]): Dataset {
  return makeDataset({
    name: 'rows',
    inputs: { x: tensorOf('float64', [x.length, x[0].length], x.flat()) },
    targets: tensorOf('float64', [y.length, y[0].length], y.flat()),
    task: 'regression',
    origin: 'constructed',
  })
}

/** f(x; θ) = sin(θ x): six local minima on [−6, 6], one of them good. */
const sineModel: Model = {
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

/** f(x) = Σ_j c_j x^j with fixed c: it has one parameter and ignores it, so that residuals stay what they are. */
function polynomialModel(coefficients: readonly number[]): Model {
  return {
    name: 'fixed polynomial',
    inputs: [{ name: 'x', dtype: 'float', shape: [1] }],
    parameters: [{ name: 'idle', shape: [1], role: 'other', outputAxis: null }],
    outputShape: [1],
    architecture: { kind: 'unknown' },
    notes: [],
    forward: ([idle], [x]) => {
      const zero = mul(mul(x, idle), 0)
      return coefficients.reduceRight((sum, c) => add(mul(sum, x), c), zero)
    },
    initialize: () => Float64Array.of(0),
  }
}

/** The squared loss of a fixed polynomial at the inputs x, targets y (default 0): its values there are the residuals. */
export function polynomialLoss(
  engine: Engine,
  x: readonly number[],
  coefficients: readonly number[],
  y: readonly number[] = x.map(() => 0),
): Loss {
  const dataset = rowsDataset(
    x.map((v) => [v]),
    y.map((v) => [v]),
  )
  return new Loss({ engine, model: polynomialModel(coefficients), dataset, spec: squared })
}

export const xorRows: readonly (readonly [readonly number[], number])[] = [
  [[0, 0], 0],
  [[0, 1], 1],
  [[1, 0], 1],
  [[1, 1], 0],
]

/** A point of a ReLU network 2-h-1 at which all hidden units are dead on inputs ≥ 0 and the output bias is ½: on XOR no
 * direction changes the outputs, and the loss is ¼. */
export function deadReluStart(model: Model): Float64Array {
  const theta = model.initialize(0)
  const hidden = (theta.length - 1) / 4
  for (let i = 0; i < 2 * hidden; i++) theta[i] = -Math.abs(theta[i])
  theta.fill(-1, 2 * hidden, 3 * hidden)
  theta[theta.length - 1] = 0.5
  return theta
}
