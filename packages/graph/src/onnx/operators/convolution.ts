import { add } from '../../build/elementwise.ts'
import { conv, convTranspose } from '../../build/contraction.ts'
import { reshape, slice } from '../../build/structure.ts'
import type { Expr } from '../../core/expr.ts'
import { range } from '../../core/shape.ts'
import type { OperatorCall, OperatorFamily } from '../operator-call.ts'

/** Where a window moves, as a node gives it; pads still to be resolved. */
export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padsBegin: readonly number[]
  readonly padsEnd: readonly number[]
}

/** Geometry of a convolution or pooling over `spatial` axes, `auto_pad` resolved. */
export function readWindow(
  call: OperatorCall,
  spatial: readonly number[],
  kernel: readonly number[],
  dilated = true,
): Window {
  const rank = spatial.length
  const strides = call.ints('strides') ?? new Array<number>(rank).fill(1)
  const dilations = (dilated ? call.ints('dilations') : undefined) ?? new Array<number>(rank).fill(1)
  const pads = call.ints('pads') ?? new Array<number>(2 * rank).fill(0)
  const auto = call.string('auto_pad', 'NOTSET')
  const lengths = [kernel.length, strides.length, dilations.length, pads.length / 2]
  if (lengths.some((length) => length !== rank))
    throw call.malformed(`kernel, strides, dilations and pads must cover ${rank} axes`)
  if ([...kernel, ...strides, ...dilations].some((v) => v < 1))
    throw call.malformed('kernel, strides and dilations must be positive')
  const base = { kernel, strides, dilations }
  if (auto === 'NOTSET') return { ...base, padsBegin: pads.slice(0, rank), padsEnd: pads.slice(rank) }
  if (auto === 'VALID') return { ...base, padsBegin: strides.map(() => 0), padsEnd: strides.map(() => 0) }
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER')
    throw call.malformed(`auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got '${auto}'`)
  const total = spatial.map((d, i) => {
    const out = Math.ceil(d / strides[i])
    return Math.max(0, (out - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - d)
  })
  return { ...base, ...shared(total, auto) }
}

/** A total of padding shared between both ends; the odd one goes to the end named. */
function shared(total: readonly number[], auto: 'SAME_UPPER' | 'SAME_LOWER'): Pick<Window, 'padsBegin' | 'padsEnd'> {
  const less = total.map((t) => Math.floor(t / 2))
  const more = total.map((t, i) => t - less[i])
  return auto === 'SAME_UPPER' ? { padsBegin: less, padsEnd: more } : { padsBegin: more, padsEnd: less }
}

function withBias(y: Expr, bias: Expr | undefined): Expr {
  return bias === undefined ? y : add(y, reshape(bias, [bias.shape[0], ...range(y.shape.length - 2).map(() => 1)]))
}

function kernelOf(call: OperatorCall, w: Expr): readonly number[] {
  const kernel = w.shape.slice(2)
  const stated = call.ints('kernel_shape')
  if (stated !== undefined && stated.join() !== kernel.join())
    throw call.malformed(`kernel_shape [${stated}] must be that of the weights, got [${w.shape}]`)
  return kernel
}

function convolution(call: OperatorCall): Expr {
  const [x, w] = [call.input(0), call.input(1)]
  const window = readWindow(call, x.shape.slice(2), kernelOf(call, w))
  return withBias(conv(x, w, { ...window, groups: call.int('group', 1) }), call.optional(2))
}

/** The stated `output_shape` decides the padding, else the padding the shape. Negative padding crops nothing but grows. */
function transposedConvolution(call: OperatorCall): Expr {
  const [x, w] = [call.input(0), call.input(1)]
  const rank = x.shape.length - 2
  const kernel = kernelOf(call, w)
  const strides = call.ints('strides') ?? new Array<number>(rank).fill(1)
  const dilations = call.ints('dilations') ?? new Array<number>(rank).fill(1)
  const outputPadding = call.ints('output_padding') ?? new Array<number>(rank).fill(0)
  const auto = call.string('auto_pad', 'NOTSET')
  const given = call.ints('output_shape')?.slice(-rank)
  const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER'
  const pads = call.ints('pads') ?? new Array<number>(2 * rank).fill(0)
  const target = given ?? (same ? x.shape.slice(2).map((d, i) => d * strides[i]) : undefined)
  const reach = x.shape
    .slice(2)
    .map((d, i) => strides[i] * (d - 1) + outputPadding[i] + (kernel[i] - 1) * dilations[i] + 1)
  const geometry =
    target !== undefined
      ? shared(
          reach.map((r, i) => Math.max(0, r - target[i])),
          auto === 'SAME_UPPER' ? 'SAME_UPPER' : 'SAME_LOWER',
        )
      : {
          padsBegin: auto === 'VALID' ? outputPadding.map(() => 0) : pads.slice(0, rank),
          padsEnd: auto === 'VALID' ? outputPadding.map(() => 0) : pads.slice(rank),
        }
  const missing = target?.map((t, i) => Math.max(0, t - reach[i])) ?? outputPadding.map(() => 0)
  const options = {
    strides,
    dilations,
    groups: call.int('group', 1),
    ...geometry,
    outputPadding: outputPadding.map((p, i) => p + missing[i]),
  }
  return withBias(cropped(convTranspose(x, w, options), target), call.optional(2))
}

function cropped(y: Expr, target: readonly number[] | undefined): Expr {
  if (target === undefined) return y
  const ends = [y.shape[0], y.shape[1], ...target.map((t, i) => Math.min(t, y.shape[2 + i]))]
  return slice(
    y,
    y.shape.map(() => 0),
    ends,
  )
}

/** Convolutions over any number of spatial axes. */
export const convolutions: OperatorFamily = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
}
