import { DomainError } from '@thalweg/graph'

/** Complexity of the spherical spin glass of order H, energies per spin (Auffinger, Ben Arous, Černý 2013): the logarithm,
 * per spin, of the mean number of critical points. */

function requireOrder(order: number): void {
  if (!(Number.isInteger(order) && order >= 3))
    throw new DomainError(`spin glass: complexity needs an order of at least 3, got ${order}.`)
}

/** E_∞ = 2 √((H − 1)/H): above −E_∞ critical points of diverging index appear, below only those of finite index.
 * @throws {DomainError} if the order is below 3. */
export function bandEdge(order: number): number {
  requireOrder(order)
  return 2 * Math.sqrt((order - 1) / order)
}

/** I(u) = −(u/E_∞²) √(u² − E_∞²) − ln(−u + √(u² − E_∞²)) + ln E_∞ for u ≤ −E_∞: the large-deviation cost of pulling an
 * eigenvalue of the Hessian out of its semicircle; 0 at −E_∞.
 * @throws {DomainError} if u is above −E_∞. */
export function deviationCost(order: number, energy: number): number {
  const edge = bandEdge(order)
  if (!(energy <= -edge)) throw new DomainError(`deviationCost: the energy must be at most ${-edge}, got ${energy}.`)
  const root = Math.sqrt(energy ** 2 - edge ** 2)
  return -(energy / edge ** 2) * root - Math.log(-energy + root) + Math.log(edge)
}

/** Θ_k(u), the limit of (1/Λ) ln E #{critical points of index k with energy per spin at most u}:
 *
 *     ½ ln(H − 1) − (H − 2)u²/(4(H − 1)) − (k + 1) I(u)   for u ≤ −E_∞ ,
 *     ½ ln(H − 1) − (H − 2)/H                              above.
 *
 * @throws {DomainError} if the order is below 3 or the index negative. Source: Auffinger et al. 2013, Theorem 2.5. */
export function indexComplexity(order: number, index: number, energy: number): number {
  if (!(Number.isInteger(index) && index >= 0))
    throw new DomainError(`indexComplexity: the index must be an integer of at least 0, got ${index}.`)
  const bulk = 0.5 * Math.log(order - 1)
  if (energy > -bandEdge(order)) return bulk - (order - 2) / order
  return bulk - ((order - 2) * energy ** 2) / (4 * (order - 1)) - (index + 1) * deviationCost(order, energy)
}

/** Θ(u), the same for critical points of any index: ½ ln(H − 1) for u ≥ 0. Source: Auffinger et al. 2013, Theorem 2.8. */
export function totalComplexity(order: number, energy: number): number {
  const bulk = 0.5 * Math.log(order - 1)
  if (energy >= 0) return bulk
  const gaussian = ((order - 2) * energy ** 2) / (4 * (order - 1))
  return bulk - gaussian - (energy <= -bandEdge(order) ? deviationCost(order, energy) : 0)
}

/** E_k > 0 with Θ_k(−E_k) = 0: no critical point of index k lies below −E_k in large systems; −E_0 is the ground state.
 * By bisection to rounding.
 * @throws {DomainError} as `indexComplexity`. */
export function layerEnergy(order: number, index: number): number {
  let [low, high] = [bandEdge(order), 2 * bandEdge(order) + Math.sqrt(2 * Math.log(order))]
  for (let step = 0; step < 200 && high - low > 2 ** -52 * high; step++) {
    const middle = (low + high) / 2
    if (indexComplexity(order, index, -middle) > 0) low = middle
    else high = middle
  }
  return (low + high) / 2
}
