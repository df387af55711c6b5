import { DomainError, topologicalOrder } from '@thalweg/graph'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import { AmplitudeChart } from './amplitude-chart.ts'
import { certify } from './certificate.ts'
import type { CertifyOptions, EliminationCertificate } from './certificate.ts'
import { detectDivergence, watch } from './failure-mode.ts'
import type { Divergence, EliminationPoint } from './failure-mode.ts'
import { ModifiedLoss, largeInputs } from './modified-loss.ts'
import type { NeuronState } from './modified-loss.ts'
import type { AddedNeurons } from './added-neurons.ts'
import { quasiNewton } from './quasi-newton.ts'
import { stiffGradientFlow } from './stiff-gradient-flow.ts'
import type { FlowState } from './stiff-gradient-flow.ts'
import { vacuityOf } from './vacuity.ts'
import type { Vacuity } from './vacuity.ts'

/** `flow`: the gradient flow by a stiff integrator, with its laws; `quasi-newton`: L-BFGS in coordinates without overflow,
 * for any size; `gradient-descent`: steps of fixed length, only to show how they deceive. */
export type EliminationMethod = 'flow' | 'quasi-newton' | 'gradient-descent'

export interface EliminateOptions {
  /** Default 0.1. */
  readonly lambda?: number
  /** Default exponential neurons, one per output. */
  readonly neurons?: AddedNeurons
  /** Default `flow` for smooth models of up to `flowSizeMax` unknowns, else `quasi-newton`: on the kinks of ReLU a flow slides
   * along the edge, where no integrator makes progress. */
  readonly method?: EliminationMethod
  /** Default 150: the flow factorizes the dense Hessian at every step. */
  readonly flowSizeMax?: number
  /** Of the flow. Default 1e4. */
  readonly timeEnd?: number
  /** Ends training where ‖∇L̃‖ is at most this. Default 1e-10. */
  readonly gradientTolerance?: number
  /** Of the other methods. Default 2000. */
  readonly maxSteps?: number
  /** Of gradient descent. */
  readonly learningRate?: number
  /** Of the group gradients, for acceptance. Default 1e-8. */
  readonly tolerance?: number
  /** Trains although theory says that there is no local minimum. Default false. */
  readonly evenIfVacuous?: boolean
  /** Start of the neurons; default a = b = 0 and small random w. */
  readonly start?: { readonly a?: Float64Array; readonly b?: Float64Array; readonly w?: Float64Array }
  readonly seed?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (stage: string, done: number, total: number) => void
  /** Told of every point of the flow's history as it is made, with (θ, a, b, W) there. */
  readonly onPoint?: (point: EliminationPoint, z: Float64Array) => void
}

export type EliminationOutcome = 'certified' | 'failure-mode' | 'vacuous' | 'stopped'

export interface Elimination {
  readonly outcome: EliminationOutcome
  /** One sentence. */
  readonly summary: string
  readonly vacuity: Vacuity
  readonly method: EliminationMethod | null
  readonly lambda: number
  readonly lossBefore: number
  readonly lossAfter: number
  readonly modifiedLoss: number
  readonly certificate: EliminationCertificate | null
  readonly neuron: NeuronState
  readonly divergence: Divergence
  readonly history: readonly EliminationPoint[]
  readonly theta: Float64Array
  /** (θ, a, b, W) at the end. */
  readonly z: Float64Array
  /** Why training ended, in the words of its method; empty where nothing was trained. */
  readonly status: string
  readonly steps: number
  readonly evaluations: number
}

const idle: Divergence = {
  type: null,
  fakeConvergence: false,
  statement: 'Nothing was trained.',
  neuronRms: 0,
  margin: 0,
  gradientTimesTime: null,
  amplitudeLaw: null,
  bRate: null,
  wRate: null,
  gradientSlope: null,
  spikeShare: 0,
  maxExponent: 0,
}

