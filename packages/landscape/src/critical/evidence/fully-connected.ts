import { constant, dependents, evaluate, input, numbersOf, sizeOf, tensor, topologicalOrder } from '@thalweg/graph'
import type { Expr, OperatorName, Tensor } from '@thalweg/graph'
import { activationNames } from '../../model/activation.ts'
import type { ActivationName } from '../../model/activation.ts'
import { mlp } from '../../model/mlp.ts'
import { parameterCount, parameterRanges } from '../../model/model.ts'
import type { Model, ParameterRange } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'

/** Where one layer x Wᵀ + b lies in the flat θ. */
export interface DenseLayer {
  /** First entry of W and of b in θ; null without bias. */
  readonly weight: number
  readonly bias: number | null
  readonly inputs: number
  readonly outputs: number
  /** W lies as [inputs × outputs], as some exporters write it. */
  readonly transposed: boolean
}

/** A fully connected network: what its parameters are, whoever wrote it down. */
export interface FullyConnected {
  readonly activation: string
  readonly skip: boolean
  /** Whether the outputs are those of the last layer as they are. */
  readonly linearOutput: boolean
  readonly layers: readonly DenseLayer[]
}

/** Position in θ of the weight from input `from` to output `to`. */
export function weightEntry(layer: DenseLayer, to: number, from: number): number {
  return layer.weight + (layer.transposed ? from * layer.outputs + to : to * layer.inputs + from)
}

/** Beyond this many parameters a file is not compared with a network of ours: the reference interpreter is slow. */
const recognizeMax = 200_000
const known = new WeakMap<Model, FullyConnected | null>()

/** The fully connected network that a model is; null where it is none that is known.
 *
 * Models of ours say so. A model from a file is compared with each network that its parameters could make up, at random
 * parameters and inputs: equal outputs to rounding at two independent points. Its last layer must be linear. Two analytic
 * functions that agree around such points agree everywhere; so the graph may branch (clip, round, compare, …) in no
 * place but those where the activation does.
 * Cost: some forward passes of the reference interpreter on two samples, once per model. */
export function fullyConnected(model: Model): FullyConnected | null {
  const kept = known.get(model)
  if (kept !== undefined) return kept
  const found = model.architecture.kind === 'mlp' ? described(model) : recognized(model)
  known.set(model, found)
  return found
}

function described(model: Model): FullyConnected | null {
  const { architecture } = model
  if (architecture.kind !== 'mlp') return null
  const { widths, activation, skip, outputActivation } = architecture
  const ranges = parameterRanges(model)
  const start = (name: string): number | null => ranges.find(({ parameter }) => parameter.name === name)?.start ?? null
  const layers: DenseLayer[] = []
  for (let h = 0; h + 1 < widths.length; h++) {
    const weight = start(`layers.${h}.weight`)
    if (weight === null) return null
    const bias = start(`layers.${h}.bias`)
    layers.push({ weight, bias, inputs: widths[h], outputs: widths[h + 1], transposed: false })
  }
  return { activation, skip, linearOutput: outputActivation === undefined, layers }
}

function recognized(model: Model): FullyConnected | null {
  if (model.architecture.kind !== 'unknown' || model.inputs.length !== 1 || model.inputs[0].dtype !== 'float')
    return null
  if (model.outputShape.length !== 1 || parameterCount(model) > recognizeMax) return null
  const order = rangesInOrder(model)
  const chains = order && layerChains(order, sizeOf(model.inputs[0].shape), model.outputShape[0])
  for (const layers of chains ?? []) {
    const activation = matchingActivation(model, layers)
    if (activation !== null) return { activation, skip: false, linearOutput: true, layers }
  }
  return null
}

/** Parameters in the order in which the network reads them; null where one is of higher rank or not read. */
function rangesInOrder(model: Model): ParameterRange[] | null {
  const ranges = parameterRanges(model)
  if (ranges.some(({ parameter }) => parameter.shape.length > 2)) return null
  const parameters = ranges.map(({ parameter }, i) => input(`p${i}`, 'float64', parameter.shape))
  const data = input('x', 'float64', [2, ...model.inputs[0].shape])
  const order = topologicalOrder([model.forward(parameters, [data])])
  const onData = dependents(order, [data])
  const places = parameters.map((p) => {
    const users = dependents(order, [p])
    return order.findIndex((node) => users.has(node) && onData.has(node))
  })
  if (places.some((place) => place < 0)) return null
  return ranges
    .map((range, i) => ({ range, place: places[i] }))
    .sort((a, b) => a.place - b.place)
    .map((r) => r.range)
}

/** All ways to read rank-2 parameters as a chain of layers with the rank-1 ones as their biases. */
function layerChains(order: readonly ParameterRange[], inputs: number, outputs: number): DenseLayer[][] {
  const weights = order.filter(({ parameter }) => parameter.shape.length === 2)
  const biases = order.filter(({ parameter }) => parameter.shape.length === 1)
  if (weights.length === 0 || weights.length > 12) return []
  const chains: DenseLayer[][] = []
  const extend = (chain: readonly DenseLayer[], width: number, rest: readonly ParameterRange[]): void => {
    const [next, ...later] = rest
    if (!next) {
      if (width === outputs) chains.push(...withBiases(chain, biases))
      return
    }
    const [rows, cols] = next.parameter.shape
    const layer = { weight: next.start, bias: null, inputs: width }
    if (cols === width) extend([...chain, { ...layer, outputs: rows, transposed: false }], rows, later)
    if (rows === width) extend([...chain, { ...layer, outputs: cols, transposed: true }], cols, later)
  }
  extend([], inputs, weights)
  return chains.slice(0, 64)
}

