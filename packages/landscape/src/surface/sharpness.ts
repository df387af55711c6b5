import { DomainError } from '@thalweg/graph'
import { extremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import type { Eigenpair } from '../linalg/eigenpair.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { hutchPlusPlusTrace } from '../linalg/trace-estimators.ts'
import type { Estimate } from '../linalg/trace-estimators.ts'
import { axpy, norm } from '../linalg/vector.ts'
import { LossPoint } from '../loss/loss-point.ts'
import type { Loss } from '../loss/loss.ts'
import { randomDirection } from './direction.ts'

/** λ_max(∇²L(θ)) with its residual. Not invariant: rescaling layers of a ReLU network without changing its function changes it. */
export async function topEigenvalue(
  loss: Loss,
  theta: Float64Array,
  options: { readonly tolerance?: number; readonly maxProducts?: number; readonly seed?: number } = {},
): Promise<Eigenpair> {
  const { top } = await extremeEigenpairs(new LossPoint(loss, theta).operator('hessian'), { top: 1, ...options })
  return top[0]
}

/** tr ∇²L(θ), with standard error where it is estimated. Not invariant, as `topEigenvalue`. */
export function hessianTrace(
  loss: Loss,
  theta: Float64Array,
  products: number = 120,
  seed: number = 0,
): Promise<Estimate> {
  return hutchPlusPlusTrace(new LossPoint(loss, theta).operator('hessian'), { products, seed })
}

/** A largest loss found nearby; a lower bound of the true one, since ascent may miss it. */
export interface WorstNearby {
  /** L(worst) − L(θ) ≥ 0. */
  readonly increase: number
  /** The measure by its own definition. */
  readonly value: number
  readonly evaluations: number
}

export interface AscentOptions {
  /** Default 20. */
  readonly steps?: number
  readonly signal?: CancelSignal
}

/** Keskar et al.'s (C_ε, I)-sharpness: 100 · (max over |yᵢ| ≤ ε (|θᵢ| + 1) of L(θ + y) − L(θ)) / (1 + L(θ)), by projected
 * gradient ascent with steps of the box's own shape (theirs: L-BFGS-B with 10 iterations). Not invariant under rescaling.
 * Source: Keskar et al. 2017, metric 2.1, A = I. */
export async function keskarSharpness(
  loss: Loss,
  theta: Float64Array,
  epsilon: number = 1e-3,
  options: AscentOptions = {},
): Promise<WorstNearby> {
  if (!(epsilon > 0)) throw new DomainError(`keskarSharpness: ε must be positive, got ${epsilon}.`)
  const box = theta.map((t) => epsilon * (Math.abs(t) + 1))
  const start = await loss.valueAndGradient(theta)
  const project = (y: Float64Array): Float64Array => y.map((v, i) => Math.max(-box[i], Math.min(box[i], v)))
  const step = (gradient: Float64Array, share: number): Float64Array =>
    gradient.map((g, i) => share * box[i] * Math.sign(g))
  const found = await ascend(loss, theta, { start, project, step, options })
  return { ...found, value: (100 * found.increase) / (1 + start.value) }
}

/** max over ‖y‖ ≤ ρ of L(θ + y) − L(θ): what sharpness-aware minimisation adds to the loss; its own first step is ρ∇L/‖∇L‖.
 * Not invariant under rescaling. Source: Foret et al. 2021, eq. 1. */
export async function samSharpness(
  loss: Loss,
  theta: Float64Array,
  rho: number = 0.05,
  options: AscentOptions = {},
): Promise<WorstNearby> {
  if (!(rho > 0)) throw new DomainError(`samSharpness: ρ must be positive, got ${rho}.`)
  const start = await loss.valueAndGradient(theta)
  const project = (y: Float64Array): Float64Array => {
    const length = norm(y)
    return length <= rho ? y : y.map((v) => (v * rho) / length)
  }
  const step = (gradient: Float64Array, share: number): Float64Array => {
    const length = norm(gradient)
    return length === 0 ? gradient.slice() : gradient.map((g) => (share * rho * g) / length)
  }
  const found = await ascend(loss, theta, { start, project, step, options })
  return { ...found, value: found.increase }
}

interface Ascent {
  readonly start: { readonly value: number; readonly gradient: Float64Array }
  readonly project: (y: Float64Array) => Float64Array
  readonly step: (gradient: Float64Array, share: number) => Float64Array
  readonly options: AscentOptions
}

/** Steps that fall back are halved; the first one spans the whole set. */
async function ascend(loss: Loss, theta: Float64Array, ascent: Ascent): Promise<Omit<WorstNearby, 'value'>> {
  const { start, project, step, options } = ascent
  let y: Float64Array = new Float64Array(theta.length)
  let { value, gradient } = start
  let share = 1
  let evaluations = 1
  for (let i = 0; i < (options.steps ?? 20) && share > 1e-3 && !options.signal?.aborted; i++) {
    const moved = y.slice()
    axpy(1, step(gradient, share), moved)
    const next = project(moved)
    const at = await loss.valueAndGradient(theta.map((t, k) => t + next[k]))
    evaluations++
    // an overflow is a rise without bound, and nothing can be followed there
    if (at.value === Number.POSITIVE_INFINITY) return { increase: at.value, evaluations }
    if (at.value > value) {
      y = next
      value = at.value
      gradient = at.gradient
    } else share /= 2
  }
  return { increase: value - start.value, evaluations }
}

/** Mean rise L(θ + αd) − L(θ) over random filter-normalised directions and both signs, with its standard error. Of the measures
 * here the only one that rescaling whole ReLU layers leaves unchanged; rescaling single units changes it too, since a unit's
 * outgoing weights share filters with others. */
export async function filterNormalizedSharpness(
  loss: Loss,
  theta: Float64Array,
  options: {
    readonly alpha?: number
    readonly directions?: number
    readonly seed?: number
    readonly valuesAt: (thetas: Float64Array, count: number) => Promise<{ readonly values: Float64Array }>
  },
): Promise<{ readonly value: number; readonly standardError: number; readonly directions: number }> {
  const { alpha = 0.1, directions = 16, seed = 0, valuesAt } = options
  if (!(Number.isInteger(directions) && directions >= 2))
    throw new DomainError(`filterNormalizedSharpness: needs two directions or more, got ${directions}.`)
  const base = (await valuesAt(theta, 1)).values[0]
  const rises = new Float64Array(directions)
  for (let k = 0; k < directions; k++) {
    const d = randomDirection(loss.model, theta, seed, k, { normalization: 'filter' })
    const pair = new Float64Array(2 * theta.length)
    theta.forEach((t, i) => {
      pair[i] = t + alpha * d[i]
      pair[theta.length + i] = t - alpha * d[i]
    })
    const { values } = await valuesAt(pair, 2)
    rises[k] = (values[0] + values[1]) / 2 - base
  }
  const value = rises.reduce((s, r) => s + r, 0) / directions
  const variance = rises.reduce((s, r) => s + (r - value) ** 2, 0) / (directions - 1)
  return { value, standardError: Math.sqrt(variance / directions), directions }
}
