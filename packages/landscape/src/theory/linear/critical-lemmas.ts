import {
  frobenius,
  matmul,
  matmulTransposedLeft,
  matmulTransposedRight,
  pseudoInverse,
  svd,
  trace,
  transpose,
} from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { eigenvectorBlocks } from './critical-point.ts'
import { linearResidual } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap, layerProduct, linearScales, numericalRank } from './linear-weights.ts'

/** One lemma tested at a critical point. */
export interface LemmaCheck {
  readonly name: 'lemma 4.2' | 'lemma 4.4' | 'corollary 4.5' | 'lemma 4.6'
  readonly statement: string
  /** False where the lemma presumes a semidefinite Hessian and this one is indefinite; then it says nothing. */
  readonly applies: boolean
  readonly holds: boolean
  /** By how much the statement fails: a relative norm, or (corollary) missing rank; 0 where it does not apply. */
  readonly error: number
}

export interface LemmaOptions {
  /** Relative; default 1e-8. */
  readonly tolerance?: number
  /** Whether the Hessian is ⪰ 0 and whether it is ⪯ 0 here. */
  readonly positiveSemidefinite: boolean
  readonly negativeSemidefinite: boolean
}

/** Kawaguchi's lemmas at a critical point, with C = W_L ⋯ W_2 and r = (Ŷ − Y)ᵀ:
 *
 *      4.2  W_L ⋯ W_1 = C C⁺ R (on the range of X);
 *      4.4  Hessian ⪰ 0 or ⪯ 0 ⇒ for k = 2…L: range((W_{k−1} ⋯ W_2)ᵀ) ⊆ range(CᵀC), or X r A_k = 0;
 *      4.5  Hessian ⪰ 0 or ⪯ 0 ⇒ for k = 2…L: rank(W_L ⋯ W_k) ≥ rank(W_{k−1} ⋯ W_2), or X r A_k = 0;
 *      4.6  Hessian ⪰ 0 ⇒ C C⁺ projects on the top rank(C) eigenvectors of Σ, or X r = 0.
 *
 * Source: Kawaguchi, NeurIPS 2016, §4. */
export function checkLemmas(problem: LinearProblem, weights: LinearWeights, options: LemmaOptions): LemmaCheck[] {
  const { tolerance = 1e-8, positiveSemidefinite, negativeSemidefinite } = options
  const semidefinite = positiveSemidefinite || negativeSemidefinite
  const context = lemmaContext(problem, weights, tolerance)
  const check = (name: LemmaCheck['name'], statement: string, applies: boolean, error: () => number): LemmaCheck => {
    const measured = applies ? error() : 0
    return { name, statement, applies, holds: measured <= tolerance, error: measured }
  }
  return [
    check('lemma 4.2', 'W_L ⋯ W_1 = C C⁺ R', true, () => projectionError(context)),
    check('lemma 4.4', 'range((W_{k−1} ⋯ W_2)ᵀ) ⊆ range(CᵀC) or X r A_k = 0', semidefinite, () =>
      worstLayer(context, rowSpaceError),
    ),
    check('corollary 4.5', 'rank(W_L ⋯ W_k) ≥ rank(W_{k−1} ⋯ W_2) or X r A_k = 0', semidefinite, () =>
      worstLayer(context, missingRank),
    ),
    check('lemma 4.6', 'C C⁺ = U_p̄ U_p̄ᵀ with the top eigenvectors, or X r = 0', positiveSemidefinite, () =>
      topProjectionError(context),
    ),
  ]
}

interface LemmaContext {
  readonly problem: LinearProblem
  readonly weights: LinearWeights
  readonly norms: readonly number[]
  readonly tolerance: number
  /** C, C C⁺ and the projection on the row space of C. */
  readonly last: Matrix
  readonly columnProjection: Matrix
  readonly rowProjection: Matrix
  readonly columnRank: number
  /** X r = X Eᵀ, [d_x × d_y], and the size of its terms. */
  readonly weightedResidual: Matrix
  readonly residualScale: number
}

