/** What a table cell, a fact or an evidence line may hold; `null` is "not known" and is written as a dash. */
export interface Quantity {
  readonly value: number | null
  /** Half width of what the method proves or estimates, in the units of `value`. */
  readonly error?: number | null
  readonly unit?: string
  /** Significant digits without an error; default 4. */
  readonly digits?: number
}

export interface NumberOptions {
  /** Significant digits; default 4. */
  readonly digits?: number
  /** Drop trailing zeros: for settings, which are exact, not for measurements. */
  readonly trim?: boolean
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const MINUS = '\u2212'
const PLAIN_EXPONENT_MIN = -3
const PLAIN_EXPONENT_MAX = 5
/** Digits beyond this in a value with an error tell a reader nothing; the rounding is then added to the error. */
const VALUE_DIGITS_MAX = 10

/** `-9` → `⁻⁹`. */
export function superscript(exponent: number): string {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)])
  return exponent < 0 ? `⁻${digits}` : digits
}

/** A number for people: 4 significant digits, true minus sign, `1.234 × 10⁻⁹` below 0.001 and from 10⁶, whole numbers
 *  below 10⁹ exact with thousands separated. `null` and `undefined` give a dash, NaN and ±∞ are written as such. */
export function formatNumber(value: number | null | undefined, options: NumberOptions = {}): string {
  if (value === null || value === undefined) return '–'
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : `${MINUS}∞`
  if (value === 0) return '0'
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return signed(groupThousands(String(Math.abs(value))), value)
  const digits = Math.min(Math.max(options.digits ?? 4, 1), 17)
  const [mantissa, exponent] = exponential(Math.abs(value), digits)
  if (exponent < PLAIN_EXPONENT_MIN || exponent > PLAIN_EXPONENT_MAX) {
    return signed(timesPower(options.trim ? trimZeros(mantissa) : mantissa, exponent), value)
  }
  const plain = Math.abs(value).toFixed(Math.max(0, digits - 1 - exponent))
  return signed(groupThousands(options.trim ? trimZeros(plain) : plain), value)
}

/** `−0.410031 ± 0.000021`, `(1.234 ± 0.012) × 10⁻⁵`: the error rounded up to two digits, the value to the same place.
 *  Where that would need more than 10 digits the value is cut there and what was cut is added to the error. */
export function formatMeasured(value: number | null, error: number | null | undefined): string {
  if (value === null || !Number.isFinite(value) || error === null || error === undefined) return formatNumber(value)
  if (!Number.isFinite(error)) return `${formatNumber(value)} ± ${formatNumber(error)}`
  if (error <= 0) return `${formatNumber(value, { digits: VALUE_DIGITS_MAX, trim: true })} ± 0`
  const size = Math.max(Math.abs(value), error)
  const exponent = exponential(size, 4)[1]
  const shared = exponent < PLAIN_EXPONENT_MIN || exponent > PLAIN_EXPONENT_MAX ? exponent : 0
  const wanted = shared - exponential(error, 2)[1] + 1
  const places = Math.min(wanted, VALUE_DIGITS_MAX - 1 - (exponent - shared))
  const scaled = shiftExponent(Math.abs(value), -shared)
  const shown = scaled.toFixed(Math.max(0, Math.min(places, 100)))
  const cut = places === wanted ? 0 : Math.abs(Number(shown) - scaled)
  const pair = `${signed(groupThousands(shown), value)} ± ${formatError(shiftExponent(error, -shared) + cut)}`
  return shared === 0 ? pair : `(${pair}) × 10${superscript(shared)}`
}

/** A {@link Quantity} as one piece of text, with its error and unit. */
export function formatQuantity(quantity: Quantity): string {
  const { value, error, unit, digits } = quantity
  const number = error === undefined || error === null ? formatNumber(value, { digits }) : formatMeasured(value, error)
  return unit === undefined || unit === '' ? number : `${number}\u202f${unit}`
}

/** 0.8333 → `83.3 %`. */
export function formatPercent(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return formatNumber(value)
  return `${signed(trimZeros((100 * Math.abs(value)).toFixed(Math.abs(value) < 0.1 ? 2 : 1)), value)}\u202f%`
}

/** x · 10ᵉ without leaving the range of float64 on the way. */
export function shiftExponent(x: number, exponent: number): number {
  const half = Math.trunc(exponent / 2)
  return x * 10 ** half * 10 ** (exponent - half)
}

function formatError(error: number): string {
  const [mantissa, exponent] = roundUp(error)
  if (exponent < -5 || exponent > PLAIN_EXPONENT_MAX) return timesPower(mantissa, exponent)
  return shiftExponent(Number(mantissa), exponent).toFixed(Math.max(0, 1 - exponent))
}

function roundUp(error: number): [mantissa: string, exponent: number] {
  const exponent = exponential(error, 17)[1]
  // The factor keeps 2.1 from becoming 2.2 through the rounding of the product alone.
  const tenths = Math.ceil(shiftExponent(error, 1 - exponent) * (1 - 1e-9))
  return tenths >= 100 ? ['1.0', exponent + 1] : [(tenths / 10).toFixed(1), exponent]
}

function exponential(magnitude: number, digits: number): [mantissa: string, exponent: number] {
  const [mantissa, exponent] = magnitude.toExponential(digits - 1).split('e')
  return [mantissa, Number(exponent)]
}

function timesPower(mantissa: string, exponent: number): string {
  return mantissa === '1' ? `10${superscript(exponent)}` : `${mantissa}\u202f×\u202f10${superscript(exponent)}`
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function groupThousands(digits: string): string {
  const [whole, fraction] = digits.split('.')
  const grouped = whole.length < 5 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

function signed(magnitude: string, value: number): string {
  return value < 0 ? MINUS + magnitude : magnitude
}
