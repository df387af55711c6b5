import { DomainError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { frobenius, matmul, matmulTransposedLeft, requireSquare, symmetryDefect } from './matrix.ts'
import { diagonalize, sortEigen } from './tridiagonal.ts'
import type { Tridiagonalization } from './tridiagonalize.ts'
import { accumulateReflectors, tridiagonalize } from './tridiagonalize.ts'
import { firstNonFinite, maxNorm, norm, scale } from './vector.ts'

const epsilon = 2 ** -53

export interface SymmetricEigen {
  /** [n], ascending. */
  readonly values: Float64Array
  /** [n × n], orthonormal eigenvectors in columns, in the order of `values`. */
  readonly vectors: Matrix
}

/** All eigenvalues and eigenvectors of a real symmetric matrix.
 *
 *      A = V Λ Vᵀ ,   V Vᵀ = I
 *
 * Blocked Householder reduction to tridiagonal form, then implicit QL. Backward stable: ‖AV − VΛ‖ is a small multiple
 * of ε‖A‖; values far below ‖A‖ have that absolute, not relative, accuracy.
 *
 * @param a  [n × n]; only the upper triangle enters the result.
 * @throws {ShapeError} if `a` is not square; {DomainError} if an entry is not finite, or if `a` is not symmetric to
 *         1e-8 of its largest entry.
 * Cost: about 8 n³ operations, 2n² numbers.
 * Source: Golub and Van Loan (2013), §8.3; Dongarra, Sorensen, Hammarling (1989) for the blocking. */
export function symmetricEigen(a: Matrix): SymmetricEigen {
  const n = requireSymmetric('symmetricEigen', a)
  const { reduced, unit } = reduce(a)
  const q = accumulateReflectors(reduced)
  diagonalize(reduced.diagonal, reduced.offDiagonal, q, n)
  const values = sortEigen(reduced.diagonal, q, n)
  scale(unit, values)
  return { values, vectors: { rows: n, cols: n, data: q } }
}

/** All eigenvalues of a real symmetric matrix, ascending, without vectors; arguments, errors and accuracy as for
 * `symmetricEigen`. Cost: 4/3 n³ operations, n² numbers. */
export function symmetricEigenvalues(a: Matrix): Float64Array {
  requireSymmetric('symmetricEigenvalues', a)
  const { reduced, unit } = reduce(a)
  diagonalize(reduced.diagonal, reduced.offDiagonal, new Float64Array(0), 0)
  const values = reduced.diagonal.sort()
  scale(unit, values)
  return values
}

/** How well (values, vectors) solve A V = V Λ, in the units in which LAPACK judges: below 30 is right. */
export interface EigenResidual {
  /** ‖AV − VΛ‖_F / (n ε ‖A‖_F). */
  readonly residual: number
  /** ‖VᵀV − I‖_F / (n ε). */
  readonly orthogonality: number
}

/** Residual and orthogonality of eigenpairs, for tests and for reports that want evidence. `vectors` [n × count]. */
export function eigenResidual(a: Matrix, eigen: SymmetricEigen): EigenResidual {
  const { values, vectors } = eigen
  const product = matmul(a, vectors)
  const gram = matmulTransposedLeft(vectors, vectors)
  const count = values.length
  for (let i = 0; i < product.rows; i++) {
    for (let j = 0; j < count; j++) product.data[i * count + j] -= vectors.data[i * count + j] * values[j]
  }
  for (let j = 0; j < count; j++) gram.data[j * count + j] -= 1
  const size = Math.max(1, a.rows) * epsilon
  const length = frobenius(a)
  const defect = norm(product.data)
  return { residual: defect === 0 ? 0 : defect / (size * length), orthogonality: norm(gram.data) / size }
}

/** Tridiagonal form of A / unit, where `unit` is a power of two near the largest entry. */
function reduce(a: Matrix): { reduced: Tridiagonalization; unit: number } {
  const largest = maxNorm(a.data)
  const exponent = largest === 0 ? 0 : Math.max(-1000, Math.min(1000, Math.floor(Math.log2(largest))))
  const work = a.data.slice()
  scale(2 ** -exponent, work)
  return { reduced: tridiagonalize(work, a.rows), unit: 2 ** exponent }
}

function requireSymmetric(where: string, a: Matrix): number {
  requireSquare(where, a)
  const bad = firstNonFinite(a.data)
  if (bad >= 0) {
    const entry = { row: Math.floor(bad / a.cols), column: bad % a.cols, value: a.data[bad] }
    throw new DomainError(`${where}: entries must be finite, got ${entry.value} at (${entry.row}, ${entry.column}).`, {
      ...entry,
    })
  }
  const defect = symmetryDefect(a)
  if (defect > 1e-8) {
    throw new DomainError(
      `${where}: the matrix must be symmetric, got a relative defect of ${defect.toExponential(1)}. ` +
        'Symmetrize it, or use svd.',
      { defect },
    )
  }
  return a.rows
}
