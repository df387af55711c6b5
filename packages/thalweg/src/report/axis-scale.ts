import { formatNumber, shiftExponent, superscript } from './format-number.ts'
import type { Axis, Value } from './scene.ts'

export interface Tick {
  /** In drawing units, as {@link AxisScale.map} gives them. */
  readonly at: number
  /** Empty for a minor tick. */
  readonly text: string
}

/** One axis with everything decided: drawing units run linearly from `domain[0]` to `domain[1]`. Logarithmic axes draw
 *  log₁₀, linear axes draw v / 10ᵉ with the power in the label, so no magnitude of float64 overflows on the way. */
export interface AxisScale {
  readonly label: string
  readonly domain: readonly [number, number]
  readonly ticks: readonly Tick[]
  /** NaN where the value cannot be shown. */
  map(value: Value | undefined): number
}

export interface AxisOptions {
  /** Wanted number of labeled ticks; default 6. */
  readonly tickCount?: number
  /** Room beyond the data on both ends, as a share of their range; default 0. */
  readonly padding?: number
  /** Values that must be inside, for instance 0 under a bar. */
  readonly include?: readonly number[]
}

/** Decide domain, ticks and label of an axis from its data. Without any value that can be shown the domain is [0, 1]
 *  (or [1, 10]); a single value gets room on both sides. */
export function axisScale(axis: Axis, data: Iterable<Value | undefined>, options: AxisOptions = {}): AxisScale {
  return axis.scale === 'log' ? logAxis(axis, data, options) : linearAxis(axis, data, options)
}

/** An axis without ticks whose values are drawing units already: places in a row, pixels. */
export function plainAxis(low: number, high: number): AxisScale {
  return { label: '', domain: [low, high], ticks: [], map: (v) => v ?? Number.NaN }
}

/** How many finite values a logarithmic axis cannot show. */
export function countNotPositive(axis: Axis, data: Iterable<Value | undefined>): number {
  let count = 0
  if (axis.scale === 'log') for (const v of data) if (isFiniteValue(v) && v <= 0) count++
  return count
}

export function isFiniteValue(value: Value | undefined): value is number {
  return value !== null && value !== undefined && Number.isFinite(value)
}

/** Least and greatest finite value for which `keep` holds, or undefined. */
export function extentOf(
  data: Iterable<Value | undefined>,
  keep: (v: number) => boolean = () => true,
): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const v of data) {
    if (!isFiniteValue(v) || !keep(v)) continue
    if (v < low) low = v
    if (v > high) high = v
  }
  return low <= high ? [low, high] : undefined
}

function linearAxis(axis: Axis, data: Iterable<Value | undefined>, options: AxisOptions): AxisScale {
  const [low, high] = axis.domain ?? extentOf([...data, ...(options.include ?? [])]) ?? [0, 1]
  const percent = axis.format === 'percent'
  const exponent = percent ? -2 : sharedExponent(low, high)
  // Half an epoch is no place for a tick.
  const stepMin = exponent === 0 && !percent && allIntegers(data) ? 1 : 0
  const map = (v: Value | undefined): number => (isFiniteValue(v) ? shiftExponent(v, -exponent) : Number.NaN)
  const domain = widened(map(low), map(high), axis.domain === undefined ? (options.padding ?? 0) : 0)
  const { values, places } = linearTicks(domain[0], domain[1], options.tickCount ?? 6, stepMin)
  const suffix = percent ? '\u202f%' : ''
  const ticks = values.map((at) => ({ at, text: fixed(at, places) + suffix }))
  const label = percent || exponent === 0 ? axis.label : `${axis.label}  (×10${superscript(exponent)})`
  return { label, domain, ticks, map }
}

