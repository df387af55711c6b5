import { dependents, numbersOf, sizeOf, topologicalOrder } from '@thalweg/graph'
import type { Expr, OperatorName } from '@thalweg/graph'
import { matrix } from '../../linalg/matrix.ts'
import { qr } from '../../linalg/qr.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import { parameterRanges } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'
import { onSamePiece } from './kinks.ts'
import { saturationOf } from './saturation.ts'

export interface ConstantRank {
  /** Of the Jacobian of the outputs, at θ and at all points nearby. */
  readonly rank: number
  /** Points nearby. */
  readonly points: number
  /** How far they lie, in units of the spread 1/√fanIn with which weights are initialized. */
  readonly radius: number
  /** Singular values by pivoted QR, relative to the largest: the smallest of `rank`, and the largest beyond; at the worst
   * of the points. */
  readonly kept: number
  readonly dropped: number
}

const pointCount = 3
/** Distances tried, farthest first: points must lie on the smooth piece of θ. */
const radii = [1, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6]
const keptMin = 1e-9
const droppedMax = 1e-11
/** Where q + 1 factors of a product are all zero at θ, a row of J grows like the q-th power of the distance only: it must
 * not pass for none. */
const powerMargin = 0.1
const products: ReadonlySet<string> = new Set<OperatorName>(['MatMul', 'Mul', 'Div', 'Conv', 'ConvInputGradient'])
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
 * symmetries, data that do not vary. The rank can only grow away from θ, and is the same at almost all points of an
 * analytic piece, near θ or far, so random points decide with probability 1, up to rounding. They are taken as far from θ
 * as the piece and saturation allow, since beside products of factors that vanish at θ the rank grows visibly only there.
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
  const limit = Math.min(droppedMax, powerMargin * near.radius ** productDepth(loss))
  let [kept, dropped] = [Number.POSITIVE_INFINITY, 0]
  for (const at of [theta, ...near.points]) {
    const diagonal = await rankDiagonal(loss, at, rank + spareRows, seed)
    kept = Math.min(kept, rank === 0 ? 1 : (diagonal[rank - 1] ?? 0))
    dropped = Math.max(dropped, diagonal[rank] ?? 0)
    if (kept < keptMin || dropped > limit) return null
  }
  return { rank, points: near.points.length, radius: near.radius, kept, dropped }
}

/** Random points around θ on the same smooth piece of the loss, where nothing saturates. */
async function pointsNearby(
  loss: Loss,
  theta: Float64Array,
  seed: number,
): Promise<{ points: Float64Array[]; radius: number } | null> {
  const spread = spreadOf(loss)
  for (const radius of radii) {
    const points: Float64Array[] = []
    for (let i = 0; i < pointCount; i++) {
      const stream = randomStream(seed, 'constant rank', i)
      const moved = theta.map((t, j) => t + radius * spread[j] * stream.normal())
      if (!(await onSamePiece(loss, theta, moved)) || (await saturationOf(loss, moved)).saturated > 0) break
      points.push(moved)
    }
    if (points.length === pointCount) return { points, radius }
  }
  return null
}

/** 1/√fanIn for each entry of θ [p], 1 where there is no such number. */
function spreadOf({ model, size }: Loss): Float64Array {
  const spread = new Float64Array(size)
  for (const { parameter, start, end } of parameterRanges(model)) {
    const { shape, outputAxis, role } = parameter
    const fanIn = role === 'weight' && outputAxis !== null ? (end - start) / shape[outputAxis] : 1
    spread.fill(1 / Math.sqrt(fanIn), start, end)
  }
  return spread
}

/** The largest number of products of two factors that both depend on θ on a path through the outputs: one less than the
 * layers of a fully connected network. */
function productDepth(loss: Loss): number {
  const { outputs, theta } = loss.graph(loss.chunks[0].size)
  const order = topologicalOrder([outputs])
  const moving = dependents(order, [theta])
  const depths = new Map<Expr, number>()
  for (const node of order) {
    if (!moving.has(node)) continue
    const factors = node.inputs.filter((x) => moving.has(x))
    const before = Math.max(0, ...factors.map((x) => depths.get(x) ?? 0))
    depths.set(node, before + Number(products.has(node.op) && factors.length > 1))
  }
  return depths.get(outputs) ?? 0
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
