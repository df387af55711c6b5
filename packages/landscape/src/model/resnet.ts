import { DomainError, add, flatten, globalAveragePool, pad, slice } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { activationGain, activationNamed } from './activation.ts'
import type { ActivationName } from './activation.ts'
import { convolutionLayer, convolve } from './convolution-layer.ts'
import { initialTheta, requireInitialization } from './initialization.ts'
import type { InitializationName, InitializedParameter } from './initialization.ts'
import { linear, linearLayer } from './mlp.ts'
import type { Model } from './model.ts'
import { namedParameters } from './named-parameters.ts'
import type { NamedParameters } from './named-parameters.ts'
import { normalizationLayer, normalizationNamed, normalizeBy } from './normalization-layer.ts'
import type { Normalization, NormalizationName } from './normalization-layer.ts'
import { requireSize } from './require-sizes.ts'

/** What skips a block: where channels change, A pads them with zeros and B projects by a 1 × 1 convolution; `none` leaves
 * every skip out (the "no short" networks of Li et al. 2018). */
export type ShortcutName = 'A' | 'B' | 'none'

export interface ResnetOptions {
  /** 6n + 2: three stages of n blocks of two convolutions, and the first and last layers. */
  readonly depth: number
  readonly outputs: number
  /** [channels, height, width] of one sample. Default [3, 32, 32]. */
  readonly inputShape?: readonly number[]
  /** Channels of the first stage; the others have twice and four times as many. Default 16. */
  readonly width?: number
  /** Default `A`. */
  readonly shortcut?: ShortcutName
  /** Default `group`. See `NormalizationName`. */
  readonly normalization?: NormalizationName
  /** Groups of channels for `group`. Default 8. */
  readonly groups?: number
  /** Default `relu`. */
  readonly activation?: ActivationName
  /** Default `he-normal`. */
  readonly initialization?: InitializationName
}

interface Block {
  readonly name: string
  readonly inputs: number
  readonly outputs: number
  readonly stride: number
}

/** The residual network for small images of He et al. 2016 (§4.2).
 *
 * 3 × 3 convolution, three stages of n blocks σ(x + norm conv σ norm conv x) with 1, 2 and 4 times `width` channels,
 * stages two and three halving the image, mean over pixels, fully connected layer.
 * Parameters: `stem.weight`, `stages.0.0.convolution1.weight`, `stages.0.0.normalization1.weight`, …, `output.weight`.
 * Fans: see `convolutionLayer` and `mlp`.
 * @throws {DomainError} if the depth is not 6n + 2, a size is not positive, or a name is unknown. */
export function resnet(options: ResnetOptions): Model {
  const { depth, outputs, inputShape = [3, 32, 32], shortcut = 'A', activation = 'relu' } = options
  const blocks = blocksOf(options)
  const normalization = normalizationNamed('resnet', options.normalization ?? 'group', options.groups ?? 8)
  const scheme = requireInitialization('resnet', options.initialization ?? 'he-normal')
  const sigma = activationNamed(activation)
  const parameters = parametersOf(options, blocks, normalization, activationGain(activation))
  const notes =
    normalization.name === 'batch'
      ? ['Batch normalisation has its statistics held at mean 0 and variance 1: it is an affine map per channel.']
      : []
  return {
    name: `resnet-${depth} ${shortcut === 'none' ? 'without skips' : `shortcut ${shortcut}`}`,
    inputs: [{ name: 'x', dtype: 'float', shape: [...inputShape] }],
    parameters,
    outputShape: [outputs],
    architecture: { kind: 'residual', activation },
    notes,
    forward(values, [x]) {
      const at = namedParameters(parameters, values)
      let out = sigma(normalizeBy(convolve(x, at, 'stem'), at, 'stemNormalization', normalization))
      for (const block of blocks) {
        const branch = branchOf(out, at, block, normalization, sigma)
        out = sigma(shortcut === 'none' ? branch : add(skipOf(out, at, block, normalization, shortcut), branch))
      }
      return linear(flatten(globalAveragePool(out)), at.require('output.weight'), at.find('output.bias'))
    },
    initialize: (seed) => initialTheta(parameters, scheme, seed),
  }
}

