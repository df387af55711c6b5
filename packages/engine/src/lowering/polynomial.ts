import { add, mul } from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'

/** Coefficients, lowest first, of the polynomial in t ∈ [−1, 1] that interpolates f at the Chebyshev points.
 * For analytic f the error falls geometrically with the degree (Trefethen 2013, ch. 8). */
export function chebyshevFit(f: (t: number) => number, degree: number): number[] {
  const n = degree + 1
  const nodes = Array.from({ length: n }, (_, j) => Math.cos((Math.PI * (j + 0.5)) / n))
  const values = nodes.map(f)
  const series = Array.from({ length: n }, (_, k) => {
    const sum = values.reduce((s, v, j) => s + v * Math.cos((Math.PI * k * (j + 0.5)) / n), 0)
    return (sum * (k === 0 ? 1 : 2)) / n
  })
  return monomials(series)
}

/** Σ cₖTₖ in powers of t. */
function monomials(series: readonly number[]): number[] {
  const out = new Array<number>(series.length).fill(0)
  let previous = [1]
  let current = [0, 1]
  series.forEach((c, k) => {
    const t = k === 0 ? previous : current
    t.forEach((coefficient, i) => (out[i] += c * coefficient))
    if (k === 0) return
    const next = [0, ...current.map((v) => 2 * v)]
    previous.forEach((v, i) => (next[i] -= v))
    previous = current
    current = next
  })
  return out
}

/** Horner's rule. */
export function polynomial(coefficients: readonly number[], t: Expr): Expr {
  const highest = coefficients.length - 1
  let out: Expr = add(mul(t, coefficients[highest]), coefficients[highest - 1])
  for (let i = highest - 2; i >= 0; i--) out = add(mul(out, t), coefficients[i])
  return out
}
