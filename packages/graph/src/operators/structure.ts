import type { Expr, Operation } from '../core/expr.ts'
import { make } from '../core/make.ts'
import { range } from '../core/shape.ts'
import { stridesOf } from '../core/tensor.ts'
import { sumTo } from '../build/reduction.ts'
import { concat, expand, moveAxis, pad, reshape, slice, sliceAxis, transpose, zeros } from '../build/structure.ts'
import { add } from '../build/elementwise.ts'
import { gather, gatherElements, scatterAdd, scatterElementsAdd } from '../build/indexing.ts'
import { int64 } from '../build/structure.ts'
import { DomainError } from '../core/errors.ts'
import { broadcastStrides, forEachIndex, generate, ndArray, positionOf } from '../interpret/nd-array.ts'
import type { NdArray } from '../interpret/nd-array.ts'
import { stacked } from './batching.ts'
import { rule } from './rule.ts'
import type { BatchedOperand, Derivative, Rule } from './rule.ts'

/** A linear map of one operand: its tangent is itself applied to the tangent. */
function linear(node: Operation, [t]: readonly Derivative[]): Derivative {
  return t && make(node.op, [t], node.attributes as never)
}

/** Puts step−1 zeros between the entries of an axis, then zeros up to `length` with `before` of them first. */
function spread(g: Expr, axis: number, step: number, before: number, length: number): Expr {
  const n = g.shape[axis]
  let out = g
  if (step > 1 && n > 0) {
    const split = reshape(g, [...g.shape.slice(0, axis + 1), 1, ...g.shape.slice(axis + 1)])
    const padded = pad(
      split,
      split.shape.map(() => 0),
      split.shape.map((_, i) => (i === axis + 1 ? step - 1 : 0)),
    )
    out = sliceAxis(
      reshape(
        padded,
        g.shape.map((d, i) => (i === axis ? d * step : d)),
      ),
      axis,
      0,
      (n - 1) * step + 1,
    )
  }
  const after = length - before - out.shape[axis]
  return pad(
    out,
    out.shape.map((_, i) => (i === axis ? before : 0)),
    out.shape.map((_, i) => (i === axis ? after : 0)),
  )
}

/** The adjoint of Slice: each entry back to where it came from. */
function unslice(node: Operation<'Slice'>, g: Expr): Expr {
  const { starts, steps } = node.attributes
  const shape = node.inputs[0].shape
  if (steps.every((s) => s === 1))
    return pad(
      g,
      starts,
      shape.map((d, i) => d - starts[i] - g.shape[i]),
    )
  let out = g
  steps.forEach((step, axis) => {
    const n = g.shape[axis]
    if (n === 0) {
      out = zeros(
        g.dtype,
        out.shape.map((d, i) => (i === axis ? shape[i] : d)),
      )
      return
    }
    const forward = step > 0 ? out : sliceAxis(out, axis, n - 1, -n - 1, -1)
    const first = step > 0 ? starts[axis] : starts[axis] + (n - 1) * step
    out = spread(forward, axis, Math.abs(step), first, shape[axis])
  })
  return out
}

/** Indices of batch entry b shifted by b·size, so that one long axis serves all entries. */
function offsetIndices(indices: Expr, size: number): Expr {
  const count = indices.shape[0]
  const offsets = reshape(int64(range(count).map((b) => b * size)), [count, ...indices.shape.slice(1).map(() => 1)])
  return add(indices, offsets)
}

function batchGather(node: Operation<'Gather'>, [x, indices]: readonly BatchedOperand[]): Expr {
  const { axis } = node.attributes
  if (!indices.batched) return gather(x.value, indices.value, axis + 1)
  if (!x.batched) return moveAxis(gather(x.value, indices.value, axis), axis, 0)
  const [size, ...shape] = x.value.shape
  const long = reshape(moveAxis(x.value, 0, axis), [
    ...shape.slice(0, axis),
    size * shape[axis],
    ...shape.slice(axis + 1),
  ])
  return moveAxis(gather(long, offsetIndices(indices.value, shape[axis]), axis), axis, 0)
}

