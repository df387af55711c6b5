import {
  constant,
  gather,
  make,
  matmul,
  pad,
  range,
  reduceSum,
  reshape,
  sizeOf,
  stridesOf,
  tensorOf,
  transpose,
} from '@thalweg/graph'
import type { ConvGeometry, Expr, Operation, Shape } from '@thalweg/graph'

/* Convolutions of one group as single matrix products over gathered rows, channels last: one Gather copies whole
 * channel vectors, and the product has N·S rows. Measured on float64, 16…64 channels: 3 to 5 times faster than slices
 * per tap and one small product per sample. The columns of x are the same expression for the convolution and its weight
 * gradient, so they are computed once. */

/** [N,C,…] → [N, positions, C] */
function channelsLast(x: Expr): Expr {
  const [n, c, ...spatial] = x.shape
  return transpose(reshape(x, [n, c, sizeOf(spatial)]), [0, 2, 1])
}

/** [N·positions, C] → [N,C,…] */
function channelsFirst(rows: Expr, shape: Shape): Expr {
  const [n, c, ...spatial] = shape
  return reshape(transpose(reshape(rows, [n, sizeOf(spatial), c]), [0, 2, 1]), shape)
}

/** All coordinates of a shape, row-major. */
function coordinatesOf(shape: Shape): number[][] {
  return shape.reduce<number[][]>((all, d) => all.flatMap((at) => range(d).map((i) => [...at, i])), [[]])
}

/** The input position that meets each tap of each output position, −1 in the padding. [outputs × taps] */
function meetings(spatial: Shape, kernel: Shape, output: Shape, g: ConvGeometry): number[][] {
  const strides = stridesOf(spatial)
  const taps = coordinatesOf(kernel)
  return coordinatesOf(output).map((at) =>
    taps.map((tap) => {
      let position = 0
      for (let i = 0; i < spatial.length; i++) {
        const s = at[i] * g.strides[i] + tap[i] * g.dilations[i] - g.padsBegin[i]
        if (s < 0 || s >= spatial[i]) return -1
        position += s * strides[i]
      }
      return position
    }),
  )
}

/** Rows of `values` [N, rows, C] at positions; −1 reads zeros. [N, positions, C] */
function gatherRows(values: Expr, positions: readonly number[]): Expr {
  const rows = values.shape[1]
  const missing = positions.some((p) => p < 0)
  const source = missing ? pad(values, [0, 0, 0], [0, 1, 0]) : values
  const indices = constant(
    tensorOf(
      'int64',
      [positions.length],
      positions.map((p) => (p < 0 ? rows : p)),
    ),
  )
  return gather(source, indices, 1)
}

/** Every window of x as a row: [N·outputs, taps·C]. */
function columns(x: Expr, kernel: Shape, output: Shape, g: ConvGeometry): Expr {
  const [n, c, ...spatial] = x.shape
  const positions = meetings(spatial, kernel, output, g).flat()
  return reshape(gatherRows(channelsLast(x), positions), [n * sizeOf(output), sizeOf(kernel) * c])
}

/** [O,C,kernel] → [taps·C, O] */
function weightColumns(w: Expr): Expr {
  const [o, c, ...kernel] = w.shape
  return reshape(transpose(reshape(w, [o, c, sizeOf(kernel)]), [2, 1, 0]), [sizeOf(kernel) * c, o])
}

export function convByColumns({ inputs: [x, w], attributes, shape }: Operation<'Conv'>): Expr {
  const rows = matmul(columns(x, w.shape.slice(2), shape.slice(2), attributes), weightColumns(w))
  return channelsFirst(rows, shape)
}

export function weightGradientByColumns({ inputs: [x, y], attributes, shape }: Operation<'ConvWeightGradient'>): Expr {
  const [o, c] = shape
  const { kernel } = attributes
  const left = transpose(columns(x, kernel, y.shape.slice(2), attributes), [1, 0])
  const right = reshape(channelsLast(y), [y.shape[0] * sizeOf(y.shape.slice(2)), o])
  const product = make('MatMul', [left, right], {})
  return reshape(transpose(reshape(product, [sizeOf(kernel), c, o]), [2, 1, 0]), shape)
}

/** Each input position sums the products that reached it: at most ⌈kernel/stride⌉ per axis, so no arithmetic is spent on
 * zeros between strides. */
export function inputGradientByColumns({ inputs: [y, w], attributes, shape }: Operation<'ConvInputGradient'>): Expr {
  const [n, c, ...spatial] = shape
  const [o, , ...kernel] = w.shape
  const output = y.shape.slice(2)
  const taps = sizeOf(kernel)
  const rows = reshape(channelsLast(y), [n * sizeOf(output), o])
  const products = reshape(matmul(rows, transpose(weightColumns(w), [1, 0])), [n, sizeOf(output) * taps, c])
  const arrivals = range(sizeOf(spatial)).map((): number[] => [])
  meetings(spatial, kernel, output, attributes).forEach((met, at) => {
    met.forEach((position, tap) => {
      if (position >= 0) arrivals[position].push(at * taps + tap)
    })
  })
  const most = arrivals.reduce((m, a) => Math.max(m, a.length), 1)
  const positions = arrivals.flatMap((a) => range(most).map((i) => a[i] ?? -1))
  const gathered = reshape(gatherRows(products, positions), [n, sizeOf(spatial), most, c])
  return channelsFirst(reshape(reduceSum(gathered, [2]), [n * sizeOf(spatial), c]), shape)
}
