import { and, expand, make, not, or, rebuild, reshape, sizeOf, withOperands } from '@thalweg/graph'
import type { Expr, Graph, Operation } from '@thalweg/graph'
import { ChannelsLast } from './channels-last.ts'
import { convByColumns, inputGradientByColumns, weightGradientByColumns } from './columns.ts'
import { convByPatches, inputGradientByConv, weightGradientByTaps } from './convolution.ts'
import { maxPoolWithNaN, reduceExtreme, wideLogSoftmax } from './nan.ts'
import { atanComposition, erfComposition, sigmoidComposition, softplusComposition } from './special-functions.ts'

/** A graph of operators that ONNX Runtime has kernels for, with the same meaning.
 *
 * The pass runs once, after differentiation and before emission. Its rules replace adjoints that ONNX has no operator
 * for, kernels missing in float64 or bool, and kernels that hide a NaN. */
export function lower(graph: Graph): Graph {
  const names = Object.keys(graph.outputs)
  const outputs = lowerAll(Object.values(graph.outputs))
  return { inputs: graph.inputs, outputs: Object.fromEntries(names.map((n, i) => [n, outputs[i]])) }
}

export function lowerAll(roots: readonly Expr[]): Expr[] {
  const layout = new ChannelsLast()
  const byRule = (node: Expr): Expr => lowerNode(node, layout)
  return rebuild(roots, (original, operands) => {
    const node = withOperands(original, operands)
    return layout.follow(node, byRule) ?? byRule(node)
  })
}

function lowerNode(node: Expr, layout: ChannelsLast): Expr {
  const wide = node.dtype === 'float64'
  const [x] = node.inputs
  switch (node.op) {
    case 'Conv':
      return lowerConv(node, layout)
    case 'ConvInputGradient':
      return lowerInputGradient(node, layout)
    case 'ConvWeightGradient':
      return wide && node.attributes.groups === 1 ? weightGradientByColumns(node, layout) : weightGradientByTaps(node)
    case 'Softplus':
      return wide ? softplusComposition(x) : node
    case 'Sigmoid':
      return wide ? sigmoidComposition(x) : node
    case 'Erf':
      return wide ? erfComposition(x) : node
    case 'Atan':
      return wide ? atanComposition(x) : node
    case 'LogSoftmax':
      return wide ? wideLogSoftmax(node) : node
    case 'ReduceMax':
    case 'ReduceMin':
      return node.attributes.axes.length === 0 ? x : node.dtype === 'int64' ? node : reduceExtreme(node)
    case 'ReduceSum':
    case 'ReduceLogSumExp':
      // no axes means all of them to ONNX
      return node.attributes.axes.length === 0 ? x : node
    case 'MaxPool':
      return maxPoolWithNaN(node)
    case 'Where':
      return node.dtype === 'bool' ? chosen(node) : node
    case 'ScatterAdd':
      return lowerScatter(node)
    case 'Expand':
      return x.op === 'Expand' ? expand(x.inputs[0], node.shape) : node
    default:
      return node
  }
}

/** (c ∧ a) ∨ (¬c ∧ b) */
function chosen({ inputs: [condition, a, b] }: Operation<'Where'>): Expr {
  return or(and(condition, a), and(not(condition), b))
}

function lowerConv(node: Operation<'Conv'>, layout: ChannelsLast): Expr {
  if (node.dtype !== 'float64') return node
  if (node.attributes.groups === 1) return convByColumns(node, layout)
  return convByPatches(node.inputs[0], node.inputs[1], node.attributes, node.shape)
}

/** Stride 1 runs as a Conv at forward speed; other strides keep ConvTranspose where there is a kernel for it. */
function lowerInputGradient(node: Operation<'ConvInputGradient'>, layout: ChannelsLast): Expr {
  const strided = node.attributes.strides.some((s) => s !== 1)
  if (strided && node.dtype !== 'float64') return node
  if (strided && node.attributes.groups === 1) return inputGradientByColumns(node, layout)
  const forward = inputGradientByConv(node)
  return forward.op === 'Conv' ? lowerConv(forward, layout) : forward
}

/** ScatterND is the fast kernel, but its threads race where an index comes twice, and it adds along the first axis only.
 * ScatterElements goes one by one: slower, and the same sum every time. */
function lowerScatter(node: Operation<'ScatterAdd'>): Expr {
  const { axis, size } = node.attributes
  const [indices, updates] = node.inputs
  const count = sizeOf(indices.shape)
  const after = sizeOf(node.shape.slice(axis + 1))
  if (axis === 0 && areDistinct(indices)) return node
  const shape = [sizeOf(node.shape.slice(0, axis)), count, after]
  const positions = expand(reshape(indices, [1, count, 1]), shape)
  return reshape(make('ScatterElementsAdd', [positions, reshape(updates, shape)], { axis: 1, size }), node.shape)
}

function areDistinct(indices: Expr): boolean {
  if (indices.op !== 'Constant') return false
  const values = indices.attributes.value.data as BigInt64Array
  return values.every((v) => v >= 0n) && new Set(values).size === values.length
}
