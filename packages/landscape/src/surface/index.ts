export { coordinates } from './axis.ts'
export type { Axis } from './axis.ts'
export {
  convexityOf,
  curvatureBudget,
  curvatureGrid,
  extremeCurvature,
  nonConvexShare,
  referenceRatioOf,
} from './curvature-grid.ts'
export type {
  CurvatureGrid,
  CurvatureGridOptions,
  ExtremeCurvature,
  ExtremeCurvatureOptions,
} from './curvature-grid.ts'
export { cosine, forEachFilter, normalizations, normalizeDirection, randomDirection } from './direction.ts'
export type { DirectionOptions, Normalization } from './direction.ts'
export {
  eigenDirections,
  gradientDirection,
  interpolationDirections,
  orthogonality,
  orthogonalized,
} from './direction-set.ts'
export type { Direction, EigenDirectionOptions, Orthogonality } from './direction-set.ts'
export { gridMinima } from './grid-topology.ts'
export type { GridMinimum } from './grid-topology.ts'
export { lossGrid, nodeAt, pointAt } from './loss-grid.ts'
export type { GridOptions, GridState, ThetaValues } from './loss-grid.ts'
export { lossLine, lossPlane, lossVolume, refinePlane } from './loss-plane.ts'
export type {
  AxisNodes,
  LineOptions,
  LossLine,
  LossPlane,
  LossVolume,
  PlaneOptions,
  RefinePlaneOptions,
  VolumeOptions,
} from './loss-plane.ts'
export { evaluationChunkSize, evaluationMethods, methodFor, pointEvaluator } from './point-evaluator.ts'
export type { EvaluationMethod, PointEvaluator } from './point-evaluator.ts'
export {
  filterNormalizedSharpness,
  hessianTrace,
  keskarSharpness,
  samSharpness,
  topEigenvalue,
} from './sharpness.ts'
export type { AscentOptions, WorstNearby } from './sharpness.ts'
export { projectPoints, randomWalkShares, trajectoryPlane } from './trajectory-plane.ts'
export type { ProjectedPoint, TrajectoryPlane } from './trajectory-plane.ts'
