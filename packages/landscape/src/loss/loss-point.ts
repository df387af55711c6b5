import {
  ShapeError,
  UnsupportedError,
  bytesOf,
  graphOf,
  input,
  jvp,
  numbersOf,
  partition,
  simplify,
  sizeOf,
  tensor,
  castTensor,
  gatherFactors,
  vmap,
} from '@thalweg/graph'
import type { Expr, Graph, InputExpr, Tensor } from '@thalweg/graph'
import { workOf } from '@thalweg/engine'
import type { Executable } from '@thalweg/engine'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import { parameterViews } from '../model/model.ts'
import { feedsFor } from './loss.ts'
import type { Loss } from './loss.ts'
import type { Chunk } from './chunks.ts'
import {
  empiricalFisherVector,
  ggnVector,
  hessianVector,
  logProbabilityFisherVector,
  outputCotangent,
  outputTangent,
} from './loss-graph.ts'
import type { LossGraph } from './loss-graph.ts'

/** Symmetric matrices of a loss, p × p. `fisher` is the expected (true) Fisher matrix under the model's own
 * distribution; `empiricalFisher` the second moment of the per-sample gradients. They are three different things. */
export type CurvatureKind = 'hessian' | 'ggn' | 'fisher' | 'empirical-fisher'

export interface LossPointOptions {
  /** Memory for values that depend on θ only and are kept between products. Default: that of the loss; 0 keeps nothing. */
  readonly cacheBytes?: number
}

type ProductKind = CurvatureKind | 'jacobian' | 'jacobian-transposed' | 'third'

/** How a product is expressed: the direction lives in parameter space or in output space. */
const products: Readonly<
  Record<ProductKind, { from: 'parameters' | 'outputs'; build: (loss: Loss, g: LossGraph, v: Expr) => Expr }>
> = {
  hessian: { from: 'parameters', build: (loss, g, v) => hessianVector(loss.model, g, v) },
  ggn: { from: 'parameters', build: (loss, g, v) => ggnVector(loss.model, g, v) },
  fisher: { from: 'parameters', build: (loss, g, v) => logProbabilityFisherVector(loss.model, g, v) },
  'empirical-fisher': { from: 'parameters', build: (loss, g, v) => empiricalFisherVector(loss.model, g, v) },
  jacobian: { from: 'parameters', build: (loss, g, v) => outputTangent(loss.model, g, v) },
  'jacobian-transposed': { from: 'outputs', build: (_, g, u) => outputCotangent(g, u) },
  third: {
    from: 'parameters',
    build: (loss, g, v) => {
      const views = parameterViews(loss.model, v)
      return jvp(
        [hessianVector(loss.model, g, v)],
        g.parameters.map((p, i) => [p, views[i]] as const),
      )[0]
    },
  },
}

/** A product's graph cut into what depends on θ and data only, and what depends on the direction. */
interface Plan {
  readonly early: Executable | null
  readonly late: Executable
  readonly residualBytes: number
}

const batchMax = 256

/** The loss around one θ: products with its derivatives, exact over the full data.
 *
 * The forward and backward pass at θ is done once per chunk and kept while it fits the memory; each product then costs
 * only its tangent pass. Directions come singly or in batches (one graph run for many tangents). */
export class LossPoint {
  readonly loss: Loss
  readonly theta: Float64Array
  readonly #bound: Tensor
  readonly #cacheBytes: number
  readonly #residuals = new Map<string, Record<string, Tensor>>()
  #cachedBytes = 0

  constructor(loss: Loss, theta: Float64Array, options: LossPointOptions = {}) {
    this.loss = loss
    this.theta = theta.slice()
    this.#bound = loss.parameterTensor(this.theta)
    this.#cacheBytes = options.cacheBytes ?? loss.cacheBytes
  }

  /** ∇²L(θ) v, [p]. */
  async hvp(v: Float64Array): Promise<Float64Array> {
    return this.product('hessian', v, 1)
  }

