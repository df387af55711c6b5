import { firstNonFinite, norm } from '../../linalg/vector.ts'
import { noiseFloor } from './noise-floor.ts'
import type { Objective } from './objective.ts'

/** How a search ended. `'converged'`: ‖∇L‖ is within a small multiple of its float64 noise floor (or below the given
 * tolerance). `'gradient-flat'`: it stopped where ∇L ≠ 0 lies nearly in ker H, which is no critical point.
 * `'stalled'`: no step of the method reduced its measure. `'non-finite'`: value or gradient overflowed. */
export type SearchStatus =
  | 'converged'
  | 'gradient-flat'
  | 'stalled'
  | 'max-iterations'
  | 'non-finite'
  | 'time-limit'
  | 'aborted'

export interface SearchRecord {
  readonly iteration: number
  readonly value: number
  readonly gradientNorm: number
  /** Length of the step that led here; 0 at the start. */
  readonly stepNorm: number
}

export interface SearchOptions {
  /** Steps allowed; each method has its default. */
  readonly maxIterations?: number
  /** Stop at ‖∇L‖ ≤ this; default: ten times the noise floor, measured along the way. */
  readonly gradientTolerance?: number
  /** Default 0. */
  readonly seed?: number
  /** With `now`, which counts milliseconds. */
  readonly timeLimitMs?: number
  readonly now?: () => number
  readonly onProgress?: (record: SearchRecord) => void
  readonly signal?: { readonly aborted: boolean }
}

export interface SearchResult {
  readonly method: string
  readonly status: SearchStatus
  readonly theta: Float64Array
  readonly value: number
  readonly gradientNorm: number
  /** Of the gradient, where the search ended. */
  readonly noiseFloor: number
  /** ‖θ − start‖. */
  readonly distance: number
  readonly iterations: number
  /** Hessian-vector products. */
  readonly products: number
  /** Gradients evaluated, those for the noise floor included. */
  readonly gradients: number
  /** The gradient-flat measure r where the search ended, 0 at a critical point; NaN where the method does not measure it. */
  readonly flatness: number
  readonly history: readonly SearchRecord[]
}

/** Multiples of the noise floor that count as zero: iterations end within a few units of it, not below. */
export const floorFactor = 10

/** A point with its value and gradient. */
export interface Iterate {
  readonly theta: Float64Array
  readonly value: number
  readonly gradient: Float64Array
  readonly gradientNorm: number
}

/** What a method does in one step: the next point, or why there is none. `flatness` where it was measured. */
export interface Step {
  readonly next: Iterate | null
  readonly products: number
  readonly flatness?: number
}

/** The evaluations that a method may make. */
export class Evaluator {
  readonly objective: Objective
  gradients = 0
  /** Differences of values below this mean nothing. */
  valueNoise = 0

  constructor(objective: Objective) {
    this.objective = objective
  }

  async at(theta: Float64Array): Promise<Iterate> {
    this.gradients++
    const { value, gradient } = await this.objective.valueAndGradient(theta)
    return { theta, value, gradient, gradientNorm: norm(gradient) }
  }

  /** The point θ + scale · direction; null where value or gradient is not finite. */
  async along(from: Iterate, direction: Float64Array, scale = 1): Promise<Iterate | null> {
    const theta = from.theta.map((t, i) => t + scale * direction[i])
    if (firstNonFinite(theta) >= 0) return null
    const next = await this.at(theta)
    return isFinite(next) ? next : null
  }
}

function isFinite({ value, gradient }: Iterate): boolean {
  return Number.isFinite(value) && firstNonFinite(gradient) < 0
}

/** The noise floor along a search, measured anew when the gradient has fallen tenfold. */
class FloorGauge {
  floor = 0
  #measuredAt = Number.POSITIVE_INFINITY
  readonly #evaluator: Evaluator
  readonly #options: SearchOptions
  readonly #lengthScale: number

  constructor(evaluator: Evaluator, start: Float64Array, options: SearchOptions) {
    this.#evaluator = evaluator
    this.#options = options
    this.#lengthScale = norm(start) / Math.sqrt(start.length)
  }

