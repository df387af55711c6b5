import { DomainError, castTensor, numbersOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import { dot, norm } from '../linalg/vector.ts'
import { flat, gradientOf } from '../loss/loss-graph.ts'
import type { Loss, ValueAndGradient } from '../loss/loss.ts'
import type { Advance, Stepper } from './stepper.ts'
import { strongWolfe } from './strong-wolfe.ts'
import { twoLoopDirection } from './two-loop-direction.ts'
import type { CurvaturePair } from './two-loop-direction.ts'
import type { TrainingState } from './training-state.ts'

export interface LbfgsOptions {
  /** Pairs (s, y) that are kept. Default 10. */
  readonly memory?: number
  /** Ends where ‖∇L‖ is at most this. Default 1e-8. */
  readonly gradientTolerance?: number
}

/** The limited-memory quasi-Newton method of Liu & Nocedal 1989. Full batch; takes no learning rate: each step is found by a
 * line search for the strong Wolfe conditions. */
export interface Lbfgs {
  readonly kind: 'lbfgs'
  readonly name: 'lbfgs'
  readonly memory: number
  readonly gradientTolerance: number
  /** The memory of a checkpoint as tensors. */
  restore(memory: readonly Float64Array[]): Tensor[]
}

/** @throws {DomainError} if an option is out of range. */
export function lbfgs(options: LbfgsOptions = {}): Lbfgs {
  const { memory = 10, gradientTolerance = 1e-8 } = options
  if (!(Number.isInteger(memory) && memory >= 1))
    throw new DomainError(`lbfgs: memory must be a positive integer, got ${memory}.`)
  if (!(gradientTolerance >= 0))
    throw new DomainError(`lbfgs: gradientTolerance must be ≥ 0, got ${gradientTolerance}.`)
  return { kind: 'lbfgs', name: 'lbfgs', memory, gradientTolerance, restore: (arrays) => arrays.map(vectorTensor) }
}

function vectorTensor(data: Float64Array): Tensor {
  return tensor('float64', [data.length], data)
}

/** One step per call. The state's memory is [value], [p] gradient at θ, then s₁, y₁, s₂, y₂, … oldest first. */
export class LbfgsStepper implements Stepper {
  readonly flopsPerStep: number
  readonly #loss: Loss
  readonly #rule: Lbfgs

  constructor(loss: Loss, rule: Lbfgs) {
    this.#loss = loss
    this.#rule = rule
    this.flopsPerStep = loss.chunks.reduce((sum, { size }) => {
      const graph = loss.graph(size)
      return sum + workOf([flat(gradientOf(graph))]).flops
    }, 0)
  }

  async advance(state: TrainingState): Promise<Advance> {
    const theta = numbersOf(state.theta)
    const { value, gradient, pairs } = await this.#unpacked(state, theta)
    const losses = Float64Array.of(value)
    if (!Number.isFinite(value)) return { state: { ...state, step: state.step + 1 }, losses }
    const stay = (stopped: string): Advance => ({
      state: { ...state, memory: packed({ value, gradient }, pairs) },
      losses: losses.subarray(0, 0),
      stopped,
    })
    if (norm(gradient) <= this.#rule.gradientTolerance) return stay('the gradient norm is within the tolerance')
    let direction = twoLoopDirection(gradient, pairs)
    if (!(dot(direction, gradient) < 0)) direction = gradient.map((v) => -v)
    const first = pairs.length > 0 ? 1 : Math.min(1, 1 / norm(gradient))
    const found = await this.#search(theta, { value, gradient }, direction, first)
    if (!found) return stay('no step along the search direction lowers the loss any more (rounding)')
    const s = found.theta.map((v, i) => v - theta[i])
    const y = found.gradient.map((v, i) => v - gradient[i])
    // Keeps the approximation positive definite; the Wolfe conditions ensure sᵀy > 0 up to rounding.
    const kept = dot(s, y) > 1e-10 * dot(y, y) ? [...pairs, { s, y }].slice(-this.#rule.memory) : pairs
    const next = castTensor(vectorTensor(found.theta), this.#loss.dtype)
    return { state: { step: state.step + 1, theta: next, memory: packed(found, kept) }, losses }
  }

  dispose(): Promise<void> {
    return Promise.resolve()
  }

  async #unpacked(
    { memory }: TrainingState,
    theta: Float64Array,
  ): Promise<ValueAndGradient & { pairs: CurvaturePair[] }> {
    if (memory.length === 0) return { ...(await this.#loss.valueAndGradient(theta)), pairs: [] }
    const [value, gradient, ...rest] = memory.map(numbersOf)
    const pairs = Array.from({ length: rest.length / 2 }, (_, i) => ({ s: rest[2 * i], y: rest[2 * i + 1] }))
    return { value: value[0], gradient, pairs }
  }

  async #search(theta: Float64Array, at: ValueAndGradient, direction: Float64Array, firstStep: number) {
    const round = this.#loss.dtype === 'float32' ? (x: Float64Array) => x.map(Math.fround) : (x: Float64Array) => x
    const phi = async (step: number) => {
      const moved = round(theta.map((v, i) => v + step * direction[i]))
      const finite = moved.every(Number.isFinite)
      const there = finite
        ? await this.#loss.valueAndGradient(moved)
        : { value: Number.POSITIVE_INFINITY, gradient: at.gradient }
      return { step, theta: moved, ...there, slope: dot(there.gradient, direction) }
    }
    return strongWolfe(phi, { step: 0, value: at.value, slope: dot(at.gradient, direction) }, firstStep)
  }
}

function packed({ value, gradient }: ValueAndGradient, pairs: readonly CurvaturePair[]): Tensor[] {
  return [Float64Array.of(value), gradient, ...pairs.flatMap(({ s, y }) => [s, y])].map(vectorTensor)
}
