import { DomainError } from '@thalweg/graph'

/** Strength u(t) of one mode of a two-layer linear network under gradient flow on L̄ with X Xᵀ = I, from balanced weights:
 *
 *      u(t) = s e^{2st} / (e^{2st} − 1 + s / u_0) ,   u̇ = 2 u (s − u) .
 *
 * @param strength  s > 0, singular value of Y Xᵀ.
 * @param initial   u_0 > 0.
 * @throws {DomainError} outside these. Source: Saxe, McClelland, Ganguli, ICLR 2014. */
export function modeStrength(strength: number, initial: number, time: number): number {
  requirePositive('modeStrength', { strength, initial })
  // Divided by e^{2st}, so that no exponential overflows.
  const decay = Math.exp(-2 * strength * time)
  return strength / (1 + (strength / initial - 1) * decay)
}

export interface ModeTime {
  readonly strength: number
  /** Start and end of the mode, both on the same side of s. */
  readonly from: number
  readonly to: number
  /** L ≥ 2; default 2. */
  readonly layers?: number
}

/** Time in which a mode of an L-layer network grows from u = `from` to `to`, where balanced weights a = u^{1/L} follow
 *
 *      u̇ = L u^{2 − 2/L} (s − u) .
 *
 * L = 2 in closed form, (1/2s) ln(to (s − from) / (from (s − to))); else by Simpson's rule in ln u, to 1e-10 relative. The
 * time from a tiny start grows like ln(1/u_0) for L = 2 and like u_0^{−(L−2)/L} beyond.
 * @throws {DomainError} unless 0 < from, to and both lie on one side of s. */
export function modeTime({ strength, from, to, layers = 2 }: ModeTime): number {
  requirePositive('modeTime', { strength, from, to })
  if (!(Number.isInteger(layers) && layers >= 2)) {
    throw new DomainError(`modeTime: layers must be an integer from 2, got ${layers}.`)
  }
  if (!((strength - from) * (strength - to) > 0)) {
    throw new DomainError(
      `modeTime: from and to must lie on one side of the strength ${strength}, got ${from} and ${to}.`,
    )
  }
  if (layers === 2) return Math.log((to * (strength - from)) / (from * (strength - to))) / (2 * strength)
  const rate = (logarithm: number): number => {
    const u = Math.exp(logarithm)
    return 1 / (layers * u ** (1 - 2 / layers) * (strength - u))
  }
  return integrate(rate, Math.log(from), Math.log(to))
}

function requirePositive(where: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) {
      throw new DomainError(`${where}: ${name} must be positive and finite, got ${value}.`)
    }
  }
}

/** Composite Simpson's rule, panels doubled until two results agree to 1e-10. */
function integrate(f: (x: number) => number, a: number, b: number): number {
  let previous = Number.NaN
  for (let panels = 16; panels <= 2 ** 20; panels *= 2) {
    const h = (b - a) / panels
    let sum = f(a) + f(b)
    for (let i = 1; i < panels; i++) sum += (i % 2 === 1 ? 4 : 2) * f(a + i * h)
    const value = (sum * h) / 3
    if (Math.abs(value - previous) <= 1e-10 * Math.abs(value)) return value
    previous = value
  }
  return previous
}
