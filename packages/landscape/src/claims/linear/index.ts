/** Claims about deep linear networks: Kawaguchi 2016 and refinements, path gates, residual linear networks. */
import type { Claim } from '../claim.ts'
import { convexityClaims } from './convexity.ts'
import { criteriaClaims } from './criteria.ts'
import { criticalPointClaims } from './critical-points.ts'
import { dynamicsClaims } from './dynamics.ts'
import { gateClaims } from './gates.ts'
import { minimaClaims } from './minima.ts'
import { saddleClaims } from './saddles.ts'

export const linearClaims: readonly Claim[] = [
  ...convexityClaims,
  ...minimaClaims,
  ...saddleClaims,
  ...criticalPointClaims,
  ...dynamicsClaims,
  ...criteriaClaims,
  ...gateClaims,
]
