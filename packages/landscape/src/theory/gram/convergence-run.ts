import { DomainError, numbersOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'
import type { Dataset } from '../../data/dataset.ts'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import type { Model } from '../../model/model.ts'
import { gradientDescent } from '../../train/sgd.ts'
import { train } from '../../train/train.ts'
import type { Checkpoint } from '../../train/train.ts'
import { convergenceTheorem, predictedBound, predictedMovement } from './convergence-theorem.ts'
import type { ConvergenceTheorem, OrderOf, TheoremSetting } from './convergence-theorem.ts'
import { difference, gramArchitectureOf, halfSumLoss, kernelOfModel, residualOf, spectralNorm } from './gram-problem.ts'
import { inputRows } from './kernel-inputs.ts'
import { kernelDescent } from './kernel-descent.ts'
import type { KernelDescent } from './kernel-descent.ts'
import { movementOf } from './movement.ts'
import type { LayerMovement } from './movement.ts'
import { networkGram } from './network-gram.ts'
import type { NetworkGram } from './network-gram.ts'
import { patternChange, pixelsOf, scaledArchitecture } from './scaled-forward.ts'
import { smallestEigenvalue } from './smallest-eigenvalue.ts'
import type { SmallestEigenvalue } from './smallest-eigenvalue.ts'

export interface ConvergenceRunOptions {
  readonly engine: Engine
  readonly model: Model
  readonly dataset: Dataset
  /** Where to start. Default: the model's own start for `seed`. */
  readonly theta?: Float64Array
  readonly seed?: number
  readonly steps: number
  /** η for ½ Σ ‖f − y‖². Default 1/λ_max(G(0)), half of the stability limit. */
  readonly stepSize?: number
  /** Points of the trajectory at which Gram matrices are taken, beside the start. Default 8. */
  readonly measurements?: number
  readonly signal?: CancelSignal
  /** Milliseconds from any origin. */
  readonly now?: () => number
  readonly onProgress?: (progress: { readonly stage: string; readonly done: number; readonly total: number }) => void
}

/** What was measured after some steps. */
export interface ConvergencePoint {
  readonly step: number
  readonly loss: number
  /** (1 − ηλ/2)ᵏ L(0) with λ = λ_min(K⁽ᴴ⁾); null where no theorem covers the model. */
  readonly bound: number | null
  /** The loss that a fixed Gram matrix G(0) predicts. */
  readonly predictedLoss: number
  /** ‖u(k) − u_predicted(k)‖ / ‖u(0) − y‖. */
  readonly predictionError: number
  /** The loss of gradient flow, e^(−Gt), at time t = ηk, and ‖u(k) − u_flow(ηk)‖ / ‖u(0) − y‖. */
  readonly flowLoss: number
  readonly flowError: number
  /** u(k), as measured and as predicted by (I − ηG(0))ᵏ and by gradient flow, [nk] each. */
  readonly outputs: {
    readonly measured: Float64Array
    readonly predicted: Float64Array
    readonly flow: Float64Array
  }
  readonly movement: readonly LayerMovement[]
  /** ‖G(k) − G(0)‖₂ / ‖G(0)‖₂, the whole Gram matrix. */
  readonly gramDrift: number
  /** λ_min(G(k)). */
  readonly lambdaMin: number
  /** The same for the last hidden layer's G⁽ᴴ⁾; null where the model is none of the theory's. */
  readonly lastLayer: { readonly lambdaMin: number; readonly drift: number } | null
  /** Share of signs of pre-activations that changed; null likewise. */
  readonly patternChange: number | null
}

/** The theorem for this network and these data, beside what happened. */
export interface TheoremCheck {
  readonly theorem: ConvergenceTheorem | null
  readonly lambdaMin: SmallestEigenvalue
  /** ‖G⁽ᴴ⁾(0) − K⁽ᴴ⁾‖₂, which the proof wants at most λ/4. */
  readonly initialDistance: number
  readonly movementBound: OrderOf | null
  /** Steps at which L(θ(k)) > (1 − ηλ/2)ᵏ L(θ(0)). */
  readonly violations: number
}

export interface ConvergenceRun {
  /** `used`, beside twice 1/λ_max(G(0)) (beyond it the linear dynamics diverge) and the theorem's. */
  readonly stepSize: { readonly used: number; readonly stability: number; readonly theorem: OrderOf | null }
  readonly status: string
  /** L(θ(k)), k = 0 … steps taken. */
  readonly losses: Float64Array
  readonly points: readonly ConvergencePoint[]
  readonly check: TheoremCheck | null
  /** λ_min and λ_max of G(0). */
  readonly initial: SmallestEigenvalue
  /** Whether the linear prediction described the run: every prediction error at most 10 %. */
  readonly linearized: boolean
  /** Whether gradient flow did: steps small enough, and a Gram matrix that stayed. The same limit. */
  readonly flowing: boolean
}

/** Gradient descent on ½ Σ ‖f − y‖² from a start, with all that the theory of Du et al. 2019 speaks about: the bound, the
 * movement of the weights, the drift of the Gram matrices, changes of activation patterns, step sizes, and the prediction
 * of linear dynamics under G(0). Any model; the theorem's part for the networks it is about.
 * @throws {DomainError} if sizes or the step size are out of range, or inputs of a scaled network have not norm 1.
 * Cost: `steps` gradients, and one Gram matrix per measurement. */
export async function convergenceRun(options: ConvergenceRunOptions): Promise<ConvergenceRun> {
  const { engine, model, dataset, steps, measurements = 8 } = options
  if (!(Number.isSafeInteger(steps) && steps >= 1))
    throw new DomainError(`convergenceRun: steps must be a positive integer, got ${steps}.`)
  const loss = halfSumLoss(engine, model, dataset)
  try {
    const theta = options.theta ?? model.initialize(options.seed ?? 0)
    const gram = await networkGram(loss, theta, { signal: options.signal })
    const initial = await smallestEigenvalue(gram.total)
    if (!(initial.largest > 0))
      throw new DomainError('convergenceRun: the Gram matrix at the start is zero. Start elsewhere.')
    const used = options.stepSize ?? 1 / initial.largest
    const run = await train({
      loss,
      optimizer: gradientDescent(),
      learningRate: used,
      steps,
      theta,
      evaluateEvery: steps,
      checkpointEvery: Math.max(1, Math.ceil(steps / measurements)),
      signal: options.signal,
      now: options.now,
      onProgress:
        options.onProgress && (({ step }) => options.onProgress?.({ stage: 'descent', done: step, total: steps })),
    })
    const last = run.history.at(-1)
    const losses = Float64Array.from([...run.losses, ...(last?.step === run.losses.length ? [last.loss] : [])])
    const reference: Reference = {
      loss,
      theta,
      gram,
      used,
      descent: kernelDescent(gram.total, await residualOf(loss, theta)),
      targets: numbersOf(loss.dataset.targets),
      scale: spectralNorm(gram.total),
      check: await theoremCheck(model, dataset, gram, losses, used),
    }
    const points: ConvergencePoint[] = []
    for (const checkpoint of run.checkpoints) {
      points.push(await measure(reference, checkpoint, losses))
      options.onProgress?.({ stage: 'Gram matrices', done: points.length, total: run.checkpoints.length })
    }
    const { check } = reference
    return {
      stepSize: { used, stability: 2 / initial.largest, theorem: check?.theorem?.stepSize ?? null },
      status: run.message,
      losses,
      points,
      check,
      initial,
      linearized: points.every(({ predictionError }) => predictionError <= validity),
      flowing: points.every(({ flowError }) => flowError <= validity),
    }
  } finally {
    await loss.dispose()
  }
}

/** A prediction of outputs that misses by more of ‖u(0) − y‖ at some point is no description of the run. */
const validity = 0.1

interface Reference {
  readonly loss: Loss
  readonly theta: Float64Array
  readonly gram: NetworkGram
  readonly used: number
  readonly descent: KernelDescent
  /** ‖G(0)‖₂ */
  readonly scale: number
  readonly check: TheoremCheck | null
  /** y, [nk]. */
  readonly targets: Float64Array
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i])
}

