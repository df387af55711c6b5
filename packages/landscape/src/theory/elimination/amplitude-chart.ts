import { axpy } from '../../linalg/vector.ts'
import type { ValueAndGradient } from '../../loss/loss.ts'
import { maxProduct, scaledBy } from './modified-loss.ts'
import type { ModifiedLoss } from './modified-loss.ts'

const maxExponentMax = 300
const outputExponentMax = 230

/** Coordinates ξ = (θ, α, M, W) of the modified loss in which the failure mode of type A is an ordinary minimum with M = ∞:
 *
 *     g(x)_k = α_k exp(w_kᵀ(x − x_{r_k})) ,   penalty λ α_k² e^{−2M_k}
 *
 * with r_k the sample whose exponent is largest where the chart is made. Nothing overflows near there; the chart is made
 * anew from time to time. Layout as z: α in the place of a, M in that of b. */
export class AmplitudeChart {
  readonly #modified: ModifiedLoss
  /** x_{r_k}, [k × d]. */
  readonly #references: Float64Array

  constructor(modified: ModifiedLoss, w: Float64Array) {
    const { features: d, outputs } = modified.neurons
    this.#modified = modified
    this.#references = new Float64Array(outputs * d)
    for (let k = 0; k < outputs; k++) {
      const { row } = maxProduct(modified.features, d, w.subarray(k * d, (k + 1) * d))
      this.#references.set(modified.features.subarray(row * d, (row + 1) * d), k * d)
    }
  }

  /** z in this chart. */
  from(z: Float64Array): Float64Array {
    const xi = z.slice()
    const { a, b } = this.#modified.neurons
    const shift = this.#shifts(z)
    for (let k = 0; k < shift.length; k++) {
      const m = z[b.start + k] + shift[k]
      xi[b.start + k] = m
      xi[a.start + k] = scaledBy(z[a.start + k], m)
    }
    return xi
  }

  /** Back to z, with M at most `maxExponentMax`: beyond it a underflows, and the penalty is zero to rounding long before. */
  to(xi: Float64Array): Float64Array {
    const z = xi.slice()
    const { a, b } = this.#modified.neurons
    const shift = this.#shifts(xi)
    for (let k = 0; k < shift.length; k++) {
      const m = Math.min(maxExponentMax, xi[b.start + k])
      z[a.start + k] = xi[a.start + k] * Math.exp(-m)
      z[b.start + k] = m - shift[k]
    }
    return z
  }

  async valueAndGradient(xi: Float64Array): Promise<ValueAndGradient> {
    const { wrapped, neurons, lambda, base } = this.#modified
    const { a, b, w, features: d } = neurons
    const shift = this.#shifts(xi)
    if (!xi.every(Number.isFinite) || this.#isHuge(xi, shift))
      return { value: Number.POSITIVE_INFINITY, gradient: new Float64Array(xi.length) }
    const at = xi.slice()
    for (let k = 0; k < shift.length; k++) at[b.start + k] = -shift[k]
    const { value, gradient } = await wrapped.valueAndGradient(at)
    let total = value
    for (let k = 0; k < shift.length; k++) {
      const slope = gradient[b.start + k]
      axpy(
        -slope,
        this.#references.subarray(k * d, (k + 1) * d),
        gradient.subarray(w.start + k * d, w.start + (k + 1) * d),
      )
      const weight = lambda * Math.exp(-2 * xi[b.start + k])
      const alpha = xi[a.start + k]
      total += weight * alpha * alpha
      gradient[a.start + k] += 2 * weight * alpha
      gradient[b.start + k] = -2 * weight * alpha * alpha
    }
    for (let i = 0; i < base.size; i++) {
      total += 0.5 * base.weightDecay * xi[i] * xi[i]
      gradient[i] += base.weightDecay * xi[i]
    }
    return { value: total, gradient }
  }

  /** Whether the neurons' largest output is beyond e^230: the hinge bears any output on the right side of its margin. */
  #isHuge(xi: Float64Array, shift: Float64Array): boolean {
    const { features, neurons } = this.#modified
    const { a, w, features: d } = neurons
    return shift.some((at, k) => {
      const { value } = maxProduct(features, d, xi.subarray(w.start + k * d, w.start + (k + 1) * d))
      return Math.log(Math.abs(xi[a.start + k])) + value - at > outputExponentMax
    })
  }

  /** w_kᵀ x_{r_k}. */
  #shifts(z: Float64Array): Float64Array {
    const { features: d, outputs, w } = this.#modified.neurons
    const shift = new Float64Array(outputs)
    for (let k = 0; k < outputs; k++)
      for (let j = 0; j < d; j++) shift[k] += z[w.start + k * d + j] * this.#references[k * d + j]
    return shift
  }
}
