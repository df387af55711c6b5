import { add, div, greater, input, mul, reduceSum, sizeOf, where } from '@thalweg/graph'
import type { Expr, FloatDType, InputExpr } from '@thalweg/graph'
import { flat, gradientOf } from '../loss/loss-graph.ts'
import type { LossGraph } from '../loss/loss-graph.ts'
import { normalizerOf } from '../loss/loss-function.ts'
import type { Loss } from '../loss/loss.ts'
import type { Optimizer } from './optimizer.ts'

/** One training step as expressions of what it reads. */
export interface StepGraph {
  readonly theta: InputExpr
  readonly state: readonly InputExpr[]
  readonly coefficients: readonly InputExpr[]
  readonly noise: InputExpr | null
  /** Data of the batch: model inputs, targets and sample weights, by name. */
  readonly data: readonly InputExpr[]
  /** θ and the state after the step. */
  readonly next: readonly Expr[]
  /** Loss at θ, before the step. */
  readonly loss: Expr
}

/** The loss of a batch with its mean and regulariser, as PyTorch computes it on a mini-batch: a mean is over the batch, a
 * sum over the batch only, and ½V‖θ‖² is added whole. */
function batchLoss(loss: Loss, g: LossGraph, batch: number): { value: Expr; normalizer: Expr | number } {
  const normalizer = batch === loss.samples ? loss.normalizer : batchNormalizer(loss, g, batch)
  const mean = div(g.sum, normalizer)
  if (loss.weightDecay === 0) return { value: mean, normalizer }
  return { value: add(mean, mul(reduceSum(mul(g.theta, g.theta)), loss.weightDecay / 2)), normalizer }
}

function batchNormalizer({ spec, model }: Loss, g: LossGraph, batch: number): Expr | number {
  const outputs = sizeOf(model.outputShape)
  const perSample = normalizerOf(spec, 1, outputs)
  const summed = normalizerOf(spec, 2, outputs) === perSample
  if (!g.weights || summed) return normalizerOf(spec, batch, outputs)
  const weightSum = reduceSum(g.weights)
  // A batch of samples that weigh nothing has loss 0, not 0/0.
  return mul(where(greater(weightSum, 0), weightSum, 1), perSample)
}

/** The inputs that a rule needs besides θ and data, and the rule applied. */
export function ruleGraph(
  optimizer: Optimizer,
  theta: InputExpr,
  at: { gradient: Expr; loss: Expr },
): Pick<StepGraph, 'state' | 'coefficients' | 'noise' | 'next'> {
  const dtype = theta.dtype as FloatDType
  const state = optimizer.slots.map(({ kind }, i) => input(`state_${i}`, dtype, kind === 'vector' ? theta.shape : []))
  const coefficients = optimizer.coefficients(1, 1).map((_, i) => input(`coefficient_${i}`, dtype, []))
  const noise = optimizer.noise ? input('noise', dtype, theta.shape) : null
  const result = optimizer.step({ theta, ...at, state, coefficients, noise })
  return { state, coefficients, noise, next: [result.theta, ...result.state] }
}

/** One step of `optimizer` on a batch of that many samples. */
export function stepGraph(loss: Loss, optimizer: Optimizer, batch: number): StepGraph {
  const g = loss.graph(batch)
  const { value, normalizer } = batchLoss(loss, g, batch)
  const mean = div(flat(gradientOf(g)), normalizer)
  const gradient = loss.weightDecay === 0 ? mean : add(mean, mul(g.theta, loss.weightDecay))
  const data = [...g.inputs, g.targets, ...(g.weights ? [g.weights] : [])]
  return { theta: g.theta, ...ruleGraph(optimizer, g.theta, { gradient, loss: value }), data, loss: value }
}
