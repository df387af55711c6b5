import { getTextEncoding } from '@bufbuild/protobuf/wire'
import { FormatError, UnsupportedError } from '../core/errors.ts'
import { tensorOf } from '../core/tensor.ts'
import { formatOfCode, nameOfCode } from './element-type.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from './generated/onnx_pb.js'
import {
  nodeLabel,
  type OnnxAttribute,
  type OnnxDimension,
  type OnnxGraph,
  type OnnxInitializer,
  type OnnxNode,
  type OnnxValue,
} from './model.ts'
import { readTensor, type TensorReading } from './read-tensor.ts'

/** A node as the file has it: it may call a local function, and inside one its attributes may refer to the function's. */
export interface RawNode extends OnnxNode {
  readonly overload: string
  /** Attribute name → name of the enclosing function's attribute. */
  readonly references: ReadonlyMap<string, string>
}

export interface RawGraph extends OnnxGraph {
  readonly nodes: readonly RawNode[]
}

/** What nodes and graphs are read with: the operator sets of their container and the budget for tensors. */
export interface NodeReading extends TensorReading {
  readonly opsets: ReadonlyMap<string, number>
}

/** `ai.onnx` is another spelling of the standard domain ''. */
export function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

export function readGraph(proto: GraphProto, where: string, reading: NodeReading): RawGraph {
  if (proto.sparseInitializer.length > 0)
    throw new UnsupportedError(
      `${where}: sparse initializers are not read, got '${proto.sparseInitializer[0].values?.name ?? ''}'. Export the model with dense weights.`,
    )
  const initializers = new Map<string, OnnxInitializer>()
  for (const tensor of proto.initializer) {
    if (tensor.name === '') throw new FormatError(`${where}: an initializer has no name. The file is damaged.`)
    if (initializers.has(tensor.name))
      throw new FormatError(`${where}: two initializers are called '${tensor.name}'. The file is damaged.`)
    initializers.set(tensor.name, readTensor(tensor, `initializer '${tensor.name}'`, reading))
  }
  return {
    name: proto.name,
    inputs: proto.input.map((value) => readValue(value, 'input')),
    outputs: proto.output.map((value) => readValue(value, 'output')),
    initializers,
    nodes: proto.node.map((node) => readNode(node, reading)),
  }
}

/** An input or output. Outputs of subgraphs may lack a type; they are taken as float32 of unknown shape. */
function readValue(proto: ValueInfoProto, role: string): OnnxValue {
  if (proto.name === '') throw new FormatError(`onnx: an ${role} has no name. The file is damaged or truncated.`)
  const type = proto.type?.value
  if (type === undefined || type.case === undefined)
    return { name: proto.name, dtype: 'float32', elementType: 'float32', shape: undefined }
  if (type.case !== 'tensorType')
    throw new UnsupportedError(
      `${role} '${proto.name}': only tensors are handled, got ${type.case.replace('Type', '')}. Export the model with tensor inputs and outputs.`,
    )
  const format = formatOfCode(type.value.elemType)
  if (format === undefined)
    throw new UnsupportedError(
      `${role} '${proto.name}': tensors of type ${nameOfCode(type.value.elemType)} are not handled. Export the model with float32 or float64.`,
    )
  return {
    name: proto.name,
    dtype: format.dtype,
    elementType: format.name,
    shape: type.value.shape?.dim.map((dim) => readDimension(dim.value, proto.name)),
  }
}

type DimensionProto =
  | { case: 'dimValue'; value: bigint }
  | { case: 'dimParam'; value: string }
  | { case: undefined; value?: undefined }

function readDimension(dim: DimensionProto, name: string): OnnxDimension {
  if (dim.case === 'dimParam') return dim.value === '' ? '?' : dim.value
  if (dim.case === undefined) return '?'
  // Some exporters write −1 for a dynamic axis.
  if (dim.value < 0n) return '?'
  if (dim.value > 2n ** 40n)
    throw new FormatError(
      `'${name}': a dimension must be at most 2^40, got ${dim.value}. The file is damaged or hostile.`,
    )
  return Number(dim.value)
}

