import {
  DomainError,
  UnsupportedError,
  add,
  concat,
  exp,
  matmul,
  mul,
  pow,
  reshape,
  sizeOf,
  transpose,
} from '@thalweg/graph'
import type { Expr } from '@thalweg/graph'
import { activationNamed } from '../../model/activation.ts'
import { parameterCount } from '../../model/model.ts'
import type { Model, Parameter } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'

/** Entries start … end − 1 of the flat vector of all parameters. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Σ coefficient · zᵢ^power over a span: what is added to the loss. */
export interface Penalty extends Span {
  /** As a multiple of λ. */
  readonly coefficient: number
  readonly power: number
}

/** A model with the neurons that remove bad local minima. Its parameters are θ, then the neurons'. */
export interface AddedNeurons {
  readonly kind: 'exponential' | 'monomial' | 'per-layer'
  readonly model: Model
  /** Number of entries of θ. */
  readonly baseSize: number
  readonly a: Span
  readonly b: Span
  /** [k × d], one row per output. */
  readonly w: Span
  /** Of monomials; 1 for the others. */
  readonly degree: number
  /** Length of the flattened input d. */
  readonly features: number
  readonly outputs: number
  readonly penalties: readonly Penalty[]
}

/** Length d of a sample's inputs, all flattened and joined.
 * @throws {UnsupportedError} if an input is not of floats: the neuron reads the input as a vector of real numbers, and
 * moves its response continuously with it; class indices and tokens are names, not numbers. */
export function featureCount(model: Model): number {
  const other = model.inputs.find(({ dtype }) => dtype !== 'float')
  if (other)
    throw new UnsupportedError(
      `eliminate: the added neuron exp(wᵀx + b) needs real inputs, got ${other.dtype} for input ${other.name}. ` +
        'Make the embedded vectors an input of the model, or one-hot floats.',
    )
  return model.inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** X [n × d]: the inputs of each sample as one row. */
function featureRows(inputs: readonly Expr[]): Expr {
  return concat(
    inputs.map((x) => reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))])),
    1,
  )
}

const parameter = (name: string, shape: readonly number[], role: Parameter['role']): Parameter => ({
  name: `elimination.${name}`,
  shape,
  role,
  outputAxis: role === 'weight' ? 0 : null,
})

/** One neuron per output k, added to the model's output:
 *
 *     f̃(x)_k = f(x; θ)_k + a_k exp(w_kᵀ x + b_k) ,     penalty λ ‖a‖²
 *
 * Several inputs and images are flattened into x. A start has a = b = 0 and small random w; the output is then f.
 * @throws {UnsupportedError} as `featureCount`.
 * Source: Kawaguchi and Kaelbling 2020, §3. */
export function withExponentialNeurons(model: Model): AddedNeurons {
  return withOutputNeurons(model, 'exponential', exp, 1)
}

/** One neuron a_k (w_kᵀ x + b_k)^degree per output, penalty λ ‖a‖². Polynomials of degree ≥ n on n distinct inputs span
 * all functions of them, which is what the proof needs.
 * @throws {DomainError} if the degree is not a positive integer; {UnsupportedError} as `featureCount`.
 * Source: Liang, Sun, Lee, Srikant 2018, §5. */
export function withMonomialNeurons(model: Model, degree: number): AddedNeurons {
  if (!(Number.isInteger(degree) && degree >= 1))
    throw new DomainError(`eliminate: the degree must be a positive integer, got ${degree}.`)
  return withOutputNeurons(model, 'monomial', (u) => pow(u, degree), degree)
}

function withOutputNeurons(
  model: Model,
  kind: 'exponential' | 'monomial',
  response: (u: Expr) => Expr,
  degree: number,
): AddedNeurons {
  const d = featureCount(model)
  const k = sizeOf(model.outputShape)
  const p = parameterCount(model)
  const own = model.parameters.length
  const spans = { a: { start: p, end: p + k }, b: { start: p + k, end: p + 2 * k } }
  const wrapped: Model = {
    ...model,
    name: `${model.name} with ${kind} neurons`,
    parameters: [
      ...model.parameters,
      parameter('a', [k], 'other'),
      parameter('b', [k], 'bias'),
      parameter('w', [k, d], 'weight'),
    ],
    architecture: { kind: 'unknown' },
    forward(values, inputs) {
      const [a, b, w] = values.slice(own)
      const f = model.forward(values.slice(0, own), inputs)
      const g = mul(response(add(matmul(featureRows(inputs), transpose(w, [1, 0])), b)), a)
      return add(f, reshape(g, f.shape))
    },
    initialize: (seed) => joined(model.initialize(seed), new Float64Array(2 * k), smallWeights(seed, k * d, d)),
  }
  const w = { start: p + 2 * k, end: p + 2 * k + k * d }
  return {
    kind,
    model: wrapped,
    baseSize: p,
    ...spans,
    w,
    degree,
    features: d,
    outputs: k,
    penalties: [{ ...spans.a, coefficient: 1, power: 2 }],
  }
}

