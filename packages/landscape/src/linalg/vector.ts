/** Inner product xᵀy, with four partial sums (fixed order: the same bits every time). */
export function dot(x: Float64Array, y: Float64Array): number {
  const length = x.length
  const whole = length - (length % 4)
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  for (let i = 0; i < whole; i += 4) {
    sum0 += x[i] * y[i]
    sum1 += x[i + 1] * y[i + 1]
    sum2 += x[i + 2] * y[i + 2]
    sum3 += x[i + 3] * y[i + 3]
  }
  for (let i = whole; i < length; i++) sum0 += x[i] * y[i]
  return sum0 + sum1 + (sum2 + sum3)
}

/** y ← y + αx, in place. */
export function axpy(alpha: number, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) y[i] += alpha * x[i]
}

/** x ← αx, in place. */
export function scale(alpha: number, x: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] *= alpha
}

/** Largest modulus of the entries; NaN if one is NaN, 0 for an empty vector. */
export function maxNorm(x: Float64Array): number {
  let largest = 0
  for (let i = 0; i < x.length; i++) {
    const modulus = Math.abs(x[i])
    if (!(modulus <= largest)) largest = modulus
    if (Number.isNaN(modulus)) return Number.NaN
  }
  return largest
}

/** Euclidean norm, right to rounding wherever the result itself is a float64: sums of squares that overflow or lose
 * digits to underflow are formed again after scaling by the largest modulus. */
export function norm(x: Float64Array): number {
  const square = dot(x, x)
  if (square > 1e-280 && square < Number.POSITIVE_INFINITY) return Math.sqrt(square)
  const largest = maxNorm(x)
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return largest
  let sum = 0
  for (let i = 0; i < x.length; i++) {
    const ratio = x[i] / largest
    sum += ratio * ratio
  }
  return largest * Math.sqrt(sum)
}

/** Position of the first entry that is NaN or infinite; −1 if all are finite. */
export function firstNonFinite(x: Float64Array): number {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return i
  return -1
}
