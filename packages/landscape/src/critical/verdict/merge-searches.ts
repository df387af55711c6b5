import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { norm } from '../../linalg/vector.ts'
import type { Objective } from '../finders/objective.ts'
import { distanceBetween, floorFactor } from '../finders/search.ts'
import type { SearchResult } from '../finders/search.ts'
import type { FoundCriticalPoint } from './found-critical-point.ts'

export type Sameness = (a: Float64Array, b: Float64Array) => boolean

/** Searches that ended at one critical point. */
export interface MergedSearches {
  /** The first of them. */
  readonly result: SearchResult
  /** Their places among all searches, ascending. */
  readonly starts: number[]
}

const equal = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-8 * Math.max(1e-8, Math.abs(a))

/** The converged searches, those that ended at one point together. */
export function mergeSame(searches: readonly SearchResult[], same: Sameness): MergedSearches[] {
  const groups: MergedSearches[] = []
  for (const [i, result] of searches.entries()) {
    if (result.status !== 'converged') continue
    const known = groups.find((g) => equal(g.result.value, result.value) && same(g.result.theta, result.theta))
    if (known) known.starts.push(i)
    else groups.push({ result, starts: [i] })
  }
  return groups
}

/** Where on the line between two points the gradient is looked at, the middle first: it tells most pairs apart. */
const places: readonly number[] = [1 / 2, 1 / 4, 3 / 4, 1 / 8, 7 / 8]

export interface JoinOptions {
  /** Gradients allowed; pairs that are not looked at stay apart. */
  readonly gradientsMax: number
  /** Whether two points are one function, where that and the inertia are all that tells critical points apart: of linear
   * networks. */
  readonly sameFunction: Sameness | null
  readonly signal?: CancelSignal
}

/** Points of one set of critical points, as one: same loss, verdict and number of negative eigenvalues, and
 *
 * - along the straight line between them the gradient is within ten times its noise floor, as at both ends. So end the
 *   searches for a minimum such as that of x⁴, of which float64 sees a whole neighbourhood as critical, and those among
 *   parameters that nothing depends on. Curved sets are not followed;
 * - or, in linear networks, they are one map with one inertia. Singular values of single layers vary freely there, and
 *   where one is nearly zero the ranks of the layers are a matter of the threshold.
 *
 * Cost: up to 5 gradients for each pair that agrees in the rest. */
export async function joinSets(
  points: readonly FoundCriticalPoint[],
  objective: Objective,
  { gradientsMax, sameFunction, signal }: JoinOptions,
): Promise<FoundCriticalPoint[]> {
  let left = gradientsMax
  const isFlatBetween = async (a: FoundCriticalPoint, b: FoundCriticalPoint): Promise<boolean> => {
    const limit = floorFactor * Math.max(a.noiseFloor, b.noiseFloor)
    if (a.gradientNorm > limit || b.gradientNorm > limit) return false
    for (const t of places) {
      if (left-- < 1 || signal?.aborted) return false
      const { gradient } = await objective.valueAndGradient(a.theta.map((x, i) => x + t * (b.theta[i] - x)))
      if (!(norm(gradient) <= limit)) return false
    }
    return true
  }
  const joined: FoundCriticalPoint[] = []
  for (const point of points) {
    let isJoined = false
    for (const [i, known] of joined.entries()) {
      if (!agree(known, point)) continue
      const isOneClass = known.inertia.zero === point.inertia.zero && sameFunction?.(known.theta, point.theta) === true
      if (!isOneClass && !(await isFlatBetween(known, point))) continue
      const distance = isOneClass ? 0 : distanceBetween(known.theta, point.theta)
      joined[i] = {
        ...known,
        starts: [...known.starts, ...point.starts].sort((a, b) => a - b),
        spread: Math.max(known.spread, distance),
      }
      isJoined = true
      break
    }
    if (!isJoined) joined.push(point)
  }
  return joined
}

function agree(a: FoundCriticalPoint, b: FoundCriticalPoint): boolean {
  return equal(a.loss, b.loss) && a.verdict === b.verdict && a.inertia.negative === b.inertia.negative
}
