import { add, matmul, reshape, transpose } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { activationGain, activationNamed } from './activation.ts'
import type { ActivationName } from './activation.ts'
import { biasParameter, initialTheta, requireInitialization, weightParameter } from './initialization.ts'
import type { InitializationName, InitializedParameter } from './initialization.ts'
import type { Model } from './model.ts'
import { requireWidths } from './require-sizes.ts'

export interface MlpOptions {
  /** All widths, input and output included: [2, 64, 64, 1] has two hidden layers. */
  readonly widths: readonly number[]
  /** After every layer but the last. Default `relu`. */
  readonly activation?: ActivationName
  /** Default true. */
  readonly bias?: boolean
  /** Adds a hidden layer's input to its output where both have the same width: x + σ(x Wᵀ + b). Default false. */
  readonly skip?: boolean
  /** Default `pytorch-default`. */
  readonly initialization?: InitializationName
  /** After the last layer. Default `linear`: scores, not probabilities. */
  readonly outputActivation?: ActivationName
}

/** A fully connected network.
 *
 *     x⁽ʰ⁾ = σ(x⁽ʰ⁻¹⁾ W_hᵀ + b_h) ,   W_h [out × in]
 *
 * Parameters are laid out and named as torch.nn.Linear's: `layers.0.weight`, `layers.0.bias`, …
 * Input `x` [n × widths first], output [n × widths last]. fanIn = columns of W, fanOut = rows.
 * @throws {DomainError} if there are fewer than two widths, one is not a positive integer, or a name is unknown. */
export function mlp(options: MlpOptions): Model {
  const { widths, activation = 'relu', bias = true, skip = false, outputActivation = 'linear' } = options
  requireWidths('mlp', widths)
  const scheme = requireInitialization('mlp', options.initialization ?? 'pytorch-default')
  const hidden = activationNamed(activation)
  const last = activationNamed(outputActivation)
  const depth = widths.length - 1
  const parameters = Array.from({ length: depth }, (_, h) => {
    const gain = activationGain(h === depth - 1 ? outputActivation : activation)
    return linearLayer(`layers.${h}`, widths[h], widths[h + 1], { bias, gain })
  }).flat()
  return {
    name: `mlp ${widths.join('-')} ${activation}`,
    inputs: [{ name: 'x', dtype: 'float', shape: [widths[0]] }],
    parameters,
    outputShape: [widths[depth]],
    architecture: {
      kind: 'mlp',
      widths: [...widths],
      activation,
      bias,
      skip,
      ...(outputActivation !== 'linear' && { outputActivation }),
    },
    notes: [],
    // Samples are columns inside: no weight is transposed and biases run along contiguous rows, which makes steps of
    // small networks, and batches over parameters or tangents, 1.2 to 1.6 times as fast.
    forward(values, [x]) {
      let out = transpose(x, [1, 0])
      for (let h = 0; h < depth; h++) {
        const [weight, shift] = bias ? [values[2 * h], values[2 * h + 1]] : [values[h]]
        const product = matmul(weight, out)
        const sum = shift ? add(product, reshape(shift, [shift.shape[0], 1])) : product
        const next = (h === depth - 1 ? last : hidden)(sum)
        out = skip && h < depth - 1 && widths[h] === widths[h + 1] ? add(out, next) : next
      }
      return transpose(out, [1, 0])
    },
    initialize: (seed) => initialTheta(parameters, scheme, seed),
  }
}

/** The parameters of x Wᵀ + b. */
export function linearLayer(
  name: string,
  inputs: number,
  outputs: number,
  { bias, gain }: { bias: boolean; gain: number },
): InitializedParameter[] {
  const weight = weightParameter(`${name}.weight`, [outputs, inputs], gain)
  return bias ? [weight, biasParameter(`${name}.bias`, weight)] : [weight]
}

/** x Wᵀ + b for rows x [n × in], W [out × in]. */
export function linear(x: Expr, weight: Expr, bias?: Expr): Expr {
  const product = matmul(x, transpose(weight, [1, 0]))
  return bias ? add(product, bias) : product
}

/** A network without activations and biases, x W₁ᵀ ⋯ W_Lᵀ: the deep linear network of Kawaguchi 2016.
 * @param widths all of them, input and output included: [3, 2, 2, 3] has L = 3 matrices. Default start: `glorot-normal`.
 * @throws {DomainError} as `mlp`. */
export function linearNetwork(widths: readonly number[], initialization: InitializationName = 'glorot-normal'): Model {
  const model = mlp({ widths, activation: 'linear', bias: false, initialization })
  return { ...model, name: `linear network ${widths.join('-')}` }
}
