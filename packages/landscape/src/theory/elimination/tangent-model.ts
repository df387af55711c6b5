import { numbersOf, sizeOf } from '@thalweg/graph'
import { lsqr } from '../../linalg/lsqr.ts'
import { leastSquares } from '../../linalg/svd.ts'
import { matrix } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import { squareScale } from './square-scale.ts'

/** How a point compares with the best linear model in its own tangent features. */
export interface TangentModel {
  /** min_α L with the outputs J α in place of f. */
  readonly value: number
  /** L(θ) − value: ≥ 0 where f lies in the span of the features, 0 at stationary points. */
  readonly gap: number
  /** The same with outputs f + J α, which contain f always: L(θ) − value ≥ 0, 0 exactly at stationary points. */
  readonly centeredValue: number
  readonly centeredGap: number
  /** ‖f − projection of f on the span‖ / ‖f‖: 0 for nets with a linear last layer, where α = last layer gives f. */
  readonly spanDefect: number
  /** Rank of J, where it was factorized. */
  readonly rank: number | null
  readonly features: number
  readonly method: 'svd' | 'lsqr'
}

export interface TangentModelOptions {
  /** Up to this many entries J is formed and factorized. Default 1e6. */
  readonly denseEntriesMax?: number
  /** Of LSQR. Default 1e-12. */
  readonly tolerance?: number
}

/** The necessary condition of perturbable gradient bases with S = {0}: at a stationary point of a squared loss
 *
 *     L(θ) = min_α (1/N) Σᵢ ‖ J_i(θ) α − y_i ‖² ,   J_i = ∂f(xᵢ; θ)/∂θ
 *
 * provided f = Σ_k h_k ∂_k f for some h, as for every net with a linear last layer. At other points L(θ) is larger: the
 * point is worse than the best linear model in its own features.
 * @returns null for losses other than squares, or with weight decay (the condition then has another form).
 * Cost: a thin SVD of J [n·k × p], or two Jacobian products per LSQR step.
 * Source: Kawaguchi, Huang and Kaelbling 2019, Theorem 1; Kawaguchi and Kaelbling 2020, §4. */
export async function tangentModel(
  loss: Loss,
  theta: Float64Array,
  options: TangentModelOptions = {},
): Promise<TangentModel | null> {
  const scale = squareScale(loss)
  if (scale === null || loss.weightDecay > 0) return null
  const rows = loss.samples * sizeOf(loss.model.outputShape)
  const dense = rows * loss.size <= (options.denseEntriesMax ?? 1e6)
  const outputs = await loss.outputs(theta)
  const targets = numbersOf(loss.dataset.targets)
  const point = new LossPoint(loss, theta)
  const rooted = rootWeights(loss, rows)
  const weigh = (v: Float64Array): Float64Array => v.map((value, i) => value * rooted[i])
  const fit = dense ? await denseFit(point, rooted, rows) : iterativeFit(point, weigh, rows, options.tolerance ?? 1e-12)
  const value = scale * (await fit.residual(weigh(targets))) ** 2
  const centeredValue = scale * (await fit.residual(weigh(targets.map((y, i) => y - outputs[i])))) ** 2
  const length = norm(weigh(outputs))
  const spanDefect = length === 0 ? 0 : (await fit.residual(weigh(outputs))) / length
  const here = await loss.value(theta)
  return {
    value,
    gap: here - value,
    centeredValue,
    centeredGap: here - centeredValue,
    spanDefect,
    rank: fit.rank,
    features: loss.size,
    method: dense ? 'svd' : 'lsqr',
  }
}

interface Fit {
  readonly rank: number | null
  /** min_α ‖J α − b‖. */
  residual(b: Float64Array): Promise<number>
}

async function denseFit(point: LossPoint, rooted: Float64Array, rows: number): Promise<Fit> {
  const p = point.loss.size
  const jacobian = matrix(rows, p, new Float64Array(rows * p))
  const batch = 64
  for (let start = 0; start < rows; start += batch) {
    const count = Math.min(batch, rows - start)
    const unit = new Float64Array(count * rows)
    for (let r = 0; r < count; r++) unit[r * rows + start + r] = rooted[start + r]
    jacobian.data.set(await point.jacobianTransposed(unit, count), start * p)
  }
  const { rank } = leastSquares(jacobian, new Float64Array(rows))
  return { rank, residual: async (b) => leastSquares(jacobian, b).residualNorm }
}

function iterativeFit(
  point: LossPoint,
  weigh: (v: Float64Array) => Float64Array,
  rows: number,
  tolerance: number,
): Fit {
  const operator = {
    rows,
    cols: point.loss.size,
    apply: async (v: Float64Array) => weigh(await point.jacobian(v)),
    applyTranspose: (u: Float64Array) => point.jacobianTransposed(weigh(u)),
  }
  return { rank: null, residual: async (b) => (await lsqr(operator, b, { tolerance })).residualNorm }
}

/** √vᵢ for each output of each sample. */
function rootWeights(loss: Loss, rows: number): Float64Array {
  const weights = loss.dataset.sampleWeights
  const k = rows / loss.samples
  return Float64Array.from({ length: rows }, (_, i) => Math.sqrt(weights?.[Math.floor(i / k)] ?? 1))
}
