/** Saddles: index against loss, second-order methods, escape, and what finders of critical points find (Dauphin et al. 2014; Frye
 * et al. 2019, 2021). */
import type { Claim } from '../claim.ts'
import { escapeClaims } from './escape-claims.ts'
import { finderClaims } from './finder-claims.ts'
import { flatnessClaims } from './flatness-claims.ts'
import { indexClaims } from './index-claims.ts'
import { newtonClaims } from './newton-claims.ts'

export const saddleClaims: readonly Claim[] = [
  ...newtonClaims,
  ...indexClaims,
  ...escapeClaims,
  ...finderClaims,
  ...flatnessClaims,
]
