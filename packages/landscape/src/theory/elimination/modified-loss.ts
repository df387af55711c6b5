import { DomainError, ShapeError, castTensor, numbersOf, sizeOf } from '@thalweg/graph'
import type { Objective, ObjectivePoint } from '../../critical/finders/objective.ts'
import type { LinearOperator } from '../../linalg/linear-operator.ts'
import { norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import { Loss } from '../../loss/loss.ts'
import type { ValueAndGradient } from '../../loss/loss.ts'
import { featureCount, withExponentialNeurons } from './added-neurons.ts'
import type { AddedNeurons, Penalty, Span } from './added-neurons.ts'

/** Inputs larger than this on average count as badly scaled. */
export const largeInputs = 100

export interface ModifiedLossOptions {
  /** Of the neurons' penalty, > 0. Default 0.1. */
  readonly lambda?: number
  /** Default `withExponentialNeurons`. */
  readonly neurons?: AddedNeurons
}

/** The added neurons at a point, free of overflow: a_k = α_k exp(−M_k), M_k = max_i (w_kᵀx_i + b_k). */
export interface NeuronState {
  readonly alpha: Float64Array
  readonly maxExponent: Float64Array
  readonly w: Float64Array
  readonly b: Float64Array
}

/** The loss with the neurons that remove bad local minima, as a function of z = (θ, a, b, W):
 *
 *     L̃(z) = (1/N) Σᵢ ℓ( f(xᵢ; θ) + g(xᵢ; a, b, W), yᵢ ) + λ ‖a‖² (+ ½ V ‖θ‖²)
 *
 * in the reduction of the loss it is made of. Every evaluation runs the wrapped model at (θ, a e^M, b − M, W), where all
 * exponents are ≤ 0: g is the same there, so nothing overflows before a e^M itself does. Derivatives are those in
 * (a, b, W), by automatic differentiation of the wrapped graph and the chain rule of that (affine) shift.
 * Source: Kawaguchi and Kaelbling 2020, §3; the shift is the symmetry (a, b) → (a e^{−s}, b + s) of g. */
export class ModifiedLoss implements Objective {
  readonly name: string
  readonly base: Loss
  readonly neurons: AddedNeurons
  readonly lambda: number
  readonly size: number
  /** The loss of the wrapped model, without penalties. */
  readonly wrapped: Loss
  /** X [n × d]: inputs flattened. */
  readonly features: Float64Array
  readonly #penalties: readonly Penalty[]

  constructor(loss: Loss, options: ModifiedLossOptions = {}) {
    const { lambda = 0.1, neurons = withExponentialNeurons(loss.model) } = options
    if (!(lambda > 0 && Number.isFinite(lambda)))
      throw new DomainError(`eliminate: lambda must be a positive number, got ${lambda}.`)
    if (loss.dtype !== 'float64')
      throw new DomainError(
        `eliminate: certificates need float64, got a loss in ${loss.dtype}. Make it with dtype float64.`,
      )
    this.base = loss
    this.neurons = neurons
    this.lambda = lambda
    const { engine, dataset, spec, memoryBytes } = loss
    this.wrapped = new Loss({ engine, model: neurons.model, dataset, spec, memoryBytes })
    this.size = this.wrapped.size
    this.name = `${spec.name} of ${neurons.model.name} on ${dataset.name}`
    this.features = featuresOf(loss)
    this.#penalties = [
      ...neurons.penalties.map((p) => ({ ...p, coefficient: p.coefficient * lambda })),
      ...(loss.weightDecay > 0 ? [{ start: 0, end: loss.size, coefficient: loss.weightDecay / 2, power: 2 }] : []),
    ]
  }

  /** θ of z, a view. */
  theta(z: Float64Array): Float64Array {
    return z.subarray(0, this.base.size)
  }

  part(z: Float64Array, name: 'a' | 'b' | 'w'): Float64Array {
    const { start, end } = this.neurons[name]
    return z.subarray(start, end)
  }

  /** θ with neurons as a new start gives them, or with those named. */
  start(
    theta: Float64Array,
    neurons: { a?: Float64Array; b?: Float64Array; w?: Float64Array; seed?: number } = {},
  ): Float64Array {
    if (theta.length !== this.base.size)
      throw new ShapeError(`eliminate: θ must have ${this.base.size} entries, got ${theta.length}.`)
    const z = this.neurons.model.initialize(neurons.seed ?? 0)
    z.set(theta)
    // Small exponents on inputs of any size; on ordinary ones the start does not depend on the data.
    const size = norm(this.features) / Math.sqrt(this.features.length)
    if (size > largeInputs) for (let i = this.neurons.w.start; i < this.neurons.w.end; i++) z[i] /= size
    const fill = (span: Span, values: Float64Array | undefined): void => {
      if (values) z.set(values, span.start)
    }
    fill(this.neurons.a, neurons.a)
    fill(this.neurons.b, neurons.b)
    fill(this.neurons.w, neurons.w)
    return z
  }

  /** M_k = max_i (w_kᵀ x_i + b_k); 0 for neurons that are not exponential. */
  maxExponents(z: Float64Array): Float64Array {
    const { outputs, features: d, kind } = this.neurons
    const m = new Float64Array(outputs)
    if (kind !== 'exponential') return m
    const w = this.part(z, 'w')
    const b = this.part(z, 'b')
    for (let k = 0; k < outputs; k++) m[k] = b[k] + maxProduct(this.features, d, w.subarray(k * d, (k + 1) * d)).value
    return m
  }

  neuronState(z: Float64Array): NeuronState {
    const maxExponent = this.maxExponents(z)
    const alpha = this.part(z, 'a').map((a, k) => scaledBy(a, maxExponent[k]))
    return { alpha, maxExponent, w: this.part(z, 'w').slice(), b: this.part(z, 'b').slice() }
  }

  /** The same function of x with all exponents ≤ 0, and the factors ∂(shifted)/∂z. */
  #shifted(z: Float64Array): { at: Float64Array; factors: Float64Array | null } {
    if (this.neurons.kind !== 'exponential') return { at: z, factors: null }
    const m = this.maxExponents(z)
    const at = z.slice()
    const factors = m.map(Math.exp)
    for (let k = 0; k < m.length; k++) {
      at[this.neurons.a.start + k] = scaledBy(at[this.neurons.a.start + k], m[k])
      at[this.neurons.b.start + k] -= m[k]
    }
    return { at, factors }
  }

  #scaleA(rows: Float64Array, count: number, factors: Float64Array | null): Float64Array {
    if (!factors) return rows
    for (let r = 0; r < count; r++)
      for (let k = 0; k < factors.length; k++) rows[r * this.size + this.neurons.a.start + k] *= factors[k]
    return rows
  }

  penalty(z: Float64Array): number {
    let sum = 0
    for (const { start, end, coefficient, power } of this.#penalties)
      for (let i = start; i < end; i++) sum += coefficient * z[i] ** power
    return sum
  }

  async value(z: Float64Array): Promise<number> {
    return (await this.wrapped.value(this.#shifted(z).at)) + this.penalty(z)
  }

  async values(rows: Float64Array, count: number): Promise<Float64Array> {
    const out = new Float64Array(count)
    for (let i = 0; i < count; i++) out[i] = await this.value(rows.slice(i * this.size, (i + 1) * this.size))
    return out
  }

  /** L̃ without the neurons' penalty: where L̃ is heading with g as it is. */
  async fit(z: Float64Array): Promise<number> {
    return this.wrapped.value(this.#shifted(z).at)
  }

  async valueAndGradient(z: Float64Array): Promise<ValueAndGradient> {
    const { at, factors } = this.#shifted(z)
    const { value, gradient } = await this.wrapped.valueAndGradient(at)
    this.#scaleA(gradient, 1, factors)
    for (const { start, end, coefficient, power } of this.#penalties)
      for (let i = start; i < end; i++) gradient[i] += coefficient * power * z[i] ** (power - 1)
    return { value: value + this.penalty(z), gradient }
  }

  at(given: Float64Array): ObjectivePoint {
    const z = given.slice()
    const { at, factors } = this.#shifted(z)
    const point = new LossPoint(this.wrapped, at)
    const apply = async (vectors: Float64Array, count: number): Promise<Float64Array> => {
      const inner = this.#scaleA(vectors.slice(), count, factors)
      const product = this.#scaleA(await point.product('hessian', inner, count), count, factors)
      for (let r = 0; r < count; r++) this.#addPenaltyCurvature(z, vectors, product, r * this.size)
      return product
    }
    const hessian: LinearOperator = { size: this.size, apply: (v) => apply(v, 1), applyBatch: apply }
    return { theta: z, hessian, thirdDerivative: async (v) => this.#third(point, factors, z, v) }
  }

  #addPenaltyCurvature(z: Float64Array, v: Float64Array, product: Float64Array, offset: number): void {
    for (const { start, end, coefficient, power } of this.#penalties)
      for (let i = start; i < end; i++)
        product[offset + i] += coefficient * power * (power - 1) * z[i] ** (power - 2) * v[offset + i]
  }

  async #third(
    point: LossPoint,
    factors: Float64Array | null,
    z: Float64Array,
    v: Float64Array,
  ): Promise<Float64Array> {
    const inner = this.#scaleA(v.slice(), 1, factors)
    const out = this.#scaleA(await point.thirdDerivative(inner), 1, factors)
    for (const { start, end, coefficient, power } of this.#penalties.filter(({ power: q }) => q > 2))
      for (let i = start; i < end; i++)
        out[i] += coefficient * power * (power - 1) * (power - 2) * z[i] ** (power - 3) * v[i] * v[i]
    return out
  }

  /** g(x_i) = f̃ − f on the data, [n × k], for exponential neurons. */
  neuronOutputs(z: Float64Array): Float64Array {
    const { outputs, features: d } = this.neurons
    const { alpha, maxExponent, b } = this.neuronState(z)
    const w = this.part(z, 'w')
    const out = new Float64Array(this.base.samples * outputs)
    for (let i = 0; i < this.base.samples; i++)
      for (let k = 0; k < outputs; k++) {
        let u = b[k] - maxExponent[k]
        for (let j = 0; j < d; j++) u += w[k * d + j] * this.features[i * d + j]
        out[i * outputs + k] = alpha[k] * Math.exp(u)
      }
    return out
  }

  /** √(mean_i ‖g(x_i)‖²); through the models for neurons that are not exponential. */
  async neuronRms(z: Float64Array): Promise<number> {
    if (this.neurons.kind === 'exponential') return norm(this.neuronOutputs(z)) / Math.sqrt(this.base.samples)
    const [with_, without] = [await this.wrapped.outputs(z), await this.base.outputs(this.theta(z))]
    return norm(with_.map((v, i) => v - without[i])) / Math.sqrt(this.base.samples)
  }

  async dispose(): Promise<void> {
    await this.wrapped.dispose()
  }
}

/** a e^m, although e^m alone may overflow. */
export function scaledBy(a: number, m: number): number {
  return a === 0 ? 0 : Math.sign(a) * Math.exp(Math.log(Math.abs(a)) + m)
}

/** The largest w·x over the rows of X, and where. */
export function maxProduct(x: Float64Array, d: number, w: Float64Array): { value: number; row: number } {
  let value = Number.NEGATIVE_INFINITY
  let row = 0
  for (let i = 0; i * d < x.length; i++) {
    let u = 0
    for (let j = 0; j < d; j++) u += w[j] * x[i * d + j]
    if (u > value) [value, row] = [u, i]
  }
  return { value, row }
}

function featuresOf(loss: Loss): Float64Array {
  const d = featureCount(loss.model)
  const x = new Float64Array(loss.samples * d)
  for (const { start, size, values } of loss.chunks) {
    let offset = 0
    for (const input of loss.model.inputs) {
      const width = sizeOf(input.shape)
      const data = numbersOf(castTensor(values[`input_${input.name}`], 'float64'))
      for (let i = 0; i < size; i++) x.set(data.subarray(i * width, (i + 1) * width), (start + i) * d + offset)
      offset += width
    }
  }
  return x
}
