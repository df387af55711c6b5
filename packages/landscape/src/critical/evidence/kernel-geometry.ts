import { gemv, gemvTransposed, matrix, row, zeros } from '../../linalg/matrix.ts'
import type { LinearOperator } from '../../linalg/linear-operator.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { minresQlp } from '../../linalg/minres-qlp.ts'
import { orthogonalize } from '../../linalg/orthogonalize.ts'
import { axpy, norm, scale } from '../../linalg/vector.ts'
import type { RandomStream } from '../../random/random-stream.ts'
import type { HessianSpectrum } from '../finders/hessian-spectrum.ts'
import type { DenseInertia } from './inertia.ts'

/** K = ker H (or a part of it) and the pseudo-inverse on its complement, for H ⪰ 0. */
export interface KernelGeometry {
  /** dim K; null where it is not known. */
  readonly dimension: number | null
  /** Whether the products allowed are used up. */
  readonly exhausted: boolean
  /** The part of v [p] in K. */
  project(v: Float64Array): Promise<Float64Array>
  /** H⁺ g [p]. */
  solve(g: Float64Array): Promise<Float64Array>
  /** A random unit vector in K; null where a random vector has no part there. */
  random(stream: RandomStream): Promise<Float64Array | null>
}

/** K from all eigenvectors.
 * @param explained  directions that explain themselves (tangents of symmetry orbits), orthonormal rows; left out of K. */
export function denseKernel(
  spectrum: HessianSpectrum,
  inertia: DenseInertia,
  explained: Matrix = zeros(0, spectrum.size),
): KernelGeometry {
  const basis = kernelBasis(spectrum, inertia, explained)
  return {
    dimension: basis.rows,
    exhausted: false,
    project: async (v) => gemvTransposed(basis, gemv(basis, v)),
    solve: async (g) => {
      const c = spectrum.basis.coordinates(g)
      for (let i = 0; i < c.length; i++) c[i] = inertia.signs[i] === 0 ? 0 : c[i] / spectrum.values[i]
      return spectrum.basis.combination(c)
    },
    random: async (stream) => {
      const c = stream.normals(basis.rows)
      const length = norm(c)
      if (length > 0) scale(1 / length, c)
      return gemvTransposed(basis, c)
    },
  }
}

/** Eigenvectors of zero eigenvalues without the explained directions, orthonormal rows. */
function kernelBasis(spectrum: HessianSpectrum, inertia: DenseInertia, explained: Matrix): Matrix {
  const { size } = spectrum
  const rows = new Float64Array((explained.rows + inertia.zero) * size)
  rows.set(explained.data)
  let count = explained.rows
  const kernel = spectrum.basis.vectors(Array.from(inertia.signs.keys()).filter((i) => inertia.signs[i] === 0))
  for (let i = 0; i < kernel.rows && count < explained.rows + inertia.zero; i++) {
    const v = row(kernel, i).slice()
    orthogonalize(rows, count, v)
    if (norm(v) < 1e-6) continue
    scale(1 / norm(v), v)
    orthogonalize(rows, count, v)
    scale(1 / norm(v), v)
    rows.set(v, count * size)
    count++
  }
  const kept = Math.min(count - explained.rows, Math.max(0, inertia.zero - explained.rows))
  return matrix(kept, size, rows.slice(explained.rows * size, (explained.rows + kept) * size))
}

export interface KrylovKernelOptions {
  /** Unit vectors that are known to lie in K: Ritz vectors of values that are zero to their residual. */
  readonly known: readonly Float64Array[]
  /** Modulus up to which ‖Hv‖ / ‖v‖ counts as zero. */
  readonly threshold: number
  /** Products allowed. */
  readonly maxProducts: number
  readonly signal?: { readonly aborted: boolean }
  readonly onProgress?: (products: number, maxProducts: number) => void
}

function combination(vectors: readonly Float64Array[], stream: RandomStream): Float64Array {
  const sum = new Float64Array(vectors[0].length)
  for (const v of vectors) axpy(stream.normal(), v, sum)
  return sum
}

/** Steps of one solve with H. */
const krylovSteps = 60
/** Kernel directions need no more digits: what is left of the range in them the chord iteration takes out. */
const solver = { maxIterations: krylovSteps, tolerance: 1e-7, maxCondition: 1e10 }

/** K from products with H alone: v − H⁺H v by minimum-length solutions. Eigenvalues below what a Krylov space of some
 * tens of steps resolves are counted to K; a descent out of it is measured, so that nothing rests on this. */
export function krylovKernel(operator: LinearOperator, options: KrylovKernelOptions): KernelGeometry {
  const { known, threshold, maxProducts, signal } = options
  const { size } = operator
  let products = 0
  const counted: LinearOperator = {
    size,
    apply: (v) => {
      options.onProgress?.(++products, maxProducts)
      return operator.apply(v)
    },
  }
  const exhausted = (): boolean => products >= maxProducts || signal?.aborted === true
  /** H⁺b; 0 where b lies in K as far as rounding of products shows. */
  const solve = async (b: Float64Array): Promise<Float64Array> => {
    if (exhausted() || norm(await counted.apply(b)) <= threshold * norm(b)) return new Float64Array(size)
    return (await minresQlp(counted, b, { ...solver, ...(signal && { signal }) })).x
  }
  const project = async (v: Float64Array): Promise<Float64Array> => {
    const inside = v.slice()
    if (exhausted()) return inside
    const image = await counted.apply(v)
    if (norm(image) > threshold * norm(v)) axpy(-1, await solve(image), inside)
    return inside
  }
  let drawn = 0
  return {
    dimension: null,
    get exhausted(): boolean {
      return exhausted()
    },
    project,
    solve,
    random: async (stream) => {
      const v = known.length > 0 && drawn++ % 2 === 0 ? combination(known, stream) : await project(stream.normals(size))
      const length = norm(v)
      if (!(length > 0)) return null
      scale(1 / length, v)
      return v
    },
  }
}
