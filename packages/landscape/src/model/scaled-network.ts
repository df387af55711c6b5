import { DomainError } from '@thalweg/graph'
import { activationNamed } from './activation.ts'
import type { ActivationName } from './activation.ts'
import { activationSecondMoment } from './activation-moments.ts'
import { requireSize } from './require-sizes.ts'

/** What the wide networks of Du et al. 2019 ("Gradient descent finds global minima of deep neural networks") share: every
 * entry starts as N(0, 1), and the layers carry the scale,
 *
 *     √(c_σ/m) for a plain layer,   c_res/(H√m) for a residual one,   c_σ = 1/E σ(Z)² , Z ~ N(0, 1).
 *
 * One output, no biases. The paper's loss is ½ Σ (f − y)² (`half-sum-squares`), its inputs have norm 1. */
export interface ScaledNetworkOptions {
  /** Hidden layers H. */
  readonly depth: number
  /** Neurons or channels m of every hidden layer. */
  readonly width: number
  /** Default `softplus`, the paper's example. */
  readonly activation?: ActivationName
}

export interface Scales {
  readonly cSigma: number
  readonly plain: number
  readonly residual: number
}

/** @throws {DomainError} if a size or c_res is out of range. */
export function scalesOf(where: string, options: ScaledNetworkOptions & { cRes?: number }): Scales {
  const { depth, width, activation = 'softplus', cRes = 0.5 } = options
  requireSize(where, 'depth', depth)
  requireSize(where, 'width', width)
  activationNamed(activation)
  if (!(cRes > 0 && cRes < 1)) throw new DomainError(`${where}: cRes must lie between 0 and 1, got ${cRes}.`)
  const cSigma = 1 / activationSecondMoment(activation)
  return { cSigma, plain: Math.sqrt(cSigma / width), residual: cRes / (depth * Math.sqrt(width)) }
}
