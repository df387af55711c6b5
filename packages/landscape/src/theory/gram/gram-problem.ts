import { DomainError, numbersOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import type { Dataset } from '../../data/dataset.ts'
import { oneHot } from '../../data/one-hot.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { symmetricEigenvalues } from '../../linalg/symmetric-eigen.ts'
import { Loss } from '../../loss/loss.ts'
import type { Model } from '../../model/model.ts'
import { infiniteKernel } from './infinite-kernel.ts'
import type { GramArchitecture, InfiniteKernel } from './infinite-kernel.ts'
import { inputRows } from './kernel-inputs.ts'
import { requireScaled } from './scaled-forward.ts'

const architectureOf: Readonly<Record<string, GramArchitecture>> = {
  'fully-connected': 'fc',
  residual: 'resnet',
  'convolutional-residual': 'conv-resnet',
}

/** The loss of the theory, ½ Σ ‖f(x_i) − y_i‖², whatever the network was trained on; class indices become rows of zeros
 * and a one.
 * @throws {DomainError} if outputs and targets do not fit. */
export function halfSumLoss(engine: Engine, model: Model, dataset: Dataset): Loss {
  const targets = dataset.targets.dtype === 'int64' ? oneHot(dataset) : dataset
  return new Loss({ engine, model, dataset: targets, spec: { name: 'half-sum-squares', reduction: 'sum' } })
}

/** u(θ) − y, [n·k]. */
export async function residualOf(loss: Loss, theta: Float64Array): Promise<Float64Array> {
  const outputs = await loss.outputs(theta)
  const targets = numbersOf(loss.dataset.targets)
  return outputs.map((value, i) => value - targets[i])
}

/** The kind of network in the theory's words.
 * @throws {DomainError} if the model is none of its networks. */
export function gramArchitectureOf(model: Model): GramArchitecture {
  return architectureOf[requireScaled('gram', model).family]
}

/** The infinite-width kernels of a scaled network's own architecture, on the data's inputs.
 * @throws {DomainError} if the model is none of Du et al.'s networks, or an input has not norm 1. */
export function kernelOfModel(model: Model, dataset: Dataset): InfiniteKernel {
  const { depth, activation, cRes, patch } = requireScaled('kernelOfModel', model)
  const architecture = gramArchitectureOf(model)
  const [channels, pixels] = model.inputs[0].shape
  return infiniteKernel(inputRows(dataset), {
    architecture,
    depth,
    activation,
    cRes,
    ...(architecture === 'conv-resnet' && { image: { channels, pixels }, patch }),
  })
}

/** ‖A‖₂ of a symmetric matrix. */
export function spectralNorm(a: Matrix): number {
  const values = symmetricEigenvalues(a)
  return Math.max(Math.abs(values[0]), Math.abs(values[values.length - 1]))
}

export function difference(a: Matrix, b: Matrix): Matrix {
  if (a.rows !== b.rows || a.cols !== b.cols)
    throw new DomainError(`gram: matrices must have one shape, got ${a.rows} × ${a.cols} and ${b.rows} × ${b.cols}.`)
  return { rows: a.rows, cols: a.cols, data: a.data.map((value, at) => value - b.data[at]) }
}
