import { DomainError, ShapeError, castTensor, graphOf, numbersOf, sizeOf, tensor } from '@thalweg/graph'
import type { Expr, FloatDType, Graph, Tensor } from '@thalweg/graph'
import type { Engine, Executable } from '@thalweg/engine'
import { workOf } from '@thalweg/engine'
import type { Dataset } from '../data/dataset.ts'
import { sampleCount } from '../data/dataset.ts'
import { parameterCount } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import { makeChunks } from './chunks.ts'
import type { Chunk } from './chunks.ts'
import { checkLossSpec, checkTargets, normalizerOf } from './loss-function.ts'
import type { LossSpec } from './loss-function.ts'
import { correctCount, flat, gradientOf, lossGraph } from './loss-graph.ts'
import type { LossGraph } from './loss-graph.ts'

export interface LossOptions {
  readonly engine: Engine
  readonly model: Model
  readonly dataset: Dataset
  readonly spec: LossSpec
  /** ½·V·‖θ‖² over all parameters, as the weight decay V of PyTorch's SGD. Default 0. */
  readonly weightDecay?: number
  /** Default float64. */
  readonly dtype?: FloatDType
  /** Samples evaluated together; default: as many as fit `memoryBytes`. */
  readonly chunkSize?: number
  /** Memory for the intermediate values of one chunk. Default 256 MiB. */
  readonly memoryBytes?: number
  /** Memory for values at one θ that are kept between products there. Default 1 GiB. Products are the same with any. */
  readonly cacheBytes?: number
}

/** Value and gradient at one θ. */
export interface ValueAndGradient {
  readonly value: number
  readonly gradient: Float64Array
}

const defaultMemoryBytes = 256 * 2 ** 20
const defaultCacheBytes = 2 ** 30

/** A loss over a whole data set:
 *
 *     L(θ) = (1/N) Σᵢ wᵢ ℓ(f(xᵢ; θ), yᵢ) + ½ V ‖θ‖²
 *
 * exact over all samples, in chunks whose sums add up (so the last, shorter chunk weighs what it should). N is what the
 * reduction says (`normalizerOf`). θ and all results are float64; the arithmetic is in `dtype`.
 * Compiled graphs are kept per chunk size and disposed with the loss. */
export class Loss {
  readonly model: Model
  readonly dataset: Dataset
  readonly spec: LossSpec
  readonly engine: Engine
  readonly dtype: FloatDType
  readonly weightDecay: number
  /** Number of parameters p. */
  readonly size: number
  /** Number of samples n. */
  readonly samples: number
  /** What sums over samples are divided by. */
  readonly normalizer: number
  readonly chunks: readonly Chunk[]
  readonly memoryBytes: number
  readonly cacheBytes: number
  readonly #executables = new Map<string, Promise<Executable>>()

  constructor(options: LossOptions) {
    const { model, dataset, engine } = options
    this.spec = checkLossSpec(options.spec)
    this.model = model
    this.dataset = dataset
    this.engine = engine
    this.dtype = options.dtype ?? 'float64'
    this.weightDecay = options.weightDecay ?? 0
    if (!(this.weightDecay >= 0) || !Number.isFinite(this.weightDecay))
      throw new DomainError(`loss: weight decay must be a finite number ≥ 0, got ${options.weightDecay}.`)
    if (!engine.supports(this.dtype))
      throw new DomainError(`loss: ${engine.name} does not compute in ${this.dtype}. Use the CPU engine.`)
    checkTargets(this.spec, model.outputShape, dataset.targets)
    checkClasses(this.spec, model, dataset)
    this.size = parameterCount(model)
    this.samples = sampleCount(dataset)
    const weightSum = dataset.sampleWeights?.reduce((s, w) => s + w, 0) ?? this.samples
    this.normalizer = normalizerOf(this.spec, weightSum, sizeOf(model.outputShape))
    this.memoryBytes = options.memoryBytes ?? defaultMemoryBytes
    this.cacheBytes = options.cacheBytes ?? defaultCacheBytes
    const chunkSize = model.couplesSamples ? this.samples : (options.chunkSize ?? this.#chunkSize())
    this.chunks = makeChunks(model, dataset, this.dtype, chunkSize)
  }

  /** The batch loss as expressions, for any number of samples. */
  graph(batch: number): LossGraph {
    return lossGraph({
      model: this.model,
      spec: this.spec,
      batch,
      dtype: this.dtype,
      targets: this.dataset.targets,
      weighted: this.dataset.sampleWeights !== undefined,
    })
  }

  /** Samples per chunk such that value and gradient stay within the memory. */
  #chunkSize(): number {
    const bytes = (batch: number): number => workOf([flat(gradientOf(this.graph(batch)))]).bytes
    const [one, three] = [bytes(1), bytes(3)]
    const perSample = Math.max(1, (three - one) / 2)
    return Math.max(1, Math.min(this.samples, Math.floor(this.memoryBytes / perSample)))
  }

