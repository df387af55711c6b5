import { add, conv, reshape } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { biasParameter, weightParameter } from './initialization.ts'
import type { InitializedParameter } from './initialization.ts'
import type { NamedParameters } from './named-parameters.ts'

export interface ConvolutionShape {
  readonly inputs: number
  readonly outputs: number
  /** Length of the window in both directions. */
  readonly kernel: number
  readonly bias: boolean
  readonly gain: number
}

/** The parameters of a 2-D convolution: `NAME.weight` [out × in × k × k] and `NAME.bias` [out].
 * fanIn = in·k², fanOut = out·k², as PyTorch counts them. */
export function convolutionLayer(name: string, shape: ConvolutionShape): InitializedParameter[] {
  const { inputs, outputs, kernel, bias, gain } = shape
  const weight = weightParameter(`${name}.weight`, [outputs, inputs, kernel, kernel], gain)
  return bias ? [weight, biasParameter(`${name}.bias`, weight)] : [weight]
}

/** The convolution NAME of x [n × in × h × w], zero-padded so that stride 1 keeps the size. */
export function convolve(x: Expr, at: NamedParameters, name: string, stride = 1): Expr {
  const weight = at.require(`${name}.weight`)
  const bias = at.find(`${name}.bias`)
  const kernel = weight.shape.slice(2)
  const out = conv(x, weight, {
    strides: [stride, stride],
    padsBegin: kernel.map((k) => (k - 1) >> 1),
    padsEnd: kernel.map((k) => k >> 1),
  })
  return bias ? add(out, reshape(bias, [bias.shape[0], 1, 1])) : out
}
