import { UnsupportedError, range, scalarValue, sizeOf, tensorOf } from '@thalweg/graph'
import type { AnyOperation, DType, Expr, Operation, OperatorName, WindowGeometry } from '@thalweg/graph'
import { outputPaddingOf } from '../lowering/convolution.ts'
import type { Attributes, Scope, Uses } from './scope.ts'

type Emitter<K extends OperatorName> = (node: Operation<K>, scope: Scope) => void

/** Element type codes of ONNX's TensorProto. */
const elementTypeCode: Readonly<Record<DType, number>> = { float32: 1, int64: 7, bool: 9, float64: 11 }

/** One ONNX node of the same name, operands in order. */
const same = (node: AnyOperation, scope: Scope): void => {
  scope.emit(
    node.op,
    node.inputs.map((x) => scope.nameOf(x)),
    {},
    scope.nameOf(node),
  )
}

const reduceByAttribute = (node: Operation<'ReduceMax' | 'ReduceMin' | 'ReduceLogSumExp'>, scope: Scope): void => {
  const { axes, keepDims } = node.attributes
  scope.emit(node.op, [scope.nameOf(node.inputs[0])], { axes, keepdims: keepDims ? 1 : 0 }, scope.nameOf(node))
}

const axisOnly = (
  node: Operation<'Softmax' | 'LogSoftmax' | 'Concat' | 'Gather' | 'GatherElements'>,
  scope: Scope,
): void => {
  scope.emit(
    node.op,
    node.inputs.map((x) => scope.nameOf(x)),
    { axis: node.attributes.axis },
    scope.nameOf(node),
  )
}

function windowAttributes(g: WindowGeometry, kernel: readonly number[]): Attributes {
  return { kernel_shape: kernel, strides: g.strides, dilations: g.dilations, pads: [...g.padsBegin, ...g.padsEnd] }
}

function convAttributes(node: Operation<'Conv'>): Attributes {
  return { ...windowAttributes(node.attributes, node.inputs[1].shape.slice(2)), group: node.attributes.groups }
}

/** A matrix product of two matrices, transposes of either taken in by Gemm. */
const matMul: Emitter<'MatMul'> = (node, scope) => {
  const sides = node.inputs.map((x) => {
    const flipped = x.op === 'Transpose' && x.shape.length === 2
    return { name: scope.nameOf(flipped ? x.inputs[0] : x), flipped }
  })
  const [a, b] = sides
  const plain = node.inputs.every((x) => x.shape.length === 2)
  if (!plain || !(a.flipped || b.flipped)) return same(node, scope)
  scope.emit('Gemm', [a.name, b.name], { transA: a.flipped ? 1 : 0, transB: b.flipped ? 1 : 0 }, scope.nameOf(node))
}

/** Conv(x, w) + b with one number per channel is one Conv, unless something else reads the convolution. */
function biasedConv(node: Expr, uses: Uses): readonly [Expr, Expr, Expr] | undefined {
  if (node.op !== 'Add') return undefined
  const at = node.inputs.findIndex((x) => x.op === 'Conv' && uses.get(x) === 1)
  if (at < 0) return undefined
  const [convolution, bias] = [node.inputs[at], node.inputs[1 - at]]
  const channels = convolution.shape[1]
  const aligned = [
    ...new Array<number>(Math.max(0, convolution.shape.length - bias.shape.length)).fill(1),
    ...bias.shape,
  ]
  if (aligned.length !== convolution.shape.length || !aligned.every((d, i) => d === (i === 1 ? channels : 1)))
    return undefined
  return [convolution.inputs[0], convolution.inputs[1], bias]
}

const add: Emitter<'Add'> = (node, scope) => {
  const fused = biasedConv(node, scope.uses)
  if (!fused) return same(node, scope)
  const [x, w, bias] = fused
  const flat = scope.emit('Reshape', [scope.nameOf(bias), scope.ints([w.shape[0]])])
  const convolution = node.inputs.find((operand) => operand.op === 'Conv') as Operation<'Conv'>
  scope.emit('Conv', [scope.nameOf(x), scope.nameOf(w), flat], convAttributes(convolution), scope.nameOf(node))
}

/** Operands that a node reads once emitted: a transpose that Gemm takes in and a convolution that takes in its bias
 * are skipped. */