interface Trained {
  readonly z: Float64Array
  readonly history: readonly EliminationPoint[]
  readonly divergence: Divergence
  readonly status: string
  readonly steps: number
  readonly evaluations: number
}

/** Adds one neuron per output to a model that is stuck at θ, trains both, and says what came of it:
 *
 *  - `vacuous`: theory already says that the modified loss has no local minimum (and nothing was trained);
 *  - `certified`: the neurons vanished and every group gradient is zero, so θ is optimal among *all* functions;
 *  - `failure-mode`: the neurons run to infinity and θ stays where the added output holds it;
 *  - `stopped`: neither, within time or steps.
 * @throws {DomainError} if an option is out of range; {UnsupportedError} if an input is not of floats.
 * Source: Kawaguchi and Kaelbling 2020. */
export async function eliminate(loss: Loss, theta: Float64Array, options: EliminateOptions = {}): Promise<Elimination> {
  const { lambda = 0.1, tolerance = 1e-8, seed = 0, neurons } = options
  const modified = new ModifiedLoss(loss, { lambda, neurons })
  try {
    const lossBefore = await loss.value(theta)
    const vacuity = await vacuityOf(loss)
    const z = modified.start(theta, { ...options.start, seed })
    if ((vacuity.vacuous && !options.evenIfVacuous) || !vacuity.applies)
      return {
        outcome: vacuity.vacuous ? 'vacuous' : 'stopped',
        summary: vacuity.statement,
        vacuity,
        method: null,
        lambda,
        lossBefore,
        lossAfter: lossBefore,
        modifiedLoss: await modified.value(z),
        certificate: null,
        neuron: modified.neuronState(z),
        divergence: idle,
        history: [],
        theta: theta.slice(),
        z,
        status: '',
        steps: 0,
        evaluations: 0,
      }
    const method = methodFor(modified, options)
    const ended = await trainers[method](modified, z, options)
    const { trained, certificate } = await polished(modified, ended, { tolerance, seed })
    const outcome = outcomeOf(certificate, trained.divergence, vacuity)
    return {
      outcome,
      summary: summaryOf(outcome, certificate, trained, vacuity),
      vacuity,
      method,
      lambda,
      lossBefore,
      lossAfter: certificate.loss,
      modifiedLoss: certificate.modifiedLoss,
      certificate,
      neuron: modified.neuronState(trained.z),
      divergence: trained.divergence,
      history: trained.history,
      theta: modified.theta(trained.z).slice(),
      z: trained.z,
      status: trained.status,
      steps: trained.steps,
      evaluations: trained.evaluations,
    }
  } finally {
    await modified.dispose()
  }
}

/** Where group gradients this small remain and nothing runs away, the end of training is near a minimum. */
const polishFrom = 1e-3
const polishSteps = 300

/** The certificate at the end of training, or, where the neurons are fading but the tolerance is not reached yet, at the end of
 * a few steps of L alone with the neurons off: local minima of L̃ are points of that kind. */
async function polished(
  modified: ModifiedLoss,
  trained: Trained,
  options: CertifyOptions,
): Promise<{ trained: Trained; certificate: EliminationCertificate }> {
  const certificate = await certify(modified, trained.z, options)
  const near = trained.divergence.type === null && certificate.groupGradientMax <= polishFrom
  if (certificate.accepted || !near) return { trained, certificate }
  const { base } = modified
  const end = await quasiNewton((theta) => base.valueAndGradient(theta), modified.theta(trained.z).slice(), {
    maxSteps: polishSteps,
    gradientTolerance: 1e-13,
  })
  const z = trained.z.slice()
  z.set(end.x)
  modified.part(z, 'a').fill(0)
  const better = await certify(modified, z, options)
  if (!better.accepted) return { trained, certificate }
  return { trained: { ...trained, z, steps: trained.steps + end.steps }, certificate: better }
}

