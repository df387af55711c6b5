import { UnsupportedError } from '../core/errors.ts'
import type { Expr, Graph, Operation } from '../core/expr.ts'
import type { ConvGeometry, OperatorName, Reduction, WindowGeometry } from '../core/operator-attributes.ts'
import { range } from '../core/shape.ts'
import { allocate, type DType, type Shape, sizeOf, type Tensor, tensor, tensorOf } from '../core/tensor.ts'
import { topologicalOrder } from '../core/traversal.ts'
import { codeOf } from './element-type.ts'
import { encodeModel, type OnnxNodeToWrite } from './encode.ts'
import type { OnnxAttribute, OnnxDimension } from './model.ts'

export interface ExportOptions {
  readonly name?: string
  /** Inputs that become initializers: parameters written with the file. */
  readonly initializers?: Readonly<Record<string, Tensor>>
  readonly metadata?: ReadonlyMap<string, string>
  readonly producer?: string
}

/** An `.onnx` file that computes the graph: standard operators only (operator set 17), so that any runtime reads it.
 *
 * Adjoints that ONNX lacks are written as what they are: ConvTranspose, Conv with strides and dilations exchanged, ScatterND and
 * ScatterElements with `add`. The same graph gives the same bytes.
 * @throws {UnsupportedError} above 2 GiB or if an initializer names no input. */
export function exportOnnx(graph: Graph, options: ExportOptions = {}): Uint8Array {
  const baked = options.initializers ?? {}
  const writer = new GraphWriter([...graph.inputs.map((x) => x.attributes.name), ...Object.keys(graph.outputs)])
  for (const name of Object.keys(baked))
    if (!graph.inputs.some((x) => x.attributes.name === name))
      throw new UnsupportedError(
        `exportOnnx: an initializer must be an input of the graph, got '${name}'. Leave it out.`,
      )
  for (const x of graph.inputs)
    if (baked[x.attributes.name]) writer.initializers.set(x.attributes.name, baked[x.attributes.name])
  requireFreeNames(graph)
  const named = new Map<Expr, string>()
  for (const [name, x] of Object.entries(graph.outputs))
    if (x.op !== 'Input' && x.op !== 'Constant' && !named.has(x)) named.set(x, name)
  const names = new Map<Expr, string>()
  const nameOf = (x: Expr): string => names.get(x) as string
  for (const x of topologicalOrder(Object.values(graph.outputs)))
    names.set(x, writer.write(x, x.inputs.map(nameOf), named.get(x)))
  // An output that is an input or a constant, or a second name of another, needs a node of its own.
  for (const [name, x] of Object.entries(graph.outputs))
    if (nameOf(x) !== name) writer.node('Identity', [nameOf(x)], {}, name)
  const value = (name: string, x: Expr): { name: string; dtype: DType; shape: readonly OnnxDimension[] } => ({
    name,
    dtype: x.dtype,
    shape: x.shape,
  })
  return encodeModel({
    name: options.name,
    producer: options.producer,
    metadata: options.metadata,
    inputs: graph.inputs.filter((x) => !baked[x.attributes.name]).map((x) => value(x.attributes.name, x)),
    outputs: Object.entries(graph.outputs).map(([name, x]) => value(name, x)),
    initializers: writer.initializers,
    nodes: writer.nodes,
  })
}

/** An output may have the name of an input only if it is that input. */
function requireFreeNames(graph: Graph): void {
  for (const x of graph.inputs) {
    const { name } = x.attributes
    if (graph.outputs[name] !== undefined && graph.outputs[name] !== x)
      throw new UnsupportedError(`exportOnnx: '${name}' must not name an input and another output. Rename one.`)
  }
}

type AttributeValue = number | string | boolean | readonly number[]

