import {
  concat,
  conv,
  make,
  moveAxis,
  pad,
  range,
  reduceSum,
  reshape,
  sizeOf,
  slice,
  sliceAxis,
  stack,
  transpose,
} from '@thalweg/graph'
import type { ConvGeometry, Expr, Operation, Shape } from '@thalweg/graph'

function taps(kernel: Shape): number[][] {
  return kernel.reduce<number[][]>((all, k) => all.flatMap((tap) => range(k).map((t) => [...tap, t])), [[]])
}

/** Patches of x for a convolution: [N, groups, taps·C/groups, positions], taps outermost. */
function patches(x: Expr, kernel: Shape, output: Shape, g: ConvGeometry): Expr {
  const [n, channels] = x.shape
  const padded = pad(x, [0, 0, ...g.padsBegin], [0, 0, ...g.padsEnd])
  const perGroup = channels / g.groups
  const positions = sizeOf(output)
  const slices = taps(kernel).map((tap) =>
    reshape(shifted(padded, 2, tap, output, g, 0), [n, g.groups, perGroup, positions]),
  )
  return concat(slices, 2)
}

/** w [O,C/g,kernel] as [groups, O/groups, taps·C/groups], taps outermost: the left factor for `patches`. */
function weightMatrix(w: Expr, groups: number): Expr {
  const [outputs, channels, ...kernel] = w.shape
  const flat = reshape(w, [groups, outputs / groups, channels, sizeOf(kernel)])
  return reshape(transpose(flat, [0, 1, 3, 2]), [groups, outputs / groups, sizeOf(kernel) * channels])
}

/** Convolution as one matrix product per sample and group over gathered patches. */
export function convByPatches(x: Expr, w: Expr, g: ConvGeometry, shape: Shape): Expr {
  const weights = weightMatrix(w, g.groups)
  const columns = patches(x, w.shape.slice(2), shape.slice(2), g)
  const left = g.groups === 1 ? reshape(weights, weights.shape.slice(1)) : weights
  const right = g.groups === 1 ? reshape(columns, [columns.shape[0], ...columns.shape.slice(2)]) : columns
  return reshape(make('MatMul', [left, right], {}), shape)
}

/** Zeros between the entries of the spatial axes, so that a stride becomes 1. */
function spreadByStride(y: Expr, strides: readonly number[]): Expr {
  return strides.reduce((out, stride, i) => {
    if (stride === 1) return out
    const axis = 2 + i
    const shape = out.shape
    const split = reshape(out, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)])
    const after = split.shape.map((_, a) => (a === axis + 1 ? stride - 1 : 0))
    const spread = reshape(
      pad(
        split,
        split.shape.map(() => 0),
        after,
      ),
      shape.map((d, a) => (a === axis ? d * stride : d)),
    )
    return sliceAxis(spread, axis, 0, (shape[axis] - 1) * stride + 1)
  }, y)
}

/** w [O,C/g,kernel] reversed in space with the channel roles exchanged: [C, O/g, kernel]. */
function adjointWeights(w: Expr, groups: number): Expr {
  const [outputs, channels, ...kernel] = w.shape
  const reversed = kernel.reduce<Expr>((e, k, i) => sliceAxis(e, 2 + i, k - 1, -k - 1, -1), w)
  const grouped = reshape(reversed, [groups, outputs / groups, channels, ...kernel])
  return reshape(moveAxis(grouped, 2, 1), [groups * channels, outputs / groups, ...kernel])
}

/** ConvInputGradient as a Conv of stride 1 with the adjoint weights. Negative padding becomes cropping. */
export function inputGradientByConv(node: Operation<'ConvInputGradient'>): Expr {
  const [y, w] = node.inputs
  const { groups, dilations, strides, padsBegin, spatial } = node.attributes
  const spread = spreadByStride(y, strides)
  const kernel = w.shape.slice(2)
  const reach = kernel.map((k, i) => (k - 1) * dilations[i])
  const before = reach.map((r, i) => r - padsBegin[i])
  const after = spatial.map((d, i) => d + reach[i] - before[i] - spread.shape[2 + i])
  const cropped = slice(
    spread,
    [0, 0, ...before.map((b) => Math.max(0, -b))],
    [spread.shape[0], spread.shape[1], ...after.map((a, i) => spread.shape[2 + i] + Math.min(0, a))],
  )
  return conv(cropped, adjointWeights(w, groups), {
    dilations,
    groups,
    padsBegin: before.map((b) => Math.max(0, b)),
    padsEnd: after.map((a) => Math.max(0, a)),
  })
}

