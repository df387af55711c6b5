export { cosine, forEachFilter, normalizations, normalizeDirection, randomDirection } from './direction.ts'
export type { DirectionOptions, Normalization } from './direction.ts'
export { coordinates, lossPlane } from './loss-plane.ts'
export type { Axis, LossPlane, PlaneOptions } from './loss-plane.ts'
