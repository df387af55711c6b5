import { abs, add, div, equal, mul, reciprocal, sqrt, sub, where } from '../../build/elementwise.ts'
import { batchNormalization, groupNormalization, instanceNormalization } from '../../build/normalization.ts'
import { layerNormalization, localResponseNormalization } from '../../build/normalization.ts'
import { reduceMean, reduceSum, reduceVariance } from '../../build/reduction.ts'
import { gather } from '../../build/indexing.ts'
import { int64 } from '../../build/structure.ts'
import type { Expr } from '../../core/expr.ts'
import { normalizeAxis, range } from '../../core/shape.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

/** Inference with running statistics, or by those of the batch where the caller asks for them. What the file itself says
 * about training mode is refused: it would change the running statistics. */
function batchNorm(call: OperatorCall): Expr {
  call.ignore('momentum')
  const training = call.opset >= 14 ? call.flag('training_mode') : false
  if (training || [1, 2, 3, 4].some((i) => call.wants(i)))
    throw call.unsupported(
      'batch normalization in training mode is not handled',
      'Export the model in evaluation mode (model.eval()).',
    )
  const [x, scale, shift, storedMean, storedVariance] = range(5).map((i) => call.input(i))
  const axes = range(x.shape.length).filter((axis) => axis !== 1)
  const { batchStatistics } = call.context
  const mean = batchStatistics ? reduceMean(x, axes) : storedMean
  const variance = batchStatistics ? reduceVariance(x, axes) : storedVariance
  return batchNormalization(x, scale, shift, mean, variance, call.float('epsilon', 1e-5))
}

/** Outputs: result, mean, inverse standard deviation; the latter two over the normalized axes, kept with length 1. */
function layerNorm(call: OperatorCall): readonly Expr[] {
  call.ignore('stash_type')
  const x = call.input(0)
  const axis = normalizeAxis(call.label, call.int('axis', -1), x.shape.length)
  const epsilon = call.float('epsilon', 1e-5)
  const y = layerNormalization(x, call.input(1), call.optional(2), axis, epsilon)
  if (!call.wants(1) && !call.wants(2)) return [y]
  const axes = range(x.shape.length).slice(axis)
  return [y, reduceMean(x, axes, true), reciprocal(sqrt(add(reduceVariance(x, axes, true), epsilon)))]
}

/** Until opset 20 scale and shift were per group. */
function groupNorm(call: OperatorCall): Expr {
  call.ignore('stash_type')
  const x = call.input(0)
  const groups = call.int('num_groups')
  if (!(groups > 0) || x.shape[1] % groups !== 0)
    throw call.malformed(`num_groups must divide the ${x.shape[1]} channels, got ${groups}`)
  const perChannel = (v: Expr): Expr => {
    if (v.shape[0] === x.shape[1]) return v
    const size = x.shape[1] / groups
    return gather(v, int64(range(x.shape[1]).map((channel) => Math.floor(channel / size))), 0)
  }
  return groupNormalization(
    x,
    groups,
    perChannel(call.input(1)),
    perChannel(call.input(2)),
    call.float('epsilon', 1e-5),
  )
}

function lpNormalization(call: OperatorCall): Expr {
  const x = call.input(0)
  const axis = normalizeAxis(call.label, call.int('axis', -1), x.shape.length)
  const p = call.int('p', 2)
  if (p !== 1 && p !== 2) throw call.malformed(`p must be 1 or 2, got ${p}`)
  const powers = reduceSum(p === 1 ? abs(x) : mul(x, x), [axis], true)
  // A zero vector stays zero (ONNX 22), and so does its gradient: the root is never taken at 0.
  const safe = where(equal(powers, 0), 1, powers)
  return div(x, p === 1 ? safe : sqrt(safe))
}

function meanVariance(call: OperatorCall): Expr {
  const x = call.input(0)
  const axes = call.ints('axes') ?? [0, 2, 3]
  const centered = sub(x, reduceMean(x, axes, true))
  // The standard's own expansion: 1e-9 is added to the deviation, not to the variance.
  return div(centered, add(sqrt(reduceMean(mul(centered, centered), axes, true)), 1e-9))
}

/** Normalizations. */
export const normalization: OperatorFamily = {
  BatchNormalization: batchNorm,
  InstanceNormalization: (call) =>
    instanceNormalization(call.input(0), call.input(1), call.input(2), call.float('epsilon', 1e-5)),
  LayerNormalization: layerNorm,
  GroupNormalization: groupNorm,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVariance,
  LRN: (call) =>
    localResponseNormalization(
      call.input(0),
      call.int('size'),
      call.float('alpha', 1e-4),
      call.float('beta', 0.75),
      call.float('bias', 1),
    ),
}
