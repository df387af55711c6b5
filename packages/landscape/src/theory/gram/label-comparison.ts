import { DomainError, ShapeError, TaskError, tensor } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import { withFields } from '../../data/dataset.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import type { Model } from '../../model/model.ts'
import { gradientDescent } from '../../train/sgd.ts'
import { trainMany } from '../../train/train-many.ts'
import { halfSumLoss, residualOf } from './gram-problem.ts'
import { kernelDescent } from './kernel-descent.ts'
import { networkGram } from './network-gram.ts'

export interface LabelComparisonOptions {
  readonly engine: Engine
  readonly model: Model
  readonly dataset: Dataset
  /** Targets by name, [n·k] each: true, random, a teacher's. */
  readonly labels: Readonly<Record<string, Float64Array>>
  readonly steps: number
  readonly seed?: number
  /** A set counts as learned when its loss is this share of the start's. Default 0.01. */
  readonly target?: number
  readonly signal?: CancelSignal
  readonly now?: () => number
}

export interface LabelRun {
  readonly name: string
  readonly stepSize: number
  readonly initialLoss: number
  readonly finalLoss: number
  /** Steps until the loss was the target's share of its start; null: not within the steps. */
  readonly stepsToTarget: number | null
  /** The same as linear dynamics under G(0) predict. */
  readonly predictedSteps: number | null
  /** Share of ‖u(0) − y‖² in the upper half of the spectrum of G(0), by eigenvalue count: what is learned fast. */
  readonly fastShare: number
  readonly losses: Float64Array
}

/** The same network from the same start on several sets of labels. The Gram matrix and so all rates are the same; only the
 * spectral content of u(0) − y differs, and with it the time (random labels against true labels; Zhang et al. 2017, Arora
 * et al. 2019). η = 1/λ_max(G(0)).
 * @throws {ShapeError} if a set has another length than the outputs; {TaskError} if cancelled. */
export async function labelComparison(options: LabelComparisonOptions): Promise<LabelRun[]> {
  const { engine, model, dataset, labels, steps, seed = 0, target = 0.01, signal, now } = options
  const names = Object.keys(labels)
  if (names.length === 0) throw new DomainError('labelComparison: needs at least one set of labels, got none.')
  const base = halfSumLoss(engine, model, dataset)
  try {
    const theta = model.initialize(seed)
    const { total } = await networkGram(base, theta)
    const datasets = names.map((name) => relabeled(base.dataset, name, labels[name]))
    const thetas = new Float64Array(names.length * base.size)
    names.forEach((_, b) => thetas.set(theta, b * base.size))
    const residual = await residualOf(base, theta)
    const own = base.dataset.targets.data as Float64Array
    const starts = names.map((name) => residual.map((value, i) => value + own[i] - labels[name][i]))
    const descents = starts.map((start) => kernelDescent(total, start))
    const stepSize = 1 / descents[0].eigenvalues[total.rows - 1]
    const trained = await trainMany({
      loss: base,
      datasets,
      thetas,
      optimizer: gradientDescent(),
      steps,
      learningRates: stepSize,
      signal,
      now,
    })
    if (signal?.aborted) throw new TaskError('labelComparison: cancelled before training was complete. Run it again.')
    return names.map((name, b) => {
      const losses = Float64Array.from({ length: steps + 1 }, (_, k) =>
        k === steps ? trained.losses[b] : trained.lossHistory[k * names.length + b],
      )
      const goal = target * losses[0]
      const reached = losses.findIndex((value) => value <= goal)
      return {
        name,
        stepSize,
        initialLoss: losses[0],
        finalLoss: losses[steps],
        stepsToTarget: reached < 0 ? null : reached,
        predictedSteps: firstBelow((k) => descents[b].lossAfter(k, stepSize), goal, steps),
        fastShare: upperShare(descents[b].spectralContent),
        losses,
      }
    })
  } finally {
    await base.dispose()
  }
}

function relabeled(dataset: Dataset, name: string, values: Float64Array): Dataset {
  const { shape, data } = dataset.targets
  if (values.length !== data.length)
    throw new ShapeError(`labelComparison: labels ${name} must have ${data.length} entries, got ${values.length}.`)
  return withFields(dataset, {
    targets: tensor('float64', shape, values),
    task: 'regression',
    classCount: undefined,
    classNames: undefined,
    origin: `${dataset.origin}, labels ${name}`,
  })
}

/** The first k in 0 … limit at which a decreasing sequence is at most `goal`. */
function firstBelow(valueAfter: (k: number) => number, goal: number, limit: number): number | null {
  if (valueAfter(limit) > goal) return null
  let low = 0
  let high = limit
  while (low < high) {
    const middle = (low + high) >> 1
    if (valueAfter(middle) <= goal) high = middle
    else low = middle + 1
  }
  return low
}

function upperShare(content: Float64Array): number {
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)
  const all = sum(content)
  return all === 0 ? 0 : sum(content.subarray(content.length >> 1)) / all
}
