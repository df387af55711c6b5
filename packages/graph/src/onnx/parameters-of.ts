import { isFloat, type Shape, sizeOf, type Tensor } from '../core/tensor.ts'
import { liveNodes, namesUsed } from './check-graph.ts'
import type { OnnxElementType, OnnxGraph, OnnxModel, OnnxNode } from './model.ts'

export type ParameterRole = 'weight' | 'bias' | 'norm-scale' | 'norm-shift' | 'embedding' | 'slope' | 'other'

export interface OnnxParameter {
  readonly name: string
  readonly shape: Shape
  readonly elementType: OnnxElementType
  readonly role: ParameterRole
  /** The axis of output units: one filter per position, for filter normalization. Undefined where there is none. */
  readonly filterAxis: number | undefined
}

/** Why a float initializer is not a parameter. */
export type ConstantReason = 'unused' | 'batch-norm statistics' | 'scalar' | 'not differentiable' | 'mask'

export interface OnnxParameters {
  readonly parameters: readonly OnnxParameter[]
  /** Float initializers that are constants. */
  readonly constants: readonly { readonly name: string; readonly reason: ConstantReason }[]
}

/** Which initializers of a model are its parameters: float, not a mask of 0 and −∞, not a single number of rank 0 (unless
 * `isNamedScalar`), and reaching an output along a path on which a derivative flows. Batch-norm statistics, shapes, indices,
 * conditions, bounds and `Constant` nodes are not. Weights that became NaN or infinite stay parameters, for the loss to refuse: held constant, they would hide it.
 * Buffers, such as position tables, look like parameters in a file: the list is a proposal that the user may override.
 * Cost: linear in the nodes. */
export function parametersOf(model: OnnxModel): OnnxParameters {
  const flow = flowOf(model)
  const parameters: OnnxParameter[] = []
  const constants: { name: string; reason: ConstantReason }[] = []
  for (const [name, { tensor, elementType }] of model.initializers) {
    if (!isFloat(tensor.dtype)) continue
    const reason = constantReason(name, tensor, flow, isNamedScalar(model, name))
    if (reason !== undefined) constants.push({ name, reason })
    else parameters.push({ name, shape: tensor.shape, elementType, ...usageOf(name, tensor.shape, flow) })
  }
  return { parameters, constants }
}

interface Use {
  readonly node: OnnxNode
  readonly position: number
}

interface Flow {
  /** Values from which a derivative reaches an output. */
  readonly reached: ReadonlySet<string>
  /** Live nodes that read a value, by value. */
  readonly uses: ReadonlyMap<string, readonly Use[]>
  /** The node that computes a value. */
  readonly producers: ReadonlyMap<string, OnnxNode>
}

function flowOf(model: OnnxGraph): Flow {
  const reached = new Set(model.outputs.map((value) => value.name))
  const uses = new Map<string, Use[]>()
  const producers = new Map<string, OnnxNode>()
  const nodes = liveNodes(model)
  for (const node of nodes) {
    for (const name of node.outputs) producers.set(name, node)
    node.inputs.forEach((name, position) => uses.set(name, [...(uses.get(name) ?? []), { node, position }]))
  }
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((name) => reached.has(name))) continue
    if (node.op === 'If') for (const name of namesUsed(node)) reached.add(name)
    node.inputs.forEach((name, position) => {
      if (name !== '' && isDifferentiable(node.op, position)) reached.add(name)
    })
  }
  return { reached, uses, producers }
}

const wordsOf = (text: string): string[] => text.split(' ')

const noDerivative: ReadonlySet<string> = new Set(
  wordsOf(
    'Shape Size ArgMax ArgMin NonZero Range ConstantOfShape EyeLike Hardmax Equal Greater Less GreaterOrEqual ' +
      'LessOrEqual And Or Xor Not IsNaN IsInf Floor Ceil Round Sign OneHot',
  ),
)

/** Operators whose other inputs are axes, shapes, indices or bounds. */
const firstOnly: readonly string[] = wordsOf(
  'Reshape Squeeze Unsqueeze Expand Tile Slice Split Gather GatherElements GatherND Pad Resize Upsample TopK CumSum Trilu ' +
    'Dropout Clip Compress ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ' +
    'ReduceLogSumExp ReduceSumSquare ReverseSequence CenterCropPad CastLike NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss',
)

