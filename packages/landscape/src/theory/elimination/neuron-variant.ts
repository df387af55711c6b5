import { DomainError, sizeOf } from '@thalweg/graph'
import type { Loss } from '../../loss/loss.ts'
import { withExponentialNeurons, withLayerNeurons, withMonomialNeurons } from './added-neurons.ts'
import type { AddedNeurons } from './added-neurons.ts'

export const variantNames = ['exponential', 'liang', 'monomial', 'per-layer'] as const
export type VariantName = (typeof variantNames)[number]

/** The neurons of a variant; the last three are those of Liang et al. with their conditions checked: one output and the
 * hinge of power p ≥ 3, Σ max(0, 1 − y f)^p, which is twice differentiable and whose critical points are minima (logistic
 * loss has no minimizer and is excluded). Their penalty is (λ/2) a².
 * @throws {DomainError} where the conditions fail, with what would satisfy them. */
export function neuronsOfVariant(variant: VariantName, loss: Loss): AddedNeurons {
  if (variant === 'exponential') return withExponentialNeurons(loss.model)
  requireLiangLoss(loss)
  switch (variant) {
    case 'liang':
      return halved(withExponentialNeurons(loss.model))
    case 'monomial':
      // Degree ≥ n: the monomials of all affine functions then separate n distinct inputs.
      return halved(withMonomialNeurons(loss.model, loss.samples))
    case 'per-layer':
      return halved(withLayerNeurons(loss.model))
  }
}

function halved(neurons: AddedNeurons): AddedNeurons {
  return { ...neurons, penalties: neurons.penalties.map((p) => ({ ...p, coefficient: p.coefficient / 2 })) }
}

function requireLiangLoss(loss: Loss): void {
  const { name, power = 1 } = loss.spec
  if (name !== 'hinge' || power < 3 || sizeOf(loss.model.outputShape) !== 1)
    throw new DomainError(
      `eliminate: the variants of Liang et al. need one output and --loss hinge --power 3 or more, got ${name}${name === 'hinge' ? ` of power ${power}` : ''} with ${sizeOf(loss.model.outputShape)} outputs. Use --variant exponential for other losses.`,
    )
}
