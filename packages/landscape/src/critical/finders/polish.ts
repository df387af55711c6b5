import { norm } from '../../linalg/vector.ts'
import { trustRegionNewton } from './dense-newton.ts'
import { newtonMr } from './newton-mr.ts'
import type { Objective } from './objective.ts'
import type { SearchOptions, SearchResult } from './search.ts'

export interface PolishOptions extends SearchOptions {
  /** Largest p for which the Hessian is formed; default 3000. */
  readonly denseLimit?: number
  /** Farthest it may go from the start; default 3 max(1, ‖θ‖). Losses without a minimum would draw it to infinity. */
  readonly distanceMax?: number
}

/** From θ to the critical point nearby, of whatever index: Newton's method on ∇L = 0 with shortest steps, since critical
 * points of networks lie on manifolds. `distance` of the result says how far it went.
 *
 * Up to `denseLimit` parameters with all eigenvalues (`trustRegionNewton`); beyond, Newton-MR with 100 Krylov steps. */
export function polish(objective: Objective, start: Float64Array, options: PolishOptions = {}): Promise<SearchResult> {
  if (objective.size > (options.denseLimit ?? 3000)) return newtonMr(objective, start, { krylovSteps: 100, ...options })
  return trustRegionNewton(objective, start, { distanceMax: 3 * Math.max(1, norm(start)), ...options })
}
