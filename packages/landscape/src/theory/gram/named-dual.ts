import { DomainError } from '@thalweg/graph'
import { activationNames } from '../../model/activation.ts'
import { erfDual, expDual, leakyReluDual, sinDual } from './closed-form-duals.ts'
import type { DualActivation } from './dual-activation.ts'
import { hermiteDual } from './hermite-dual.ts'
import { piecewiseActivations } from './piecewise-activation.ts'
import { piecewiseDual } from './piecewise-dual.ts'

const closedForms: Readonly<Record<string, DualActivation>> = {
  linear: leakyReluDual('linear', 1),
  relu: leakyReluDual('relu', 0),
  'leaky-relu': leakyReluDual('leaky-relu', 0.01),
  erf: erfDual,
  sin: sinDual,
  exp: expDual,
}

/** Names that `dualActivation` knows: those of models, and `exp`. */
export const dualActivationNames: readonly string[] = [...new Set([...activationNames, ...Object.keys(closedForms)])]

/** The Gaussian expectations of an activation: in closed form where there is one, by panels for those with kinks, by
 * Hermite series for the rest.
 * @throws {DomainError} listing the names there are. */
export function dualActivation(name: string): DualActivation {
  if (Object.hasOwn(closedForms, name)) return closedForms[name]
  if (name === 'softsign' || Object.hasOwn(piecewiseActivations, name)) return piecewiseDual(name)
  if ((activationNames as readonly string[]).includes(name)) return hermiteDual(name)
  throw new DomainError(`gram: activation must be one of ${dualActivationNames.join(', ')}, got ${name}.`)
}

/** c_σ = 1/E σ(Z)² and χ = c_σ E σ'(Z)², Z ~ N(0, 1): λ_min(K⁽ᴴ⁾) of a fully connected net falls like χᴴ. */
export interface ActivationConstants {
  readonly cSigma: number
  readonly chi: number
  /** Of c_σ, by the error of the expectation. */
  readonly error: number
}

export function activationConstants(dual: DualActivation): ActivationConstants {
  const { squares, slopeSquares, error } = dual.layer(Float64Array.of(1))
  const cSigma = 1 / squares[0]
  return { cSigma, chi: cSigma * slopeSquares[0], error: cSigma * cSigma * error }
}
