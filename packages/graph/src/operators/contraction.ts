import type { Expr, Operation } from '../core/expr.ts'
import { make } from '../core/make.ts'
import type { ConvGeometry } from '../core/operator-attributes.ts'
import { range } from '../core/shape.ts'
import type { Shape } from '../core/tensor.ts'
import { add } from '../build/elementwise.ts'
import { conv, convInputGradient, convWeightGradient, matmul } from '../build/contraction.ts'
import { sumTo } from '../build/reduction.ts'
import { matrixTranspose, moveAxis, reshape } from '../build/structure.ts'
import { broadcastStrides, forEachIndex, generate, ndArray, positionOf } from '../interpret/nd-array.ts'
import type { NdArray } from '../interpret/nd-array.ts'
import { stacked } from './batching.ts'
import { rule } from './rule.ts'
import type { BatchedOperand, Derivative, Rule } from './rule.ts'

/** The tangent of a bilinear f: f(ȧ, b) + f(a, ḃ). */
function bilinear(node: Operation, [ta, tb]: readonly Derivative[]): Derivative {
  const [a, b] = node.inputs
  const apply = (p: Expr, q: Expr): Expr => make(node.op, [p, q], node.attributes as never)
  const left = ta && apply(ta, b)
  const right = tb && apply(a, tb)
  return left && right ? add(left, right) : (left ?? right)
}

// ------------------------------------------------------------------ matrices

function batchMatMul(_: unknown, [a, b]: readonly BatchedOperand[]): Expr {
  if (a.batched && !b.batched) return matmul(alignStack(a, b.value.shape.length), b.value)
  if (!a.batched) return make('MatMul', [a.value, alignStack(b, a.value.shape.length)], {})
  const rank = Math.max(a.value.shape.length, b.value.shape.length) - 1
  return make('MatMul', [alignStack(a, rank), alignStack(b, rank)], {})
}

/** Inserts axes of length 1 after the batch axis so that it meets no stack axis of the other operand. */
function alignStack({ value }: BatchedOperand, rank: number): Expr {
  const [size, ...rest] = value.shape
  const missing = rank > 2 ? Math.max(0, rank - rest.length) : 0
  return reshape(value, [size, ...range(missing).map(() => 1), ...rest])
}

function interpretMatMul([a, b]: readonly NdArray[], _: unknown, type: { shape: Shape }): NdArray {
  const out = ndArray(a.dtype, type.shape)
  const stack = type.shape.slice(0, -2)
  const [n, k] = type.shape.slice(-2)
  const m = a.shape.at(-1)!
  const offsets = [a, b].map((x) => broadcastStrides(x.shape.slice(0, -2), stack))
  forEachIndex(stack, (s, at) => {
    const pa = positionOf(at, offsets[0]) * n * m
    const pb = positionOf(at, offsets[1]) * m * k
    for (let i = 0; i < n; i++)
      for (let l = 0; l < m; l++) {
        const left = a.data[pa + i * m + l]
        for (let j = 0; j < k; j++) out.data[(s * n + i) * k + j] += left * b.data[pb + l * k + j]
      }
  })
  return out
}

// -------------------------------------------------------------- convolutions
//
// One trilinear form ⟨conv(x, w), y⟩ and its three partial maps:
//   Conv(x, w) → y,   ConvInputGradient(y, w) → x,   ConvWeightGradient(x, y) → w.
// Every derivative of each is one of the other two.

function geometryOf({ strides, dilations, padsBegin, padsEnd, groups }: ConvGeometry): ConvGeometry {
  return { strides, dilations, padsBegin, padsEnd, groups }
}

/** [B,N,C,…] → [B·N,C,…]: a batch of inputs is a larger batch. */
function mergeSamples(x: Expr): Expr {
  return reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2)])
}

function splitFirst(x: Expr, size: number): Expr {
  return reshape(x, [size, x.shape[0] / size, ...x.shape.slice(1)])
}

/** [B,N,C,…] → [N,B·C,…]: each batch entry becomes a group of channels. */
function channelsOfBatch(x: Expr): Expr {
  const [size, n, c, ...spatial] = x.shape
  return reshape(moveAxis(x, 0, 1), [n, size * c, ...spatial])
}