function distanceOf(a: Float64Array, b: Float64Array): number {
  return norm(a.map((value, i) => value - b[i]))
}

async function theoremCheck(
  model: Model,
  dataset: Dataset,
  gram: NetworkGram,
  losses: Float64Array,
  stepSize: number,
): Promise<TheoremCheck | null> {
  if (!scaledArchitecture(model)) return null
  const kernel = kernelOfModel(model, dataset)
  const lambdaMin = await smallestEigenvalue(kernel.gram, kernel.errors.gram)
  const initialDistance = spectralNorm(difference(lastLayer(gram), kernel.gram))
  const certain = lambdaMin.value - lambdaMin.bound
  if (!(certain > 0)) return { theorem: null, lambdaMin, initialDistance, movementBound: null, violations: 0 }
  const setting: TheoremSetting = { ...settingOf(model, gram.total.rows), lambda: lambdaMin.value }
  let violations = 0
  losses.forEach((value, k) => {
    // the last digits of a loss near 0 are rounding of the outputs, not a violation
    const floor = losses[0] * 1e-28
    if (value > predictedBound(losses[0], stepSize, lambdaMin.value, k) * (1 + 1e-12) + floor) violations++
  })
  return {
    theorem: convergenceTheorem(setting),
    lambdaMin,
    initialDistance,
    movementBound: predictedMovement(setting, losses[0]),
    violations,
  }
}

