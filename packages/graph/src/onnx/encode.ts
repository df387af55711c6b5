import { create, toBinary } from '@bufbuild/protobuf'
import { getTextEncoding } from '@bufbuild/protobuf/wire'
import { UnsupportedError } from '../core/errors.ts'
import type { Tensor } from '../core/tensor.ts'
import { codeOf } from './element-type.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.js'
import type { OnnxAttribute, OnnxDimension, OnnxInitializer, OnnxNode, OnnxValue } from './model.ts'

/** What is written: a graph, and the operator sets that its nodes use. */
export interface OnnxModelToWrite {
  readonly name?: string
  readonly inputs: readonly Pick<OnnxValue, 'name' | 'dtype' | 'shape'>[]
  readonly outputs: readonly Pick<OnnxValue, 'name' | 'dtype' | 'shape'>[]
  readonly initializers: ReadonlyMap<string, Tensor | OnnxInitializer>
  readonly nodes: readonly OnnxNodeToWrite[]
  /** Default 17, which ONNX Runtime and every exporter of the last years read. */
  readonly opset?: number
  /** Versions of further domains, such as `com.microsoft` → 1. */
  readonly opsets?: ReadonlyMap<string, number>
  /** Default 8, that of ONNX 1.12: the lowest that has local functions and operator set 17. */
  readonly irVersion?: number
  readonly producer?: string
  readonly metadata?: ReadonlyMap<string, string>
}

export interface OnnxNodeToWrite {
  readonly op: string
  readonly domain?: string
  readonly name?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: ReadonlyMap<string, OnnxAttribute>
}

/** Largest message that protobuf implementations agree to read. */
const bytesMax = 2 ** 31 - 1

/** The bytes of an `.onnx` file. The same model gives the same bytes; tensors are written as they are held.
 * @throws {UnsupportedError} if the tensors exceed the 2 GiB of a protobuf message. */
export function encodeModel(model: OnnxModelToWrite): Uint8Array {
  const opsets = [...(model.opsets ?? [])].filter(([domain]) => domain !== '').sort(([a], [b]) => (a < b ? -1 : 1))
  let bytes = 0
  for (const value of model.initializers.values()) bytes += tensorOfInitializer(value).data.byteLength
  if (bytes > bytesMax)
    throw new UnsupportedError(
      `encodeModel: a file holds at most 2 GiB, got ${bytes} bytes of tensors. Use fewer parameters or float32.`,
    )
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(model.irVersion ?? 8),
    producerName: model.producer ?? 'thalweg',
    graph: writeGraph({ ...model, name: model.name ?? 'graph' }),
    metadataProps: [...(model.metadata ?? [])].map(([key, value]) => ({ key, value })),
    opsetImport: [
      { domain: '', version: BigInt(model.opset ?? 17) },
      ...opsets.map(([domain, version]) => ({ domain, version: BigInt(version) })),
    ],
  })
  return toBinary(ModelProtoSchema, proto)
}

type GraphToWrite = Pick<OnnxModelToWrite, 'inputs' | 'outputs' | 'initializers' | 'nodes'> & { readonly name: string }

function writeGraph(graph: GraphToWrite): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name,
    node: graph.nodes.map(writeNode),
    initializer: [...graph.initializers].map(([name, value]) => writeTensor(name, tensorOfInitializer(value))),
    input: graph.inputs.map(writeValue),
    output: graph.outputs.map(writeValue),
  })
}

function tensorOfInitializer(value: Tensor | OnnxInitializer): Tensor {
  return 'tensor' in value ? value.tensor : value
}

function writeNode(node: OnnxNodeToWrite | OnnxNode): NodeProto {
  return create(NodeProtoSchema, {
    opType: node.op,
    domain: node.domain ?? '',
    name: node.name ?? '',
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...(node.attributes ?? [])].map(([name, value]) => writeAttribute(name, value)),
  })
}

function writeAttribute(name: string, attribute: OnnxAttribute): AttributeProto {
  switch (attribute.kind) {
    case 'float':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: attribute.value })
    case 'int':
      return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(attribute.value) })
    case 'string':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: utf8(attribute.value) })
    case 'floats':
      return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...attribute.value] })
    case 'ints':
      return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: attribute.value.map(BigInt) })
    case 'strings':
      return create(AttributeProtoSchema, { name, type: AttributeType.STRINGS, strings: attribute.value.map(utf8) })
    case 'graph':
      return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: writeGraph(attribute.value) })
    default:
      return create(AttributeProtoSchema, {
        name,
        type: AttributeType.TENSOR,
        t: writeTensor('', attribute.value.tensor),
      })
  }
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(getTextEncoding().encodeUtf8(text))
}

function writeTensor(name: string, value: Tensor): TensorProto {
  const { data } = value
  // `raw_data` is little-endian, as is every machine that JavaScript runs on today.
  const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
  return create(TensorProtoSchema, { name, dims: value.shape.map(BigInt), dataType: codeOf(value.dtype), rawData })
}

function writeValue(value: Pick<OnnxValue, 'name' | 'dtype' | 'shape'>): ValueInfoProto {
  const shape = value.shape === undefined ? undefined : { dim: value.shape.map(writeDimension) }
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: { value: { case: 'tensorType', value: { elemType: codeOf(value.dtype), shape } } },
  })
}

type DimensionInit = {
  value: { case: 'dimValue'; value: bigint } | { case: 'dimParam'; value: string } | { case: undefined }
}

function writeDimension(dim: OnnxDimension): DimensionInit {
  if (dim === '?') return { value: { case: undefined } }
  return {
    value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
  }
}
