const scratch = new DataView(new ArrayBuffer(4))

/** The number that 16 bits stand for: IEEE binary16, or bfloat16 (the upper half of a binary32). Exact in float32. */
export function halfToNumber(bits: number, format: 'float16' | 'bfloat16'): number {
  if (format === 'bfloat16') {
    scratch.setUint32(0, bits * 65536)
    return scratch.getFloat32(0)
  }
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}
