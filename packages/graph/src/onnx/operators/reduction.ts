import { and, cast, equal, exp, greater, less, log, neg, or, sub } from '../../build/elementwise.ts'
import { gatherElements } from '../../build/indexing.ts'
import {
  argMax,
  cumSum,
  type Reducer,
  reduceL1,
  reduceL2,
  reduceLogSum,
  reduceLogSumExp,
  reduceMax,
} from '../../build/reduction.ts'
import { reduceMean, reduceMin, reduceProd, reduceSum, reduceSumSquare } from '../../build/reduction.ts'
import { full, moveAxis, sliceAxis, unsqueeze } from '../../build/structure.ts'
import { constant } from '../../core/expr.ts'
import type { Expr } from '../../core/expr.ts'
import { normalizeAxes, normalizeAxis, range } from '../../core/shape.ts'
import { isFloat, tensorOf } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily, OperatorImporter } from '../operator-call.ts'

/** Axes are an attribute below `since`, an input from it on; none named means all, unless told to do nothing. */
const reduce =
  (build: Reducer, empty: number | undefined, since = 18): OperatorImporter =>
  (call) => {
    const x = call.input(0)
    const asInput = call.opset >= since
    const axes = asInput ? call.optionalNumbers(1, 'axes') : call.ints('axes')
    const keep = call.flag('keepdims', true)
    const nothing = axes === undefined || axes.length === 0
    if (nothing && asInput && call.flag('noop_with_empty_axes')) return x
    if (asInput) call.ignore('noop_with_empty_axes')
    return overNothing(x, nothing ? undefined : axes, keep, empty) ?? build(x, nothing ? undefined : axes, keep)
  }

/** The neutral element, where an axis without elements is reduced. */
function overNothing(
  x: Expr,
  axes: readonly number[] | undefined,
  keepDims: boolean,
  empty: number | undefined,
): Expr | undefined {
  const at = axes === undefined ? range(x.shape.length) : normalizeAxes('reduce', axes, x.shape.length)
  if (empty === undefined || at.every((axis) => x.shape[axis] > 0)) return undefined
  const shape = x.shape.flatMap((d, i) => (at.includes(i) ? (keepDims ? [1] : []) : [d]))
  return full(x.dtype, shape, empty)
}

/** log Σ exp of integers is computed in floats and truncated, as the reference does. */
const logSumExp: Reducer = (x, axes, keepDims) =>
  isFloat(x.dtype)
    ? reduceLogSumExp(x, axes, keepDims)
    : cast(log(reduceSum(exp(cast(x, 'float64')), axes, keepDims)), x.dtype)

/** Bools are compared as 0 and 1. */
const overBools =
  (build: Reducer): Reducer =>
  (x, axes, keepDims) =>
    x.dtype === 'bool' ? cast(build(cast(x, 'int64'), axes, keepDims), 'bool') : build(x, axes, keepDims)

const argument =
  (direction: 'max' | 'min'): OperatorImporter =>
  (call) => {
    const x = direction === 'max' ? call.input(0) : neg(call.input(0))
    const axis = normalizeAxis(call.label, call.int('axis', 0), x.shape.length)
    const keep = call.flag('keepdims', true)
    if (!call.flag('select_last_index')) return argMax(x, axis, keep)
    const last = x.shape[axis] - 1
    return sub(last, argMax(sliceAxis(x, axis, last, -last - 2, -1), axis, keep))
  }

function cumulative(call: OperatorCall): Expr {
  const axis = call.number(1, 'axis')
  return cumSum(call.input(0), axis, call.flag('exclusive'), call.flag('reverse'))
}

const topKMax = 2048

/** The k largest (or smallest) along an axis, in order. Without a sort in the graph, positions are counted:
 * the rank of an element is the number of those before it in the order; ties go by position. O(length²). */
function topK(call: OperatorCall): readonly Expr[] {
  const x = call.input(0)
  const axis = normalizeAxis(call.label, call.int('axis', -1), x.shape.length)
  const k = call.number(1, 'K')
  const length = x.shape[axis]
  call.ignore('sorted')
  if (k < 0 || k > length) throw call.malformed(`K must be in 0…${length}, got ${k}`)
  if (length > topKMax)
    throw call.unsupported(
      `TopK over more than ${topKMax} elements is not handled, got ${length}`,
      'Split the axis or leave it out of the exported model.',
    )
  const last = moveAxis(call.flag('largest', true) ? x : neg(x), axis, x.shape.length - 1)
  const [own, other] = [unsqueeze(last, [last.shape.length]), unsqueeze(last, [last.shape.length - 1])]
  const earlier = less(positions([1, length]), positions([length, 1]))
  const before = or(greater(other, own), and(equal(other, own), earlier))
  const rank = reduceSum(cast(before, 'int64'), [last.shape.length])
  const hits = cast(equal(unsqueeze(rank, [last.shape.length]), positions([k])), 'float32')
  const indices = moveAxis(argMax(hits, last.shape.length - 1), last.shape.length - 1, axis)
  return [gatherElements(x, indices, axis), indices]
}

/** 0, 1, … along the one long axis of a shape, int64. */
function positions(shape: readonly number[]): Expr {
  return constant(tensorOf('int64', shape, range(Math.max(...shape))))
}

/** Reductions, scans and selections along axes. */
export const reduction: OperatorFamily = {
  ReduceSum: reduce(reduceSum, 0, 13),
  ReduceMean: reduce(reduceMean, undefined),
  ReduceMax: reduce(overBools(reduceMax), Number.NEGATIVE_INFINITY),
  ReduceMin: reduce(overBools(reduceMin), Number.POSITIVE_INFINITY),
  ReduceProd: reduce(reduceProd, 1),
  ReduceL1: reduce(reduceL1, 0),
  ReduceL2: reduce(reduceL2, 0),
  ReduceLogSum: reduce(reduceLogSum, Number.NEGATIVE_INFINITY),
  ReduceLogSumExp: reduce(logSumExp, Number.NEGATIVE_INFINITY),
  ReduceSumSquare: reduce(reduceSumSquare, 0),
  ArgMax: argument('max'),
  ArgMin: argument('min'),
  CumSum: cumulative,
  TopK: topK,
}
