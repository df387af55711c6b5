export { barrierOf, linearPath } from './barrier.ts'
export type { Barrier } from './barrier.ts'
export { curvePoint, curveWeights, findCurve, nudgedElasticBand } from './curve.ts'
export type { Curve, CurveOptions, FoundCurve, NudgedElasticBand, NudgedElasticBandOptions } from './curve.ts'
export { invariantFields } from './invariant-fields.ts'
export type { InvariantFieldOptions } from './invariant-fields.ts'
export { activationMatching, weightMatching } from './matching.ts'
export type { Matching, WeightMatchingOptions } from './matching.ts'
export { sameModuloUnits } from './same-modulo-units.ts'
export {
  identityPermutation,
  invertPermutation,
  permutationCopies,
  permutationSymmetry,
  permuteUnits,
  randomPermutation,
  symmetricCopies,
} from './permutation-symmetry.ts'
export type { Permutation, PermutationSymmetry, UnitAxis, UnitGroup } from './permutation-symmetry.ts'
