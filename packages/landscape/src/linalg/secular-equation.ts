import { ConvergenceError } from '@thalweg/graph'

const epsilon = 2 ** -53

/** Steps to a root: about five are taken, and bisection alone would need some seventy. */
const stepsMax = 200

/** Roots λ₀ < λ₁ < … of the secular equation
 *
 *      f(λ) = 1/ρ + Σ_j z_j² / (d_j − λ) = 0 ,
 *
 * the eigenvalues of D + ρ z zᵀ. Each lies in (d_i, d_{i+1}), the last in (d_{k−1}, d_{k−1} + ρ‖z‖²), and is sought as
 * its distance from the nearer pole, so that all differences d_j − λ_i have small relative errors.
 *
 * @param d  [≥ k], strictly ascending in its first k entries.
 * @param z  [≥ k], none of the first k zero, of norm at most 1.
 * @param rho  positive.
 * @param roots  [≥ k], written.
 * @param gaps  [≥ k · k], written: row i holds d_j − λ_i.
 * @throws {ConvergenceError} if a root takes 200 steps, which has not been seen.
 * Cost: about 5 k² divisions. Source: Li (1993), "Solving secular equations stably and efficiently". */
export function secularRoots(
  k: number,
  d: Float64Array,
  z: Float64Array,
  rho: number,
  roots: Float64Array,
  gaps: Float64Array,
): void {
  const equation = new SecularEquation(k, d, z, rho)
  for (let i = 0; i < k; i++) {
    const { origin, offset } = equation.root(i)
    roots[i] = d[origin] + offset
    for (let j = 0; j < k; j++) gaps[i * k + j] = d[j] - d[origin] - offset
  }
}

/** A root as its distance from a pole. */
interface Root {
  readonly origin: number
  readonly offset: number
}

class SecularEquation {
  readonly #k: number
  readonly #d: Float64Array
  readonly #z: Float64Array
  readonly #rho: number
  /** f at the last place evaluated, its parts from the poles up to `split` and beyond, their slopes, and a bound of what f
   * lost to rounding. */
  #value = 0
  #slopeBelow = 0
  #slopeAbove = 0
  #rounding = 0

  constructor(k: number, d: Float64Array, z: Float64Array, rho: number) {
    this.#k = k
    this.#d = d
    this.#z = z
    this.#rho = rho
  }

  root(i: number): Root {
    if (this.#k === 1) return { origin: 0, offset: this.#rho * this.#z[0] ** 2 }
    return i === this.#k - 1 ? this.#last() : this.#between(i)
  }

  /** The root between poles i and i + 1: the sign of f in the middle tells which is nearer. */
  #between(i: number): Root {
    const gap = this.#d[i + 1] - this.#d[i]
    const half = gap / 2
    this.#evaluate(i, half, i)
    const rest = this.#value + (this.#z[i] ** 2 - this.#z[i + 1] ** 2) / half
    if (this.#value >= 0) {
      const guess = rationalGuess(rest, gap, this.#z[i] ** 2, this.#z[i + 1] ** 2)
      return { origin: i, offset: this.#refine(i, i, 0, half, guess) }
    }
    const guess = -rationalGuess(-rest, gap, this.#z[i + 1] ** 2, this.#z[i] ** 2)
    return { origin: i + 1, offset: this.#refine(i + 1, i, -half, 0, guess) }
  }

  #last(): Root {
    const last = this.#k - 1
    return { origin: last, offset: this.#refine(last, last - 1, 0, this.#rho, this.#rho / 2) }
  }

  /** f, its slopes and its rounding at d[origin] + offset. */
  #evaluate(origin: number, offset: number, split: number): void {
    const d = this.#d
    const z = this.#z
    const base = d[origin]
    let below = 0
    let slopeBelow = 0
    let bound = 0
    for (let j = 0; j <= split; j++) {
      const ratio = z[j] / (d[j] - base - offset)
      below += z[j] * ratio
      slopeBelow += ratio * ratio
      bound += below
    }
    bound = Math.abs(bound)
    let above = 0
    let slopeAbove = 0
    for (let j = this.#k - 1; j > split; j--) {
      const ratio = z[j] / (d[j] - base - offset)
      above += z[j] * ratio
      slopeAbove += ratio * ratio
      bound += Math.abs(above)
    }
    const inverse = 1 / this.#rho
    this.#value = inverse + below + above
    this.#slopeBelow = slopeBelow
    this.#slopeAbove = slopeAbove
    this.#rounding =
      8 * (Math.abs(above) + Math.abs(below)) + bound + inverse + Math.abs(offset) * (slopeBelow + slopeAbove)
  }

  /** The zero of f in (low, high), measured from pole `origin`: each part of f is replaced by a constant and one pole,
   * `split` or `split + 1`, of equal value and slope; where that leaves the bracket, the bracket is halved. f rises from
   * pole to pole. */
  #refine(origin: number, split: number, low: number, high: number, guess: number): number {
    const toLower = this.#d[split] - this.#d[origin]
    const toUpper = this.#d[split + 1] - this.#d[origin]
    let offset = guess > low && guess < high ? guess : (low + high) / 2
    for (let step = 0; step < stepsMax; step++) {
      this.#evaluate(origin, offset, split)
      const value = this.#value
      if (Math.abs(value) <= epsilon * this.#rounding) return offset
      if (value < 0) low = offset
      else high = offset
      const middle = low + (high - low) / 2
      if (!(middle > low && middle < high)) return offset
      const change = this.#rationalStep(toLower - offset, toUpper - offset)
      const next = offset + change
      offset = next > low && next < high ? next : middle
    }
    throw new ConvergenceError(`symmetricEigen: a root of the secular equation was not found in ${stepsMax} steps.`, {
      origin,
    })
  }

  /** From here to the zero of c + s/(lower − η) + t/(upper − η). */
  #rationalStep(lower: number, upper: number): number {
    const value = this.#value
    const slope = this.#slopeBelow + this.#slopeAbove
    const c = value - lower * this.#slopeBelow - upper * this.#slopeAbove
    const a = (lower + upper) * value - lower * upper * slope
    const b = lower * upper * value
    // The last root lies above both poles, where the other solution of the quadratic is the one wanted.
    const root = Math.sqrt(Math.max(0, a * a - 4 * b * c))
    const outside = upper < 0
    const change =
      a <= 0 !== outside ? (a - (outside ? -root : root)) / (2 * c) : (2 * b) / (a + (outside ? -root : root))
    return value * change < 0 ? change : -value / slope
  }
}

/** The zero in (0, gap) of rest − near/τ + far/(gap − τ). */
function rationalGuess(rest: number, gap: number, near: number, far: number): number {
  const a = rest * gap + near + far
  const b = near * gap
  const root = Math.sqrt(Math.max(0, a * a - 4 * b * rest))
  return a > 0 ? (2 * b) / (a + root) : (a - root) / (2 * rest)
}
