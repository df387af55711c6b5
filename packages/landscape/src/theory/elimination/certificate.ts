import { maxNorm, norm } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'
import { functionOptimum } from './function-optimum.ts'
import { groupGradients } from './group-gradients.ts'
import type { GroupGradients } from './group-gradients.ts'
import { maxProduct } from './modified-loss.ts'
import type { ModifiedLoss } from './modified-loss.ts'
import { squareScale } from './square-scale.ts'

export interface CertifyOptions {
  /** Of max_j ‖G_j‖. Default 1e-8. */
  readonly tolerance?: number
  /** Of random directions of the witness. Default 0. */
  readonly seed?: number
}

/** A point that is lower than the one rejected, and how to get there. */
export interface DecreaseWitness {
  /** `shrink-a`: along (a e^{−s}, b + s), which leaves g alone; `turn-on`: a moves off 0 after w moved freely. */
  readonly kind: 'shrink-a' | 'turn-on'
  /** ‖Δw‖: how far the neuron's weights were moved before; the value stays the same on the way, since a = 0. */
  readonly moved: number
  readonly output: number
  /** L̃ before minus L̃ after, measured; for `shrink-a` on the penalty, the only term that changes. */
  readonly decrease: number
  /** What theory says it should be; null where there is no closed form. */
  readonly predicted: number | null
  /** The lower point. */
  readonly z: Float64Array
}

/** Whether z is a local, and then global, minimum of the modified loss. */
export interface EliminationCertificate {
  readonly accepted: boolean
  readonly groupGradientMax: number
  readonly tolerance: number
  readonly groups: number
  readonly gradientNorm: number
  /** ‖a‖² and what stationarity to this gradient norm allows, ε(‖a‖ + 1)/(2λ). */
  readonly aSquared: number
  readonly aSquaredBound: number
  /** Size of the added output, √(mean ‖g(x_i)‖²). */
  readonly neuronRms: number
  readonly loss: number
  readonly modifiedLoss: number
  readonly functionOptimum: number | null
  /** L(θ) − L_func; null where L_func has no closed form. */
  readonly gap: number | null
  /** Present where the point is rejected and a decrease beyond rounding was found. */
  readonly witness: DecreaseWitness | null
}

/** Accepts or rejects a point of the modified loss, by the group gradients and never by the Hessian:
 *
 *     z is a local minimum of L̃  ⇔  a = 0 and G_j(θ) = 0 for every distinct input x̄_j
 *
 * A Hessian that is positive semidefinite at a stationary point proves nothing here (a moment of the residuals may vanish
 * at one w and not beside it). A rejection comes with a lower point where its decrease is beyond rounding.
 * @param z  (θ, a, b, W) of any kind of added neurons.
 * Source: Kawaguchi and Kaelbling 2020, Theorem 1 and its proof. */
export async function certify(
  modified: ModifiedLoss,
  z: Float64Array,
  options: CertifyOptions = {},
): Promise<EliminationCertificate> {
  const { tolerance = 1e-8 } = options
  const { base, lambda } = modified
  const theta = modified.theta(z).slice()
  const { value, gradient } = await modified.valueAndGradient(z)
  const gradients = await groupGradients(base, await base.outputs(theta))
  const loss = await base.value(theta)
  const neuronRms = await modified.neuronRms(z)
  const a = norm(modified.part(z, 'a'))
  const gradientNorm = norm(gradient)
  const aSquaredBound = (gradientNorm * (a + 1)) / (2 * lambda)
  const optimum = functionOptimum(base)
  // g must be gone as well: a alone is no measure, its response may be any multiple. Where no function attains the infimum
  // group gradients become small on the way to infinity: no local minimum.
  const possible = base.weightDecay === 0 && optimum.attained !== false
  const accepted = possible && gradients.largest <= tolerance && (await vanishes(modified, z, tolerance))
  return {
    accepted,
    groupGradientMax: gradients.largest,
    tolerance,
    groups: gradients.groups.count,
    gradientNorm,
    aSquared: a * a,
    aSquaredBound,
    neuronRms,
    loss,
    modifiedLoss: value,
    functionOptimum: optimum.value,
    gap: optimum.value === null ? null : loss - optimum.value,
    witness: accepted ? null : await decreaseWitness(modified, z, gradients, options.seed ?? 0),
  }
}

