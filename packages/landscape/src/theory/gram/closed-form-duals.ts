import { angleOf } from './dual-activation.ts'
import type { DualActivation, DualLayer } from './dual-activation.ts'

const unitRoundoff = 2 ** -53

/** sin θ − θ cos θ for cos θ = 1 − gap, by its series where the difference would cancel. */
function sineMinusArc(angle: number, gap: number): number {
  if (angle > 0.1) return Math.sqrt(gap * (2 - gap)) - angle * (1 - gap)
  const square = angle * angle
  return angle * square * (1 / 3 - square * (1 / 30 - square * (1 / 840 - square / 45360)))
}

/** σ(x) = x for x > 0, αx otherwise: ReLU (α = 0), LeakyReLU, the identity (α = 1). With σ = βx + γ|x|,
 *
 *     E σσ = √(st) (β² cos θ + γ² (2/π)(sin θ + (π/2 − θ) cos θ)) ,   E σ'σ' = β² + γ² (1 − 2θ/π)
 *
 * Source: Cho and Saul 2009 (arc-cosine kernels) for ReLU. */
export function leakyReluDual(name: string, alpha: number): DualActivation {
  const beta = ((1 + alpha) / 2) ** 2
  const gamma = ((1 - alpha) / 2) ** 2
  const layer = (variances: Float64Array): DualLayer => {
    const roots = variances.map(Math.sqrt)
    const pair = (a: number, b: number, gap: number, out: Float64Array): void => {
      const scale = roots[a] * roots[b]
      const angle = angleOf(gap)
      const lost = (2 / Math.PI) * sineMinusArc(angle, gap)
      const rest = beta * gap + gamma * (gap - lost)
      out[0] = scale * (beta + gamma - rest)
      out[1] = beta + gamma * (1 - (2 / Math.PI) * angle)
      out[2] = ((beta + gamma) * (roots[a] - roots[b]) ** 2) / 2 + scale * rest
    }
    return {
      means: roots.map((root) => ((1 - alpha) / 2) * Math.sqrt(2 / Math.PI) * root),
      squares: variances.map((s) => (beta + gamma) * s),
      slopeSquares: new Float64Array(variances.length).fill(beta + gamma),
      pair,
      error: 4 * unitRoundoff * largest(variances),
      slopeError: 4 * unitRoundoff,
    }
  }
  return { name, method: 'closed-form', kink: (2 * gamma) / Math.PI, layer }
}

/** Expectations as functions of the variances s, t and the covariance c. */
interface Formulas {
  readonly mean: (s: number) => number
  readonly product: (s: number, t: number, c: number) => number
  readonly slopes: (s: number, t: number, c: number) => number
}

function smoothDual(name: string, { mean, product, slopes }: Formulas): DualActivation {
  const layer = (variances: Float64Array): DualLayer => {
    const squares = variances.map((s) => product(s, s, s))
    const slopeSquares = variances.map((s) => slopes(s, s, s))
    return {
      means: variances.map(mean),
      squares,
      slopeSquares,
      pair: (a, b, gap, out) => {
        const s = variances[a]
        const t = variances[b]
        const c = (1 - gap) * Math.sqrt(s * t)
        out[0] = product(s, t, c)
        out[1] = slopes(s, t, c)
        out[2] = (squares[a] + squares[b]) / 2 - out[0]
      },
      error: 8 * unitRoundoff * largest(squares),
      slopeError: 8 * unitRoundoff * largest(slopeSquares),
    }
  }
  return { name, method: 'closed-form', kink: 0, layer }
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}

/** Williams 1997: E erf u erf v = (2/π) asin(2c / √((1 + 2s)(1 + 2t))). */
export const erfDual: DualActivation = smoothDual('erf', {
  mean: () => 0,
  product: (s, t, c) => (2 / Math.PI) * Math.asin((2 * c) / Math.sqrt((1 + 2 * s) * (1 + 2 * t))),
  // (1 + 2s)(1 + 2t) − 4c², without the cancellation of large terms
  slopes: (s, t, c) => 4 / Math.PI / Math.sqrt(1 + 2 * (s + t) + 4 * Math.max(0, s * t - c * c)),
})

const half = (x: number): number => Math.exp(x) / 2

/** E sin u sin v = e^{−(s + t)/2} sinh c, with cosh for the slopes. */
export const sinDual: DualActivation = smoothDual('sin', {
  mean: () => 0,
  product: (s, t, c) => half(c - (s + t) / 2) - half(-c - (s + t) / 2),
  slopes: (s, t, c) => half(c - (s + t) / 2) + half(-c - (s + t) / 2),
})

const expProduct = (s: number, t: number, c: number): number => Math.exp((s + t) / 2 + c)

/** E eᵘ eᵛ = e^{(s + t + 2c)/2}. */
export const expDual: DualActivation = smoothDual('exp', {
  mean: (s) => Math.exp(s / 2),
  product: expProduct,
  slopes: expProduct,
})
