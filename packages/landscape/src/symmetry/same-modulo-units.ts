import { fullyConnected, sameCriticalPoint } from '../critical/index.ts'
import { norm } from '../linalg/vector.ts'
import type { Model } from '../model/model.ts'
import { weightMatching } from './matching.ts'
import { permutationSymmetry } from './permutation-symmetry.ts'

/** Whether two points of a network are one modulo the order of its hidden units: `sameCriticalPoint` for fully connected
 * networks, which knows signs and scales too; for convolutions, skip connections and normalization the second is brought
 * into the order of the first by weight matching, which may miss a copy where units are alike.
 * @returns a test for points of this model. */
export function sameModuloUnits(model: Model, tolerance: number = 1e-6): (a: Float64Array, b: Float64Array) => boolean {
  const network = fullyConnected(model)
  if (network && !network.skip) return sameCriticalPoint(model, tolerance)
  const symmetry = permutationSymmetry(model)
  if (symmetry.groups.length === 0) return sameCriticalPoint(model, tolerance)
  return (a, b) => {
    const { distance } = weightMatching(model, a, b, { symmetry })
    return distance.after <= tolerance * Math.max(1, norm(a))
  }
}