/** Inputs through which a derivative flows, for operators where it is not every one. */
const differentiable: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...firstOnly.map((op): [string, readonly number[]] => [op, [0]]),
  ['Where', [1, 2]],
  ['ScatterElements', [0, 2]],
  ['ScatterND', [0, 2]],
  ['BatchNormalization', [0, 1, 2]],
  ['LSTM', [0, 1, 2, 3, 5, 6, 7]],
  ['GRU', [0, 1, 2, 3, 5]],
  ['RNN', [0, 1, 2, 3, 5]],
])

function isDifferentiable(op: string, position: number): boolean {
  const positions = differentiable.get(op)
  return positions === undefined ? !noDerivative.has(op) : positions.includes(position)
}

/** Names that PyTorch's exporters give to constants, not to attributes of modules. */
const exporterConstant = /^_?(val_|lifted_|c_lifted_|tensor_constant|scalar_tensor|const)/i

/** Whether a single number of rank 0 is an attribute of a PyTorch module, such as a learned temperature: numbers written in the
 * code of a module become `Constant` nodes or get names that no attribute can have (`onnx::Div_7`). */
export function isNamedScalar({ producer, initializers }: OnnxModel, name: string): boolean {
  if (!/^pytorch\b/i.test(producer) || initializers.get(name)?.tensor.shape.length !== 0) return false
  return /^[A-Za-z_]\w*(\.\w+)*$/.test(name) && !exporterConstant.test(name)
}

function constantReason(name: string, tensor: Tensor, flow: Flow, named: boolean): ConstantReason | undefined {
  const uses = flow.uses.get(name) ?? []
  if (uses.length === 0 && !flow.reached.has(name)) return 'unused'
  if (uses.length > 0 && uses.every(({ node, position }) => node.op === 'BatchNormalization' && position >= 3))
    return 'batch-norm statistics'
  if (!flow.reached.has(name)) return 'not differentiable'
  if (tensor.shape.length === 0 && !named) return 'scalar'
  return isMask(tensor.data as Float64Array) ? 'mask' : undefined
}

/** Minus infinity somewhere and 0 (nothing forbidden) everywhere else. */
function isMask(values: Float64Array): boolean {
  return values.includes(Number.NEGATIVE_INFINITY) && values.every((v) => v === 0 || v === Number.NEGATIVE_INFINITY)
}

/** Operators that only move elements: a parameter is judged by what is behind them. */
const movers: ReadonlySet<string> = new Set([
  'Identity',
  'Transpose',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Cast',
  'CastLike',
  'Expand',
  'Slice',
  'Dropout',
])

interface Usage {
  readonly role: ParameterRole
  readonly filterAxis: number | undefined
}

/** The role by the first use; an embedding that is tied to an output layer is an embedding. */
function usageOf(name: string, shape: Shape, flow: Flow): Usage {
  const found = collectUsages(name, shape, identityAxes(shape), flow, new Set())
  return (
    found.find(({ role }) => role === 'embedding') ??
    found.find(({ role }) => role !== 'other') ?? { role: 'other', filterAxis: undefined }
  )
}

function identityAxes(shape: Shape): readonly (number | undefined)[] {
  return shape.map((_, i) => i)
}

/** Follows a value through movers; `axes[i]` is the parameter's axis behind axis i of the value, undefined where that is lost. */
function collectUsages(
  name: string,
  shape: Shape,
  axes: readonly (number | undefined)[],
  flow: Flow,
  seen: Set<string>,
): Usage[] {
  if (seen.has(name)) return []
  seen.add(name)
  return (flow.uses.get(name) ?? []).flatMap(({ node, position }) => {
    if (!isDifferentiable(node.op, position)) return []
    if (!movers.has(node.op)) {
      const { role, filterAxis } = usageAt(node, position, shape, axes.length, flow)
      return [{ role, filterAxis: filterAxis === undefined ? undefined : axes[filterAxis] }]
    }
    return collectUsages(node.outputs[0], shape, axesBehind(node, axes), flow, seen)
  })
}

