import { roundLevels } from './contour-lines.ts'

export type ScaleKind = 'linear' | 'log'

/** Where a value stands between the least and the greatest, 0 … 1; NaN where it cannot be shown. */
export interface ValueScale {
  readonly kind: ScaleKind
  readonly domain: readonly [number, number]
  share(value: number): number
  /** The value at a share. */
  value(share: number): number
  /** About `count` round values inside the domain, ascending. */
  ticks(count: number): number[]
}

/** The least and greatest finite value for which `keep` holds, or undefined. */
export function extentOf(
  values: ArrayLike<number>,
  keep: (value: number) => boolean = () => true,
): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (!Number.isFinite(value) || !keep(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : undefined
}

/** Decades that a logarithmic scale shows at most: a minimum of exactly 0 is reached by no logarithm, and the last decades
 *  before it would flatten everything else. */
const decadesMax = 8

/** A scale over all of `lists`. Logarithms need positive values: where there is none the scale is linear; what is below the
 *  domain, 0 and less included, stands at its bottom (share 0). `center` makes the domain equally long on both sides of it. */
export function valueScale(lists: readonly ArrayLike<number>[], wanted: ScaleKind, center?: number): ValueScale {
  const positive = (value: number): boolean => value > 0
  const all = joined(lists, () => true)
  const log = wanted === 'log' && all !== undefined && all[1] > 0
  const [low, high] = (log ? joined(lists, positive) : all) ?? [0, 1]
  if (log) return logScale(Math.max(low, high * 10 ** -decadesMax), high > low ? high : low * 1.01)
  if (center !== undefined) {
    const reach = Math.max(Math.abs(high - center), Math.abs(center - low)) || 1
    return linearScale(center - reach, center + reach)
  }
  return linearScale(low, high > low ? high : low + (Math.abs(low) || 1) * 1e-3)
}

function joined(lists: readonly ArrayLike<number>[], keep: (value: number) => boolean): [number, number] | undefined {
  const ends = lists.flatMap((values) => extentOf(values, keep) ?? [])
  return ends.length === 0 ? undefined : [Math.min(...ends), Math.max(...ends)]
}

function linearScale(low: number, high: number): ValueScale {
  return {
    kind: 'linear',
    domain: [low, high],
    share: (value) => (Number.isFinite(value) ? (value - low) / (high - low) : Number.NaN),
    value: (share) => low + share * (high - low),
    ticks: (count) => roundLevels(low, high, count),
  }
}

function logScale(low: number, high: number): ValueScale {
  const [a, b] = [Math.log(low), Math.log(high)]
  return {
    kind: 'log',
    domain: [low, high],
    share: (value) => (Number.isFinite(value) ? (Math.log(Math.max(low, value)) - a) / (b - a) : Number.NaN),
    value: (share) => Math.exp(a + share * (b - a)),
    ticks: (count) => logTicks(low, high, count),
  }
}

/** 1, 2, 5 of each decade; thinned to whole decades where there are many, refined where there is less than one. */
function logTicks(low: number, high: number, count: number): number[] {
  const decades = Math.log10(high / low)
  if (decades < 0.6) return roundLevels(low, high, count)
  const leads = [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]
  const fitting = leads.find((lead) => lead.length * decades <= count * 1.15) ?? [1]
  const stride = fitting.length === 1 ? Math.max(1, Math.round(decades / count)) : 1
  const ticks: number[] = []
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent++)
    for (const lead of fitting) {
      const value = Number(`${lead}e${exponent}`)
      if (exponent % stride === 0 && value >= low * (1 - 1e-12) && value <= high * (1 + 1e-12)) ticks.push(value)
    }
  return ticks
}
