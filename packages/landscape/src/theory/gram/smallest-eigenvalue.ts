import { DomainError } from '@thalweg/graph'
import { cholesky } from '../../linalg/cholesky.ts'
import type { Cholesky } from '../../linalg/cholesky.ts'
import { extremeEigenpairs } from '../../linalg/extreme-eigenpairs.ts'
import { copyMatrix, frobenius, gemv, requireSquare } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { symmetricEigen, symmetricEigenvalues } from '../../linalg/symmetric-eigen.ts'
import { axpy, dot, norm, scale } from '../../linalg/vector.ts'

export interface SmallestEigenvalue {
  readonly value: number
  /** |λ_min of the exact matrix − value| is at most this: residual, rounding, and what errors of the entries can do. */
  readonly bound: number
  readonly largest: number
  /** Of norm 1; null where it was not computed. */
  readonly vector: Float64Array | null
  readonly residualNorm: number | null
  /** `dense`: all eigenvalues, none can be missing. `factored`: inverse Lanczos, and a Cholesky factorization of
   * A − (value − bound) I that shows that no eigenvalue lies below. */
  readonly method: 'dense' | 'factored'
}

const denseMax = 500
const epsilon = 2 ** -53

/** The smallest eigenvalue of a symmetric positive semidefinite matrix, with a bound of its error.
 *
 * @param entryError  how far an entry may be from that of the exact matrix; it moves eigenvalues by at most n times that
 *                    (Weyl).
 * @throws {DomainError} if an entry is not finite.
 * Cost: 8 n³ operations up to n = 500, n³ beyond; where the matrix is singular to rounding, 4/3 n³. */
export async function smallestEigenvalue(a: Matrix, entryError: number = 0): Promise<SmallestEigenvalue> {
  requireSquare('smallestEigenvalue', a)
  if (a.rows === 0) throw new DomainError('smallestEigenvalue: the matrix must not be empty, got 0 × 0.')
  const entries = a.rows * entryError
  if (a.rows <= denseMax) return dense(a, entries)
  return (await factored(a, entries)) ?? valuesOnly(a, entries)
}

/** What symmetric eigensolvers promise: a small multiple of n ε‖A‖. */
function rounding(a: Matrix): number {
  return 4 * Math.sqrt(a.rows) * epsilon * frobenius(a)
}

function dense(a: Matrix, entries: number): SmallestEigenvalue {
  const { values, vectors } = symmetricEigen(a)
  const vector = Float64Array.from({ length: a.rows }, (_, i) => vectors.data[i * a.rows])
  const residualNorm = residual(a, vector, values[0])
  return {
    value: values[0],
    bound: residualNorm + rounding(a) + entries,
    largest: values[a.rows - 1],
    vector,
    residualNorm,
    method: 'dense',
  }
}

function valuesOnly(a: Matrix, entries: number): SmallestEigenvalue {
  const values = symmetricEigenvalues(a)
  const bound = rounding(a) + entries
  return { value: values[0], bound, largest: values[a.rows - 1], vector: null, residualNorm: null, method: 'dense' }
}

function residual(a: Matrix, vector: Float64Array, value: number): number {
  const product = gemv(a, vector)
  axpy(-value, vector, product)
  return norm(product)
}

/** Undefined where the matrix, or the shifted one, has no Cholesky factorization. */
async function factored(a: Matrix, entries: number): Promise<SmallestEigenvalue | undefined> {
  const size = a.rows
  const factor = factorization(a)
  if (!factor) return undefined
  const inverse = { size, apply: async (v: Float64Array) => factor.solve(v) }
  const { top } = await extremeEigenpairs(inverse, {
    top: 1,
    tolerance: 1e-8,
    maxProducts: 300,
    verifyMultiplicity: false,
  })
  const direct = { size, apply: async (v: Float64Array) => gemv(a, v) }
  const { top: largest } = await extremeEigenpairs(direct, { top: 1, tolerance: 1e-6, verifyMultiplicity: false })
  const vector = refined(factor, top[0].vector)
  const value = dot(vector, gemv(a, vector))
  const residualNorm = residual(a, vector, value)
  const bound = 2 * residualNorm + rounding(a)
  const shifted = copyMatrix(a)
  for (let i = 0; i < size; i++) shifted.data[i * size + i] -= value - bound
  if (!factorization(shifted)) return undefined
  return { value, bound: bound + entries, largest: largest[0].value, vector, residualNorm, method: 'factored' }
}

/** Three steps of inverse iteration: they remove what is left of large eigenvalues, which weighs most in the residual. */
function refined(factor: Cholesky, start: Float64Array): Float64Array {
  let vector = start
  for (let step = 0; step < 3; step++) {
    vector = factor.solve(vector)
    scale(1 / norm(vector), vector)
  }
  return vector
}

function factorization(a: Matrix): Cholesky | undefined {
  try {
    return cholesky(a)
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}