  async measure(at: Iterate, force: boolean): Promise<void> {
    if (!force && at.gradientNorm > 0.1 * this.#measuredAt) return
    const probes = 4
    const { objective } = this.#evaluator
    const floor = await noiseFloor(objective, at.theta, {
      probes,
      seed: this.#options.seed ?? 0,
      lengthScale: this.#lengthScale,
    })
    this.#evaluator.gradients += probes + 1
    this.floor = floor.gradient
    this.#evaluator.valueNoise = floor.value
    this.#measuredAt = at.gradientNorm
  }

  reached(at: Iterate): boolean {
    return at.gradientNorm <= (this.#options.gradientTolerance ?? floorFactor * this.floor)
  }
}

export interface Method {
  readonly name: string
  readonly maxIterations: number
  /** One step from a point that is not critical yet. */
  step(at: Iterate, evaluator: Evaluator, iteration: number): Promise<Step>
  /** r at a point where the method stopped; methods that have no Hessian at hand leave it out. */
  flatness?(at: Iterate): Promise<{ value: number; products: number }>
}

/** A point counts as gradient-flat where r exceeds this (Frye et al. 2021). */
export const flatnessLimit = 0.9

/** Steps a method from `start` until a stopping rule holds. */
export async function search(
  objective: Objective,
  start: Float64Array,
  method: Method,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const evaluator = new Evaluator(objective)
  const gauge = new FloorGauge(evaluator, start, options)
  const begun = options.now?.() ?? 0
  const maxIterations = options.maxIterations ?? method.maxIterations
  let at = await evaluator.at(start.slice())
  let products = 0
  let flatness = Number.NaN
  const history: SearchRecord[] = []
  const record = (iteration: number, stepNorm: number): void => {
    const entry = { iteration, value: at.value, gradientNorm: at.gradientNorm, stepNorm }
    history.push(entry)
    options.onProgress?.(entry)
  }
  record(0, 0)
  let status: SearchStatus | null = isFinite(at) ? null : 'non-finite'
  let iteration = 0
  while (status === null) {
    await gauge.measure(at, false)
    if (gauge.reached(at)) status = 'converged'
    else if (options.signal?.aborted) status = 'aborted'
    else if (iteration >= maxIterations) status = 'max-iterations'
    else if (timeIsUp(options, begun)) status = 'time-limit'
    if (status !== null) break
    const step = await method.step(at, evaluator, iteration)
    products += step.products
    if (step.flatness !== undefined) flatness = step.flatness
    if (step.next === null) {
      status = 'stalled'
      break
    }
    iteration++
    const stepNorm = distanceBetween(step.next.theta, at.theta)
    at = step.next
    record(iteration, stepNorm)
  }
  await gauge.measure(at, true)
  if (status === 'stalled' && gauge.reached(at)) status = 'converged'
  if (status === 'converged') flatness = 0
  else if (status !== 'non-finite' && method.flatness) {
    const measured = await method.flatness(at)
    flatness = measured.value
    products += measured.products
  }
  if ((status === 'stalled' || status === 'max-iterations') && flatness > flatnessLimit) status = 'gradient-flat'
  return {
    method: method.name,
    status,
    theta: at.theta,
    value: at.value,
    gradientNorm: at.gradientNorm,
    noiseFloor: gauge.floor,
    distance: distanceBetween(at.theta, start),
    iterations: iteration,
    products,
    gradients: evaluator.gradients,
    flatness,
    history,
  }
}

function timeIsUp({ now, timeLimitMs }: SearchOptions, begun: number): boolean {
  return now !== undefined && timeLimitMs !== undefined && now() - begun > timeLimitMs
}

export function distanceBetween(a: Float64Array, b: Float64Array): number {
  return norm(a.map((x, i) => x - b[i]))
}

/** r = ‖H p + g‖ / (‖H‖_F ‖p‖ + ‖g‖): 0 where Newton's equation is solvable, 1 where g lies in ker H. */
export function flatnessOf(hp: Float64Array, p: Float64Array, g: Float64Array, frobeniusNorm: number): number {
  const length = norm(g)
  if (length === 0) return 0
  return norm(hp.map((x, i) => x + g[i])) / (frobeniusNorm * norm(p) + length)
}
