import { numbersOf, sizeOf } from '@thalweg/graph'
import { gemv, matmulTransposedRight, matrix, row } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { axpy, norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import { termScaleOf } from '../finders/objective.ts'

/** Residuals and margins this small, relative to the root mean square of outputs and targets, lie on the kink of the loss. */
const onKink = 2 ** -44
/** Outputs on a kink up to which the shortest subgradient is computed. */
const kinksMax = 400
const sweepsMax = 20_000

/** ∂L/∂z as a set: `center` ± `slack` [n × k], where slack is 0 but at outputs on the kink of the loss itself.
 *
 *     l1      sign(z − y) ∈ [−1, 1] where z = y
 *     hinge   −y · 𝟙(yz < 1) ∈ [−y, 0] where yz = 1   (power 1)
 */
export interface OutputSubgradient {
  readonly center: Float64Array
  readonly slack: Float64Array
  /** Outputs on the kink. */
  readonly onKink: number
}

/** Whether the loss itself has kinks in the outputs. */
export function hasKinks({ spec }: Loss): boolean {
  return spec.name === 'l1' || (spec.name === 'hinge' && (spec.power ?? 1) === 1)
}

/** The subgradients of a loss with kinks in its outputs, from the gradients that the derivative rules chose.
 * @param gradients  ∂L/∂z [n × k]. */
export function outputSubgradient(loss: Loss, outputs: Float64Array, gradients: Float64Array): OutputSubgradient {
  const k = sizeOf(loss.model.outputShape)
  const center = gradients.slice()
  const slack = new Float64Array(gradients.length)
  const { sampleWeights } = loss.dataset
  const y = targetsOf(loss, k)
  if (y.length !== outputs.length) return { center, slack, onKink: 0 }
  const size = (onKink * Math.max(norm(outputs), norm(y))) / Math.sqrt(outputs.length)
  let count = 0
  for (let i = 0; i < outputs.length; i++) {
    const step = (sampleWeights?.[Math.floor(i / k)] ?? 1) / loss.normalizer
    const isHinge = loss.spec.name === 'hinge'
    if (Math.abs(isHinge ? 1 - y[i] * outputs[i] : outputs[i] - y[i]) > size) continue
    count++
    center[i] = isHinge ? (-y[i] * step) / 2 : 0
    slack[i] = isHinge ? step / 2 : step
  }
  return { center, slack, onKink: count }
}

/** Targets [n × k] as the loss reads them: class indices as signs. */
function targetsOf({ dataset: { targets } }: Loss, k: number): Float64Array {
  const given = numbersOf(targets)
  if (targets.dtype !== 'int64') return given
  if (k === 1) return given.map((label) => 2 * label - 1)
  return Float64Array.from({ length: given.length * k }, (_, i) => (given[Math.floor(i / k)] === i % k ? 1 : -1))
}

/** ‖g‖ of the shortest subgradient of a convex objective whose outputs are affine in θ:
 *
 *     minimize ‖ Jᵀ(c + s) + V θ ‖ over |s_i| ≤ slack_i
 *
 * by coordinate descent on the outputs on the kink; zero to rounding proves a global minimum.
 * @returns the norm and what rounding of its terms can make of it; null where too many outputs lie on the kink.
 * Cost: a product with Jᵀ for each output on the kink, four with the empirical Fisher matrix. */
export async function shortestSubgradient(
  loss: Loss,
  theta: Float64Array,
  { center, slack, onKink: count }: OutputSubgradient,
): Promise<{ readonly norm: number; readonly rounding: number } | null> {
  if (count > kinksMax) return null
  const point = new LossPoint(loss, theta)
  const g = await point.jacobianTransposed(center)
  axpy(loss.weightDecay, theta, g)
  const products = count > 0 ? await point.jacobianTransposed(each(slack, count), count) : new Float64Array(0)
  const rows = matrix(count, theta.length, products)
  const s = boxLeastSquares(rows, g)
  for (let i = 0; i < count; i++) axpy(s[i], row(rows, i), g)
  // Sizes of what is summed up: of the other outputs, of the regularizer, and of each output on the kink.
  const others = await termScaleOf(loss.size, (signs, probes) => point.product('empirical-fisher', signs, probes))
  let terms = others + loss.weightDecay * norm(theta)
  for (let i = 0; i < count; i++) terms += norm(row(rows, i))
  return { norm: norm(g), rounding: 2 ** -52 * terms }
}

/** The `count` entries of x that are not zero, one in each row [count × length of x]. */
function each(x: Float64Array, count: number): Float64Array {
  const rows = new Float64Array(count * x.length)
  const positions = [...x.keys()].filter((i) => x[i] > 0)
  positions.forEach((position, i) => (rows[i * x.length + position] = x[position]))
  return rows
}

/** s in [−1, 1]^count that minimizes ‖g + Rᵀ s‖, by cyclic coordinate descent. */
function boxLeastSquares(rows: Matrix, g: Float64Array): Float64Array {
  const gram = matmulTransposedRight(rows, rows)
  const slope = gemv(rows, g)
  const s = new Float64Array(rows.rows)
  for (let sweep = 0; sweep < sweepsMax; sweep++) {
    let moved = 0
    for (let i = 0; i < s.length; i++) {
      const diagonal = gram.data[i * s.length + i]
      if (diagonal === 0) continue
      const next = Math.max(-1, Math.min(1, s[i] - slope[i] / diagonal))
      const step = next - s[i]
      s[i] = next
      axpy(step, row(gram, i), slope)
      moved = Math.max(moved, Math.abs(step))
    }
    if (moved < 1e-15) break
  }
  return s
}
