type Vector = ArrayLike<number>

export function dot(a: Vector, b: Vector): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a))
}

/** How far two products are from being adjoint, in units of rounding:
 *
 *      |⟨Jv, w⟩ − ⟨v, Jᵀw⟩| / (ε · max(‖Jv‖‖w‖, ‖v‖‖Jᵀw‖)),   ε = 2⁻⁵³
 *
 * Below 30 is rounding. 0 when both products vanish; NaN when one of them is not finite.
 * @param productV  Jv.
 * @param productW  Jᵀw. */
export function adjointDefect(v: Vector, productV: Vector, w: Vector, productW: Vector): number {
  const scale = Math.max(norm(productV) * norm(w), norm(v) * norm(productW))
  const defect = Math.abs(dot(productV, w) - dot(v, productW))
  return defect === 0 && scale === 0 ? 0 : defect / (2 ** -53 * scale)
}
