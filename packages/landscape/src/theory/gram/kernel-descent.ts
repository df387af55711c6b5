import { ShapeError } from '@thalweg/graph'
import { gemv, gemvTransposed } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { symmetricEigen } from '../../linalg/symmetric-eigen.ts'

/** What training would do if the Gram matrix stayed what it is. */
export interface KernelDescent {
  /** Eigenvalues of the Gram matrix, ascending. */
  readonly eigenvalues: Float64Array
  /** ⟨v_i, r₀⟩² for each eigenvector: how much of the error sits where it is learned fast or slowly. */
  readonly spectralContent: Float64Array
  /** u − y after k steps of gradient descent on ½‖u − y‖²: (I − ηG)ᵏ r₀. */
  residualAfter(steps: number, stepSize: number): Float64Array
  /** u − y at time t of gradient flow: e^(−Gt) r₀. */
  residualAt(time: number): Float64Array
  /** ½‖u − y‖² after k steps. */
  lossAfter(steps: number, stepSize: number): number
  lossAt(time: number): number
}

/** The linear dynamics of the outputs under a fixed Gram matrix (Jacot et al. 2018; exact in the limit of infinite width
 * and for linear models):
 *
 *     u(t) = y + e^(−Gt) (u(0) − y) ,   u(k) = y + (I − ηG)ᵏ (u(0) − y)
 *
 * @param gram      [N × N], symmetric positive semidefinite.
 * @param residual  u(0) − y, [N].
 * @throws {ShapeError} if sizes differ.
 * Cost: 8 N³ once, N² per time. */
export function kernelDescent(gram: Matrix, residual: Float64Array): KernelDescent {
  if (gram.rows !== residual.length)
    throw new ShapeError(`kernelDescent: the residual must have ${gram.rows} entries, got ${residual.length}.`)
  const { values, vectors } = symmetricEigen(gram)
  const content = gemvTransposed(vectors, residual)
  const scaled = (factor: (value: number) => number): Float64Array =>
    gemv(
      vectors,
      content.map((c, i) => c * factor(values[i])),
    )
  const loss = (factor: (value: number) => number): number =>
    content.reduce((sum, c, i) => sum + (c * factor(values[i])) ** 2, 0) / 2
  const discrete = (steps: number, stepSize: number) => (value: number) => (1 - stepSize * value) ** steps
  const continuous = (time: number) => (value: number) => Math.exp(-value * time)
  return {
    eigenvalues: values,
    spectralContent: content.map((c) => c * c),
    residualAfter: (steps, stepSize) => scaled(discrete(steps, stepSize)),
    residualAt: (time) => scaled(continuous(time)),
    lossAfter: (steps, stepSize) => loss(discrete(steps, stepSize)),
    lossAt: (time) => loss(continuous(time)),
  }
}
