import { DomainError, numbersOf } from '@thalweg/graph'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { randomStream } from '../../random/random-stream.ts'
import type { ModifiedLoss } from './modified-loss.ts'
import { quasiNewton } from './quasi-newton.ts'
import { squareScale } from './square-scale.ts'

/** How low the neurons alone can bring the loss while θ stays. */
export interface FrozenInfimum {
  /** inf over (a, b, W) of L̃ at this θ, or an upper bound of it. */
  readonly value: number
  /** `search`: one input feature, all of the real line searched on a fine grid and refined; `upper-bound`: several
   * features, the best of many starts; a lower value may exist. */
  readonly kind: 'search' | 'upper-bound'
  /** Where the supremum was found, per output; a row of infinities is a limit (type B). */
  readonly w: readonly (readonly number[])[]
  /** Outputs whose supremum is a limit ‖w‖ → ∞. */
  readonly limits: number
}

/** The infimum of the modified loss at frozen θ, for squares:
 *
 *     inf L̃_θ = L(θ) − s Σ_k sup_w (Σᵢ vᵢ r_ik e^{wᵀxᵢ})² / Σᵢ vᵢ e^{2wᵀxᵢ} ,   r = f − y, s = 1/N (or 1/2N)
 *
 * It does not depend on λ, lies below L(θ) unless the residuals vanish group by group, and is not attained: a → 0.
 * @returns null for losses other than squares: no closed form.
 * Source: Kawaguchi and Kaelbling 2020, the analysis of the failure mode; the formula is elementary. */
export async function frozenInfimum(
  modified: ModifiedLoss,
  theta: Float64Array,
  options: { readonly starts?: number; readonly seed?: number } = {},
): Promise<FrozenInfimum | null> {
  const { base, features: x } = modified
  const { features: d, outputs, kind } = modified.neurons
  const scale = squareScale(base)
  if (scale === null) return null
  if (kind !== 'exponential') throw new DomainError(`frozenInfimum: needs exponential neurons, got ${kind}.`)
  const residuals = await residualsOf(base, theta)
  const weights = base.dataset.sampleWeights ?? new Float64Array(base.samples).fill(1)
  let value = await base.value(theta)
  const w: number[][] = []
  let limits = 0
  for (let k = 0; k < outputs; k++) {
    const r = Float64Array.from({ length: base.samples }, (_, i) => residuals[i * outputs + k])
    const found = d === 1 ? onTheLine(x, weights, r) : await inSpace(x, d, weights, r, options)
    value -= scale * found.value
    limits += found.w.every(Number.isFinite) ? 0 : 1
    w.push(found.w)
  }
  return { value, kind: d === 1 ? 'search' : 'upper-bound', w, limits }
}

async function residualsOf(loss: Loss, theta: Float64Array): Promise<Float64Array> {
  const outputs = await loss.outputs(theta)
  const targets = numbersOf(loss.dataset.targets)
  return outputs.map((f, i) => f - targets[i])
}

interface Supremum {
  readonly value: number
  readonly w: number[]
}

/** φ(w) = (Σ v r e^{w·x})² / Σ v e^{2w·x} with its gradient; exponents relative to the largest. */
function explained(
  x: Float64Array,
  d: number,
  weights: Float64Array,
  r: Float64Array,
  w: Float64Array,
): { value: number; gradient: Float64Array } {
  const exponents = new Float64Array(r.length)
  let top = Number.NEGATIVE_INFINITY
  for (let i = 0; i < r.length; i++) {
    for (let j = 0; j < d; j++) exponents[i] += w[j] * x[i * d + j]
    top = Math.max(top, exponents[i])
  }
  let [s, q] = [0, 0]
  const [ds, dq] = [new Float64Array(d), new Float64Array(d)]
  for (let i = 0; i < r.length; i++) {
    const e = Math.exp(exponents[i] - top)
    const [p, square] = [weights[i] * r[i] * e, weights[i] * e * e]
    s += p
    q += square
    for (let j = 0; j < d; j++) {
      ds[j] += p * x[i * d + j]
      dq[j] += 2 * square * x[i * d + j]
    }
  }
  return { value: (s * s) / q, gradient: ds.map((slope, j) => (2 * s * slope) / q - (s / q) * (s / q) * dq[j]) }
}

