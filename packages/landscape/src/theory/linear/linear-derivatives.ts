import { frobenius, matmul, matmulTransposedLeft, matmulTransposedRight, transpose, zeros } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap, layerProduct, requireWeights } from './linear-weights.ts'

/** E = W_L ⋯ W_1 X − Y, [d_y × m']. */
export function linearResidual(problem: LinearProblem, weights: LinearWeights): Matrix {
  const residual = matmul(endToEndMap(weights), problem.x)
  for (let i = 0; i < residual.data.length; i++) residual.data[i] -= problem.y.data[i]
  return residual
}

/** L̄(W) = ½‖E‖², a sum over samples.
 * @throws {ShapeError} if the weights do not fit the widths. */
export function linearLoss(problem: LinearProblem, weights: LinearWeights): number {
  requireWeights('linearLoss', problem.widths, weights)
  return frobenius(linearResidual(problem, weights)) ** 2 / 2
}

/** The products around layer k that all derivatives are made of (`left[k − 1]`, `right[k − 1]`). */
interface LayerFactors {
  /** A_k = W_L ⋯ W_{k+1}, [d_y × d_k]. */
  readonly left: readonly Matrix[]
  /** B_k = W_{k−1} ⋯ W_1 X, [d_{k−1} × m']. */
  readonly right: readonly Matrix[]
}

function layerFactors(problem: LinearProblem, weights: LinearWeights): LayerFactors {
  const layers = weights.length
  const left: Matrix[] = new Array(layers)
  left[layers - 1] = layerProduct(weights, layers, layers + 1)
  for (let k = layers - 2; k >= 0; k--) left[k] = matmul(left[k + 1], weights[k + 1])
  const right = [problem.x]
  for (let k = 1; k < layers; k++) right.push(matmul(weights[k - 1], right[k - 1]))
  return { left, right }
}

/** ∂L̄/∂W_k = A_kᵀ E B_kᵀ for k = 1 … L.
 * @throws {ShapeError} if the weights do not fit the widths. Source: Kawaguchi 2016, Lemma 4.1. */
export function linearGradient(problem: LinearProblem, weights: LinearWeights): Matrix[] {
  requireWeights('linearGradient', problem.widths, weights)
  const { left, right } = layerFactors(problem, weights)
  const residual = linearResidual(problem, weights)
  return weights.map((_, k) => matmulTransposedRight(matmulTransposedLeft(left[k], residual), right[k]))
}

/** The second-order form
 *
 *      D²L̄[V, V] = ‖Σ_k A_k V_k B_k‖² + 2 Σ_{i<j} ⟨E, A_j V_j (W_{j−1} ⋯ W_{i+1}) V_i B_i⟩ .
 *
 * @throws {ShapeError} if weights or direction do not fit the widths. Cost: O(L²) products, no Hessian. */
export function linearSecondOrderForm(
  problem: LinearProblem,
  weights: LinearWeights,
  direction: LinearWeights,
): number {
  requireWeights('linearSecondOrderForm', problem.widths, weights)
  requireWeights('linearSecondOrderForm', problem.widths, direction)
  const { left, right } = layerFactors(problem, weights)
  const residual = linearResidual(problem, weights)
  const first = zeros(residual.rows, residual.cols)
  let cross = 0
  for (let i = 0; i < weights.length; i++) {
    let carried = matmul(direction[i], right[i])
    accumulate(first, matmul(left[i], carried))
    for (let j = i + 1; j < weights.length; j++) {
      cross += innerProduct(residual, matmul(left[j], matmul(direction[j], carried)))
      carried = matmul(weights[j], carried)
    }
  }
  return frobenius(first) ** 2 + 2 * cross
}

function accumulate(target: Matrix, term: Matrix): void {
  for (let i = 0; i < target.data.length; i++) target.data[i] += term.data[i]
}

function innerProduct(a: Matrix, b: Matrix): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += a.data[i] * b.data[i]
  return sum
}

/** The dense Hessian [p × p] in the flat θ, from its Kronecker blocks
 *
 *      H_kk = (A_kᵀA_k) ⊗ (B_kB_kᵀ) ,   H_ij = (A_iᵀA_j) ⊗ (B_iB_jᵀ) + R_ij ,   i < j ,
 *      R_ij[(p,a),(b,c)] = (B_i Eᵀ A_j)[a,b] · (W_{j−1} ⋯ W_{i+1})[c,p] ,
 *
 * (row, column) of V_i and of V_j. Symmetric to the bit.
 * @throws {ShapeError} if the weights do not fit the widths.
 * Cost: p² numbers and a few operations for each. Source: Kawaguchi 2016, Lemma 4.3. */
export function linearHessian(problem: LinearProblem, weights: LinearWeights): Matrix {
  requireWeights('linearHessian', problem.widths, weights)
  const { left, right } = layerFactors(problem, weights)
  const residual = linearResidual(problem, weights)
  const size = problem.parameterCount
  const hessian = zeros(size, size)
  const starts = blockStarts(weights)
  for (let i = 0; i < weights.length; i++) {
    const outer = matmulTransposedRight(right[i], residual)
    for (let j = i; j < weights.length; j++) {
      const block: Block = {
        rowStart: starts[i],
        columnStart: starts[j],
        gramLeft: matmulTransposedLeft(left[i], left[j]),
        gramRight: matmulTransposedRight(right[i], right[j]),
      }
      addKronecker(hessian, block)
      if (j > i) addResidualTerm(hessian, block, matmul(outer, left[j]), transpose(layerProduct(weights, j, i + 2)))
    }
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) hessian.data[i * size + j] = hessian.data[j * size + i]
  return hessian
}

function blockStarts(weights: LinearWeights): number[] {
  let start = 0
  return weights.map(({ data }) => {
    const here = start
    start += data.length
    return here
  })
}

interface Block {
  readonly rowStart: number
  readonly columnStart: number
  /** A_iᵀA_j [d_i × d_j] and B_iB_jᵀ [d_{i−1} × d_{j−1}]. */
  readonly gramLeft: Matrix
  readonly gramRight: Matrix
}

function addKronecker(hessian: Matrix, { rowStart, columnStart, gramLeft, gramRight }: Block): void {
  const { rows: outRows, cols: outColumns } = gramLeft
  const { rows: inRows, cols: inColumns } = gramRight
  for (let p = 0; p < outRows; p++) {
    for (let a = 0; a < inRows; a++) {
      const line = (rowStart + p * inRows + a) * hessian.cols + columnStart
      for (let b = 0; b < outColumns; b++) {
        const factor = gramLeft.data[p * outColumns + b]
        for (let c = 0; c < inColumns; c++) {
          hessian.data[line + b * inColumns + c] += factor * gramRight.data[a * inColumns + c]
        }
      }
    }
  }
}

/** `outer` = B_i Eᵀ A_j [d_{i−1} × d_j]; `between` = (W_{j−1} ⋯ W_{i+1})ᵀ [d_i × d_{j−1}]. */
function addResidualTerm(hessian: Matrix, { rowStart, columnStart }: Block, outer: Matrix, between: Matrix): void {
  const inColumns = between.cols
  for (let p = 0; p < between.rows; p++) {
    for (let a = 0; a < outer.rows; a++) {
      const line = (rowStart + p * outer.rows + a) * hessian.cols + columnStart
      for (let b = 0; b < outer.cols; b++) {
        const factor = outer.data[a * outer.cols + b]
        for (let c = 0; c < inColumns; c++) {
          hessian.data[line + b * inColumns + c] += factor * between.data[p * inColumns + c]
        }
      }
    }
  }
}
