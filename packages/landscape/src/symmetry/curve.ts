import { DomainError, ShapeError } from '@thalweg/graph'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { dot, norm } from '../linalg/vector.ts'
import type { Loss } from '../loss/loss.ts'
import { randomStream } from '../random/index.ts'

/** A path θ(t), t in 0 … 1, through given points. */
export interface Curve {
  readonly kind: 'bezier' | 'polygon'
  /** Ends and bends, in order: control points of a Bézier curve, corners of a polygonal chain. */
  readonly points: readonly Float64Array[]
}

/** Weights of the points at t: Σ = 1.
 *
 *     bezier   C(m, i) (1 − t)^(m−i) t^i for m + 1 points
 *     polygon  linear between corners at t = i / m */
export function curveWeights(kind: Curve['kind'], points: number, t: number): Float64Array {
  const m = points - 1
  const weights = new Float64Array(points)
  if (kind === 'polygon') {
    const at = Math.min(m - 1, Math.floor(t * m))
    const rest = t * m - at
    weights[at] = 1 - rest
    weights[at + 1] = rest
    return weights
  }
  let binomial = 1
  for (let i = 0; i <= m; i++) {
    weights[i] = binomial * (1 - t) ** (m - i) * t ** i
    binomial = (binomial * (m - i)) / (i + 1)
  }
  return weights
}

/** θ(t), [p]. */
export function curvePoint({ kind, points }: Curve, t: number): Float64Array {
  const weights = curveWeights(kind, points.length, t)
  const out = new Float64Array(points[0].length)
  points.forEach((point, i) => {
    if (weights[i] !== 0) for (let k = 0; k < out.length; k++) out[k] += weights[i] * point[k]
  })
  return out
}

export interface CurveOptions {
  /** Default `bezier`. */
  readonly kind?: Curve['kind']
  /** Points between the ends. Default 1. */
  readonly bends?: number
  /** Default 200. */
  readonly steps?: number
  /** Values of t per step, one in each of as many equal parts of 0 … 1. Default 4. */
  readonly samples?: number
  /** Of Adam, relative to the root mean square of the weights. Default 0.02, falling to a tenth. */
  readonly learningRate?: number
  readonly seed?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (step: number, steps: number, loss: number) => void
}

export interface FoundCurve {
  readonly curve: Curve
  /** Mean loss over the samples of each step. */
  readonly losses: Float64Array
  readonly evaluations: number
}

/** A path of low loss between two models: minimises E_t L(θ(t)) over the bends, the ends held, by Adam with full-data gradients
 * at stratified random t.
 * @throws {ShapeError} if the ends differ in size; {DomainError} if an option is out of range.
 * Cost: steps · samples gradients. Source: Garipov et al. 2018, §3. */
