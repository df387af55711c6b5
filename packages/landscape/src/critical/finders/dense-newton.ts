import { gemv } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'
import { applyFunction, hessianFactors, pseudoInverseProduct } from './hessian-spectrum.ts'
import type { HessianFactors } from './hessian-spectrum.ts'
import type { Objective } from './objective.ts'
import { distanceBetween, flatnessOf, search } from './search.ts'
import type { Evaluator, Iterate, SearchOptions, SearchResult, Step } from './search.ts'

const epsilon = 2 ** -52

/** Eigenvalues below ‖H‖ over this count as zero in Newton steps and in r (the bound of Newton-MR's solver). */
const conditionMax = 1e7

/** Damping relative to ‖H‖, most cautious last. */
export const ladder: readonly number[] = [0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]

/** r = ‖H p + g‖ / (‖H‖_F ‖p‖ + ‖g‖) with p = −H⁺g: 1 where ∇L lies in ker H, 0 where Newton's equation is solvable.
 * Source: Frye et al. 2021. */
export function denseFlatness(spectrum: HessianFactors, gradient: Float64Array): number {
  const p = pseudoInverseProduct(spectrum, gradient, spectrum.norm / conditionMax).map((x) => -x)
  return flatnessOf(gemv(spectrum.matrix, p), p, gradient, spectrum.frobenius)
}

/** The end with the smallest gradient, if smaller than here. */
async function flattestOf(at: Iterate, steps: readonly Float64Array[], evaluator: Evaluator): Promise<Iterate | null> {
  let best: Iterate | null = null
  for (const step of steps) {
    const next = await evaluator.along(at, step)
    if (next && next.gradientNorm < (best ?? at).gradientNorm) best = next
  }
  return best
}

function denseSearch(
  name: string,
  objective: Objective,
  start: Float64Array,
  options: SearchOptions,
  step: (at: Iterate, spectrum: HessianFactors, evaluator: Evaluator) => Promise<Iterate | null>,
): Promise<SearchResult> {
  const method = {
    name,
    maxIterations: 100,
    step: async (at: Iterate, evaluator: Evaluator): Promise<Step> => {
      const spectrum = await hessianFactors(objective.at(at.theta).hessian)
      const next = await step(at, spectrum, evaluator)
      return { next, products: spectrum.products, flatness: denseFlatness(spectrum, at.gradient) }
    },
    flatness: async (at: Iterate) => {
      const spectrum = await hessianFactors(objective.at(at.theta).hessian)
      return { value: denseFlatness(spectrum, at.gradient), products: spectrum.products }
    },
  }
  return search(objective, start, method, options)
}

/** Damped Newton for ∇L = 0: of the steps −H(H² + γ²)⁻¹∇L with γ on a ladder relative to ‖H‖, the one that leaves the
 * smallest gradient. (Levenberg's form, because H + γI is singular at γ = −λ.) Reaches critical points of any index.
 * Cost per step: a dense Hessian, its eigenvalues, eight gradients. Source: Dauphin et al. 2014, §6. */
export function dampedNewton(
  objective: Objective,
  start: Float64Array,
  options: SearchOptions = {},
): Promise<SearchResult> {
  return denseSearch('damped-newton', objective, start, options, (at, spectrum, evaluator) => {
    const cutoff = epsilon * spectrum.size * spectrum.norm
    const steps = ladder.map((gamma) =>
      applyFunction(
        spectrum,
        (value) => (Math.abs(value) > cutoff ? -value / (value ** 2 + (gamma * spectrum.norm) ** 2) : 0),
        at.gradient,
      ),
    )
    return flattestOf(at, steps, evaluator)
  })
}

export interface TrustRegionOptions extends SearchOptions {
  /** Of the first step; default ½ max(1, ‖θ‖). */
  readonly radius?: number
  /** Farthest it may go from the start in all; default none. Ends with `'stalled'` there. */
  readonly distanceMax?: number
}

/** Trust-region Newton for ∇L = 0: minimizes the model ½‖H p + ∇L‖² within ‖p‖ ≤ Δ exactly, with the shortest p, and
 * adapts Δ to how well the model foretold ‖∇L(θ + p)‖². Twice and three times an accepted step are tried as well: where H
 * is singular, at a root of multiplicity m, only m Newton steps together converge fast. Reaches critical points of any
 * index.
 * Cost per step: a dense Hessian, its eigenvalues, a gradient per trial. Source: Conn, Gould, Toint 2000, ch. 16. */
