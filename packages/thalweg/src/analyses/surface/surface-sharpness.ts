import {
  filterNormalizedSharpness,
  hessianTrace,
  keskarSharpness,
  samSharpness,
  topEigenvalue,
} from '@thalweg/landscape'
import type { Loss } from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'

/** Sharpness of a point by the measures in use, each with its error or why it is a bound. */
export interface Sharpness {
  readonly lambdaMax: { readonly value: number; readonly residualNorm: number; readonly converged: boolean }
  readonly trace: { readonly value: number; readonly standardError: number | null }
  /** Ascent finds a rise, so both are lower bounds of their maximum. */
  readonly keskar: { readonly epsilon: number; readonly value: number; readonly evaluations: number }
  readonly sam: { readonly rho: number; readonly value: number; readonly evaluations: number }
  readonly filterNormalized: {
    readonly alpha: number
    readonly value: number
    readonly standardError: number
    readonly directions: number
  }
}

/** What a reader of these numbers has to know. */
export const sharpnessCaveat: string =
  'Sharpness: λ_max, trace, Keskar and SAM change when layers of a ReLU network are rescaled without changing its function ' +
  '(Dinh et al. 2017); the filter-normalized rise does not. Compare networks by the latter, or trained alike.'

const epsilon = 1e-3
const rho = 0.05
const alpha = 0.1

/** All measures at θ, float64.
 * Cost: some hundred Hessian-vector products and 80 gradients on the data of `loss`. */
export async function sharpnessOf(
  loss: Loss,
  theta: Float64Array,
  seed: number,
  { signal, onProgress }: JobContext,
): Promise<Sharpness> {
  const stage = (done: number): void => onProgress({ stage: 'sharpness', done, total: 5 })
  stage(0)
  const { value, residualNorm, converged } = await topEigenvalue(loss, theta, { seed })
  stage(1)
  const trace = await hessianTrace(loss, theta, 120, seed)
  stage(2)
  const keskar = await keskarSharpness(loss, theta, epsilon, { signal })
  stage(3)
  const sam = await samSharpness(loss, theta, rho, { signal })
  stage(4)
  const valuesAt = async (thetas: Float64Array, count: number): Promise<{ values: Float64Array }> => {
    const values = new Float64Array(count)
    for (let row = 0; row < count; row++)
      values[row] = await loss.value(thetas.slice(row * loss.size, (row + 1) * loss.size))
    return { values }
  }
  const filterNormalized = await filterNormalizedSharpness(loss, theta, { alpha, seed, valuesAt })
  stage(5)
  return {
    lambdaMax: { value, residualNorm, converged },
    trace: { value: trace.value, standardError: trace.standardError },
    keskar: { epsilon, value: keskar.value, evaluations: keskar.evaluations },
    sam: { rho, value: sam.value, evaluations: sam.evaluations },
    filterNormalized: { alpha, ...filterNormalized },
  }
}
