import { gemv, gemvTransposed, matrix, row, zeros } from '../linalg/matrix.ts'
import type { Matrix } from '../linalg/matrix.ts'
import { orthogonalize } from '../linalg/orthogonalize.ts'
import { dot, norm, scale } from '../linalg/vector.ts'
import { randomStream } from '../random/random-stream.ts'
import type { DenseInertia } from './inertia.ts'
import { applyFunction, coordinates } from './hessian-spectrum.ts'
import type { HessianSpectrum } from './hessian-spectrum.ts'
import type { Objective, ObjectivePoint } from './objective.ts'

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
  /** Directions that explain themselves (tangents of symmetry orbits), orthonormal rows; not searched. */
  readonly explained?: Matrix
  readonly valueNoise: number
  /** Random starts per radius; default 6. */
  readonly starts?: number
  readonly signal?: { readonly aborted: boolean }
}

/** Radii relative to max(1, ‖θ‖), largest first: the power law shows best where decreases are far above rounding. */
const radii = [0.2, 0.05, 0.0125]
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
 * Cost: some hundred gradients. Source: Gromoll and Meyer 1969 (splitting lemma). */
export async function degenerateDescent(
  objective: Objective,
  point: ObjectivePoint,
  spectrum: HessianSpectrum,
  inertia: DenseInertia,
  options: DegenerateOptions,
): Promise<DegenerateDescent> {
  const kernel = kernelBasis(spectrum, inertia, options.explained ?? zeros(0, spectrum.size))
  const reduced = new ReducedFunction(objective, point.theta, spectrum, inertia, kernel)
  const none = { order: null, direction: null, theta: null, curve: [], cubic: null, quartic: null }
  if (kernel.rows === 0) return { outcome: 'no-kernel', ...none, directionsTried: 0, gradients: 0 }
  await reduced.begin()
  const stream = randomStream(options.seed ?? 0, 'degenerate descent')
  let tried = 0
  for (const relative of radii) {
    const radius = relative * Math.max(1, norm(point.theta))
    const starts: Float64Array[] = []
    for (let i = 0; i < (options.starts ?? 6); i++) starts.push(unit(stream.normals(kernel.rows)))
    const cubic = await cubicDirection(point, kernel, starts[0])
    starts.unshift(
      cubic,
      cubic.map((x) => -x),
    )
    for (const start of starts) {
      if (options.signal?.aborted) break
      tried++
      const u = await reduced.minimizeOnSphere(start, radius)
      const curve = await reduced.curve(u, radius)
      const order = orderOf(curve.points, options.valueNoise)
      if (order === null) continue
      const direction = gemvTransposed(kernel, u)
      const forms = await formsAlong(objective, point, spectrum, inertia, direction)
      const found = { order, direction, theta: curve.lowest, curve: curve.points, ...forms }
      return { outcome: 'descent', ...found, directionsTried: tried, gradients: reduced.gradients }
    }
  }
  return { outcome: 'none-found', ...none, directionsTried: tried, gradients: reduced.gradients }
}

/** The integer q that the decreases follow down to rounding, or null: at least three halvings above rounding, the last
 * two of which agree with q. */
function orderOf(points: readonly CurvePoint[], valueNoise: number): number | null {
  const usable = points.filter(({ decrease }) => decrease > noiseFactor * valueNoise)
  // A curve that first rises, or that stops falling before rounding sets in, does not leave the point downhill.
  const prefix = points.slice(0, usable.length).every(({ decrease }) => decrease > noiseFactor * valueNoise)
  if (!prefix || usable.length < 4) return null
  const next = points[usable.length]
  if (next && next.decrease < -noiseFactor * valueNoise) return null
  const orders = usable.slice(1).map((p, i) => Math.log2(usable[i].decrease / p.decrease))
  const last = orders.slice(-2)
  const order = Math.round(last[1])
  if (order < 3 || last.some((o) => Math.abs(o - order) > orderTolerance)) return null
  return order
}

function unit(v: Float64Array): Float64Array {
  scale(1 / norm(v), v)
  return v
}

