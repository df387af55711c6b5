import type { ClaimSource } from '../claim.ts'

export const surfacesTopic = 'Surfaces, trajectories and flatness'

export function li(place: string): ClaimSource {
  return { text: 'Li et al. 2018', place, reference: 'arXiv:1712.09913' }
}
