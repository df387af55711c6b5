import type { Expr, Operation } from '../core/expr.ts'
import { make } from '../core/make.ts'
import type { Reduction } from '../core/operator-attributes.ts'
import { sizeOf } from '../core/tensor.ts'
import type { Shape } from '../core/tensor.ts'
import { cast, div, equal, exp, mul, sub } from '../build/elementwise.ts'
import { cumSum, reduceSum, softmax } from '../build/reduction.ts'
import { expand, reshape } from '../build/structure.ts'
import { broadcastStrides, forEachIndex, generate, ndArray, positionOf } from '../interpret/nd-array.ts'
import type { NdArray } from '../interpret/nd-array.ts'
import { notDifferentiable, rule } from './rule.ts'
import type { BatchedOperand, Rule } from './rule.ts'

type ReduceName = 'ReduceSum' | 'ReduceMax' | 'ReduceMin' | 'ReduceLogSumExp'

/** The reduced value with its axes kept, ready to meet the operand. */
function kept(node: Operation<ReduceName>, value: Expr): Expr {
  return reshape(
    value,
    node.inputs[0].shape.map((d, i) => (node.attributes.axes.includes(i) ? 1 : d)),
  )
}

function batchReduction(node: Operation<ReduceName>, [{ value }]: readonly BatchedOperand[]): Expr {
  const { axes, keepDims } = node.attributes
  return make(node.op, [value], { axes: axes.map((a) => a + 1), keepDims })
}

/** Folds the elements along the axes of a reduction, first to last. */
function fold(
  x: NdArray,
  { axes }: Reduction,
  shape: Shape,
  start: number,
  step: (acc: number, v: number) => number,
): NdArray {
  const out = ndArray(x.dtype, shape, new Float64Array(sizeOf(shape)).fill(start))
  const keptShape = x.shape.map((d, i) => (axes.includes(i) ? 1 : d))
  const strides = broadcastStrides(keptShape, x.shape)
  forEachIndex(x.shape, (i, at) => {
    const target = positionOf(at, strides)
    out.data[target] = step(out.data[target], x.data[i])
  })
  return out
}

const maxStep = (a: number, b: number): number => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(a, b))
const minStep = (a: number, b: number): number => -maxStep(-a, -b)

/** The share of each element in an extreme value: ties divide it evenly, as torch.amax. */
function extremeShare(node: Operation<ExtremeName>): Expr {
  const [x] = node.inputs
  const hit = cast(equal(x, kept(node, node)), x.dtype)
  return div(hit, reduceSum(hit, node.attributes.axes, true))
}

type ExtremeName = 'ReduceMax' | 'ReduceMin'

function extreme(start: number, step: (a: number, b: number) => number): Omit<Rule<ExtremeName>, 'infer'> {
  return {
    vjp: (node, g) => [mul(extremeShare(node), kept(node, g))],
    jvp: (node, [t]) => t && reduceSum(mul(extremeShare(node), t), node.attributes.axes, node.attributes.keepDims),
    batch: batchReduction,
    interpret: ([x], attributes, type) => fold(x, attributes, type.shape, start, step),
  }
}

function logSumExpWeights(node: Operation<'ReduceLogSumExp'>): Expr {
  return exp(sub(node.inputs[0], kept(node, node)))
}

/** Calls `each` with the flat positions of every lane along an axis. */
function forEachLane(shape: Shape, axis: number, each: (positions: number[]) => void): void {
  const inner = sizeOf(shape.slice(axis + 1))
  const length = shape[axis]
  for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++)
    for (let i = 0; i < inner; i++) each(Array.from({ length }, (_, k) => (outer * length + k) * inner + i))
}

function interpretSoftmax(x: NdArray, axis: number, logarithm: boolean): NdArray {
  const out = ndArray(x.dtype, x.shape)
  forEachLane(x.shape, axis, (lane) => {
    const largest = lane.reduce((m, p) => maxStep(m, x.data[p]), Number.NEGATIVE_INFINITY)
    const total = lane.reduce((s, p) => s + Math.exp(x.data[p] - largest), 0)
    for (const p of lane)
      out.data[p] = logarithm ? x.data[p] - largest - Math.log(total) : Math.exp(x.data[p] - largest) / total
  })
  return out
}

function interpretCumSum(x: NdArray, axis: number, exclusive: boolean, reverse: boolean): NdArray {
  const out = ndArray(x.dtype, x.shape)
  forEachLane(x.shape, axis, (lane) => {
    let sum = 0
    for (const p of reverse ? lane.toReversed() : lane) {
      if (exclusive) out.data[p] = sum
      sum += x.data[p]
      if (!exclusive) out.data[p] = sum
    }
  })
  return out
}

