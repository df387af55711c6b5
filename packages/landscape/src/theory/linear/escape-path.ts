import { DomainError } from '@thalweg/graph'
import { column, dot, gemv, gemvTransposed, matmul, norm, zeros } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { classLoss, criticalClass } from './critical-classes.ts'
import type { CriticalBlocks } from './critical-point.ts'
import { criticalPoint, requireHiddenLayer, zeroBlocks } from './critical-point.ts'
import { lastLayersProjection } from './critical-lemmas.ts'
import { linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { flattenWeights } from './linear-weights.ts'

/** A curve that leaves a saddle downwards, with the loss along it in closed form. */
export interface EscapePath {
  readonly kind: 'rotation' | 'order-L'
  /** The loss falls on (0, tEnd]. */
  readonly tEnd: number
  /** The order of the first derivative of the loss that does not vanish: 2, or L. */
  readonly order: number
  weightsAt(t: number): Matrix[]
  lossAt(t: number): number
}

export interface RotationEscape extends EscapePath {
  /** The derivative of the path at t = 0: a direction with D²L̄ = −(λ_j − λ_i). */
  readonly tangent: readonly Matrix[]
}

/** The rotation that shows a critical point with i ∈ S, j ∉ S, λ_j > λ_i to be a strict saddle: with the rotation G of the
 * plane (u_i, u_j) by t and C = W_L ⋯ W_2,
 *
 *      W_L → G W_L ,   W_1 → W_1 + C⁺ (Gᵀ − I) R ,   L(t) = L_S − ½ (λ_j − λ_i) sin² t .
 *
 * It needs nothing of the point but that it is critical, because C C⁺ then commutes with Σ: for the points of
 * `criticalPoint` it is the rotation of u_i in the columns U_S of W_L and the rows U_Sᵀ R of W_1, for any D_k and Z_k.
 *
 * @param kept  i, 1-based; of equal eigenvalues (also λ = 0) the direction that C C⁺ keeps is taken.
 * @param left  j with λ_j > λ_i, likewise.
 * @throws {DomainError} if there is no hidden layer, λ_j > λ_i does not hold, or the point does not keep i and leave j. */
export function rotationEscape(
  problem: LinearProblem,
  weights: LinearWeights,
  kept: number,
  left: number,
): RotationEscape {
  requireHiddenLayer('rotationEscape', problem)
  const { eigenvalues, leastSquaresMap } = problem
  const gain = eigenvalues[left - 1] - eigenvalues[kept - 1]
  if (!(gain > 0)) {
    throw new DomainError(`rotationEscape: needs eigenvalues λ_left > λ_kept, got positions ${left} and ${kept}.`)
  }
  const { projection, inverse } = lastLayersProjection(weights)
  const u = directionIn(problem, kept, (v) => gemv(projection, v))
  const v = directionIn(problem, left, (w) => gemv(projection, w).map((entry, i) => w[i] - entry))
  const start = linearLoss(problem, weights)
  const last = weights[weights.length - 1]
  // Changes of W_L and W_1 for G − I = `terms`; (Gᵀ − I) is that of the opposite angle.
  const changes = (terms: OuterTerms, transposed: OuterTerms): { top: Matrix; bottom: Matrix } => ({
    top: outerTimes(terms, last),
    bottom: matmul(inverse, outerTimes(transposed, leastSquaresMap)),
  })
  const tangent = changes(
    [
      [1, v, u],
      [-1, u, v],
    ],
    [
      [-1, v, u],
      [1, u, v],
    ],
  )
  return {
    kind: 'rotation',
    tEnd: Math.PI / 2,
    order: 2,
    tangent: [tangent.bottom, ...weights.slice(1, -1).map((w) => zeros(w.rows, w.cols)), tangent.top],
    lossAt: (t) => start - (gain * Math.sin(t) ** 2) / 2,
    weightsAt(t) {
      const { top, bottom } = changes(rotationTerms(u, v, t), rotationTerms(u, v, -t))
      return [sum(weights[0], bottom), ...weights.slice(1, -1), sum(last, top)]
    },
  }
}

/** The unit vector that a projection keeps most of, among the eigenvectors whose eigenvalue equals that at `position`. */
function directionIn(
  { eigenvalueGroups: groups, eigenvectors }: LinearProblem,
  position: number,
  project: (v: Float64Array) => Float64Array,
): Float64Array {
  let best = new Float64Array(eigenvectors.rows)
  for (let k = 0; k < groups.length; k++) {
    if (groups[k] !== groups[position - 1]) continue
    const image = project(column(eigenvectors, k))
    if (norm(image) > norm(best)) best = Float64Array.from(image)
  }
  const length = norm(best)
  if (length < 0.5) {
    throw new DomainError(
      `rotationEscape: the point must keep one eigenvector and leave the other, got neither at ${position}.`,
    )
  }
  return best.map((entry) => entry / length)
}

type OuterTerms = readonly (readonly [number, Float64Array, Float64Array])[]

/** G − I of the rotation u → cos t u + sin t v as terms coefficient · a bᵀ. */
function rotationTerms(u: Float64Array, v: Float64Array, t: number): OuterTerms {
  const versine = -2 * Math.sin(t / 2) ** 2
  return [
    [versine, u, u],
    [versine, v, v],
    [Math.sin(t), v, u],
    [-Math.sin(t), u, v],
  ]
}

/** (Σ coefficient · a bᵀ) M. */
function outerTimes(terms: OuterTerms, m: Matrix): Matrix {
  const data = new Float64Array(m.rows * m.cols)
  for (const [coefficient, a, b] of terms) {
    const carried = gemvTransposed(m, b)
    for (let i = 0; i < m.rows; i++)
      for (let j = 0; j < m.cols; j++) data[i * m.cols + j] += coefficient * a[i] * carried[j]
  }
  return { rows: m.rows, cols: m.cols, data }
}

function sum(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((entry, i) => entry + b.data[i]) }
}

