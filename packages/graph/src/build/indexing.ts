import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { normalizeAxis, range } from '../core/shape.ts'
import { sizeOf, stridesOf, tensorOf } from '../core/tensor.ts'
import type { DType } from '../core/tensor.ts'
import { add, cast, equal, greater, less, mul, where } from './elementwise.ts'
import { reduceSum } from './reduction.ts'
import { reshape, slice, unsqueeze, zeros } from './structure.ts'

/** Negative indices counted from the end of an axis of length `size`; constants are resolved at once. */
export function wrapIndices(indices: Expr, size: number): Expr {
  if (indices.op === 'Constant') {
    const values = Array.from(indices.attributes.value.data, Number)
    return values.some((v) => v < 0)
      ? constant(
          tensorOf(
            'int64',
            indices.shape,
            values.map((v) => (v < 0 ? v + size : v)),
          ),
        )
      : indices
  }
  return where(less(indices, 0), add(indices, size), indices)
}

/** x taken at int64 indices of any shape along one axis. Indices must be in 0 … length−1. */
export function gather(x: Expr, indices: Expr, axis: number): Expr {
  return make('Gather', [x, indices], { axis: normalizeAxis('Gather', axis, x.shape.length) })
}

/** x taken elementwise along one axis; along the other axes indices may be shorter than x. */
export function gatherElements(x: Expr, indices: Expr, axis: number): Expr {
  const a = normalizeAxis('GatherElements', axis, x.shape.length)
  const reached = x.shape.map((d, i) => (i === a ? d : Math.min(d, indices.shape[i] ?? d)))
  return make(
    'GatherElements',
    [
      slice(
        x,
        x.shape.map(() => 0),
        reached,
      ),
      indices,
    ],
    { axis: a },
  )
}

/** The adjoint of `gather`: zeros with an axis of length `size`, updates added at the indices. */
export function scatterAdd(indices: Expr, updates: Expr, axis: number, size: number): Expr {
  return make('ScatterAdd', [indices, updates], { axis, size })
}

/** The adjoint of `gatherElements`. */
export function scatterElementsAdd(indices: Expr, updates: Expr, axis: number, size: number): Expr {
  return make('ScatterElementsAdd', [indices, updates], { axis, size })
}

/** Row-major positions for tuples of indices over the first axes of a shape: [..., k] → [...]. */
function linearIndices(indices: Expr, axes: readonly number[]): Expr {
  const strides = constant(tensorOf('int64', [axes.length], stridesOf(axes)))
  return reduceSum(mul(indices, strides), [indices.shape.length - 1])
}

/** Slices of x at tuples of indices [..., k] over its first k axes, as ONNX GatherND with no batch axes. */
export function gatherND(x: Expr, indices: Expr): Expr {
  const k = indices.shape.at(-1)!
  const rows = reshape(x, [sizeOf(x.shape.slice(0, k)), ...x.shape.slice(k)])
  return gather(rows, linearIndices(indices, x.shape.slice(0, k)), 0)
}

/** x with updates written (or added) at tuples of indices [..., k] over its first k axes, as ONNX ScatterND.
 * When a position is written twice the result of `add: false` is the sum, as ONNX leaves it undefined. */
export function scatterND(x: Expr, indices: Expr, updates: Expr, addTo: boolean): Expr {
  const k = indices.shape.at(-1)!
  const leading = x.shape.slice(0, k)
  const flat = linearIndices(indices, leading)
  const size = sizeOf(leading)
  const added = reshape(scatterAdd(flat, updates, 0, size), x.shape)
  if (addTo) return add(x, added)
  const ones = add(zeros('int64', flat.shape), 1)
  const hit = reshape(greater(scatterAdd(flat, ones, 0, size), 0), [...leading, ...x.shape.slice(k).map(() => 1)])
  return where(hit, added, x)
}

/** x with updates written (or added) elementwise along one axis, as ONNX ScatterElements. */
export function scatterElements(x: Expr, indices: Expr, updates: Expr, axis: number, addTo: boolean): Expr {
  const a = normalizeAxis('scatterElements', axis, x.shape.length)
  const fit = (e: Expr): Expr => padTo(scatterElementsAdd(indices, e, a, x.shape[a]), x)
  const added = fit(updates)
  if (addTo) return add(x, added)
  const ones = add(zeros(updates.dtype, updates.shape), 1)
  return where(greater(fit(ones), 0), added, x)
}

/** Zeros after each axis up to the shape of `like`. */
function padTo(e: Expr, like: Expr): Expr {
  const after = like.shape.map((d, i) => d - e.shape[i])
  return after.every((p) => p === 0) ? e : make('Pad', [e], { before: after.map(() => 0), after, value: 0 })
}

/** 1 at the index along a new last axis of length `depth`, else 0; an index outside gives zeros. */
export function oneHot(indices: Expr, depth: number, dtype: DType): Expr {
  const classes = constant(tensorOf('int64', [depth], range(depth)))
  return cast(equal(unsqueeze(indices, [indices.shape.length]), classes), dtype)
}