export function operandsRead(node: Expr, uses: Uses): readonly Expr[] {
  const fused = biasedConv(node, uses)
  if (fused) return fused
  if (node.op !== 'MatMul' || node.inputs.some((x) => x.shape.length !== 2)) return node.inputs
  return node.inputs.map((x) => (x.op === 'Transpose' ? x.inputs[0] : x))
}

/** Far enough below any axis that a backward slice takes the first element too. */
const beforeFirst = -(2 ** 31)

const slice: Emitter<'Slice'> = (node, scope) => {
  const { starts, ends, steps } = node.attributes
  const shape = node.inputs[0].shape
  const axes = starts.flatMap((s, i) => (s === 0 && ends[i] === shape[i] && steps[i] === 1 ? [] : [i]))
  const pick = (list: readonly number[]): string => scope.ints(axes.map((a) => list[a]))
  const bounds = ends.map((e) => (e < 0 ? beforeFirst : e))
  scope.emit(
    'Slice',
    [scope.nameOf(node.inputs[0]), pick(starts), pick(bounds), scope.ints(axes), pick(steps)],
    {},
    scope.nameOf(node),
  )
}

type Pool = Operation<'MaxPool' | 'MaxPoolIndices'>

/** The other result of the same pooling, where the graph has both. */
function poolingPartner(node: Pool, uses: Uses): Pool | undefined {
  const other = node.op === 'MaxPool' ? 'MaxPoolIndices' : 'MaxPool'
  const attributes = JSON.stringify(node.attributes)
  for (const n of uses.keys())
    if (n.op === other && n.inputs[0] === node.inputs[0] && JSON.stringify(n.attributes) === attributes) return n
  return undefined
}

/** Values and positions of one pooling come from one node. ONNX counts positions over the whole tensor: what comes
 * before each plane is subtracted. */
const maxPool = (node: Pool, scope: Scope): void => {
  const [x] = node.inputs
  const partner = poolingPartner(node, scope.uses)
  if (partner && scope.has(partner)) return
  const values = node.op === 'MaxPool' ? node : partner
  const indices = node.op === 'MaxPool' ? partner : node
  const outputs = [values ? scope.nameOf(values) : scope.fresh('unused')]
  if (indices) outputs.push(scope.fresh('positions'))
  scope.emitMany('MaxPool', [scope.nameOf(x)], windowAttributes(node.attributes, node.attributes.kernel), outputs)
  if (!indices) return
  const [n, channels, ...spatial] = x.shape
  const plane = sizeOf(spatial)
  const before = scope.store(
    tensorOf(
      'int64',
      [n, channels, ...spatial.map(() => 1)],
      range(n * channels).map((i) => i * plane),
    ),
  )
  scope.emit('Sub', [outputs[1], before], {}, scope.nameOf(indices))
}

/** For operators that `lower` has rewritten; reaching one here is our bug, or a graph that was not lowered. */
const lowered = (node: AnyOperation): never => {
  throw new UnsupportedError(`emit: ${node.op} has no ONNX operator in ${node.dtype}. Lower the graph first.`)
}

/** What a pad of this dtype is filled with. */
function padValue(node: Operation<'Pad'>, scope: Scope): string {
  return scope.store(tensorOf(node.dtype, [], [node.attributes.value]))
}

