import { arcSineRatio } from './arc-sine.ts'

/** Gaussian expectations of an activation σ for the N coordinates of one layer, u_a ~ N(0, s_a). */
export interface DualLayer {
  /** E σ(u_a), [N]. */
  readonly means: Float64Array
  /** E σ(u_a)², [N]. */
  readonly squares: Float64Array
  /** E σ'(u_a)², [N]. */
  readonly slopeSquares: Float64Array
  /** Writes E σ(u)σ(v), E σ'(u)σ'(v) and ½ E (σ(u) − σ(v))² to `out` [3], for u = u_a, v = u_b of correlation
   * ρ = 1 − `gap`. The gap is the argument because ρ itself loses half of its digits where the angle is small. */
  pair(a: number, b: number, gap: number, out: Float64Array): void
  /** `pair` of one `a` with b = start … start + count − 1, where an activation does that faster. */
  readonly pairs?: (a: number, start: number, count: number, gaps: Float64Array, out: PairRow) => void
  /** Bounds, by estimate, of the errors of the first two numbers of `pair`, in the worst case over ρ. */
  readonly error: number
  readonly slopeError: number
}

/** What `pairs` writes, entry k for b = start + k. */
export interface PairRow {
  readonly products: Float64Array
  readonly slopes: Float64Array
  readonly spreads: Float64Array
}

/** An activation as wide networks see it: by its Gaussian expectations. */
export interface DualActivation {
  readonly name: string
  readonly method: 'closed-form' | 'hermite-series' | 'piecewise'
  /** Bounds how fast E σ'(u)σ'(v) moves with the angle between u and v: positive exactly where σ has kinks. */
  readonly kink: number
  /** @param variances s_a ≥ 0, [N]. */
  layer(variances: Float64Array): DualLayer
}

/** The correlation gap 1 − ρ of u and v from their deviations √s, √t and half the squared distance ½ E (u − v)²:
 * 0 … 2, and 1 where a deviation is 0 (a constant has no angle). */
export function gapOf(rootS: number, rootT: number, halfDistance: number): number {
  const scale = rootS * rootT
  if (!(scale > 0)) return 1
  const difference = rootS - rootT
  return Math.min(2, Math.max(0, (halfDistance - (difference * difference) / 2) / scale))
}

/** The angle in 0 … π between vectors of correlation 1 − gap, without cancellation at 0. */
export function angleOf(gap: number): number {
  if (gap <= 0.5) return 2 * Math.sqrt(gap / 2) * arcSineRatio(gap / 2)
  if (gap >= 1.5) return Math.PI - 2 * Math.sqrt((2 - gap) / 2) * arcSineRatio((2 - gap) / 2)
  const cosine = 1 - gap
  return Math.PI / 2 - cosine * arcSineRatio(cosine * cosine)
}
