export type { TraceToAccuracyOptions } from './adaptive-trace.ts'
export { traceToAccuracy, traceToAccuracyProductsMin } from './adaptive-trace.ts'
export type { CancelSignal } from './cancel-signal.ts'
export type { Cholesky } from './cholesky.ts'
export { cholesky } from './cholesky.ts'
export type { ConjugateGradientSolution } from './conjugate-gradient.ts'
export { conjugateGradient } from './conjugate-gradient.ts'
export type {
  ExtremeEigenpairs,
  ExtremeEigenpairsOptions,
  ExtremeEigenpairsProgress,
} from './extreme-eigenpairs.ts'
export { extremeEigenpairs } from './extreme-eigenpairs.ts'
export type { Eigenpair } from './eigenpair.ts'
export type { Quadrature } from './gauss-hermite.ts'
export { gaussHermite } from './gauss-hermite.ts'
export type {
  InteriorEigenpairs,
  InteriorEigenpairsOptions,
  InteriorEigenpairsProgress,
} from './interior-eigenpairs.ts'
export { interiorEigenpairs, interiorProductsMin, interiorSubspaceSize } from './interior-eigenpairs.ts'
export type { KrylovOptions, KrylovSolution } from './krylov-solution.ts'
export type { Inertia, Ldlt } from './ldlt.ts'
export { ldlt } from './ldlt.ts'
export type { Assignment, AssignmentOptions } from './linear-assignment.ts'
export { linearAssignment } from './linear-assignment.ts'
export type { DenseOfOperator, DenseOptions, LinearOperator } from './linear-operator.ts'
export {
  denseOf,
  denseOperator,
  diagonalOperator,
  projectedOperator,
  scaledOperator,
  shiftedOperator,
} from './linear-operator.ts'
export type { LsqrStatus, RectangularOperator } from './lsqr.ts'
export { lsqr, rectangularOperator } from './lsqr.ts'
export type { Lu } from './lu.ts'
export { lu } from './lu.ts'
export type { Matrix } from './matrix.ts'
export {
  column,
  copyMatrix,
  diagonalMatrix,
  frobenius,
  gemv,
  gemvTransposed,
  identity,
  matmul,
  matmulTransposedLeft,
  matmulTransposedRight,
  matrix,
  matrixFromRows,
  row,
  symmetryDefect,
  trace,
  transpose,
  zeros,
} from './matrix.ts'
export type { MinresStatus } from './minres.ts'
export { minres } from './minres.ts'
export type { MinresQlpOptions, MinresQlpSolution } from './minres-qlp.ts'
export { minresQlp } from './minres-qlp.ts'
export { orthogonalize } from './orthogonalize.ts'
export type { PrincipalComponentOptions, PrincipalComponents } from './principal-components.ts'
export { principalComponents } from './principal-components.ts'
export type { Qr, QrOptions } from './qr.ts'
export { orthonormalRows, qr } from './qr.ts'
export type {
  ProbeMeasure,
  QuadratureOptions,
  SpectralDensity,
  SpectralDensityOptions,
  StochasticQuadrature,
  TraceFunctionEstimate,
} from './spectral-density.ts'
export { spectralDensity, stochasticQuadrature, stochasticTraceFunction } from './spectral-density.ts'
export type { LeastSquares, RankOptions, Svd } from './svd.ts'
export { leastSquares, pseudoInverse, rankOf, svd } from './svd.ts'
export type { EigenResidual, SpectralFactors, SymmetricEigen, SymmetricEigenbasis } from './symmetric-eigen.ts'
export {
  eigenResidual,
  spectralFactors,
  symmetricEigen,
  symmetricEigenbasis,
  symmetricEigenvalues,
} from './symmetric-eigen.ts'
export type { Estimate, EstimateOptions } from './trace-estimators.ts'
export { frobeniusNorm, hutchinsonTrace, hutchPlusPlusTrace, xtrace } from './trace-estimators.ts'
export type { TridiagonalEigen, TridiagonalOptions } from './tridiagonal.ts'
export { tridiagonalEigen } from './tridiagonal.ts'
export { axpy, dot, firstNonFinite, maxNorm, norm, scale } from './vector.ts'
