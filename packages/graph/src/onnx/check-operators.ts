import { FormatError, UnsupportedError } from '../core/errors.ts'
import { nodeLabel, type OnnxNode } from './model.ts'

const opsetMin = 11
const opsetMax = 22

const controlFlow: ReadonlySet<string> = new Set(['Loop', 'Scan', 'SequenceMap'])
const quantized: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
  'QLinearConv',
  'QLinearMatMul',
  'ConvInteger',
  'MatMulInteger',
])

/** Refuses nodes that no importer could handle, before anything is built from them.
 * @throws {UnsupportedError} naming the node, its operator, the reason and what to do. */
export function checkOperators(nodes: readonly OnnxNode[]): void {
  for (const node of nodes) {
    checkOperator(node)
    for (const attribute of node.attributes.values())
      if (attribute.kind === 'graph') checkOperators(attribute.value.nodes)
  }
}

function checkOperator(node: OnnxNode): void {
  const label = nodeLabel(node)
  if (isQuantized(node))
    throw new UnsupportedError(
      `${label}: quantized operators have no derivative, got ${node.op}. Export the model before quantization, in float32 or float64.`,
    )
  if (node.domain !== '')
    throw new UnsupportedError(
      `${label}: operators of the domain '${node.domain}' are not known, got ${node.op}. ` +
        'Export with standard ONNX operators, without fusing optimizations, or with the operator as a model-local function.',
    )
  checkOpset(node.opset, label)
  if (controlFlow.has(node.op))
    throw new UnsupportedError(
      `${label}: control flow is not differentiated, got ${node.op}. Export with fixed loop counts, so that the exporter unrolls them (in PyTorch: trace instead of script).`,
    )
  if (/^(Sequence|SplitToSequence|ConcatFromSequence|Optional)/.test(node.op))
    throw new UnsupportedError(
      `${label}: sequence and optional values are not handled, got ${node.op}. Export a model that passes plain tensors.`,
    )
}

function isQuantized(node: OnnxNode): boolean {
  return quantized.has(node.op) || (node.domain !== '' && /(^Q[A-Z])|Quantize|Integer|QAttention|NBits/.test(node.op))
}

/** @throws {UnsupportedError} if the version of the standard operator set is outside those read. */
export function checkOpset(opset: number, where: string): void {
  if (opset === 0)
    throw new FormatError(
      `${where}: the version of the standard operator set is not stated. The file is damaged or truncated.`,
    )
  if (opset < opsetMin || opset > opsetMax)
    throw new UnsupportedError(
      `${where}: operator sets ${opsetMin}…${opsetMax} are read, got ${opset}. Export again with opset_version=17, or convert with onnx.version_converter.`,
    )
}