function blocksOf({ depth, width = 16, inputShape = [3, 32, 32], shortcut = 'A', outputs }: ResnetOptions): Block[] {
  if (!(Number.isInteger(depth) && depth >= 8 && (depth - 2) % 6 === 0))
    throw new DomainError(`resnet: depth must be 6n + 2 with n ≥ 1 (8, 14, 20, 32, 56, …), got ${depth}.`)
  requireSize('resnet', 'width', width)
  requireSize('resnet', 'outputs', outputs)
  if (!['A', 'B', 'none'].includes(shortcut))
    throw new DomainError(`resnet: shortcut must be A, B or none, got ${shortcut}.`)
  if (!Array.isArray(inputShape) || inputShape.length !== 3)
    throw new DomainError(`resnet: inputShape must be [channels, height, width], got [${String(inputShape)}].`)
  inputShape.forEach((d, i) => requireSize('resnet', `inputShape[${i}]`, d))
  const perStage = (depth - 2) / 6
  return [0, 1, 2].flatMap((stage) =>
    Array.from({ length: perStage }, (_, i) => {
      const changes = stage > 0 && i === 0
      const channels = width * 2 ** stage
      return {
        name: `stages.${stage}.${i}`,
        inputs: changes ? channels / 2 : channels,
        outputs: channels,
        stride: changes ? 2 : 1,
      }
    }),
  )
}

function parametersOf(
  { width = 16, inputShape = [3, 32, 32], shortcut = 'A', outputs }: ResnetOptions,
  blocks: readonly Block[],
  normalization: Normalization,
  gain: number,
): InitializedParameter[] {
  const bias = normalization.name === 'none'
  const layer = (
    name: string,
    norm: string,
    inputs: number,
    channels: number,
    kernel: number,
  ): InitializedParameter[] => [
    ...convolutionLayer(name, { inputs, outputs: channels, kernel, bias, gain }),
    ...normalizationLayer(norm, channels, normalization),
  ]
  return [
    ...layer('stem', 'stemNormalization', inputShape[0], width, 3),
    ...blocks.flatMap(({ name, inputs, outputs: channels }) => [
      ...layer(`${name}.convolution1`, `${name}.normalization1`, inputs, channels, 3),
      ...layer(`${name}.convolution2`, `${name}.normalization2`, channels, channels, 3),
      ...(shortcut === 'B' && inputs !== channels
        ? layer(`${name}.shortcut`, `${name}.shortcutNormalization`, inputs, channels, 1)
        : []),
    ]),
    ...linearLayer('output', 4 * width, outputs, { bias: true, gain: 1 }),
  ]
}

function branchOf(
  x: Expr,
  at: NamedParameters,
  { name, stride }: Block,
  normalization: Normalization,
  sigma: (x: Expr) => Expr,
): Expr {
  const first = normalizeBy(
    convolve(x, at, `${name}.convolution1`, stride),
    at,
    `${name}.normalization1`,
    normalization,
  )
  return normalizeBy(convolve(sigma(first), at, `${name}.convolution2`), at, `${name}.normalization2`, normalization)
}

/** x itself; where the block halves the image, every second pixel with more channels. */
function skipOf(
  x: Expr,
  at: NamedParameters,
  block: Block,
  normalization: Normalization,
  shortcut: ShortcutName,
): Expr {
  const { name, inputs, outputs, stride } = block
  if (inputs === outputs) return x
  if (shortcut === 'B')
    return normalizeBy(convolve(x, at, `${name}.shortcut`, stride), at, `${name}.shortcutNormalization`, normalization)
  const some = slice(x, [0, 0, 0, 0], x.shape, [1, 1, stride, stride])
  const before = (outputs - inputs) >> 1
  return pad(some, [0, before, 0, 0], [0, outputs - inputs - before, 0, 0])
}
