import { ShapeError } from '../core/errors.ts'
import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { normalizeAxes, normalizeAxis, range, sameShape } from '../core/shape.ts'
import { allocate, sizeOf, tensor, tensorOf } from '../core/tensor.ts'
import type { DType, Shape } from '../core/tensor.ts'
import { scalar } from './elementwise.ts'

/** Same elements in another shape; one entry may be −1 and is then inferred. */
export function reshape(x: Expr, shape: Shape): Expr {
  const unknown = shape.indexOf(-1)
  const known = sizeOf(shape.filter((d) => d !== -1))
  const complete = unknown < 0 ? shape : shape.map((d) => (d === -1 ? sizeOf(x.shape) / known : d))
  // Never looks through x: derivatives are taken with respect to any node, such as a parameter that is a view of θ.
  return sameShape(complete, x.shape) ? x : make('Reshape', [x], { shape: complete })
}

/** Axes permuted: result axis i is operand axis perm[i]. */
export function transpose(x: Expr, perm: readonly number[]): Expr {
  if (perm.length === x.shape.length && perm.every((p, i) => p === i)) return x
  return make('Transpose', [x], { perm })
}

/** The last two axes exchanged. */
export function matrixTranspose(x: Expr): Expr {
  const r = x.shape.length
  return transpose(x, [...range(r - 2), r - 1, r - 2])
}

/** One axis moved to another place, the others keeping their order. */
export function moveAxis(x: Expr, from: number, to: number): Expr {
  const perm = range(x.shape.length).filter((i) => i !== from)
  perm.splice(to, 0, from)
  return transpose(x, perm)
}

/** Stretched to `shape` by broadcasting. */
export function expand(x: Expr, shape: Shape): Expr {
  return sameShape(x.shape, shape) ? x : make('Expand', [x], { shape })
}

/** New axes of length 1, at these places of the result. */
export function unsqueeze(x: Expr, axes: readonly number[]): Expr {
  const rank = x.shape.length + axes.length
  const at = normalizeAxes('unsqueeze', axes, rank)
  const old = [...x.shape]
  return reshape(
    x,
    range(rank).map((i) => (at.includes(i) ? 1 : old.shift()!)),
  )
}

/** Axes of length 1 removed; all of them when none are named. */
export function squeeze(x: Expr, axes?: readonly number[]): Expr {
  const at = axes
    ? normalizeAxes('squeeze', axes, x.shape.length)
    : range(x.shape.length).filter((i) => x.shape[i] === 1)
  const long = at.find((i) => x.shape[i] !== 1)
  if (long !== undefined) throw new ShapeError(`squeeze: axis ${long} must have length 1, got [${x.shape}].`)
  return reshape(
    x,
    x.shape.filter((_, i) => !at.includes(i)),
  )
}

/** All axes from `axis` on made one, and all before it too: a matrix. */
export function flatten(x: Expr, axis = 1): Expr {
  return reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])
}

/** start:end:step along one axis; NumPy's rules for negative and overlong bounds. */
export function sliceAxis(x: Expr, axis: number, start: number, end: number, step = 1): Expr {
  const a = normalizeAxis('sliceAxis', axis, x.shape.length)
  const d = x.shape[a]
  const clampTo = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + d : v, low), high)
  let [s, e] =
    step > 0
      ? [clampTo(start, 0, d), clampTo(end, 0, d)]
      : [clampTo(start, -1, d - 1), end < -d ? -1 : clampTo(end, -1, d - 1)]
  if (step > 0 ? e < s : e > s) e = s
  if (s < 0) s = e = 0
  if (s === 0 && e === d && step === 1) return x
  return make('Slice', [x], {
    starts: x.shape.map((_, i) => (i === a ? s : 0)),
    ends: x.shape.map((n, i) => (i === a ? e : n)),
    steps: x.shape.map((_, i) => (i === a ? step : 1)),
  })
}

/** Several axes sliced at once, bounds inside the axes. */
export function slice(x: Expr, starts: readonly number[], ends: readonly number[], steps?: readonly number[]): Expr {
  const by = steps ?? x.shape.map(() => 1)
  if (x.shape.every((d, i) => starts[i] === 0 && ends[i] === d && by[i] === 1)) return x
  return make('Slice', [x], { starts, ends, steps: by })
}

/** One position along an axis, the axis removed; negative positions count from the end. */
export function selectAt(x: Expr, axis: number, position: number): Expr {
  const a = normalizeAxis('selectAt', axis, x.shape.length)
  const d = x.shape[a]
  if (position < -d || position >= d)
    throw new ShapeError(
      `selectAt: position along axis ${a} of [${x.shape}] must be in ${-d}…${d - 1}, got ${position}.`,
    )
  const at = position < 0 ? position + d : position
  return squeeze(sliceAxis(x, a, at, at + 1), [a])
}

/** Constant padding before and after each axis. */
export function pad(x: Expr, before: readonly number[], after: readonly number[], value = 0): Expr {
  return before.every((p) => p === 0) && after.every((p) => p === 0) ? x : make('Pad', [x], { before, after, value })
}

export function concat(parts: readonly Expr[], axis: number): Expr {
  if (parts.length === 0) throw new ShapeError('concat: needs at least one operand, got none.')
  const a = normalizeAxis('concat', axis, parts[0].shape.length)
  return parts.length === 1 ? parts[0] : make('Concat', parts, { axis: a })
}

/** Operands of equal shape along a new axis. */
export function stack(parts: readonly Expr[], axis: number): Expr {
  return concat(
    parts.map((p) => unsqueeze(p, [axis])),
    axis,
  )
}

/** Pieces of the given lengths along an axis. */
export function split(x: Expr, lengths: readonly number[], axis: number): Expr[] {
  const a = normalizeAxis('split', axis, x.shape.length)
  const total = lengths.reduce((s, l) => s + l, 0)
  if (total !== x.shape[a])
    throw new ShapeError(`split: lengths [${lengths}] must add up to ${x.shape[a]}, got ${total}.`)
  let at = 0
  return lengths.map((l) => sliceAxis(x, a, at, (at += l)))
}

/** Every element equal to `value`. */
export function full(dtype: DType, shape: Shape, value: number): Expr {
  return expand(scalar(value, dtype), shape)
}

export function zeros(dtype: DType, shape: Shape): Expr {
  return sizeOf(shape) === 0 ? constant(tensor(dtype, shape, allocate(dtype, 0))) : full(dtype, shape, 0)
}

/** An int64 vector. */
export function int64(values: readonly number[]): Expr {
  return constant(tensorOf('int64', [values.length], values))
}

/** Copies side by side along each axis. */
export function tile(x: Expr, repeats: readonly number[]): Expr {
  const interleaved = x.shape.flatMap((d) => [1, d])
  const stretched = x.shape.flatMap((d, i) => [repeats[i], d])
  return reshape(
    expand(reshape(x, interleaved), stretched),
    x.shape.map((d, i) => d * repeats[i]),
  )
}
