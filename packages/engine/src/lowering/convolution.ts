import {
  concat,
  conv,
  make,
  matmul,
  moveAxis,
  pad,
  range,
  reduceSum,
  reshape,
  sizeOf,
  slice,
  sliceAxis,
  transpose,
} from '@thalweg/graph'
import type { ConvGeometry, Expr, Operation, Shape } from '@thalweg/graph'

/** The elements that meet one kernel tap: [N,C,output…]. `padded` already carries its padding. */
function tapSlice(padded: Expr, tap: readonly number[], output: Shape, g: ConvGeometry): Expr {
  const first = tap.map((t, i) => t * g.dilations[i])
  const starts = [0, 0, ...first]
  const ends = [padded.shape[0], padded.shape[1], ...first.map((f, i) => f + (output[i] - 1) * g.strides[i] + 1)]
  return slice(padded, starts, ends, [1, 1, ...g.strides])
}

function taps(kernel: Shape): number[][] {
  return kernel.reduce<number[][]>((all, k) => all.flatMap((tap) => range(k).map((t) => [...tap, t])), [[]])
}

/** Patches of x for a convolution: [N, groups, taps·C/groups, positions], taps outermost. */
function patches(x: Expr, kernel: Shape, output: Shape, g: ConvGeometry): Expr {
  const [n, channels] = x.shape
  const padded = pad(x, [0, 0, ...g.padsBegin], [0, 0, ...g.padsEnd])
  const perGroup = channels / g.groups
  const positions = sizeOf(output)
  const slices = taps(kernel).map((tap) => reshape(tapSlice(padded, tap, output, g), [n, g.groups, perGroup, positions]))
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
    const spread = reshape(pad(split, split.shape.map(() => 0), after), shape.map((d, a) => (a === axis ? d * stride : d)))
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

/** ConvWeightGradient as products of patches with the output cotangent, summed over the samples. */
export function weightGradientByPatches(node: Operation<'ConvWeightGradient'>): Expr {
  const [x, y] = node.inputs
  const g = node.attributes
  const [n, outputs, ...output] = y.shape
  const perGroup = outputs / g.groups
  const columns = patches(x, g.kernel, output, g)
  const cotangent = transpose(reshape(y, [n, g.groups, perGroup, sizeOf(output)]), [0, 1, 3, 2])
  const products = reduceSum(make('MatMul', [columns, cotangent], {}), [0])
  const channels = x.shape[1] / g.groups
  const split = reshape(products, [g.groups, sizeOf(g.kernel), channels, perGroup])
  return reshape(transpose(split, [0, 3, 2, 1]), node.shape)
}

/** A 1×1 convolution with stride 1 and no padding is a matrix product. */
export function pointwiseConv(node: Operation<'Conv'>): Expr | undefined {
  const [x, w] = node.inputs
  const g = node.attributes
  const plain = g.groups === 1 && [...g.padsBegin, ...g.padsEnd].every((p) => p === 0) && g.strides.every((s) => s === 1)
  if (!plain || w.shape.slice(2).some((k) => k !== 1)) return undefined
  const columns = reshape(x, [x.shape[0], x.shape[1], sizeOf(x.shape.slice(2))])
  return reshape(matmul(reshape(w, [w.shape[0], w.shape[1]]), columns), node.shape)
}

/** Whether the window of a ConvInputGradient lands exactly on its output, as ConvTranspose needs without extra padding. */
export function outputPaddingOf(node: Operation<'ConvInputGradient'>): number[] {
  const [y, w] = node.inputs
  const { strides, dilations, padsBegin, padsEnd, spatial } = node.attributes
  return spatial.map(
    (d, i) => d - (strides[i] * (y.shape[2 + i] - 1) + dilations[i] * (w.shape[2 + i] - 1) + 1 - padsBegin[i] - padsEnd[i]),
  )
}

