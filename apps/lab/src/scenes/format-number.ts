const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

export interface NumberOptions {
  /** Significant digits; default 4. */
  readonly digits?: number
  /** Drop trailing zeros: for settings, which are exact, not for measurements. */
  readonly trim?: boolean
}

/** A number for people, as the report writes it: a true minus sign, `1.234 × 10⁻⁹` below 0.001 and from 10⁶, whole numbers
 *  in full. What is missing is a dash, what is not finite is written as such. */
export function formatNumber(value: number | null | undefined, options: NumberOptions = {}): string {
  if (value === null || value === undefined) return '–'
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞'
  const sign = value < 0 ? '−' : ''
  const size = Math.abs(value)
  if (Number.isInteger(size) && size < 1e9) return sign + grouped(String(size))
  const [mantissa, exponentText] = size.toExponential((options.digits ?? 4) - 1).split('e')
  const exponent = Number(exponentText)
  if (exponent < -3 || exponent > 5) return `${sign}${trimmed(mantissa, options)}\u202f×\u202f10${raised(exponent)}`
  return sign + grouped(trimmed(size.toFixed(Math.max(0, (options.digits ?? 4) - 1 - exponent)), options))
}

/** A label of an axis: 0.05 and 20, but `10⁻⁹` and `2×10⁻⁹`. */
export function formatTick(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) + 1e-9)
  if (exponent >= -3 && exponent <= 5) return formatNumber(value, { trim: true })
  const mantissa = trimmed((value / 10 ** exponent).toPrecision(4), { trim: true }).replace('-', '−')
  return mantissa === '1' ? `10${raised(exponent)}` : `${mantissa}×10${raised(exponent)}`
}

/** 0.8333 → `83.3 %`. */
export function formatPercent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return formatNumber(share)
  return `${(100 * share).toFixed(1).replace('-', '−')}\u202f%`
}

function raised(exponent: number): string {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => superscripts[Number(digit)])
  return exponent < 0 ? `⁻${digits}` : digits
}

function trimmed(text: string, { trim = false }: NumberOptions): string {
  return trim && text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function grouped(digits: string): string {
  const [whole, fraction] = digits.split('.')
  const spaced = whole.length < 5 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}
