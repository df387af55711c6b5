/** The number that a float32 attribute was meant to be.
 *
 * ONNX stores float attributes in 32 bits: a slope of 0.01 arrives as 0.009999999776. In float64 that would differ from the
 * model in the eighth digit. The shortest decimal of at most 6 digits that rounds to the stored value is taken, else a unit
 * fraction 1/n that does (1/6 of HardSigmoid), else the stored value. In float32 nothing changes. */
export function intendedNumber(stored: number): number {
  if (!Number.isFinite(stored) || Math.fround(stored) !== stored) return stored
  for (let digits = 1; digits <= 6; digits++) {
    const decimal = Number(stored.toPrecision(digits))
    if (Math.fround(decimal) === stored) return decimal
  }
  const fraction = 1 / Math.round(1 / stored)
  return Math.abs(1 / stored) <= 1000 && Math.fround(fraction) === stored ? fraction : stored
}
