import { DomainError, numbersOf } from '@thalweg/graph'
import { matmulTransposedRight, matrix, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { unflatten } from '../../model/model.ts'
import type { Architecture, Model } from '../../model/model.ts'
import { scalesOf } from '../../model/scaled-network.ts'
import type { ActivationName } from '../../model/activation.ts'
import { activationSamples } from './activation-samples.ts'

export type ScaledArchitecture = Extract<Architecture, { readonly kind: 'scaled' }>

/** The architecture of a network of Du et al. 2019, or undefined for any other model. */
export function scaledArchitecture(model: Model): ScaledArchitecture | undefined {
  return model.architecture.kind === 'scaled' ? model.architecture : undefined
}

/** @throws {DomainError} if the model is none of the scaled networks. */
export function requireScaled(where: string, model: Model): ScaledArchitecture {
  const found = scaledArchitecture(model)
  if (!found)
    throw new DomainError(`${where}: needs scaledMlp, residualMlp or convResnet, got ${model.name}. Build one of them.`)
  return found
}

/** Pixels of a sample: 1 without convolution. */
export function pixelsOf(model: Model): number {
  return model.inputs[0].shape.length === 2 ? model.inputs[0].shape[1] : 1
}

/** What a scaled network computes on the way; rows are samples, or pixels of samples (i·p + l). */
export interface ScaledForward {
  /** w_r · φ(x⁽ʰ⁻¹⁾) of each layer h, [np × m]. */
  readonly preActivations: readonly Matrix[]
  /** φ(x⁽ᴴ⁻¹⁾), the patches that the last hidden layer reads, [np × q m]. */
  readonly lastPatches: Matrix
  /** a, [p × m]: the output weights of each pixel. */
  readonly outputWeights: Matrix
  /** Factor of the last hidden layer: √(c_σ/m) or c_res/(H√m). */
  readonly lastScale: number
}

/** The forward pass of a scaled network by the formulas of THEORY (Du et al. 2019), written out and independent of the
 * graph.
 * @param x  [n × d], as the model takes them. */
function scaledForward(model: Model, theta: Float64Array, x: Matrix): ScaledForward {
  const { family, depth, width, activation, cRes, patch = 1 } = requireScaled('scaledForward', model)
  const { plain, residual } = scalesOf('scaledForward', {
    depth,
    width,
    activation: activation as ActivationName,
    cRes,
  })
  const values = unflatten(model, theta)
  const pixels = pixelsOf(model)
  let features = pixelRows(x, pixels)
  const preActivations: Matrix[] = []
  let lastPatches = features
  for (let h = 0; h < depth; h++) {
    lastPatches = patchRows(features, pixels, patch)
    const weight = matrix(width, lastPatches.cols, numbersOf(values[`layers.${h}.weight`]))
    const pre = matmulTransposedRight(lastPatches, weight)
    preActivations.push(pre)
    const active = activationSamples(activation, pre.data).values
    const skip = family !== 'fully-connected' && h > 0
    const scale = skip ? residual : plain
    const next = active.map((value, at) => scale * value + (skip ? features.data[at] : 0))
    features = matrix(pre.rows, width, next)
  }
  const output = numbersOf(values['output.weight'])
  const outputWeights = zeros(pixels, width)
  for (let r = 0; r < width; r++)
    for (let l = 0; l < pixels; l++) outputWeights.data[l * width + r] = output[r * pixels + l]
  return {
    preActivations,
    lastPatches,
    outputWeights,
    lastScale: family === 'fully-connected' || depth === 1 ? plain : residual,
  }
}

/** [n × channels · pixels] to [n · pixels × channels]. */
export function pixelRows(x: Matrix, pixels: number): Matrix {
  if (pixels === 1) return x
  const channels = x.cols / pixels
  const result = zeros(x.rows * pixels, channels)
  for (let i = 0; i < x.rows; i++)
    for (let c = 0; c < channels; c++)
      for (let l = 0; l < pixels; l++)
        result.data[(i * pixels + l) * channels + c] = x.data[i * x.cols + c * pixels + l]
  return result
}

/** φ: the patch around each pixel, [np × channels · patch], patch positions innermost, zeros outside. */
function patchRows(features: Matrix, pixels: number, patch: number): Matrix {
  if (patch === 1) return features
  const { rows, cols: channels, data } = features
  const before = (patch - 1) >> 1
  const result = zeros(rows, channels * patch)
  for (let at = 0; at < rows; at++)
    for (let k = 0; k < patch; k++) {
      const l = (at % pixels) + k - before
      if (l < 0 || l >= pixels) continue
      const from = (at + k - before) * channels
      for (let c = 0; c < channels; c++) result.data[at * result.cols + c * patch + k] = data[from + c]
    }
  return result
}

/** G⁽ᴴ⁾ of a scaled network by its formula (the Gram matrix of the gradients by the last hidden layer's weights):
 *
 *     G⁽ᴴ⁾_ij = s² Σ_r ⟨Σ_l a_rl σ'(w_rᵀφ(x_i)_l) φ(x_i)_l , Σ_l a_rl σ'(w_rᵀφ(x_j)_l) φ(x_j)_l⟩ ,   s the layer's scale
 *
 * An independent check of automatic differentiation; `networkGram` gives the same from Jacobians, for any layer.
 * Cost: m n² q operations times the width of the layer before. */
export function lastLayerGram(model: Model, theta: Float64Array, x: Matrix): Matrix {
  const { activation } = requireScaled('lastLayerGram', model)
  const { preActivations, lastPatches, outputWeights, lastScale } = scaledForward(model, theta, x)
  const pre = preActivations[preActivations.length - 1]
  const slopes = activationSamples(activation, pre.data).slopes
  const pixels = pixelsOf(model)
  const n = x.rows
  const result = zeros(n, n)
  for (let r = 0; r < pre.cols; r++) {
    const gradients = zeros(n, lastPatches.cols)
    for (let at = 0; at < pre.rows; at++) {
      const factor = lastScale * outputWeights.data[(at % pixels) * pre.cols + r] * slopes[at * pre.cols + r]
      const to = Math.floor(at / pixels) * lastPatches.cols
      const from = at * lastPatches.cols
      for (let c = 0; c < lastPatches.cols; c++) gradients.data[to + c] += factor * lastPatches.data[from + c]
    }
    const part = matmulTransposedRight(gradients, gradients)
    for (let at = 0; at < result.data.length; at++) result.data[at] += part.data[at]
  }
  return result
}

/** The share of hidden units and samples whose pre-activation has another sign at θ₁ than at θ₀, over all layers. */
export function patternChange(model: Model, from: Float64Array, to: Float64Array, x: Matrix): number {
  const before = scaledForward(model, from, x).preActivations
  const after = scaledForward(model, to, x).preActivations
  let changed = 0
  let total = 0
  before.forEach(({ data }, h) => {
    for (let at = 0; at < data.length; at++) if (data[at] >= 0 !== after[h].data[at] >= 0) changed++
    total += data.length
  })
  return changed / total
}
