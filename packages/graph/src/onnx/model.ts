import type { DType, Tensor } from '../core/tensor.ts'

/** Element types of ONNX tensors that Thalweg reads; each is widened to one of its own dtypes: floats of 16 bits to float32,
 * integers to int64. */
export type OnnxElementType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool'

/** A dimension: a number, or the name of a dynamic axis such as `batch` (`?` where the file gives no name). */
export type OnnxDimension = number | string

/** A graph input or output. `shape` is undefined where the file does not state even the rank. */
export interface OnnxValue {
  readonly name: string
  readonly dtype: DType
  readonly elementType: OnnxElementType
  readonly shape: readonly OnnxDimension[] | undefined
}

/** A constant of the file, with the element type that it had there. */
export interface OnnxInitializer {
  readonly tensor: Tensor
  readonly elementType: OnnxElementType
}

export type OnnxAttribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: OnnxInitializer }
  | { readonly kind: 'graph'; readonly value: OnnxGraph }

/** One operator call. An empty name among inputs or outputs means that an optional one is absent. */
export interface OnnxNode {
  readonly op: string
  /** '' is the standard domain ai.onnx. */
  readonly domain: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
  /** Version of the operator set of `domain` that holds where the node was written (a function may differ from its model). */
  readonly opset: number
}

/** Nodes in topological order. In the branch of an `If`, names may also refer to values of the graph around it. */
export interface OnnxGraph {
  readonly name: string
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly initializers: ReadonlyMap<string, OnnxInitializer>
  readonly nodes: readonly OnnxNode[]
}

/** A validated model: names resolved, nodes sorted, local functions inlined, tensors widened. */
export interface OnnxModel extends OnnxGraph {
  readonly irVersion: number
  /** Version of the standard operator set. */
  readonly opset: number
  readonly opsets: ReadonlyMap<string, number>
  readonly producer: string
  readonly metadata: ReadonlyMap<string, string>
  /** What reading changed or ignored, in words for the user. */
  readonly notes: readonly string[]
}

/** How messages call a node: its name, or its operator and output where it has none. */
export function nodeLabel(node: Pick<OnnxNode, 'op' | 'domain' | 'name' | 'outputs'>): string {
  const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`
  if (node.name !== '') return `node '${node.name}' (${op})`
  return `node ${op} -> '${node.outputs.find((name) => name !== '') ?? ''}'`
}
