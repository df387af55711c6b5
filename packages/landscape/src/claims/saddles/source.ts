import type { ClaimSource } from '../claim.ts'

export const saddlesTopic = 'Saddles, indices and finders of critical points'

export function dauphin(place: string): ClaimSource {
  return { text: 'Dauphin et al. 2014', place, reference: 'arXiv:1406.2572' }
}

export function frye(place: string): ClaimSource {
  return { text: 'Frye et al. 2021', place, reference: 'arXiv:2003.10397' }
}
