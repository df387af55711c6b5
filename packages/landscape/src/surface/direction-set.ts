import { DomainError, ShapeError } from '@thalweg/graph'
import { extremeEigenpairs } from '../linalg/extreme-eigenpairs.ts'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { axpy, dot, norm, scale } from '../linalg/vector.ts'
import { LossPoint } from '../loss/loss-point.ts'
import type { Loss } from '../loss/loss.ts'
import { cosine } from './direction.ts'

/** A direction in parameter space with what is known of it. */
export interface Direction {
  readonly vector: Float64Array
  /** Short, for axes and captions. */
  readonly label: string
  /** Of an eigenvector of the Hessian. */
  readonly eigenvalue?: number
  readonly residualNorm?: number
  /** Share of a trajectory's variance along it. */
  readonly explained?: number
}

/** How two or more directions lie to each other. */
export interface Orthogonality {
  readonly norms: readonly number[]
  /** cos of every pair, in the order (0,1), (0,2), …, (1,2), …. Two Gaussian directions in p dimensions have 0 ± 1/√p. */
  readonly cosines: readonly number[]
  /** Largest modulus of the cosines; 0 for a single direction. */
  readonly worst: number
}

export function orthogonality(directions: readonly Float64Array[]): Orthogonality {
  const cosines = directions.flatMap((a, i) => directions.slice(i + 1).map((b) => cosine(a, b)))
  return {
    norms: directions.map(norm),
    cosines,
    worst: cosines.reduce((worst, c) => Math.max(worst, Math.abs(c)), 0),
  }
}

/** Directions whose remainder after projection is this small are combinations of those before. */
const dependent = 1e-10

/** Directions made orthogonal by modified Gram–Schmidt done twice, each with the length it had. The first stays as it is.
 * Normalisation per filter does not survive this in the others: say so where both are used.
 * @throws {DomainError} if a direction is a combination of those before it. */
export function orthogonalized(directions: readonly Float64Array[]): Float64Array[] {
  const out: Float64Array[] = []
  for (const [i, direction] of directions.entries()) {
    const length = norm(direction)
    const u = direction.slice()
    for (let pass = 0; pass < 2; pass++) for (const q of out) axpy(-dot(q, u) / dot(q, q), q, u)
    if (!(norm(u) > dependent * length))
      throw new DomainError(
        `orthogonalized: direction ${i + 1} must not be a combination of those before it. Choose another, or fewer axes.`,
      )
    if (out.length > 0) scale(length / norm(u), u)
    out.push(u)
  }
  return out
}

/** Interpolation between models: the first is the center, the others lie at coordinate 1 of their axes, so that
 * L(t) = L((1 − t) θ₀ + t θ₁).
 * @throws {ShapeError} if the points differ in size; {DomainError} for fewer than two, or two that are equal. */
export function interpolationDirections(thetas: readonly Float64Array[]): Direction[] {
  const [first, ...others] = thetas
  if (others.length === 0) throw new DomainError('interpolation: needs two or three models, got one. Name another.')
  return others.map((theta, i) => {
    if (theta.length !== first.length)
      throw new ShapeError(`interpolation: models must agree, got ${theta.length} and ${first.length} parameters.`)
    const vector = theta.map((v, j) => v - first[j])
    if (norm(vector) === 0) throw new DomainError(`interpolation: model ${i + 2} is the first one again. Name another.`)
    return { vector, label: others.length === 1 ? 'to the second model' : `to model ${i + 2}` }
  })
}

export interface EigenDirectionOptions {
  /** `top`: the largest eigenvalues; `ends`: the largest and the smallest in turn. Default `top`. */
  readonly which?: 'top' | 'ends'
  readonly tolerance?: number
  readonly maxProducts?: number
  readonly seed?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (products: number, maxProducts: number) => void
}

/** Eigenvectors of the Hessian at θ, of norm 1, with eigenvalues and residuals. Their sign, which is arbitrary, is the one
 * that makes the entry of largest modulus positive. */
export async function eigenDirections(
  loss: Loss,
  theta: Float64Array,
  count: number,
  options: EigenDirectionOptions = {},
): Promise<Direction[]> {
  const { which = 'top', onProgress, ...rest } = options
  const top = which === 'top' ? count : Math.ceil(count / 2)
  const pairs = await extremeEigenpairs(new LossPoint(loss, theta).operator('hessian'), {
    tolerance: 1e-6,
    ...rest,
    top,
    bottom: count - top,
    onProgress: (p) => onProgress?.(p.products, p.maxProducts),
  })
  const from = (list: typeof pairs.top, name: string): Direction[] =>
    list.map(({ value, vector, residualNorm }, i) => ({
      vector: signed(vector),
      label: `${name} Hessian eigenvector${list.length > 1 ? ` ${i + 1}` : ''}`,
      eigenvalue: value,
      residualNorm,
    }))
  const [large, small] = [from(pairs.top, 'top'), from(pairs.bottom, 'bottom')]
  const ordered = large.flatMap((d, i) => (small[i] ? [d, small[i]] : [d]))
  if (ordered.length < count)
    throw new DomainError(`eigenvectors: ${count} directions need as many parameters, got ${loss.size}.`)
  return ordered
}

function signed(vector: Float64Array): Float64Array {
  const largest = vector.reduce((best, v) => (Math.abs(v) > Math.abs(best) ? v : best), 0)
  return largest < 0 ? vector.map((v) => -v) : vector.slice()
}

/** −∇L(θ): downhill.
 * @throws {DomainError} at a point without a gradient. */
export async function gradientDirection(loss: Loss, theta: Float64Array): Promise<Direction> {
  const { gradient } = await loss.valueAndGradient(theta)
  if (!(norm(gradient) > 0)) throw new DomainError('gradient direction: the gradient is zero here. Choose another one.')
  return { vector: gradient.map((g) => -g), label: '−gradient' }
}
