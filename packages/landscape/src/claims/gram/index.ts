/** Claims about wide networks: Du et al. 2019, their precursors, random labels. */
import type { Claim } from '../claim.ts'
import { boundClaims } from './bound-claims.ts'
import { depthClaims } from './depth-claims.ts'
import { kernelClaims } from './kernel-claims.ts'
import { labelClaims } from './label-claims.ts'
import { twoLayerClaims } from './two-layer-claims.ts'
import { widthClaims } from './width-claims.ts'

export const gramClaims: readonly Claim[] = [
  ...boundClaims,
  ...widthClaims,
  ...depthClaims,
  ...twoLayerClaims,
  ...labelClaims,
  ...kernelClaims,
]
