import {
  argMax,
  cast,
  concat,
  equal,
  exp,
  grad,
  greater,
  input,
  jvp,
  mul,
  reciprocal,
  reduceSum,
  reshape,
  sizeOf,
  vjp,
  where,
} from '@thalweg/graph'
import type { DType, Expr, FloatDType, InputExpr } from '@thalweg/graph'
import { inputDType, parameterCount, parameterViews } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import { perSample } from './loss-function.ts'
import type { LossSpec } from './loss-function.ts'

/** The loss of one batch as expressions of a flat θ [p]. Everything the laboratory differentiates starts here. */
export interface LossGraph {
  readonly theta: InputExpr
  /** Model inputs [n × …]. */
  readonly inputs: readonly InputExpr[]
  readonly targets: InputExpr
  /** Sample weights [n]; present only when the data has them. */
  readonly weights: InputExpr | null
  /** The parameters as views of θ: differentiate with respect to these, not θ, so that no full-length sums arise. */
  readonly parameters: readonly Expr[]
  /** Model outputs [n × …]. */
  readonly outputs: Expr
  /** Σ wᵢ ℓᵢ over the batch: no mean, no regulariser. */
  readonly sum: Expr
}

export interface LossGraphOptions {
  readonly model: Model
  readonly spec: LossSpec
  readonly batch: number
  readonly dtype: FloatDType
  /** Type of the targets, first axis any. */
  readonly targets: { readonly dtype: DType; readonly shape: readonly number[] }
  readonly weighted: boolean
}

export function lossGraph({ model, spec, batch, dtype, targets, weighted }: LossGraphOptions): LossGraph {
  const theta = input('theta', dtype, [parameterCount(model)])
  const inputs = model.inputs.map((i) => input(`input_${i.name}`, inputDType(i, dtype), [batch, ...i.shape]))
  const y = input('targets', targets.dtype === 'int64' ? 'int64' : dtype, [batch, ...targets.shape.slice(1)])
  const weights = weighted ? input('weights', dtype, [batch]) : null
  const parameters = parameterViews(model, theta)
  const outputs = model.forward(parameters, inputs)
  const losses = perSample(spec, outputs, y)
  return {
    theta,
    inputs,
    targets: y,
    weights,
    parameters,
    outputs,
    sum: reduceSum(weights ? mul(losses, weights) : losses),
  }
}

/** Per-parameter expressions as one flat vector [p]. */
export function flat(parts: readonly Expr[]): Expr {
  return concat(
    parts.map((e) => reshape(e, [sizeOf(e.shape)])),
    0,
  )
}

export function gradientOf(g: LossGraph): Expr[] {
  return grad(g.sum, g.parameters)
}

/** A direction v [p] as tangents of the parameters. */
function tangents(model: Model, g: LossGraph, direction: Expr): (readonly [Expr, Expr])[] {
  const views = parameterViews(model, direction)
  return g.parameters.map((p, i) => [p, views[i]] as const)
}

/** H v of the batch sum: forward over reverse (Pearlmutter 1994). */
export function hessianVector(model: Model, g: LossGraph, direction: Expr): Expr {
  return flat(jvp(gradientOf(g), tangents(model, g, direction)))
}

/** J v: how the outputs move, [n × …]. */
export function outputTangent(model: Model, g: LossGraph, direction: Expr): Expr {
  return jvp([g.outputs], tangents(model, g, direction))[0]
}

/** Jᵀ u for a cotangent u of the outputs. */
export function outputCotangent(g: LossGraph, cotangent: Expr): Expr {
  return flat(vjp([g.outputs], g.parameters, [cotangent]))
}

/** Generalised Gauss–Newton: Jᵀ (∂²ℓ/∂z²) J v (Schraudolph 2002). It is the Fisher matrix for the losses that are
 * negative log-likelihoods of a natural parameter: cross-entropy, binary cross-entropy, and squares up to scale. It is 0 for
 * losses that are linear in the outputs, such as the negative log-likelihood of log-probabilities. */
export function ggnVector(model: Model, g: LossGraph, direction: Expr): Expr {
  const moved = outputTangent(model, g, direction)
  const [delta] = grad(g.sum, [g.outputs])
  const [curved] = jvp([delta], [[g.outputs, moved]])
  return outputCotangent(g, curved)
}

/** Fisher matrix of a model whose outputs are log-probabilities z: Σᵢ wᵢ Σ_c e^{z_c} J_cᵀ J_c v. The loss is linear in z, so that
 * the GGN at this cut is 0 and not the Fisher matrix. */
export function logProbabilityFisherVector(model: Model, g: LossGraph, direction: Expr): Expr {
  const expected = mul(exp(g.outputs), outputTangent(model, g, direction))
  return outputCotangent(g, g.weights ? mul(expected, perSampleColumn(g.weights, g.outputs)) : expected)
}

/** Σᵢ wᵢ gᵢ gᵢᵀ v with gᵢ the gradient of one sample's loss: through gᵢᵀv = ⟨∂ℓᵢ/∂zᵢ, (Jv)ᵢ⟩, so no per-sample
 * gradient is ever formed. */
export function empiricalFisherVector(model: Model, g: LossGraph, direction: Expr): Expr {
  const moved = outputTangent(model, g, direction)
  const [delta] = grad(g.sum, [g.outputs])
  const axes = g.outputs.shape.map((_, i) => i).slice(1)
  const slopes = reduceSum(mul(delta, moved), axes, true)
  const perWeight = g.weights ? mul(delta, inverseWeights(g.weights, delta)) : delta
  return outputCotangent(g, mul(perWeight, slopes))
}

/** 1/w shaped to multiply δ, which already carries one factor w; 0 for samples of weight 0, which count for nothing. */
function inverseWeights(weights: Expr, like: Expr): Expr {
  const shaped = perSampleColumn(weights, like)
  const positive = greater(shaped, 0)
  return where(positive, reciprocal(where(positive, shaped, 1)), 0)
}

/** One number per sample [n], shaped to meet `like` [n × …]. */
function perSampleColumn(values: Expr, like: Expr): Expr {
  return reshape(values, [like.shape[0], ...like.shape.slice(1).map(() => 1)])
}

/** Number of samples whose largest score is the target class (first maximum wins); for one output, sign against class. */
export function correctCount(g: LossGraph): Expr | null {
  const k = sizeOf(g.outputs.shape.slice(1))
  if (g.targets.dtype !== 'int64') return null
  const scores = reshape(g.outputs, [g.outputs.shape[0], k])
  const guess = k === 1 ? cast(reshape(greater(scores, 0), [scores.shape[0]]), 'int64') : argMax(scores, 1)
  return reduceSum(cast(equal(guess, g.targets), 'int64'))
}
