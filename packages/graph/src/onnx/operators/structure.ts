import { and, cast, scalarValue, where } from '../../build/elementwise.ts'
import { gather } from '../../build/indexing.ts'
import { concat, expand, flatten, full, int64, pad, reshape, slice, sliceAxis, split } from '../../build/structure.ts'
import { squeeze, tile, transpose, unsqueeze } from '../../build/structure.ts'
import { constant } from '../../core/expr.ts'
import type { Expr } from '../../core/expr.ts'
import { broadcastShapes, normalizeAxis, range } from '../../core/shape.ts'
import { sizeOf, tensorOf } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

/** A dimension of 0 copies the operand's, unless `allowzero`; −1 is inferred. */
function reshaped(call: OperatorCall): Expr {
  const x = call.input(0)
  const wanted = call.numbers(1, 'the shape')
  const allowZero = call.opset >= 14 && call.flag('allowzero')
  const shape = wanted.map((d, i) => (d === 0 && !allowZero ? (x.shape[i] ?? 0) : d))
  const unknown = shape.filter((d) => d < 0).length
  const known = sizeOf(shape.filter((d) => d >= 0))
  const size = sizeOf(x.shape)
  const fits = unknown === 0 ? known === size : unknown === 1 && known > 0 && size % known === 0
  if (!fits)
    throw call.unsupported(
      `[${x.shape}] cannot be reshaped to [${wanted}]`,
      'The file fixes a batch size: use that one, or export with a dynamic batch axis.',
    )
  return reshape(
    x,
    shape.map((d) => (d < 0 ? size / known : d)),
  )
}

/** Axes are an attribute below opset 13, an input from it on. */
function axesOf(call: OperatorCall): readonly number[] | undefined {
  return call.opset >= 13 ? call.optionalNumbers(1, 'axes') : call.ints('axes')
}

function unsqueezed(call: OperatorCall): Expr {
  const axes = axesOf(call)
  if (axes === undefined) throw call.malformed('axes are missing')
  return unsqueeze(call.input(0), axes)
}

function flattened(call: OperatorCall): Expr {
  const x = call.input(0)
  const axis = call.int('axis', 1)
  return flatten(x, axis === x.shape.length ? axis : axis < 0 ? axis + x.shape.length : axis)
}

function transposed(call: OperatorCall): Expr {
  const x = call.input(0)
  return transpose(x, call.ints('perm') ?? range(x.shape.length).reverse())
}

function splitOf(call: OperatorCall): readonly Expr[] {
  const x = call.input(0)
  const axis = normalizeAxis(call.label, call.int('axis', 0), x.shape.length)
  const given = call.opset >= 13 ? call.optionalNumbers(1, 'the lengths') : call.ints('split')
  const count = call.node.outputs.length
  if (call.opset >= 18 && given === undefined && call.int('num_outputs', count) !== count)
    throw call.malformed(`num_outputs must be the ${count} outputs`)
  return split(x, given ?? evenLengths(x.shape[axis], count), axis)
}

/** Pieces of equal length, the last shorter where the axis does not divide. */
function evenLengths(length: number, count: number): number[] {
  const piece = Math.ceil(length / count)
  return range(count).map((i) => Math.max(0, Math.min(piece, length - i * piece)))
}

function sliced(call: OperatorCall): Expr {
  const [starts, ends] = [call.numbers(1, 'starts'), call.numbers(2, 'ends')]
  const axes = call.optionalNumbers(3, 'axes') ?? range(starts.length)
  const steps = call.optionalNumbers(4, 'steps') ?? starts.map(() => 1)
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    throw call.malformed('starts, ends, axes and steps must have one length')
  if (steps.includes(0)) throw call.malformed('a step must not be 0')
  return axes.reduce((x, axis, i) => sliceAxis(x, axis, starts[i], ends[i], steps[i]), call.input(0))
}

type PadMode = 'constant' | 'reflect' | 'edge' | 'wrap'

function padded(call: OperatorCall): Expr {
  const x = call.input(0)
  const rank = x.shape.length
  const given = call.numbers(1, 'pads')
  const mode = call.string('mode', 'constant') as PadMode
  const axes = normalizedAxesInOrder(call, rank)
  if (given.length !== 2 * axes.length)
    throw call.malformed(`pads must have ${2 * axes.length} entries, got ${given.length}`)
  call.context.reserve(given.reduce((sum, p) => sum + Math.max(0, p), 0))
  const before = range(rank).map((axis) => given[axes.indexOf(axis)] ?? 0)
  const after = range(rank).map((axis) => (axes.includes(axis) ? given[axes.length + axes.indexOf(axis)] : 0))
  if (mode === 'constant') return constantPadded(call, x, before, after)
  if (!['reflect', 'edge', 'wrap'].includes(mode))
    throw call.malformed(`mode must be constant, reflect, edge or wrap, got '${mode}'`)
  return before.reduce((y, low, axis) => paddedByIndex(y, axis, low, after[axis], mode), x)
}

function normalizedAxesInOrder(call: OperatorCall, rank: number): number[] {
  const axes = call.opset >= 18 ? call.optionalNumbers(3, 'axes') : undefined
  return axes?.map((axis) => normalizeAxis(call.label, axis, rank)) ?? range(rank)
}

