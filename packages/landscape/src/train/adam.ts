import { add, div, mul, sqrt, sub } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import type { Optimizer, StepContext } from './optimizer.ts'
import { requireNumber } from './require-number.ts'
import { withDecay } from './sgd.ts'

export interface AdamOptions {
  /** Default 0.9. */
  readonly beta1?: number
  /** Default 0.999. */
  readonly beta2?: number
  /** Added to the root, after the bias correction. Default 1e-8. */
  readonly epsilon?: number
  /** Adam: V·θ is added to the gradient, default 0. AdamW: θ shrinks by η·V, default 0.01. */
  readonly weightDecay?: number
}

/** Adam (Kingma & Ba 2015) as torch.optim.Adam: with d = g + V θ,
 *
 *     m ← β₁m + (1−β₁)d ,   v ← β₂v + (1−β₂)d² ,   θ ← θ − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
 *
 * @throws {DomainError} if a rate is outside [0, 1), or ε is negative. */
export function adam(options: AdamOptions = {}): Optimizer {
  const rule = adamRule('adam', options, 0)
  return {
    ...rule.optimizer,
    step: (context) => rule.step(context, withDecay(context.gradient, context.theta, rule.weightDecay), context.theta),
  }
}

/** AdamW (Loshchilov & Hutter 2019) as torch.optim.AdamW: Adam without V θ in the gradient, after θ ← (1 − ηV) θ.
 * @throws {DomainError} as `adam`. */
export function adamW(options: AdamOptions = {}): Optimizer {
  const rule = adamRule('adamw', options, 0.01)
  return {
    ...rule.optimizer,
    coefficients: (rate, t) => [...rule.optimizer.coefficients(rate, t), 1 - rate * rule.weightDecay],
    step: (context) => rule.step(context, context.gradient, mul(context.theta, context.coefficients[2])),
  }
}

interface AdamRule {
  readonly optimizer: Omit<Optimizer, 'step'>
  readonly weightDecay: number
  readonly step: (context: StepContext, d: Expr, from: Expr) => ReturnType<Optimizer['step']>
}

function adamRule(name: string, options: AdamOptions, defaultDecay: number): AdamRule {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = defaultDecay } = options
  requireNumber(name, 'beta1', beta1, { low: 0, high: 1 })
  requireNumber(name, 'beta2', beta2, { low: 0, high: 1 })
  requireNumber(name, 'epsilon', epsilon, { low: 0 })
  requireNumber(name, 'weightDecay', weightDecay, { low: 0 })
  return {
    weightDecay,
    optimizer: {
      kind: 'first-order',
      name,
      slots: [
        { name: 'first-moment', kind: 'vector', start: 0 },
        { name: 'second-moment', kind: 'vector', start: 0 },
      ],
      coefficients: (rate, t) => [rate / (1 - beta1 ** t), 1 / Math.sqrt(1 - beta2 ** t)],
    },
    step({ state: [m, v], coefficients: [size, correction] }, d, from) {
      const first = add(mul(m, beta1), mul(d, 1 - beta1))
      const second = add(mul(v, beta2), mul(mul(d, d), 1 - beta2))
      const root = add(mul(sqrt(second), correction), epsilon)
      return { theta: sub(from, mul(size, div(first, root))), state: [first, second] }
    },
  }
}
