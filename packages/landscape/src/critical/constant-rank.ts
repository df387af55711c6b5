import { numbersOf, sizeOf } from '@thalweg/graph'
import { matrix } from '../linalg/matrix.ts'
import { qr } from '../linalg/qr.ts'
import { norm } from '../linalg/vector.ts'
import { LossPoint } from '../loss/loss-point.ts'
import type { Loss } from '../loss/loss.ts'
import { randomStream } from '../random/random-stream.ts'
import { onSamePiece } from './kinks.ts'
import { saturationOf } from './saturation.ts'

export interface ConstantRank {
  /** Of the Jacobian of the outputs, at θ and at all points nearby. */
  readonly rank: number
  /** Points nearby. */
  readonly points: number
  /** How far they lie, relative to the root mean square of θ. */
  readonly radius: number
  /** Singular values by pivoted QR, relative to the largest: the smallest of `rank`, and the largest beyond; at the worst
   * of the points. */
  readonly kept: number
  readonly dropped: number
}

const pointCount = 3
/** Relative distances tried, farthest first: points must lie on the smooth piece of θ. */
const radii = [0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6]
const keptMin = 1e-9
const droppedMax = 1e-11
/** Three factors that are all zero at θ make a row of J grow like the square of the distance only: it must not pass for none. */
const squareMargin = 0.1
/** Rows of the compressed Jacobian beyond the rank that it is tested for. */
const spareRows = 8
/** Largest rows² · p of a factorization. */
const workMax = 4e9

/** Whether the outputs on the data have a Jacobian of exactly this rank at θ and all around it.
 *
 * The loss is a function of the outputs F(θ). Where J = ∂F/∂θ has constant rank r, θ ↦ F is
 * locally a function of r coordinates: p − r directions lead along manifolds on which every output stays as it is. If
 * H ⪰ 0 has a kernel of exactly that dimension, it is positive definite in the r coordinates and θ is a local minimum.
 * This holds for any network and whatever makes the outputs constant: units that are off or on for every sample,
 * symmetries, data that do not vary. The rank can only grow away from θ, and near it is the same at almost all points
 * (of an analytic piece), so random points decide with probability 1, up to rounding.
 * For cross-entropy without the mean over classes, which it does not see; for log-likelihoods the target's output alone.
 *
 * @returns null with weight decay, where the rank is another one, differs between points, has no clear gap, where no points lie on the same smooth
 *   piece, or where saturated units would pass for constant ones.
 * Cost: at θ and 3 points, r + 8 products with Jᵀ and 4 (r + 8)² p operations. Source: constant rank theorem. */
export async function constantRank(
  loss: Loss,
  theta: Float64Array,
  rank: number,
  seed: number,
): Promise<ConstantRank | null> {
  const p = theta.length
  if (loss.weightDecay > 0 || (rank + spareRows) ** 2 * p > workMax) return null
  if ((await saturationOf(loss, theta)).saturated > 0) return null
  const near = await pointsNearby(loss, theta, seed)
  if (near === null) return null
  let [kept, dropped] = [Number.POSITIVE_INFINITY, 0]
  for (const at of [theta, ...near.points]) {
    const diagonal = await rankDiagonal(loss, at, rank + spareRows, seed)
    kept = Math.min(kept, rank === 0 ? 1 : (diagonal[rank - 1] ?? 0))
    dropped = Math.max(dropped, diagonal[rank] ?? 0)
    if (kept < keptMin || dropped > Math.min(droppedMax, squareMargin * near.radius ** 2)) return null
  }
  return { rank, points: near.points.length, radius: near.radius, kept, dropped }
}

/** Random points around θ on the same smooth piece of the loss. */
async function pointsNearby(
  loss: Loss,
  theta: Float64Array,
  seed: number,
): Promise<{ points: Float64Array[]; radius: number } | null> {
  const size = norm(theta) / Math.sqrt(theta.length) || 1
  for (const radius of radii) {
    const points: Float64Array[] = []
    for (let i = 0; i < pointCount; i++) {
      const stream = randomStream(seed, 'constant rank', i)
      const moved = theta.map((t) => t + radius * size * stream.normal())
      if (await onSamePiece(loss, theta, moved)) points.push(moved)
    }
    if (points.length === pointCount) return { points, radius }
  }
  return null
}

/** |r_kk| of the pivoted QR factorization of random combinations of the rows of J, relative to the largest. */
async function rankDiagonal(loss: Loss, theta: Float64Array, rows: number, seed: number): Promise<Float64Array> {
  const p = theta.length
  const cotangents = outputCombinations(loss, rows, seed)
  const gradients = await new LossPoint(loss, theta).jacobianTransposed(cotangents, rows)
  const { r } = qr(matrix(rows, p, gradients), { pivot: true })
  const diagonal = Float64Array.from({ length: r.rows }, (_, k) => Math.abs(r.data[k * r.cols + k]))
  const largest = diagonal[0] ?? 0
  return largest > 0 ? diagonal.map((d) => d / largest) : diagonal
}

/** Random cotangents [rows × n·k] of what the loss sees of the outputs. */
function outputCombinations(loss: Loss, rows: number, seed: number): Float64Array {
  const k = sizeOf(loss.model.outputShape)
  const n = loss.samples
  const stream = randomStream(seed, 'constant rank rows')
  const out = stream.normals(rows * n * k)
  const { name } = loss.spec
  if (name === 'negative-log-likelihood' && loss.dataset.targets.dtype === 'int64') {
    const labels = numbersOf(loss.dataset.targets)
    for (let i = 0; i < out.length; i++) if (i % k !== labels[Math.floor(i / k) % n]) out[i] = 0
  }
  if (name === 'cross-entropy')
    for (let start = 0; start < out.length; start += k) {
      let mean = 0
      for (let c = 0; c < k; c++) mean += out[start + c] / k
      for (let c = 0; c < k; c++) out[start + c] -= mean
    }
  return out
}
