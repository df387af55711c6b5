import { DomainError, TaskError } from '@thalweg/graph'
import type { Model } from '../../model/model.ts'
import { settingOf } from './convergence-run.ts'
import { convergenceTheorem } from './convergence-theorem.ts'
import type { ConvergenceTheorem } from './convergence-theorem.ts'
import { kernelOfModel } from './gram-problem.ts'
import { infiniteKernel } from './infinite-kernel.ts'
import { inputRows } from './kernel-inputs.ts'
import { requireScaled } from './scaled-forward.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'
import { sweepRuns } from './sweep-runs.ts'
import type { SweepOptions, SweepRun } from './sweep-runs.ts'

export interface DepthSweepOptions extends SweepOptions {
  /** The network of a depth H; all else equal. A scaled network. */
  readonly modelOf: (depth: number) => Model
  readonly depths: readonly number[]
}

/** Networks of one depth. */
export interface DepthSweepPoint {
  readonly depth: number
  /** λ_min(K⁽ᴴ⁾), the constant of the theorem. */
  readonly lambdaMin: SmallestEigenvalue
  readonly theorem: ConvergenceTheorem | null
  readonly runs: readonly SweepRun[]
}

export interface DepthSweep {
  readonly points: readonly DepthSweepPoint[]
  /** λ_min of c_σ K⁽⁰⁾ ∘ E σ'(u)σ'(v) with (u, v) ~ N(0, K⁽⁰⁾): a constant made of the inputs' kernel K⁽⁰⁾ alone, the
   * same at every depth; that of the theorem at H = 1. Null for convolutions. */
  readonly lambdaOfInputs: SmallestEigenvalue | null
}

/** How a scaled network trains as it gets deeper, beside λ_min(K⁽ᴴ⁾) and the theorem's width at each depth.
 * @throws {DomainError} if there is no depth.
 * Cost: `seeds` networks of every depth, trained together, and two Gram matrices each. */
export async function depthSweep(options: DepthSweepOptions): Promise<DepthSweep> {
  const { depths, dataset, modelOf, signal } = options
  if (depths.length === 0) throw new DomainError('depthSweep: needs at least one depth, got none.')
  const ascending = [...new Set(depths)].sort((a, b) => a - b)
  const points: DepthSweepPoint[] = []
  for (const depth of ascending) {
    if (signal?.aborted) throw new TaskError('depthSweep: cancelled before it was complete. Run it again.')
    const model = modelOf(depth)
    const kernel = kernelOfModel(model, dataset)
    const lambdaMin = await smallestEigenvalue(kernel.gram, kernel.errors.gram)
    const runs = await sweepRuns(model, { gram: kernel.gram, lambda: lambdaMin.value }, options)
    const positive = lambdaMin.value > lambdaMin.bound
    const theorem = positive
      ? convergenceTheorem({ ...settingOf(model, kernel.gram.rows), lambda: lambdaMin.value })
      : null
    points.push({ depth, lambdaMin, theorem, runs })
    options.onProgress?.({ done: points.length, total: ascending.length })
  }
  return { points, lambdaOfInputs: await lambdaOfInputs(modelOf(ascending[0]), options) }
}

async function lambdaOfInputs(model: Model, { dataset }: DepthSweepOptions): Promise<SmallestEigenvalue | null> {
  const { family, activation } = requireScaled('depthSweep', model)
  if (family === 'convolutional-residual') return null
  const { gram, errors } = infiniteKernel(inputRows(dataset), { architecture: 'fc', depth: 1, activation })
  return smallestEigenvalue(gram, errors.gram)
}
