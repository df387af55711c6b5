import { DomainError } from '@thalweg/graph'
import { adam, adamW } from './adam.ts'
import type { AdamOptions } from './adam.ts'
import { lbfgs } from './lbfgs-stepper.ts'
import type { Lbfgs, LbfgsOptions } from './lbfgs-stepper.ts'
import type { Optimizer } from './optimizer.ts'
import { perturbedGradientDescent } from './perturbed-gradient-descent.ts'
import type { PerturbedGradientDescentOptions } from './perturbed-gradient-descent.ts'
import { gradientDescent, sgd } from './sgd.ts'
import type { SgdOptions } from './sgd.ts'

interface OptionsOf {
  'gradient-descent': Readonly<Record<never, never>>
  sgd: SgdOptions
  adam: AdamOptions
  adamw: AdamOptions
  'perturbed-gradient-descent': PerturbedGradientDescentOptions
  lbfgs: LbfgsOptions
}

export type OptimizerName = keyof OptionsOf

/** An optimizer as plain data: `{ name: 'sgd', momentum: 0.9 }`. */
export type OptimizerSpec = { [K in OptimizerName]: { readonly name: K } & OptionsOf[K] }[OptimizerName]

interface Builder<O> {
  readonly build: (options: O) => Optimizer | Lbfgs
  /** Every option; the compiler checks that none is missing. */
  readonly keys: Readonly<Record<keyof O, true>>
}

const adamKeys = { beta1: true, beta2: true, epsilon: true, weightDecay: true } as const

const builders: { readonly [K in OptimizerName]: Builder<OptionsOf[K]> } = {
  'gradient-descent': { build: gradientDescent, keys: {} },
  sgd: { build: sgd, keys: { momentum: true, nesterov: true, weightDecay: true } },
  adam: { build: adam, keys: adamKeys },
  adamw: { build: adamW, keys: adamKeys },
  'perturbed-gradient-descent': {
    build: perturbedGradientDescent,
    keys: { gradientThreshold: true, radius: true, interval: true, decreaseThreshold: true, seed: true },
  },
  lbfgs: { build: lbfgs, keys: { memory: true, gradientTolerance: true } },
}

export const optimizerNames: readonly OptimizerName[] = Object.keys(builders) as OptimizerName[]

/** The optimizer that a plain description names.
 * @throws {DomainError} if the name or an option is unknown, or a value is out of range. */
export function optimizerFromSpec(spec: OptimizerSpec): Optimizer | Lbfgs {
  const { name, ...options } = spec
  if (!Object.hasOwn(builders, name))
    throw new DomainError(`optimizer: name must be one of ${optimizerNames.join(', ')}, got ${name}.`)
  const { build, keys } = builders[name] as Builder<object>
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(keys, key))
  if (unknown !== undefined)
    throw new DomainError(
      `optimizer: ${name} has no option ${unknown}. It has: ${Object.keys(keys).join(', ') || 'none'}.`,
    )
  return build(options)
}
