import { DomainError, castTensor, numbersOf, tensor } from '@thalweg/graph'
import type { CancelSignal } from '../linalg/cancel-signal.ts'
import { firstNonFinite, norm } from '../linalg/vector.ts'
import type { Loss } from '../loss/loss.ts'
import { CallLength } from './call-length.ts'
import { ChunkedStepper } from './chunked-stepper.ts'
import { LbfgsStepper } from './lbfgs-stepper.ts'
import type { Lbfgs } from './lbfgs-stepper.ts'
import { LoopStepper } from './loop-stepper.ts'
import type { Optimizer } from './optimizer.ts'
import { SampleOrder } from './sample-order.ts'
import { checkSchedule, scheduleFactor } from './schedule.ts'
import type { Schedule } from './schedule.ts'
import type { Advance, Stepper } from './stepper.ts'
import { initialState } from './training-state.ts'
import type { TrainingState } from './training-state.ts'

export interface TrainProgress {
  /** Steps taken, of `steps`. */
  readonly step: number
  readonly steps: number
  readonly epoch: number
  /** Of the last step's batch, before that step. */
  readonly loss: number
  /** Present where there is a clock. */
  readonly stepsPerSecond?: number
  readonly remainingMs?: number
}

/** A point of the trajectory from which training can go on. */
export interface Checkpoint {
  readonly step: number
  readonly theta: Float64Array
  /** What the optimizer remembers, by slot. */
  readonly memory: readonly Float64Array[]
}

/** What was measured on the full data at one step. */
export interface HistoryPoint {
  readonly step: number
  readonly epoch: number
  readonly loss: number
  readonly gradientNorm: number
  /** Present for classification. */
  readonly accuracy?: number
  readonly testLoss?: number
  readonly testAccuracy?: number
}

/** What training records as it goes; both grow in place. */
export interface TrainRecord {
  readonly history: readonly HistoryPoint[]
  /** Loss of each step's batch, before that step. */
  readonly losses: readonly number[]
}

export interface TrainOptions {
  /** What is minimised; float32 or float64 arithmetic as the loss says. */
  readonly loss: Loss
  readonly optimizer: Optimizer | Lbfgs
  /** η at the start. L-BFGS does not read it. */
  readonly learningRate?: number
  readonly schedule?: Schedule
  /** Either steps or epochs. */
  readonly steps?: number
  readonly epochs?: number
  /** Default `full`. */
  readonly batchSize?: number | 'full'
  /** Leaves out the last, shorter mini-batch of an epoch. Default false: it is a step of its own. */
  readonly dropLast?: boolean
  /** Of the start (unless `theta` is given) and of the order of samples. Default 0. */
  readonly seed?: number
  /** Starting point; default: the model's own for `seed`. */
  readonly theta?: Float64Array
  /** Goes on from a checkpoint of a run with the same options; gives what that run would have given. */
  readonly from?: Checkpoint
  /** Steps between measurements on the full data; always at the start and the end. Default: a twentieth of all steps. */
  readonly evaluateEvery?: number
  /** Steps between checkpoints; with it, also at the start and the end. Default: none. */
  readonly checkpointEvery?: number
  /** Told of each checkpoint as it is made, so that it can be written before training goes on, and of what was recorded before. */
  readonly onCheckpoint?: (checkpoint: Checkpoint, recorded: TrainRecord) => Promise<void>
  /** Held-out data, measured beside the loss. */
  readonly testLoss?: Loss
  readonly onProgress?: (progress: TrainProgress) => void
  readonly signal?: CancelSignal
  /** Milliseconds from any origin. Without it calls are cut by arithmetic, and there is no time limit. */
  readonly now?: () => number
  readonly timeLimitMs?: number
}

export type TrainStatus = 'finished' | 'diverged' | 'aborted' | 'time-limit'

