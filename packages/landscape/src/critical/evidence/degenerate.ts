import { dot, norm, scale } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'
import type { RandomStream } from '../../random/random-stream.ts'
import type { KernelGeometry } from './kernel-geometry.ts'
import type { Objective, ObjectivePoint } from '../finders/objective.ts'

/** One point of a measured curve that leaves the critical point. */
export interface CurvePoint {
  /** Distance along the direction in ker H. */
  readonly t: number
  readonly decrease: number
}

export interface DegenerateDescent {
  /** `'descent'`: a curve out of the critical point was measured on which the loss falls like tᵠ from the start.
   * `'none-found'`: no direction in ker H led down; that proves nothing. `'no-kernel'`: nothing to search. */
  readonly outcome: 'descent' | 'none-found' | 'no-kernel'
  /** q, an integer of at least 3. */
  readonly order: number | null
  /** [p], a unit vector in ker H. */
  readonly direction: Float64Array | null
  /** The lowest measured point of the curve. */
  readonly theta: Float64Array | null
  readonly curve: readonly CurvePoint[]
  /** D³L[v, v, v] along the direction. */
  readonly cubic: number | null
  /** D⁴L[v⁴] − 3⟨D³[v,v,·], H⁺D³[v,v,·]⟩, with the fourth derivative as a difference of third ones, and its error. */
  readonly quartic: { readonly value: number; readonly error: number } | null
  readonly directionsTried: number
  readonly gradients: number
}

export interface DegenerateOptions {
  readonly seed?: number
  readonly valueNoise: number
  /** Random starts per radius; default 6. */
  readonly starts?: number
  readonly signal?: { readonly aborted: boolean }
}

/** Radii relative to max(1, ‖θ‖): the power law shows best where decreases are far above rounding, which for high orders
 * takes the last one. */
const radii = [0.2, 0.05, 0.0125, 0.8]
const halvings = 8
const noiseFactor = 50
/** Measured orders log₂(decrease(t) / decrease(t/2)) must agree with an integer within this. */
const orderTolerance = 0.15

/** Looks for a way down from a critical point with H ⪰ 0, on the reduced function of the splitting lemma
 *
 *      φ(u) = min_{w ⊥ K} L(θ + u + w) ,   u ∈ K = ker H
 *
 * θ is a local minimum exactly if φ has one at 0, and straight lines in K are not enough: w follows u (to leading order
 * w = −½H⁺D³[u,u,·]). φ is minimized on small spheres in K by projected gradients, from random starts and from the
 * maximum of the cubic form D³[u,u,u]; along the best direction the decrease is then measured at t, t/2, t/4, … and
 * must follow a power tᵠ with integer q ≥ 3 from the start, whatever its order (deep linear networks of L layers go up to
 * order L).
 * @param kernel  K and H⁺, from all eigenvalues or from products alone: the measurement is sound whichever it was.
 * Cost: some hundred gradients, each with a projection onto K. Source: Gromoll and Meyer 1969 (splitting lemma). */
export async function degenerateDescent(
  objective: Objective,
  point: ObjectivePoint,
  kernel: KernelGeometry,
  options: DegenerateOptions,
): Promise<DegenerateDescent> {
  const reduced = new ReducedFunction(objective, point.theta, kernel)
  const none = { order: null, direction: null, theta: null, curve: [], cubic: null, quartic: null }
  if (kernel.dimension === 0) return { outcome: 'no-kernel', ...none, directionsTried: 0, gradients: 0 }
  await reduced.begin()
  const stopped = (): boolean => options.signal?.aborted === true || kernel.exhausted
  const stream = randomStream(options.seed ?? 0, 'degenerate descent')
  let tried = 0
  for (const relative of radii) {
    const radius = relative * Math.max(1, norm(point.theta))
    for await (const start of starts(point, kernel, stream, options.starts ?? 6)) {
      if (stopped()) break
      tried++
      const u = await reduced.minimizeOnSphere(start, radius, stopped)
      const curve = await reduced.curve(u, radius)
      const order = orderOf(curve.points, options.valueNoise)
      if (order === null) continue
      const forms = await formsAlong(objective, point, kernel, u)
      const found = { order, direction: u, theta: curve.lowest, curve: curve.points, ...forms }
      return { outcome: 'descent', ...found, directionsTried: tried, gradients: reduced.gradients }
    }
  }
  return { outcome: 'none-found', ...none, directionsTried: tried, gradients: reduced.gradients }
}

/** Unit vectors in K: both signs of a stationary direction of the cubic form, then random ones. */
async function* starts(
  point: ObjectivePoint,
  kernel: KernelGeometry,
  stream: RandomStream,
  count: number,
): AsyncIterable<Float64Array> {
  const first = await kernel.random(stream)
  if (!first) return
  const cubic = await cubicDirection(point, kernel, first)
  yield cubic
  yield cubic.map((x) => -x)
  yield first
  for (let i = 1; i < count; i++) {
    const next = await kernel.random(stream)
    if (next) yield next
  }
}

/** The integer q that the decreases follow down to rounding, or null: at least three halvings above rounding, the last
 * two of which agree with q. */