function axesBehind(node: OnnxNode, axes: readonly (number | undefined)[]): readonly (number | undefined)[] {
  if (node.op === 'Transpose') {
    const perm = node.attributes.get('perm')
    return perm?.kind === 'ints' ? perm.value.map((p) => axes[p]) : axes.toReversed()
  }
  const keeps =
    node.op === 'Identity' ||
    node.op === 'Cast' ||
    node.op === 'CastLike' ||
    node.op === 'Dropout' ||
    node.op === 'Slice'
  // Reshapes of weights are rare and change what an axis means: the filters are then unknown.
  return keeps ? axes : axes.map(() => undefined)
}

function intOf(node: OnnxNode, name: string): number {
  const attribute = node.attributes.get(name)
  return attribute?.kind === 'int' ? attribute.value : 0
}

const normScales: ReadonlySet<string> = new Set([
  'BatchNormalization',
  'InstanceNormalization',
  'LayerNormalization',
  'GroupNormalization',
])

/** Role and filter axis (of the value as the node reads it) of an operand. */
function usageAt(node: OnnxNode, position: number, shape: Shape, rank: number, flow: Flow): Usage {
  const none = (role: ParameterRole): Usage => ({ role, filterAxis: undefined })
  if (normScales.has(node.op)) return none(position === 1 ? 'norm-scale' : position === 2 ? 'norm-shift' : 'other')
  switch (node.op) {
    case 'Gemm':
      if (position === 2) return none('bias')
      return position === 1
        ? { role: 'weight', filterAxis: intOf(node, 'transB') ? 0 : 1 }
        : { role: 'weight', filterAxis: intOf(node, 'transA') ? 1 : 0 }
    case 'MatMul':
      return { role: 'weight', filterAxis: rank < 2 ? undefined : position === 1 ? rank - 1 : rank - 2 }
    case 'Conv':
      return position === 1 ? { role: 'weight', filterAxis: 0 } : none(position === 2 ? 'bias' : 'other')
    case 'ConvTranspose':
      return position === 1 ? { role: 'weight', filterAxis: 1 } : none(position === 2 ? 'bias' : 'other')
    case 'LSTM':
    case 'GRU':
    case 'RNN':
      return position <= 2
        ? { role: position === 0 ? 'other' : 'weight', filterAxis: position === 0 ? undefined : 1 }
        : none(position === 3 ? 'bias' : 'other')
    case 'Gather':
      return { role: 'embedding', filterAxis: 0 }
    case 'PRelu':
      return none(position === 1 ? 'slope' : 'other')
    case 'Einsum':
      return { role: 'weight', filterAxis: einsumFilterAxis(node, position) }
    case 'Add':
    case 'Sub':
      return none(isNormalized(node, position, flow) ? 'norm-shift' : isVector(shape) ? 'bias' : 'other')
    case 'Mul':
      return none(isNormalized(node, position, flow) ? 'norm-scale' : 'other')
    default:
      return none('other')
  }
}

/** At most one axis longer than 1: what is added per unit. */
function isVector(shape: Shape): boolean {
  return sizeOf(shape) === Math.max(...shape)
}

/** Whether the other operand is a normalization written out: (x − mean)/√(…) for a scale, that times a scale for a shift. */
function isNormalized(node: OnnxNode, position: number, flow: Flow): boolean {
  const other = flow.producers.get(node.inputs[1 - position])
  if (other === undefined) return false
  const isQuotient = (n: OnnxNode | undefined): boolean =>
    n?.op === 'Div' && flow.producers.get(n.inputs[0])?.op === 'Sub' && flow.producers.get(n.inputs[1])?.op === 'Sqrt'
  if (node.op === 'Mul') return isQuotient(other)
  return other.op === 'Mul' && other.inputs.some((name) => isQuotient(flow.producers.get(name)))
}

/** The axis whose label is in the result but in no other operand, if there is exactly one. */
function einsumFilterAxis(node: OnnxNode, position: number): number | undefined {
  const equation = node.attributes.get('equation')
  if (equation?.kind !== 'string') return undefined
  const [left, right] = equation.value.replaceAll(' ', '').split('->')
  const terms = left.split(',')
  if (right === undefined || terms[position] === undefined || terms[position].includes('...')) return undefined
  const others = terms.filter((_, i) => i !== position).join('')
  const own = terms[position].split('').filter((label) => right.includes(label) && !others.includes(label))
  return own.length === 1 ? terms[position].indexOf(own[0]) : undefined
}