export async function findCurve(
  loss: Loss,
  a: Float64Array,
  b: Float64Array,
  options: CurveOptions = {},
): Promise<FoundCurve> {
  const { kind = 'bezier', bends = 1, steps = 200, samples = 4, learningRate = 0.02, seed = 0, signal } = options
  if (a.length !== b.length)
    throw new ShapeError(`findCurve: both models need the same parameters, got ${a.length} and ${b.length}.`)
  for (const [name, value] of Object.entries({ bends, steps, samples }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new DomainError(`findCurve: ${name} must be a positive integer, got ${value}.`)
  const points = Array.from({ length: bends + 2 }, (_, i) => {
    const t = i / (bends + 1)
    return a.map((v, k) => (1 - t) * v + t * b[k])
  })
  const size = Math.sqrt((dot(a, a) + dot(b, b)) / (2 * a.length)) || 1
  const adams = points.slice(1, -1).map((point) => new Adam(point))
  const losses: number[] = []
  for (let step = 0; step < steps && !signal?.aborted; step++) {
    const gradients = adams.map((): Float64Array => new Float64Array(a.length))
    const random = randomStream(seed, 'curve', step)
    let sum = 0
    for (let s = 0; s < samples; s++) {
      const t = (s + random.uniform()) / samples
      const weights = curveWeights(kind, points.length, t)
      const { value, gradient } = await loss.valueAndGradient(curvePoint({ kind, points }, t))
      sum += value / samples
      gradients.forEach((g, i) => {
        for (let k = 0; k < g.length; k++) g[k] += (weights[i + 1] * gradient[k]) / samples
      })
    }
    const rate = learningRate * size * (1 - (0.9 * step) / steps)
    adams.forEach((adam, i) => adam.step(gradients[i], rate))
    losses.push(sum)
    options.onProgress?.(step + 1, steps, sum)
  }
  return { curve: { kind, points }, losses: Float64Array.from(losses), evaluations: losses.length * samples }
}

/** Adam (Kingma & Ba 2015) on a point that it moves in place. */
class Adam {
  readonly #point: Float64Array
  readonly #mean: Float64Array
  readonly #square: Float64Array
  #steps = 0

  constructor(point: Float64Array) {
    this.#point = point
    this.#mean = new Float64Array(point.length)
    this.#square = new Float64Array(point.length)
  }

  step(gradient: Float64Array, rate: number): void {
    this.#steps++
    const [first, second] = [1 - 0.9 ** this.#steps, 1 - 0.999 ** this.#steps]
    for (let i = 0; i < gradient.length; i++) {
      this.#mean[i] = 0.9 * this.#mean[i] + 0.1 * gradient[i]
      this.#square[i] = 0.999 * this.#square[i] + 0.001 * gradient[i] ** 2
      this.#point[i] -= (rate * (this.#mean[i] / first)) / (Math.sqrt(this.#square[i] / second) + 1e-12)
    }
  }
}

export interface NudgedElasticBandOptions {
  /** Points between the ends. Default 9. */
  readonly pivots?: number
  /** Default 200. */
  readonly steps?: number
  /** Of gradient descent with momentum 0.9. Default 0.1. */
  readonly learningRate?: number
  /** Of the springs that keep the pivots apart. Default 1. */
  readonly stiffness?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (step: number, steps: number, highest: number) => void
}

export interface NudgedElasticBand {
  readonly curve: Curve
  /** At the ends and pivots. */
  readonly losses: Float64Array
  /** Largest norm of the force at a pivot. */
  readonly forceMax: number
  readonly evaluations: number
}

/** The nudged elastic band: a chain of pivots between two models, each moved by the loss gradient at a right angle to the chain
 * and by springs along it, so that the chain sinks into the lowest pass without sliding down to the ends.
 * @throws as `findCurve`. Cost: steps · pivots gradients.
 * Source: Jónsson, Mills & Jacobsen 1998; tangents of Henkelman & Jónsson 2000; Draxler et al. 2018 for networks. */
export async function nudgedElasticBand(
  loss: Loss,
  a: Float64Array,
  b: Float64Array,
  options: NudgedElasticBandOptions = {},
): Promise<NudgedElasticBand> {
  const { pivots = 9, steps = 200, learningRate = 0.1, stiffness = 1, signal } = options
  if (a.length !== b.length)
    throw new ShapeError(`nudgedElasticBand: both models need the same parameters, got ${a.length} and ${b.length}.`)
  if (!(Number.isInteger(pivots) && pivots >= 1))
    throw new DomainError(`nudgedElasticBand: pivots must be a positive integer, got ${pivots}.`)
  const chain = Array.from({ length: pivots + 2 }, (_, i) => {
    const t = i / (pivots + 1)
    return a.map((v, k) => (1 - t) * v + t * b[k])
  })
  const velocities = chain.map((point) => new Float64Array(point.length))
  const losses = new Float64Array(pivots + 2)
  losses[0] = await loss.value(a)
  losses[pivots + 1] = await loss.value(b)
  let forceMax = Number.NaN
  let evaluations = 2
  for (let step = 0; step < steps && !signal?.aborted; step++) {
    const gradients: Float64Array[] = []
    for (let i = 1; i <= pivots; i++) {
      const { value, gradient } = await loss.valueAndGradient(chain[i])
      losses[i] = value
      gradients.push(gradient)
      evaluations++
    }
    forceMax = 0
    const forces = gradients.map((gradient, i) => bandForce(chain, losses, i + 1, gradient, stiffness))
    forces.forEach((force, i) => {
      forceMax = Math.max(forceMax, norm(force))
      const velocity = velocities[i + 1]
      for (let k = 0; k < force.length; k++) {
        velocity[k] = 0.9 * velocity[k] + learningRate * force[k]
        chain[i + 1][k] += velocity[k]
      }
    })
    options.onProgress?.(step + 1, steps, Math.max(...losses))
  }
  for (let i = 1; i <= pivots; i++) losses[i] = await loss.value(chain[i])
  return { curve: { kind: 'polygon', points: chain }, losses, forceMax, evaluations: evaluations + pivots }
}

function bandForce(
  chain: readonly Float64Array[],
  losses: Float64Array,
  i: number,
  gradient: Float64Array,
  stiffness: number,
): Float64Array {
  const before = chain[i].map((v, k) => v - chain[i - 1][k])
  const after = chain[i + 1].map((v, k) => v - chain[i][k])
  const tangent = bandTangent(before, after, losses.subarray(i - 1, i + 2))
  const along = dot(gradient, tangent)
  const spring = stiffness * (norm(after) - norm(before))
  return gradient.map((g, k) => -(g - along * tangent[k]) + spring * tangent[k])
}

/** Towards the higher neighbor; a mixture at extrema, so that the tangent turns continuously. */
function bandTangent(before: Float64Array, after: Float64Array, [low, here, high]: Float64Array): Float64Array {
  let [w, v] = [1, 1]
  if (high > here && here > low) [w, v] = [0, 1]
  else if (high < here && here < low) [w, v] = [1, 0]
  else {
    const rises = [Math.abs(high - here), Math.abs(low - here)]
    const [most, least] = [Math.max(...rises), Math.min(...rises)]
    ;[w, v] = high > low ? [least, most] : [most, least]
    if (most === 0) [w, v] = [1, 1]
  }
  const tangent = before.map((x, k) => w * x + v * after[k])
  const length = norm(tangent)
  return length === 0 ? tangent : tangent.map((x) => x / length)
}
