import { DomainError } from '@thalweg/graph'
import { norm } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { linearLoss } from './linear-derivatives.ts'
import { linearGradientFlow } from './linear-gradient-flow.ts'
import type { LinearProblem } from './linear-problem.ts'
import { linearSpectrum } from './linear-spectrum.ts'
import type { LinearWeights } from './linear-weights.ts'
import { flattenWeights, randomWeights, shiftedWeights } from './linear-weights.ts'

export interface EscapeTimeLaw {
  /** `logarithmic`: T = slope · ln(1/ε) + constant, slope 1/|λ_min|, from a strict saddle.
   * `power`: ln T = slope · ln(1/ε) + constant, slope L − 2, from the non-strict saddle with all Z = 0. */
  readonly law: 'logarithmic' | 'power'
  readonly noises: readonly number[]
  /** Times at which the gradient flow has lowered the loss by `drop`; NaN where it did not within `timeMax`. */
  readonly times: readonly number[]
  readonly slope: number
  readonly expectedSlope: number
}

export interface EscapeTimeOptions {
  /** Sizes ε of the perturbation W + ε V with one random V of norm 1; at least two. */
  readonly noises: readonly number[]
  readonly seed?: number
  /** Escaped when the loss is this far below its start, relative to ½‖Y‖²; default 0.05. */
  readonly drop?: number
  /** Default 1e6. */
  readonly timeMax?: number
}

/** How long gradient flow stays at a saddle when it starts ε away: logarithmic in ε from a strict saddle (x' = |λ| x), a power
 * from the non-strict one with Z = 0 (x' ~ x^{L−1}). The law is fitted by least squares over the noises.
 *
 * @param weights  a saddle: any strict one, or the point with Z = 0 of a class {1..r} of L ≥ 3 layers.
 * @throws {DomainError} with fewer than two noises. */
export function escapeTimeLaw(
  problem: LinearProblem,
  weights: LinearWeights,
  options: EscapeTimeOptions,
): EscapeTimeLaw {
  const { noises, seed = 0, drop = 0.05, timeMax = 1e6 } = options
  if (noises.length < 2 || noises.some((e) => !(e > 0))) {
    throw new DomainError(`escapeTimeLaw: noises must be at least two positive numbers, got [${noises}].`)
  }
  const raw = randomWeights(problem.widths, randomStream(seed, 'escape direction'))
  const size = norm(flattenWeights(raw))
  const spectrum = linearSpectrum(problem, weights)
  const strict = spectrum.inertia.negative > 0
  const level = linearLoss(problem, weights) - (drop * problem.squaredTargets) / 2
  const times = noises.map((noise) => {
    const start = shiftedWeights(weights, noise / size, raw)
    const flow = linearGradientFlow(problem, start, { time: timeMax, until: ({ loss }) => loss <= level })
    const [before, after] = flow.points.slice(-2)
    return flow.status === 'stopped' ? crossing(before, after, level) : Number.NaN
  })
  const logs = noises.map((noise) => Math.log(1 / noise))
  return {
    law: strict ? 'logarithmic' : 'power',
    noises,
    times,
    slope: fittedSlope(logs, strict ? times : times.map(Math.log)),
    expectedSlope: strict ? 1 / Math.abs(spectrum.minEigenvalue) : problem.layers - 2,
  }
}

/** Where the loss crosses the level, linearly between two steps. */
function crossing(
  before: { readonly time: number; readonly loss: number },
  after: { readonly time: number; readonly loss: number },
  level: number,
): number {
  const share = (before.loss - level) / (before.loss - after.loss)
  return before.time + share * (after.time - before.time)
}

function fittedSlope(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]): number => v.reduce((s, e) => s + e, 0) / v.length
  const [mx, my] = [mean(x), mean(y)]
  const covariance = x.reduce((s, e, i) => s + (e - mx) * (y[i] - my), 0)
  return covariance / x.reduce((s, e) => s + (e - mx) ** 2, 0)
}