/** From this many channels per group on, one product per column is faster than copying the columns together (measured). */
const channelsForSeparateColumns = 32

/** ConvWeightGradient as products of shifted inputs with the output cotangent, summed over the samples.
 *
 * A kernel tap shifts the input along every spatial axis. The shift along the last axis copies short rows, so it is
 * made once per kernel column; the others then are runs of whole rows. With few channels the columns are put side by
 * side, which makes fewer, larger products. (Measured beside patches of all taps, nine single products, and a Conv
 * with the cotangent as kernel: least time at all sizes of a ResNet.) */
export function weightGradientByTaps(node: Operation<'ConvWeightGradient'>): Expr {
  const [x, y] = node.inputs
  const g = node.attributes
  const [n, outputs, ...output] = y.shape
  const last = output.length - 1
  const channels = x.shape[1] / g.groups
  const padded = pad(x, [0, 0, ...g.padsBegin], [0, 0, ...g.padsEnd])
  const grouped = reshape(padded, [n, g.groups, channels, ...padded.shape.slice(2)])
  const columns = range(g.kernel[last]).map((t) => shifted(grouped, 3 + last, [t], output.slice(last), g, last))
  const factors = channels >= channelsForSeparateColumns ? columns : [concat(columns, 2)]
  const cotangent = transpose(reshape(y, [n, g.groups, outputs / g.groups, sizeOf(output)]), [0, 1, 3, 2])
  const parts = factors.flatMap((factor) =>
    taps(g.kernel.slice(0, -1)).map((tap) => {
      const rows = shifted(factor, 3, tap, output.slice(0, -1), g, 0)
      const left = reshape(rows, [...rows.shape.slice(0, 3), sizeOf(output)])
      return reduceSum(make('MatMul', [left, cotangent], {}), [0])
    }),
  )
  // [columns apart, rows, groups, columns side by side, C/groups, O/groups] → [groups, O/groups, C/groups, rows, columns]
  const [apart, beside] = [factors.length, g.kernel[last] / factors.length]
  const rows = parts.length / apart
  const products = reshape(stack(parts, 0), [apart, rows, g.groups, beside, channels, outputs / g.groups])
  return reshape(transpose(products, [2, 5, 4, 1, 0, 3]), node.shape)
}

/** The elements that some axes, from `axis` on, contribute to one tap; these are the geometry's axes from `from` on. */
function shifted(x: Expr, axis: number, tap: readonly number[], output: Shape, g: ConvGeometry, from: number): Expr {
  const starts = x.shape.map(() => 0)
  const ends = [...x.shape]
  const steps = x.shape.map(() => 1)
  tap.forEach((t, i) => {
    starts[axis + i] = t * g.dilations[from + i]
    steps[axis + i] = g.strides[from + i]
    ends[axis + i] = starts[axis + i] + (output[i] - 1) * steps[axis + i] + 1
  })
  return slice(x, starts, ends, steps)
}

/** Whether the window of a ConvInputGradient lands exactly on its output, as ConvTranspose needs without extra padding. */
export function outputPaddingOf(node: Operation<'ConvInputGradient'>): number[] {
  const [y, w] = node.inputs
  const { strides, dilations, padsBegin, padsEnd, spatial } = node.attributes
  return spatial.map(
    (d, i) =>
      d - (strides[i] * (y.shape[2 + i] - 1) + dilations[i] * (w.shape[2 + i] - 1) + 1 - padsBegin[i] - padsEnd[i]),
  )
}
