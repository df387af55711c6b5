import { describe, expect, test } from 'vitest'
import { gaussHermite } from '../../linalg/index.ts'
import { activationNames, activationSecondMoment } from '../../model/index.ts'
import { activationSamples } from './activation-samples.ts'
import { angleOf, gapOf } from './dual-activation.ts'
import { hermiteDual } from './hermite-dual.ts'
import { activationConstants, dualActivation, dualActivationNames } from './named-dual.ts'

/** E σ(u)σ(v), E σ'(u)σ'(v), ½ E (σ(u) − σ(v))². */
function pair(name: string, s: number, t: number, rho: number): number[] {
  const out = new Float64Array(3)
  dualActivation(name)
    .layer(Float64Array.of(s, t))
    .pair(0, 1, 1 - rho, out)
  return [...out]
}

const settings = [
  [1, 1, 0.5],
  [1, 1, -0.83],
  [0.6, 1.7, 0.31],
  [1.3, 0.4, 0.97],
] as const

/** An independent evaluation for smooth σ: the tensor product of Gauss–Hermite rules. */
function tensorHermite(name: string, s: number, t: number, rho: number): number[] {
  const { nodes, weights } = gaussHermite(150)
  const n = nodes.length
  const u = Float64Array.from({ length: n }, (_, i) => Math.sqrt(s) * nodes[i])
  const v = Float64Array.from(
    { length: n * n },
    (_, at) => Math.sqrt(t) * (rho * nodes[Math.floor(at / n)] + Math.sqrt(1 - rho * rho) * nodes[at % n]),
  )
  const [left, right] = [activationSamples(name, u), activationSamples(name, v)]
  let product = 0
  let slopes = 0
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const w = weights[i] * weights[j]
      product += w * left.values[i] * right.values[i * n + j]
      slopes += w * left.slopes[i] * right.slopes[i * n + j]
    }
  return [product, slopes]
}

describe('closed forms and series against tensor Gauss–Hermite', () => {
  test.each(['linear', 'erf', 'sin', 'exp', 'softplus', 'sigmoid', 'gelu', 'silu'])('%s to 1e-12', (name) => {
    for (const [s, t, rho] of settings) {
      const [product, slopes] = tensorHermite(name, s, t, rho)
      const found = pair(name, s, t, rho)
      expect(Math.abs(found[0] - product)).toBeLessThan(1e-12)
      expect(Math.abs(found[1] - slopes)).toBeLessThan(1e-12)
    }
  })

  test.each(['tanh', 'mish', 'gelu-tanh'])('%s within its own error estimate', (name) => {
    for (const [s, t, rho] of settings) {
      const [product, slopes] = tensorHermite(name, s, t, rho)
      const found = pair(name, s, t, rho)
      const { error, slopeError } = dualActivation(name).layer(Float64Array.of(s, t))
      expect(error).toBeLessThan(1e-9)
      expect(Math.abs(found[0] - product)).toBeLessThan(error + 1e-10)
      expect(Math.abs(found[1] - slopes)).toBeLessThan(slopeError + 1e-10)
    }
  })
})

/** 24 panels of the eight-point Gauss–Legendre rule on [0, end]. */
function integral(f: (x: number) => number, end: number): number {
  const nodes = [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363]
  const weights = [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763]
  const panels = 24
  const half = end / panels / 2
  let sum = 0
  for (let k = 0; k < panels; k++)
    nodes.forEach((x, i) => {
      const middle = (2 * k + 1) * half
      sum += half * weights[i] * (f(middle - half * x) + f(middle + half * x))
    })
  return sum
}

// Price's theorem: ∂E σ(u)σ(v)/∂c = E σ'(u)σ'(v), so the two functions determine each other.
test.each(activationNames)("%s: E σσ = E σ E σ + ∫ E σ'σ' dc", (name) => {
  // softsign's inner expectation is an integral, 3 ms a pair
  for (const [s, t, rho] of name === 'softsign' ? settings.slice(2, 3) : settings) {
    const layer = dualActivation(name).layer(Float64Array.of(s, t))
    const root = Math.sqrt(s * t)
    const out = new Float64Array(3)
    const slopes = integral((angle) => {
      layer.pair(0, 1, 1 - Math.sin(angle), out)
      return out[1] * root * Math.cos(angle)
    }, Math.asin(rho))
    layer.pair(0, 1, 1 - rho, out)
    expect(Math.abs(layer.means[0] * layer.means[1] + slopes - out[0])).toBeLessThan(1e-12 + 100 * layer.error)
  }
})

