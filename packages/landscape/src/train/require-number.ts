import { DomainError } from '@thalweg/graph'

/** @throws {DomainError} unless low ≤ value < high (value = low only where `includeLow`). */
export function requireNumber(
  where: string,
  key: string,
  value: number,
  { low, high = Number.POSITIVE_INFINITY, includeLow = true }: { low: number; high?: number; includeLow?: boolean },
): void {
  if ((includeLow ? value >= low : value > low) && value < high) return
  const bounds = `${includeLow ? '≥' : '>'} ${low}${high === Number.POSITIVE_INFINITY ? '' : ` and < ${high}`}`
  throw new DomainError(`${where}: ${key} must be finite, ${bounds}, got ${value}.`)
}
