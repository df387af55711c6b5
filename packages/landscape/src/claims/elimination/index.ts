/** Claims about the elimination of bad local minima: Kawaguchi and Kaelbling 2020 and relatives. */
import type { Claim } from '../claim.ts'
import { caseClaims } from './cases.ts'
import { failureClaims } from './failure.ts'
import { tangentClaims } from './tangent.ts'
import { theoremClaims } from './theorem.ts'
import { variantClaims } from './variants.ts'

export const eliminationClaims: readonly Claim[] = [
  ...theoremClaims,
  ...tangentClaims,
  ...failureClaims,
  ...variantClaims,
  ...caseClaims,
]
