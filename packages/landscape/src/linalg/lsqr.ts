import { DomainError, ShapeError } from '@thalweg/graph'
import type { KrylovOptions, KrylovSolution } from './krylov-solution.ts'
import type { Matrix } from './matrix.ts'
import { gemv, gemvTransposed } from './matrix.ts'
import { requireLength } from './triangular.ts'
import { axpy, firstNonFinite, norm, scale } from './vector.ts'

/** A linear map from `cols` to `rows` numbers, with its transpose; for instance a Jacobian. */
export interface RectangularOperator {
  readonly rows: number
  readonly cols: number
  /** A v, [rows]. */
  apply(v: Float64Array): Promise<Float64Array>
  /** Aᵀ u, [cols]. */
  applyTranspose(u: Float64Array): Promise<Float64Array>
}

/** The rectangular operator of a matrix. */
export function rectangularOperator(a: Matrix): RectangularOperator {
  return {
    rows: a.rows,
    cols: a.cols,
    apply: async (v) => gemv(a, v),
    applyTranspose: async (u) => gemvTransposed(a, u),
  }
}

export type LsqrStatus = 'converged' | 'least-squares' | 'max-iterations' | 'aborted'

/** Least squares solution of A x ≈ b by the bidiagonalization of Golub and Kahan, mathematically conjugate gradients
 * on AᵀA x = Aᵀb but stable; started at zero, so of least norm where A has no full column rank.
 *
 * Stops with `'converged'` when ‖r‖ ≤ tolerance · (‖A‖_F‖x‖ + ‖b‖), with `'least-squares'` when ‖Aᵀr‖ ≤ tolerance ·
 * ‖A‖_F‖r‖. `products` counts those with A and with Aᵀ.
 *
 * @param b  [rows].
 * @throws {ShapeError}, {DomainError} if b or a product has the wrong size or is not finite.
 * Cost: two products and 3 (rows + cols) operations per step, 4 vectors.
 * Source: Paige and Saunders, ACM Trans. Math. Softw. 8 (1982). */
export async function lsqr(
  operator: RectangularOperator,
  b: Float64Array,
  options: KrylovOptions = {},
): Promise<KrylovSolution<LsqrStatus>> {
  requireLength('lsqr', b, operator.rows)
  const tolerance = Math.max(options.tolerance ?? 1e-10, 2 ** -49)
  const maxIterations = options.maxIterations ?? Math.max(50, 4 * Math.min(operator.rows, operator.cols))
  const x = new Float64Array(operator.cols)
  const length = norm(b)
  const u = b.slice()
  normalize(u)
  const v = length === 0 ? new Float64Array(operator.cols) : await transposed(operator, u)
  let alpha = normalize(v)
  const w = v.slice()
  let phi = length
  let rho = alpha
  let frobeniusSquare = alpha * alpha
  let normal = alpha * phi
  let products = length === 0 ? 0 : 1
  let iterations = 0
  let status: LsqrStatus | null = null
  while (status === null) {
    const operatorNorm = Math.sqrt(frobeniusSquare)
    if (phi <= tolerance * (operatorNorm * norm(x) + length)) status = 'converged'
    else if (normal <= tolerance * operatorNorm * phi) status = 'least-squares'
    else if (options.signal?.aborted === true) status = 'aborted'
    else if (iterations === maxIterations) status = 'max-iterations'
    if (status !== null) break
    const image = checked(await operator.apply(v), operator.rows)
    for (let i = 0; i < u.length; i++) u[i] = image[i] - alpha * u[i]
    const beta = normalize(u)
    const back = await transposed(operator, u)
    for (let i = 0; i < v.length; i++) v[i] = back[i] - beta * v[i]
    alpha = normalize(v)
    products += 2
    iterations++
    frobeniusSquare += alpha * alpha + beta * beta
    const radius = Math.hypot(rho, beta)
    const c = rho / radius
    const s = beta / radius
    axpy((c * phi) / radius, w, x)
    for (let i = 0; i < w.length; i++) w[i] = v[i] - ((s * alpha) / radius) * w[i]
    rho = -c * alpha
    phi *= s
    normal = phi * alpha * Math.abs(c)
    options.onProgress?.(iterations, phi / length)
  }
  const residual = checked(await operator.apply(x), operator.rows).slice()
  for (let i = 0; i < residual.length; i++) residual[i] = b[i] - residual[i]
  return { x, status, residualNorm: norm(residual), products: products + 1, iterations }
}

async function transposed(operator: RectangularOperator, u: Float64Array): Promise<Float64Array> {
  return checked(await operator.applyTranspose(u), operator.cols).slice()
}

/** Scales x to norm 1, or leaves a zero vector; returns the norm. */
function normalize(x: Float64Array): number {
  const length = norm(x)
  if (length > 0) scale(1 / length, x)
  return length
}

function checked(product: Float64Array, length: number): Float64Array {
  if (product.length !== length) {
    throw new ShapeError(`lsqr: the operator must return ${length} numbers, got ${product.length}.`)
  }
  const bad = firstNonFinite(product)
  if (bad >= 0) throw new DomainError(`lsqr: the operator must return finite numbers, got ${product[bad]} at ${bad}.`)
  return product
}