function batchScatterAdd(
  node: Operation<'ScatterAdd'>,
  [indices, updates]: readonly BatchedOperand[],
  count: number,
): Expr {
  const { axis, size } = node.attributes
  if (!indices.batched) return scatterAdd(indices.value, updates.value, axis + 1, size)
  const beside = moveAxis(stacked(updates, count), 0, axis)
  const long = scatterAdd(offsetIndices(indices.value, size), beside, axis, count * size)
  const split = reshape(long, [...long.shape.slice(0, axis), count, size, ...long.shape.slice(axis + 1)])
  return moveAxis(split, axis, 0)
}

function interpretConcat(inputs: readonly NdArray[], axis: number, shape: readonly number[]): NdArray {
  const out = ndArray(inputs[0].dtype, shape)
  const strides = stridesOf(shape)
  let start = 0
  for (const x of inputs) {
    const offset = start * strides[axis]
    forEachIndex(x.shape, (i, at) => (out.data[offset + positionOf(at, strides)] = x.data[i]))
    start += x.shape[axis]
  }
  return out
}

function checkedIndex(where: string, index: number, size: number): number {
  if (index < 0 || index >= size) throw new DomainError(`${where}: index must be in 0…${size - 1}, got ${index}.`)
  return index
}

/** Coordinates with one axis replaced. */
function replaced(at: readonly number[], axis: number, value: number): number[] {
  const out = at.slice()
  out[axis] = value
  return out
}

type StructureName =
  | 'Reshape'
  | 'Transpose'
  | 'Expand'
  | 'Slice'
  | 'Pad'
  | 'Concat'
  | 'Gather'
  | 'GatherElements'
  | 'ScatterAdd'
  | 'ScatterElementsAdd'