function logSumExpOf(x: NdArray, attributes: Reduction, shape: Shape): NdArray {
  const largest = fold(x, attributes, shape, Number.NEGATIVE_INFINITY, maxStep)
  const strides = broadcastStrides(
    x.shape.map((d, i) => (attributes.axes.includes(i) ? 1 : d)),
    x.shape,
  )
  const finite = largest.data.map((m) => (Number.isFinite(m) ? m : 0))
  const shifted = generate(x.dtype, x.shape, () => 0)
  forEachIndex(x.shape, (i, at) => {
    shifted.data[i] = Math.exp(x.data[i] - finite[positionOf(at, strides)])
  })
  const sums = fold(shifted, attributes, shape, 0, (a, b) => a + b)
  return ndArray(
    x.dtype,
    shape,
    sums.data.map((s, i) => Math.log(s) + finite[i]),
  )
}

const shifted = (node: Operation<'Softmax' | 'LogSoftmax'>, [{ value }]: readonly BatchedOperand[]): Expr =>
  make(node.op, [value], { axis: node.attributes.axis + 1 })

type ReductionName = ReduceName | 'ArgMax' | 'CumSum' | 'Softmax' | 'LogSoftmax'

export const reductions: { readonly [K in ReductionName]: Rule<K> } = {
  ReduceSum: rule('ReduceSum', {
    vjp: (node, g) => [expand(kept(node, g), node.inputs[0].shape)],
    jvp: (node, [t]) => t && make('ReduceSum', [t], node.attributes),
    batch: batchReduction,
    interpret: ([x], attributes, type) => fold(x, attributes, type.shape, 0, (a, b) => a + b),
  }),
  ReduceMax: rule('ReduceMax', extreme(Number.NEGATIVE_INFINITY, maxStep)),
  ReduceMin: rule('ReduceMin', extreme(Number.POSITIVE_INFINITY, minStep)),
  ReduceLogSumExp: rule('ReduceLogSumExp', {
    vjp: (node, g) => [mul(logSumExpWeights(node), kept(node, g))],
    jvp: (node, [t]) => t && reduceSum(mul(logSumExpWeights(node), t), node.attributes.axes, node.attributes.keepDims),
    batch: batchReduction,
    interpret: ([x], attributes, type) => logSumExpOf(x, attributes, type.shape),
  }),
  ArgMax: rule('ArgMax', {
    ...notDifferentiable,
    batch: (node, [{ value }]) => make('ArgMax', [value], { ...node.attributes, axis: node.attributes.axis + 1 }),
    interpret([x], { axis }, type) {
      const out = ndArray('int64', type.shape)
      let lane = 0
      forEachLane(x.shape, axis, (positions) => {
        let best = 0
        positions.forEach((p, k) => {
          if (x.data[p] > x.data[positions[best]]) best = k
        })
        out.data[lane++] = best
      })
      return out
    },
  }),
  CumSum: rule('CumSum', {
    vjp: (node, g) => [cumSum(g, node.attributes.axis, node.attributes.exclusive, !node.attributes.reverse)],
    jvp: (node, [t]) => t && make('CumSum', [t], node.attributes),
    batch: (node, [{ value }]) => make('CumSum', [value], { ...node.attributes, axis: node.attributes.axis + 1 }),
    interpret: ([x], { axis, exclusive, reverse }) => interpretCumSum(x, axis, exclusive, reverse),
  }),
  Softmax: rule('Softmax', {
    vjp: (node, g) => [mul(node, sub(g, reduceSum(mul(g, node), [node.attributes.axis], true)))],
    jvp: (node, [t]) => t && mul(node, sub(t, reduceSum(mul(t, node), [node.attributes.axis], true))),
    batch: shifted,
    interpret: ([x], { axis }) => interpretSoftmax(x, axis, false),
  }),
  LogSoftmax: rule('LogSoftmax', {
    vjp: (node, g) => [sub(g, mul(softmaxOf(node), reduceSum(g, [node.attributes.axis], true)))],
    jvp: (node, [t]) => t && sub(t, reduceSum(mul(softmaxOf(node), t), [node.attributes.axis], true)),
    batch: shifted,
    interpret: ([x], { axis }) => interpretSoftmax(x, axis, true),
  }),
}

function softmaxOf(node: Operation<'LogSoftmax'>): Expr {
  return softmax(node.inputs[0], node.attributes.axis)
}