function lemmaContext(problem: LinearProblem, weights: LinearWeights, tolerance: number): LemmaContext {
  const last = layerProduct(weights, problem.layers, 2)
  const norms = weights.map(frobenius)
  const size = norms.slice(1).reduce((p, n) => p * n, 1)
  const largest = svd(last).values[0]
  // Relative to the factors: a product that vanishes has rank 0, whatever its rounding errors look like.
  const relative = largest === 0 ? 1 : Math.min(1, (tolerance * size) / largest)
  const inverse = pseudoInverse(last, { tolerance: relative })
  const weightedResidual = matmulTransposedRight(problem.x, linearResidual(problem, weights))
  return {
    problem,
    weights,
    norms,
    tolerance,
    last,
    columnProjection: matmul(last, inverse),
    rowProjection: matmul(inverse, last),
    columnRank: numericalRank(last, tolerance * size).rank,
    weightedResidual,
    residualScale:
      linearScales(problem, weights).gradient / linearScales(problem, weights).weight ** (problem.layers - 1),
  }
}

function projectionError({ problem, weights, columnProjection }: LemmaContext): number {
  const expected = matmul(columnProjection, matmul(problem.leastSquaresMap, problem.x))
  const actual = matmul(endToEndMap(weights), problem.x)
  return distance(actual, expected) / Math.sqrt(linearScales(problem, weights).loss)
}

/** For the worst layer, the smaller of the errors of "the first alternative" and of X r A_k = 0. */
function worstLayer(context: LemmaContext, first: (context: LemmaContext, k: number) => number): number {
  const { problem, weights, norms, weightedResidual, residualScale } = context
  let worst = 0
  for (let k = 2; k <= problem.layers; k++) {
    const left = layerProduct(weights, problem.layers, k + 1)
    const scale = residualScale * norms.slice(k).reduce((p, n) => p * n, 1)
    const vanishing = scale === 0 ? 0 : frobenius(matmul(weightedResidual, left)) / scale
    worst = Math.max(worst, Math.min(first(context, k), vanishing))
  }
  return worst
}

function rowSpaceError({ weights, norms, rowProjection }: LemmaContext, k: number): number {
  const inner = k === 2 ? transpose(layerProduct(weights, 1, 2)) : transpose(layerProduct(weights, k - 1, 2))
  const scale = k === 2 ? 1 : norms.slice(1, k - 1).reduce((p, n) => p * n, 1)
  return scale === 0 ? 0 : distance(matmul(rowProjection, inner), inner) / scale
}

function missingRank({ problem, weights, norms, tolerance }: LemmaContext, k: number): number {
  const rank = (high: number, low: number): number =>
    numericalRank(layerProduct(weights, high, low), tolerance * norms.slice(low - 1, high).reduce((p, n) => p * n, 1))
      .rank
  return Math.max(0, rank(k - 1, 2) - rank(problem.layers, k))
}

function topProjectionError({
  problem,
  columnProjection,
  columnRank,
  weightedResidual,
  residualScale,
}: LemmaContext): number {
  const top = Array.from({ length: columnRank }, (_, i) => i + 1)
  const { kept } = eigenvectorBlocks(problem, top)
  const vanishing = residualScale === 0 ? 0 : frobenius(weightedResidual) / residualScale
  // Equal eigenvalues leave the projection open inside their eigenspace: compare the parts of Σ that the projections keep.
  const onSigma = (projection: Matrix): Matrix => matmul(matmul(projection, problem.sigma), projection)
  const expected = matmulTransposedRight(kept, kept)
  const scale = problem.eigenvalues[0] || 1
  const direct = distance(columnProjection, expected)
  const kyFan = Math.abs(trace(onSigma(columnProjection)) - trace(onSigma(expected))) / scale
  return Math.min(direct, vanishing, problem.assumptions.distinctEigenvalues.holds ? Number.POSITIVE_INFINITY : kyFan)
}

function distance(a: Matrix, b: Matrix): number {
  return frobenius({ ...a, data: a.data.map((entry, i) => entry - b.data[i]) })
}

/** C C⁺ for C = W_L ⋯ W_2 and C⁺, where singular values up to 1e-10 of the factors' norms count as zero. */
export function lastLayersProjection(weights: LinearWeights): { projection: Matrix; inverse: Matrix } {
  const product = layerProduct(weights, weights.length, 2)
  const size = weights.slice(1).reduce((p, w) => p * frobenius(w), 1)
  const largest = svd(product).values[0]
  const inverse = pseudoInverse(product, { tolerance: largest === 0 ? 1 : Math.min(1, (1e-10 * size) / largest) })
  return { projection: matmulTransposedLeft(transpose(product), inverse), inverse }
}
