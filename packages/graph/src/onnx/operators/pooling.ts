import { abs, add, cast, mul, pow, sqrt } from '../../build/elementwise.ts'
import { averagePool, globalAveragePool, maxPool } from '../../build/contraction.ts'
import { reduceMax, reduceSum } from '../../build/reduction.ts'
import { pad } from '../../build/structure.ts'
import { constant } from '../../core/expr.ts'
import type { Expr } from '../../core/expr.ts'
import { make } from '../../core/make.ts'
import { range } from '../../core/shape.ts'
import { isFloat, sizeOf, tensorOf } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily, OperatorImporter } from '../operator-call.ts'
import { readWindow, type Window } from './convolution.ts'

interface PoolWindow extends Window {
  /** Padding at the end that only `ceil_mode` needs; it never counts as elements. */
  readonly extra: readonly number[]
}

function poolWindow(call: OperatorCall, x: Expr, dilated: boolean): PoolWindow {
  const spatial = x.shape.slice(2)
  const kernel = call.ints('kernel_shape')
  if (kernel === undefined) throw call.malformed("the attribute 'kernel_shape' is missing")
  const window = readWindow(call, spatial, kernel, dilated)
  const extra = call.flag('ceil_mode') ? spatial.map((d, i) => ceilPadding(d, i, window)) : spatial.map(() => 0)
  return { ...window, extra }
}

/** Windows that overhang the end are kept, unless they start in the padding. */
function ceilPadding(length: number, i: number, { kernel, strides, dilations, padsBegin, padsEnd }: Window): number {
  const span = (kernel[i] - 1) * dilations[i] + 1
  const total = length + padsBegin[i] + padsEnd[i]
  let windows = Math.ceil((total - span) / strides[i]) + 1
  if ((windows - 1) * strides[i] >= length + padsBegin[i]) windows--
  return Math.max(0, (windows - 1) * strides[i] + span - total)
}

function withExtra(window: PoolWindow): Window {
  return { ...window, padsEnd: window.padsEnd.map((p, i) => p + window.extra[i]) }
}

function maxPooled(call: OperatorCall): readonly Expr[] {
  const x = call.input(0)
  const floats = isFloat(x.dtype) ? x : cast(x, 'float64')
  const { kernel, strides, dilations, padsBegin, padsEnd } = withExtra(poolWindow(call, x, true))
  const byColumns = call.flag('storage_order')
  const y = cast(maxPool(floats, kernel, { strides, dilations, padsBegin, padsEnd }), x.dtype)
  if (!call.wants(1)) return [y]
  if (byColumns) throw call.unsupported('indices in column-major order are not handled', 'Export with storage_order=0.')
  const inPlane = make('MaxPoolIndices', [floats], { kernel, strides, dilations, padsBegin, padsEnd })
  const planes = x.shape[0] * x.shape[1]
  const offsets = tensorOf(
    'int64',
    [x.shape[0], x.shape[1], ...kernel.map(() => 1)],
    range(planes).map((p) => p * sizeOf(x.shape.slice(2))),
  )
  return [y, add(inPlane, constant(offsets))]
}

/** Dilations exist from opset 19 on. */
function averagePooled(call: OperatorCall): Expr {
  const x = call.input(0)
  const window = poolWindow(call, x, call.opset >= 19)
  const { kernel, strides, dilations } = window
  if (!call.flag('count_include_pad')) return averagePool(x, kernel, withExtra(window))
  // Real padding counts, that of ceil_mode does not.
  const grown = pad(x, [0, 0, ...window.padsBegin], [0, 0, ...window.padsEnd])
  const none = kernel.map(() => 0)
  return averagePool(grown, kernel, { strides, dilations, padsBegin: none, padsEnd: window.extra })
}

/** (Σ |x|^p)^{1/p}, for p = 2 by a square root. */
function lpNorm(x: Expr, p: number, sum: (powers: Expr) => Expr): Expr {
  if (p === 1) return sum(abs(x))
  return p === 2 ? sqrt(sum(mul(x, x))) : pow(sum(pow(abs(x), p)), 1 / p)
}

function lpPooled(call: OperatorCall): Expr {
  const x = call.input(0)
  const window = withExtra(poolWindow(call, x, call.opset >= 18))
  const { kernel, strides, dilations, padsBegin, padsEnd } = window
  const total = (powers: Expr): Expr =>
    mul(averagePool(powers, kernel, { strides, dilations, padsBegin, padsEnd }, true), sizeOf(kernel))
  return lpNorm(x, call.int('p', 2), total)
}

const overSpatialAxes =
  (build: (x: Expr, axes: readonly number[], call: OperatorCall) => Expr): OperatorImporter =>
  (call) => {
    const x = call.input(0)
    return build(x, range(x.shape.length).slice(2), call)
  }

/** Pooling over windows and over all spatial axes. */
export const pooling: OperatorFamily = {
  MaxPool: maxPooled,
  AveragePool: averagePooled,
  LpPool: lpPooled,
  GlobalAveragePool: overSpatialAxes((x) => globalAveragePool(x)),
  GlobalMaxPool: overSpatialAxes((x, axes) => reduceMax(x, axes, true)),
  GlobalLpPool: overSpatialAxes((x, axes, call) =>
    lpNorm(x, call.int('p', 2), (powers) => reduceSum(powers, axes, true)),
  ),
}
