import { DomainError, ShapeError } from '@thalweg/graph'
import { matrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { dot, norm } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'

/** The Hamiltonian of the spherical spin glass on the sphere ‖w‖² = Λ,
 *
 *      𝓛(w) = Λ^{−(H−1)/2} Σ X_{i₁…i_H} w_{i₁} ⋯ w_{i_H} ,   X i.i.d. N(0, 1) ,
 *
 * with X replaced by its symmetric part, which gives the same values and plain gradients. Energies are of order Λ.
 * Source: Choromanska et al. 2015, §3. */
export interface SphericalSpinGlass {
  /** Λ. */
  readonly spins: number
  /** H. */
  readonly order: number
  /** Λ^{−(H−1)/2} Sym(X), [Λ^H], row-major. */
  readonly couplings: Float64Array
}

/** Entries that a coupling tensor may have: 256 MiB. */
const entriesMax = 2 ** 25

/** A random instance.
 * @throws {DomainError} if there are fewer than two spins or two factors, or the tensor would be too large.
 * Cost: H Λ^H, 8 Λ^H bytes twice over. */
export function sphericalSpinGlass(spins: number, order: number, seed: number): SphericalSpinGlass {
  for (const [name, value] of Object.entries({ spins, order }))
    if (!(Number.isInteger(value) && value >= 2))
      throw new DomainError(`sphericalSpinGlass: ${name} must be an integer of at least 2, got ${value}.`)
  if (spins ** order > entriesMax)
    throw new DomainError(
      `sphericalSpinGlass: Λ^H must be at most ${entriesMax}, got ${spins}^${order}. Use fewer spins.`,
    )
  const raw = randomStream(seed, 'spin glass couplings', spins).normals(spins ** order)
  return { spins, order, couplings: symmetrized(raw, spins, order) }
}

/** Λ^{−(H−1)/2} times the mean over all orders of the indices. */
function symmetrized(raw: Float64Array, spins: number, order: number): Float64Array {
  const sums = new Float64Array(raw.length)
  const counts = new Uint32Array(raw.length)
  const canonical = new Int32Array(raw.length)
  const index = new Int32Array(order)
  for (let at = 0; at < raw.length; at++) {
    for (let k = order - 1, rest = at; k >= 0; k--, rest = Math.floor(rest / spins)) index[k] = rest % spins
    index.sort()
    const place = index.reduce((position, i) => position * spins + i, 0)
    canonical[at] = place
    sums[place] += raw[at]
    counts[place]++
  }
  const factor = spins ** (-(order - 1) / 2)
  return canonical.reduce((out, place, at) => {
    out[at] = (factor * sums[place]) / counts[place]
    return out
  }, new Float64Array(raw.length))
}

/** Sums the last axis of [Λ^axes] against w. */
function contract(tensor: Float64Array, w: Float64Array): Float64Array {
  const out = new Float64Array(tensor.length / w.length)
  for (let i = 0, at = 0; i < out.length; i++) {
    let sum = 0
    for (let j = 0; j < w.length; j++, at++) sum += tensor[at] * w[j]
    out[i] = sum
  }
  return out
}

function requireSize({ spins }: SphericalSpinGlass, w: Float64Array): void {
  if (w.length !== spins) throw new ShapeError(`spin glass: w must have ${spins} entries, got ${w.length}.`)
}

/** 𝓛(w) and its gradient on the sphere, H S w^{H−1} without its part along w. */
export interface SpinGlassPoint {
  readonly energy: number
  readonly gradient: Float64Array
}

/** @throws {ShapeError} if w has not Λ entries. Cost: Λ^H. */
export function spinGlassPoint(glass: SphericalSpinGlass, w: Float64Array): SpinGlassPoint {
  requireSize(glass, w)
  let field = glass.couplings
  while (field.length > glass.spins) field = contract(field, w)
  const energy = dot(field, w)
  // ⟨w, H S w^{H−1}⟩ = H 𝓛(w)
  const along = energy / dot(w, w)
  return { energy, gradient: field.map((f, i) => glass.order * (f - along * w[i])) }
}

/** The Hessian on the sphere, [Λ × Λ], with w in its kernel:
 *
 *      P (∇²𝓛 − (wᵀ∇𝓛/Λ) I) P ,   P = I − wwᵀ/Λ .
 *
 * @throws {ShapeError} if w has not Λ entries. Cost: Λ^H. */
export function spinGlassHessian(glass: SphericalSpinGlass, w: Float64Array): Matrix {
  requireSize(glass, w)
  const { spins, order } = glass
  let second = glass.couplings
  while (second.length > spins * spins) second = contract(second, w)
  const image = contract(second, w)
  const square = dot(w, w)
  const energy = dot(image, w)
  const data = new Float64Array(spins * spins)
  const factor = order * (order - 1)
  for (let i = 0; i < spins; i++)
    for (let j = 0; j < spins; j++) {
      const projected =
        second[i * spins + j] - (image[i] * w[j] + w[i] * image[j] - (energy / square) * w[i] * w[j]) / square
      const shift = (order * energy * ((i === j ? 1 : 0) - (w[i] * w[j]) / square)) / square
      data[i * spins + j] = factor * projected - shift
    }
  return matrix(spins, spins, data)
}

/** A uniformly random point of the sphere. */
export function randomSpins(glass: SphericalSpinGlass, seed: number, index: number = 0): Float64Array {
  return onSphere(randomStream(seed, 'spin glass start', index).normals(glass.spins))
}

/** w scaled to ‖w‖² = Λ. */
export function onSphere(w: Float64Array): Float64Array {
  const factor = Math.sqrt(w.length) / norm(w)
  return w.map((x) => factor * x)
}