/** [N,B·C,…] → [B,N,C,…] */
function batchOfChannels(x: Expr, size: number): Expr {
  const [n, c, ...spatial] = x.shape
  return moveAxis(reshape(x, [n, size, c / size, ...spatial]), 1, 0)
}

function batchConv(node: Operation<'Conv'>, [x, w]: readonly BatchedOperand[], size: number): Expr {
  const g = node.attributes
  if (!w.batched) return splitFirst(conv(mergeSamples(x.value), w.value, g), size)
  if (!x.batched && g.groups === 1) return batchOfChannels(conv(x.value, mergeSamples(w.value), g), size)
  const y = conv(channelsOfBatch(stacked(x, size)), mergeSamples(w.value), { ...g, groups: g.groups * size })
  return batchOfChannels(y, size)
}

function batchInputGradient(
  node: Operation<'ConvInputGradient'>,
  [y, w]: readonly BatchedOperand[],
  size: number,
): Expr {
  const { spatial } = node.attributes
  const g = geometryOf(node.attributes)
  if (!w.batched) return splitFirst(convInputGradient(mergeSamples(y.value), w.value, g, spatial), size)
  const grouped = { ...g, groups: g.groups * size }
  const x = convInputGradient(channelsOfBatch(stacked(y, size)), mergeSamples(w.value), grouped, spatial)
  return batchOfChannels(x, size)
}

function batchWeightGradient(
  node: Operation<'ConvWeightGradient'>,
  [x, y]: readonly BatchedOperand[],
  size: number,
): Expr {
  const { kernel } = node.attributes
  const g = geometryOf(node.attributes)
  if (!x.batched && g.groups === 1)
    return splitFirst(convWeightGradient(x.value, channelsOfBatch(y.value), g, kernel), size)
  const grouped = { ...g, groups: g.groups * size }
  const w = convWeightGradient(channelsOfBatch(stacked(x, size)), channelsOfBatch(stacked(y, size)), grouped, kernel)
  return splitFirst(w, size)
}

/** Visits every product of the trilinear form with the flat positions of its x, w and y. */
function forEachProduct(
  x: Shape,
  w: Shape,
  y: Shape,
  g: ConvGeometry,
  visit: (x: number, w: number, y: number) => void,
): void {
  const perGroup = y[1] / g.groups
  const strides = broadcastStrides(x, x)
  const kernel = w.slice(2)
  const taps = kernel.reduce((p, d) => p * d, 1)
  forEachIndex(y, (py, at) => {
    const group = Math.floor(at[1] / perGroup)
    for (let c = 0; c < w[1]; c++)
      forEachIndex(kernel, (tap, t) => {
        let px = at[0] * strides[0] + (group * w[1] + c) * strides[1]
        for (let i = 0; i < kernel.length; i++) {
          const s = at[2 + i] * g.strides[i] + t[i] * g.dilations[i] - g.padsBegin[i]
          if (s < 0 || s >= x[2 + i]) return
          px += s * strides[2 + i]
        }
        visit(px, (at[1] * w[1] + c) * taps + tap, py)
      })
  })
}

// ------------------------------------------------------------------- pooling

function mergedPool(
  node: Operation<'MaxPool' | 'MaxPoolIndices'>,
  [{ value }]: readonly BatchedOperand[],
  size: number,
): Expr {
  return splitFirst(make(node.op, [mergeSamples(value)], node.attributes), size)
}

/** Position within the plane and value of each window's first maximum; NaN wins over everything. */
function forEachWindow(
  x: NdArray,
  a: Operation<'MaxPool'>['attributes'],
  shape: Shape,
  visit: (out: number, position: number, value: number) => void,
): void {
  const strides = broadcastStrides(x.shape, x.shape)
  forEachIndex(shape, (out, at) => {
    const plane = at[0] * strides[0] + at[1] * strides[1]
    let best = -1
    forEachIndex(a.kernel, (_, t) => {
      let p = 0
      for (let i = 0; i < a.kernel.length; i++) {
        const s = at[2 + i] * a.strides[i] + t[i] * a.dilations[i] - a.padsBegin[i]
        if (s < 0 || s >= x.shape[2 + i]) return
        p += s * strides[2 + i]
      }
      const value = x.data[plane + p]
      if (best < 0 || value > x.data[plane + best] || (Number.isNaN(value) && !Number.isNaN(x.data[plane + best])))
        best = p
    })
    visit(out, best, best < 0 ? Number.NEGATIVE_INFINITY : x.data[plane + best])
  })
}

