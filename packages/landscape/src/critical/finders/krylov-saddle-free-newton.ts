import type { LinearOperator } from '../../linalg/linear-operator.ts'
import { applyRows, denseOperator } from '../../linalg/linear-operator.ts'
import { gemv, gemvTransposed, matmulTransposedRight, matrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { orthogonalize } from '../../linalg/orthogonalize.ts'
import { norm, scale } from '../../linalg/vector.ts'
import { ladder, lowestOf, saddleFreeSteps } from './dense-newton.ts'
import { hessianFactors } from './hessian-spectrum.ts'
import { krylovFlatness } from './newton-mr.ts'
import type { Objective } from './objective.ts'
import { search } from './search.ts'
import type { Evaluator, Iterate, SearchOptions, SearchResult, Step } from './search.ts'

export interface KrylovSaddleFreeOptions extends SearchOptions {
  /** k, the dimension of the Krylov space; default min(p, 50). */
  readonly krylovSteps?: number
}

/** Saddle-free Newton in a Krylov space: with V the k Lanczos vectors of H from ∇L and the previous step,
 *
 *      p = −V (|Ĥ| + μ)⁻¹ Vᵀ∇L ,   Ĥ = Vᵀ H V
 *
 * μ from a ladder, by the loss. Cost per step: k products and eight gradients. Source: Dauphin et al. 2014, Alg. 1. */
export function krylovSaddleFreeNewton(
  objective: Objective,
  start: Float64Array,
  options: KrylovSaddleFreeOptions = {},
): Promise<SearchResult> {
  const k = Math.min(objective.size, options.krylovSteps ?? 50)
  let previous: Float64Array | null = null
  const step = async (at: Iterate, evaluator: Evaluator): Promise<Step> => {
    const { hessian } = objective.at(at.theta)
    const { basis, projected } = await krylovSpace(hessian, previous ? [at.gradient, previous] : [at.gradient], k)
    const spectrum = await hessianFactors(denseOperator(projected))
    const small = saddleFreeSteps(spectrum, gemv(basis, at.gradient), ladder)
    const best = await lowestOf(
      at,
      small.map((c) => gemvTransposed(basis, c)),
      evaluator,
    )
    previous = best?.step ?? null
    return { next: best?.next ?? null, products: basis.rows }
  }
  const method = {
    name: 'krylov-saddle-free-newton',
    maxIterations: 200,
    step,
    flatness: (at: Iterate) => krylovFlatness(objective, at),
  }
  return search(objective, start, method, options)
}

/** An orthonormal basis (rows) of the Krylov space of the given starts, and VᵀHV. */
async function krylovSpace(
  hessian: LinearOperator,
  starts: readonly Float64Array[],
  k: number,
): Promise<{ basis: Matrix; projected: Matrix }> {
  const { size } = hessian
  const rows = new Float64Array(k * size)
  const images = new Float64Array(k * size)
  let count = 0
  let image = 0
  const queue = starts.map((v) => v.slice())
  while (count < k) {
    const next = queue.shift() ?? (image < count ? images.slice(image * size, ++image * size) : null)
    if (next === null) break
    const before = norm(next)
    orthogonalize(rows, count, next)
    if (!(norm(next) > 1e-10 * before)) continue
    scale(1 / norm(next), next)
    orthogonalize(rows, count, next)
    scale(1 / norm(next), next)
    rows.set(next, count * size)
    images.set(await applyRows('krylovSpace', hessian, next, 1), count * size)
    count++
  }
  const basis = matrix(count, size, rows.subarray(0, count * size))
  const product = matmulTransposedRight(basis, matrix(count, size, images.subarray(0, count * size)))
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      const mean = (product.data[i * count + j] + product.data[j * count + i]) / 2
      product.data[i * count + j] = mean
      product.data[j * count + i] = mean
    }
  return { basis, projected: product }
}
