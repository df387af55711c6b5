import { prepareGraph } from '@thalweg/engine'
import { castTensor, constant, exportOnnx, rebuild, sizeOf, tensor, withOperands } from '@thalweg/graph'
import type { Expr, FloatDType, Graph, Tensor } from '@thalweg/graph'
import { derivativeGraph, parameterRanges, unflattenParameters } from '@thalweg/landscape'
import type { DerivativeName, DerivativeOptions, DerivativeValue } from '@thalweg/landscape'
import { encodeNpz } from '../formats/npz.ts'

export interface DerivativeFile {
  /** The `.onnx` file: standard operators only, operator set 17. */
  readonly bytes: Uint8Array
  /** An `.npz` file with the parameters under the names of the inputs. */
  readonly parameters: Uint8Array
  readonly inputs: readonly DerivativeValue[]
  readonly outputs: readonly DerivativeValue[]
}

/** The loss of a model, or a derivative of it, as a file that any ONNX runtime runs, with the point θ beside it.
 *
 * Metadata: `thalweg.what`, `thalweg.loss` (name, reduction, options, weight decay), `thalweg.layout` (where each parameter
 * lies in θ), `thalweg.inputs` and `thalweg.outputs` (name, dtype, shape, meaning), `thalweg.notes`; JSON but for the first.
 * @throws {UnsupportedError} above 2 GiB. */
export function exportDerivative(
  what: DerivativeName,
  theta: Float64Array,
  options: DerivativeOptions,
): DerivativeFile {
  const { model, spec, weightDecay = 0 } = options
  const { graph, inputs, outputs } = derivativeGraph(what, options)
  const layout = parameterRanges(model).map(({ parameter, start, end }) => ({
    name: parameter.name,
    shape: parameter.shape,
    start,
    end,
  }))
  const about: Readonly<Record<string, unknown>> = {
    'thalweg.loss': what === 'outputs' || what === 'jvp' ? null : { ...spec, weightDecay },
    'thalweg.layout': layout,
    'thalweg.inputs': inputs,
    'thalweg.outputs': outputs,
    'thalweg.notes': model.notes,
  }
  const metadata = new Map([
    ['thalweg.what', what],
    ...Object.entries(about).map(([key, value]) => [key, JSON.stringify(value)] as const),
  ])
  return {
    bytes: exportOnnx(withWideFactors(prepareGraph(graph)), { name: model.name, metadata }),
    parameters: encodeNpz(parameterArrays(theta, options)),
    inputs,
    outputs,
  }
}

function parameterArrays(theta: Float64Array, { model, dtype, parameters }: DerivativeOptions): Record<string, Tensor> {
  const cast = (value: Tensor, to: FloatDType): Tensor => castTensor(value, to)
  if (parameters === 'flat') return { theta: cast(tensor('float64', [theta.length], theta), dtype) }
  return Object.fromEntries(
    Object.entries(unflattenParameters(model, theta)).map(([name, value]) => [name, cast(value, dtype)]),
  )
}

/** The graph with every float64 factor that is one number written as a row of equal numbers. ONNX Runtime folds such a factor
 * of a product into a float32 attribute (its MatMulScaleFusion), which costs half the digits; a row it leaves alone. */
function withWideFactors(graph: Graph): Graph {
  const names = Object.keys(graph.outputs)
  const outputs = rebuild(Object.values(graph.outputs), (node, operands) => {
    const made = withOperands(node, operands)
    if ((made.op !== 'Mul' && made.op !== 'Div') || made.dtype !== 'float64') return made
    const wide = made.inputs.map((x) => widened(x, made.shape))
    return withOperands(made, wide)
  })
  return { inputs: graph.inputs, outputs: Object.fromEntries(names.map((name, i) => [name, outputs[i]])) }
}

/** A constant of one element along the longest axis of the result. */
function widened(x: Expr, shape: readonly number[]): Expr {
  const longest = shape.indexOf(Math.max(...shape))
  if (x.op !== 'Constant' || sizeOf(x.shape) !== 1 || longest < 0 || shape[longest] === 1) return x
  const data = new Float64Array(shape[longest]).fill(Number(x.attributes.value.data[0]))
  return constant(
    tensor(
      'float64',
      shape.map((d, i) => (i === longest ? d : 1)),
      data,
    ),
  )
}
