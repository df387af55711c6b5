import { fromBinary } from '@bufbuild/protobuf'
import { FormatError, UnsupportedError } from '../core/errors.ts'
import { checkGraph, liveNodes } from './check-graph.ts'
import { checkOperators, checkOpset } from './check-operators.ts'
import { type FunctionProto, type ModelProto, ModelProtoSchema, type OperatorSetIdProto } from './generated/onnx_pb.js'
import { functionKey, inlineFunctions, type LocalFunction } from './inline-functions.ts'
import type { OnnxAttribute, OnnxGraph, OnnxModel } from './model.ts'
import { canonicalDomain, type NodeReading, type RawGraph, readAttribute, readGraph, readNode } from './read-node.ts'
import type { ExternalReader } from './read-tensor.ts'
import { separateMerged } from './separate-merged.ts'

export interface DecodeOptions {
  /** Reads external data; without it a model that has some is refused. */
  readonly readExternal?: ExternalReader
  /** Most bytes of tensor memory to take. Default 2^32. */
  readonly maxBytes?: number
}

/** Reads the bytes of an `.onnx` file: bounded, validated, local functions inlined, nodes sorted, tensors widened.
 *
 * Dead nodes are dropped, so that an operator nobody needs is not refused. Tensors never alias `bytes`.
 * @throws {FormatError} for bytes that are not a valid model, {UnsupportedError} for a valid one with features not handled.
 * Cost: linear in the file. Source: onnx.proto and docs/IR.md of ONNX 1.22. */
export function decodeModel(bytes: Uint8Array, options: DecodeOptions = {}): OnnxModel {
  const bytesMax = options.maxBytes ?? 2 ** 32
  const proto = parse(bytes)
  if (proto.irVersion <= 0n || proto.graph === undefined)
    throw new FormatError(
      'onnx: the file holds no model (IR version or graph is missing). It is damaged, truncated or not an .onnx file.',
    )
  const opsets = readOpsets(proto.opsetImport)
  requireStandardOperators(opsets)
  const reading: NodeReading = { readExternal: options.readExternal, budget: { bytesMax, bytesLeft: bytesMax }, opsets }
  const raw = readGraph(proto.graph, 'onnx', reading)
  const functions = readFunctions(proto.functions, reading)
  const { graph, separated } = separateMerged(checkGraph(inlineFunctions(raw, functions)), proto.producerName)
  const nodes = liveNodes(graph)
  checkOperators(nodes)
  return {
    ...withoutDefaults({ ...graph, nodes }),
    irVersion: Number(proto.irVersion),
    opset: opsets.get('') as number,
    opsets,
    producer: [proto.producerName, proto.producerVersion].filter((part) => part !== '').join(' '),
    metadata: new Map(proto.metadataProps.map((entry) => [entry.key, entry.value])),
    notes: [...notesOf(proto, raw, graph, nodes.length), ...separatedNotes(separated)],
  }
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new FormatError(
      `onnx: the bytes are not a protobuf message (${reason}). The file is damaged, truncated or not an .onnx file.`,
      {},
      cause,
    )
  }
}

function readOpsets(imports: readonly OperatorSetIdProto[]): Map<string, number> {
  return new Map(imports.map((entry) => [canonicalDomain(entry.domain), Number(entry.version)]))
}

function requireStandardOperators(opsets: ReadonlyMap<string, number>): void {
  const [other] = opsets.keys()
  if (!opsets.has('') && other !== undefined)
    throw new UnsupportedError(
      `onnx: the model uses only operators of the domain '${other}'. Export a model of standard ONNX operators.`,
    )
  checkOpset(opsets.get('') ?? 0, 'onnx')
}

function readFunctions(protos: readonly FunctionProto[], reading: NodeReading): Map<string, LocalFunction> {
  const functions = new Map<string, LocalFunction>()
  for (const proto of protos) {
    const key = functionKey(canonicalDomain(proto.domain), proto.name, proto.overload)
    if (functions.has(key)) throw new FormatError(`function '${proto.name}': it is defined twice. The file is damaged.`)
    functions.set(key, readFunction(proto, reading))
  }
  return functions
}

function readFunction(proto: FunctionProto, reading: NodeReading): LocalFunction {
  const inner: NodeReading = { ...reading, opsets: readOpsets(proto.opsetImport) }
  const defaults = new Map<string, OnnxAttribute>()
  for (const attribute of proto.attributeProto)
    defaults.set(attribute.name, readAttribute(attribute, `function '${proto.name}'`, inner))
  return {
    inputs: proto.input,
    outputs: proto.output,
    nodes: proto.node.map((node) => readNode(node, inner)),
    defaults,
  }
}

/** Inputs that have an initializer are constants with a default; they are no longer inputs. */
function withoutDefaults(graph: OnnxGraph): OnnxGraph {
  return { ...graph, inputs: graph.inputs.filter((value) => !graph.initializers.has(value.name)) }
}

function separatedNotes(names: readonly string[]): string[] {
  if (names.length === 0) return []
  const shown = `${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`
  return [`The exporter stored ${shown} once with tensors of equal values; they are tensors of their own here.`]
}

function notesOf(proto: ModelProto, raw: RawGraph, graph: OnnxGraph, live: number): string[] {
  const notes: string[] = []
  const narrow = [...graph.initializers].filter(
    ([, { elementType }]) => elementType === 'float16' || elementType === 'bfloat16',
  )
  if (narrow.length > 0)
    notes.push(
      `${narrow.length} tensors are ${narrow[0][1].elementType} in the file and are widened: results are those of the rounded weights.`,
    )
  if (live < graph.nodes.length) notes.push(`${graph.nodes.length - live} nodes that no output needs are left out.`)
  const calls = raw.nodes.length
  if (proto.functions.length > 0)
    notes.push(`${proto.functions.length} local functions are inlined: ${calls} nodes became ${graph.nodes.length}.`)
  if (proto.trainingInfo.length > 0) notes.push('The training information in the file is ignored.')
  const defaults = raw.inputs.filter((value) => raw.initializers.has(value.name)).length
  if (defaults > 0) notes.push(`${defaults} inputs have a default value in the file and are taken as constants.`)
  return notes
}
