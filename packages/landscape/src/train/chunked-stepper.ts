import { castTensor, graphOf, input, numbersOf, tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { Executable, Values } from '@thalweg/engine'
import type { Loss } from '../loss/loss.ts'
import type { Optimizer } from './optimizer.ts'
import { ruleGraph, stepGraph } from './step-graph.ts'
import type { Advance, Stepper } from './stepper.ts'
import { noiseFor } from './training-state.ts'
import type { TrainingState } from './training-state.ts'

export interface ChunkedStepperOptions {
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly learningRates: (step: number) => readonly number[]
}

/** Full-batch steps where the data do not fit one chunk: the gradient is added up over the chunks outside the graph, and
 * only the optimizer's rule runs as one. One step per call. */
export class ChunkedStepper implements Stepper {
  readonly flopsPerStep: number
  readonly #options: ChunkedStepperOptions
  /** Compiled on first use. */
  #rule: Promise<Executable> | undefined

  constructor(options: ChunkedStepperOptions) {
    this.#options = options
    const { loss, optimizer } = options
    this.flopsPerStep = loss.chunks.reduce((sum, { size }) => sum + chunkFlops(loss, optimizer, size), 0)
  }

  async advance(state: TrainingState): Promise<Advance> {
    const { loss, optimizer, learningRates } = this.#options
    const { value, gradient } = await loss.valueAndGradient(numbersOf(state.theta))
    if (!Number.isFinite(value)) return { state: { ...state, step: state.step + 1 }, losses: Float64Array.of(value) }
    const scalar = (v: number): Values[string] => castTensor(tensor('float64', [], Float64Array.of(v)), loss.dtype)
    const values: Record<string, Values[string]> = { theta: state.theta, loss: scalar(value) }
    values.gradient = castTensor(tensor('float64', [loss.size], gradient), loss.dtype)
    state.memory.forEach((slot, i) => (values[`state_${i}`] = slot))
    optimizer
      .coefficients(learningRates(state.step)[0], state.step + 1)
      .forEach((c, i) => (values[`coefficient_${i}`] = scalar(c)))
    if (optimizer.noise) values.noise = noiseFor(optimizer.noise, state)
    this.#rule ??= compileRule(loss, optimizer)
    const result = await (await this.#rule).run(values)
    const memory = optimizer.slots.map((_, i) => result[`next_${i + 1}`])
    const next = { step: state.step + 1, theta: result.next_0, memory }
    const { stopped } = optimizer
    const ended = stopped && Number(memory[stopped.slot].data[0]) > 0
    return { state: next, losses: Float64Array.of(value), ...(ended ? { stopped: stopped.message } : {}) }
  }

  async dispose(): Promise<void> {
    await (await this.#rule)?.dispose()
  }
}

function chunkFlops(loss: Loss, optimizer: Optimizer, batch: number): number {
  return workOf(stepGraph(loss, optimizer, batch).next).flops
}

function compileRule(loss: Loss, optimizer: Optimizer): Promise<Executable> {
  const theta = input('theta', loss.dtype, [loss.size])
  const gradient = input('gradient', loss.dtype, [loss.size])
  const value = input('loss', loss.dtype, [])
  const { next } = ruleGraph(optimizer, theta, { gradient, loss: value })
  return loss.engine.compile(graphOf(Object.fromEntries(next.map((e, i) => [`next_${i}`, e]))))
}
