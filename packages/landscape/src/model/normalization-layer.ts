import { DomainError, batchNormalization, full, groupNormalization } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { affineParameters } from './initialization.ts'
import type { InitializedParameter } from './initialization.ts'
import type { NamedParameters } from './named-parameters.ts'

export const normalizationNames = ['none', 'group', 'layer', 'batch'] as const

/** What stands after each convolution:
 *
 *     none    nothing; the convolution has a bias
 *     group   zero mean, unit variance of each sample over groups of channels (Wu & He 2018)
 *     layer   the same with one group
 *     batch   batch normalisation in inference mode with the statistics held at mean 0 and variance 1: per channel an
 *             affine map, not a normalisation. Mini-batch statistics would make the loss of one sample depend on the
 *             others, and with them the meaning of a full-data loss.
 *
 * All but `none` have a scale and a shift per channel and ε = 1e-5. */
export type NormalizationName = (typeof normalizationNames)[number]

export interface Normalization {
  readonly name: NormalizationName
  readonly groups: number
}

/** @throws {DomainError} if the name is unknown. */
export function normalizationNamed(where: string, name: string, groups: number): Normalization {
  if (!(normalizationNames as readonly string[]).includes(name))
    throw new DomainError(`${where}: normalization must be one of ${normalizationNames.join(', ')}, got ${name}.`)
  return { name: name as NormalizationName, groups: name === 'layer' ? 1 : groups }
}

/** Scale `NAME.weight` and shift `NAME.bias`, or nothing. */
export function normalizationLayer(
  name: string,
  channels: number,
  { name: kind, groups }: Normalization,
): InitializedParameter[] {
  if (kind === 'none') return []
  if (kind === 'group' && channels % groups !== 0)
    throw new DomainError(`group normalization: groups must divide the ${channels} channels, got ${groups}.`)
  return affineParameters(name, channels)
}

/** The layer NAME applied to x [n × channels × …]. */
export function normalizeBy(x: Expr, at: NamedParameters, name: string, { name: kind, groups }: Normalization): Expr {
  if (kind === 'none') return x
  const scale = at.require(`${name}.weight`)
  const shift = at.require(`${name}.bias`)
  if (kind !== 'batch') return groupNormalization(x, groups, scale, shift)
  return batchNormalization(x, scale, shift, full(x.dtype, scale.shape, 0), full(x.dtype, scale.shape, 1))
}
