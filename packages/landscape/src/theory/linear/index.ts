/** Deep linear networks (Kawaguchi 2016 and refinements): all critical points in closed form, and what follows. */
export type { ClassifyOptions, LinearClassification } from './classify-linear-point.ts'
export { classifyLinearPoint } from './classify-linear-point.ts'
export type { CollapsedProduct, NetworkAtPoint } from './collapsed-product.ts'
export { collapseProduct } from './collapsed-product.ts'
export type { ConvexityWitness } from './convexity-witnesses.ts'
export { convexityWitnesses } from './convexity-witnesses.ts'
export type { CriticalClass, CriticalClasses, LinearKind } from './critical-classes.ts'
export {
  classLoss,
  countCriticalClasses,
  criticalClass,
  eachCriticalClass,
  enumerateCriticalClasses,
  topClasses,
  zeroBlockInertia,
} from './critical-classes.ts'
export type { LemmaCheck, LemmaOptions } from './critical-lemmas.ts'
export { checkLemmas } from './critical-lemmas.ts'
export type { CriticalBlocks, HiddenBasis, Representative } from './critical-point.ts'
export {
  criticalPoint,
  cyclicProducts,
  hiddenBasis,
  representatives,
  satisfiesCyclicProducts,
  zShapes,
} from './critical-point.ts'
export type { EffectiveMap } from './effective-map.ts'
export { effectiveMap } from './effective-map.ts'
export type { EscapePath, MeasuredEscape, RotationEscape } from './escape-path.ts'
export { canonicalEscape, keptSignal, measureEscape, orderLEscape, rotationEscape } from './escape-path.ts'
export type { EscapeTimeLaw, EscapeTimeOptions } from './escape-time.ts'
export { escapeTimeLaw } from './escape-time.ts'
export type { DescentDirection, RankCriterion } from './global-criteria.ts'
export { rankCriterion, shallowDescentDirection } from './global-criteria.ts'
export type { LinearAssumptions, LinearStatement } from './linear-assumptions.ts'
export { linearGradient, linearHessian, linearLoss, linearSecondOrderForm } from './linear-derivatives.ts'
export type { FlowPoint, LinearFlow, LinearFlowOptions, Plateau } from './linear-gradient-flow.ts'
export { linearGradientFlow, plateausOf } from './linear-gradient-flow.ts'
export type { LinearProblem, LinearProblemOptions } from './linear-problem.ts'
export { linearProblem, linearProblemFromRows } from './linear-problem.ts'
export type { LinearReport, LinearReportOptions, ReportedClass, ReportedRepresentative } from './linear-report.ts'
export { linearReport } from './linear-report.ts'
export type { LinearSpectrum } from './linear-spectrum.ts'
export { linearSpectrum } from './linear-spectrum.ts'
export type { LinearArchitecture, LinearVerdict, LinearVerdictInput } from './linear-verdict.ts'
export { halfSumFactor, linearArchitectureOf, linearVerdict } from './linear-verdict.ts'
export type { LinearWeights } from './linear-weights.ts'
export { endToEndMap, flattenWeights, layerProduct, randomWeights, unflattenWeights } from './linear-weights.ts'
export type { Descent, ManyDescents, ManyDescentsOptions } from './many-descents.ts'
export { manyDescents } from './many-descents.ts'
export type { ModeTime } from './mode-dynamics.ts'
export { modeStrength, modeTime } from './mode-dynamics.ts'
export type { PathGateOptions, PathGateRun, ReluDiscrepancy } from './path-gates.ts'
export { pathGateMonteCarlo, reluDiscrepancy } from './path-gates.ts'
export type { PolishedLinearPoint } from './polish-linear-point.ts'
export { polishLinearPoint } from './polish-linear-point.ts'
export type { RandomMember } from './random-members.ts'
export { randomHiddenBasis, randomMember } from './random-members.ts'
export type { HardtMaCheck } from './residual-linear.ts'
export type { RecognizedLinearNetwork } from './recognize-linear-network.ts'
export { recognizeLinearNetwork } from './recognize-linear-network.ts'
export { checkHardtMa } from './residual-linear.ts'
export type { Pivot, RankRule } from './strictness-rule.ts'
export { blockRule, rankRule } from './strictness-rule.ts'
export type { CriticalPointCheck, VerifyOptions } from './verify-critical-point.ts'
export { verifyCriticalPoint } from './verify-critical-point.ts'