export interface TrainResult {
  /** The last point; after divergence the last one with a finite loss. */
  readonly theta: Float64Array
  readonly status: TrainStatus
  /** One sentence: why training ended. */
  readonly message: string
  /** Steps taken to reach `theta`. */
  readonly steps: number
  readonly history: readonly HistoryPoint[]
  /** Loss of each step's batch, before that step. */
  readonly losses: Float64Array
  readonly checkpoints: readonly Checkpoint[]
  /** From here training can go on. */
  readonly last: Checkpoint
}

/** Minimises a loss by an optimizer's steps, many of them per call of the engine.
 *
 * Same loss, options and engine fingerprint give equal bits; progress, cancelling, measurements and checkpoints do not
 * change the trajectory. A loss that is not finite ends training as `diverged`, with the last finite point.
 * @throws {DomainError} if an option is out of range; {ShapeError} if θ does not fit the model. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const run = new TrainingRun(options)
  try {
    return await run.result()
  } finally {
    await run.dispose()
  }
}

/** A step at which the trajectory became infinite or NaN. */
interface Divergence {
  readonly loss: number
  readonly state: TrainingState
}

class TrainingRun {
  readonly #options: TrainOptions
  readonly #order: SampleOrder
  readonly #steps: number
  readonly #evaluateEvery: number
  readonly #stepper: Stepper
  readonly #history: HistoryPoint[] = []
  readonly #checkpoints: Checkpoint[] = []
  readonly #losses: number[] = []
  readonly #startedMs: number
  /** The call before the present one, to go back into. */
  #previous: TrainingState | undefined