/** Negative pads crop. The value may depend on the data; then a mask places it. */
function constantPadded(call: OperatorCall, x: Expr, before: readonly number[], after: readonly number[]): Expr {
  const starts = before.map((p) => Math.max(0, -p))
  const ends = x.shape.map((d, i) => d - Math.max(0, -after[i]))
  const [low, high] = [before, after].map((pads) => pads.map((p) => Math.max(0, p)))
  const inside = slice(x.dtype === 'bool' ? cast(x, 'int64') : x, starts, ends)
  const value = call.optional(2)
  const known = value === undefined ? 0 : scalarValue(value)
  if (value === undefined || known !== undefined) return cast(pad(inside, low, high, known), x.dtype)
  const isElement = cast(pad(full('int64', inside.shape, 1), low, high), 'bool')
  return where(isElement, cast(pad(inside, low, high), x.dtype), reshape(value, []))
}

function paddedByIndex(x: Expr, axis: number, before: number, after: number, mode: PadMode): Expr {
  const d = x.shape[axis]
  if (before === 0 && after === 0) return x
  const source = (at: number): number => {
    if (mode === 'edge') return Math.min(Math.max(at, 0), d - 1)
    const period = mode === 'wrap' ? d : Math.max(1, 2 * (d - 1))
    const inside = ((at % period) + period) % period
    return mode === 'wrap' || inside < d ? inside : period - inside
  }
  const indices = range(d + before + after).map((i) => source(i - before))
  return gather(x, int64(indices), axis)
}

function expanded(call: OperatorCall): Expr {
  const x = call.input(0)
  return expand(x, broadcastShapes(call.label, x.shape, call.numbers(1, 'the shape')))
}

function tiled(call: OperatorCall): Expr {
  const x = call.input(0)
  const repeats = call.numbers(1, 'repeats')
  if (repeats.length !== x.shape.length || repeats.some((r) => r < 0))
    throw call.malformed(`repeats must be ${x.shape.length} counts, got [${repeats}]`)
  return tile(x, repeats)
}

/** The upper (default) or lower triangle of the last two axes. */
function trilu(call: OperatorCall): Expr {
  const x = call.input(0)
  const k = call.optional(1) === undefined ? 0 : call.number(1, 'k')
  const upper = call.flag('upper', true)
  const [rows, columns] = x.shape.slice(-2)
  call.context.reserve(rows * columns)
  const keep = range(rows * columns).map((i) => {
    const diagonal = (i % columns) - Math.floor(i / columns)
    return upper ? diagonal >= k : diagonal <= k
  })
  // Selection rather than a product, so that infinities outside the triangle do not become NaN.
  const mask = constant(tensorOf('bool', [rows, columns], keep.map(Number)))
  return x.dtype === 'bool' ? and(x, mask) : where(mask, x, 0)
}

function depthToSpace(call: OperatorCall): Expr {
  const x = call.input(0)
  const [n, channels, height, width] = x.shape
  const b = call.int('blocksize')
  const depth = channels / (b * b)
  const mode = call.string('mode', 'DCR')
  if (!Number.isInteger(depth)) throw call.malformed(`the channels must be a multiple of ${b * b}, got ${channels}`)
  const blocks =
    mode === 'CRD' ? reshape(x, [n, depth, b, b, height, width]) : reshape(x, [n, b, b, depth, height, width])
  const placed = transpose(blocks, mode === 'CRD' ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
  return reshape(placed, [n, depth, height * b, width * b])
}

function spaceToDepth(call: OperatorCall): Expr {
  const x = call.input(0)
  const [n, channels, height, width] = x.shape
  const b = call.int('blocksize')
  if (height % b !== 0 || width % b !== 0)
    throw call.malformed(`height and width must be multiples of ${b}, got ${height} and ${width}`)
  const blocks = reshape(x, [n, channels, height / b, b, width / b, b])
  return reshape(transpose(blocks, [0, 3, 5, 1, 2, 4]), [n, channels * b * b, height / b, width / b])
}

/** Centers a window of the given size on the operand, cropping or padding with zeros. */
function centerCropPad(call: OperatorCall): Expr {
  const x = call.input(0)
  const wanted = call.numbers(1, 'the shape')
  const axes = call.ints('axes')?.map((axis) => normalizeAxis(call.label, axis, x.shape.length)) ?? range(wanted.length)
  return axes.reduce((y, axis, i) => {
    const difference = wanted[i] - y.shape[axis]
    const low = Math.floor(Math.abs(difference) / 2)
    if (difference <= 0) return sliceAxis(y, axis, low, low + wanted[i])
    const zeros = y.shape.map(() => 0)
    return pad(y, zeros.with(axis, low), zeros.with(axis, difference - low))
  }, x)
}

/** Operators that move elements without computing. */
export const structure: OperatorFamily = {
  Reshape: reshaped,
  Flatten: flattened,
  Squeeze: (call) => squeeze(call.input(0), axesOf(call)),
  Unsqueeze: unsqueezed,
  Transpose: transposed,
  Concat: (call) => concat(call.all(), call.int('axis')),
  Split: splitOf,
  Slice: sliced,
  Pad: padded,
  Expand: expanded,
  Tile: tiled,
  Trilu: trilu,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  CenterCropPad: centerCropPad,
}
