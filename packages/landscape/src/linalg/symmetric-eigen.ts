import { DomainError } from '@thalweg/graph'
import { divideAndConquer } from './divide-and-conquer.ts'
import type { Matrix } from './matrix.ts'
import {
  frobenius,
  gemv,
  gemvTransposed,
  matmul,
  matmulTransposedLeft,
  matrixFromRows,
  requireSquare,
  row,
  symmetryDefect,
  transpose,
} from './matrix.ts'
import { RotationLog } from './rotation-log.ts'
import { RotationQueue } from './rotation-queue.ts'
import { diagonalize } from './tridiagonal.ts'
import type { Tridiagonalization } from './tridiagonalize.ts'
import { applyReflectors, reflectVector, tridiagonalize } from './tridiagonalize.ts'
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
 *      A V = V Λ Vᵀ ,   V Vᵀ = I
 *
 * Arguments, errors and accuracy as for `symmetricEigenbasis`, which is cheaper where not all vectors are read.
 * Cost: at most about 5 n³ operations, 4n² numbers. */
export function symmetricEigen(a: Matrix): SymmetricEigen {
  requireSymmetric('symmetricEigen', a)
  const { values, columns } = decomposed(a)
  return { values, vectors: columns() }
}

/** A symmetric matrix in the form A = V Λ Vᵀ, with V = Q Z as orthogonal factors: enough for every f(A) x. */
export interface SpectralFactors {
  readonly size: number
  /** [n], ascending. */
  readonly values: Float64Array
  /** Vᵀ x, the coordinates of x [n] along the eigenvectors. Cost: 4n² operations. */
  coordinates(x: Float64Array): Float64Array
  /** V c, the vector with coordinates c [n]. Cost: 4n² operations. */
  combination(c: Float64Array): Float64Array
}

export interface SymmetricEigenbasis extends SpectralFactors {
  /** The eigenvectors at these positions as rows. Cost: 2n² operations each, faster in large groups. */
  vectors(positions: readonly number[]): Matrix
}

/** All eigenvalues of a real symmetric matrix, and its eigenvectors as a product of factors, which saves two fifths of the
 * work where some of them are wanted.
 *
 * Blocked Householder reduction to tridiagonal form, then divide and conquer. Backward stable: ‖AV − VΛ‖ is a small
 * multiple of ε‖A‖; values far below ‖A‖ have that absolute, not relative, accuracy.
 *
 * @param a  [n × n]; only the upper triangle enters the result.
 * @throws {ShapeError} if `a` is not square; {DomainError} if an entry is not finite, or if `a` is not symmetric to
 *         1e-8 of its largest entry.
 * Cost: at most about 3 n³ operations, 4n² numbers while it works and 2n² after.
 * Source: Golub and Van Loan (2013), §8.3, 8.4; Dongarra, Sorensen, Hammarling (1989) for the blocking. */
export function symmetricEigenbasis(a: Matrix): SymmetricEigenbasis {
  const size = requireSymmetric('symmetricEigenbasis', a)
  const { reduced, rows, values, columns } = decomposed(a)
  return {
    size,
    values,
    vectors: (positions) => {
      if (positions.length > groupMin) return transpose(columns(positions))
      const data = new Float64Array(positions.length * size)
      positions.forEach((position, i) => {
        const v = row(rows, position).slice()
        reflectVector(reduced, v, false)
        data.set(v, i * size)
      })
      return { rows: positions.length, cols: size, data }
    },
    coordinates: (x) => {
      const image = x.slice()
      reflectVector(reduced, image, true)
      return gemv(rows, image)
    },
    combination: (c) => {
      const v = gemvTransposed(rows, c)
      reflectVector(reduced, v, false)
      return v
    },
  }
}

/** All eigenvalues of a real symmetric matrix, and what functions of it need, by QL whose rotations are kept; arguments,
 * errors and accuracy as for `symmetricEigenbasis`. Cost: 4/3 n³ + O(n²) operations, about 4n² numbers. */
export function spectralFactors(a: Matrix): SpectralFactors {
  const size = requireSymmetric('spectralFactors', a)
  const { reduced, unit } = reduce(a)
  const rotations = new RotationLog(size)
  const unordered = reduced.diagonal
  diagonalize(unordered, reduced.offDiagonal, rotations)
  scale(unit, unordered)
  const order = Array.from(unordered.keys()).sort((i, j) => unordered[i] - unordered[j] || i - j)
  return {
    size,
    values: Float64Array.from(order, (i) => unordered[i]),
    coordinates: (x) => {
      const image = x.slice()
      reflectVector(reduced, image, true)
      rotations.applyTransposed(image)
      return Float64Array.from(order, (i) => image[i])
    },
    combination: (c) => {
      const v = new Float64Array(size)
      order.forEach((from, to) => {
        v[from] = c[to]
      })
      rotations.apply(v)
      reflectVector(reduced, v, false)
      return v
    },
  }
}

/** More vectors than these are transformed back as a matrix. */
const groupMin = 8

interface Decomposed {
  readonly reduced: Tridiagonalization
  readonly values: Float64Array
  /** Eigenvectors of the tridiagonal form, as rows. */
  readonly rows: Matrix
  /** Eigenvectors of the matrix, as columns; all, or those at some positions. */
  columns(positions?: readonly number[]): Matrix
}

function decomposed(a: Matrix): Decomposed {
  const { reduced, unit } = reduce(a)
  const values = reduced.diagonal
  const n = values.length
  const rows: Matrix = { rows: n, cols: n, data: divideAndConquer(values, reduced.offDiagonal) }
  scale(unit, values)
  const columns = (positions?: readonly number[]): Matrix => {
    const x = transpose(positions ? matrixFromRows(positions.map((position) => row(rows, position))) : rows)
    applyReflectors(reduced, x.data, x.cols)
    return x
  }
  return { reduced, values, rows, columns }
}

/** All eigenvalues of a real symmetric matrix, ascending, without vectors, by implicit QL: equal to those of
 * `symmetricEigen` up to rounding. Arguments, errors and accuracy as there. Cost: 4/3 n³ operations, n² numbers. */
export function symmetricEigenvalues(a: Matrix): Float64Array {
  const size = requireSymmetric('symmetricEigenvalues', a)
  const { reduced, unit } = reduce(a)
  diagonalize(reduced.diagonal, reduced.offDiagonal, new RotationQueue(new Float64Array(0), 0, size))
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
