import { DomainError } from '@thalweg/graph'
import type { InitializationName } from './initialization.ts'
import { cnn } from './cnn.ts'
import type { CnnOptions } from './cnn.ts'
import { convResnet } from './conv-resnet.ts'
import type { ConvResnetOptions } from './conv-resnet.ts'
import { linearNetwork, mlp } from './mlp.ts'
import type { MlpOptions } from './mlp.ts'
import type { Model } from './model.ts'
import { residualMlp, scaledMlp } from './residual-mlp.ts'
import type { ResidualMlpOptions, ScaledMlpOptions } from './residual-mlp.ts'
import { resnet } from './resnet.ts'
import type { ResnetOptions } from './resnet.ts'

export interface LinearNetworkOptions {
  readonly widths: readonly number[]
  readonly initialization?: InitializationName
}

interface OptionsOf {
  mlp: MlpOptions
  'linear-network': LinearNetworkOptions
  cnn: CnnOptions
  resnet: ResnetOptions
  'scaled-mlp': ScaledMlpOptions
  'residual-mlp': ResidualMlpOptions
  'conv-resnet': ConvResnetOptions
}

export type ModelKind = keyof OptionsOf

/** A model as plain data: `{ kind: 'mlp', widths: [2, 64, 2], activation: 'tanh' }`. */
export type ModelSpec = { [K in ModelKind]: { readonly kind: K } & OptionsOf[K] }[ModelKind]

interface Builder<O> {
  readonly build: (options: O) => Model
  /** Every option; the compiler checks that none is missing. */
  readonly keys: Readonly<Record<keyof O, true>>
}

const scaledKeys = { depth: true, width: true, activation: true } as const

const builders: { readonly [K in ModelKind]: Builder<OptionsOf[K]> } = {
  mlp: {
    build: mlp,
    keys: { widths: true, activation: true, bias: true, skip: true, initialization: true, outputActivation: true },
  },
  'linear-network': {
    build: ({ widths, initialization }) => linearNetwork(widths, initialization),
    keys: { widths: true, initialization: true },
  },
  cnn: {
    build: cnn,
    keys: {
      inputShape: true,
      channels: true,
      hidden: true,
      outputs: true,
      kernel: true,
      pool: true,
      activation: true,
      bias: true,
      initialization: true,
    },
  },
  resnet: {
    build: resnet,
    keys: {
      depth: true,
      outputs: true,
      inputShape: true,
      width: true,
      shortcut: true,
      normalization: true,
      groups: true,
      activation: true,
      initialization: true,
    },
  },
  'scaled-mlp': { build: scaledMlp, keys: { ...scaledKeys, inputs: true } },
  'residual-mlp': { build: residualMlp, keys: { ...scaledKeys, inputs: true, cRes: true } },
  'conv-resnet': { build: convResnet, keys: { ...scaledKeys, inputShape: true, patch: true, cRes: true } },
}

export const modelKinds: readonly ModelKind[] = Object.keys(builders) as ModelKind[]

/** The model that a plain description names.
 * @throws {DomainError} if the kind or an option is unknown, or a value is out of range. */
export function modelFromSpec(spec: ModelSpec): Model {
  const { kind, ...options } = spec
  if (!Object.hasOwn(builders, kind))
    throw new DomainError(`model: kind must be one of ${modelKinds.join(', ')}, got ${kind}.`)
  const { build, keys } = builders[kind] as Builder<object>
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(keys, key))
  if (unknown !== undefined)
    throw new DomainError(`model: ${kind} has no option ${unknown}. It has: ${Object.keys(keys).join(', ')}.`)
  return build(options)
}