test.each(['hard-tanh', 'hard-sigmoid'])('%s: slopes by the normal density at the kinks', (name) => {
  // E σ'σ' = Eσ' Eσ' + (1/2π) ∫₀^asin ρ Σ_ij d_i d_j exp(−(b_i²/s − 2 b_i b_j sin τ/√(st) + b_j²/t)/(2cos² τ)) dτ
  const [b, d] = name === 'hard-tanh' ? [1, 1] : [3, 1 / 6]
  const kinks = [
    [-b, d],
    [b, -d],
  ]
  for (const [s, t, rho] of settings) {
    const layer = dualActivation(name).layer(Float64Array.of(s, t))
    const mean = (variance: number): number => pair(name, variance, 1, 0)[1]
    const product = mean(s) * (mean(t) / mean(1))
    const bend = integral((angle) => {
      let sum = 0
      for (const [p, e] of kinks)
        for (const [q, f] of kinks)
          sum +=
            e *
            f *
            Math.exp(
              -((p * p) / s - (2 * p * q * Math.sin(angle)) / Math.sqrt(s * t) + (q * q) / t) /
                (2 * Math.cos(angle) ** 2),
            )
      return sum / (2 * Math.PI)
    }, Math.asin(rho))
    const out = new Float64Array(3)
    layer.pair(0, 1, 1 - rho, out)
    expect(Math.abs(product + bend - out[1])).toBeLessThan(1e-12)
  }
})

test.each(['elu', 'selu', 'hard-tanh', 'hard-swish', 'softsign'])('%s: the interpolant of equal variances', (name) => {
  const many = dualActivation(name).layer(new Float64Array(40).fill(1.2))
  const [a, b] = [new Float64Array(3), new Float64Array(3)]
  for (const gap of [0, 1e-9, 0.02, 0.7, 1, 1.6, 1.99, 2]) {
    many.pair(3, 5, gap, a)
    dualActivation(name).layer(Float64Array.of(1.2, 1.2)).pair(0, 1, gap, b)
    for (const i of [0, 1, 2]) expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-12)
  }
})

test('printed numbers: ReLU at ρ = ½, softplus c_σ and χ', () => {
  const [product, slopes] = pair('relu', 1, 1, 0.5)
  expect(2 * slopes).toBeCloseTo(2 / 3, 15)
  expect(2 * product).toBeCloseTo(0.6089977810442294, 15)
  const { cSigma, chi, error } = activationConstants(dualActivation('softplus'))
  expect(Math.abs(cSigma - 1.0854865029883434)).toBeLessThan(1e-14)
  expect(Math.abs(chi - 0.318458983683693)).toBeLessThan(1e-14)
  expect(error).toBeLessThan(1e-13)
})

test.each(activationNames)('%s: c_σ is that of the networks', (name) => {
  const { cSigma } = activationConstants(dualActivation(name))
  expect(Math.abs(cSigma * activationSecondMoment(name) - 1)).toBeLessThan(2e-14)
})

test('parallel, opposite and constant coordinates', () => {
  for (const name of dualActivationNames) {
    const layer = dualActivation(name).layer(Float64Array.of(0.9, 0.9, 0))
    const out = new Float64Array(3)
    layer.pair(0, 1, 0, out)
    expect(Math.abs(out[0] - layer.squares[0])).toBeLessThan(1e-13 + layer.error)
    expect(Math.abs(out[2])).toBeLessThan(1e-13 + layer.error)
    layer.pair(0, 2, gapOf(Math.sqrt(0.9), 0, 0.45), out)
    expect(Math.abs(out[0] - layer.means[0] * layer.means[2])).toBeLessThan(1e-13 + 2 * layer.error)
  }
  const [, slopes] = pair('relu', 1, 1, -1)
  expect(slopes).toBe(0)
})

test('tiny angles keep their digits: κ₀ of vectors 1e-9 apart', () => {
  const angle = 1e-9
  const gap = gapOf(1, 1, 2 * Math.sin(angle / 2) ** 2)
  expect(Math.abs(angleOf(gap) / angle - 1)).toBeLessThan(1e-12)
  const out = new Float64Array(3)
  dualActivation('relu').layer(Float64Array.of(1, 1)).pair(0, 1, gap, out)
  expect(Math.abs((0.5 - out[1]) / (angle / (2 * Math.PI)) - 1)).toBeLessThan(1e-6)
  // half distance ½E(relu u − relu v)² ≈ θ²/4 · ½ … , not the 1e-17 noise of 1 − ρ
  expect(Math.abs(out[2] / (gap / 2) - 1)).toBeLessThan(1e-8)
})

test('a slowly decaying series says so', () => {
  const { error } = hermiteDual('tanh').layer(Float64Array.of(400))
  expect(error).toBeGreaterThan(1e-4)
  expect(() => dualActivation('reLU')).toThrow(/activation must be one of linear, relu/)
})
