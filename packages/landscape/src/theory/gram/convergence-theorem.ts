import { DomainError } from '@thalweg/graph'
import type { GramArchitecture } from './infinite-kernel.ts'

export interface TheoremSetting {
  readonly architecture: GramArchitecture
  readonly samples: number
  /** Hidden layers H. */
  readonly depth: number
  /** λ_min(K⁽ᴴ⁾). */
  readonly lambda: number
  /** Probability of failure allowed. Default 0.1. */
  readonly delta?: number
  /** Pixels p of a convolutional network. */
  readonly pixels?: number
}

/** A number that a theorem gives only up to a constant it does not name. */
export interface OrderOf {
  readonly formula: string
  /** The formula with every hidden constant 1, 2^O(H) as 2ᴴ and poly(p) as p². */
  readonly value: number
}

export interface ConvergenceTheorem {
  readonly name: string
  /** Gradient descent with `stepSize` on a net as wide as `width`, L(θ(k)) ≤ (1 − ηλ/2)ᵏ L(θ(0)). */
  readonly statement: string
  readonly width: OrderOf & { readonly terms: readonly OrderOf[] }
  readonly stepSize: OrderOf
  /** Steps that the bound needs, at this step size, to lower the loss by a factor e. */
  readonly stepsPerFactorE: number
}

const names: Readonly<Record<GramArchitecture, string>> = {
  fc: 'Theorem 5.1 (fully connected)',
  resnet: 'Theorem 6.1 (residual)',
  'conv-resnet': 'Theorem 7.1 (convolutional residual)',
}

/** What Du et al. 2019 require and promise, in numbers. The paper states orders, not constants: all of them are 1 here, so
 * widths and step sizes are orders of magnitude.
 * @throws {DomainError} if λ is not positive: then no theorem speaks. */
export function convergenceTheorem(setting: TheoremSetting): ConvergenceTheorem {
  const { architecture, samples: n, depth: h, lambda, delta = 0.1, pixels = 1 } = setting
  if (!(lambda > 0))
    throw new DomainError(
      `convergenceTheorem: λ_min(K) must be positive, got ${lambda}. Remove parallel inputs, or use another activation.`,
    )
  if (!(delta > 0 && delta < 1)) throw new DomainError(`convergenceTheorem: delta must lie in (0, 1), got ${delta}.`)
  const rest: OrderOf[] = [
    { formula: 'n/δ', value: n / delta },
    { formula: 'n² log(Hn/δ)/λ²', value: (n * n * Math.log((h * n) / delta)) / lambda ** 2 },
  ]
  const plain = architecture === 'fc' || h === 1
  const terms: OrderOf[] = plain
    ? [{ formula: 'n⁴/λ⁴', value: (n / lambda) ** 4 }, ...rest]
    : [
        { formula: 'n⁴/(λ⁴H⁶)', value: (n / lambda) ** 4 / h ** 6 },
        { formula: 'n⁴/(λ²H²)', value: n ** 4 / (lambda * h) ** 2 },
        ...rest,
      ]
  const largest = terms.reduce((most, term) => (term.value > most.value ? term : most))
  const factors = architecture === 'fc' ? 2 ** h : architecture === 'conv-resnet' ? pixels ** 2 : 1
  const factorText = architecture === 'fc' ? '2^O(H) ' : architecture === 'conv-resnet' ? 'poly(p) ' : ''
  const stepSize = plain
    ? { formula: 'λ/(n² 2^O(H))', value: lambda / (n * n * 2 ** h) }
    : architecture === 'resnet'
      ? { formula: 'λH²/n²', value: (lambda * h * h) / (n * n) }
      : { formula: 'λH²/(n² poly(p))', value: (lambda * h * h) / (n * n * pixels ** 2) }
  return {
    name: names[architecture],
    statement:
      `With probability at least 1 − δ over the start, width m of order ${factorText}max{${terms.map((t) => t.formula).join(', ')}} ` +
      `and step size η of order ${stepSize.formula} give L(θ(k)) ≤ (1 − ηλ/2)^k L(θ(0)) for all k.`,
    width: { formula: factorText + largest.formula, value: factors * largest.value, terms },
    stepSize,
    stepsPerFactorE: 2 / (stepSize.value * lambda),
  }
}

/** (1 − ηλ/2)ᵏ L(0): what the theorem promises after k steps. */
export function predictedBound(initialLoss: number, stepSize: number, lambda: number, steps: number): number {
  return initialLoss * Math.max(0, 1 - (stepSize * lambda) / 2) ** steps
}

/** The movement ‖W⁽ʰ⁾(k) − W⁽ʰ⁾(0)‖_F ≤ √n ‖y − u(0)‖ C_H/λ of the proofs, with C_H = 2ᴴ (fully connected) or 1. Does not
 * depend on the width. */
export function predictedMovement(setting: TheoremSetting, initialLoss: number): OrderOf {
  const { architecture, samples, depth, lambda } = setting
  const constant = architecture === 'fc' ? 2 ** depth : 1
  return {
    formula: `√n ‖y − u(0)‖ ${architecture === 'fc' ? '2^O(H)' : 'poly(H)'}/λ`,
    value: (Math.sqrt(samples) * Math.sqrt(2 * initialLoss) * constant) / lambda,
  }
}