const gridHalf = 1500

function onTheLine(x: Float64Array, weights: Float64Array, r: Float64Array): Supremum {
  const sorted = [...new Set(x)].sort((a, b) => a - b)
  const range = Math.max(1e-300, sorted[sorted.length - 1] - sorted[0])
  const at = (u: number): number => explained(x, 1, weights, r, Float64Array.of(Math.sinh(u) / range)).value
  // sinh spreads the grid from fractions of the range to where the exponentials have separated all inputs.
  const gaps = sorted.slice(1).map((v, i) => v - sorted[i])
  const reach = Math.asinh(Math.min(1e8, (40 * range) / Math.max(1e-300, Math.min(...gaps, range))))
  const step = reach / gridHalf
  const values = Array.from({ length: 2 * gridHalf + 1 }, (_, i) => at((i - gridHalf) * step))
  let best: Supremum = { value: 0, w: [0] }
  values.forEach((v, i) => {
    if (v < (values[i - 1] ?? -1) || v < (values[i + 1] ?? -1)) return
    const u = goldenMaximum(at, (i - gridHalf - 1) * step, (i - gridHalf + 1) * step)
    const value = at(u)
    if (value > best.value) best = { value, w: [Math.sinh(u) / range] }
  })
  for (const [end, sign] of [
    [sorted[0], -1],
    [sorted[sorted.length - 1], 1],
  ]) {
    const value = concentrated(x, 1, weights, r, (i) => x[i] === end)
    if (value >= best.value * (1 - 1e-12))
      best = { value: Math.max(value, best.value), w: [sign * Number.POSITIVE_INFINITY] }
  }
  return best
}

/** φ where only the samples named remain. */
function concentrated(
  x: Float64Array,
  d: number,
  weights: Float64Array,
  r: Float64Array,
  has: (i: number) => boolean,
): number {
  let [s, q] = [0, 0]
  for (let i = 0; i * d < x.length; i++)
    if (has(i)) {
      s += weights[i] * r[i]
      q += weights[i]
    }
  return q === 0 ? 0 : (s * s) / q
}

function goldenMaximum(f: (u: number) => number, from: number, to: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2
  let [low, high] = [from, to]
  for (let i = 0; i < 80; i++) {
    const [left, right] = [high - ratio * (high - low), low + ratio * (high - low)]
    if (f(left) >= f(right)) high = right
    else low = left
  }
  return (low + high) / 2
}

/** The best of many ascents, from zero, random directions, and towards each of the samples with the largest residuals. */
async function inSpace(
  x: Float64Array,
  d: number,
  weights: Float64Array,
  r: Float64Array,
  { starts = 24, seed = 0 }: { readonly starts?: number; readonly seed?: number },
): Promise<Supremum> {
  const random = randomStream(seed, 'frozen infimum')
  const mean = new Float64Array(d)
  for (let i = 0; i < r.length; i++) for (let j = 0; j < d; j++) mean[j] += x[i * d + j] / r.length
  const spread = norm(x.map((v, i) => v - mean[i % d])) / Math.sqrt(r.length)
  const order = Array.from(r, (v, i) => [Math.abs(v), i] as const).sort((a, b) => b[0] - a[0])
  let best: Supremum = { value: 0, w: new Array<number>(d).fill(0) }
  for (let index = 0; index < starts; index++) {
    const towards = index < starts / 2 && index < order.length ? order[index][1] : -1
    const direction = random.normals(d)
    if (towards >= 0) for (let j = 0; j < d; j++) direction[j] = x[towards * d + j] - mean[j]
    const length = norm(direction)
    const start = direction.map((v) =>
      length === 0 ? 0 : (v / length) * ((towards >= 0 ? 3 : 1) / Math.max(1e-300, spread)),
    )
    const result = await quasiNewton(
      async (w) => {
        const { value, gradient } = explained(x, d, weights, r, w)
        return { value: -value, gradient: gradient.map((g) => -g) }
      },
      start,
      { maxSteps: 200, gradientTolerance: 1e-12 },
    )
    if (-result.value > best.value) best = { value: -result.value, w: Array.from(result.x) }
  }
  return best
}