/** Whether the neurons are off: what they add to value and slopes is within the tolerance. */
async function vanishes(modified: ModifiedLoss, z: Float64Array, tolerance: number): Promise<boolean> {
  const rms = await modified.neuronRms(z)
  const scale = Math.max(1, maxNorm(await modified.base.outputs(modified.theta(z))))
  return rms <= Math.sqrt(tolerance) * scale && maxNorm(modified.part(z, 'a')) <= Math.sqrt(tolerance)
}

const moves: readonly number[] = [0, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1, 3]
const directionsMax = 4

/** A strictly lower point. Where a_k ≠ 0 the symmetry of g gives one, λa²(1 − e^{−2s}) lower; where a = 0 moving w and
 * then a does, because exponentials with distinct x̄_j are independent on every open set of w; the decrease must then be ten
 * times the rounding of the value. */
async function decreaseWitness(
  modified: ModifiedLoss,
  z: Float64Array,
  gradients: GroupGradients,
  seed: number = 0,
): Promise<DecreaseWitness | null> {
  const before = await modified.value(z)
  const noise = 10 * (await valueNoise(modified, z, before))
  const shrunk = shrinkLargest(modified, z)
  // g stays, so the decrease is that of the penalty alone: it is measured there, where the fit cannot drown it.
  const decrease = modified.penalty(z) - modified.penalty(shrunk.z)
  if (decrease > 0 && Math.abs((await modified.fit(shrunk.z)) - (await modified.fit(z))) <= noise)
    return { kind: 'shrink-a', moved: 0, output: shrunk.output, decrease, predicted: shrunk.predicted, z: shrunk.z }
  if (modified.neurons.kind !== 'exponential') return turnOnAny(modified, z, before, noise, seed)
  const { features: d, outputs: k } = modified.neurons
  const unit = 1 / Math.max(1e-12, rootMeanSquare(modified.features) * Math.sqrt(d))
  for (const move of moves)
    for (let index = 0; index < (move === 0 ? 1 : directionsMax); index++) {
      const random = randomStream(seed, 'elimination witness', index)
      const output = strongestOutput(gradients, k)
      const trial = z.slice()
      modified.part(trial, 'a').fill(0)
      const direction = random.normals(d)
      const size = norm(direction)
      for (let j = 0; j < d; j++)
        trial[modified.neurons.w.start + output * d + j] += (move * unit * direction[j]) / size
      const found = await turnOn(modified, trial, gradients, output)
      if (!found) continue
      const gained = before - (await modified.value(found.z))
      if (gained > noise)
        return { kind: 'turn-on', moved: move * unit, output, decrease: gained, predicted: found.predicted, z: found.z }
    }
  return null
}

/** How much the value moves when every coordinate moves by a few units in its last place. (The noise floor for gradients
 * looks further around, where exponentials overflow.) */
async function valueNoise(modified: ModifiedLoss, z: Float64Array, value: number): Promise<number> {
  let noise = 2 ** -52 * Math.abs(value)
  for (let probe = 0; probe < 2; probe++) {
    const u = randomStream(0, 'elimination noise', probe).uniforms(z.length)
    const moved = await modified.value(z.map((t, i) => t * (1 + 2 ** -50 * (2 * u[i] - 1))))
    noise = Math.max(noise, Math.abs(moved - value))
  }
  return noise
}

/** Along the symmetry of g, which the penalty alone feels: (a e^{−s}, b + s) for exponentials, and
 * (a e^{−ps}, w e^s, b e^s) for monomials of degree p. */
function shrinkLargest(
  modified: ModifiedLoss,
  z: Float64Array,
): { z: Float64Array; output: number; predicted: number } {
  const { a, b, w, kind, degree, penalties } = modified.neurons
  const sizes = modified.part(z, 'a').map(Math.abs)
  const at = sizes.indexOf(maxNorm(sizes))
  const s = 1
  const factor = Math.exp(-(kind === 'monomial' ? degree * s : s))
  const moved = z.slice()
  moved[a.start + at] *= factor
  if (kind === 'monomial') {
    const width = (w.end - w.start) / (b.end - b.start)
    moved[b.start + at] *= Math.exp(s)
    for (let j = 0; j < width; j++) moved[w.start + at * width + j] *= Math.exp(s)
  } else moved[b.start + at] += s
  const [{ coefficient, power }] = penalties
  const predicted = modified.lambda * coefficient * sizes[at] ** power * (1 - factor ** power)
  return { z: moved, output: at % modified.neurons.outputs, predicted }
}

const layerAmplitudes: readonly number[] = [0, 1e-3, 1e-2, 0.1]

