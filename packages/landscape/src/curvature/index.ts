export { blockOperator, layerGroups, parameterGroups } from './block-operator.ts'
export type { ParameterGroup } from './block-operator.ts'
export { gramOperator } from './gram-operator.ts'
export {
  adamPreconditioner,
  edgeOfStability,
  edgeOfStabilityAlong,
  preconditionedOperator,
  stabilityLimit,
} from './edge-of-stability.ts'
export type { StabilityOptions, StabilityPoint, StableOptimizer } from './edge-of-stability.ts'
export { floorNear } from './near-eigenvalues.ts'
export type { KnownEigenvalue, NearEigenvalues, NearRequest, SpectralFloor } from './near-eigenvalues.ts'
export { spectrum } from './spectrum.ts'
export type { LogDeterminant, MorseIndex, Spectrum, SpectrumOptions } from './spectrum.ts'
