import { DomainError } from '@thalweg/graph'
import { matmulTransposedLeft, matmulTransposedRight, matrix, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { randomStream } from '../../random/random-stream.ts'
import { difference, spectralNorm } from './gram-problem.ts'
import { infiniteKernel } from './infinite-kernel.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'

export interface TwoLayerReluOptions {
  /** Hidden neurons m. */
  readonly width: number
  readonly stepSize: number
  readonly steps: number
  readonly seed?: number
  /** Divides inputs by their norm. Default false. */
  readonly normalize?: boolean
}

export interface TwoLayerReluRun {
  /** λ_0 = λ_min(H^∞), H^∞_ij = ⟨x_i, x_j⟩ (π − arccos⟨x_i, x_j⟩)/(2π). */
  readonly lambda: SmallestEigenvalue
  /** ‖u(k) − y‖², k = 0 … steps. */
  readonly squaredErrors: Float64Array
  /** Steps at which ‖u(k) − y‖² > (1 − ηλ_0/2)ᵏ ‖u(0) − y‖². */
  readonly violations: number
  /** Share of the mn activation patterns that changed. */
  readonly patternChange: number
  /** max_r ‖w_r(k) − w_r(0)‖, and the theorem's 4 √n ‖y − u(0)‖ / (√m λ_0). */
  readonly largestMovement: number
  readonly movementBound: number
  /** ‖H(k) − H^∞‖₂ / ‖H^∞‖₂ at the end. */
  readonly gramDistance: number
}

/** The two-layer network of Du, Zhai, Póczos and Singh (ICLR 2019): f = m^(−½) Σ_r a_r relu(w_rᵀx), a_r = ±1 fixed,
 * w_r ~ N(0, I) trained by gradient descent on ½ Σ (f − y)².
 * @param x  [n × d], rows of norm 1.
 * @param y  [n].
 * @throws {DomainError} if sizes do not fit or a row has another norm.
 * Cost: 4 n m d operations a step. */
export async function twoLayerRelu(x: Matrix, y: Float64Array, options: TwoLayerReluOptions): Promise<TwoLayerReluRun> {
  const { width, stepSize, steps, seed = 0, normalize } = options
  if (y.length !== x.rows) throw new DomainError(`twoLayerRelu: needs ${x.rows} targets, got ${y.length}.`)
  const kernel = infiniteKernel(x, { architecture: 'fc', depth: 1, activation: 'relu', normalize })
  // K⁽¹⁾ carries c_σ = 2; here the scale of a layer is 1/√m
  const limit = matrix(
    x.rows,
    x.rows,
    kernel.gram.data.map((value) => value / 2),
  )
  const lambda = await smallestEigenvalue(limit, kernel.errors.gram)
  const start = matrix(width, x.cols, randomStream(seed, 'two-layer weights').normals(width * x.cols))
  const signs = randomStream(seed, 'two-layer signs').rademacher(width)
  const weights = { ...start, data: start.data.slice() }
  const squaredErrors = new Float64Array(steps + 1)
  let state = forward(x, weights, signs, y)
  const before = state
  squaredErrors[0] = state.squaredError
  for (let k = 1; k <= steps; k++) {
    const gradient = matmulTransposedLeft(state.cotangents, x)
    for (let at = 0; at < gradient.data.length; at++) weights.data[at] -= stepSize * gradient.data[at]
    state = forward(x, weights, signs, y)
    squaredErrors[k] = state.squaredError
  }
  const bound = (k: number): number => squaredErrors[0] * (1 - (stepSize * lambda.value) / 2) ** k
  return {
    lambda,
    squaredErrors,
    violations: squaredErrors.filter((value, k) => value > bound(k) * (1 + 1e-12) + 1e-28 * squaredErrors[0]).length,
    patternChange: changedShare(before.pre, state.pre),
    largestMovement: largestRowDistance(start, weights),
    movementBound: (4 * Math.sqrt(x.rows * squaredErrors[0])) / (Math.sqrt(width) * lambda.value),
    gramDistance: spectralNorm(difference(gramOf(x, state.pre), limit)) / spectralNorm(limit),
  }
}

interface ForwardState {
  /** w_rᵀx_i, [n × m]. */
  readonly pre: Matrix
  /** ∂L/∂(w_rᵀx_i), [n × m]. */
  readonly cotangents: Matrix
  readonly squaredError: number
}

function forward(x: Matrix, weights: Matrix, signs: Float64Array, y: Float64Array): ForwardState {
  const pre = matmulTransposedRight(x, weights)
  const width = weights.rows
  const scale = 1 / Math.sqrt(width)
  const cotangents = zeros(x.rows, width)
  let squaredError = 0
  for (let i = 0; i < x.rows; i++) {
    let output = 0
    for (let r = 0; r < width; r++) output += signs[r] * Math.max(0, pre.data[i * width + r])
    const error = scale * output - y[i]
    squaredError += error * error
    for (let r = 0; r < width; r++)
      if (pre.data[i * width + r] >= 0) cotangents.data[i * width + r] = scale * error * signs[r]
  }
  return { pre, cotangents, squaredError }
}

/** H_ij = ⟨x_i, x_j⟩ · share of the neurons active on both. */
function gramOf(x: Matrix, pre: Matrix): Matrix {
  const active = { ...pre, data: pre.data.map((value) => (value >= 0 ? 1 : 0)) }
  const both = matmulTransposedRight(active, active)
  const products = matmulTransposedRight(x, x)
  return { ...products, data: products.data.map((value, at) => (value * both.data[at]) / pre.cols) }
}

function changedShare(before: Matrix, after: Matrix): number {
  return before.data.filter((value, at) => value >= 0 !== after.data[at] >= 0).length / before.data.length
}

function largestRowDistance(a: Matrix, b: Matrix): number {
  let largest = 0
  for (let i = 0; i < a.rows; i++) {
    let sum = 0
    for (let j = 0; j < a.cols; j++) sum += (a.data[i * a.cols + j] - b.data[i * a.cols + j]) ** 2
    largest = Math.max(largest, Math.sqrt(sum))
  }
  return largest
}