export const structures: { readonly [K in StructureName]: Rule<K> } = {
  Reshape: rule('Reshape', {
    vjp: ({ inputs: [x] }, g) => [reshape(g, x.shape)],
    jvp: (node, [t]) => t && reshape(t, node.shape),
    batch: (node, [{ value }], size) => reshape(value, [size, ...node.shape]),
    interpret: ([x], _, type) => ndArray(x.dtype, type.shape, x.data),
  }),
  Transpose: rule('Transpose', {
    vjp: ({ attributes: { perm } }, g) => [
      transpose(
        g,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    ],
    jvp: (node, [t]) => t && transpose(t, node.attributes.perm),
    batch: (node, [{ value }]) => transpose(value, [0, ...node.attributes.perm.map((p) => p + 1)]),
    interpret([x], { perm }, type) {
      const strides = stridesOf(x.shape)
      const permuted = perm.map((p) => strides[p])
      return generate(x.dtype, type.shape, (at) => x.data[positionOf(at, permuted)])
    },
  }),
  Expand: rule('Expand', {
    vjp: ({ inputs: [x] }, g) => [sumTo(g, x.shape)],
    jvp: (node, [t]) => t && expand(t, node.shape),
    batch(node, [{ value }], size) {
      const [, ...rest] = value.shape
      const ones = range(node.shape.length - rest.length).map(() => 1)
      return expand(reshape(value, [size, ...ones, ...rest]), [size, ...node.shape])
    },
    interpret([x], _, type) {
      const strides = broadcastStrides(x.shape, type.shape)
      return generate(x.dtype, type.shape, (at) => x.data[positionOf(at, strides)])
    },
  }),
  Slice: rule('Slice', {
    vjp: (node, g) => [unslice(node, g)],
    jvp: linear,
    batch: ({ attributes: { starts, ends, steps } }, [{ value }], size) =>
      slice(value, [0, ...starts], [size, ...ends], [1, ...steps]),
    interpret([x], { starts, steps }, type) {
      const strides = stridesOf(x.shape)
      return generate(
        x.dtype,
        type.shape,
        (at) => x.data[at.reduce((p, a, i) => p + (starts[i] + a * steps[i]) * strides[i], 0)],
      )
    },
  }),
  Pad: rule('Pad', {
    vjp: ({ inputs: [x], attributes: { before } }, g) => [
      slice(
        g,
        before,
        x.shape.map((d, i) => before[i] + d),
      ),
    ],
    jvp: ({ attributes: { before, after } }, [t]) => t && pad(t, before, after, 0),
    batch: ({ attributes: { before, after, value } }, [x]) => pad(x.value, [0, ...before], [0, ...after], value),
    interpret([x], { before, value }, type) {
      const strides = stridesOf(x.shape)
      return generate(x.dtype, type.shape, (at) => {
        const inside = at.every((a, i) => a >= before[i] && a < before[i] + x.shape[i])
        return inside ? x.data[at.reduce((p, a, i) => p + (a - before[i]) * strides[i], 0)] : value
      })
    },
  }),
  Concat: rule('Concat', {
    vjp({ inputs, attributes: { axis } }, g, wanted) {
      let end = 0
      return inputs.map((x, i) => {
        const start = end
        end += x.shape[axis]
        return wanted[i] ? sliceAxis(g, axis, start, end) : null
      })
    },
    jvp: ({ inputs, attributes: { axis } }, tangents) =>
      concat(
        inputs.map((x, i) => tangents[i] ?? zeros(x.dtype, x.shape)),
        axis,
      ),
    batch: ({ attributes: { axis } }, operands, size) =>
      concat(
        operands.map((o) => stacked(o, size)),
        axis + 1,
      ),
    interpret: (inputs, { axis }, type) => interpretConcat(inputs, axis, type.shape),
  }),
  Gather: rule('Gather', {
    vjp: ({ inputs: [x, indices], attributes: { axis } }, g) => [scatterAdd(indices, g, axis, x.shape[axis]), null],
    jvp: ({ inputs: [, indices], attributes: { axis } }, [t]) => t && gather(t, indices, axis),
    batch: batchGather,
    interpret([x, indices], { axis }, type) {
      const strides = stridesOf(x.shape)
      const k = indices.shape.length
      const inner = stridesOf(indices.shape)
      return generate(x.dtype, type.shape, (at) => {
        const index = indices.data[positionOf(at.slice(axis, axis + k), inner)]
        const source = [...at.slice(0, axis), checkedIndex('Gather', index, x.shape[axis]), ...at.slice(axis + k)]
        return x.data[positionOf(source, strides)]
      })
    },
  }),
  GatherElements: rule('GatherElements', {
    vjp: ({ inputs: [x, indices], attributes: { axis } }, g) => [
      scatterElementsAdd(indices, g, axis, x.shape[axis]),
      null,
    ],
    jvp: ({ inputs: [, indices], attributes: { axis } }, [t]) => t && gatherElements(t, indices, axis),
    batch: ({ attributes: { axis } }, [x, indices], size) =>
      gatherElements(stacked(x, size), stacked(indices, size), axis + 1),
    interpret([x, indices], { axis }, type) {
      const strides = stridesOf(x.shape)
      let i = 0
      return generate(x.dtype, type.shape, (at) => {
        const index = checkedIndex('GatherElements', indices.data[i++], x.shape[axis])
        return x.data[positionOf(replaced(at, axis, index), strides)]
      })
    },
  }),
  ScatterAdd: rule('ScatterAdd', {
    vjp: ({ inputs: [indices], attributes: { axis } }, g) => [null, gather(g, indices, axis)],
    jvp: ({ inputs: [indices], attributes: { axis, size } }, [, t]) => t && scatterAdd(indices, t, axis, size),
    batch: batchScatterAdd,
    interpret([indices, updates], { axis, size }, type) {
      const out = ndArray(type.dtype, type.shape)
      const strides = stridesOf(type.shape)
      const k = indices.shape.length
      const inner = stridesOf(indices.shape)
      forEachIndex(updates.shape, (i, at) => {
        const index = checkedIndex('ScatterAdd', indices.data[positionOf(at.slice(axis, axis + k), inner)], size)
        out.data[positionOf([...at.slice(0, axis), index, ...at.slice(axis + k)], strides)] += updates.data[i]
      })
      return out
    },
  }),
  ScatterElementsAdd: rule('ScatterElementsAdd', {
    vjp: ({ inputs: [indices], attributes: { axis } }, g) => [null, gatherElements(g, indices, axis)],
    jvp: ({ inputs: [indices], attributes: { axis, size } }, [, t]) => t && scatterElementsAdd(indices, t, axis, size),
    batch: ({ attributes: { axis, size } }, [indices, updates], count) =>
      scatterElementsAdd(stacked(indices, count), stacked(updates, count), axis + 1, size),
    interpret([indices, updates], { axis, size }, type) {
      const out = ndArray(type.dtype, type.shape)
      const strides = stridesOf(type.shape)
      forEachIndex(updates.shape, (i, at) => {
        const index = checkedIndex('ScatterElementsAdd', indices.data[i], size)
        out.data[positionOf(replaced(at, axis, index), strides)] += updates.data[i]
      })
      return out
    },
  }),
}
