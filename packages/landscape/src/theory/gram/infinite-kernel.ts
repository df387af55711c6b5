import { DomainError } from '@thalweg/graph'
import { copyMatrix, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { pixelKernels } from './pixel-kernels.ts'
import { LayerRecursion } from './layer-recursion.ts'
import type { LayerRule, RecursionOptions } from './layer-recursion.ts'
import { activationConstants, dualActivation } from './named-dual.ts'
import { unitRows } from './kernel-inputs.ts'

export const gramArchitectures = ['fc', 'resnet', 'conv-resnet'] as const
/** Fully connected, residual, convolutional residual: the networks of Du et al. 2019. */
export type GramArchitecture = (typeof gramArchitectures)[number]

export interface InfiniteKernelOptions extends RecursionOptions {
  readonly architecture: GramArchitecture
  /** Hidden layers H. */
  readonly depth: number
  /** Default `softplus`. */
  readonly activation?: string
  /** Factor of the residual branches, in (0, 1). Default ½. */
  readonly cRes?: number
  /** Of `conv-resnet`: channels and pixels of a sample, and pixels per patch (default 3). */
  readonly image?: { readonly channels: number; readonly pixels: number }
  readonly patch?: number
  /** Divides inputs by their norm. Default false: other norms than 1 are an error. */
  readonly normalize?: boolean
  /** Whether to keep K⁽⁰⁾ … K⁽ᴴ⁻¹⁾. Default true. */
  readonly layers?: boolean
}

export interface InfiniteKernel {
  /** K⁽ᴴ⁾ [n × n], the limit of the last hidden layer's Gram matrix G⁽ᴴ⁾: the matrix of the theorems. */
  readonly gram: Matrix
  /** Limit of the whole Gram matrix Σ_h G⁽ʰ⁾ over hidden layers and output: the tangent kernel of this parametrization. */
  readonly tangent: Matrix
  /** K⁽⁰⁾ … K⁽ᴴ⁻¹⁾, [n × n]; for convolutions of patches, [np × np], row i·p + l for pixel l of sample i. */
  readonly layers: readonly Matrix[]
  readonly constants: { readonly cSigma: number; readonly cRes: number | null; readonly chi: number }
  /** Largest error of an entry, by estimate. */
  readonly errors: { readonly gram: number; readonly layers: readonly number[]; readonly tangent: number }
  /** How the Gaussian expectations were taken. */
  readonly method: string
}

/** The limit of the Gram matrices of a wide network as its width grows (THEORY: Du et al. 2019, Definitions 5.1, 6.1, 7.1).
 *
 *     fully connected   K⁽ʰ⁾ = c_σ E σ(u)σ(v) ,                          K⁽ᴴ⁾ = c_σ K⁽ᴴ⁻¹⁾ E σ'(u)σ'(v)
 *     residual          K⁽ʰ⁾ = K⁽ʰ⁻¹⁾ + E[c/H (b_i σ(v) + b_j σ(u)) + c²/H² σ(u)σ(v)] ,
 *                       K⁽ᴴ⁾ = c²/H² K⁽ᴴ⁻¹⁾ E σ'(u)σ'(v)
 *
 * (u, v) Gaussian with covariance K⁽ʰ⁻¹⁾; convolutions as residual layers on the patches of all pixels. With H = 1 the one
 * layer is plain in every architecture.
 * @param x  [n × d], rows of norm 1; for convolutions channel by channel (d = channels · pixels).
 * @throws {DomainError} if an option is out of range or a row has another norm; {TaskError} if cancelled.
 * Cost: H n² p² pairs (a closed form 50 ns, a series 0.3 µs), seven matrices of n² p² numbers. */
export function infiniteKernel(x: Matrix, options: InfiniteKernelOptions): InfiniteKernel {
  const plan = planOf(options)
  const dual = dualActivation(options.activation ?? 'softplus')
  const { cSigma, chi } = activationConstants(dual)
  const unit = unitRows(x, options.normalize ?? false)
  const { products, distances } = pixelKernels(unit, plan.channels, plan.pixels)
  const recursion = new LayerRecursion(dual, products, distances, plan.pixels, plan.patch)
  const layers: Matrix[] = []
  const errors: number[] = []
  const gram = zeros(x.rows, x.rows)
  for (let h = 1; h <= plan.depth; h++) {
    if (options.layers ?? true) layers.push(copyMatrix(recursion.patches()))
    errors.push(recursion.error * plan.patch)
    const { onProgress, signal } = options
    const report = ({ done, total }: { readonly done: number; readonly total: number }): void =>
      onProgress?.({ done: (h - 1) * total + done, total: plan.depth * total })
    const last = h === plan.depth ? gram : null
    recursion.advance(ruleOf(plan, cSigma, h), { signal, onProgress: report, gram: last })
  }
  const { size } = recursion
  return {
    gram,
    tangent: pixelTrace(recursion.outputs, recursion.tangent, size, plan.pixels),
    layers,
    constants: { cSigma, cRes: plan.architecture === 'fc' ? null : plan.cRes, chi },
    errors: { gram: recursion.gramError, layers: errors, tangent: plan.depth * recursion.gramError + recursion.error },
    method: dual.method,
  }
}

interface Plan {
  readonly architecture: GramArchitecture
  readonly depth: number
  readonly cRes: number
  readonly channels: number
  readonly pixels: number
  readonly patch: number
}

function planOf({ architecture, depth, cRes = 0.5, image, patch }: InfiniteKernelOptions): Plan {
  requireWhole('depth', depth)
  if (!gramArchitectures.includes(architecture))
    throw new DomainError(`gram: architecture must be one of ${gramArchitectures.join(', ')}, got ${architecture}.`)
  if (!(cRes > 0 && cRes < 1)) throw new DomainError(`gram: cRes must lie between 0 and 1, got ${cRes}.`)
  if (architecture !== 'conv-resnet') {
    if (image || patch !== undefined)
      throw new DomainError(`gram: image and patch belong to conv-resnet, got architecture ${architecture}.`)
    return { architecture, depth, cRes, channels: 0, pixels: 1, patch: 1 }
  }
  if (!image) throw new DomainError('gram: conv-resnet needs the image, got none. Pass channels and pixels.')
  requireWhole('channels', image.channels)
  requireWhole('pixels', image.pixels)
  requireWhole('patch', patch ?? 3)
  return { architecture, depth, cRes, ...image, patch: patch ?? 3 }
}

function requireWhole(name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 1))
    throw new DomainError(`gram: ${name} must be a positive integer, got ${value}.`)
}

function ruleOf({ architecture, depth, cRes }: Plan, cSigma: number, h: number): LayerRule {
  if (architecture === 'fc') return { residual: false, mean: 0, gain: cSigma, shift: 0 }
  if (h === 1) return { residual: false, mean: Math.sqrt(cSigma), gain: cSigma, shift: 0 }
  return { residual: true, mean: cRes / depth, gain: (cRes / depth) ** 2, shift: 0 }
}

/** Σ_l (Π + T)[(i, l), (j, l)], [n × n]. */
function pixelTrace(outputs: Matrix, tangent: Matrix, size: number, pixels: number): Matrix {
  if (pixels === 1) return sumOf(outputs, tangent)
  const n = size / pixels
  const result = zeros(n, n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let l = 0; l < pixels; l++) {
        const at = (i * pixels + l) * size + j * pixels + l
        result.data[i * n + j] += outputs.data[at] + tangent.data[at]
      }
  return result
}

function sumOf(a: Matrix, b: Matrix): Matrix {
  const result = zeros(a.rows, a.cols)
  for (let at = 0; at < result.data.length; at++) result.data[at] = a.data[at] + b.data[at]
  return result
}
