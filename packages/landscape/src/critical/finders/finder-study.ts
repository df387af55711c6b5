import type { Loss } from '../../loss/loss.ts'
import { finders } from './finders.ts'
import type { FinderName } from './finders.ts'
import { hessianFactors } from './hessian-spectrum.ts'
import { objectiveOf } from './objective.ts'
import { searchTogether } from './search-together.ts'
import type { SearchOptions, SearchResult, SearchStatus } from './search.ts'

/** How well one finder does from a set of starts. */
export interface FinderScore {
  readonly method: FinderName
  readonly starts: number
  readonly outcomes: Readonly<Partial<Record<SearchStatus, number>>>
  /** Share of the starts whose gradient reached its float64 noise floor. */
  readonly converged: number
  /** Of all searches, failed ones included, over the points found: what a critical point costs. */
  readonly productsPerPoint: number
  readonly gradientsPerPoint: number
  readonly elapsedMsPerPoint: number
}

export interface FinderStudyOptions extends SearchOptions {
  readonly methods: readonly FinderName[]
  readonly now: () => number
}

/** Searches from the same starts by each method in turn, one start after another.
 * Source of the experiment: Frye et al. 2019, §4. */
export async function compareFinders(
  loss: Loss,
  starts: readonly Float64Array[],
  options: FinderStudyOptions,
): Promise<FinderScore[]> {
  const { methods, now, ...search } = options
  const objective = objectiveOf(loss)
  const scores: FinderScore[] = []
  for (const method of methods) {
    const begun = now()
    const results: SearchResult[] = []
    for (const start of starts) results.push(await finders[method](objective, start, search))
    const elapsedMs = now() - begun
    const outcomes: Partial<Record<SearchStatus, number>> = {}
    for (const { status } of results) outcomes[status] = (outcomes[status] ?? 0) + 1
    const points = outcomes.converged ?? 0
    const total = (of: (result: SearchResult) => number): number => results.reduce((sum, each) => sum + of(each), 0)
    scores.push({
      method,
      starts: starts.length,
      outcomes,
      converged: points / starts.length,
      productsPerPoint: total(({ products }) => products) / points,
      gradientsPerPoint: total(({ gradients }) => gradients) / points,
      elapsedMsPerPoint: elapsedMs / points,
    })
  }
  return scores
}

/** What stopping at ‖∇L‖² ≤ `squaredTolerance` does to the loss and the index that are read off. */
export interface ToleranceRow {
  readonly squaredTolerance: number
  /** Searches that reached it, of those that go on to converge. */
  readonly reached: number
  readonly lossErrorMax: number
  readonly lossErrorMedian: number
  /** How many show another number of negative eigenvalues than the point they go on to. */
  readonly wrongIndex: number
}

export interface ToleranceStudy {
  readonly rows: readonly ToleranceRow[]
  /** Where the searches that converged ended. */
  readonly limits: readonly SearchResult[]
}

/** Eigenvalues count as negative below −this · λ_max (THEORY: the cut of published studies). */
const indexCut = 1e-5

/** Stops searches at looser and looser gradients and compares loss and index with those of the critical point that the
 * same search goes on to: a method does the same steps whatever its tolerance.
 * Source of the question: Frye et al. 2019, Fig. 2. */
export async function toleranceStudy(
  loss: Loss,
  starts: readonly Float64Array[],
  squaredTolerances: readonly number[],
  method: FinderName = 'polish',
): Promise<ToleranceStudy> {
  const together = 64
  const run = (from: readonly Float64Array[], options: SearchOptions): Promise<SearchResult[]> =>
    searchTogether(loss, from, (objective, start) => finders[method](objective, start, options), { together })
  const all = await run(starts, {})
  const good = starts.filter((_, i) => all[i].status === 'converged')
  const limits = all.filter(({ status }) => status === 'converged')
  const truth = await Promise.all(limits.map(({ theta }) => negativeCount(loss, theta)))
  const rows: ToleranceRow[] = []
  for (const squaredTolerance of squaredTolerances) {
    const results = await run(good, { gradientTolerance: Math.sqrt(squaredTolerance) })
    const reached = results.flatMap(({ status }, i) => (status === 'converged' ? [i] : []))
    const errors = reached.map((i) => Math.abs(results[i].value - limits[i].value)).sort((a, b) => a - b)
    let wrongIndex = 0
    for (const i of reached) if ((await negativeCount(loss, results[i].theta)) !== truth[i]) wrongIndex++
    rows.push({
      squaredTolerance,
      reached: reached.length,
      lossErrorMax: errors.at(-1) ?? Number.NaN,
      lossErrorMedian: errors[errors.length >> 1] ?? Number.NaN,
      wrongIndex,
    })
  }
  return { rows, limits }
}

async function negativeCount(loss: Loss, theta: Float64Array): Promise<number> {
  const { values } = await hessianFactors(objectiveOf(loss).at(theta).hessian)
  const cut = -indexCut * values[values.length - 1]
  return values.filter((value) => value < cut).length
}
