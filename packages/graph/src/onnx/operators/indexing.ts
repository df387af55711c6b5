import { add, cast, equal, where } from '../../build/elementwise.ts'
import { gather, gatherElements, gatherND, scatterElements, scatterND, wrapIndices } from '../../build/indexing.ts'
import { concat, int64, moveAxis, reshape, selectAt, sliceAxis, stack, unsqueeze } from '../../build/structure.ts'
import { constant } from '../../core/expr.ts'
import type { Expr } from '../../core/expr.ts'
import { normalizeAxis, range } from '../../core/shape.ts'
import { numbersOf, tensorOf } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

/** Indices counted from 0; constant ones are checked against the axis. */
function indicesFor(call: OperatorCall, indices: Expr, length: number): Expr {
  if (indices.op === 'Constant') {
    const outside = numbersOf(indices.attributes.value).find((i) => i < -length || i >= length)
    if (outside !== undefined) throw call.malformed(`an index must be in ${-length}…${length - 1}, got ${outside}`)
  }
  return wrapIndices(indices, length)
}

function gathered(call: OperatorCall): Expr {
  const x = call.input(0)
  const axis = normalizeAxis(call.label, call.int('axis', 0), x.shape.length)
  return gather(x, indicesFor(call, call.input(1), x.shape[axis]), axis)
}

function gatheredElements(call: OperatorCall): Expr {
  const x = call.input(0)
  const axis = normalizeAxis(call.label, call.int('axis', 0), x.shape.length)
  return gatherElements(x, indicesFor(call, call.input(1), x.shape[axis]), axis)
}

/** Tuples of indices [..., k], each counted from 0 along its axis. */
function wrapTuples(indices: Expr, lengths: readonly number[]): Expr {
  const k = indices.shape.length - 1
  return concat(
    lengths.map((length, i) => wrapIndices(sliceAxis(indices, k, i, i + 1), length)),
    k,
  )
}

function gatheredND(call: OperatorCall): Expr {
  const [x, indices] = [call.input(0), call.input(1)]
  const batch = call.opset >= 12 ? call.int('batch_dims', 0) : 0
  const depth = indices.shape.at(-1) as number
  const tuples = wrapTuples(indices, x.shape.slice(batch, batch + depth))
  if (batch === 0) return gatherND(x, tuples)
  // Batch axes become leading index columns.
  const rank = tuples.shape.length
  const columns = range(batch).map((axis) => {
    const shape = tuples.shape.map((d, i) => (i === axis ? d : 1))
    return add(
      constant(tensorOf('int64', shape, range(tuples.shape[axis]))),
      constantZeros([...tuples.shape.slice(0, -1), 1]),
    )
  })
  return gatherND(x, concat([...columns, tuples], rank - 1))
}

function constantZeros(shape: readonly number[]): Expr {
  return constant(tensorOf('int64', shape, new Float64Array(shape.reduce((n, d) => n * d, 1))))
}

/** `none` overwrites, `add` adds; products and extremes of scattered values have no rule here. */
function reductionOf(call: OperatorCall): 'none' | 'add' {
  const name = call.opset >= 16 ? call.string('reduction', 'none') : 'none'
  if (name !== 'none' && name !== 'add')
    throw call.unsupported(`scattering with reduction '${name}' is not handled`, "Use reduction 'none' or 'add'.")
  return name
}

function scatteredElements(call: OperatorCall): Expr {
  const [x, updates] = [call.input(0), call.input(2)]
  const axis = normalizeAxis(call.label, call.int('axis', 0), x.shape.length)
  const indices = indicesFor(call, call.input(1), x.shape[axis])
  return scatterElements(x, indices, updates, axis, reductionOf(call) === 'add')
}

function scatteredND(call: OperatorCall): Expr {
  const [x, indices, updates] = [call.input(0), call.input(1), call.input(2)]
  const tuples = wrapTuples(indices, x.shape.slice(0, indices.shape.at(-1)))
  return scatterND(x, tuples, updates, reductionOf(call) === 'add')
}

/** values = [off, on]; negative indices count from the end. */
function oneHotOf(call: OperatorCall): Expr {
  const depth = call.number(1, 'depth')
  const indices = call.input(0)
  const values = call.input(2)
  const rank = indices.shape.length + 1
  const axis = normalizeAxis(call.label, call.int('axis', -1), rank)
  if (!(depth >= 1 && depth <= 2 ** 24)) throw call.malformed(`depth must be in 1…2^24, got ${depth}`)
  const integers = indices.dtype === 'int64' ? indices : cast(indices, 'int64')
  const hit = equal(unsqueeze(wrapIndices(integers, depth), [rank - 1]), int64(range(depth)))
  return moveAxis(where(hit, selectAt(values, 0, 1), selectAt(values, 0, 0)), rank - 1, axis)
}

/** Slices along an axis (or elements) where a constant condition holds. */
function compress(call: OperatorCall): Expr {
  const x = call.input(0)
  const kept = call.numbers(1, 'the condition').flatMap((v, i) => (v === 0 ? [] : [i]))
  const axis = call.node.attributes.has('axis')
    ? normalizeAxis(call.label, call.int('axis'), x.shape.length)
    : undefined
  if (axis === undefined) return gather(reshape(x, [x.shape.reduce((n, d) => n * d, 1)]), int64(kept), 0)
  return gather(x, int64(kept), axis)
}

/** Each batch entry reversed over its own length, which must be known. */
function reverseSequence(call: OperatorCall): Expr {
  const x = call.input(0)
  const lengths = call.numbers(1, 'the lengths')
  const [batchAxis, timeAxis] = [call.int('batch_axis', 1), call.int('time_axis', 0)]
  const entries = lengths.map((length, b) => {
    const entry = selectAt(x, batchAxis, b)
    const axis = timeAxis > batchAxis ? timeAxis - 1 : timeAxis
    const order = range(entry.shape[axis]).map((t) => (t < length ? length - 1 - t : t))
    return gather(entry, int64(order), axis)
  })
  return stack(entries, batchAxis)
}

/** Operators that pick and place elements by index. */
export const indexing: OperatorFamily = {
  Gather: gathered,
  GatherElements: gatheredElements,
  GatherND: gatheredND,
  ScatterElements: scatteredElements,
  ScatterND: scatteredND,
  OneHot: oneHotOf,
  Compress: compress,
  ReverseSequence: reverseSequence,
}
