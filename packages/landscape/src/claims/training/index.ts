/** Where training ends and why: steps, optimizers, batches, depth and skips. */
import type { Claim } from '../claim.ts'
import { causeClaims } from './cause-claims.ts'
import { depthClaims } from './depth-claims.ts'
import { residualClaims } from './residual-claims.ts'
import { stabilityClaims } from './stability-claims.ts'

export const trainingClaims: readonly Claim[] = [...causeClaims, ...stabilityClaims, ...depthClaims, ...residualClaims]
