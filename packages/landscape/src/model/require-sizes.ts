import { DomainError } from '@thalweg/graph'

/** @throws {DomainError} unless `value` is an integer ≥ `least`. */
export function requireSize(where: string, key: string, value: number, least = 1): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new DomainError(`${where}: ${key} must be an integer ≥ ${least}, got ${value}.`)
}

/** @throws {DomainError} unless these are at least two positive integers. */
export function requireWidths(where: string, widths: readonly number[]): void {
  if (!Array.isArray(widths) || widths.length < 2)
    throw new DomainError(`${where}: widths must list at least input and output, got [${String(widths)}].`)
  widths.forEach((width, i) => requireSize(where, `widths[${i}]`, width))
}
