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

/** Where on the line between two points the loss is looked at, near the middle first, which tells most pairs apart. Golden
 * fractions, as a periodic loss has critical points at rational ones. */
const places: readonly number[] = [1, 2, 3, 4, 5].map((k) => ((k * (Math.sqrt(5) - 1)) / 2 + 0.882) % 1)

export interface JoinOptions {
  /** Gradients allowed; pairs that are not looked at stay apart. */
  readonly gradientsMax: number
  /** Whether two points are one function, where that and the inertia are all that tells critical points apart: of linear
   * networks. */
  readonly sameFunction: Sameness | null
  readonly signal?: CancelSignal
}

/** Points of one set of critical points, as one: same loss, verdict and number of negative eigenvalues, all counted, and
 *
 * - neither has a Hessian without kernel, which would make it isolated, and at five places of the straight line between
 *   them the gradient is within ten times its noise floor and the loss the same, as at both ends. So end the searches for a
 *   minimum such as that of x⁴, of which float64 sees a whole neighbourhood as critical, and those among parameters
 *   that nothing depends on. Curved sets are not followed;
 * - or, in linear networks, they are one map with one inertia. Singular values of single layers vary
 *   freely there, and where one is nearly zero the ranks of the layers are a matter of the threshold.
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
    if (a.gradientNorm > limit || b.gradientNorm > limit || isIsolated(a) || isIsolated(b)) return false
    for (const t of places) {
      if (left-- < 1 || signal?.aborted) return false
      const between = a.theta.map((x, i) => x + t * (b.theta[i] - x))
      const { value, gradient } = await objective.valueAndGradient(between)
      if (!(norm(gradient) <= limit) || !equal(value, a.loss)) return false
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

const isIsolated = ({ inertia }: FoundCriticalPoint): boolean => inertia.zero === 0

/** A one-sided count of eigenvalues does not tell points apart, so where there is no other they stay apart. */
function agree(a: FoundCriticalPoint, b: FoundCriticalPoint): boolean {
  const counted = a.inertia.exact && b.inertia.exact && a.inertia.negative === b.inertia.negative
  return counted && a.verdict === b.verdict && equal(a.loss, b.loss)
}
