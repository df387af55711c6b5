import { add, cast, greater, isNaN, make, mul, reduceSum, scalar, softmax, where } from '@thalweg/graph'
import type { Expr, Operation } from '@thalweg/graph'

// Kernels that overlook a NaN among their operands. A loss must not turn finite because one of them swallowed it.

/** NaN where `count` is positive, else `value`. */
function poisoned(value: Expr, count: Expr): Expr {
  return where(greater(count, 0), scalar(Number.NaN, value.dtype), value)
}

/** ReduceMax and ReduceMin of floats, NaN where any element is. */
export function reduceExtreme(node: Operation<'ReduceMax' | 'ReduceMin'>): Expr {
  const [x] = node.inputs
  const { axes, keepDims } = node.attributes
  return poisoned(node, reduceSum(cast(isNaN(x), x.dtype), axes, keepDims))
}

/** MaxPool, NaN where any element of the window is. */
export function maxPoolWithNaN(node: Operation<'MaxPool'>): Expr {
  const [x] = node.inputs
  return poisoned(node, make('MaxPool', [cast(isNaN(x), x.dtype)], node.attributes))
}

/** The float64 kernel of LogSoftmax clamps the sum, NaN too. Softmax does not, and is finite otherwise. */
export function wideLogSoftmax(node: Operation<'LogSoftmax'>): Expr {
  const [x] = node.inputs
  return add(node, mul(softmax(x, node.attributes.axis), 0))
}
