/** Pictures of loss surfaces and what they can say: directions, curvature, trajectories, flatness (Li et al. 2018). */
import type { Claim } from '../claim.ts'
import { depthClaims } from './depth-claims.ts'
import { directionClaims } from './direction-claims.ts'
import { sharpnessClaims } from './sharpness-claims.ts'
import { trajectoryClaims } from './trajectory-claims.ts'

export const surfaceClaims: readonly Claim[] = [
  ...directionClaims,
  ...depthClaims,
  ...trajectoryClaims,
  ...sharpnessClaims,
]