/** Eigenvectors of zero eigenvalues without the explained directions, orthonormal rows. */
function kernelBasis(spectrum: HessianSpectrum, inertia: DenseInertia, explained: Matrix): Matrix {
  const { size } = spectrum
  const rows = new Float64Array((explained.rows + inertia.zero) * size)
  rows.set(explained.data)
  let count = explained.rows
  for (let i = 0; i < size && count < explained.rows + inertia.zero; i++) {
    if (inertia.signs[i] !== 0) continue
    const v = row(spectrum.vectors, i).slice()
    orthogonalize(rows, count, v)
    if (norm(v) < 1e-6) continue
    unit(v)
    orthogonalize(rows, count, v)
    rows.set(unit(v), count * size)
    count++
  }
  const kept = Math.min(count - explained.rows, Math.max(0, inertia.zero - explained.rows))
  return matrix(kept, size, rows.slice(explained.rows * size, (explained.rows + kept) * size))
}

/** A stationary direction of |D³[u,u,u]| on the sphere in K, by the symmetric higher-order power method. */
async function cubicDirection(point: ObjectivePoint, kernel: Matrix, start: Float64Array): Promise<Float64Array> {
  let u = start
  for (let i = 0; i < 12; i++) {
    const next = gemv(kernel, await point.thirdDerivative(gemvTransposed(kernel, u)))
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
  readonly #spectrum: HessianSpectrum
  readonly #inertia: DenseInertia
  readonly #kernel: Matrix

  constructor(
    objective: Objective,
    theta: Float64Array,
    spectrum: HessianSpectrum,
    inertia: DenseInertia,
    kernel: Matrix,
  ) {
    this.#objective = objective
    this.#theta = theta
    this.#spectrum = spectrum
    this.#inertia = inertia
    this.#kernel = kernel
  }

  async begin(): Promise<void> {
    this.#value = await this.#objective.value(this.#theta)
  }

  /** L(θ) − φ(u), the gradient of φ in K, and where the minimum over w lies. Starts from w = `guess`. */
  async #at(u: Float64Array, guess: Float64Array | null) {
    const along = gemvTransposed(this.#kernel, u)
    const w = guess?.slice() ?? new Float64Array(along.length)
    let best = { decrease: Number.NEGATIVE_INFINITY, slope: u, theta: this.#theta, w }
    for (let i = 0; i < 8; i++) {
      const theta = this.#theta.map((t, j) => t + along[j] + w[j])
      const { value, gradient } = await this.#objective.valueAndGradient(theta)
      this.gradients++
      const decrease = this.#value - value
      if (!(decrease > best.decrease)) break
      best = { decrease, slope: gemv(this.#kernel, gradient), theta, w: w.slice() }
      const step = this.#complementStep(gradient)
      // What is left to gain in the complement no longer matters.
      if (-dot(step, gradient) <= 1e-4 * Math.abs(decrease)) break
      for (let j = 0; j < w.length; j++) w[j] += step[j]
    }
    return best
  }

  /** −H⁺g on the eigenvectors whose eigenvalues are not zero. */
  #complementStep(gradient: Float64Array): Float64Array {
    const { values, vectors } = this.#spectrum
    const c = coordinates(this.#spectrum, gradient)
    for (let i = 0; i < c.length; i++) c[i] = this.#inertia.signs[i] === 0 ? 0 : -c[i] / values[i]
    return gemvTransposed(vectors, c)
  }

  /** Projected gradient descent of φ on the sphere of this radius, from a unit vector; returns a unit vector. */
  async minimizeOnSphere(start: Float64Array, radius: number): Promise<Float64Array> {
    let u = start
    let at = await this.#at(
      u.map((x) => radius * x),
      null,
    )
    if (this.#kernel.rows === 1) return u
    let angle = 0.5
    for (let i = 0; i < 40 && angle > 1e-3; i++) {
      const radial = dot(at.slope, u)
      const tangent = at.slope.map((g, j) => g - radial * u[j])
      const length = norm(tangent)
      if (!(length > 0)) break
      const next = u.map((x, j) => Math.cos(angle) * x - (Math.sin(angle) * tangent[j]) / length)
      const tried = await this.#at(
        next.map((x) => radius * x),
        at.w,
      )
      if (tried.decrease > at.decrease) {
        u = unit(next)
        at = tried
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
      const at = await this.#at(
        u.map((x) => t * x),
        null,
      )
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
  spectrum: HessianSpectrum,
  inertia: DenseInertia,
  v: Float64Array,
): Promise<{ cubic: number; quartic: { value: number; error: number } }> {
  const third = await point.thirdDerivative(v)
  const cutoff = Math.max(inertia.threshold, 0)
  const solved = applyFunction(spectrum, (value) => (Math.abs(value) > cutoff ? 1 / value : 0), third)
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