/** What a theorem needs to know about a scaled network. */
export function settingOf(model: Model, samples: number): Omit<TheoremSetting, 'lambda'> {
  const depth = scaledArchitecture(model)?.depth ?? 1
  return { architecture: gramArchitectureOf(model), samples, depth, pixels: pixelsOf(model) }
}

/** G⁽ᴴ⁾: the last layer before the output. */
export function lastLayer(gram: NetworkGram): Matrix {
  return gram.layers[gram.layers.length - 2].gram
}

async function measure(
  reference: Reference,
  { step, theta }: Checkpoint,
  losses: Float64Array,
): Promise<ConvergencePoint> {
  const { loss, gram, descent, used, scale, check } = reference
  const now = step === 0 ? gram : await networkGram(loss, theta)
  const residual = await residualOf(loss, theta)
  const predicted = descent.residualAfter(step, used)
  const flow = descent.residualAt(step * used)
  const scaled = scaledArchitecture(loss.model)
  const start = norm(descent.residualAfter(0, used))
  return {
    step,
    loss: losses[step],
    bound: check?.theorem ? predictedBound(losses[0], used, check.lambdaMin.value, step) : null,
    predictedLoss: descent.lossAfter(step, used),
    predictionError: distanceOf(residual, predicted) / start,
    flowLoss: descent.lossAt(step * used),
    flowError: distanceOf(residual, flow) / start,
    outputs: {
      measured: plus(residual, reference.targets),
      predicted: plus(predicted, reference.targets),
      flow: plus(flow, reference.targets),
    },
    movement: movementOf(loss.model, reference.theta, theta),
    gramDrift: spectralNorm(difference(now.total, gram.total)) / scale,
    lambdaMin: (await smallestEigenvalue(now.total)).value,
    lastLayer: scaled
      ? {
          lambdaMin: (await smallestEigenvalue(lastLayer(now))).value,
          drift: spectralNorm(difference(lastLayer(now), lastLayer(gram))),
        }
      : null,
    patternChange: scaled ? patternChange(loss.model, reference.theta, theta, inputRows(loss.dataset)) : null,
  }
}
