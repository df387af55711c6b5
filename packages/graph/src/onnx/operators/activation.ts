import {
  celu,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  mish,
  selu,
  shrink,
  softsign,
  thresholdedRelu,
} from '../../build/activation.ts'
import { cast, greater, relu, where } from '../../build/elementwise.ts'
import { oneHot } from '../../build/indexing.ts'
import { argMax, logSoftmax, softmax } from '../../build/reduction.ts'
import { flatten, full, moveAxis, reshape } from '../../build/structure.ts'
import type { Expr } from '../../core/expr.ts'
import { normalizeAxis } from '../../core/shape.ts'
import type { OperatorCall, OperatorFamily, OperatorImporter } from '../operator-call.ts'

/** Before opset 13 the axes from `axis` (default 1) on were one; since then it is one axis (default −1). */
const alongAxis =
  (build: (x: Expr, axis: number) => Expr): OperatorImporter =>
  (call) => {
    const x = call.input(0)
    if (call.opset >= 13) return build(x, normalizeAxis(call.label, call.int('axis', -1), x.shape.length))
    const axis = normalizeAxis(call.label, call.int('axis', 1), x.shape.length)
    return axis === x.shape.length - 1 ? build(x, axis) : reshape(build(flatten(x, axis), 1), x.shape)
  }

function hardmax(x: Expr, axis: number): Expr {
  return moveAxis(oneHot(argMax(x, axis), x.shape[axis], x.dtype), x.shape.length - 1, axis)
}

/** ONNX rounds its default constants to 32 bits; the paper's, which PyTorch uses, are meant. */
function seluOf(call: OperatorCall): Expr {
  const [alpha, gamma] = [call.float('alpha', 1.6732632423543772), call.float('gamma', 1.0507009873554805)]
  const exact = Math.abs(alpha - 1.6732632423543772) < 1e-6 && Math.abs(gamma - 1.0507009873554805) < 1e-6
  return exact ? selu(call.input(0)) : selu(call.input(0), alpha, gamma)
}

/** Inference: the identity. A mask, where asked for, keeps everything. */
function dropout(call: OperatorCall): readonly Expr[] {
  call.ignore('seed', 'ratio')
  const x = call.input(0)
  const training = call.opset >= 12 && call.optional(2) !== undefined && call.number(2, 'training_mode') !== 0
  if (training && (call.optional(1) === undefined || call.number(1, 'the ratio') !== 0))
    throw call.unsupported(
      'dropout in training mode draws random numbers',
      'Export the model in evaluation mode (model.eval()).',
    )
  return call.wants(1) ? [x, cast(full('int64', x.shape, 1), 'bool')] : [x]
}

function geluOf(call: OperatorCall): Expr {
  const approximate = call.string('approximate', 'none')
  if (approximate !== 'none' && approximate !== 'tanh')
    throw call.malformed(`approximate must be none or tanh, got '${approximate}'`)
  return gelu(call.input(0), approximate)
}

/** Activation functions and their relatives. */
export const activation: OperatorFamily = {
  Relu: (call) =>
    call.input(0).dtype === 'int64' ? where(greater(call.input(0), 0), call.input(0), 0) : relu(call.input(0)),
  LeakyRelu: (call) => leakyRelu(call.input(0), call.float('alpha', 0.01)),
  PRelu: (call) => leakyRelu(call.input(0), call.input(1)),
  Elu: (call) => elu(call.input(0), call.float('alpha', 1)),
  Selu: seluOf,
  Celu: (call) => celu(call.input(0), call.float('alpha', 1)),
  HardSigmoid: (call) => hardSigmoid(call.input(0), call.float('alpha', 0.2), call.float('beta', 0.5)),
  HardSwish: (call) => hardSwish(call.input(0)),
  Mish: (call) => mish(call.input(0)),
  Softsign: (call) => softsign(call.input(0)),
  ThresholdedRelu: (call) => thresholdedRelu(call.input(0), call.float('alpha', 1)),
  Shrink: (call) => shrink(call.input(0), call.float('lambd', 0.5), call.float('bias', 0)),
  Gelu: geluOf,
  Softmax: alongAxis(softmax),
  LogSoftmax: alongAxis(logSoftmax),
  Hardmax: alongAxis(hardmax),
  Dropout: dropout,
}
