import { angleOf } from './dual-activation.ts'
import type { DualActivation, DualLayer, PairRow } from './dual-activation.ts'
import { segmentRatio } from './arc-sine.ts'

const unitRoundoff = 2 ** -53

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
    const own = { beta, gamma, roots }
    const only = new Float64Array(1)
    const row = { products: new Float64Array(1), slopes: new Float64Array(1), spreads: new Float64Array(1) }
    const pair = (a: number, b: number, gap: number, out: Float64Array): void => {
      only[0] = gap
      leakyPairs(own, a, b, 1, only, row)
      out[0] = row.products[0]
      out[1] = row.slopes[0]
      out[2] = row.spreads[0]
    }
    return {
      means: roots.map((root) => ((1 - alpha) / 2) * Math.sqrt(2 / Math.PI) * root),
      squares: variances.map((s) => (beta + gamma) * s),
      slopeSquares: new Float64Array(variances.length).fill(beta + gamma),
      pair,
      pairs: (a, start, count, gaps, out) => leakyPairs(own, a, start, count, gaps, out),
      error: 4 * unitRoundoff * largest(variances),
      slopeError: 4 * unitRoundoff,
    }
  }
  return { name, method: 'closed-form', kink: (2 * gamma) / Math.PI, layer }
}

interface LeakyLayer {
  readonly beta: number
  readonly gamma: number
  readonly roots: Float64Array
}

/** In a loop of its own, which runs three times as fast as a call for each pair. */
function leakyPairs(
  { beta, gamma, roots }: LeakyLayer,
  a: number,
  start: number,
  count: number,
  gaps: Float64Array,
  { products, slopes, spreads }: PairRow,
): void {
  const own = roots[a]
  const sum = beta + gamma
  const share = (2 * gamma) / Math.PI
  for (let k = 0; k < count; k++) {
    const gap = gaps[k]
    const other = roots[start + k]
    let angle: number
    let segment: number
    if (gap <= 0.5) {
      // both numbers from one series: see `segmentRatio`
      const z = gap / 2
      const root = Math.sqrt(z)
      const ratio = segmentRatio(z)
      angle = (2 * root * (Math.sqrt(1 - z) - z * ratio)) / (1 - gap)
      segment = 2 * z * root * ratio
    } else {
      angle = angleOf(gap)
      segment = Math.sqrt(gap * (2 - gap)) - angle * (1 - gap)
    }
    const rest = sum * gap - share * segment
    const scale = own * other
    products[k] = scale * (sum - rest)
    slopes[k] = sum - share * angle
    spreads[k] = (sum * (own - other) * (own - other)) / 2 + scale * rest
  }
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