/** The way out of the point Z = 0 of class S towards S ∪ {j}: Z_1 = t e_1 u_jᵀR, Z_k = t e_1 e_1ᵀ, Z_L = t e_j e_1ᵀ gives
 *
 *      L(t) = L_S − λ_j (t^L − ½ t^{2L}) ,
 *
 * falling on (0, 1] and flat up to order L at t = 0, although the Hessian there may be ⪰ 0.
 *
 * @param left   j ∉ S, 1-based, λ_j > 0.
 * @param bases  the D_k of the point; default identities.
 * @throws {DomainError} if there is no hidden layer, j ∈ S, or S has rank r_max already. */
export function orderLEscape(
  problem: LinearProblem,
  subset: readonly number[],
  left: number,
  bases?: CriticalBlocks['bases'],
): EscapePath {
  requireHiddenLayer('orderLEscape', problem)
  const { layers, eigenvalues, eigenvectors, leastSquaresMap, signalRank, rankMax } = problem
  const start = classLoss(problem, subset)
  if (
    !(Number.isInteger(left) && left >= 1 && left <= signalRank) ||
    subset.includes(left) ||
    subset.length >= rankMax
  ) {
    throw new DomainError(
      `orderLEscape: needs a position outside S with a positive eigenvalue and |S| < ${rankMax}, got ${left} for S = {${subset}}.`,
    )
  }
  const position = Array.from({ length: eigenvalues.length }, (_, i) => i + 1)
    .filter((i) => !subset.includes(i))
    .indexOf(left)
  const gain = eigenvalues[left - 1]
  const target = gemvTransposed(leastSquaresMap, column(eigenvectors, left - 1))
  return {
    kind: 'order-L',
    tEnd: 1,
    order: layers,
    lossAt: (t) => start - gain * (t ** layers - t ** (2 * layers) / 2),
    weightsAt(t) {
      const z = zeroBlocks(problem, subset.length)
      z[0].data.set(target.map((entry) => t * entry))
      for (let k = 1; k < layers - 1; k++) z[k].data[0] = t
      z[layers - 1].data[position * z[layers - 1].cols] = t
      return criticalPoint(problem, subset, { z, bases })
    },
  }
}

/** The way down that theory knows from a class, or `undefined` where it is a global minimum: a rotation if S leaves out a
 * larger eigenvalue, else the order-L path to the largest eigenvalue left out. Both start at the canonical point.
 * @throws {DomainError} if the subset names no class. */
export function canonicalEscape(problem: LinearProblem, subset: readonly number[]): EscapePath | undefined {
  const { top, kinds } = criticalClass(problem, subset)
  if (kinds[0] === 'global-minimum') return undefined
  if (top) return orderLEscape(problem, subset, largestLeft(problem, subset))
  const kept = subset[subset.length - 1]
  return rotationEscape(problem, criticalPoint(problem, subset), kept, largestLeft(problem, subset))
}

function largestLeft({ signalRank }: LinearProblem, subset: readonly number[]): number {
  return Array.from({ length: signalRank }, (_, i) => i + 1).find((i) => !subset.includes(i))!
}

/** A path with the loss measured along it. */
export interface MeasuredEscape {
  readonly kind: EscapePath['kind']
  readonly order: number
  readonly points: readonly { readonly t: number; readonly loss: number; readonly predicted: number }[]
  /** max |loss − predicted| / max(‖Y‖², 1e-300). */
  readonly error: number
  /** Distance of the end from the start in weights. */
  readonly length: number
}

/** Evaluates the loss at `count` + 1 points of [0, tEnd]. */
export function measureEscape(problem: LinearProblem, path: EscapePath, count: number = 50): MeasuredEscape {
  const points = Array.from({ length: count + 1 }, (_, k) => {
    const t = (path.tEnd * k) / count
    return { t, loss: linearLoss(problem, path.weightsAt(t)), predicted: path.lossAt(t) }
  })
  const worst = Math.max(...points.map(({ loss, predicted }) => Math.abs(loss - predicted)))
  const ends = [0, path.tEnd].map((t) => flattenWeights(path.weightsAt(t)))
  return {
    kind: path.kind,
    order: path.order,
    points,
    error: worst / Math.max(problem.squaredTargets, 1e-300),
    length: norm(ends[1].map((w, i) => w - ends[0][i])),
  }
}

/** How much of each eigenvector a map P keeps: a_i = u_iᵀ P X Yᵀ u_i / λ_i, [signalRank]; 1 or 0 at a critical point with
 * distinct eigenvalues. */
export function keptSignal(problem: LinearProblem, map: Matrix): Float64Array {
  const { eigenvalues, eigenvectors, crossMoment, signalRank } = problem
  return Float64Array.from({ length: signalRank }, (_, i) => {
    const u = column(eigenvectors, i)
    return dot(u, gemv(map, gemvTransposed(crossMoment, u))) / eigenvalues[i]
  })
}