function flatPlanes(x: Expr): Expr {
  return reshape(x, [x.shape[0], x.shape[1], -1])
}

/** Positions of the maxima, [N,C,windows]. */
function positions(node: Operation<'MaxPool'>): Expr {
  return flatPlanes(make('MaxPoolIndices', node.inputs, node.attributes))
}

type ContractionName = 'MatMul' | 'Conv' | 'ConvInputGradient' | 'ConvWeightGradient' | 'MaxPool' | 'MaxPoolIndices'

export const contractions: { readonly [K in ContractionName]: Rule<K> } = {
  MatMul: rule('MatMul', {
    vjp({ inputs: [a, b] }, g, wanted) {
      return [
        wanted[0] ? sumTo(matmul(g, matrixTranspose(b)), a.shape) : null,
        wanted[1] ? sumTo(make('MatMul', [matrixTranspose(a), g], {}), b.shape) : null,
      ]
    },
    jvp: bilinear,
    batch: batchMatMul,
    interpret: interpretMatMul,
  }),
  Conv: rule('Conv', {
    vjp: ({ inputs: [x, w], attributes: g }, y, wanted) => [
      wanted[0] ? convInputGradient(y, w, g, x.shape.slice(2)) : null,
      wanted[1] ? convWeightGradient(x, y, g, w.shape.slice(2)) : null,
    ],
    jvp: bilinear,
    batch: batchConv,
    interpret([x, w], g, type) {
      const y = ndArray(type.dtype, type.shape)
      forEachProduct(x.shape, w.shape, y.shape, g, (i, j, k) => (y.data[k] += x.data[i] * w.data[j]))
      return y
    },
  }),
  ConvInputGradient: rule('ConvInputGradient', {
    vjp: ({ inputs: [y, w], attributes }, x, wanted) => [
      wanted[0] ? conv(x, w, geometryOf(attributes)) : null,
      wanted[1] ? convWeightGradient(x, y, geometryOf(attributes), w.shape.slice(2)) : null,
    ],
    jvp: bilinear,
    batch: batchInputGradient,
    interpret([y, w], g, type) {
      const x = ndArray(type.dtype, type.shape)
      forEachProduct(x.shape, w.shape, y.shape, g, (i, j, k) => (x.data[i] += y.data[k] * w.data[j]))
      return x
    },
  }),
  ConvWeightGradient: rule('ConvWeightGradient', {
    vjp: ({ inputs: [x, y], attributes }, w, wanted) => [
      wanted[0] ? convInputGradient(y, w, geometryOf(attributes), x.shape.slice(2)) : null,
      wanted[1] ? conv(x, w, geometryOf(attributes)) : null,
    ],
    jvp: bilinear,
    batch: batchWeightGradient,
    interpret([x, y], g, type) {
      const w = ndArray(type.dtype, type.shape)
      forEachProduct(x.shape, w.shape, y.shape, g, (i, j, k) => (w.data[j] += x.data[i] * y.data[k]))
      return w
    },
  }),
  MaxPool: rule('MaxPool', {
    // the first maximum of a window takes the whole derivative, as PyTorch
    vjp(node, g) {
      const [x] = node.inputs
      const size = x.shape.slice(2).reduce((p, d) => p * d, 1)
      const scattered = make('ScatterElementsAdd', [positions(node), flatPlanes(g)], { axis: 2, size })
      return [reshape(scattered, x.shape)]
    },
    jvp: (node, [t]) => t && reshape(make('GatherElements', [flatPlanes(t), positions(node)], { axis: 2 }), node.shape),
    batch: mergedPool,
    interpret([x], a, type) {
      const out = ndArray(x.dtype, type.shape)
      forEachWindow(x, a, type.shape, (i, _, value) => (out.data[i] = value))
      return out
    },
  }),
  MaxPoolIndices: rule('MaxPoolIndices', {
    vjp: () => [null],
    jvp: () => null,
    batch: mergedPool,
    interpret([x], a, type) {
      const out = generate('int64', type.shape, () => 0)
      forEachWindow(x, a, type.shape, (i, position) => (out.data[i] = position))
      return out
    },
  }),
}
