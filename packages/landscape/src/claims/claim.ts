/**
 * A claim is one statement of the literature together with the experiment that tests it. A ledger of them is data: what is
 * stated and where, what is run, what should come out, within which tolerance. Running one gives a finding.
 */
import type { Engine } from '@thalweg/engine'

/** What an experiment says about a statement. */
export type ClaimOutcome = 'holds' | 'holds-with-conditions' | 'false' | 'vacuous' | 'not-decided'

/** Where a statement comes from. */
export interface ClaimSource {
  /** Authors and year: `Kawaguchi 2016`. */
  readonly text: string
  /** Theorem, corollary, section or figure: `Theorem 2.3 (iv)`. */
  readonly place?: string
  /** arXiv number or DOI. */
  readonly reference?: string
}

/** What an experiment may use. */
export interface ClaimContext {
  readonly engine: Engine
  /** Every random number of an experiment comes from streams of this seed. */
  readonly seed: number
  /** True progress: how many of the parts of the experiment are done. */
  readonly progress: (done: number, total: number) => void
  /** Ends the experiment with an `AbortError` when somebody asked for it; long loops call it. */
  readonly throwIfStopped: () => void
}

/** One number that was measured, beside what theory or the literature says about it. */
export interface ClaimMeasurement {
  readonly name: string
  readonly measured: number | string
  /** What theory predicts; absent where there is no prediction and the number is information. */
  readonly expected?: number | string
  /** How the two are compared, in words: `|difference| ≤ 1e−12`, `at least`, `slope within 0.1`. */
  readonly tolerance?: string
  /** What the source printed, where its experiment was another one. */
  readonly literature?: string
  /** Whether the measurement agrees; absent for information. */
  readonly met?: boolean
}

/** A curve, a cloud of points or bars. `x` and `y` have equal length; `y` may hold non-finite values, which are gaps. */
export interface ClaimSeries {
  readonly name: string
  readonly mark: 'line' | 'points' | 'bars'
  readonly x: readonly number[]
  readonly y: readonly number[]
  /** Half-widths of an uncertainty band around `y`. */
  readonly band?: readonly number[]
}

/** One figure of a claim as plain data. */
export interface ClaimFigure {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xScale?: 'linear' | 'log'
  readonly yScale?: 'linear' | 'log'
  readonly series: readonly ClaimSeries[]
  /** Predicted levels, drawn as lines across. */
  readonly levels?: readonly { readonly label: string; readonly value: number }[]
}

/** What came out of one run of a claim's experiment. */
export interface ClaimFinding {
  readonly outcome: ClaimOutcome
  /** One or two sentences with the numbers: what was seen and what it means. */
  readonly summary: string
  readonly measurements: readonly ClaimMeasurement[]
  readonly figure: ClaimFigure
}

/** One statement and its experiment. */
export interface Claim {
  /** Short, stable, kebab-case or the customary name of a target: `A-2`, `linear-no-bad-minima`. */
  readonly id: string
  /** The field it belongs to, a heading of the ledger: `Deep linear networks`. */
  readonly topic: string
  readonly statement: string
  readonly source: ClaimSource
  /** What is run: networks, data, sizes, how often. */
  readonly experiment: string
  readonly expected: ClaimOutcome
  /** Under which conditions it holds, or why it is false or vacuous. */
  readonly remark?: string
  /** Time on two cores, for the plan that is printed before the ledger runs. */
  readonly estimateSeconds: number
  /**
   * Runs the experiment. Pure: the same seed and engine give the same finding.
   * @throws {DomainError} never for a result that disagrees: that is a finding with another outcome.
   */
  readonly run: (context: ClaimContext) => Promise<ClaimFinding>
}

/** `met` for a number that must lie within `within` of `expected`. */
export function near(
  name: string,
  measured: number,
  expected: number,
  within: number,
  literature?: string,
): ClaimMeasurement {
  const met = Math.abs(measured - expected) <= within
  return { name, measured, expected, tolerance: `|difference| ≤ ${within}`, met, ...(literature && { literature }) }
}

/** `met` for a number that may be at most `bound`. The largest of no numbers, −∞, is no measurement. */
export function atMost(name: string, measured: number, bound: number, literature?: string): ClaimMeasurement {
  return {
    name,
    measured,
    expected: bound,
    tolerance: 'at most',
    met: measured <= bound && measured !== Number.NEGATIVE_INFINITY,
    ...(literature && { literature }),
  }
}

/** `met` for a number that must be at least `bound`. The least of no numbers, ∞, is no measurement. */
export function atLeast(name: string, measured: number, bound: number, literature?: string): ClaimMeasurement {
  return {
    name,
    measured,
    expected: bound,
    tolerance: 'at least',
    met: measured >= bound && measured !== Number.POSITIVE_INFINITY,
    ...(literature && { literature }),
  }
}

/** Whether every measurement that has a prediction agrees with it. */
export function allMet(measurements: readonly ClaimMeasurement[]): boolean {
  return measurements.every(({ met }) => met !== false)
}
