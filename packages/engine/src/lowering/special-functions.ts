import { abs, add, div, equal, exp, greater, log, max, min, mul, neg, sign, sqrt, sub, where } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { chebyshevFit, polynomial } from './polynomial.ts'

/** log(1 + u) for u ≥ 0 to full relative accuracy: the rounding of 1 + u is divided out (Kahan). */
function log1p(u: Expr): Expr {
  const w = add(u, 1)
  const unchanged = equal(w, 1)
  return where(unchanged, u, mul(log(w), div(u, where(unchanged, 1, sub(w, 1)))))
}

/** max(x, 0) + log1p(e^{−|x|}) */
export function softplusComposition(x: Expr): Expr {
  return add(max(x, 0), log1p(exp(neg(abs(x)))))
}

/** 1 / (1 + e^{−x}), right to the last digits for very negative x too, where the kernel answers 0. */
export function sigmoidComposition(x: Expr): Expr {
  return div(1, add(exp(neg(x)), 1))
}

// Errors are absolute 1e-15 and a few units in the last place. Polynomials in a mapped variable lose digits in their
// leading coefficients, so the leading term stands outside and the polynomial only corrects it.

/** Taylor coefficients of √π/2 · erf(√s)/√s = Σ (−s)ⁿ / (n! (2n + 1)), enough for s ≤ 1 (Abramowitz & Stegun 7.1.5). */
const central = ((): number[] => {
  let factorial = 1
  return Array.from({ length: 19 }, (_, n) => {
    factorial *= n === 0 ? 1 : -n
    return 2 / Math.sqrt(Math.PI) / factorial / (2 * n + 1)
  })
})()

// erf x = 1 − e^{−x²} Q(1/x) on [1, 6]
const tailDegree = 22
const tailMiddle = (1 + 1 / 6) / 2
const tailHalfWidth = (1 - 1 / 6) / 2

/** e^{x²} erfc x as a function of 1/x ∈ [1/6, 1], mapped to [−1, 1]. */
const tail = chebyshevFit((t) => scaledErfc(1 / (tailMiddle + tailHalfWidth * t)), tailDegree)

/** e^{x²} erfc x for x ≥ 1 by its continued fraction (Abramowitz & Stegun 7.1.14). */
function scaledErfc(x: number): number {
  let fraction = 0
  for (let n = 600; n >= 1; n--) fraction = n / 2 / (x + fraction)
  return 1 / Math.sqrt(Math.PI) / (x + fraction)
}

/** erf in float64 from operators that have kernels. */
export function erfComposition(x: Expr): Expr {
  const a = abs(x)
  const inner = min(a, 1)
  const near = mul(x, polynomial(central, mul(inner, inner)))
  const outer = min(max(a, 1), 6)
  const u = div(sub(div(1, outer), tailMiddle), tailHalfWidth)
  const far = mul(sign(x), sub(1, mul(exp(neg(mul(outer, outer))), polynomial(tail, u))))
  return where(greater(a, 1), far, near)
}

const arcDegree = 12
const arcEnd = Math.tan(Math.PI / 8) ** 2

/** (atan(√s)/√s − 1)/s on 0 ≤ √s ≤ tan(π/8), s mapped to [−1, 1]. */
const arc = chebyshevFit((t) => {
  const s = ((t + 1) / 2) * arcEnd
  let sum = 0
  for (let n = 30; n >= 1; n--) sum = (n % 2 ? -1 : 1) / (2 * n + 1) + s * sum
  return sum
}, arcDegree)

/** atan in float64: |x| > 1 through π/2 − atan(1/x), then one halving of the angle, then a polynomial. */
export function atanComposition(x: Expr): Expr {
  const a = abs(x)
  const large = greater(a, 1)
  const r = where(large, div(1, where(large, a, 1)), a)
  const half = div(r, add(sqrt(add(mul(r, r), 1)), 1))
  const square = mul(half, half)
  const correction = mul(square, polynomial(arc, sub(mul(square, 2 / arcEnd), 1)))
  const angle = mul(add(half, mul(half, correction)), 2)
  return mul(where(large, sub(Math.PI / 2, angle), angle), sign(x))
}
