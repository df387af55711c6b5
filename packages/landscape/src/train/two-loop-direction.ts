import { axpy, dot, scale } from '../linalg/vector.ts'

/** A step s = Δθ and how the gradient changed on it, y = Δg; sᵀy > 0. */
export interface CurvaturePair {
  readonly s: Float64Array
  readonly y: Float64Array
}

/** −H g by the two-loop recursion (Nocedal & Wright, Algorithm 7.4), H₀ = sᵀy/yᵀy of the newest pair. */
export function twoLoopDirection(gradient: Float64Array, pairs: readonly CurvaturePair[]): Float64Array {
  const q = gradient.map((v) => -v)
  const alphas: number[] = []
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y } = pairs[i]
    alphas[i] = dot(s, q) / dot(s, y)
    axpy(-alphas[i], y, q)
  }
  const newest = pairs.at(-1)
  if (newest) scale(dot(newest.s, newest.y) / dot(newest.y, newest.y), q)
  pairs.forEach(({ s, y }, i) => axpy(alphas[i] - dot(y, q) / dot(s, y), s, q))
  return q
}