/** How each operator is written as ONNX nodes, operator set 17. A missing operator does not compile. */
export const emitters: { readonly [K in OperatorName]: Emitter<K> } = {
  Neg: same,
  Abs: same,
  Sign: same,
  Reciprocal: same,
  Sqrt: same,
  Exp: same,
  Log: same,
  Sin: same,
  Cos: same,
  Atan: same,
  Tanh: same,
  Sigmoid: same,
  Softplus: same,
  Erf: same,
  Relu: same,
  Floor: same,
  Ceil: same,
  Round: same,
  Not: same,
  IsNaN: same,
  IsInf: same,
  Cast: (node, scope) => {
    scope.emit('Cast', [scope.nameOf(node.inputs[0])], { to: elementTypeCode[node.attributes.to] }, scope.nameOf(node))
  },
  Add: add,
  Sub: same,
  Mul: same,
  Div: same,
  Pow: (node, scope) => {
    // Sqrt is exact where Pow(·, ½) is not, and far faster
    if (scalarValue(node.inputs[1]) === 0.5 && node.inputs[1].shape.length === 0) {
      scope.emit('Sqrt', [scope.nameOf(node.inputs[0])], {}, scope.nameOf(node))
    } else same(node, scope)
  },
  Min: same,
  Max: same,
  Mod: same,
  Equal: same,
  Greater: same,
  Less: same,
  GreaterOrEqual: same,
  LessOrEqual: same,
  And: same,
  Or: same,
  Xor: same,
  Where: same,
  ReduceSum: (node, scope) => {
    const { axes, keepDims } = node.attributes
    scope.emit(
      'ReduceSum',
      [scope.nameOf(node.inputs[0]), scope.ints(axes)],
      { keepdims: keepDims ? 1 : 0 },
      scope.nameOf(node),
    )
  },
  ReduceMax: reduceByAttribute,
  ReduceMin: reduceByAttribute,
  ReduceLogSumExp: reduceByAttribute,
  ArgMax: (node, scope) => {
    const { axis, keepDims } = node.attributes
    scope.emit('ArgMax', [scope.nameOf(node.inputs[0])], { axis, keepdims: keepDims ? 1 : 0 }, scope.nameOf(node))
  },
  CumSum: (node, scope) => {
    const { axis, exclusive, reverse } = node.attributes
    const flags = { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 }
    scope.emit('CumSum', [scope.nameOf(node.inputs[0]), scope.int(axis)], flags, scope.nameOf(node))
  },
  Softmax: axisOnly,
  LogSoftmax: axisOnly,
  MatMul: matMul,
  Conv: (node, scope) => {
    scope.emit(
      'Conv',
      node.inputs.map((x) => scope.nameOf(x)),
      convAttributes(node),
      scope.nameOf(node),
    )
  },
  ConvInputGradient: (node, scope) => {
    const g = node.attributes
    const attributes = {
      ...windowAttributes(g, node.inputs[1].shape.slice(2)),
      group: g.groups,
      output_padding: outputPaddingOf(node),
    }
    scope.emit(
      'ConvTranspose',
      node.inputs.map((x) => scope.nameOf(x)),
      attributes,
      scope.nameOf(node),
    )
  },
  ConvWeightGradient: lowered,
  MaxPool: maxPool,
  MaxPoolIndices: maxPool,
  Reshape: (node, scope) => {
    const to = scope.ints(node.attributes.shape)
    scope.emit('Reshape', [scope.nameOf(node.inputs[0]), to], { allowzero: 1 }, scope.nameOf(node))
  },
  Transpose: (node, scope) => {
    scope.emit('Transpose', [scope.nameOf(node.inputs[0])], { perm: node.attributes.perm }, scope.nameOf(node))
  },
  Expand: (node, scope) => {
    scope.emit('Expand', [scope.nameOf(node.inputs[0]), scope.ints(node.attributes.shape)], {}, scope.nameOf(node))
  },
  Slice: slice,
  Pad: (node, scope) => {
    const { before, after } = node.attributes
    scope.emit(
      'Pad',
      [scope.nameOf(node.inputs[0]), scope.ints([...before, ...after]), padValue(node, scope)],
      {},
      scope.nameOf(node),
    )
  },
  Concat: axisOnly,
  Gather: axisOnly,
  GatherElements: axisOnly,
  ScatterAdd: (node, scope) => {
    const [indices, updates] = node.inputs
    if (node.attributes.axis !== 0) return lowered(node)
    const tuples = scope.emit('Reshape', [scope.nameOf(indices), scope.ints([...indices.shape, 1])])
    const zeros = scope.zeros(node.dtype, node.shape)
    scope.emit('ScatterND', [zeros, tuples, scope.nameOf(updates)], { reduction: 'add' }, scope.nameOf(node))
  },
  ScatterElementsAdd: (node, scope) => {
    const [indices, updates] = node.inputs
    const zeros = scope.zeros(node.dtype, node.shape)
    const attributes: Attributes = { axis: node.attributes.axis, reduction: 'add' }
    scope.emit('ScatterElements', [zeros, scope.nameOf(indices), scope.nameOf(updates)], attributes, scope.nameOf(node))
  },
}