export function trustRegionNewton(
  objective: Objective,
  start: Float64Array,
  options: TrustRegionOptions = {},
): Promise<SearchResult> {
  let radius = options.radius ?? 0.5 * Math.max(1, norm(start))
  const distanceMax = options.distanceMax ?? Number.POSITIVE_INFINITY
  return denseSearch('trust-region-newton', objective, start, options, async (at, spectrum, evaluator) => {
    if (distanceBetween(at.theta, start) > distanceMax) return null
    for (let trial = 0; trial < 40; trial++) {
      const p = trustRegionStep(spectrum, at.gradient, radius)
      const next = await evaluator.along(at, p)
      const foretold = at.gradientNorm ** 2 - norm(gemv(spectrum.matrix, p).map((x, i) => x + at.gradient[i])) ** 2
      const ratio = next ? (at.gradientNorm ** 2 - next.gradientNorm ** 2) / foretold : -1
      if (ratio > 0.75 && norm(p) > 0.9 * radius) radius *= 2
      else if (!(ratio > 0.25)) radius = Math.min(radius, norm(p)) / 4
      if (next && ratio > 1e-4 && next.gradientNorm < at.gradientNorm) return extrapolated(at, p, next, evaluator)
    }
    return null
  })
}

async function extrapolated(at: Iterate, p: Float64Array, next: Iterate, evaluator: Evaluator): Promise<Iterate> {
  let best = next
  for (const multiple of [2, 3]) {
    if (best.gradientNorm <= 0.1 * at.gradientNorm) break
    const farther = await evaluator.along(at, p, multiple)
    if (farther && farther.gradientNorm < best.gradientNorm) best = farther
  }
  return best
}

/** p(μ) = −H(H² + μ)⁻¹g with the smallest μ ≥ 0 for which ‖p‖ ≤ Δ, by bisection in log μ. */
function trustRegionStep(spectrum: HessianFactors, g: Float64Array, radius: number): Float64Array {
  const c = spectrum.basis.coordinates(g)
  const cutoff = epsilon * spectrum.size * spectrum.norm
  const factor = (mu: number) => (value: number) => (Math.abs(value) > cutoff ? -value / (value ** 2 + mu) : 0)
  const length = (mu: number): number => {
    let square = 0
    for (let i = 0; i < c.length; i++) {
      const value = spectrum.values[i]
      const step = Math.abs(value) > cutoff ? (value / (value ** 2 + mu)) * c[i] : 0
      square += step * step
    }
    return Math.sqrt(square)
  }
  if (length(0) <= radius) return applyFunction(spectrum, factor(0), g)
  let low = Math.log(Number.MIN_VALUE)
  let high = Math.log(Math.max(1, (spectrum.norm * norm(g)) / radius) + spectrum.norm ** 2) + 40
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (length(Math.exp(middle)) > radius) low = middle
    else high = middle
  }
  return applyFunction(spectrum, factor(Math.exp(high)), g)
}

export interface SaddleFreeOptions extends SearchOptions {
  /** Damping μ relative to ‖H‖ that are tried; default 0 and 1e-6 … 1. */
  readonly damping?: readonly number[]
}

/** The lowest end of a descent along one of the steps; where values agree to rounding, the one with least gradient.
 * Where none descends, the last (most damped) step is shortened until it does. */
export async function lowestOf(
  at: Iterate,
  steps: readonly Float64Array[],
  evaluator: Evaluator,
): Promise<{ next: Iterate; step: Float64Array } | null> {
  const descends = (a: Iterate, b: Iterate): boolean => {
    if (Math.abs(a.value - b.value) <= 4 * evaluator.valueNoise) return a.gradientNorm < b.gradientNorm
    return a.value < b.value
  }
  let best: { next: Iterate; step: Float64Array } | null = null
  for (const step of steps) {
    const next = await evaluator.along(at, step)
    if (next && descends(next, best?.next ?? at)) best = { next, step }
  }
  const last = steps[steps.length - 1]
  for (let scale = 0.25; best === null && scale > 1e-12; scale *= 0.25) {
    const next = await evaluator.along(at, last, scale)
    if (next && descends(next, at)) best = { next, step: last.map((x) => scale * x) }
  }
  return best
}

/** Saddle-free Newton, θ ← θ − (|H| + μ)⁻¹∇L with |H| = Q|Λ|Qᵀ: minimizes the linear model within ½|pᵀHp| ≤ r, so it is
 * repelled where Newton's method is attracted by saddles. μ is the value of a ladder with the lowest loss.
 * Cost per step: a dense Hessian, its eigenvalues, eight gradients. Source: Dauphin et al. 2014, §5. */
export function saddleFreeNewton(
  objective: Objective,
  start: Float64Array,
  options: SaddleFreeOptions = {},
): Promise<SearchResult> {
  return denseSearch('saddle-free-newton', objective, start, options, (at, spectrum, evaluator) =>
    lowestOf(at, saddleFreeSteps(spectrum, at.gradient, options.damping ?? ladder), evaluator).then(
      (best) => best?.next ?? null,
    ),
  )
}

/** −(|H| + μ)⁻¹g for each μ relative to ‖H‖; eigenvalues that are zero to rounding are left out at μ = 0. */
export function saddleFreeSteps(
  spectrum: HessianFactors,
  gradient: Float64Array,
  damping: readonly number[],
): Float64Array[] {
  const cutoff = epsilon * spectrum.size * spectrum.norm
  return damping.map((mu) =>
    applyFunction(
      spectrum,
      (value) => {
        const size = Math.abs(value) + mu * spectrum.norm
        return size > cutoff ? -1 / size : 0
      },
      gradient,
    ),
  )
}
