import { DomainError, TaskError } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import type { Dataset } from '../../data/dataset.ts'
import type { CancelSignal } from '../../linalg/extreme-eigenpairs.ts'
import type { Model } from '../../model/model.ts'
import { gradientDescent } from '../../train/sgd.ts'
import { trainMany } from '../../train/train-many.ts'
import { lastLayer, settingOf } from './convergence-run.ts'
import { convergenceTheorem, predictedBound } from './convergence-theorem.ts'
import type { ConvergenceTheorem } from './convergence-theorem.ts'
import { difference, halfSumLoss, kernelOfModel, spectralNorm } from './gram-problem.ts'
import { largestMovement, movementOf } from './movement.ts'
import { networkGram } from './network-gram.ts'
import { powerLaw } from './power-law.ts'
import type { PowerLaw } from './power-law.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'

export interface WidthSweepOptions {
  readonly engine: Engine
  /** The network of a width; all else equal. A scaled network. */
  readonly modelOf: (width: number) => Model
  readonly dataset: Dataset
  readonly widths: readonly number[]
  /** Networks per width. Default 3. */
  readonly seeds?: number
  readonly steps: number
  readonly signal?: CancelSignal
  readonly now?: () => number
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

/** One network after `steps` steps with η = 1/λ_max(G(0)). */
export interface SweepRun {
  readonly width: number
  readonly seed: number
  readonly stepSize: number
  readonly initialLoss: number
  readonly finalLoss: number
  /** Steps above (1 − ηλ/2)ᵏ L(0). */
  readonly violations: number
  /** max_h ‖W⁽ʰ⁾(k) − W⁽ʰ⁾(0)‖_F, and the largest of the same over ‖W⁽ʰ⁾(0)‖_F. */
  readonly movement: number
  readonly relativeMovement: number
  /** ‖G(k) − G(0)‖₂ / ‖G(0)‖₂. */
  readonly gramDrift: number
  /** ‖G⁽ᴴ⁾(0) − K⁽ᴴ⁾‖₂, ‖G⁽ᴴ⁾(k) − G⁽ᴴ⁾(0)‖₂ and λ_min(G⁽ᴴ⁾(k)). */
  readonly initialDistance: number
  readonly lastLayerDrift: number
  readonly lastLambdaMin: number
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
    runs.push(...(await runsOfWidth(options, width, kernel.gram, lambdaMin.value)))
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

async function runsOfWidth(
  { engine, modelOf, dataset, steps, seeds = 3, signal, now }: WidthSweepOptions,
  width: number,
  limit: Awaited<ReturnType<typeof kernelOfModel>>['gram'],
  lambda: number,
): Promise<SweepRun[]> {
  const model = modelOf(width)
  const loss = halfSumLoss(engine, model, dataset)
  try {
    const starts = Array.from({ length: seeds }, (_, seed) => model.initialize(seed))
    const before = []
    for (const theta of starts) before.push(await networkGram(loss, theta))
    const norms = before.map(({ total }) => spectralNorm(total))
    const learningRates = Float64Array.from(norms, (value) => 1 / value)
    const thetas = new Float64Array(seeds * loss.size)
    starts.forEach((theta, seed) => thetas.set(theta, seed * loss.size))
    const trained = await trainMany({ loss, thetas, optimizer: gradientDescent(), steps, learningRates, signal, now })
    const runs: SweepRun[] = []
    for (let seed = 0; seed < seeds; seed++) {
      const end = trained.thetas.slice(seed * loss.size, (seed + 1) * loss.size)
      const after = await networkGram(loss, end)
      const losses = Array.from({ length: steps }, (_, k) => trained.lossHistory[k * seeds + seed])
      losses.push(trained.losses[seed])
      const movement = movementOf(model, starts[seed], end)
      runs.push({
        width,
        seed,
        stepSize: learningRates[seed],
        initialLoss: losses[0],
        finalLoss: losses[steps],
        violations: losses.filter(
          (value, k) =>
            !(value <= predictedBound(losses[0], learningRates[seed], lambda, k) * (1 + 1e-12) + 1e-28 * losses[0]),
        ).length,
        movement: largestMovement(movement),
        relativeMovement: Math.max(...movement.map(({ relative }) => relative)),
        gramDrift: spectralNorm(difference(after.total, before[seed].total)) / norms[seed],
        initialDistance: spectralNorm(difference(lastLayer(before[seed]), limit)),
        lastLayerDrift: spectralNorm(difference(lastLayer(after), lastLayer(before[seed]))),
        lastLambdaMin: (await smallestEigenvalue(lastLayer(after))).value,
      })
    }
    return runs
  } finally {
    await loss.dispose()
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
