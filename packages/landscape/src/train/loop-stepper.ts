import { castTensor, gather, input, inputsOf, numbersOf, substitute, tensor, vmap } from '@thalweg/graph'
import type { Expr, InputExpr, Stack, Tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { LoopExecutable, LoopProgram, Work } from '@thalweg/engine'
import { makeChunks } from '../loss/chunks.ts'
import type { Loss } from '../loss/loss.ts'
import type { Optimizer } from './optimizer.ts'
import type { SampleOrder } from './sample-order.ts'
import { stepGraph } from './step-graph.ts'
import type { Advance, Stepper } from './stepper.ts'
import { noiseFor } from './training-state.ts'
import type { TrainingState } from './training-state.ts'

/** Many networks in one graph. */
export interface Population {
  readonly count: number
  /** Number of the first one among all that are trained; random numbers are drawn by it. Default 0. */
  readonly first?: number
  /** Data that differ from network to network, [B × n × …] by name; the rest is shared. */
  readonly data: Readonly<Record<string, Tensor>>
}

export interface LoopStepperOptions {
  readonly loss: Loss
  readonly optimizer: Optimizer
  readonly order: SampleOrder
  /** Learning rates of step t = 0, 1, …: one, or one per network. */
  readonly learningRates: (step: number) => readonly number[]
  readonly population?: Population
  /** Compiled loops that outlive this stepper, for others that differ in data and learning rates only. Whoever made the
   * map disposes of them. */
  readonly loops?: LoopsByBatch
}

/** A compiled step and how many rows of order and coefficients it takes. */
export interface CompiledSteps {
  readonly batch: number
  readonly window: number
  readonly loop: Promise<LoopExecutable>
}

export type LoopsByBatch = Map<number, CompiledSteps>

/** Rows of the coefficients and of the order that are fed per call, at most. */
const windowMax = 1024
/** Arithmetic per call when nothing is known about its time, at most. */
const flopsPerCallMax = 4e10

/** Training steps as one `Loop` inside the engine. Full batch or mini-batches; one network or a population. The data are
 * fed once per call; each step gathers its own samples. */
export class LoopStepper implements Stepper {
  readonly flopsPerStep: number
  readonly #options: LoopStepperOptions
  readonly #loops: LoopsByBatch
  readonly #data: Readonly<Record<string, Tensor>>

  constructor(options: LoopStepperOptions) {
    this.#options = options
    this.#loops = options.loops ?? new Map()
    const { loss, order, optimizer, population } = options
    this.#data = { ...makeChunks(loss.model, loss.dataset, loss.dtype, loss.samples)[0].values, ...population?.data }
    this.flopsPerStep = stepWork(loss, optimizer, order.batchSize).flops * (population?.count ?? 1)
  }

  async advance(state: TrainingState, most: number): Promise<Advance> {
    const { optimizer, order } = this.#options
    const compiled = this.#loopFor(order.sizeAt(state.step))
    const steps = Math.min(order.runFrom(state.step, most), compiled.window, optimizer.noise?.stepsMax ?? most)
    const result = await (await compiled.loop).run(this.#feeds(state, compiled, steps), steps)
    const [theta, ...memory] = this.#names().map((name) => result.carried[name])
    const next = { step: state.step + steps, theta, memory }
    return { state: next, losses: numbersOf(result.records.loss), ...this.#stopped(next) }
  }

  async dispose(): Promise<void> {
    if (!this.#options.loops) await disposeLoops(this.#loops)
  }

  #names(): string[] {
    return ['theta', ...this.#options.optimizer.slots.map((_, i) => `state_${i}`)]
  }

  #stopped({ memory }: TrainingState): { stopped?: string } {
    const rule = this.#options.optimizer.stopped
    return rule && numbersOf(memory[rule.slot]).every((v) => v > 0) ? { stopped: rule.message } : {}
  }

  #loopFor(batch: number): CompiledSteps {
    const known = this.#loops.get(batch)
    if (known) return known
    const window = Math.max(1, Math.min(windowMax, Math.floor(flopsPerCallMax / this.flopsPerStep)))
    const program = loopProgram(this.#options, batch, window)
    const compiled = { batch, window, loop: this.#options.loss.engine.compileLoop(program) }
    this.#loops.set(batch, compiled)
    return compiled
  }

  #feeds(state: TrainingState, { batch, window }: CompiledSteps, steps: number): Record<string, Tensor> {
    const { optimizer, order, loss, population } = this.#options
    const values: Record<string, Tensor> = { ...this.#data, theta: state.theta }
    state.memory.forEach((value, i) => (values[`state_${i}`] = value))
    Object.assign(values, this.#coefficients(state.step, steps, window))
    if (optimizer.noise) values.noise = noiseFor(optimizer.noise, state, population?.first)
    if (batch < loss.samples) {
      const rows = new BigInt64Array(window * batch)
      order.writeRows(rows, state.step, steps)
      values.order = tensor('int64', [window, batch], rows)
    }
    return values
  }

  /** [window] or [window × B] per coefficient; rows after `steps` are not read. */
  #coefficients(start: number, steps: number, window: number): Record<string, Tensor> {
    const { optimizer, learningRates, population, loss } = this.#options
    const networks = population?.count ?? 1
    const columns = optimizer.coefficients(1, 1).map(() => new Float64Array(window * networks))
    for (let i = 0; i < steps; i++)
      learningRates(start + i).forEach((rate, b) =>
        optimizer.coefficients(rate, start + i + 1).forEach((value, c) => (columns[c][i * networks + b] = value)),
      )
    const shape = population ? [window, networks] : [window]
    return Object.fromEntries(
      columns.map((c, i) => [`coefficient_${i}`, castTensor(tensor('float64', shape, c), loss.dtype)]),
    )
  }
}

export async function disposeLoops(loops: LoopsByBatch): Promise<void> {
  const all = [...loops.values()]
  loops.clear()
  for (const { loop } of all) await (await loop).dispose()
}

/** What one step of one network costs. */
export function stepWork(loss: Loss, optimizer: Optimizer, batch: number): Work {
  const { next, loss: value } = stepGraph(loss, optimizer, batch)
  return workOf([...next, value])
}

/** The step with its batch gathered from all samples, its coefficients from their rows, repeated. */
function loopProgram(options: LoopStepperOptions, batch: number, window: number): LoopProgram {
  const { loss, optimizer, population } = options
  const graph = stepGraph(loss, optimizer, batch)
  const step = input('step', 'int64', [])
  const lead = population ? [population.count] : []
  const carry = (node: InputExpr): InputExpr => input(node.attributes.name, node.dtype, [...lead, ...node.shape])
  const rows = graph.coefficients.map((c) => input(c.attributes.name, c.dtype, [window, ...lead]))
  const order = input('order', 'int64', [window, batch])
  const whole = graph.data.map((node) => wholeOf(node, loss.samples, population))
  const sees = batch === loss.samples ? undefined : gather(order, step, 0)
  const carried = [graph.theta, ...graph.state].map(carry)
  const noise = graph.noise ? carry(graph.noise) : null
  const shared = new Map<Expr, Expr>()
  const stacks: Stack[] = []
  const bind = (node: Expr, value: Expr): void => {
    if (value.shape.length > node.shape.length) stacks.push([node, value])
    else shared.set(node, value)
  }
  ;[graph.theta, ...graph.state].forEach((node, i) => bind(node, carried[i]))
  graph.coefficients.forEach((node, i) => bind(node, gather(rows[i], step, 0)))
  if (graph.noise && noise) bind(graph.noise, noise)
  graph.data.forEach((node, i) =>
    bind(node, sees ? gather(whole[i], sees, whole[i].shape.length - node.shape.length) : whole[i]),
  )
  const [recorded, ...next] = bound([graph.loss, ...graph.next], shared, stacks)
  const inputs = [...whole, ...rows, ...(noise ? [noise] : []), ...(sees ? [order] : [])]
  const read = new Set<Expr>(inputsOf([recorded, ...next]))
  return { carried, next, step, records: { loss: recorded }, inputs: inputs.filter((node) => read.has(node)) }
}

function wholeOf(node: InputExpr, samples: number, population: Population | undefined): InputExpr {
  const { name } = node.attributes
  const own = population && Object.hasOwn(population.data, name)
  return input(name, node.dtype, [...(own ? [population.count] : []), samples, ...node.shape.slice(1)])
}

function bound(roots: readonly Expr[], shared: ReadonlyMap<Expr, Expr>, stacks: readonly Stack[]): Expr[] {
  return substitute(stacks.length === 0 ? roots : vmap(roots, stacks), shared)
}
