import type { RandomStream } from '../random/random-stream.ts'
import { gemm } from './gemm.ts'
import { dot, norm, scale } from './vector.ts'

/** Inner products of u [size] with the first `count` rows of `basis` [… × size], added to `target`; four rows share
 * one reading of u. */
function addInnerProducts(basis: Float64Array, count: number, u: Float64Array, target: Float64Array): void {
  const size = u.length
  let i = 0
  for (; i + 3 < count; i += 4) {
    const r0 = i * size
    const r1 = r0 + size
    const r2 = r1 + size
    const r3 = r2 + size
    let sum0 = 0
    let sum1 = 0
    let sum2 = 0
    let sum3 = 0
    for (let j = 0; j < size; j++) {
      const x = u[j]
      sum0 += basis[r0 + j] * x
      sum1 += basis[r1 + j] * x
      sum2 += basis[r2 + j] * x
      sum3 += basis[r3 + j] * x
    }
    target[i] += sum0
    target[i + 1] += sum1
    target[i + 2] += sum2
    target[i + 3] += sum3
  }
  for (; i < count; i++) target[i] += dot(basis.subarray(i * size, (i + 1) * size), u)
}

/** u ← (I − VᵀV) u for the first `count` rows of V, which are orthonormal; by classical Gram–Schmidt done twice, which
 * is enough (Kahan; Giraud et al. 2005). Returns V u [count] for the u that came in. */
export function orthogonalize(basis: Float64Array, count: number, u: Float64Array): Float64Array {
  const size = u.length
  const total = new Float64Array(count)
  for (let pass = 0; pass < 2; pass++) {
    const coefficients = new Float64Array(count)
    addInnerProducts(basis, count, u, coefficients)
    gemm(
      1,
      size,
      count,
      -1,
      { data: coefficients, offset: 0, rowStride: count, columnStride: 1 },
      { data: basis, offset: 0, rowStride: size, columnStride: 1 },
      { data: u, offset: 0, rowStride: size, columnStride: 1 },
    )
    for (let i = 0; i < count; i++) total[i] += coefficients[i]
  }
  return total
}

/** Overwrites u by a random unit vector orthogonal to the first `count` < size rows of V. */
export function randomOrthogonal(basis: Float64Array, count: number, u: Float64Array, stream: RandomStream): void {
  let length = 0
  // Close to a full basis most of a random vector is projected away; what is left is then cleaned once more.
  while (!(length > 1e-6)) {
    stream.fillNormal(u)
    scale(1 / norm(u), u)
    orthogonalize(basis, count, u)
    length = norm(u)
  }
  scale(1 / length, u)
  orthogonalize(basis, count, u)
  scale(1 / norm(u), u)
}
