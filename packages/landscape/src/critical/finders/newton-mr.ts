import { minresQlp } from '../../linalg/minres-qlp.ts'
import type { LinearOperator } from '../../linalg/linear-operator.ts'
import { dot, norm } from '../../linalg/vector.ts'
import type { Objective } from './objective.ts'
import { search } from './search.ts'
import type { Evaluator, Iterate, SearchOptions, SearchResult, Step } from './search.ts'

export interface NewtonMrOptions extends SearchOptions {
  /** Krylov steps per Newton step; default 25. */
  readonly krylovSteps?: number
}

/** Line search constants of Roosta et al. 2018, as Frye et al. use them. */
const startStep = 0.1
const shrink = 0.5
const sufficient = 1e-4
const pureSufficient = 0.5
const krylov = { tolerance: 1e-10, maxCondition: 1e7, maxSolutionNorm: 1e4 }

/** Newton's method for ∇L = 0 with minimum-length solutions of H p = −∇L by MINRES-QLP, and backtracking on
 * ‖∇L(θ + αp)‖² ≤ ‖∇L‖² + 2ρα⟨∇L, H p⟩. A full step is tried first and taken where it satisfies the rule with ρ = ½.
 * Cost per step: up to `krylovSteps` + 3 products. Source: Roosta, Liu, Xu, Mahoney 2018; Frye et al. 2021, App. */
export function newtonMr(
  objective: Objective,
  start: Float64Array,
  options: NewtonMrOptions = {},
): Promise<SearchResult> {
  const maxIterations = options.krylovSteps ?? 25
  let alpha = startStep
  const step = async (at: Iterate, evaluator: Evaluator): Promise<Step> => {
    const { hessian } = objective.at(at.theta)
    const solution = await newtonDirection(hessian, at, maxIterations)
    const hp = await hessian.apply(solution.p)
    const products = solution.products + 1
    const slope = dot(at.gradient, hp)
    const flatness = solution.flatness
    if (!(slope < 0)) return { next: null, products, flatness }
    const holds = (next: Iterate | null, length: number, rho: number): next is Iterate =>
      next !== null && next.gradientNorm ** 2 <= at.gradientNorm ** 2 + 2 * rho * length * slope
    const pure = await evaluator.along(at, solution.p)
    if (holds(pure, 1, pureSufficient)) return { next: pure, products, flatness }
    for (; alpha > 1e-12; alpha *= shrink) {
      const next = await evaluator.along(at, solution.p, alpha)
      if (!holds(next, alpha, sufficient)) continue
      alpha = Math.min(1, alpha / shrink)
      return { next, products, flatness }
    }
    alpha = startStep
    return { next: null, products, flatness }
  }
  return search(
    objective,
    start,
    { name: 'newton-mr', maxIterations: 200, step, flatness: (at) => krylovFlatness(objective, at) },
    options,
  )
}

interface Direction {
  readonly p: Float64Array
  readonly flatness: number
  readonly products: number
}

async function newtonDirection(hessian: LinearOperator, at: Iterate, maxIterations: number): Promise<Direction> {
  const b = at.gradient.map((g) => -g)
  const { x, residualNorm, operatorNorm, products } = await minresQlp(hessian, b, {
    ...krylov,
    maxIterations: Math.min(maxIterations, 4 * hessian.size),
    reorthogonalize: true,
  })
  const scale = operatorNorm * norm(x) + at.gradientNorm
  return { p: x, flatness: scale === 0 ? 0 : residualNorm / scale, products }
}

/** The gradient-flat measure r = ‖H p + g‖ / (‖H‖‖p‖ + ‖g‖) from MINRES-QLP with up to 200 steps (fewer would mimic r > 0), ‖H‖ as its recurrences estimate it. */
export async function krylovFlatness(objective: Objective, at: Iterate): Promise<{ value: number; products: number }> {
  if (at.gradientNorm === 0) return { value: 0, products: 0 }
  const { flatness, products } = await newtonDirection(objective.at(at.theta).hessian, at, 200)
  return { value: flatness, products }
}