  /** Products of one of the curvature matrices with the rows of `vectors` [count × p].
   * @throws {UnsupportedError} for the Fisher matrix of a loss that is no negative log-likelihood. */
  async product(kind: CurvatureKind, vectors: Float64Array, count: number): Promise<Float64Array> {
    const { loss } = this
    this.#checkLength(vectors, count * loss.size)
    const asked = kind === 'fisher' ? fisherKind(loss) : kind
    const out = new Float64Array(count * loss.size)
    await this.#overChunks(asked, vectors, count, loss.size, (result) => {
      for (let i = 0; i < out.length; i++) out[i] += result[i]
    })
    const scale = productScale(loss, asked)
    const decay = kind === 'hessian' || kind === 'ggn' ? loss.weightDecay : 0
    for (let i = 0; i < out.length; i++) out[i] = out[i] * scale + decay * vectors[i]
    return out
  }

  /** The curvature matrix as an operator with batched products. */
  operator(kind: CurvatureKind = 'hessian'): LinearOperator {
    return {
      size: this.loss.size,
      apply: (v) => this.product(kind, v, 1),
      applyBatch: (vectors, count) => this.product(kind, vectors, count),
    }
  }

  /** D³L(θ)[v, v, ·], [p]: how the Hessian-vector product changes along v. */
  async thirdDerivative(v: Float64Array): Promise<Float64Array> {
    const out = new Float64Array(this.loss.size)
    this.#checkLength(v, out.length)
    await this.#overChunks('third', v, 1, out.length, (result) => {
      for (let i = 0; i < out.length; i++) out[i] += result[i] / this.loss.normalizer
    })
    return out
  }

  /** J v for the rows of `vectors` [count × p]: how the outputs of all samples move, [count × n·k]. */
  async jacobian(vectors: Float64Array, count = 1): Promise<Float64Array> {
    const k = sizeOf(this.loss.model.outputShape)
    const total = this.loss.samples * k
    const out = new Float64Array(count * total)
    this.#checkLength(vectors, count * this.loss.size)
    await this.#overChunks('jacobian', vectors, count, this.loss.size, (result, chunk) => {
      const length = chunk.size * k
      for (let b = 0; b < count; b++)
        out.set(result.subarray(b * length, (b + 1) * length), b * total + chunk.start * k)
    })
    return out
  }

  /** Jᵀ u for the rows of `vectors` [count × n·k], [count × p]. */
  async jacobianTransposed(vectors: Float64Array, count = 1): Promise<Float64Array> {
    const k = sizeOf(this.loss.model.outputShape)
    const out = new Float64Array(count * this.loss.size)
    this.#checkLength(vectors, count * this.loss.samples * k)
    await this.#overChunks('jacobian-transposed', vectors, count, this.loss.samples * k, (result) => {
      for (let i = 0; i < out.length; i++) out[i] += result[i]
    })
    return out
  }

  #checkLength(vectors: Float64Array, length: number): void {
    if (vectors.length !== length)
      throw new ShapeError(`LossPoint: directions must have ${length} entries in all, got ${vectors.length}.`)
  }

  /** Runs a product on every chunk, tangents in batches, and hands over [count × result] per chunk. */
  async #overChunks(
    kind: ProductKind,
    vectors: Float64Array,
    count: number,
    length: number,
    take: (result: Float64Array, chunk: Chunk) => void,
  ): Promise<void> {
    const perOutput = products[kind].from === 'outputs'
    for (const chunk of this.loss.chunks) {
      const width = perOutput ? (length / this.loss.samples) * chunk.size : length
      const offset = perOutput ? (length / this.loss.samples) * chunk.start : 0
      const tangentBytes = await this.#tangentBytes(kind, chunk)
      const largest = Math.max(1, Math.min(batchMax, Math.floor(this.loss.memoryBytes / tangentBytes)))
      const parts: Float64Array[] = []
      for (let first = 0; first < count; ) {
        const batch = Math.min(count - first, largest)
        const rows = new Float64Array(batch * width)
        for (let b = 0; b < batch; b++) {
          const at = (first + b) * length + offset
          rows.set(vectors.subarray(at, at + width), b * width)
        }
        parts.push(await this.#run(kind, chunk, rows, batch, width))
        first += batch
      }
      take(parts.length === 1 ? parts[0] : joined(parts), chunk)
    }
  }

  async #tangentBytes(kind: ProductKind, chunk: Chunk): Promise<number> {
    const { late } = await this.#plan(kind, chunk.size, 1)
    return Math.max(1, workOf(Object.values(late.graph.outputs)).bytes)
  }

  async #run(kind: ProductKind, chunk: Chunk, rows: Float64Array, count: number, width: number): Promise<Float64Array> {
    const size = count === 1 ? 1 : nextPowerOfTwo(count)
    const plan = await this.#plan(kind, chunk.size, size)
    const shape = this.#directionShape(kind, chunk.size)
    const padded = size === count ? rows : padRows(rows, size * width)
    const direction = castTensor(tensor('float64', size === 1 ? shape : [size, ...shape], padded), this.loss.dtype)
    const values = { ...chunk.values, theta: this.#bound, ...(await this.#early(kind, plan, chunk, size)), direction }
    const { product } = await plan.late.run(feedsFor(plan.late.graph, values))
    const result = numbersOf(product)
    return size === count ? result : result.subarray(0, (result.length / size) * count)
  }

  #directionShape(kind: ProductKind, chunkSize: number): number[] {
    return products[kind].from === 'parameters' ? [this.loss.size] : [chunkSize, ...this.loss.model.outputShape]
  }

  /** Values at θ that the late part reads: computed once per chunk and kept where memory allows. */
  async #early(kind: ProductKind, plan: Plan, chunk: Chunk, size: number): Promise<Record<string, Tensor>> {
    if (!plan.early) return {}
    const key = `${kind}/${size}/${chunk.start}`
    const kept = this.#residuals.get(key)
    if (kept) return kept
    const values = { ...chunk.values, theta: this.#bound }
    const residuals = await plan.early.run(feedsFor(plan.early.graph, values))
    if (this.#cachedBytes + plan.residualBytes <= this.#cacheBytes) {
      this.#cachedBytes += plan.residualBytes
      this.#residuals.set(key, residuals)
    }
    return residuals
  }

  /** The compiled halves of a product. When the residuals of all chunks cannot be kept, one graph does it all:
   * storing what is read once would only cost memory. */
  async #plan(kind: ProductKind, chunkSize: number, size: number): Promise<Plan> {
    const { loss } = this
    const key = `${kind}/${chunkSize}/${size}`
    const cut = memo(loss, key, () => partition(...this.#productGraph(kind, chunkSize, size)))
    const residualBytes = cut.late.inputs.reduce(
      (sum, i) => sum + (i.attributes.name.startsWith('residual') ? sizeOf(i.shape) * bytesOf(i.dtype) : 0),
      0,
    )
    if (residualBytes * loss.chunks.length > this.#cacheBytes) {
      const whole = await loss.compiled(`${key}/whole`, () => this.#productGraph(kind, chunkSize, size)[0])
      return { early: null, late: whole, residualBytes: 0 }
    }
    const hasEarly = Object.keys(cut.early.outputs).length > 0
    return {
      early: hasEarly ? await loss.compiled(`${key}/early`, () => cut.early) : null,
      late: await loss.compiled(`${key}/late`, () => cut.late),
      residualBytes,
    }
  }

  #productGraph(kind: ProductKind, chunkSize: number, size: number): [Graph, InputExpr[]] {
    const { loss } = this
    const g = loss.graph(chunkSize)
    const shape = this.#directionShape(kind, chunkSize)
    const single = input('direction', loss.dtype, shape)
    const product = products[kind].build(loss, g, single)
    if (size === 1) return [gatherFactors(simplify(graphOf({ product })), [single]), [single]]
    const stack = input('direction', loss.dtype, [size, ...shape])
    const [batched] = vmap([product], [[single, stack]])
    return [gatherFactors(simplify(graphOf({ product: batched })), [stack]), [stack]]
  }
}

