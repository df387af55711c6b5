import { add, mul } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { activationNamed } from './activation.ts'
import { initialTheta } from './initialization.ts'
import { linear, linearLayer } from './mlp.ts'
import type { Model } from './model.ts'
import { requireSize } from './require-sizes.ts'
import { scalesOf } from './scaled-network.ts'
import type { ScaledNetworkOptions } from './scaled-network.ts'

export interface ScaledMlpOptions extends ScaledNetworkOptions {
  /** Numbers per sample. */
  readonly inputs: number
}

export interface ResidualMlpOptions extends ScaledMlpOptions {
  /** Factor of the residual branches, in (0, 1). Default ½. */
  readonly cRes?: number
}

/** The fully connected network of Du et al. 2019: x⁽ʰ⁾ = √(c_σ/m) σ(W_h x⁽ʰ⁻¹⁾), h = 1 … H, f = aᵀx⁽ᴴ⁾.
 * Parameters `layers.0.weight` [m × d], … [m × m], `output.weight` [1 × m]; start N(0, 1).
 * @throws {DomainError} if a size is not positive. */
export function scaledMlp(options: ScaledMlpOptions): Model {
  const { plain } = scalesOf('scaledMlp', options)
  return scaledModel('fully-connected', options, (out, branch) => mul(branch(out), plain))
}

/** The residual network of Du et al. 2019 with a skip around every layer but the first:
 *
 *     x⁽¹⁾ = √(c_σ/m) σ(W₁x) ,   x⁽ʰ⁾ = x⁽ʰ⁻¹⁾ + c_res/(H√m) σ(W_h x⁽ʰ⁻¹⁾) ,   f = aᵀx⁽ᴴ⁾
 *
 * Parameters and start as `scaledMlp`.
 * @throws {DomainError} if a size is not positive or c_res outside (0, 1). */
export function residualMlp(options: ResidualMlpOptions): Model {
  const { plain, residual } = scalesOf('residualMlp', options)
  return scaledModel('residual', options, (out, branch, h) =>
    h === 0 ? mul(branch(out), plain) : add(out, mul(branch(out), residual)),
  )
}

type Layer = (out: Expr, branch: (x: Expr) => Expr, h: number) => Expr

function scaledModel(family: 'fully-connected' | 'residual', options: ResidualMlpOptions, layer: Layer): Model {
  const { depth, width, inputs, activation = 'softplus', cRes = 0.5 } = options
  requireSize(family, 'inputs', inputs)
  const sigma = activationNamed(activation)
  const plainLayer = { bias: false, gain: 1 }
  const parameters = [
    ...Array.from({ length: depth }, (_, h) =>
      linearLayer(`layers.${h}`, h === 0 ? inputs : width, width, plainLayer),
    ).flat(),
    ...linearLayer('output', width, 1, plainLayer),
  ]
  return {
    name: `${family} network of depth ${depth}, width ${width}, ${activation}`,
    inputs: [{ name: 'x', dtype: 'float', shape: [inputs] }],
    parameters,
    outputShape: [1],
    architecture: { kind: 'scaled', family, depth, width, activation, ...(family === 'residual' ? { cRes } : {}) },
    notes: [],
    forward(values, [x]) {
      let out = x
      for (let h = 0; h < depth; h++) out = layer(out, (z) => sigma(linear(z, values[h])), h)
      return linear(out, values[depth])
    },
    initialize: (seed) => initialTheta(parameters, 'standard-normal', seed),
  }
}
