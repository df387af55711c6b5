import { matmul } from '../../build/contraction.ts'
import { gather } from '../../build/indexing.ts'
import { int64, moveAxis } from '../../build/structure.ts'
import { constant } from '../../core/expr.ts'
import type { Expr } from '../../core/expr.ts'
import { normalizeAxis, range } from '../../core/shape.ts'
import { tensorOf } from '../../core/tensor.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

/** One axis to be resampled from `from` to `to` elements; `scale` is the file's, which need not be to/from. */
interface Resampling {
  readonly from: number
  readonly to: number
  readonly scale: number
}

/** Position on the old axis of an element of the new one (ONNX `coordinate_transformation_mode`). */
function coordinate(mode: string, at: number, { from, to, scale }: Resampling): number | undefined {
  switch (mode) {
    case 'half_pixel':
      return (at + 0.5) / scale - 0.5
    case 'half_pixel_symmetric': {
      const adjustment = to / (scale * from)
      return (from / 2) * (1 - adjustment) + (at + 0.5) / scale - 0.5
    }
    case 'pytorch_half_pixel':
      return to > 1 ? (at + 0.5) / scale - 0.5 : 0
    case 'align_corners':
      return to > 1 ? (at * (from - 1)) / (to - 1) : 0
    case 'asymmetric':
      return at / scale
    default:
      return undefined
  }
}

function nearest(mode: string, position: number): number | undefined {
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(position - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(position + 0.5)
    case 'floor':
      return Math.floor(position)
    case 'ceil':
      return Math.ceil(position)
    default:
      return undefined
  }
}

/** Weights of the elements around a position: pairs of offset from its floor and weight. Keys (1981) for cubic. */
function taps(mode: string, fraction: number, a: number): [offset: number, weight: number][] {
  if (mode === 'linear')
    return [
      [0, 1 - fraction],
      [1, fraction],
    ]
  const kernel = (distance: number): number => {
    const d = Math.abs(distance)
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
  }
  return [-1, 0, 1, 2].map((offset) => [offset, kernel(fraction - offset)])
}

function scalesAndSizes(call: OperatorCall, x: Expr): { axes: number[]; resamplings: Resampling[] } {
  const rank = x.shape.length
  const axes =
    (call.opset >= 18 ? call.ints('axes') : undefined)?.map((axis) => normalizeAxis(call.label, axis, rank)) ??
    range(rank)
  const isUpsample = call.node.op === 'Upsample'
  const scales = call.optionalNumbers(isUpsample ? 1 : 2, 'scales')
  const sizes = isUpsample ? undefined : call.optionalNumbers(3, 'sizes')
  const policy = call.opset >= 18 ? call.string('keep_aspect_ratio_policy', 'stretch') : 'stretch'
  if (sizes !== undefined && sizes.length > 0)
    return {
      axes,
      resamplings: fitted(
        call,
        policy,
        sizes,
        axes.map((axis) => x.shape[axis]),
      ),
    }
  if (scales === undefined || scales.length !== axes.length || scales.some((s) => !(s > 0)))
    throw call.malformed('it needs a positive scale per axis, or sizes')
  return {
    axes,
    resamplings: scales.map((scale, i) => ({
      from: x.shape[axes[i]],
      to: Math.floor(x.shape[axes[i]] * scale + 1e-9),
      scale,
    })),
  }
}

function fitted(
  call: OperatorCall,
  policy: string,
  sizes: readonly number[],
  lengths: readonly number[],
): Resampling[] {
  if (sizes.length !== lengths.length || sizes.some((size) => !(size >= 1 && size <= 2 ** 24)))
    throw call.malformed(`sizes must be ${lengths.length} positive counts, got [${sizes}]`)
  if (policy === 'stretch') return sizes.map((to, i) => ({ from: lengths[i], to, scale: to / lengths[i] }))
  const ratios = sizes.map((to, i) => to / lengths[i])
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return lengths.map((from) => ({ from, to: Math.floor(from * scale + 0.5), scale }))
}

function resize(call: OperatorCall): Expr {
  const x = call.input(0)
  const { axes, resamplings } = scalesAndSizes(call, x)
  const mode = call.string('mode', 'nearest')
  const isUpsample = call.node.op === 'Upsample'
  const transformation = isUpsample ? 'asymmetric' : call.string('coordinate_transformation_mode', 'half_pixel')
  const rounding = isUpsample ? 'floor' : call.string('nearest_mode', 'round_prefer_floor')
  const cubic = { a: call.float('cubic_coeff_a', -0.75), excludeOutside: call.flag('exclude_outside') }
  call.ignore('extrapolation_value')
  if (call.opset >= 18 && call.flag('antialias'))
    throw call.unsupported('antialiased resizing is not handled', 'Export with antialias=False.')
  if (!['nearest', 'linear', 'cubic'].includes(mode))
    throw call.malformed(`mode must be nearest, linear or cubic, got '${mode}'`)
  return axes.reduce((y, axis, i) => {
    const resampling = resamplings[i]
    if (resampling.from === resampling.to && resampling.scale === 1) return y
    if (mode === 'nearest') return gather(y, int64(nearestIndices(call, transformation, rounding, resampling)), axis)
    const weights = weightMatrix(call, transformation, mode, resampling, cubic)
    const last = y.shape.length - 1
    const matrix = constant(tensorOf(y.dtype, [resampling.from, resampling.to], weights))
    return moveAxis(matmul(moveAxis(y, axis, last), matrix), last, axis)
  }, x)
}

function positions(call: OperatorCall, transformation: string, resampling: Resampling): number[] {
  return range(resampling.to).map((at) => {
    const position = coordinate(transformation, at, resampling)
    if (position === undefined)
      throw call.unsupported(
        `coordinate_transformation_mode '${transformation}' is not handled`,
        'Use half_pixel, align_corners or asymmetric.',
      )
    return position
  })
}

function nearestIndices(
  call: OperatorCall,
  transformation: string,
  rounding: string,
  resampling: Resampling,
): number[] {
  call.context.reserve(resampling.to)
  return positions(call, transformation, resampling).map((position) => {
    // Scales such as 1/3 leave positions a rounding error off a half or an integer.
    const tidy = Math.round(position * 2 ** 20) / 2 ** 20
    const index = nearest(rounding, Math.abs(tidy - position) < 1e-9 ? tidy : position)
    if (index === undefined) throw call.malformed(`nearest_mode '${rounding}' is not known`)
    return Math.min(Math.max(index, 0), resampling.from - 1)
  })
}

/** [from × to]; columns sum to 1. Elements outside repeat the border, or are left out and the rest rescaled. */
function weightMatrix(
  call: OperatorCall,
  transformation: string,
  mode: string,
  resampling: Resampling,
  { a, excludeOutside }: { a: number; excludeOutside: boolean },
): Float64Array {
  const { from, to } = resampling
  call.context.reserve(from * to)
  const weights = new Float64Array(from * to)
  positions(call, transformation, resampling).forEach((position, column) => {
    const base = Math.floor(position)
    const around = taps(mode, position - base, a)
    const inside = excludeOutside ? around.filter(([offset]) => base + offset >= 0 && base + offset < from) : around
    const total = inside.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [offset, weight] of inside) {
      const row = Math.min(Math.max(base + offset, 0), from - 1)
      weights[row * to + column] += excludeOutside ? weight / total : weight
    }
  })
  return weights
}

/** Resampling of axes. `Upsample`, deprecated since opset 10, is written by some exporters still. */
export const resizing: OperatorFamily = { Resize: resize, Upsample: resize }
