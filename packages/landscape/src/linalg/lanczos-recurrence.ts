import type { LinearOperator } from './linear-operator.ts'
import { applyRows } from './linear-operator.ts'
import { axpy, dot, norm, scale } from './vector.ts'

/** One step of the three-term recurrence A v_k = β_k v_{k−1} + α_k v_k + β_{k+1} v_{k+1}. */
export interface LanczosStep {
  /** v_k, of norm 1. */
  readonly v: Float64Array
  /** β_k, α_k, β_{k+1}. */
  readonly beta: number
  readonly alpha: number
  readonly betaNext: number
}

/** The symmetric Lanczos process with short recurrences, for linear systems: three vectors, or all of them where they
 * are to be kept orthogonal. */
export class LanczosRecurrence {
  /** ‖b‖. */
  readonly beta1: number
  products = 0
  readonly #where: string
  readonly #operator: LinearOperator
  #older: Float64Array | null = null
  /** β_k v_k, not yet normalized. */
  #current: Float64Array
  #beta: number
  readonly #kept: Float64Array[] | null

  constructor(where: string, operator: LinearOperator, b: Float64Array, reorthogonalize: boolean = false) {
    this.#kept = reorthogonalize ? [] : null
    this.#where = where
    this.#operator = operator
    this.#current = b.slice()
    this.#beta = norm(b)
    this.beta1 = this.#beta
  }

  /** The next step; the last `betaNext` must not have been zero. */
  async next(): Promise<LanczosStep> {
    const beta = this.#beta
    const v = this.#current
    scale(1 / beta, v)
    const image = (await applyRows(this.#where, this.#operator, v, 1)).slice()
    this.products++
    if (this.#older !== null) axpy(-beta, this.#older, image)
    const alpha = dot(v, image)
    axpy(-alpha, v, image)
    if (this.#kept !== null) {
      this.#kept.push(v)
      for (let pass = 0; pass < 2; pass++) for (const u of this.#kept) axpy(-dot(u, image), u, image)
    }
    this.#older = v
    this.#current = image
    this.#beta = norm(image)
    return { v, beta, alpha, betaNext: this.#beta }
  }
}

/** The reflection [c s; s −c] that takes (a, b) to (r, 0), r ≥ 0. */
export function reflection(a: number, b: number): { c: number; s: number; r: number } {
  const r = Math.hypot(a, b)
  return r === 0 ? { c: 1, s: 0, r: 0 } : { c: a / r, s: b / r, r }
}

/** QR factorization of the growing tridiagonal matrix of the recurrence, one reflection per step, as MINRES and
 * MINRES-QLP share it. Column k of R is (ε_k, δ_k, γ_k); ‖r_k‖ = φ_k. */
export class TridiagonalQr {
  epsilon = 0
  delta = 0
  gamma = 0
  /** Entry k of the rotated right-hand side. */
  tau = 0
  /** ‖r_k‖, and ‖r_{k−1}‖. */
  phi: number
  phiLast: number
  /** ‖A r_{k−1}‖ / ‖r_{k−1}‖. */
  normalRatio = 0
  /** ε_{k+1}, which the next right reflection of MINRES-QLP needs now. */
  epsilonNext = 0
  #deltaNext = 0
  #c = -1
  #s = 0

  constructor(beta1: number) {
    this.phi = beta1
    this.phiLast = beta1
  }

  /** Column k: applies the last reflection, then makes and applies its own. */
  advance(alpha: number, betaNext: number): void {
    const barDelta = this.#deltaNext
    this.epsilon = this.epsilonNext
    this.delta = this.#c * barDelta + this.#s * alpha
    const barGamma = this.#s * barDelta - this.#c * alpha
    this.epsilonNext = this.#s * betaNext
    this.#deltaNext = -this.#c * betaNext
    this.normalRatio = Math.hypot(barGamma, this.#deltaNext)
    const { c, s, r } = reflection(barGamma, betaNext)
    this.#c = c
    this.#s = s
    this.gamma = r
    this.phiLast = this.phi
    this.tau = c * this.phi
    this.phi = s * this.phi
  }
}
