import { DomainError, averagePool, flatten, maxPool } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { activationGain, activationNamed } from './activation.ts'
import type { ActivationName } from './activation.ts'
import { convolutionLayer, convolve } from './convolution-layer.ts'
import { initialTheta, requireInitialization } from './initialization.ts'
import type { InitializationName, InitializedParameter } from './initialization.ts'
import { linear, linearLayer } from './mlp.ts'
import type { Model } from './model.ts'
import { namedParameters } from './named-parameters.ts'
import { requireSize } from './require-sizes.ts'

export type PoolName = 'max' | 'average' | 'none'

export interface CnnOptions {
  /** [channels, height, width] of one sample. */
  readonly inputShape: readonly number[]
  /** Channels of each convolution. */
  readonly channels: readonly number[]
  /** Widths of fully connected layers between the convolutions and the output. Default none. */
  readonly hidden?: readonly number[]
  readonly outputs: number
  /** Length of the window in both directions, zero-padded to keep the size. Default 3. */
  readonly kernel?: number
  /** 2 × 2 with stride 2 after each convolution. Default `max`. */
  readonly pool?: PoolName
  /** Default `relu`. */
  readonly activation?: ActivationName
  /** Default true. */
  readonly bias?: boolean
  /** Default `pytorch-default`. */
  readonly initialization?: InitializationName
}

const pools: Readonly<Record<PoolName, (x: Expr) => Expr>> = {
  max: (x) => maxPool(x, [2, 2], { strides: [2, 2] }),
  average: (x) => averagePool(x, [2, 2], { strides: [2, 2] }),
  none: (x) => x,
}

/** A convolutional network: convolution, activation and pooling repeated, then fully connected layers.
 *
 * Parameters `convolutions.0.weight` [out × in × k × k], …, `layers.0.weight` [out × in], … as PyTorch lays them out;
 * features are flattened as [channels · height · width]. Fans: see `convolutionLayer` and `mlp`.
 * @throws {DomainError} if a size is not positive, or pooling leaves nothing. */
export function cnn(options: CnnOptions): Model {
  const {
    inputShape,
    channels,
    hidden = [],
    outputs,
    kernel = 3,
    pool = 'max',
    activation = 'relu',
    bias = true,
  } = options
  const features = featureCount(options)
  requireSize('cnn', 'kernel', kernel)
  hidden.forEach((width, i) => requireSize('cnn', `hidden[${i}]`, width))
  requireSize('cnn', 'outputs', outputs)
  const scheme = requireInitialization('cnn', options.initialization ?? 'pytorch-default')
  const sigma = activationNamed(activation)
  const gain = activationGain(activation)
  const planes = [inputShape[0], ...channels]
  const widths = [features, ...hidden, outputs]
  const convolutions = channels.flatMap((c, i) =>
    convolutionLayer(`convolutions.${i}`, { inputs: planes[i], outputs: c, kernel, bias, gain }),
  )
  const dense = widths
    .slice(1)
    .flatMap((width, i) => linearLayer(`layers.${i}`, widths[i], width, { bias, gain: i === hidden.length ? 1 : gain }))
  const parameters: readonly InitializedParameter[] = [...convolutions, ...dense]
  return {
    name: `cnn ${planes.join('-')} ${activation}`,
    inputs: [{ name: 'x', dtype: 'float', shape: [...inputShape] }],
    parameters,
    outputShape: [outputs],
    architecture: { kind: 'convolutional', activation },
    notes: [],
    forward(values, [x]) {
      const at = namedParameters(parameters, values)
      let out = x
      for (let i = 0; i < channels.length; i++) out = pools[pool](sigma(convolve(out, at, `convolutions.${i}`)))
      out = flatten(out)
      for (let i = 0; i < widths.length - 1; i++) {
        out = linear(out, at.require(`layers.${i}.weight`), at.find(`layers.${i}.bias`))
        if (i < hidden.length) out = sigma(out)
      }
      return out
    },
    initialize: (seed) => initialTheta(parameters, scheme, seed),
  }
}

/** Numbers per sample after the last pooling; checks the shapes on the way. */
function featureCount({ inputShape, channels, pool = 'max' }: CnnOptions): number {
  if (!Array.isArray(inputShape) || inputShape.length !== 3)
    throw new DomainError(`cnn: inputShape must be [channels, height, width], got [${String(inputShape)}].`)
  inputShape.forEach((d, i) => requireSize('cnn', `inputShape[${i}]`, d))
  if (!Array.isArray(channels) || channels.length === 0)
    throw new DomainError('cnn: channels must list at least one convolution, got none.')
  channels.forEach((c, i) => requireSize('cnn', `channels[${i}]`, c))
  if (!Object.hasOwn(pools, pool))
    throw new DomainError(`cnn: pool must be one of ${Object.keys(pools).join(', ')}, got ${pool}.`)
  const halvings = pool === 'none' ? 0 : channels.length
  const [, rows, columns]: readonly number[] = inputShape
  const [height, width] = [rows, columns].map((d) => Math.floor(d / 2 ** halvings))
  if (height < 1 || width < 1)
    throw new DomainError(
      `cnn: ${channels.length} poolings need images of at least ${2 ** halvings} × ${2 ** halvings}, got ${rows} × ${columns}. Use fewer convolutions or pool none.`,
    )
  return channels[channels.length - 1] * height * width
}
