import type { CancelSignal } from './cancel-signal.ts'
import type { LanczosBasis } from './lanczos-basis.ts'

/** Why a search ended: the basis spans the whole space, all wanted pairs have converged, the products are used up, or it
 * was asked to stop. */
export type SearchStop = 'exact' | 'converged' | 'max-products' | 'aborted'

export interface LanczosSearchPlan {
  /** Pairs wanted, at least 1. */
  readonly wanted: number
  /** A pair is converged when ‖Av − λv‖ ≤ tolerance · ‖A‖. */
  readonly tolerance: number
  /** Products allowed, those kept back included. */
  readonly maxProducts: number
  /** Products kept back for what follows the search: the explicit residuals. */
  readonly reserve: number
  /** Ritz pairs are looked at whenever the basis has grown by this part of itself. */
  readonly checkGrowth: number
  /** Whether to look, once all pairs have converged, for further copies of them. */
  readonly verifyMultiplicity: boolean
  readonly signal: CancelSignal | undefined
}

/** A thick-restart Lanczos search for some of the eigenpairs: expands the basis, looks at its Ritz pairs, restarts, until
 * it may stop. Which pairs are wanted, and what is kept for them, is the subclass's.
 *
 * A Krylov space contains one direction of each eigenspace. So when all wanted pairs have converged, the search keeps
 * nothing but them and starts anew from random vectors orthogonal to them: a round, which ends when the wanted values
 * stayed as they were for long enough that a copy would have shown, and begins again when they did not. */
export abstract class LanczosSearch {
  restarts = 0
  /** Whether a round found no further copy among the wanted pairs. */
  verified = false
  protected readonly basis: LanczosBasis
  readonly #plan: LanczosSearchPlan
  /** Products after which the round began, and the wanted values then; null before the first. */
  #round: { readonly begin: number; readonly values: readonly number[] } | null = null
  /** Products that the first convergence took: the measure for the length of a round. */
  #firstProducts = Number.POSITIVE_INFINITY

  constructor(basis: LanczosBasis, plan: LanczosSearchPlan) {
    this.basis = basis
    this.#plan = plan
  }

  /** Takes the Ritz pairs of the basis as it is now. */
  protected abstract inspect(): void
  /** Estimated residual norms of the wanted pairs; fewer than wanted while the basis is too small. */
  protected abstract wantedResiduals(): readonly number[]
  /** Ascending. */
  protected abstract wantedValues(): readonly number[]
  /** Whether the pairs next to the wanted ones cannot, by their residuals, belong among them. */
  protected abstract separated(): boolean
  /** Restarts the basis with the wanted pairs alone. */
  protected abstract keepWanted(): void
  /** Restarts the basis with the wanted pairs and those next to them, to go on from there. */
  protected abstract keepNeighbours(): void

  async run(): Promise<SearchStop> {
    const { basis } = this
    const { wanted, maxProducts, reserve, checkGrowth, signal } = this.#plan
    let checkedAt = 0
    for (;;) {
      const spent = basis.products + basis.blockRows + reserve > maxProducts
      // One step at least, so that there is a pair.
      const aborted = signal?.aborted === true && basis.count > 0
      const due = basis.count - checkedAt >= Math.max(basis.blockRows, Math.ceil(basis.count * checkGrowth))
      if (due || spent || aborted || !basis.hasRoom || basis.blockRows === 0) {
        this.inspect()
        if (basis.blockRows === 0) return 'exact'
        if (this.#settled()) return 'converged'
        if (aborted) return 'aborted'
        if (spent) return this.#round !== null && this.convergedCount() === wanted ? 'converged' : 'max-products'
        if (!basis.hasRoom) {
          this.keepNeighbours()
          this.restarts++
        }
        checkedAt = basis.count
      }
      await basis.expand()
    }
  }

  /** What an estimated residual may be: half the tolerance, so that the explicit one stays within all of it. */
  protected get residualMax(): number {
    return (this.#plan.tolerance * this.basis.operatorNorm) / 2
  }

  /** Wanted pairs whose estimated residual is small enough; none while the basis is too small. */
  protected convergedCount(): number {
    const residuals = this.wantedResiduals()
    return residuals.length < this.#plan.wanted ? 0 : residuals.filter((r) => r <= this.residualMax).length
  }

  /** Whether the search may end; begins a round where one is due. */
  #settled(): boolean {
    const { basis } = this
    if (this.convergedCount() < this.#plan.wanted) return false
    if (!this.#plan.verifyMultiplicity) return true
    if (this.#round === null) {
      this.#firstProducts = Math.min(this.#firstProducts, basis.products)
      // Where a basis of the whole space is no dearer than a search for copies, it is the better proof.
      const missing = basis.size - basis.count
      if (basis.capacity < basis.size || missing > Math.max(16, this.#firstProducts)) this.#beginRound()
      return false
    }
    const used = basis.products - this.#round.begin
    const before = this.#round.values
    if (!this.wantedValues().every((value, i) => Math.abs(value - before[i]) <= 4 * this.residualMax)) {
      this.#beginRound()
      return false
    }
    // A copy of a wanted eigenvalue shows about as fast as the first one did: half as long is enough to see it.
    if (used < Math.max(8, Math.ceil(this.#firstProducts / 2))) return false
    this.verified = this.separated()
    return this.verified || used >= Math.max(16, this.#firstProducts)
  }

  #beginRound(): void {
    this.#round = { begin: this.basis.products, values: this.wantedValues() }
    this.keepWanted()
    this.basis.startBlock()
    this.restarts++
  }
}

/** The status of a result: what the search says, unless explicit residuals contradict it, or it searched with an
 * approximation, all of whose eigenvalues are not all of the operator's. */
export function statusOf(stop: SearchStop, approximate: boolean, settled: boolean): SearchStop | 'stagnated' {
  const searched = approximate && stop === 'exact' ? 'converged' : stop
  return searched === 'converged' && !settled ? 'stagnated' : searched
}
