import { ShapeError } from '../core/errors.ts'
import { constant } from '../core/expr.ts'
import type { Expr } from '../core/expr.ts'
import { make } from '../core/make.ts'
import type { ConvGeometry } from '../core/operator-attributes.ts'
import { elementsInWindows, poolType, windowOutput } from '../core/signatures.ts'
import type { Shape } from '../core/tensor.ts'
import { sizeOf, tensorOf } from '../core/tensor.ts'
import { add, mul } from './elementwise.ts'
import { pad, reshape, sliceAxis, transpose } from './structure.ts'
import { reduceSum } from './reduction.ts'
import { range } from '../core/shape.ts'

/** Matrix product with NumPy's rules for vectors and leading axes.
 * A stack of matrices times one matrix becomes a single product. */
export function matmul(a: Expr, b: Expr): Expr {
  if (a.shape.length === 0 || b.shape.length === 0)
    throw new ShapeError(`matmul: operands must have rank ≥ 1, got [${a.shape}] and [${b.shape}]. Use mul for scalars.`)
  if (a.shape.length === 1) {
    const product = matmul(reshape(a, [1, ...a.shape]), b)
    return reshape(
      product,
      product.shape.filter((_, i) => i !== product.shape.length - (b.shape.length === 1 ? 1 : 2)),
    )
  }
  if (b.shape.length === 1) {
    const product = matmul(a, reshape(b, [...b.shape, 1]))
    return reshape(product, product.shape.slice(0, -1))
  }
  if (b.shape.length === 2 && a.shape.length > 2 && a.shape.at(-1) === b.shape[0]) {
    const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), b.shape[0]])
    return reshape(make('MatMul', [rows, b], {}), [...a.shape.slice(0, -1), b.shape[1]])
  }
  return make('MatMul', [a, b], {})
}

export interface GemmOptions {
  readonly transA?: boolean
  readonly transB?: boolean
  readonly alpha?: number
  readonly beta?: number
}

/** alpha · op(a) op(b) + beta · c */
export function gemm(a: Expr, b: Expr, c?: Expr, options: GemmOptions = {}): Expr {
  const left = options.transA ? transpose(a, [1, 0]) : a
  const right = options.transB ? transpose(b, [1, 0]) : b
  const product = mul(matmul(left, right), options.alpha ?? 1)
  return c ? add(product, mul(c, options.beta ?? 1)) : product
}

/** Geometry of a convolution; what is left out is 1 (strides, dilations, groups) or 0 (padding). */
export interface ConvOptions {
  readonly strides?: readonly number[]
  readonly dilations?: readonly number[]
  readonly padsBegin?: readonly number[]
  readonly padsEnd?: readonly number[]
  readonly groups?: number
}

export function convGeometry(rank: number, o: ConvOptions = {}): ConvGeometry {
  const fill = (v: number): number[] => new Array<number>(rank).fill(v)
  const padsBegin = o.padsBegin ?? fill(0)
  return {
    strides: o.strides ?? fill(1),
    dilations: o.dilations ?? fill(1),
    padsBegin,
    padsEnd: o.padsEnd ?? padsBegin,
    groups: o.groups ?? 1,
  }
}

/** Cross-correlation of x [N,C,…] with w [O,C/groups,…]; any number of spatial axes. */
export function conv(x: Expr, w: Expr, options: ConvOptions = {}): Expr {
  return make('Conv', [x, w], convGeometry(x.shape.length - 2, options))
}

/** The adjoint of `conv` in x: y [N,O,…], w → [N,C,spatial]. */
export function convInputGradient(y: Expr, w: Expr, geometry: ConvGeometry, spatial: Shape): Expr {
  return make('ConvInputGradient', [y, w], { ...geometry, spatial })
}

/** The adjoint of `conv` in w: x, y → [O,C/groups,kernel]. */
export function convWeightGradient(x: Expr, y: Expr, geometry: ConvGeometry, kernel: Shape): Expr {
  return make('ConvWeightGradient', [x, y], { ...geometry, kernel })
}

/** Transposed convolution: x [N,C,…], w [C,O/groups,…] → [N,O,…], as ONNX ConvTranspose.
 * The output length is stride·(L−1) + dilation·(kernel−1) + 1 + outputPadding − pads. */
export function convTranspose(
  x: Expr,
  w: Expr,
  options: ConvOptions & { outputPadding?: readonly number[] } = {},
): Expr {
  const g = convGeometry(x.shape.length - 2, options)
  const kernel = w.shape.slice(2)
  const extra = options.outputPadding ?? kernel.map(() => 0)
  const spatial = x.shape
    .slice(2)
    .map(
      (d, i) =>
        g.strides[i] * (d - 1) + g.dilations[i] * (kernel[i] - 1) + 1 + extra[i] - g.padsBegin[i] - g.padsEnd[i],
    )
  if (windowOutput(spatial, kernel, g).every((d, i) => d === x.shape[2 + i])) return convInputGradient(x, w, g, spatial)
  return paddedConvTranspose(x, w, g, spatial)
}