/** Biases go to layers in order: to all, or where widths allow. */
function withBiases(chain: readonly DenseLayer[], biases: readonly ParameterRange[]): DenseLayer[][] {
  const place = (h: number, left: readonly ParameterRange[]): DenseLayer[][] => {
    if (chain.length - h < left.length) return []
    if (h === chain.length) return [[]]
    const found: DenseLayer[][] = []
    if (left.length > 0 && left[0].parameter.shape[0] === chain[h].outputs)
      found.push(...place(h + 1, left.slice(1)).map((rest) => [{ ...chain[h], bias: left[0].start }, ...rest]))
    found.push(...place(h + 1, left).map((rest) => [chain[h], ...rest]))
    return found
  }
  return place(0, biases)
}

function widthsOf(layers: readonly DenseLayer[]): number[] {
  return [layers[0].inputs, ...layers.map(({ outputs }) => outputs)]
}

/** Operators that are one analytic function wherever they are defined, or only move numbers. */
const analytic: ReadonlySet<OperatorName> = new Set(
  (
    'Neg Reciprocal Exp Sin Cos Atan Tanh Sigmoid Softplus Erf Add Sub Mul Div ReduceSum CumSum Softmax LogSoftmax ' +
    'ReduceLogSumExp MatMul Conv Reshape Transpose Expand Slice Pad Concat'
  ).split(' ') as OperatorName[],
)

/** Whether a model with one input is one analytic function of parameters and input together: what holds at random ones then
 * holds everywhere. */
export function isAnalyticModel(model: Model): boolean {
  return branchesOf(model) === '[]'
}

/** How often each other operator works on what depends on parameters or inputs, as text. */
function branchesOf(model: Model): string {
  const parameters = model.parameters.map(({ shape }, i) => input(`p${i}`, 'float64', shape))
  const data = input('x', 'float64', [2, ...model.inputs[0].shape])
  const order = topologicalOrder([model.forward(parameters, [data])])
  const moving = dependents(order, [...parameters, data])
  const counts = new Map<string, number>()
  for (const node of order)
    if (moving.has(node) && node.op !== 'Input' && !isAnalytic(node))
      counts.set(node.op, (counts.get(node.op) ?? 0) + 1)
  return JSON.stringify([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Roots and logarithms are not: √(x²) = |x|. Powers with a fixed whole exponent are. */
function isAnalytic(node: Expr): boolean {
  if (node.op !== 'Pow') return node.op !== 'Input' && node.op !== 'Constant' && analytic.has(node.op)
  const exponent = node.inputs[1]
  return exponent.op === 'Constant' && numbersOf(exponent.attributes.value).every(Number.isInteger)
}

interface Probe {
  readonly theta: Float64Array
  readonly parameters: ReturnType<typeof constant>[]
  readonly data: ReturnType<typeof constant>
  readonly rows: Tensor
}

/** Random parameters, scaled so that no activation saturates, and two random inputs. */
function probePoint(model: Model, index: number): Probe {
  const stream = randomStream(index, 'fully connected probe')
  const theta = new Float64Array(parameterCount(model))
  const parameters = parameterRanges(model).map(({ parameter, start, end }) => {
    const scale = 1 / Math.sqrt(Math.max(1, ...parameter.shape.slice(-1)))
    for (let i = start; i < end; i++) theta[i] = scale * stream.normal()
    return constant(tensor('float64', parameter.shape, theta.slice(start, end)))
  })
  const width = sizeOf(model.inputs[0].shape)
  const rows = tensor('float64', [2, width], stream.normals(2 * width))
  const data = constant(tensor('float64', [2, ...model.inputs[0].shape], rows.data))
  return { theta, parameters, data, rows }
}

/** The activation with which the layers compute what the model computes, at two random points. */
function matchingActivation(model: Model, layers: readonly DenseLayer[]): ActivationName | null {
  const probes = [1, 2].map((index) => {
    const probe = probePoint(model, index)
    return { probe, outputs: numbersOf(evaluate([model.forward(probe.parameters, [probe.data])])[0]) }
  })
  const names: readonly ActivationName[] = layers.length === 1 ? ['linear'] : activationNames
  const branches = branchesOf(model)
  const agrees = (name: ActivationName): boolean =>
    branches === branchesOf(mlp({ widths: widthsOf(layers), activation: name })) &&
    probes.every(({ probe, outputs }) => {
      const ours = referenceOutputs(layers, name, probe)
      const scale = outputs.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0)
      return scale > 0 && ours.every((v, i) => Math.abs(v - outputs[i]) <= 1e-11 * scale)
    })
  return names.find(agrees) ?? null
}

function referenceOutputs(layers: readonly DenseLayer[], activation: ActivationName, probe: Probe): Float64Array {
  const values = layers.flatMap((layer) => {
    const weight = Float64Array.from({ length: layer.inputs * layer.outputs }, (_, i) => {
      const to = Math.floor(i / layer.inputs)
      return probe.theta[weightEntry(layer, to, i % layer.inputs)]
    })
    const { bias, outputs } = layer
    const shift = bias === null ? new Float64Array(outputs) : probe.theta.slice(bias, bias + outputs)
    return [tensor('float64', [outputs, layer.inputs], weight), tensor('float64', [outputs], shift)].map((t) =>
      constant(t),
    )
  })
  return numbersOf(evaluate([mlp({ widths: widthsOf(layers), activation }).forward(values, [constant(probe.rows)])])[0])
}
