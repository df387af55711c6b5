/** Many networks and many minima: concentration of losses, the spherical spin glass, over-fitting (Choromanska et al. 2015). */
import type { Claim } from '../claim.ts'
import { populationClaims } from './population-claims.ts'
import { solutionClaims } from './solution-claims.ts'
import { spinGlassClaims } from './spin-glass-claims.ts'

export const statisticsClaims: readonly Claim[] = [...spinGlassClaims, ...populationClaims, ...solutionClaims]
