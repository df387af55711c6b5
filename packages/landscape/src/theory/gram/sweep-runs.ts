import { TaskError } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import type { Dataset } from '../../data/dataset.ts'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { symmetricEigenvalues } from '../../linalg/symmetric-eigen.ts'
import type { Loss } from '../../loss/loss.ts'
import type { Model } from '../../model/model.ts'
import { gradientDescent } from '../../train/sgd.ts'
import { trainMany } from '../../train/train-many.ts'
import { lastLayer } from './convergence-run.ts'
import { predictedBound } from './convergence-theorem.ts'
import { difference, halfSumLoss, spectralNorm } from './gram-problem.ts'
import { largestMovement, movementOf } from './movement.ts'
import { networkGram } from './network-gram.ts'
import { requireScaled } from './scaled-forward.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'

export interface SweepOptions {
  readonly engine: Engine
  readonly dataset: Dataset
  /** Networks of each kind. Default 3. */
  readonly seeds?: number
  /** Of the first start; the others follow it. Default 0. */
  readonly firstSeed?: number
  readonly steps: number
  /** A network counts as trained when its loss is this share of the start's. Default 0.01. */
  readonly target?: number
  readonly signal?: CancelSignal
  readonly now?: () => number
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

/** One network after `steps` steps with η = 1/λ_max(G(0)). */
export interface SweepRun {
  readonly width: number
  readonly depth: number
  readonly seed: number
  readonly stepSize: number
  readonly initialLoss: number
  readonly finalLoss: number
  /** Steps until the loss was the target's share of its start; null: not within the steps. */
  readonly stepsToTarget: number | null
  /** Steps above (1 − ηλ/2)ᵏ L(0). */
  readonly violations: number
  /** max_h ‖W⁽ʰ⁾(k) − W⁽ʰ⁾(0)‖_F, and the largest of the same over ‖W⁽ʰ⁾(0)‖_F. */
  readonly movement: number
  readonly relativeMovement: number
  /** ‖G(k) − G(0)‖₂ / ‖G(0)‖₂. */
  readonly gramDrift: number
  /** λ_min and λ_max of G(0), the whole Gram matrix. */
  readonly initialLambdaMin: number
  readonly initialLargest: number
  /** ‖G⁽ᴴ⁾(0) − K⁽ᴴ⁾‖₂, ‖G⁽ᴴ⁾(k) − G⁽ᴴ⁾(0)‖₂ and λ_min(G⁽ᴴ⁾(k)). */
  readonly initialDistance: number
  readonly lastLayerDrift: number
  readonly lastLambdaMin: number
}

/** The limit that networks of a sweep are held against. */
export interface SweepLimit {
  /** K⁽ᴴ⁾. */
  readonly gram: Matrix
  readonly lambda: number
}

/** Networks of one width and depth, trained together, with the Gram matrices before and after. */
export async function sweepRuns(model: Model, limit: SweepLimit, options: SweepOptions): Promise<SweepRun[]> {
  const { engine, dataset, steps, seeds = 3, firstSeed = 0, signal, now } = options
  const loss = halfSumLoss(engine, model, dataset)
  try {
    const starts = Array.from({ length: seeds }, (_, seed) => model.initialize(firstSeed + seed))
    const before: Measured[] = []
    for (const theta of starts) before.push(await measured(loss, theta))
    const learningRates = Float64Array.from(before, ({ largest }) => 1 / largest)
    const thetas = new Float64Array(seeds * loss.size)
    starts.forEach((theta, seed) => thetas.set(theta, seed * loss.size))
    const trained = await trainMany({ loss, thetas, optimizer: gradientDescent(), steps, learningRates, signal, now })
    if (signal?.aborted) throw new TaskError('sweepRuns: cancelled before training was complete. Run it again.')
    const runs: SweepRun[] = []
    for (let seed = 0; seed < seeds; seed++) {
      const theta = trained.thetas.slice(seed * loss.size, (seed + 1) * loss.size)
      const losses = Float64Array.from({ length: steps + 1 }, (_, k) =>
        k === steps ? trained.losses[seed] : trained.lossHistory[k * seeds + seed],
      )
      const ends = { start: starts[seed], end: theta, before: before[seed], after: await measured(loss, theta), losses }
      runs.push(runOf(model, limit, options, seed, learningRates[seed], ends))
    }
    return runs
  } finally {
    await loss.dispose()
  }
}

interface Measured {
  readonly total: Matrix
  readonly last: Matrix
  readonly lambdaMin: number
  readonly largest: number
}

async function measured(loss: Loss, theta: Float64Array): Promise<Measured> {
  const gram = await networkGram(loss, theta)
  const { value, largest } = await smallestEigenvalue(gram.total)
  return { total: gram.total, last: lastLayer(gram), lambdaMin: value, largest }
}

interface Ends {
  readonly start: Float64Array
  readonly end: Float64Array
  readonly before: Measured
  readonly after: Measured
  readonly losses: Float64Array
}

function runOf(
  model: Model,
  { gram, lambda }: SweepLimit,
  { target = 0.01, firstSeed = 0 }: SweepOptions,
  seed: number,
  stepSize: number,
  { start, end, before, after, losses }: Ends,
): SweepRun {
  const { width, depth } = requireScaled('sweepRuns', model)
  const movement = movementOf(model, start, end)
  const reached = losses.findIndex((value) => value <= target * losses[0])
  const allowed = (k: number): number =>
    predictedBound(losses[0], stepSize, lambda, k) * (1 + 1e-12) + 1e-28 * losses[0]
  return {
    ...{ width, depth, seed: firstSeed + seed, stepSize },
    initialLoss: losses[0],
    finalLoss: losses[losses.length - 1],
    stepsToTarget: reached < 0 ? null : reached,
    violations: losses.filter((value, k) => !(value <= allowed(k))).length,
    movement: largestMovement(movement),
    relativeMovement: Math.max(...movement.map(({ relative }) => relative)),
    gramDrift: spectralNorm(difference(after.total, before.total)) / before.largest,
    initialLambdaMin: before.lambdaMin,
    initialLargest: before.largest,
    initialDistance: spectralNorm(difference(before.last, gram)),
    lastLayerDrift: spectralNorm(difference(after.last, before.last)),
    lastLambdaMin: symmetricEigenvalues(after.last)[0],
  }
}