export function readNode(proto: NodeProto, reading: NodeReading): RawNode {
  const domain = canonicalDomain(proto.domain)
  const label = nodeLabel({ op: proto.opType, domain, name: proto.name, outputs: proto.output })
  if (proto.opType === '') throw new FormatError(`${label}: a node has no operator. The file is damaged or truncated.`)
  if (proto.output.every((name) => name === ''))
    throw new FormatError(`${label}: a node has no output. The file is damaged or truncated.`)
  const attributes = new Map<string, OnnxAttribute>()
  const references = new Map<string, string>()
  for (const attribute of proto.attribute) {
    const where = `${label}, attribute '${attribute.name}'`
    if (attributes.has(attribute.name) || references.has(attribute.name))
      throw new FormatError(`${where}: it is given twice. The file is damaged.`)
    if (attribute.refAttrName !== '') references.set(attribute.name, attribute.refAttrName)
    else addAttribute(attributes, attribute, where, reading)
  }
  return {
    op: proto.opType,
    domain,
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes,
    opset: reading.opsets.get(domain) ?? 0,
    overload: proto.overload,
    references,
  }
}

/** The many spellings of a constant become one: the tensor attribute `value`. */
const constantSpellings: ReadonlySet<string> = new Set(['value_int', 'value_ints', 'value_float', 'value_floats'])

function addAttribute(
  attributes: Map<string, OnnxAttribute>,
  proto: AttributeProto,
  where: string,
  reading: NodeReading,
): void {
  if (constantSpellings.has(proto.name)) attributes.set('value', { kind: 'tensor', value: constantOf(proto) })
  else attributes.set(proto.name, readAttribute(proto, where, reading))
}

function constantOf(proto: AttributeProto): OnnxInitializer {
  switch (proto.name) {
    case 'value_int':
      return { tensor: { dtype: 'int64', shape: [], data: BigInt64Array.of(proto.i) }, elementType: 'int64' }
    case 'value_ints':
      return {
        tensor: { dtype: 'int64', shape: [proto.ints.length], data: BigInt64Array.from(proto.ints) },
        elementType: 'int64',
      }
    case 'value_float':
      return { tensor: tensorOf('float32', [], [proto.f]), elementType: 'float32' }
    default:
      return { tensor: tensorOf('float32', [proto.floats.length], proto.floats), elementType: 'float32' }
  }
}

export function readAttribute(proto: AttributeProto, where: string, reading: NodeReading): OnnxAttribute {
  switch (proto.type === AttributeType.UNDEFINED ? guessType(proto) : proto.type) {
    case AttributeType.FLOAT:
      return { kind: 'float', value: proto.f }
    case AttributeType.INT:
      return { kind: 'int', value: safeInteger(proto.i, where) }
    case AttributeType.STRING:
      return { kind: 'string', value: text(proto.s) }
    case AttributeType.FLOATS:
      return { kind: 'floats', value: proto.floats }
    case AttributeType.INTS:
      return { kind: 'ints', value: proto.ints.map((value) => safeInteger(value, where)) }
    case AttributeType.STRINGS:
      return { kind: 'strings', value: proto.strings.map(text) }
    case AttributeType.TENSOR:
      if (proto.t === undefined)
        throw new FormatError(`${where}: its tensor is missing. The file is damaged or truncated.`)
      return { kind: 'tensor', value: readTensor(proto.t, where, reading) }
    case AttributeType.GRAPH:
      if (proto.g === undefined)
        throw new FormatError(`${where}: its graph is missing. The file is damaged or truncated.`)
      return { kind: 'graph', value: readGraph(proto.g, where, reading) }
    default:
      throw new UnsupportedError(
        `${where}: attributes of type ${AttributeType[proto.type] ?? proto.type} are not read. Export the model with dense tensors only.`,
      )
  }
}

/** Files before IR version 2 state no type. */
function guessType(proto: AttributeProto): AttributeType {
  if (proto.t !== undefined) return AttributeType.TENSOR
  if (proto.g !== undefined) return AttributeType.GRAPH
  if (proto.floats.length > 0) return AttributeType.FLOATS
  if (proto.ints.length > 0) return AttributeType.INTS
  if (proto.strings.length > 0) return AttributeType.STRINGS
  if (proto.s.length > 0) return AttributeType.STRING
  return proto.f !== 0 ? AttributeType.FLOAT : AttributeType.INT
}

function safeInteger(value: bigint, where: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number))
    throw new FormatError(`${where}: integers must be below 2^53, got ${value}. The file is damaged.`)
  return number
}

function text(bytes: Uint8Array): string {
  return getTextEncoding().decodeUtf8(bytes)
}
