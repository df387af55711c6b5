import { axpy, dot, norm, scale } from '../../linalg/vector.ts'
import { krylovFlatness } from './newton-mr.ts'
import type { Objective } from './objective.ts'
import { search } from './search.ts'
import type { Evaluator, Iterate, SearchOptions, SearchResult, Step } from './search.ts'

const memory = 10

/** Minimizes g(θ) = ½‖∇L‖², whose gradient H∇L costs one Hessian-vector product, by limited-memory BFGS with
 * backtracking. Ends at critical points of every index, and at gradient-flat points, where H∇L = 0 and ∇L ≠ 0.
 * Cost per step: one product and a few gradients. Source: Frye et al. 2021; McIver and Komornicki 1972. */
export function gradientNormMinimization(
  objective: Objective,
  start: Float64Array,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const bfgs = new LimitedMemory(memory)
  const step = async (at: Iterate, evaluator: Evaluator): Promise<Step> => {
    const { hessian } = objective.at(at.theta)
    const slope = await hessian.apply(at.gradient)
    bfgs.observe(at.theta, slope)
    if (!bfgs.isEmpty) {
      const direction = bfgs.direction(slope)
      const next = await backtrack(at, direction, dot(direction, slope), evaluator)
      if (next) return { next, products: 1 }
      bfgs.clear()
    }
    // Without memory: the minimum of ½‖∇L + αH(−slope)‖² along the slope, which knows the scale of the problem.
    const moved = norm(await hessian.apply(slope))
    const length = moved > 0 ? (norm(slope) / moved) ** 2 : 1
    const next = await backtrack(
      at,
      slope.map((x) => -length * x),
      -length * dot(slope, slope),
      evaluator,
    )
    return { next, products: 2 }
  }
  return search(
    objective,
    start,
    { name: 'gradient-norm', maxIterations: 2000, step, flatness: (at) => krylovFlatness(objective, at) },
    options,
  )
}

/** Armijo on ½‖∇L‖², from step length 1. */
async function backtrack(
  at: Iterate,
  direction: Float64Array,
  slope: number,
  evaluator: Evaluator,
): Promise<Iterate | null> {
  if (!(slope < 0)) return null
  const before = at.gradientNorm ** 2 / 2
  for (let length = 1; length * norm(direction) > 1e-16 * Math.max(1e-16, norm(at.theta)); length /= 4) {
    const next = await evaluator.along(at, direction, length)
    if (next && next.gradientNorm ** 2 / 2 <= before + 1e-4 * length * slope) return next
  }
  return null
}

/** The two-loop recursion (Nocedal 1980). */
class LimitedMemory {
  readonly #size: number
  #pairs: { s: Float64Array; y: Float64Array; sy: number }[] = []
  #last: { theta: Float64Array; slope: Float64Array } | null = null

  constructor(size: number) {
    this.#size = size
  }

  get isEmpty(): boolean {
    return this.#pairs.length === 0
  }

  clear(): void {
    this.#pairs = []
  }

  observe(theta: Float64Array, slope: Float64Array): void {
    if (this.#last) {
      const before = this.#last
      const s = theta.map((t, i) => t - before.theta[i])
      const y = slope.map((g, i) => g - before.slope[i])
      const sy = dot(s, y)
      if (sy > 1e-12 * norm(s) * norm(y)) this.#pairs = [...this.#pairs.slice(1 - this.#size), { s, y, sy }]
    }
    this.#last = { theta, slope }
  }

  direction(slope: Float64Array): Float64Array {
    const q = slope.slice()
    const pairs = this.#pairs
    const alphas: number[] = []
    for (let i = pairs.length - 1; i >= 0; i--) {
      alphas[i] = dot(pairs[i].s, q) / pairs[i].sy
      axpy(-alphas[i], pairs[i].y, q)
    }
    const newest = pairs.at(-1)
    if (newest) scale(newest.sy / dot(newest.y, newest.y), q)
    pairs.forEach(({ s, y, sy }, i) => axpy(alphas[i] - dot(y, q) / sy, s, q))
    scale(-1, q)
    return q
  }
}
