/** Symmetric copies of networks, what lies between them, and lines of critical points (Ainsworth et al. 2023; Entezari et
 * al. 2022; Fukumizu & Amari 2000). */
import type { Claim } from '../claim.ts'
import { barrierClaims } from './barrier-claims.ts'
import { copyClaims } from './copy-claims.ts'
import { duplicateClaims } from './duplicate-claims.ts'

export const symmetryClaims: readonly Claim[] = [...copyClaims, ...barrierClaims, ...duplicateClaims]
