import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { normalizeAxes, normalizeAxis, range, sameShape } from '../core/shape.ts'
import type { Shape } from '../core/tensor.ts'
import { abs, div, log, mul, sqrt, sub } from './elementwise.ts'
import { full, reshape, sliceAxis } from './structure.ts'

type Axes = readonly number[] | undefined

const reduce =
  (op: 'ReduceSum' | 'ReduceMax' | 'ReduceMin' | 'ReduceLogSumExp') =>
  (x: Expr, axes?: Axes, keepDims = false): Expr => {
    const at = axes ? normalizeAxes(op, axes, x.shape.length) : range(x.shape.length)
    return at.length === 0 ? x : make(op, [x], { axes: at, keepDims })
  }

export type Reducer = (x: Expr, axes?: readonly number[], keepDims?: boolean) => Expr

/** Σ over the axes (all when none are named). */
export const reduceSum: Reducer = reduce('ReduceSum')
export const reduceMax: Reducer = reduce('ReduceMax')
export const reduceMin: Reducer = reduce('ReduceMin')
/** log Σ exp, computed without overflow. */
export const reduceLogSumExp: Reducer = reduce('ReduceLogSumExp')

function countOf(x: Expr, axes: Axes): number {
  const at = axes ? normalizeAxes('reduce', axes, x.shape.length) : range(x.shape.length)
  return at.reduce((n, a) => n * x.shape[a], 1)
}

export function reduceMean(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  return div(reduceSum(x, axes, keepDims), countOf(x, axes))
}

export function reduceSumSquare(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  return reduceSum(mul(x, x), axes, keepDims)
}

export function reduceL2(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  return sqrt(reduceSumSquare(x, axes, keepDims))
}

export function reduceL1(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  return reduceSum(abs(x), axes, keepDims)
}

export function reduceLogSum(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  return log(reduceSum(x, axes, keepDims))
}

/** Product along the axes, as a balanced tree of products (exact derivatives at zeros, log₂ depth). */
export function reduceProd(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  const at = axes ? normalizeAxes('reduceProd', axes, x.shape.length) : range(x.shape.length)
  let out = x
  for (const axis of at) {
    if (x.shape[axis] === 0)
      out = full(
        x.dtype,
        out.shape.map((d, i) => (i === axis ? 1 : d)),
        1,
      )
    while (out.shape[axis] > 1) {
      const n = out.shape[axis]
      const half = n >> 1
      const paired = mul(sliceAxis(out, axis, 0, half), sliceAxis(out, axis, half, 2 * half))
      out = n % 2 ? mulFirst(paired, sliceAxis(out, axis, n - 1, n), axis) : paired
    }
  }
  return keepDims
    ? out
    : reshape(
        out,
        x.shape.filter((_, i) => !at.includes(i)),
      )
}

/** `paired` with its first slice along `axis` multiplied by `rest` (length 1). */
function mulFirst(paired: Expr, rest: Expr, axis: number): Expr {
  if (paired.shape[axis] === 1) return mul(paired, rest)
  const head = mul(sliceAxis(paired, axis, 0, 1), rest)
  const tail = sliceAxis(paired, axis, 1, paired.shape[axis])
  return make('Concat', [head, tail], { axis })
}

/** Biased variance along the axes. */
export function reduceVariance(x: Expr, axes?: readonly number[], keepDims = false): Expr {
  const centered = sub(x, reduceMean(x, axes, true))
  return reduceMean(mul(centered, centered), axes, keepDims)
}

/** Position of the first maximum along an axis, int64. */
export function argMax(x: Expr, axis: number, keepDims = false): Expr {
  return make('ArgMax', [x], { axis: normalizeAxis('ArgMax', axis, x.shape.length), keepDims })
}

/** Running sums along an axis. */
export function cumSum(x: Expr, axis: number, exclusive = false, reverse = false): Expr {
  return make('CumSum', [x], { axis: normalizeAxis('CumSum', axis, x.shape.length), exclusive, reverse })
}

export function softmax(x: Expr, axis = -1): Expr {
  return make('Softmax', [x], { axis: normalizeAxis('Softmax', axis, x.shape.length) })
}

export function logSoftmax(x: Expr, axis = -1): Expr {
  return make('LogSoftmax', [x], { axis: normalizeAxis('LogSoftmax', axis, x.shape.length) })
}

/** The adjoint of broadcasting: sums until the shape is `shape`. */
export function sumTo(x: Expr, shape: Shape): Expr {
  if (sameShape(x.shape, shape)) return x
  const extra = x.shape.length - shape.length
  const axes = range(x.shape.length).filter((i) => i < extra || (shape[i - extra] === 1 && x.shape[i] !== 1))
  return reshape(reduceSum(x, axes, true), shape)
}

/** Σ aᵢbᵢ over everything. */
export function innerProduct(a: Expr, b: Expr): Expr {
  return reduceSum(mul(a, b))
}