/** Small but not zero: at w = 0 with ∑G = 0, as at every stationary point of a net with output bias, nothing would move. */
function smallWeights(seed: number, count: number, features: number): Float64Array {
  return randomStream(seed, 'elimination weights')
    .normals(count)
    .map((v) => (0.1 * v) / Math.sqrt(features))
}

function joined(...parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** One exponential neuron per layer and output instead of a connection from the input past all layers:
 *
 *     e⁽ʰ⁾ = a⁽ʰ⁾ exp(w⁽ʰ⁾ᵀ x⁽ʰ⁻¹⁾ + v⁽ʰ⁾ᵀ e⁽ʰ⁻¹⁾ + b⁽ʰ⁾) ,  h = 1 … L ,     f̃ = f + e⁽ᴸ⁾ ,   penalty λ Σ (a⁽ʰ⁾)^{2L}
 *
 * with x⁽ʰ⁻¹⁾ the network's own layer. The signal that reaches the output from the input has L factors a, so the penalty
 * has twice that power. The source states idea and power; the wiring is our reading.
 * @throws {UnsupportedError} for anything but a fully connected network without skip connections.
 * Source: Liang, Sun, Lee, Srikant 2018, §5. */
export function withLayerNeurons(model: Model): AddedNeurons {
  const { architecture } = model
  if (architecture.kind !== 'mlp' || architecture.skip)
    throw new UnsupportedError(
      `eliminate: one neuron per layer needs a fully connected network without skips, got ${architecture.kind}. Use the exponential neurons.`,
    )
  const { widths, bias } = architecture
  const depth = widths.length - 1
  const k = widths[depth]
  const sigma = activationNamed(architecture.activation)
  const p = parameterCount(model)
  const sizes = Array.from({ length: depth }, (_, h) => widths[h] + (h > 0 ? k : 0))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const a = { start: p, end: p + depth * k }
  const b = { start: a.end, end: a.end + depth * k }
  const w = { start: b.end, end: b.end + total * k }
  const own = model.parameters.length
  const added = [
    ...Array.from({ length: depth }, (_, h) => parameter(`${h}.a`, [k], 'other')),
    ...Array.from({ length: depth }, (_, h) => parameter(`${h}.b`, [k], 'bias')),
    ...sizes.map((size, h) => parameter(`${h}.w`, [k, size], 'weight')),
  ]
  const wrapped: Model = {
    ...model,
    name: `${model.name} with a neuron per layer`,
    parameters: [...model.parameters, ...added],
    architecture: { kind: 'unknown' },
    forward(values, inputs) {
      const extra = values.slice(own)
      let x = inputs[0]
      let e: Expr | null = null
      for (let h = 0; h < depth; h++) {
        const seen: Expr = e ? concat([x, e], 1) : x
        e = mul(exp(add(matmul(seen, transpose(extra[2 * depth + h], [1, 0])), extra[depth + h])), extra[h])
        const step = bias ? 2 : 1
        const product = matmul(x, transpose(values[step * h], [1, 0]))
        if (h < depth - 1) x = sigma(bias ? add(product, values[step * h + 1]) : product)
      }
      return add(model.forward(values.slice(0, own), inputs), e!)
    },
    initialize: (seed) =>
      joined(model.initialize(seed), new Float64Array(2 * depth * k), smallWeights(seed, total * k, total)),
  }
  const penalties = [{ ...a, coefficient: 1, power: 2 * depth }]
  return { kind: 'per-layer', model: wrapped, baseSize: p, a, b, w, degree: 1, features: total, outputs: k, penalties }
}
