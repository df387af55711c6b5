import {
  DomainError,
  celu,
  elu,
  erf,
  gelu,
  hardSigmoid,
  hardSwish,
  hardTanh,
  leakyRelu,
  mish,
  relu,
  selu,
  sigmoid,
  silu,
  sin,
  softplus,
  softsign,
  tanh,
} from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'

export type ActivationName =
  | 'linear'
  | 'relu'
  | 'leaky-relu'
  | 'tanh'
  | 'sigmoid'
  | 'softplus'
  | 'erf'
  | 'sin'
  | 'elu'
  | 'selu'
  | 'celu'
  | 'gelu'
  | 'gelu-tanh'
  | 'silu'
  | 'mish'
  | 'softsign'
  | 'hard-tanh'
  | 'hard-sigmoid'
  | 'hard-swish'

/** Activations by name, with the gain that keeps the variance under He/Glorot initialisation (PyTorch's gains; 1 where it has none). */
const activations: Readonly<Record<ActivationName, { apply: (x: Expr) => Expr; gain: number }>> = {
  linear: { apply: (x) => x, gain: 1 },
  relu: { apply: relu, gain: Math.SQRT2 },
  'leaky-relu': { apply: (x) => leakyRelu(x), gain: Math.sqrt(2 / (1 + 1e-4)) },
  tanh: { apply: tanh, gain: 5 / 3 },
  sigmoid: { apply: sigmoid, gain: 1 },
  softplus: { apply: softplus, gain: 1 },
  erf: { apply: erf, gain: 1 },
  sin: { apply: sin, gain: 1 },
  elu: { apply: (x) => elu(x), gain: 1 },
  selu: { apply: (x) => selu(x), gain: 0.75 },
  celu: { apply: (x) => celu(x), gain: 1 },
  gelu: { apply: (x) => gelu(x), gain: 1 },
  'gelu-tanh': { apply: (x) => gelu(x, 'tanh'), gain: 1 },
  silu: { apply: silu, gain: 1 },
  mish: { apply: mish, gain: 1 },
  softsign: { apply: softsign, gain: 1 },
  'hard-tanh': { apply: (x) => hardTanh(x), gain: 1 },
  'hard-sigmoid': { apply: (x) => hardSigmoid(x), gain: 1 },
  'hard-swish': { apply: hardSwish, gain: 1 },
}

export const activationNames: readonly ActivationName[] = Object.keys(activations) as ActivationName[]

function entry(name: string): { apply: (x: Expr) => Expr; gain: number } {
  if (!Object.hasOwn(activations, name))
    throw new DomainError(`activation: must be one of ${activationNames.join(', ')}, got ${name}.`)
  return activations[name as ActivationName]
}

/** @throws {DomainError} listing the names there are. */
export function activationNamed(name: string): (x: Expr) => Expr {
  return entry(name).apply
}

export function activationGain(name: string): number {
  return entry(name).gain
}
