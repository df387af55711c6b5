import { DomainError } from '@thalweg/graph'
import { matrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { rowKernels } from './kernel-inputs.ts'
import { LayerRecursion } from './layer-recursion.ts'
import type { RecursionOptions } from './layer-recursion.ts'
import { dualActivation } from './named-dual.ts'

export interface StandardKernelOptions extends RecursionOptions {
  /** Hidden layers H. */
  readonly depth: number
  readonly activation: string
  /** Variance of a weight, over its fan-in. Default 1. */
  readonly weightVariance?: number
  /** Variance of a bias. Default 0. */
  readonly biasVariance?: number
}

export interface StandardKernel {
  /** Covariance of the outputs at the start, [n × n]. */
  readonly nngp: Matrix
  /** Neural tangent kernel, [n × n]. */
  readonly ntk: Matrix
  /** Largest error of an entry, by estimate. */
  readonly errors: { readonly nngp: number; readonly ntk: number }
  readonly method: string
}

/** The Gaussian process and tangent kernels of a fully connected network, H hidden layers and a linear output, weights
 * √(σ_w²/fan-in) ω and biases σ_b β with ω, β ~ N(0, 1) trained (the `ntk` parametrization of neural-tangents):
 *
 *     K⁰ = σ_w² xxᵀ/d + σ_b² ,   Kʰ = σ_w² E σ(u)σ(v) + σ_b² ,   Θ⁰ = K⁰ ,   Θʰ = Kʰ + σ_w² E σ'(u)σ'(v) Θʰ⁻¹
 *
 * nngp = Kᴴ, ntk = Θᴴ; H = 0 is linear regression. Inputs may have any norm.
 * @param x  [n × d].
 * @throws {DomainError} if an option is out of range.
 * Source: Jacot, Gabriel and Hongler 2018; Lee et al. 2018; Novak et al. 2020 for the convention. */
export function standardKernel(x: Matrix, options: StandardKernelOptions): StandardKernel {
  const { depth, weightVariance = 1, biasVariance = 0, signal, onProgress } = options
  if (!(Number.isSafeInteger(depth) && depth >= 0))
    throw new DomainError(`gram: depth must be an integer ≥ 0, got ${depth}.`)
  requireVariance('weightVariance', weightVariance, weightVariance > 0)
  requireVariance('biasVariance', biasVariance, biasVariance >= 0)
  const dual = dualActivation(options.activation)
  const { products, distances } = rowKernels(x)
  const scale = weightVariance / x.cols
  for (let at = 0; at < products.data.length; at++) {
    products.data[at] = scale * products.data[at] + biasVariance
    distances.data[at] *= scale
  }
  const recursion = new LayerRecursion(dual, products, distances)
  const rule = { residual: false, mean: 0, gain: weightVariance, shift: biasVariance }
  for (let h = 0; h < depth; h++)
    recursion.advance(rule, {
      signal,
      onProgress: onProgress && (({ done, total }) => onProgress({ done: h * total + done, total: depth * total })),
    })
  const { outputs, tangent } = recursion
  return {
    nngp: outputs,
    ntk: matrix(
      x.rows,
      x.rows,
      outputs.data.map((value, at) => value + tangent.data[at]),
    ),
    errors: { nngp: recursion.error, ntk: recursion.error + depth * recursion.gramError },
    method: dual.method,
  }
}

function requireVariance(name: string, value: number, allowed: boolean): void {
  if (!allowed || !Number.isFinite(value))
    throw new DomainError(
      `gram: ${name} must be finite and ${name === 'weightVariance' ? '> 0' : '≥ 0'}, got ${value}.`,
    )
}
