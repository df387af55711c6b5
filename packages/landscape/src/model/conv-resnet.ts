import { DomainError, add, conv, flatten, mul, reshape } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { activationNamed } from './activation.ts'
import { initialTheta, weightParameter } from './initialization.ts'
import { linear } from './mlp.ts'
import type { Model } from './model.ts'
import { requireSize } from './require-sizes.ts'
import { scalesOf } from './scaled-network.ts'
import type { ScaledNetworkOptions } from './scaled-network.ts'

export interface ConvResnetOptions extends ScaledNetworkOptions {
  /** [channels, pixels] of one sample. */
  readonly inputShape: readonly number[]
  /** Pixels per patch q. Default 3. */
  readonly patch?: number
  /** Factor of the residual branches, in (0, 1). Default ½. */
  readonly cRes?: number
}

/** The convolutional residual network of Du et al. 2019 on a row of pixels, φ the q-pixel patches around each pixel
 * (stride 1, zero padding, the longer half after the pixel where q is even):
 *
 *     x⁽¹⁾ = √(c_σ/m) σ(W₁φ(x)) ,   x⁽ʰ⁾ = x⁽ʰ⁻¹⁾ + c_res/(H√m) σ(W_h φ(x⁽ʰ⁻¹⁾)) ,   f = ⟨a, x⁽ᴴ⁾⟩
 *
 * Parameters `layers.0.weight` [m × channels × q], … [m × m × q] (a row of W_h, patch positions innermost), and
 * `output.weight` [1 × m × pixels]; start N(0, 1).
 * @throws {DomainError} if a size is not positive or c_res outside (0, 1). */
export function convResnet(options: ConvResnetOptions): Model {
  const { depth, width, inputShape, patch = 3, activation = 'softplus', cRes = 0.5 } = options
  if (!Array.isArray(inputShape) || inputShape.length !== 2)
    throw new DomainError(`convResnet: inputShape must be [channels, pixels], got [${String(inputShape)}].`)
  inputShape.forEach((d, i) => requireSize('convResnet', `inputShape[${i}]`, d))
  requireSize('convResnet', 'patch', patch)
  const { plain, residual } = scalesOf('convResnet', options)
  const [channels, pixels] = inputShape
  const sigma = activationNamed(activation)
  const parameters = [
    ...Array.from({ length: depth }, (_, h) =>
      weightParameter(`layers.${h}.weight`, [width, h === 0 ? channels : width, patch], 1),
    ),
    weightParameter('output.weight', [1, width, pixels], 1),
  ]
  const branch = (x: Expr, weight: Expr): Expr =>
    sigma(conv(x, weight, { padsBegin: [(patch - 1) >> 1], padsEnd: [patch >> 1] }))
  return {
    name: `convolutional residual network of depth ${depth}, width ${width}, ${activation}`,
    inputs: [{ name: 'x', dtype: 'float', shape: [...inputShape] }],
    parameters,
    outputShape: [1],
    architecture: { kind: 'scaled', family: 'convolutional-residual', depth, width, activation, cRes, patch },
    notes: [],
    forward(values, [x]) {
      let out = mul(branch(x, values[0]), plain)
      for (let h = 1; h < depth; h++) out = add(out, mul(branch(out, values[h]), residual))
      return linear(flatten(out), reshape(values[depth], [1, width * pixels]))
    },
    initialize: (seed) => initialTheta(parameters, 'standard-normal', seed),
  }
}
