import { identity, matrix, matrixFromRows } from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'
import { randomStream } from '../../random/index.ts'
import { linearProblem } from '../../theory/linear/index.ts'
import type { LinearProblem } from '../../theory/linear/index.ts'
import type { ClaimSource } from '../claim.ts'

/** The heading of these claims in the ledger. */
export const topic = 'Deep linear networks'

/** Kawaguchi: "Deep learning without poor local minima". */
export function poorLocalMinima(place: string): ClaimSource {
  return { text: 'Kawaguchi 2016', place, reference: 'arXiv:1605.07110' }
}

/** Targets with eigenvalues φ⁴ and φ⁻⁴ of Σ under X = I. */
const goldenTargets: Matrix = matrixFromRows([
  [2, 1],
  [1, 1],
])

/** X = I, Y = [[2, 1], [1, 1]]: Σ = [[5, 3], [3, 2]], λ = φ⁴, φ⁻⁴, ‖Y‖² = 7. */
export function workedExample(widths: readonly number[]): LinearProblem {
  return linearProblem(identity(2), goldenTargets, widths)
}

/** A d × n matrix of N(0, 1) numbers. */
export function gaussianMatrix(rows: number, cols: number, seed: number, name: string): Matrix {
  return matrix(rows, cols, randomStream(seed, name).normals(rows * cols))
}
