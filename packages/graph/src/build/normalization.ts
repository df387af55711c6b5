import type { Expr } from '../core/expr.ts'
import { range } from '../core/shape.ts'
import { sizeOf } from '../core/tensor.ts'
import { add, div, mul, pow, sqrt, sub } from './elementwise.ts'
import { averagePool } from './contraction.ts'
import { reduceMean } from './reduction.ts'
import { reshape } from './structure.ts'

/** A per-channel vector [C] laid along axis 1 of a tensor of this rank. */
function perChannel(v: Expr, rank: number): Expr {
  return reshape(v, [v.shape[0], ...range(rank - 2).map(() => 1)])
}

/** (x − mean)/√(variance + ε) · scale + shift with running statistics: inference mode, x [N,C,…].
 * The statistics meet first, so that with constant parameters one factor and one summand remain. */
export function batchNormalization(
  x: Expr,
  scale: Expr,
  shift: Expr,
  mean: Expr,
  variance: Expr,
  epsilon = 1e-5,
): Expr {
  const rank = x.shape.length
  const factor = div(scale, sqrt(add(variance, epsilon)))
  const offset = sub(shift, mul(mean, factor))
  if (rank <= 2) return add(mul(x, factor), offset)
  return add(mul(x, perChannel(factor, rank)), perChannel(offset, rank))
}

/** Zero mean and unit biased variance over the axes. */
export function standardize(x: Expr, axes: readonly number[], epsilon: number): Expr {
  const centered = sub(x, reduceMean(x, axes, true))
  return div(centered, sqrt(add(reduceMean(mul(centered, centered), axes, true), epsilon)))
}

/** Normalisation over the last axes from `axis` on; scale and shift have their shape. */
export function layerNormalization(x: Expr, scale?: Expr, shift?: Expr, axis = -1, epsilon = 1e-5): Expr {
  const rank = x.shape.length
  const first = axis < 0 ? axis + rank : axis
  const normal = standardize(x, range(rank).slice(first), epsilon)
  const scaled = scale ? mul(normal, scale) : normal
  return shift ? add(scaled, shift) : scaled
}

/** Normalisation of each sample and channel over the spatial axes. */
export function instanceNormalization(x: Expr, scale: Expr, shift: Expr, epsilon = 1e-5): Expr {
  const rank = x.shape.length
  const normal = standardize(x, range(rank).slice(2), epsilon)
  return add(mul(normal, perChannel(scale, rank)), perChannel(shift, rank))
}

/** Normalisation of each sample over groups of channels; scale and shift are per channel [C]. */
export function groupNormalization(x: Expr, groups: number, scale?: Expr, shift?: Expr, epsilon = 1e-5): Expr {
  const [n, channels, ...spatial] = x.shape
  const grouped = reshape(x, [n, groups, (channels / groups) * sizeOf(spatial)])
  const normal = reshape(standardize(grouped, [2], epsilon), x.shape)
  const scaled = scale ? mul(normal, perChannel(scale, x.shape.length)) : normal
  return shift ? add(scaled, perChannel(shift, x.shape.length)) : scaled
}

/** Local response normalisation across `size` channels (Krizhevsky 2012, ONNX LRN). */
export function localResponseNormalization(x: Expr, size: number, alpha = 1e-4, beta = 0.75, bias = 1): Expr {
  const [n, channels, ...spatial] = x.shape
  const before = Math.floor((size - 1) / 2)
  const squares = reshape(mul(x, x), [n, 1, channels, sizeOf(spatial)])
  const mean = averagePool(squares, [size, 1], { padsBegin: [before, 0], padsEnd: [size - 1 - before, 0] }, true)
  return div(x, pow(add(mul(reshape(mean, x.shape), alpha), bias), beta))
}