/** Operators whose derivative jumps. */
const kinked = new Set([
  'Relu',
  'Abs',
  'Sign',
  'Max',
  'Min',
  'MaxPool',
  'Where',
  'ReduceMax',
  'ReduceMin',
  'Clip',
  'LeakyRelu',
  'PRelu',
])

function isSmooth({ base }: ModifiedLoss): boolean {
  return !topologicalOrder([base.graph(1).outputs]).some(({ op }) => kinked.has(op))
}

function methodFor(modified: ModifiedLoss, { method, flowSizeMax = 150 }: EliminateOptions): EliminationMethod {
  if (method) return method
  if (modified.neurons.kind !== 'exponential') return 'flow'
  // e^{wᵀx} of such inputs leaves the range of numbers within a few steps of a flow.
  const large = modified.features.some((v) => Math.abs(v) > largeInputs)
  return modified.size <= flowSizeMax && !large && isSmooth(modified) ? 'flow' : 'quasi-newton'
}

function outcomeOf(
  certificate: EliminationCertificate,
  { type, fakeConvergence }: Divergence,
  vacuity: Vacuity,
): EliminationOutcome {
  if (vacuity.vacuous) return 'vacuous'
  if (certificate.accepted) return 'certified'
  return type !== null || fakeConvergence ? 'failure-mode' : 'stopped'
}

function summaryOf(
  outcome: EliminationOutcome,
  certificate: EliminationCertificate,
  { divergence, status }: Trained,
  vacuity: Vacuity,
): string {
  const { groupGradientMax, groups, gap } = certificate
  switch (outcome) {
    case 'certified':
      return `The neurons vanished and all ${groups} group gradients are at most ${groupGradientMax.toExponential(1)}: no function of the input has a lower loss${gap === null ? '' : ` (gap ${gap.toExponential(1)})`}.`
    case 'failure-mode':
      return divergence.statement
    case 'vacuous':
      return `${vacuity.statement} ${divergence.statement}`
    case 'stopped':
      return `Neither certified nor diverged (${status}): the largest group gradient is ${groupGradientMax.toExponential(1)}, the gradient of the modified loss ${certificate.gradientNorm.toExponential(1)}.`
  }
}

const trainers: Readonly<
  Record<EliminationMethod, (modified: ModifiedLoss, z: Float64Array, options: EliminateOptions) => Promise<Trained>>
> = { flow: byFlow, 'quasi-newton': byQuasiNewton, 'gradient-descent': byGradientDescent }

/** Far more than any flow needed: what takes longer slides along a kink. */
const flowStepsMax = 8000

/** Points of the history per decade of time. */
const pointsPerDecade = 24

async function byFlow(modified: ModifiedLoss, start: Float64Array, options: EliminateOptions): Promise<Trained> {
  const { timeEnd = 1e4, gradientTolerance = 1e-10, onProgress, signal } = options
  const history: EliminationPoint[] = []
  const spacing = 10 ** (1 / pointsPerDecade)
  const keep = async (state: FlowState): Promise<void> => {
    const point = await watch(modified, state.z, state.time, state)
    history.push(point)
    options.onPoint?.(point, state.z)
  }
  const flow = await stiffGradientFlow(modified, start, {
    timeEnd,
    gradientTolerance,
    maxSteps: flowStepsMax,
    signal,
    onStep: async (state) => {
      const previous = history.at(-1)
      if (previous && state.time < Math.max(1e-3, previous.time * spacing)) return
      await keep(state)
      onProgress?.('flow', Math.round(100 * Math.log1p(state.time)), Math.round(100 * Math.log1p(timeEnd)))
    },
  })
  await keep(flow.state)
  const divergence = detectDivergence(modified, history, flow.state.z, { timed: true })
  return { z: flow.state.z, history, divergence, status: flow.status, steps: flow.steps, evaluations: flow.evaluations }
}

/** Steps between charts: the largest exponent may move to another sample. */
const stepsPerChart = 60