  /** The compiled form of a graph, built and compiled on first use and kept under `key`. */
  compiled(key: string, build: () => Graph): Promise<Executable> {
    const known = this.#executables.get(key)
    if (known) return known
    const compiled = this.engine.compile(build())
    this.#executables.set(key, compiled)
    compiled.catch(() => this.#executables.delete(key))
    return compiled
  }

  /** θ as the engine wants it.
   * @throws {ShapeError} if it has not p entries; {DomainError} if one is not finite. */
  parameterTensor(theta: Float64Array): Tensor {
    if (theta.length !== this.size) throw new ShapeError(`loss: θ must have ${this.size} entries, got ${theta.length}.`)
    const bad = theta.findIndex((v) => !Number.isFinite(v))
    if (bad >= 0) throw new DomainError(`loss: θ must be finite, got ${theta[bad]} at entry ${bad}.`)
    return castTensor(tensor('float64', [this.size], theta), this.dtype)
  }

  /** Runs one graph on every chunk and hands each result over in order. */
  async #overChunks(
    key: string,
    theta: Float64Array,
    build: (g: LossGraph) => Record<string, Expr>,
    take: (result: Record<string, Tensor>, chunk: Chunk) => void,
  ): Promise<void> {
    const bound = this.parameterTensor(theta)
    for (const chunk of this.chunks) {
      const run = await this.compiled(`${key}/${chunk.size}`, () => graphOf(build(this.graph(chunk.size))))
      take(await run.run(feedsFor(run.graph, { ...chunk.values, theta: bound })), chunk)
    }
  }

  /** ½ V ‖θ‖² */
  penalty(theta: Float64Array): number {
    if (this.weightDecay === 0) return 0
    return 0.5 * this.weightDecay * theta.reduce((s, v) => s + v * v, 0)
  }

  /** L(θ). */
  async value(theta: Float64Array): Promise<number> {
    let sum = 0
    await this.#overChunks(
      'value',
      theta,
      (g) => ({ sum: g.sum }),
      ({ sum: s }) => {
        sum += Number(s.data[0])
      },
    )
    return sum / this.normalizer + this.penalty(theta)
  }

  /** L(θ) and ∇L(θ). */
  async valueAndGradient(theta: Float64Array): Promise<ValueAndGradient> {
    let sum = 0
    const gradient = new Float64Array(this.size)
    await this.#overChunks(
      'gradient',
      theta,
      (g) => ({ sum: g.sum, gradient: flat(gradientOf(g)) }),
      (result) => {
        sum += Number(result.sum.data[0])
        const part = numbersOf(result.gradient)
        for (let i = 0; i < gradient.length; i++) gradient[i] += part[i]
      },
    )
    for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i] / this.normalizer + this.weightDecay * theta[i]
    return { value: sum / this.normalizer + this.penalty(theta), gradient }
  }

  /** Model outputs on every sample, [n × outputs]. */
  async outputs(theta: Float64Array): Promise<Float64Array> {
    const k = sizeOf(this.model.outputShape)
    const out = new Float64Array(this.samples * k)
    await this.#overChunks(
      'outputs',
      theta,
      (g) => ({ outputs: g.outputs }),
      (result, chunk) => {
        out.set(numbersOf(result.outputs), chunk.start * k)
      },
    )
    return out
  }

  /** Share of samples classified right; NaN where the targets are not classes. */
  async accuracy(theta: Float64Array): Promise<number> {
    if (this.dataset.targets.dtype !== 'int64') return Number.NaN
    let correct = 0
    await this.#overChunks(
      'correct',
      theta,
      (g) => ({ correct: correctCount(g)! }),
      (result) => {
        correct += Number(result.correct.data[0])
      },
    )
    return correct / this.samples
  }

  /** Releases the compiled graphs. */
  async dispose(): Promise<void> {
    const all = [...this.#executables.values()]
    this.#executables.clear()
    for (const executable of all) await (await executable).dispose()
  }
}

/** Only the values that a graph reads: simplification may have removed an input. */
export function feedsFor(graph: Graph, values: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(graph.inputs.map(({ attributes: { name } }) => [name, values[name]]))
}

/** Labels must fit the outputs: a label beyond the last score would silently count as no class at all. */
function checkClasses(spec: LossSpec, model: Model, dataset: Dataset): void {
  const k = sizeOf(model.outputShape)
  // One output tells two classes apart by its sign, but has a softmax of 1 whatever it is.
  if (k === 1 && spec.name === 'cross-entropy')
    throw new DomainError(
      'loss: cross-entropy of a single output is 0 whatever the model is. Use binary-cross-entropy, which reads it as a logit.',
    )
  if (dataset.targets.dtype !== 'int64') return
  const classes = k === 1 && spec.name !== 'negative-log-likelihood' ? 2 : k
  const bad = (dataset.targets.data as BigInt64Array).findIndex((label) => label < 0n || label >= BigInt(classes))
  if (bad >= 0)
    throw new DomainError(
      `loss: ${spec.name} with ${k} outputs needs labels in 0…${classes - 1}, got ${dataset.targets.data[bad]} at sample ${bad}.`,
    )
}
