import type { Matrix } from '../../linalg/matrix.ts'
import { infiniteKernel } from './infinite-kernel.ts'
import type { GramArchitecture } from './infinite-kernel.ts'
import { activationConstants, dualActivation } from './named-dual.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'

export interface DepthPoint {
  readonly depth: number
  readonly fc: SmallestEigenvalue
  readonly resnet: SmallestEigenvalue
  /** λ_min(H) / λ_min(H − 1) of the fully connected net, where both are known beyond their bounds. */
  readonly ratio: number | null
  /** λ_min(K⁽ᴴ⁾) H²/c_res² of the residual net, which does not fall. */
  readonly scaledResnet: number
}

export interface DepthBehavior {
  /** The limit of `ratio`: c_σ E σ'(Z)². */
  readonly chi: number
  readonly points: readonly DepthPoint[]
}

/** λ_min(K⁽ᴴ⁾) over depth. In fully connected nets it falls like χᴴ (only polynomially where χ = 1, as for ReLU); in
 * residual nets like 1/H², the square of the layers' own scale. A computation, no training.
 * @param x  [n × d], rows of norm 1.
 * @throws {DomainError} if a row has another norm, or the activation is unknown. */
export async function depthBehavior(
  x: Matrix,
  depths: readonly number[],
  options: { readonly activation?: string; readonly cRes?: number; readonly normalize?: boolean } = {},
): Promise<DepthBehavior> {
  const { activation = 'softplus', cRes = 0.5, normalize } = options
  const at = async (architecture: GramArchitecture, depth: number): Promise<SmallestEigenvalue> => {
    const kernel = infiniteKernel(x, { architecture, depth, activation, cRes, normalize, layers: false })
    return smallestEigenvalue(kernel.gram, kernel.errors.gram)
  }
  const points: DepthPoint[] = []
  for (const depth of depths) {
    const fc = await at('fc', depth)
    const before =
      depth > 1 ? (points.find((p) => p.depth === depth - 1)?.fc ?? (await at('fc', depth - 1))) : undefined
    const resnet = await at('resnet', depth)
    const known = before !== undefined && before.value > before.bound && fc.value > fc.bound
    points.push({
      depth,
      fc,
      resnet,
      ratio: known ? fc.value / before.value : null,
      scaledResnet: (resnet.value * depth * depth) / (depth === 1 ? 1 : cRes * cRes),
    })
  }
  return { chi: activationConstants(dualActivation(activation)).chi, points }
}
