import { DomainError, TaskError } from '@thalweg/graph'
import type { Model } from '../../model/model.ts'
import { settingOf } from './convergence-run.ts'
import { convergenceTheorem } from './convergence-theorem.ts'
import type { ConvergenceTheorem } from './convergence-theorem.ts'
import { kernelOfModel } from './gram-problem.ts'
import { powerLaw } from './power-law.ts'
import type { PowerLaw } from './power-law.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'
import { sweepRuns } from './sweep-runs.ts'
import type { SweepOptions, SweepRun } from './sweep-runs.ts'

export interface WidthSweepOptions extends SweepOptions {
  /** The network of a width; all else equal. A scaled network. */
  readonly modelOf: (width: number) => Model
  readonly widths: readonly number[]
}

/** Exponents of the width m, of geometric means over seeds. */
export interface SweepExponents {
  readonly movement: PowerLaw
  readonly relativeMovement: PowerLaw
  readonly gramDrift: PowerLaw
  readonly initialDistance: PowerLaw
}

export interface WidthSweep {
  readonly lambdaMin: SmallestEigenvalue
  readonly runs: readonly SweepRun[]
  readonly exponents: SweepExponents
  /** The smallest widths from which on all runs did what the theorem, and what its proof, says; null: none swept. */
  readonly threshold: { readonly bound: number | null; readonly proof: number | null }
  readonly theorem: ConvergenceTheorem | null
}

/** How a scaled network trains as it gets wider: whether the bound holds, how far the weights move (a constant in m;
 * relatively m^(−½)), how much the Gram matrix drifts (at most m^(−½), about 1/m) and how far it starts from its limit
 * (m^(−½)); and the width at which all that begins, beside the theorem's.
 * @throws {DomainError} if fewer than two widths are given.
 * Cost: `seeds` networks of every width, trained together, and two Gram matrices each. */
export async function widthSweep(options: WidthSweepOptions): Promise<WidthSweep> {
  const { widths, dataset, modelOf } = options
  if (new Set(widths).size < 2)
    throw new DomainError(`widthSweep: needs at least two different widths, got ${widths.join(', ') || 'none'}.`)
  const ascending = [...new Set(widths)].sort((a, b) => a - b)
  const model = modelOf(ascending[0])
  const kernel = kernelOfModel(model, dataset)
  const lambdaMin = await smallestEigenvalue(kernel.gram, kernel.errors.gram)
  const runs: SweepRun[] = []
  for (const width of ascending) {
    if (options.signal?.aborted) throw new TaskError('widthSweep: cancelled before it was complete. Run it again.')
    runs.push(...(await sweepRuns(modelOf(width), { gram: kernel.gram, lambda: lambdaMin.value }, options)))
    options.onProgress?.({ done: runs.length, total: ascending.length * (options.seeds ?? 3) })
  }
  const positive = lambdaMin.value > lambdaMin.bound
  return {
    lambdaMin,
    runs,
    exponents: exponentsOf(ascending, runs),
    threshold: {
      bound: thresholdOf(ascending, runs, (run) => run.violations === 0 && run.finalLoss < run.initialLoss),
      proof: thresholdOf(
        ascending,
        runs,
        (run) => run.initialDistance <= lambdaMin.value / 4 && run.lastLayerDrift <= lambdaMin.value / 4,
      ),
    },
    theorem: positive ? convergenceTheorem({ ...settingOf(model, kernel.gram.rows), lambda: lambdaMin.value }) : null,
  }
}

function exponentsOf(widths: readonly number[], runs: readonly SweepRun[]): SweepExponents {
  const fit = (key: 'movement' | 'relativeMovement' | 'gramDrift' | 'initialDistance'): PowerLaw =>
    powerLaw(
      widths,
      widths.map((width) => {
        const own = runs.filter((run) => run.width === width)
        return Math.exp(own.reduce((sum, run) => sum + Math.log(run[key]), 0) / own.length)
      }),
    )
  return {
    movement: fit('movement'),
    relativeMovement: fit('relativeMovement'),
    gramDrift: fit('gramDrift'),
    initialDistance: fit('initialDistance'),
  }
}

/** The smallest width such that all runs at it and beyond pass. */
function thresholdOf(
  widths: readonly number[],
  runs: readonly SweepRun[],
  passes: (run: SweepRun) => boolean,
): number | null {
  const failing = runs.filter((run) => !passes(run)).map(({ width }) => width)
  const largest = Math.max(...failing, 0)
  return widths.find((width) => width > largest) ?? null
}
