import type { ClaimSource } from '../claim.ts'

export const statisticsTopic = 'Statistics of minima and spin glasses'

export function choromanska(place: string): ClaimSource {
  return { text: 'Choromanska et al. 2015', place, reference: 'arXiv:1412.0233' }
}
