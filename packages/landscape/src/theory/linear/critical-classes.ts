import { DomainError } from '@thalweg/graph'
import type { Inertia } from '../../linalg/index.ts'
import type { LinearProblem } from './linear-problem.ts'

export type LinearKind = 'global-minimum' | 'strict-saddle' | 'non-strict-saddle'

/** All critical points whose map is the projection of the least squares map on the eigenvectors in S. */
export interface CriticalClass {
  /** S: positions of eigenvalues, 1-based in descending order, ascending. */
  readonly subset: readonly number[]
  readonly rank: number
  /** L_S = ½(‖Y‖² − Σ_{i∈S} λ_i), the loss at every point of the class. */
  readonly loss: number
  /** S = {1..r}, up to equal eigenvalues: L_S is then the least loss of a map of rank r. */
  readonly top: boolean
  /** What the points of the class are; two kinds where both have representatives. */
  readonly kinds: readonly LinearKind[]
}

export interface CriticalClasses {
  readonly classes: readonly CriticalClass[]
  /** The number of all classes, listed or not. */
  readonly count: bigint
  /** Whether `classes` holds them all. If not, it holds every top class and the first others by rank. */
  readonly complete: boolean
}

/** L_S of a subset.
 * @throws {DomainError} if the subset is not one of ascending positions of positive eigenvalues, at most r_max many. */
export function classLoss(problem: LinearProblem, subset: readonly number[]): number {
  requireSubset(problem, subset)
  let loss = problem.leastSquaresLoss
  for (let i = 1; i <= problem.signalRank; i++) if (!subset.includes(i)) loss += problem.eigenvalues[i - 1] / 2
  return loss
}

/** @throws {DomainError} unless `subset` names a class. */
export function requireSubset(problem: LinearProblem, subset: readonly number[]): void {
  const { signalRank, rankMax } = problem
  const ascending = subset.every((s, i) => Number.isInteger(s) && s >= 1 && s <= signalRank && s > (subset[i - 1] ?? 0))
  if (!ascending || subset.length > rankMax) {
    throw new DomainError(
      `critical class: a subset must hold at most ${rankMax} ascending positions in 1…${signalRank}, got {${subset}}.`,
    )
  }
}

/** Pairs i ∈ S, j ∉ S with λ_j > λ_i (`inversions`) and with λ_j = λ_i (`ties`). */
export function subsetDefects(problem: LinearProblem, subset: readonly number[]): { inversions: number; ties: number } {
  const { eigenvalueGroups: groups, signalRank } = problem
  let inversions = 0
  let ties = 0
  for (const i of subset) {
    for (let j = 1; j <= signalRank; j++) {
      if (subset.includes(j)) continue
      if (groups[j - 1] < groups[i - 1]) inversions++
      else if (groups[j - 1] === groups[i - 1]) ties++
    }
  }
  return { inversions, ties }
}

/** The class of a subset. Errors as `classLoss`. */
export function criticalClass(problem: LinearProblem, subset: readonly number[]): CriticalClass {
  const loss = classLoss(problem, subset)
  const rank = subset.length
  const top = subsetDefects(problem, subset).inversions === 0
  return { subset: [...subset], rank, loss, top, kinds: kindsOf(problem, rank, top) }
}

function kindsOf({ optimalRank, layers }: LinearProblem, rank: number, top: boolean): LinearKind[] {
  if (!top) return ['strict-saddle']
  if (rank === optimalRank) return ['global-minimum']
  return layers === 2 ? ['strict-saddle'] : ['strict-saddle', 'non-strict-saddle']
}

/** The number of classes: Σ_{r ≤ optimalRank} of the ways to choose r positive eigenvalues, equal ones not told apart.
 * Without a hidden layer, 1. Cost: O(d_y²) additions. */
export function countCriticalClasses(problem: LinearProblem): bigint {
  const { layers, optimalRank } = problem
  if (layers === 1) return 1n
  // Coefficients of Π_groups (1 + z + … + z^size), by rank.
  let ways: bigint[] = [1n]
  for (const size of groupSizes(problem)) {
    const next: bigint[] = Array.from({ length: ways.length + size }, () => 0n)
    ways.forEach((count, r) => {
      for (let k = 0; k <= size; k++) next[r + k] += count
    })
    ways = next
  }
  return ways.slice(0, optimalRank + 1).reduce((sum, count) => sum + count, 0n)
}

function groupSizes({ eigenvalueGroups, signalRank }: LinearProblem): number[] {
  const sizes: number[] = []
  for (let i = 0; i < signalRank; i++) sizes[eigenvalueGroups[i]] = (sizes[eigenvalueGroups[i]] ?? 0) + 1
  return sizes
}

