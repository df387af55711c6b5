import { DomainError, add, mul, sub } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import type { Optimizer } from './optimizer.ts'
import { requireNumber } from './require-number.ts'

export interface SgdOptions {
  /** μ in [0, 1). Default 0. */
  readonly momentum?: number
  /** Looks ahead (needs momentum). Default false. */
  readonly nesterov?: boolean
  /** V: adds V·θ to the gradient. Not part of the reported loss; give it to the loss instead to see it there. Default 0. */
  readonly weightDecay?: number
}

/** Gradient descent θ ← θ − η g; with mini-batches, stochastic gradient descent. */
export function gradientDescent(): Optimizer {
  return { ...sgd(), name: 'gradient-descent' }
}

/** Stochastic gradient descent with momentum, as torch.optim.SGD with dampening 0:
 *
 *     d = g + V θ ,   b ← μ b + d ,   θ ← θ − η (nesterov ? d + μ b : b)
 *
 * @throws {DomainError} if momentum is outside [0, 1), or Nesterov is asked for without it. */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0 } = options
  requireNumber('sgd', 'momentum', momentum, { low: 0, high: 1 })
  requireNumber('sgd', 'weightDecay', weightDecay, { low: 0 })
  if (nesterov && momentum === 0)
    throw new DomainError('sgd: nesterov needs momentum, got momentum 0. Set both or neither.')
  const descend = (theta: Expr, rate: Expr, d: Expr): Expr => sub(theta, mul(rate, d))
  return {
    kind: 'first-order',
    name: 'sgd',
    slots: momentum === 0 ? [] : [{ name: 'momentum', kind: 'vector', start: 0 }],
    coefficients: (learningRate) => [learningRate],
    step({ theta, gradient, state, coefficients: [rate] }) {
      const d = withDecay(gradient, theta, weightDecay)
      if (momentum === 0) return { theta: descend(theta, rate, d), state: [] }
      const buffer = add(mul(state[0], momentum), d)
      const direction = nesterov ? add(d, mul(buffer, momentum)) : buffer
      return { theta: descend(theta, rate, direction), state: [buffer] }
    },
  }
}

/** g + V θ */
export function withDecay(gradient: Expr, theta: Expr, weightDecay: number): Expr {
  return weightDecay === 0 ? gradient : add(gradient, mul(theta, weightDecay))
}
