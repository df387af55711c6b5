import type { LinearOperator } from '../linalg/linear-operator.ts'
import { denseOf } from '../linalg/linear-operator.ts'
import type { Matrix } from '../linalg/matrix.ts'
import { frobenius, gemv, gemvTransposed, row, transpose } from '../linalg/matrix.ts'
import { symmetricEigen } from '../linalg/symmetric-eigen.ts'
import { axpy, norm } from '../linalg/vector.ts'

/** All eigenpairs of a Hessian, from its dense matrix. */
export interface HessianSpectrum {
  readonly size: number
  readonly matrix: Matrix
  /** Ascending. */
  readonly values: Float64Array
  /** Eigenvectors as rows, in the order of `values`. */
  readonly vectors: Matrix
  /** max |λ|. */
  readonly norm: number
  readonly frobenius: number
  /** max |h_ij − h_ji| / max |h_ij| as the products came: their rounding. */
  readonly symmetryDefect: number
  readonly products: number
}

/** Cost: p products in batches, 8p³ operations, 3p² numbers. */
export async function hessianSpectrum(
  operator: LinearOperator,
  onProgress?: (products: number, total: number) => void,
): Promise<HessianSpectrum> {
  const { size } = operator
  const batch = Math.min(size, 128)
  const { matrix, symmetryDefect } = await denseOf(operator, onProgress ? { onProgress, batch } : { batch })
  const { values, vectors } = symmetricEigen(matrix)
  return {
    size,
    matrix,
    values,
    vectors: transpose(vectors),
    norm: Math.max(Math.abs(values[0]), Math.abs(values[size - 1])),
    frobenius: frobenius(matrix),
    symmetryDefect,
    products: size,
  }
}

/** ‖H v − λ v‖ of pair i, with the formed matrix. */
export function eigenResidual({ matrix, vectors, values }: HessianSpectrum, i: number): number {
  const v = row(vectors, i)
  const image = gemv(matrix, v)
  axpy(-values[i], v, image)
  return norm(image)
}

/** Coordinates of g along the eigenvectors. */
export function coordinates({ vectors }: HessianSpectrum, g: Float64Array): Float64Array {
  return gemv(vectors, g)
}

/** f(H) g for a function of the eigenvalues. */
export function applyFunction(spectrum: HessianSpectrum, f: (value: number) => number, g: Float64Array): Float64Array {
  const c = coordinates(spectrum, g)
  for (let i = 0; i < c.length; i++) c[i] *= f(spectrum.values[i])
  return gemvTransposed(spectrum.vectors, c)
}

/** H⁺ g, eigenvalues up to `cutoff` in modulus counted as zero. */
export function pseudoInverseProduct(spectrum: HessianSpectrum, g: Float64Array, cutoff: number): Float64Array {
  return applyFunction(spectrum, (value) => (Math.abs(value) > cutoff ? 1 / value : 0), g)
}
