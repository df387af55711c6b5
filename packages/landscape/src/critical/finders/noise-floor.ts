import { norm } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'
import type { Objective } from './objective.ts'

const epsilon = 2 ** -52
/** Rounding cannot move a gradient by more than this part of its size nearby; what moves it more is a kink. */
const roundingMax = 2 ** -26

/** What rounding alone can do to value and gradient at a point. */
export interface NoiseFloor {
  /** Norms of gradients below this cannot be told from zero. */
  readonly gradient: number
  /** Differences of values below this mean nothing. */
  readonly value: number
  readonly probes: number
}

export interface NoiseFloorOptions {
  /** Perturbed evaluations; default 4. */
  readonly probes?: number
  /** Coordinates move as if they were at least this large; default 0. For searches: the size of the starting point. */
  readonly lengthScale?: number
  /** Default 0. */
  readonly seed?: number
}

/** The float64 noise floor at θ, measured: how much value and gradient move when every coordinate moves by a few units in
 * its last place, in random directions, and at least ε times the size of the terms that they sum up.
 *
 *      gradient = max( max_k ‖∇L(θ + 4ε u_k ∘ d) − ∇L(θ)‖ , ε · √(mean_i ‖∇ℓ_i(θ)‖²) )
 *
 * with u_k uniform in (−1, 1)^p and d_i = max(|θ_i|, root mean square of θ, length scale). (One unit alone can vanish
 * in the first operation and would show no noise at all.) The first term holds both the rounding inside the evaluation and the fact that the critical point itself is no
 * float64 vector: the nearest one has a gradient of up to ‖∇²L‖ ε ‖θ‖. The second matters where coordinates are zero.
 * Both are capped at √ε times the size of gradients nearby: within rounding of a kink the gradient jumps, and that is no noise.
 * Cost: `probes` + 2 gradients, and for losses four products with the empirical Fisher matrix. */
export async function noiseFloor(
  objective: Objective,
  theta: Float64Array,
  options: NoiseFloorOptions = {},
): Promise<NoiseFloor> {
  const probes = options.probes ?? 4
  const stream = randomStream(options.seed ?? 0, 'noise floor')
  const least = Math.max(options.lengthScale ?? 0, norm(theta) / Math.sqrt(theta.length))
  const { value, gradient } = await objective.valueAndGradient(theta)
  const terms = (await objective.gradientTermScale?.(theta)) ?? null
  let gradientNoise = epsilon * (terms ?? 0)
  let valueNoise = epsilon * Math.abs(value)
  for (let k = 0; k < probes; k++) {
    const u = stream.uniforms(theta.length)
    const moved = await objective.valueAndGradient(
      theta.map((t, i) => t + 4 * epsilon * (2 * u[i] - 1) * Math.max(Math.abs(t), least)),
    )
    gradientNoise = Math.max(gradientNoise, norm(moved.gradient.map((g, i) => g - gradient[i])))
    valueNoise = Math.max(valueNoise, Math.abs(moved.value - value))
  }
  const scale = Math.max(terms ?? 0, await gradientNearby(objective, theta, least, stream.normals(theta.length)))
  return { gradient: Math.min(gradientNoise, roundingMax * scale), value: valueNoise, probes }
}

/** ‖∇L‖ a hundredth of the size of θ away, or here: the size that gradients have in this region. */
async function gradientNearby(
  objective: Objective,
  theta: Float64Array,
  least: number,
  direction: Float64Array,
): Promise<number> {
  const near = theta.map((t, i) => t + 0.01 * least * direction[i])
  const [here, there] = [await objective.valueAndGradient(theta), await objective.valueAndGradient(near)]
  return Math.max(norm(here.gradient), norm(there.gradient))
}