function logAxis(axis: Axis, data: Iterable<Value | undefined>, options: AxisOptions): AxisScale {
  const [low, high] = axis.domain ?? extentOf([...data, ...(options.include ?? [])], (v) => v > 0) ?? [1, 10]
  const map = (v: Value | undefined): number => (isFiniteValue(v) && v > 0 ? Math.log10(v) : Number.NaN)
  const domain = widened(map(low), map(high), axis.domain === undefined ? (options.padding ?? 0) : 0, 0.15)
  return { label: axis.label, domain, ticks: logTicks(domain[0], domain[1], options.tickCount ?? 6), map }
}

function allIntegers(data: Iterable<Value | undefined>): boolean {
  for (const v of data) if (isFiniteValue(v) && !Number.isInteger(v)) return false
  return true
}

/** A power of ten to take out of the labels, 0 where they read well without. */
function sharedExponent(low: number, high: number): number {
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (size === 0 || (size >= 0.01 && size < 1e6)) return 0
  return Number(size.toExponential(0).split('e')[1])
}

function widened(low: number, high: number, padding: number, least = 0): [number, number] {
  // Values that differ only by rounding are one value: a picture of their last bits would mislead.
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (high - low <= Math.max(size * 1e-12, least)) {
    const room = Math.max(least, least > 0 ? 0 : size === 0 ? 1 : size * 0.1)
    return [(low + high) / 2 - room, (low + high) / 2 + room]
  }
  const room = (high - low) * padding
  return [low - room, high + room]
}

/** Round numbers inside [low, high], steps 1, 2 or 5 times a power of ten. */
export function linearTicks(
  low: number,
  high: number,
  count: number,
  stepMin = 0,
): { values: number[]; places: number } {
  const rough = Math.max((high - low) / Math.max(1, count), stepMin)
  const power = Math.floor(Math.log10(rough))
  const lead = rough / 10 ** power
  const factor = lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10
  const places = Math.max(0, -(factor === 10 ? power + 1 : power))
  const values: number[] = []
  const first = Math.ceil((low / 10 ** power) * (1 / factor) - 1e-9)
  const last = Math.floor((high / 10 ** power) * (1 / factor) + 1e-9)
  for (let i = first; i <= last; i++) values.push(Number((i * factor * 10 ** power).toFixed(places)))
  return { values, places }
}

function logTicks(low: number, high: number, count: number): Tick[] {
  const decades = high - low
  const ticks: Tick[] = []
  if (decades < 0.7) {
    const { values } = linearTicks(10 ** (low - Math.floor(low)), 10 ** (high - Math.floor(low)), count)
    const base = Math.floor(low)
    return values.filter((v) => v > 0).map((v) => ({ at: Math.log10(v) + base, text: plainTick(v, base) }))
  }
  const stride = [1, 2, 3, 5, 10, 20, 50, 100, 200].find((step) => decades / step <= count + 1) ?? 200
  const labelMinor = decades < 2.2
  for (let e = Math.floor(low); e <= Math.ceil(high); e++) {
    for (let lead = 1; lead <= 9; lead++) {
      const at = e + Math.log10(lead)
      if (at < low - 1e-9 || at > high + 1e-9) continue
      if (lead === 1 && (e % stride === 0 || decades < 30))
        ticks.push({ at, text: e % stride === 0 ? plainTick(1, e) : '' })
      else if (lead > 1 && stride === 1 && decades < 8)
        ticks.push({ at, text: labelMinor && (lead === 2 || lead === 5) ? plainTick(lead, e) : '' })
    }
  }
  return ticks
}

function plainTick(lead: number, exponent: number): string {
  if (exponent >= -3 && exponent <= 4) return formatNumber(shiftExponent(lead, exponent), { digits: 6, trim: true })
  return lead === 1
    ? `10${superscript(exponent)}`
    : `${formatNumber(lead, { digits: 6, trim: true })}×10${superscript(exponent)}`
}

function fixed(value: number, places: number): string {
  const text = places === 0 && Math.abs(value) >= 1e4 ? formatNumber(Math.abs(value)) : Math.abs(value).toFixed(places)
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text
}