/** Nodes and initializers as they come, with fresh names. */
class GraphWriter {
  readonly nodes: OnnxNodeToWrite[] = []
  readonly initializers = new Map<string, Tensor>()
  readonly #taken: Set<string>
  readonly #tensors = new Map<Tensor, string>()
  readonly #vectors = new Map<string, string>()
  #count = 0

  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken)
  }

  write(x: Expr, operands: readonly string[], result: string | undefined): string {
    if (x.op === 'Input') return x.attributes.name
    if (x.op === 'Constant') return this.constant(x.attributes.value)
    const exporter = exporters[x.op] as Exporter<OperatorName>
    return exporter(this, operands, x, result)
  }

  fresh(prefix: string): string {
    let name: string
    do name = `${prefix}_${this.#count++}`
    while (this.#taken.has(name))
    return name
  }

  constant(value: Tensor): string {
    const known = this.#tensors.get(value)
    if (known !== undefined) return known
    const name = this.fresh('constant')
    this.#tensors.set(value, name)
    this.initializers.set(name, value)
    return name
  }

  /** An int64 vector; equal ones are written once. */
  vector(values: readonly number[]): string {
    const key = values.join()
    const known = this.#vectors.get(key)
    if (known !== undefined) return known
    const name = this.constant(tensorOf('int64', [values.length], values))
    this.#vectors.set(key, name)
    return name
  }

  /** Adds a node with one result; whole numbers are int attributes. Returns the result's name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    result?: string,
  ): string {
    const name = result ?? this.fresh(op)
    this.nodes.push({
      op,
      name,
      inputs,
      outputs: [name],
      attributes: new Map(Object.entries(attributes).map(([key, v]) => [key, attribute(v)])),
    })
    return name
  }
}

function attribute(value: AttributeValue): OnnxAttribute {
  if (typeof value === 'string') return { kind: 'string', value }
  if (typeof value === 'object') return { kind: 'ints', value }
  return { kind: 'int', value: Number(value) }
}

type Exporter<K extends OperatorName> = (
  w: GraphWriter,
  operands: readonly string[],
  node: Operation<K>,
  result: string | undefined,
) => string

const same =
  (op: string): Exporter<OperatorName> =>
  (w, operands, _, result) =>
    w.node(op, operands, {}, result)

/** Below operator set 18 only ReduceSum takes its axes as an input. An empty list would mean all. */
const reduction =
  (
    op: string,
  ): ((
    w: GraphWriter,
    operands: readonly string[],
    node: { attributes: Reduction },
    result: string | undefined,
  ) => string) =>
  (w, operands, { attributes: { axes, keepDims } }, result) => {
    if (axes.length === 0) return w.node('Identity', operands, {}, result)
    return op === 'ReduceSum'
      ? w.node(op, [...operands, w.vector(axes)], { keepdims: keepDims }, result)
      : w.node(op, operands, { axes, keepdims: keepDims }, result)
  }

function window(g: WindowGeometry, kernel: Shape): Record<string, AttributeValue> {
  return { kernel_shape: kernel, strides: g.strides, dilations: g.dilations, pads: [...g.padsBegin, ...g.padsEnd] }
}

/** Output padding makes up for what the strides of the convolution left over. */
function convInputGradient(
  w: GraphWriter,
  operands: readonly string[],
  node: Operation<'ConvInputGradient'>,
  result: string | undefined,
): string {
  const { attributes: a, inputs } = node
  const kernel = inputs[1].shape.slice(2)
  const outputPadding = a.spatial.map((d, i) => {
    const reach = a.strides[i] * (inputs[0].shape[2 + i] - 1) + a.dilations[i] * (kernel[i] - 1) + 1
    return d - (reach - a.padsBegin[i] - a.padsEnd[i])
  })
  return w.node(
    'ConvTranspose',
    operands,
    { ...window(a, kernel), group: a.groups, output_padding: outputPadding },
    result,
  )
}

/** A convolution of x with y as the kernel: samples and channels change places, strides and dilations too.
 * Groups: x [N, g·c, …] → [c, g·N, …] and y [N, O, …] → [O, N, …] give [c, O, taps…], of which the first `kernel` taps count. */
function convWeightGradient(
  w: GraphWriter,
  [x, y]: readonly string[],
  node: Operation<'ConvWeightGradient'>,
  result: string | undefined,
): string {
  const a: ConvGeometry & { kernel: Shape } = node.attributes
  const [samples, channels, ...spatial] = node.inputs[0].shape
  const perGroup = channels / a.groups
  const rest = range(spatial.length)
  const grouped = w.node('Reshape', [x, w.vector([samples, a.groups, perGroup, ...spatial])])
  const turned = w.node('Transpose', [grouped], { perm: [2, 1, 0, ...rest.map((i) => i + 3)] })
  const left = w.node('Reshape', [turned, w.vector([perGroup, a.groups * samples, ...spatial])])
  const right = w.node('Transpose', [y], { perm: [1, 0, ...rest.map((i) => i + 2)] })
  const exchanged = { ...a, strides: a.dilations, dilations: a.strides }
  const product = w.node('Conv', [left, right], {
    ...window(exchanged, node.inputs[1].shape.slice(2)),
    group: a.groups,
  })
  const axes = rest.map((i) => i + 2)
  const cut = w.node('Slice', [product, w.vector(axes.map(() => 0)), w.vector(a.kernel), w.vector(axes)])
  return w.node('Transpose', [cut], { perm: [1, 0, ...axes] }, result)
}

/** The second output of MaxPool counts through the whole tensor; ours through a plane. */
function maxPoolIndices(
  w: GraphWriter,
  operands: readonly string[],
  node: Operation<'MaxPoolIndices'>,
  result: string | undefined,
): string {
  const [samples, channels, ...spatial] = node.inputs[0].shape
  const [unused, indices] = [w.fresh('MaxPool'), w.fresh('Indices')]
  const attributes = new Map(
    Object.entries(window(node.attributes, node.attributes.kernel)).map(([key, v]) => [key, attribute(v)]),
  )
  w.nodes.push({ op: 'MaxPool', name: unused, inputs: operands, outputs: [unused, indices], attributes })
  const offsets = range(samples * channels).map((plane) => plane * sizeOf(spatial))
  return w.node(
    'Sub',
    [indices, w.constant(tensorOf('int64', [samples, channels, ...spatial.map(() => 1)], offsets))],
    {},
    result,
  )
}

function zerosTensor(dtype: DType, shape: Shape): Tensor {
  return tensor(dtype, shape, allocate(dtype, sizeOf(shape)))
}

function zerosOf(w: GraphWriter, dtype: DType, shape: Shape): string {
  return w.node('Expand', [w.constant(zerosTensor(dtype, [])), w.vector(shape)])
}

/** The indexed axes go to the front, where ScatterND wants them, and their place back at the end. */
function scatterAdd(
  w: GraphWriter,
  [indices, updates]: readonly string[],
  node: Operation<'ScatterAdd'>,
  result: string | undefined,
): string {
  const { axis, size } = node.attributes
  const [at, from] = [node.inputs[0].shape, node.inputs[1].shape]
  const before = range(axis)
  const after = range(from.length).slice(axis + at.length)
  const front = w.node('Transpose', [updates], { perm: [...at.map((_, i) => axis + i), ...before, ...after] })
  const tuples = w.node('Reshape', [indices, w.vector([...at, 1])])
  const others = [...before, ...after].map((i) => from[i])
  const sum = w.node('ScatterND', [zerosOf(w, node.dtype, [size, ...others]), tuples, front], { reduction: 'add' })
  return w.node(
    'Transpose',
    [sum],
    { perm: [...before.map((i) => i + 1), 0, ...after.map((_, i) => axis + 1 + i)] },
    result,
  )
}

function slice(
  w: GraphWriter,
  operands: readonly string[],
  node: Operation<'Slice'>,
  result: string | undefined,
): string {
  const { starts, ends, steps } = node.attributes
  const axes = range(starts.length)
  // An end of −1 means "before the first element" here, but "the last element" in ONNX.
  const shifted = ends.map((end, i) => (end < 0 ? -node.inputs[0].shape[i] - 1 : end))
  return w.node(
    'Slice',
    [...operands, w.vector(starts), w.vector(shifted), w.vector(axes), w.vector(steps)],
    {},
    result,
  )
}

const axisAttribute =
  (
    op: string,
  ): ((
    w: GraphWriter,
    operands: readonly string[],
    node: { attributes: { axis: number } },
    result: string | undefined,
  ) => string) =>
  (w, operands, node, result) =>
    w.node(op, operands, { axis: node.attributes.axis }, result)

/** How each operator is written; the compiler checks that none is missing. */
const exporters: { readonly [K in OperatorName]: Exporter<K> } = {
  Neg: same('Neg'),
  Abs: same('Abs'),
  Sign: same('Sign'),
  Reciprocal: same('Reciprocal'),
  Sqrt: same('Sqrt'),
  Exp: same('Exp'),
  Log: same('Log'),
  Sin: same('Sin'),
  Cos: same('Cos'),
  Atan: same('Atan'),
  Tanh: same('Tanh'),
  Sigmoid: same('Sigmoid'),
  Softplus: same('Softplus'),
  Erf: same('Erf'),
  Relu: same('Relu'),
  Floor: same('Floor'),
  Ceil: same('Ceil'),
  Round: same('Round'),
  Not: same('Not'),
  IsNaN: same('IsNaN'),
  IsInf: same('IsInf'),
  Cast: (w, operands, { attributes: { to } }, result) => w.node('Cast', operands, { to: codeOf(to) }, result),
  Add: same('Add'),
  Sub: same('Sub'),
  Mul: same('Mul'),
  Div: same('Div'),
  Pow: same('Pow'),
  Min: same('Min'),
  Max: same('Max'),
  Mod: same('Mod'),
  Equal: same('Equal'),
  Greater: same('Greater'),
  Less: same('Less'),
  GreaterOrEqual: same('GreaterOrEqual'),
  LessOrEqual: same('LessOrEqual'),
  And: same('And'),
  Or: same('Or'),
  Xor: same('Xor'),
  Where: same('Where'),
  ReduceSum: reduction('ReduceSum'),
  ReduceMax: reduction('ReduceMax'),
  ReduceMin: reduction('ReduceMin'),
  ReduceLogSumExp: reduction('ReduceLogSumExp'),
  ArgMax: (w, operands, { attributes: { axis, keepDims } }, result) =>
    w.node('ArgMax', operands, { axis, keepdims: keepDims }, result),
  CumSum: (w, operands, { attributes: { axis, exclusive, reverse } }, result) =>
    w.node('CumSum', [...operands, w.constant(tensorOf('int64', [], [axis]))], { exclusive, reverse }, result),
  Softmax: axisAttribute('Softmax'),
  LogSoftmax: axisAttribute('LogSoftmax'),
  MatMul: same('MatMul'),
  Conv: (w, operands, { attributes: a, inputs }, result) =>
    w.node('Conv', operands, { ...window(a, inputs[1].shape.slice(2)), group: a.groups }, result),
  ConvInputGradient: convInputGradient,
  ConvWeightGradient: convWeightGradient,
  MaxPool: (w, operands, { attributes: a }, result) => w.node('MaxPool', operands, window(a, a.kernel), result),
  MaxPoolIndices: maxPoolIndices,
  Reshape: (w, operands, { attributes: { shape } }, result) =>
    w.node('Reshape', [...operands, w.vector(shape)], shape.includes(0) ? { allowzero: 1 } : {}, result),
  Transpose: (w, operands, { attributes: { perm } }, result) => w.node('Transpose', operands, { perm }, result),
  Expand: (w, operands, { attributes: { shape } }, result) =>
    w.node('Expand', [...operands, w.vector(shape)], {}, result),
  Slice: slice,
  Pad: (w, operands, { attributes: a, dtype }, result) =>
    w.node(
      'Pad',
      [...operands, w.vector([...a.before, ...a.after]), w.constant(tensorOf(dtype, [], [a.value]))],
      {},
      result,
    ),
  Concat: axisAttribute('Concat'),
  Gather: axisAttribute('Gather'),
  GatherElements: axisAttribute('GatherElements'),
  ScatterAdd: scatterAdd,
  ScatterElementsAdd: (w, [indices, updates], { attributes: { axis }, dtype, shape }, result) =>
    w.node('ScatterElements', [zerosOf(w, dtype, shape), indices, updates], { axis, reduction: 'add' }, result),
}