/** outputPadding ≥ stride: it uncovers rows that the padding at the end had cut off, then adds zeros that no input reaches. */
function paddedConvTranspose(x: Expr, w: Expr, g: ConvGeometry, spatial: Shape): Expr {
  const uncut = x.shape
    .slice(2)
    .map((d, i) => g.strides[i] * (d - 1) + g.dilations[i] * (w.shape[2 + i] - 1) + 1 - g.padsBegin[i])
  const reach = uncut.map((d, i) => Math.min(d, spatial[i]))
  const small = convInputGradient(x, w, { ...g, padsEnd: uncut.map((d, i) => d - reach[i]) }, reach)
  return pad(
    small,
    small.shape.map(() => 0),
    [0, 0, ...spatial.map((d, i) => d - reach[i])],
  )
}

/** Mean over windows of x [N,C,…]. With `countPadding` padding counts as zeros, else only real elements are averaged. */
export function averagePool(x: Expr, kernel: Shape, options: ConvOptions = {}, countPadding = false): Expr {
  const g = convGeometry(x.shape.length - 2, options)
  const spatial = poolType([x], { ...g, kernel }, 'averagePool').shape.slice(2)
  const sum = windowSum(x, kernel, g)
  const counts = kernel.map((k, i) =>
    countPadding ? range(spatial[i]).map(() => k) : elementsInWindows(x.shape[2 + i], k, g, i, spatial[i]),
  )
  return scaleByCounts(sum, counts)
}

/** Σ over each window, one axis after the other. */
function windowSum(x: Expr, kernel: Shape, g: ConvGeometry): Expr {
  const padded = pad(x, [0, 0, ...g.padsBegin], [0, 0, ...g.padsEnd])
  const lengths = windowOutput(x.shape.slice(2), kernel, g)
  return kernel.reduce((out, k, i) => {
    const disjoint = g.dilations[i] === 1 && (g.strides[i] === k || lengths[i] === 1)
    return disjoint
      ? blockSum(out, 2 + i, k, lengths[i])
      : tapSum(out, 2 + i, k, lengths[i], g.strides[i], g.dilations[i])
  }, padded)
}

/** Windows that follow each other without overlap: the axis is folded and summed in one reduction. */
function blockSum(x: Expr, axis: number, kernel: number, length: number): Expr {
  const blocks = sliceAxis(x, axis, 0, kernel * length)
  const folded = reshape(blocks, [...x.shape.slice(0, axis), length, kernel, ...x.shape.slice(axis + 1)])
  return reduceSum(folded, [axis + 1])
}

/** Windows that overlap or have gaps: one strided slice per tap. */
function tapSum(x: Expr, axis: number, kernel: number, length: number, stride: number, dilation: number): Expr {
  const taps = range(kernel).map((t) => {
    const start = t * dilation
    return sliceAxis(x, axis, start, start + (length - 1) * stride + 1, stride)
  })
  return taps.reduce((sum, tap) => add(sum, tap))
}

function scaleByCounts(sum: Expr, counts: number[][]): Expr {
  let out = sum
  counts.forEach((perAxis, i) => {
    const uniform = perAxis.every((c) => c === perAxis[0])
    const shape = sum.shape.map((d, a) => (a === 2 + i && !uniform ? d : 1))
    const factor = uniform ? 1 / perAxis[0] : undefined
    out = factor !== undefined ? mul(out, factor) : mul(out, reciprocals(perAxis, shape, sum))
  })
  return out
}

function reciprocals(perAxis: number[], shape: Shape, like: Expr): Expr {
  return constant(
    tensorOf(
      like.dtype,
      shape,
      perAxis.map((c) => 1 / c),
    ),
  )
}

/** Largest element of each window of x [N,C,…]; padding never wins. */
export function maxPool(x: Expr, kernel: Shape, options: ConvOptions = {}): Expr {
  const { strides, dilations, padsBegin, padsEnd } = convGeometry(x.shape.length - 2, options)
  return make('MaxPool', [x], { kernel, strides, dilations, padsBegin, padsEnd })
}

/** Mean over all spatial axes, kept with length 1. */
export function globalAveragePool(x: Expr): Expr {
  const axes = range(x.shape.length).slice(2)
  return mul(reduceSum(x, axes, true), 1 / sizeOf(x.shape.slice(2)))
}
