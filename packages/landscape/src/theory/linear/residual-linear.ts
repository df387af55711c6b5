import { DomainError, ShapeError } from '@thalweg/graph'
import {
  frobenius,
  identity,
  matmul,
  matmulTransposedLeft,
  matmulTransposedRight,
  svd,
  symmetricEigen,
} from '../../linalg/index.ts'
import type { Matrix } from '../../linalg/index.ts'

export interface HardtMaCheck {
  /** f(A) − f* = ‖((I + A_ℓ) ⋯ (I + A_1) − R) Σ_xx^{1/2}‖². */
  readonly excess: number
  /** ‖∇f‖². */
  readonly squaredGradient: number
  /** τ = max_i ‖A_i‖₂. */
  readonly radius: number
  /** 4 ℓ (1 − τ)^{2(ℓ−1)} λ_min(Σ_xx) (f − f*); the theorem says `squaredGradient` is at least this. */
  readonly bound: number
  /** squaredGradient / bound; at least 1 (with equality for one branch of size 1 × 1). Infinite at a minimum. */
  readonly ratio: number
  readonly holds: boolean
}

/** The inequality of Hardt and Ma for linear residual networks, at one point: with
 *
 *      f(A) = E ‖(I + A_ℓ) ⋯ (I + A_1) x − (R x + noise)‖² ,   ‖A_i‖₂ ≤ τ < 1 ,
 *
 * ‖∇f‖² ≥ 4 ℓ (1 − τ)^{2(ℓ−1)} λ_min(Σ_xx) (f − f*): no spurious critical point inside that ball.
 *
 * @param branches    A_1 … A_ℓ, all [d × d].
 * @param covariance  Σ_xx = E x xᵀ, [d × d], positive definite.
 * @param target      R, [d × d].
 * @throws {ShapeError} if sizes differ; {DomainError} if there is no branch, some ‖A_i‖₂ ≥ 1, or Σ_xx is not positive definite.
 * Source: Hardt and Ma, "Identity matters in deep learning", ICLR 2017, Theorem 2.2. */
export function checkHardtMa(branches: readonly Matrix[], covariance: Matrix, target: Matrix): HardtMaCheck {
  const d = target.rows
  if (branches.length === 0) throw new DomainError('checkHardtMa: needs at least one branch, got none.')
  if ([...branches, covariance, target].some((a) => a.rows !== d || a.cols !== d)) {
    throw new ShapeError(`checkHardtMa: branches, covariance and target must all be ${d} × ${d}.`)
  }
  const radius = Math.max(...branches.map((a) => svd(a).values[0]))
  const smallest = symmetricEigen(covariance).values[0]
  if (!(radius < 1)) throw new DomainError(`checkHardtMa: needs ‖A_i‖₂ < 1, got ${radius}. Scale the branches down.`)
  if (!(smallest > 0))
    throw new DomainError(`checkHardtMa: the covariance must be positive definite, got λ_min = ${smallest}.`)
  const factors = branches.map((a) => sum(a, identity(d), 1))
  const depth = factors.length
  // below[k] = factors k … 1, above[k] = factors ℓ … k + 2 (positions from 0).
  const below = [identity(d)]
  for (const factor of factors) below.push(matmul(factor, below[below.length - 1]))
  const above: Matrix[] = new Array(depth)
  above[depth - 1] = identity(d)
  for (let k = depth - 2; k >= 0; k--) above[k] = matmul(above[k + 1], factors[k + 1])
  const difference = sum(below[depth], target, -1)
  const weighted = matmul(difference, covariance)
  const excess = matmulTransposedRight(weighted, difference).data.reduce(
    (s, v, i) => (i % (d + 1) === 0 ? s + v : s),
    0,
  )
  const squaredGradient = factors.reduce((total, _, k) => {
    const gradient = matmulTransposedRight(matmulTransposedLeft(above[k], weighted), below[k])
    return total + 4 * frobenius(gradient) ** 2
  }, 0)
  const bound = 4 * depth * (1 - radius) ** (2 * (depth - 1)) * smallest * excess
  const ratio = bound === 0 ? Number.POSITIVE_INFINITY : squaredGradient / bound
  return { excess, squaredGradient, radius, bound, ratio, holds: ratio >= 1 - 1e-12 }
}

function sum(a: Matrix, b: Matrix, factor: number): Matrix {
  return { ...a, data: a.data.map((entry, i) => entry + factor * b.data[i]) }
}
