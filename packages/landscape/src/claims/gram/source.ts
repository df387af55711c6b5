import type { ClaimSource } from '../claim.ts'

/** The heading of these claims in the ledger. */
export const topic = 'Wide networks and Gram matrices'

/** Du, Lee, Li, Wang, Zhai: "Gradient descent finds global minima of deep neural networks". */
export function deepGlobalMinima(place: string): ClaimSource {
  return { text: 'Du, Lee, Li, Wang, Zhai 2019', place, reference: 'arXiv:1811.03804' }
}

/** Du, Zhai, Póczos, Singh: "Gradient descent provably optimizes over-parameterized neural networks". */
export function twoLayerPrecursor(place: string): ClaimSource {
  return { text: 'Du, Zhai, Póczos, Singh 2019', place, reference: 'arXiv:1810.02054' }
}
