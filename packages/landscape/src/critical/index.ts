export {
  functionSpaceCertificate,
  functionSpaceOptimum,
  inputGroups,
  isAffineModel,
  nearInfimum,
} from './evidence/certificates.ts'
export type {
  FunctionSpaceCertificate,
  FunctionSpaceOptimum,
  InputGroups,
  NearInfimum,
} from './evidence/certificates.ts'
export { degenerateDescent } from './evidence/degenerate.ts'
export type { CurvePoint, DegenerateDescent, DegenerateOptions } from './evidence/degenerate.ts'
export { dampedNewton, denseFlatness, saddleFreeNewton, trustRegionNewton } from './finders/dense-newton.ts'
export type { SaddleFreeOptions, TrustRegionOptions } from './finders/dense-newton.ts'
export { diagnose, judgeCritical } from './verdict/diagnose.ts'
export type { CriticalVerdict, DiagnoseOptions } from './verdict/diagnose.ts'
export type {
  Diagnosis,
  EigenvalueReport,
  Evidence,
  EvidenceKind,
  Message,
  PolishedPoint,
  VerdictKind,
} from './verdict/diagnosis.ts'
export { kernelSearchFactor } from './verdict/examine.ts'
export type { ExamineOptions, KnownOptimum } from './verdict/examine.ts'
export { compareFinders, toleranceStudy } from './finders/finder-study.ts'
export type { FinderScore, FinderStudyOptions, ToleranceRow, ToleranceStudy } from './finders/finder-study.ts'
export { finders } from './finders/finders.ts'
export type { Finder, FinderName } from './finders/finders.ts'
export { fullyConnected, isAnalyticModel } from './evidence/fully-connected.ts'
export type { DenseLayer, FullyConnected } from './evidence/fully-connected.ts'
export { gradientNormMinimization } from './finders/gradient-norm-minimization.ts'
export { hessianSpectrum } from './finders/hessian-spectrum.ts'
export type { HessianSpectrum } from './finders/hessian-spectrum.ts'
export { denseInertia, oneSidedInertia } from './evidence/inertia.ts'
export type { DenseInertia, HessianInertia, InertiaOptions } from './evidence/inertia.ts'
export { denseKernel, krylovKernel } from './evidence/kernel-geometry.ts'
export type { KernelGeometry, KrylovKernelOptions } from './evidence/kernel-geometry.ts'
export { kinksOf } from './evidence/kinks.ts'
export type { HiddenUnit, KinkReport, OperatorKinks } from './evidence/kinks.ts'
export { krylovSaddleFreeNewton } from './finders/krylov-saddle-free-newton.ts'
export type { KrylovSaddleFreeOptions } from './finders/krylov-saddle-free-newton.ts'
export { krylovFlatness, newtonMr } from './finders/newton-mr.ts'
export type { NewtonMrOptions } from './finders/newton-mr.ts'
export { noiseFloor } from './finders/noise-floor.ts'
export type { NoiseFloor, NoiseFloorOptions } from './finders/noise-floor.ts'
export { expressionObjective, objectiveOf } from './finders/objective.ts'
export type { ExpressionObjective, ExpressionObjectiveOptions, Objective, ObjectivePoint } from './finders/objective.ts'
export { phrase } from './verdict/phrases.ts'
export { polish } from './finders/polish.ts'
export type { PolishOptions } from './finders/polish.ts'
export { escapeAlong, twoSidedDecrease } from './evidence/saddle-evidence.ts'
export type { Escape, SaddleEvidence, TwoSidedDecrease } from './evidence/saddle-evidence.ts'
export { floorFactor } from './finders/search.ts'
export type { SearchOptions, SearchRecord, SearchResult, SearchStatus } from './finders/search.ts'
export type { OptimizerFacts } from './verdict/stall.ts'
export { searchTogether } from './finders/search-together.ts'
export type { TogetherOptions } from './finders/search-together.ts'
export { symmetryOrbit } from './evidence/symmetry-orbit.ts'
export type { InvariantField, SymmetryKind, SymmetryOrbit } from './evidence/symmetry-orbit.ts'
export { testFunctions } from './finders/test-functions.ts'
export type { KnownCriticalPoint, TestFunction } from './finders/test-functions.ts'
export { formatNumber, messageIds, sentence, verdictName } from './verdict/wording.ts'
export type { Language } from './verdict/wording.ts'
export type { MessageId } from './verdict/message-id.ts'
export { noisyStarts } from './finders/noisy-starts.ts'
export type { StartOptions } from './finders/noisy-starts.ts'
export { findMany, indexTable, searchMany } from './verdict/many.ts'
export type { FoundCriticalPoint } from './verdict/found-critical-point.ts'
export { sameCriticalPoint } from './verdict/same-critical-point.ts'
export type { FindManyOptions, FindManyResult, IndexRow } from './verdict/many.ts'