/** What products of sums over samples are multiplied by: a mean divides them. Per-sample gradients carry the division by
 * outputs themselves. */
export function productScale({ normalizer, dataset, samples }: Loss, kind: CurvatureKind): number {
  if (kind !== 'empirical-fisher') return 1 / normalizer
  if (normalizer === 1) return 1
  const weightSum = dataset.sampleWeights?.reduce((s, w) => s + w, 0) ?? samples
  return weightSum / normalizer ** 2
}

const memos = new WeakMap<Loss, Map<string, unknown>>()

/** Keeps graphs that are expensive to build beside the loss they belong to. */
function memo<T>(loss: Loss, key: string, build: () => T): T {
  const kept = memos.get(loss) ?? new Map<string, unknown>()
  memos.set(loss, kept)
  if (!kept.has(key)) kept.set(key, build())
  return kept.get(key) as T
}

/** The product that is the Fisher matrix of this loss. */
function fisherKind(loss: Loss): 'ggn' | 'fisher' {
  const { name } = loss.spec
  if (name === 'hinge' || name === 'l1' || name === 'huber')
    throw new UnsupportedError(
      `fisher: ${name} is not the negative log-likelihood of a distribution. Use the Hessian or the GGN.`,
    )
  return name === 'negative-log-likelihood' ? 'fisher' : 'ggn'
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((s, p) => s + p.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function padRows(rows: Float64Array, length: number): Float64Array {
  const out = new Float64Array(length)
  out.set(rows)
  return out
}

function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n))
}
