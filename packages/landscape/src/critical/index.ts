export {
  functionSpaceCertificate,
  functionSpaceOptimum,
  inputGroups,
  isAffineModel,
  nearInfimum,
} from './certificates.ts'
export type { FunctionSpaceCertificate, FunctionSpaceOptimum, InputGroups, NearInfimum } from './certificates.ts'
export { degenerateDescent } from './degenerate.ts'
export type { CurvePoint, DegenerateDescent, DegenerateOptions } from './degenerate.ts'
export { dampedNewton, denseFlatness, saddleFreeNewton, trustRegionNewton } from './dense-newton.ts'
export type { SaddleFreeOptions, TrustRegionOptions } from './dense-newton.ts'
export { diagnose, judgeCritical } from './diagnose.ts'
export type { CriticalVerdict, DiagnoseOptions } from './diagnose.ts'
export type {
  Diagnosis,
  EigenvalueReport,
  Evidence,
  EvidenceKind,
  Message,
  PolishedPoint,
  VerdictKind,
} from './diagnosis.ts'
export { kernelSearchFactor } from './examine.ts'
export type { ExamineOptions, KnownOptimum } from './examine.ts'
export { compareFinders, toleranceStudy } from './finder-study.ts'
export type { FinderScore, FinderStudyOptions, ToleranceRow, ToleranceStudy } from './finder-study.ts'
export { finders } from './finders.ts'
export type { Finder, FinderName } from './finders.ts'
export { fullyConnected, isAnalyticModel } from './fully-connected.ts'
export type { DenseLayer, FullyConnected } from './fully-connected.ts'
export { gradientNormMinimization } from './gradient-norm-minimization.ts'
export { hessianSpectrum } from './hessian-spectrum.ts'
export type { HessianSpectrum } from './hessian-spectrum.ts'
export { denseInertia, oneSidedInertia } from './inertia.ts'
export type { DenseInertia, HessianInertia, InertiaOptions } from './inertia.ts'
export { denseKernel, krylovKernel } from './kernel-geometry.ts'
export type { KernelGeometry, KrylovKernelOptions } from './kernel-geometry.ts'
export { kinksOf } from './kinks.ts'
export type { HiddenUnit, KinkReport, OperatorKinks } from './kinks.ts'
export { krylovSaddleFreeNewton } from './krylov-saddle-free-newton.ts'
export type { KrylovSaddleFreeOptions } from './krylov-saddle-free-newton.ts'
export { krylovFlatness, newtonMr } from './newton-mr.ts'
export type { NewtonMrOptions } from './newton-mr.ts'
export { noiseFloor } from './noise-floor.ts'
export type { NoiseFloor, NoiseFloorOptions } from './noise-floor.ts'
export { expressionObjective, objectiveOf } from './objective.ts'
export type { ExpressionObjective, ExpressionObjectiveOptions, Objective, ObjectivePoint } from './objective.ts'
export { phrase } from './phrases.ts'
export { polish } from './polish.ts'
export type { PolishOptions } from './polish.ts'
export { escapeAlong, twoSidedDecrease } from './saddle-evidence.ts'
export type { Escape, SaddleEvidence, TwoSidedDecrease } from './saddle-evidence.ts'
export { floorFactor } from './search.ts'
export type { SearchOptions, SearchRecord, SearchResult, SearchStatus } from './search.ts'
export type { OptimizerFacts } from './stall.ts'
export { searchTogether } from './search-together.ts'
export type { TogetherOptions } from './search-together.ts'
export { symmetryOrbit } from './symmetry-orbit.ts'
export type { InvariantField, SymmetryKind, SymmetryOrbit } from './symmetry-orbit.ts'
export { testFunctions } from './test-functions.ts'
export type { KnownCriticalPoint, TestFunction } from './test-functions.ts'
export { formatNumber, messageIds, sentence, verdictName } from './wording.ts'
export type { Language } from './wording.ts'
export type { MessageId } from './message-id.ts'
export { findMany, indexTable, noisyStarts, sameCriticalPoint, searchMany } from './many.ts'
export type { FindManyOptions, FindManyResult, FoundCriticalPoint, IndexRow, StartOptions } from './many.ts'
