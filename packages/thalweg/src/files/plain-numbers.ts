/** JSON has no NaN and no infinities: they become null, typed arrays become lists. */
export function plainNumbers(_: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (value instanceof Float64Array || value instanceof Float32Array) return Array.from(value)
  return typeof value === 'bigint' ? Number(value) : value
}