async function byQuasiNewton(modified: ModifiedLoss, start: Float64Array, options: EliminateOptions): Promise<Trained> {
  const { maxSteps = 2000, gradientTolerance = 1e-10, onProgress, signal } = options
  if (modified.neurons.kind !== 'exponential')
    throw new DomainError(
      `eliminate: quasi-newton is for exponential neurons, got ${modified.neurons.kind}. Use the flow.`,
    )
  const history: EliminationPoint[] = [await watch(modified, start, 0, await modified.valueAndGradient(start))]
  let z = start
  let [steps, evaluations] = [0, 0]
  let status = 'step-limit'
  while (steps < maxSteps && !signal?.aborted) {
    const chart = new AmplitudeChart(modified, modified.part(z, 'w'))
    const result = await quasiNewton(
      (xi) => {
        evaluations++
        return chart.valueAndGradient(xi)
      },
      chart.from(z),
      { maxSteps: Math.min(stepsPerChart, maxSteps - steps), gradientTolerance, signal },
    )
    z = chart.to(result.x)
    steps += Math.max(1, result.steps)
    history.push(await watch(modified, z, steps, result))
    onProgress?.('quasi-newton', steps, maxSteps)
    if (result.status === 'converged' || (result.status === 'no-decrease' && result.steps <= 1)) {
      status = result.status
      break
    }
  }
  const divergence = detectDivergence(modified, history, z, { timed: false })
  return { z, history, divergence, status: signal?.aborted ? 'aborted' : status, steps, evaluations }
}

async function byGradientDescent(
  modified: ModifiedLoss,
  start: Float64Array,
  options: EliminateOptions,
): Promise<Trained> {
  const { maxSteps = 2000, gradientTolerance = 1e-10, learningRate, onProgress, signal } = options
  if (!(learningRate !== undefined && learningRate > 0))
    throw new DomainError(`eliminate: gradient descent needs a positive learning rate, got ${learningRate}.`)
  const history: EliminationPoint[] = []
  let z = start.slice()
  let at = await modified.valueAndGradient(z)
  let step = 0
  const every = Math.max(1, Math.floor(maxSteps / 100))
  for (; step < maxSteps && !signal?.aborted && norm(at.gradient) > gradientTolerance; step++) {
    if (step % every === 0) {
      history.push(await watch(modified, z, step * learningRate, at))
      onProgress?.('gradient-descent', step, maxSteps)
    }
    const next = z.map((v, i) => v - learningRate * at.gradient[i])
    const there = await modified.valueAndGradient(next)
    if (!Number.isFinite(there.value)) break
    ;[z, at] = [next, there]
  }
  history.push(await watch(modified, z, step * learningRate, at))
  const fakeConvergence = await atTheEdge(modified, z, learningRate, history)
  const divergence = detectDivergence(modified, history, z, { timed: true, fakeConvergence })
  return {
    z,
    history,
    divergence,
    status: step === maxSteps ? 'step-limit' : 'ended',
    steps: step,
    evaluations: step + 1,
  }
}

/** Whether the step jumps back and forth across the valley of some a_k and b stands still: the curvature there is what steps
 * of this length just bear, 2/η, and the gradient is many times what the drift of (b, w) needs. */
async function atTheEdge(
  modified: ModifiedLoss,
  z: Float64Array,
  learningRate: number,
  history: readonly EliminationPoint[],
): Promise<boolean> {
  const last = history[history.length - 1]
  const window = history.find(({ time }) => time > 0.8 * last.time) ?? last
  const drift = Math.hypot(last.bNorm - window.bNorm, last.wNorm - window.wNorm)
  if (last.gradientNorm * (last.time - window.time) < 10 * drift + 1e-6) return false
  const { hessian } = modified.at(z)
  for (let i = modified.neurons.a.start; i < modified.neurons.a.end; i++) {
    const unit = new Float64Array(modified.size)
    unit[i] = 1
    const product = await hessian.apply(unit)
    if (product[i] * learningRate > 1.8) return true
  }
  return false
}