  constructor(options: TrainOptions) {
    const { loss, optimizer, seed = 0, batchSize = 'full', dropLast = false, now } = options
    this.#options = options
    this.#order = new SampleOrder({ samples: loss.samples, batchSize, dropLast, seed })
    this.#steps = totalSteps(options, this.#order)
    this.#evaluateEvery = options.evaluateEvery ?? Math.max(1, Math.ceil(this.#steps / 20))
    requireInterval('evaluateEvery', this.#evaluateEvery)
    requireInterval('checkpointEvery', options.checkpointEvery ?? 1)
    if (options.timeLimitMs !== undefined && !now)
      throw new DomainError('train: timeLimitMs needs a clock, got none. Pass now.')
    this.#stepper = stepperFor(options, optimizer, this.#order, this.#steps)
    this.#startedMs = now?.() ?? 0
  }

  dispose(): Promise<void> {
    return this.#stepper.dispose()
  }

  async result(): Promise<TrainResult> {
    const { now } = this.#options
    const length = new CallLength(this.#stepper.flopsPerStep, now !== undefined)
    let state = this.#start()
    const first = state.step
    let divergence = await this.#measure(state)
    let end: [TrainStatus, string] | undefined
    while (!divergence && !end && state.step < this.#steps) {
      end = this.#interruption(state)
      if (end) break
      const calledMs = now?.() ?? 0
      const advance = await this.#stepper.advance(
        state,
        Math.min(length.steps, this.#nextEvent(state.step) - state.step),
      )
      if (now) length.record(advance.state.step - state.step, now() - calledMs)
      divergence = await this.#take(state, advance)
      if (divergence) break
      state = advance.state
      if (advance.stopped) end = ['finished', `Stopped after ${state.step} steps: ${advance.stopped}.`]
      divergence = await this.#measure(state, end !== undefined)
      this.#report(state, first)
    }
    if (!divergence && end?.[0] === 'time-limit') divergence = await this.#measure(state, true)
    if (divergence) return this.#ended(divergence.state, ['diverged', this.#divergenceMessage(divergence)])
    return this.#ended(state, end ?? ['finished', `Took all ${this.#steps} steps.`])
  }

  #start(): TrainingState {
    const { loss, optimizer, seed = 0, from } = this.#options
    const theta = loss.parameterTensor(from?.theta ?? this.#options.theta ?? loss.model.initialize(seed))
    if (optimizer.kind === 'lbfgs')
      return { step: from?.step ?? 0, theta, memory: from ? optimizer.restore(from.memory) : [] }
    const fresh = initialState(optimizer, theta, [])
    if (!from) return fresh
    if (from.memory.length !== fresh.memory.length)
      throw new DomainError(
        `train: the checkpoint must hold ${fresh.memory.length} state arrays of ${optimizer.name}, got ${from.memory.length}. Use the optimizer it was made with.`,
      )
    const memory = fresh.memory.map((slot, i) => castTensor(tensor('float64', slot.shape, from.memory[i]), loss.dtype))
    return { step: from.step, theta, memory }
  }

  #interruption(state: TrainingState): [TrainStatus, string] | undefined {
    const { signal, now, timeLimitMs } = this.#options
    const reached = `after ${state.step} of ${this.#steps} steps`
    if (signal?.aborted) return ['aborted', `Cancelled ${reached}.`]
    if (timeLimitMs !== undefined && now!() - this.#startedMs >= timeLimitMs)
      return ['time-limit', `The time limit of ${timeLimitMs / 1000} s was reached ${reached}.`]
    return undefined
  }

  /** The next step at which something is measured or kept. */
  #nextEvent(step: number): number {
    const next = (every: number): number => (Math.floor(step / every) + 1) * every
    const { checkpointEvery } = this.#options
    return Math.min(
      this.#steps,
      next(this.#evaluateEvery),
      checkpointEvery ? next(checkpointEvery) : Number.POSITIVE_INFINITY,
    )
  }

  /** Books the losses of a call; where one is not finite, goes back to the last finite point. */
  async #take(from: TrainingState, { losses, state }: Advance): Promise<Divergence | undefined> {
    const bad = firstNonFinite(losses)
    for (const loss of bad < 0 ? losses : losses.subarray(0, bad)) this.#losses.push(loss)
    if (bad >= 0) return { loss: losses[bad], state: await this.#lastFinite(from, bad) }
    this.#previous = from
    return firstNonFinite(numbersOf(state.theta)) < 0
      ? undefined
      : { loss: Number.NaN, state: await this.#lastFinite(state, 0) }
  }

  /** The point `bad − 1` steps after `from`: the last one whose loss is finite when that after `bad` steps is not. */
  async #lastFinite(from: TrainingState, bad: number): Promise<TrainingState> {
    const target = from.step + bad - 1
    let state = bad > 0 ? from : (this.#previous ?? from)
    while (state.step < target) state = (await this.#stepper.advance(state, target - state.step)).state
    return state
  }

  /** Measures on the full data and keeps a checkpoint where one is due. */
  async #measure(state: TrainingState, force = false): Promise<Divergence | undefined> {
    const { step } = state
    const { checkpointEvery } = this.#options
    const last = force || step === this.#steps
    const first = this.#history.length === 0
    if (checkpointEvery && (first || last || step % checkpointEvery === 0) && this.#checkpoints.at(-1)?.step !== step) {
      const checkpoint = checkpointOf(state)
      this.#checkpoints.push(checkpoint)
      await this.#options.onCheckpoint?.(checkpoint, { history: this.#history, losses: this.#losses })
    }
    if (!(first || last || step % this.#evaluateEvery === 0) || this.#history.at(-1)?.step === step) return undefined
    const point = await this.#point(state)
    if (Number.isFinite(point.loss) && Number.isFinite(point.gradientNorm)) {
      this.#history.push(point)
      return undefined
    }
    return { loss: point.loss, state: first ? state : await this.#lastFinite(state, 0) }
  }

  async #point({ theta, step }: TrainingState): Promise<HistoryPoint> {
    const { loss, testLoss } = this.#options
    const values = numbersOf(theta)
    const { value, gradient } = await loss.valueAndGradient(values)
    const accuracy = await loss.accuracy(values)
    const test = testLoss ? { testLoss: await testLoss.value(values) } : {}
    const testAccuracy = testLoss ? await testLoss.accuracy(values) : Number.NaN
    return {
      step,
      epoch: step / this.#order.stepsPerEpoch,
      loss: value,
      gradientNorm: norm(gradient),
      ...(Number.isNaN(accuracy) ? {} : { accuracy }),
      ...test,
      ...(Number.isNaN(testAccuracy) ? {} : { testAccuracy }),
    }
  }

  #report({ step }: TrainingState, first: number): void {
    const { onProgress, now } = this.#options
    if (!onProgress) return
    const rate = now ? (1000 * (step - first)) / Math.max(1e-3, now() - this.#startedMs) : undefined
    const timing = rate === undefined ? {} : { stepsPerSecond: rate, remainingMs: (1000 * (this.#steps - step)) / rate }
    const epoch = step / this.#order.stepsPerEpoch
    onProgress({ step, steps: this.#steps, epoch, loss: this.#losses.at(-1) ?? Number.NaN, ...timing })
  }

  #divergenceMessage({ loss, state }: Divergence): string {
    if (state.step === 0 && this.#losses.length === 0)
      return `The loss is ${loss} at the starting point. Start elsewhere: smaller weights, or another seed.`
    const cure = this.#options.optimizer.kind === 'lbfgs' ? 'Check the data' : 'Use a smaller learning rate'
    return `The loss became ${Number.isNaN(loss) ? 'NaN' : 'infinite'} at step ${state.step + 1}; the last finite point, after ${state.step} steps, is kept. ${cure}.`
  }

  #ended(state: TrainingState, [status, message]: [TrainStatus, string]): TrainResult {
    const last = checkpointOf(state)
    return {
      theta: last.theta,
      status,
      message,
      steps: state.step,
      history: this.#history,
      losses: Float64Array.from(this.#losses),
      checkpoints: this.#checkpoints.filter(({ step }) => step <= state.step),
      last,
    }
  }
}

function checkpointOf({ step, theta, memory }: TrainingState): Checkpoint {
  return { step, theta: numbersOf(theta).slice(), memory: memory.map((value) => numbersOf(value).slice()) }
}

function requireInterval(key: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1))
    throw new DomainError(`train: ${key} must be a positive integer, got ${value}.`)
}

function totalSteps({ steps, epochs }: TrainOptions, order: SampleOrder): number {
  if ((steps === undefined) === (epochs === undefined))
    throw new DomainError(`train: give either steps or epochs, got ${steps === undefined ? 'neither' : 'both'}.`)
  const [key, value] = steps === undefined ? ['epochs', epochs!] : ['steps', steps]
  if (!(Number.isSafeInteger(value) && value >= 0))
    throw new DomainError(`train: ${key} must be an integer ≥ 0, got ${value}.`)
  return steps ?? value * order.stepsPerEpoch
}

/** The learning rate of each step. */
export function learningRatesOf(
  where: string,
  base: number | undefined,
  schedule: Schedule = { kind: 'constant' },
): (step: number, steps: number) => number {
  if (!(base !== undefined && base > 0 && base < Number.POSITIVE_INFINITY))
    throw new DomainError(`${where}: learningRate must be finite and positive, got ${base}.`)
  checkSchedule(schedule)
  return (step, steps) => base * scheduleFactor(schedule, step, steps)
}

function stepperFor(options: TrainOptions, optimizer: Optimizer | Lbfgs, order: SampleOrder, steps: number): Stepper {
  const { loss, learningRate, schedule } = options
  if (optimizer.kind === 'lbfgs') {
    if (!order.full)
      throw new DomainError(`train: L-BFGS needs the full batch, got batchSize ${order.batchSize}. Leave it out.`)
    return new LbfgsStepper(loss, optimizer)
  }
  const rate = learningRatesOf('train', learningRate, schedule)
  const learningRates = (step: number): readonly number[] => [rate(step, steps)]
  return order.full && loss.chunks.length > 1
    ? new ChunkedStepper({ loss, optimizer, learningRates })
    : new LoopStepper({ loss, optimizer, order, learningRates })
}
