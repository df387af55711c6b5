import type { LinearOperator } from '../../linalg/linear-operator.ts'
import { denseOf } from '../../linalg/linear-operator.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { frobenius, gemv } from '../../linalg/matrix.ts'
import { spectralFactors, symmetricEigenbasis } from '../../linalg/symmetric-eigen.ts'
import type { SpectralFactors, SymmetricEigenbasis } from '../../linalg/symmetric-eigen.ts'
import { axpy, norm } from '../../linalg/vector.ts'

/** All eigenvalues of a Hessian, from its dense matrix, and its eigenvectors as factors. */
export interface HessianFactors {
  readonly size: number
  readonly matrix: Matrix
  /** Ascending. */
  readonly values: Float64Array
  /** Eigenvectors, in the order of `values`. */
  readonly basis: SpectralFactors
  /** max |λ|. */
  readonly norm: number
  readonly frobenius: number
  /** max |h_ij − h_ji| / max |h_ij| as the products came: their rounding. */
  readonly symmetryDefect: number
  readonly products: number
}

/** The same with eigenvectors to be had one by one. */
export interface HessianSpectrum extends HessianFactors {
  readonly basis: SymmetricEigenbasis
}

type OnProducts = (products: number, total: number) => void

/** Cost: p products in batches, at most 3p³ operations, 5p² numbers. */
export async function hessianSpectrum(operator: LinearOperator, onProgress?: OnProducts): Promise<HessianSpectrum> {
  return factored(operator, symmetricEigenbasis, onProgress)
}

/** For Newton steps, which need no single eigenvector. Cost: p products in batches, 4/3 p³ operations, 5p² numbers. */
export async function hessianFactors(operator: LinearOperator): Promise<HessianFactors> {
  return factored(operator, spectralFactors)
}

async function factored<Basis extends SpectralFactors>(
  operator: LinearOperator,
  factor: (matrix: Matrix) => Basis,
  onProgress?: OnProducts,
): Promise<HessianFactors & { readonly basis: Basis }> {
  const { size } = operator
  const batch = Math.min(size, 128)
  const { matrix, symmetryDefect } = await denseOf(operator, onProgress ? { onProgress, batch } : { batch })
  const basis = factor(matrix)
  const { values } = basis
  return {
    size,
    matrix,
    values,
    basis,
    norm: Math.max(Math.abs(values[0]), Math.abs(values[size - 1])),
    frobenius: frobenius(matrix),
    symmetryDefect,
    products: size,
  }
}

/** Eigenvector i. Cost: 2p² operations. */
export function eigenvector({ basis }: HessianSpectrum, i: number): Float64Array {
  return basis.vectors([i]).data
}

/** ‖H v − λ v‖ for the eigenvector v of pair i, with the formed matrix. */
export function eigenResidual({ matrix, values }: HessianFactors, i: number, v: Float64Array): number {
  const image = gemv(matrix, v)
  axpy(-values[i], v, image)
  return norm(image)
}

/** f(H) g for a function of the eigenvalues. */
export function applyFunction(spectrum: HessianFactors, f: (value: number) => number, g: Float64Array): Float64Array {
  const c = spectrum.basis.coordinates(g)
  for (let i = 0; i < c.length; i++) c[i] *= f(spectrum.values[i])
  return spectrum.basis.combination(c)
}

/** H⁺ g, eigenvalues up to `cutoff` in modulus counted as zero. */
export function pseudoInverseProduct(spectrum: HessianFactors, g: Float64Array, cutoff: number): Float64Array {
  return applyFunction(spectrum, (value) => (Math.abs(value) > cutoff ? 1 / value : 0), g)
}
