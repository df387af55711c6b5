/** 1 / (1 + e^{−x}) without overflow. */
export function sigmoidOf(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** log(1 + eˣ) = max(x, 0) + log1p(e^{−|x|}) */
export function softplusOf(x: number): number {
  return Number.isNaN(x) ? x : Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** Rounds to the nearest integer, ties to even, as IEEE 754 and ONNX. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  return up ? -(-1 - floor) : floor
}

/** The error function to double precision: Maclaurin series below 2.5, continued fraction of erfc above.
 * Source: Abramowitz & Stegun 7.1.6 (series with positive terms) and 7.1.14 (Lentz's evaluation). */
export function erfOf(x: number): number {
  if (Number.isNaN(x)) return x
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  return Math.sign(x) * (a < 2.5 ? erfSeries(a) : 1 - erfcFraction(a))
}

/** erf x = 2/√π · e^{−x²} Σ 2ⁿ x^{2n+1} / (1·3·…·(2n+1)) */
function erfSeries(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return (2 / Math.sqrt(Math.PI)) * sum * Math.exp(-x * x)
}

/** erfc x = e^{−x²}/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))) */
function erfcFraction(x: number): number {
  let tail = 0
  for (let n = 120; n >= 1; n--) tail = n / 2 / (x + tail)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + tail)
}
