import { DomainError } from '@thalweg/graph'

/** A whole number of at least `least` from the command line. */
export function wholeNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < least || text.trim() === '')
      throw new DomainError(`${option}: must be a whole number of at least ${least}, got ${text}.`)
    return value
  }
}

const unitsMs: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, min: 6e4, h: 3.6e6 }

/** Milliseconds from `90`, `90s`, `5m` or `2h`. */
export function durationMs(option: string): (text: string) => number {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*(s|m|min|h)?$/.exec(text.trim())
    if (!match) throw new DomainError(`${option}: must be a duration such as 90s, 5m or 2h, got ${text}.`)
    return Number(match[1]) * unitsMs[match[2] ?? 's']
  }
}