/** The class {1..r} for each r = 0 … optimalRank: the ladder of losses at which training from small weights rests
 * (Saxe et al. 2014). */
export function topClasses(problem: LinearProblem): CriticalClass[] {
  const first = problem.layers === 1 ? problem.optimalRank : 0
  return Array.from({ length: problem.optimalRank + 1 - first }, (_, r) =>
    criticalClass(
      problem,
      Array.from({ length: first + r }, (_unused, i) => i + 1),
    ),
  )
}

/** All classes one after the other, by rank and then lexicographically; of equal eigenvalues only the first ones. */
export function* eachCriticalClass(problem: LinearProblem): Generator<CriticalClass, void, undefined> {
  if (problem.layers === 1) {
    yield* topClasses(problem)
    return
  }
  for (let rank = 0; rank <= problem.optimalRank; rank++) {
    for (const subset of canonicalSubsets(problem, rank)) yield criticalClass(problem, subset)
  }
}

/** Subsets of `rank` positions, in which a position follows only if its equal predecessors are in too. */
function* canonicalSubsets(
  problem: LinearProblem,
  rank: number,
  chosen: readonly number[] = [],
): Generator<readonly number[], void, undefined> {
  if (chosen.length === rank) {
    yield chosen
    return
  }
  const { eigenvalueGroups: groups, signalRank } = problem
  const last = chosen.at(-1) ?? 0
  for (let i = last + 1; i <= signalRank; i++) {
    const skipsEqual = i > 1 && groups[i - 2] === groups[i - 1] && last !== i - 1
    // Unless enough positions remain, no completion exists.
    if (!skipsEqual && signalRank - i >= rank - chosen.length - 1) {
      yield* canonicalSubsets(problem, rank, [...chosen, i])
    }
  }
}

/** The classes of critical points, all of them or the first `limit`.
 *
 * Kinds: with A1–A3 each listed kind has points; r_max = |S| and S = {1..r} is the global minimum, S ≠ {1..r} only strict
 * saddles, and S = {1..r} of lower rank strict saddles and, from two hidden layers on, also non-strict ones.
 *
 * @param limit  default 4096. The number of classes grows like 2^d_y; use `eachCriticalClass` to walk them all.
 * @throws {DomainError} if `limit` is not a positive integer.
 * Source: Achour, Malgouyres, Gerchinovitz, JMLR 2024; Baldi and Hornik 1989 for one hidden layer. */
export function enumerateCriticalClasses(problem: LinearProblem, options: { limit?: number } = {}): CriticalClasses {
  const { limit = 4096 } = options
  if (!(Number.isInteger(limit) && limit >= 1)) {
    throw new DomainError(`enumerateCriticalClasses: limit must be a positive integer, got ${limit}.`)
  }
  const count = countCriticalClasses(problem)
  if (count <= BigInt(limit)) return { classes: [...eachCriticalClass(problem)], count, complete: true }
  const ladder = topClasses(problem)
  const others: CriticalClass[] = []
  for (const each of eachCriticalClass(problem)) {
    if (ladder.length + others.length >= limit) break
    if (!each.top) others.push(each)
  }
  const classes = [...ladder, ...others].sort((a, b) => a.rank - b.rank)
  return { classes, count, complete: false }
}

/** Inertia of the Hessian at the points of a class with Z = 0, for any hidden bases D_k, in integers:
 *
 *      negative = inv(S) + [L = 2] (d_1 − r)(s − r) ,   s = number of positive eigenvalues,
 *      positive = r (ρ + d_y − r) − inv(S) − ties(S) + [L = 2] (d_1 − r)(s − r) ,   ρ = rank X,
 *
 * where inv(S) counts the pairs i ∈ S, j ∉ S with λ_j > λ_i. At a global minimum of full rank this is r(ρ + d_y − r)
 * positive eigenvalues and no negative one, for every Z. */
export function zeroBlockInertia(problem: LinearProblem, subset: readonly number[]): Inertia {
  requireSubset(problem, subset)
  const { layers, widths, inputRank, signalRank, parameterCount } = problem
  const r = subset.length
  if (layers === 1) {
    const positive = inputRank * widths[1]
    return { negative: 0, zero: parameterCount - positive, positive }
  }
  const { inversions, ties } = subsetDefects(problem, subset)
  const hyperbolic = layers === 2 ? (widths[1] - r) * (signalRank - r) : 0
  const negative = inversions + hyperbolic
  const positive = r * (inputRank + widths[layers] - r) - inversions - ties + hyperbolic
  return { negative, zero: parameterCount - negative - positive, positive }
}