export function orderOf(points: readonly CurvePoint[], valueNoise: number, least = 3): number | null {
  const usable = points.filter(({ decrease }) => decrease > noiseFactor * valueNoise)
  // A curve that first rises, or that stops falling before rounding sets in, does not leave the point downhill.
  const prefix = points.slice(0, usable.length).every(({ decrease }) => decrease > noiseFactor * valueNoise)
  if (!prefix || usable.length < 4) return null
  const next = points[usable.length]
  if (next && next.decrease < -noiseFactor * valueNoise) return null
  const orders = usable.slice(1).map((p, i) => Math.log2(usable[i].decrease / p.decrease))
  const last = orders.slice(-2)
  const order = Math.round(last[1])
  if (order < least || last.some((o) => Math.abs(o - order) > orderTolerance)) return null
  return order
}

function unit(v: Float64Array): Float64Array {
  scale(1 / norm(v), v)
  return v
}

/** A stationary direction of |D³[u,u,u]| on the sphere in K, by the symmetric higher-order power method. */
async function cubicDirection(
  point: ObjectivePoint,
  kernel: KernelGeometry,
  start: Float64Array,
): Promise<Float64Array> {
  let u = start
  for (let i = 0; i < 12 && !kernel.exhausted; i++) {
    const next = await kernel.project(await point.thirdDerivative(u))
    // A shift by the size of the form makes the iteration monotone (Kolda and Mayo 2011).
    const length = norm(next)
    const shifted = next.map((x, j) => x + length * u[j])
    if (!(norm(shifted) > 1e-12 * length)) return u
    u = unit(shifted)
  }
  // Downhill is where the cubic form is negative.
  return u.map((x) => -x)
}

/** φ(u) = min_w L(θ + u + w) on K, evaluated by a chord iteration in the complement. */
class ReducedFunction {
  gradients = 0
  #value = 0
  readonly #objective: Objective
  readonly #theta: Float64Array
  readonly #kernel: KernelGeometry

  constructor(objective: Objective, theta: Float64Array, kernel: KernelGeometry) {
    this.#objective = objective
    this.#theta = theta
    this.#kernel = kernel
  }

  async begin(): Promise<void> {
    this.#value = await this.#objective.value(this.#theta)
  }

  /** L(θ) − φ(tu), the gradient of L where the minimum over w lies, and that place. Starts from w = `guess`. */
  async #at(u: Float64Array, t: number, guess: Float64Array | null) {
    const w = guess?.slice() ?? new Float64Array(u.length)
    let best = { decrease: Number.NEGATIVE_INFINITY, gradient: u, theta: this.#theta, w }
    for (let i = 0; i < 8; i++) {
      const theta = this.#theta.map((x, j) => x + t * u[j] + w[j])
      const { value, gradient } = await this.#objective.valueAndGradient(theta)
      this.gradients++
      const decrease = this.#value - value
      if (!(decrease > best.decrease)) break
      best = { decrease, gradient, theta, w: w.slice() }
      const step = await this.#kernel.solve(gradient)
      // What is left to gain in the complement no longer matters.
      if (dot(step, gradient) <= 1e-4 * Math.abs(decrease)) break
      for (let j = 0; j < w.length; j++) w[j] -= step[j]
    }
    return best
  }

  /** Projected gradient descent of φ on the sphere of this radius, from a unit vector; returns a unit vector. */
  async minimizeOnSphere(start: Float64Array, radius: number, stopped: () => boolean): Promise<Float64Array> {
    let u = start
    if (this.#kernel.dimension === 1) return u
    let at = await this.#at(u, radius, null)
    let angle = 0.5
    let slope = await this.#kernel.project(at.gradient)
    for (let i = 0; i < 40 && angle > 1e-3 && !stopped(); i++) {
      const radial = dot(slope, u)
      const tangent = slope.map((g, j) => g - radial * u[j])
      const length = norm(tangent)
      if (!(length > 0)) break
      const next = u.map((x, j) => Math.cos(angle) * x - (Math.sin(angle) * tangent[j]) / length)
      const tried = await this.#at(next, radius, at.w)
      if (tried.decrease > at.decrease) {
        u = unit(next)
        at = tried
        slope = await this.#kernel.project(at.gradient)
        angle = Math.min(0.5, 1.5 * angle)
      } else angle /= 3
    }
    return u
  }

  /** Decreases at radius, radius/2, … along the curve over the ray of u. */
  async curve(u: Float64Array, radius: number): Promise<{ points: CurvePoint[]; lowest: Float64Array }> {
    const points: CurvePoint[] = []
    let lowest = { decrease: 0, theta: this.#theta }
    for (let i = 0; i < halvings; i++) {
      const t = radius / 2 ** i
      const at = await this.#at(u, t, null)
      points.push({ t, decrease: at.decrease })
      if (at.decrease > lowest.decrease) lowest = at
    }
    return { points, lowest: lowest.theta }
  }
}

/** Third and reduced fourth order along v ∈ ker H. */
async function formsAlong(
  objective: Objective,
  point: ObjectivePoint,
  kernel: KernelGeometry,
  v: Float64Array,
): Promise<{ cubic: number; quartic: { value: number; error: number } }> {
  const third = await point.thirdDerivative(v)
  const solved = await kernel.solve(third)
  const difference = async (h: number): Promise<number> => {
    const at = (s: number) => objective.at(point.theta.map((t, i) => t + s * h * v[i])).thirdDerivative(v)
    const [plus, minus] = [dot(await at(1), v), dot(await at(-1), v)]
    return (plus - minus) / (2 * h)
  }
  const h = 1e-2 * Math.max(1, norm(point.theta))
  const [coarse, fine] = [await difference(h), await difference(h / 2)]
  const fourth = (4 * fine - coarse) / 3
  return {
    cubic: dot(third, v),
    quartic: { value: fourth - 3 * dot(third, solved), error: Math.abs(fine - coarse) },
  }
}
