import type { Expr } from '../core/expr.ts'
import {
  abs,
  add,
  div,
  erf,
  exp,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  mul,
  neg,
  sigmoid,
  softplus,
  sub,
  tanh,
  where,
} from './elementwise.ts'
import type { Operand } from './elementwise.ts'

/* Conventions at kinks are PyTorch's; each function says which side its derivative takes.
 * Every branch passes NaN on: comparisons with NaN fall through to the branch that contains x. */

/** x limited to [low, high]; the derivative is 1 at both ends, as torch.clamp. */
export function clip(x: Expr, low?: Operand, high?: Operand): Expr {
  const below = low === undefined ? x : where(less(x, low), low, x)
  return high === undefined ? below : where(greater(below, high), high, below)
}

/** x limited to [low, high]; the derivative is 0 at both ends, as torch.nn.Hardtanh and ReLU6. */
export function hardTanh(x: Expr, low = -1, high = 1): Expr {
  return where(lessOrEqual(x, low), low, where(greaterOrEqual(x, high), high, x))
}

/** x for x > 0, slope·x otherwise; derivative `slope` at 0. */
export function leakyRelu(x: Expr, slope: Operand = 0.01): Expr {
  return where(greater(x, 0), x, mul(slope, x))
}

/** x for x > 0, α(eˣ − 1) otherwise; derivative α at 0. */
export function elu(x: Expr, alpha = 1): Expr {
  const positive = greater(x, 0)
  return where(positive, x, mul(alpha, sub(exp(where(positive, 0, x)), 1)))
}

/** Klambauer et al. 2017. */
export function selu(x: Expr, alpha = 1.6732632423543772, scale = 1.0507009873554805): Expr {
  return mul(scale, elu(x, alpha))
}

/** max(0, x) + min(0, α(e^{x/α} − 1)) */
export function celu(x: Expr, alpha = 1): Expr {
  const positive = greater(x, 0)
  return where(positive, x, mul(alpha, sub(exp(div(where(positive, 0, x), alpha)), 1)))
}

/** slope·x + offset limited to [0, 1]; derivative 0 at both ends. */
export function hardSigmoid(x: Expr, slope: number = 1 / 6, offset = 0.5): Expr {
  return hardTanh(add(mul(slope, x), offset), 0, 1)
}

/** x · limit((x + 3)/6); derivative −½ at −3 and 1 at 3, as the vectorized kernel of torch.nn.Hardswish
 * (the one for single elements says 3/2 at 3). */
export function hardSwish(x: Expr): Expr {
  return where(less(x, -3), 0, where(greaterOrEqual(x, 3), x, mul(x, div(add(x, 3), 6))))
}

/** x / (1 + |x|) */
export function softsign(x: Expr): Expr {
  return div(x, add(abs(x), 1))
}

/** x · sigmoid(x) */
export function silu(x: Expr): Expr {
  return mul(x, sigmoid(x))
}

/** x · tanh(softplus(x)) */
export function mish(x: Expr): Expr {
  return mul(x, tanh(softplus(x)))
}

/** log sigmoid(x) = −softplus(−x) */
export function logSigmoid(x: Expr): Expr {
  return neg(softplus(neg(x)))
}

/** x Φ(x), exact, or the tanh approximation of Hendrycks & Gimpel 2016. */
export function gelu(x: Expr, approximation: 'none' | 'tanh' = 'none'): Expr {
  if (approximation === 'none') return mul(mul(0.5, x), add(erf(mul(x, Math.SQRT1_2)), 1))
  const inner = mul(Math.sqrt(2 / Math.PI), add(x, mul(0.044715, mul(x, mul(x, x)))))
  return mul(mul(0.5, x), add(tanh(inner), 1))
}

/** x for x > α, else 0; derivative 0 at α. */
export function thresholdedRelu(x: Expr, alpha = 1): Expr {
  return where(lessOrEqual(x, alpha), 0, x)
}

/** x − bias above λ, x + bias below −λ, 0 between; ONNX Shrink. */
export function shrink(x: Expr, lambda = 0.5, bias = 0): Expr {
  const inside = where(less(x, -lambda), add(x, bias), mul(x, 0))
  return where(greater(x, lambda), sub(x, bias), inside)
}