/** For monomials and neurons per layer: (b, w) move at random with a = 0, where the value stays; then the amplitudes at the
 * output step against their gradient. The neurons of the layers below must be on, by a little, where the network's own last
 * layer does not tell the inputs apart; their penalty is of order τ^{2L}. */
async function turnOnAny(
  modified: ModifiedLoss,
  z: Float64Array,
  before: number,
  noise: number,
  seed: number,
): Promise<DecreaseWitness | null> {
  const { a, b, w, outputs, kind } = modified.neurons
  const lastLayer = a.end - outputs
  for (const move of moves)
    for (const amplitude of kind === 'per-layer' ? layerAmplitudes : [0])
      for (let index = 0; index < directionsMax; index++) {
        const random = randomStream(seed, 'elimination witness', index)
        const trial = z.slice()
        for (let i = a.start; i < lastLayer; i++) trial[i] = amplitude
        trial.fill(0, lastLayer, a.end)
        const direction = random.normals(b.end - b.start + w.end - w.start)
        for (let i = b.start; i < b.end; i++) trial[i] += move * direction[i - b.start]
        for (let i = w.start; i < w.end; i++) trial[i] += move * direction[b.end - b.start + i - w.start]
        const { gradient } = await modified.valueAndGradient(trial)
        const slopes = gradient.slice(lastLayer, a.end)
        if (maxNorm(slopes) === 0) continue
        for (let step = 1 / maxNorm(slopes); step * maxNorm(slopes) > 1e-7; step /= 4) {
          const moved = trial.slice()
          for (let k = 0; k < outputs; k++) moved[lastLayer + k] = -step * slopes[k]
          const decrease = before - (await modified.value(moved))
          if (decrease > noise)
            return { kind: 'turn-on', moved: move * norm(direction), output: 0, decrease, predicted: null, z: moved }
        }
      }
  return null
}

/** The output whose group gradients are largest. */
function strongestOutput({ values, groups }: GroupGradients, k: number): number {
  const sizes = Array.from({ length: k }, (_, c) => {
    let sum = 0
    for (let j = 0; j < groups.count; j++) sum += values[j * k + c] ** 2
    return sum
  })
  return sizes.indexOf(Math.max(...sizes))
}

/** a_k = −τ Σ_j G_{jk} e^{wᵀx̄_j + b}: the exact minimizer for squares, a step that is halved until it helps for others. */
async function turnOn(
  modified: ModifiedLoss,
  z: Float64Array,
  gradients: GroupGradients,
  output: number,
): Promise<{ z: Float64Array; predicted: number | null } | null> {
  const { features: d, outputs: k } = modified.neurons
  const { base, lambda, features: x } = modified
  const w = modified.part(z, 'w').subarray(output * d, (output + 1) * d)
  const b = modified.part(z, 'b')[output]
  const { value: top } = maxProduct(x, d, w)
  const first = new Set<number>()
  let [s, q] = [0, 0]
  const weights = base.dataset.sampleWeights
  const squares = squareScale(base)
  for (let i = 0; i < base.samples; i++) {
    let u = -top
    for (let j = 0; j < d; j++) u += w[j] * x[i * d + j]
    const group = gradients.groups.groupOf[i]
    if (!first.has(group)) s += gradients.values[group * k + output] * Math.exp(u)
    first.add(group)
    q += (squares ?? 0) * (weights?.[i] ?? 1) * Math.exp(2 * u)
  }
  if (s === 0) return null
  // In the shifted gauge the penalty of α is λ e^{−2M}.
  const shrink = lambda * Math.exp(-2 * (b + top))
  const at = modified.neurons.a.start + output
  const place = (alpha: number): Float64Array => {
    const moved = z.slice()
    moved[at] = alpha * Math.exp(-(b + top))
    return moved
  }
  if (squares !== null) return { z: place(-s / (2 * (q + shrink))), predicted: s ** 2 / (4 * (q + shrink)) }
  const before = await modified.value(z)
  let best: { z: Float64Array; value: number } | null = null
  for (let step = 64 / Math.abs(s); step > 1e-9; step /= 4) {
    const moved = place(-step * s)
    const value = await modified.value(moved)
    if (value < before && (!best || value < best.value)) best = { z: moved, value }
    else if (best) break
  }
  return best && { z: best.z, predicted: null }
}

function rootMeanSquare(x: Float64Array): number {
  return norm(x) / Math.sqrt(x.length)
}
