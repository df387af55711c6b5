import { norm } from '../../linalg/vector.ts'
import { Loss } from '../../loss/loss.ts'
import { judgeCritical } from './diagnose.ts'
import type { DiagnoseOptions } from './diagnose.ts'
import type { VerdictKind } from './diagnosis.ts'
import type { FoundCriticalPoint } from './found-critical-point.ts'
import { finders } from '../finders/finders.ts'
import type { FinderName } from '../finders/finders.ts'
import { objectiveOf } from '../finders/objective.ts'
import type { Objective } from '../finders/objective.ts'
import { distanceBetween } from '../finders/search.ts'
import type { SearchOptions, SearchResult, SearchStatus } from '../finders/search.ts'
import { searchTogether } from '../finders/search-together.ts'
import { joinSets, mergeSame } from './merge-searches.ts'
import type { Sameness } from './merge-searches.ts'
import { sameCriticalPoint, sameLinearMap } from './same-critical-point.ts'

export interface FindManyOptions extends SearchOptions {
  readonly method?: FinderName
  /** When two points are one; default: modulo the symmetries of the network (`sameCriticalPoint`) for a loss, equality
   * for an analytic function. Points of one flat set are joined besides (`joinSets`). */
  readonly same?: Sameness
  /** Searches that run in lockstep, their derivatives in one graph; losses only. Default: 64 up to 300 parameters, else 1. */
  readonly together?: number
  /** Searches from these starts that were made before, by `searchMany` with the same options; only merged and judged. */
  readonly searches?: readonly SearchResult[]
  /** What the verdicts may spend and know. */
  readonly judge?: DiagnoseOptions
  readonly onFound?: (done: number, total: number) => void
  readonly onJudged?: (done: number, total: number) => void
}

export interface FindManyResult {
  /** By loss, ascending. */
  readonly points: readonly FoundCriticalPoint[]
  /** How the searches ended, gradient-flat ones told apart from critical ones. */
  readonly outcomes: Readonly<Partial<Record<SearchStatus, number>>>
  /** In the order of the starts; those that were not begun before an abort are missing at the end. */
  readonly searches: readonly SearchResult[]
}

/** Networks up to this size search together: beyond, a graph for one θ keeps the processor busy by itself. */
const togetherSizeMax = 300
const togetherDefault = 64

/** Searches from many starts, merges the critical points that are one, and judges each: its inertia and its verdict.
 * Small losses search in lockstep (`searchTogether`); the results are those of single searches up to rounding.
 * Cost: one search per start, a diagnosis per distinct point. */
export async function findMany(
  target: Loss | Objective,
  starts: readonly Float64Array[],
  options: FindManyOptions = {},
): Promise<FindManyResult> {
  const method = options.method ?? 'polish'
  const searches = options.searches ?? (await searchMany(target, starts, options))
  const outcomes: Partial<Record<SearchStatus, number>> = {}
  for (const { status } of searches) outcomes[status] = (outcomes[status] ?? 0) + 1
  const groups = mergeSame(searches, options.same ?? defaultSameness(target))
  const points: FoundCriticalPoint[] = []
  for (const [i, { result, starts: from }] of groups.entries()) {
    const { theta, value, gradientNorm, noiseFloor } = result
    const { seed, signal } = options
    const judged = await judgeCritical(target, theta, { seed, signal, ...options.judge })
    const { verdict, summary, inertia, symmetryDimension } = judged
    options.onJudged?.(i + 1, groups.length)
    points.push({
      ...{ theta, loss: value, gradientNorm, noiseFloor, verdict, summary, inertia, symmetryDimension },
      indexFraction: inertia.negative / target.size,
      starts: from,
      spread: 0,
      method,
    })
  }
  const spent = searches.reduce((sum, { gradients, products }) => sum + gradients + products, 0)
  const objective = target instanceof Loss ? objectiveOf(target) : target
  const joined = await joinSets(points, objective, {
    gradientsMax: spent / 4,
    sameFunction: target instanceof Loss ? sameLinearMap(target.model) : null,
    signal: options.signal,
  })
  return { points: joined.sort((a, b) => a.loss - b.loss), outcomes, searches }
}

/** Searches from every start, by which `findMany` begins. Those that share a graph agree with single ones up to rounding, so the bits
 * hang on `together` and on which starts are given at once. */
export async function searchMany(
  target: Loss | Objective,
  starts: readonly Float64Array[],
  options: Omit<FindManyOptions, 'searches' | 'judge' | 'same' | 'onJudged'> = {},
): Promise<SearchResult[]> {
  const { method = 'polish' } = options
  const together = options.together ?? (target.size <= togetherSizeMax ? togetherDefault : 1)
  let done = 0
  const found = <T>(result: T): T => {
    options.onFound?.(++done, starts.length)
    return result
  }
  if (target instanceof Loss && together > 1 && starts.length > 1)
    return searchTogether(target, starts, async (each, start) => found(await finders[method](each, start, options)), {
      together,
      signal: options.signal,
    })
  const objective = target instanceof Loss ? objectiveOf(target) : target
  const searches: SearchResult[] = []
  for (const start of starts) {
    if (options.signal?.aborted) break
    searches.push(found(await finders[method](objective, start, options)))
  }
  return searches
}

function defaultSameness(target: Loss | Objective): Sameness {
  if (target instanceof Loss) return sameCriticalPoint(target.model)
  return (a, b) => distanceBetween(a, b) <= 1e-6 * Math.max(1, norm(a))
}

/** One row of the table of index against loss (Dauphin et al. 2014, Fig. 1). */
export interface IndexRow {
  readonly loss: number
  readonly verdict: VerdictKind
  readonly negative: number
  readonly zero: number
  readonly positive: number
  readonly indexFraction: number
  /** Starts that ended here. */
  readonly found: number
}

/** Index against loss, one row per distinct critical point, by loss. */
export function indexTable({ points }: FindManyResult): IndexRow[] {
  return points.map(({ loss, verdict, inertia, indexFraction, starts }) => ({
    loss,
    verdict,
    negative: inertia.negative,
    zero: inertia.zero,
    positive: inertia.positive,
    indexFraction,
    found: starts.length,
  }))
}
