import { norm } from '../../linalg/vector.ts'
import { dampedNewton, saddleFreeNewton, trustRegionNewton } from './dense-newton.ts'
import { gradientNormMinimization } from './gradient-norm-minimization.ts'
import { krylovSaddleFreeNewton } from './krylov-saddle-free-newton.ts'
import { newtonMr } from './newton-mr.ts'
import type { Objective } from './objective.ts'
import { polish } from './polish.ts'
import type { SearchOptions, SearchResult } from './search.ts'

export type FinderName =
  | 'gradient-norm'
  | 'damped-newton'
  | 'trust-region-newton'
  | 'saddle-free-newton'
  | 'krylov-saddle-free-newton'
  | 'newton-mr'
  | 'polish'

/** A method that goes from a start to a critical point. */
export type Finder = (objective: Objective, start: Float64Array, options?: SearchOptions) => Promise<SearchResult>

/** How far a search may go in units of max(1, ‖start‖): far enough for targets of any usual size, not to infinity. */
const searchDistanceMax = 100

/** `polish` as a search: the critical point sought need not be near. */
function polishFar(objective: Objective, start: Float64Array, options: SearchOptions = {}): Promise<SearchResult> {
  return polish(objective, start, { distanceMax: searchDistanceMax * Math.max(1, norm(start)), ...options })
}

export const finders: Readonly<Record<FinderName, Finder>> = {
  'gradient-norm': gradientNormMinimization,
  'damped-newton': dampedNewton,
  'trust-region-newton': trustRegionNewton,
  'saddle-free-newton': saddleFreeNewton,
  'krylov-saddle-free-newton': krylovSaddleFreeNewton,
  'newton-mr': newtonMr,
  polish: polishFar,
}
