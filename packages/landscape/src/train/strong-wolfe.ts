/** A function along a line and its slope. */
export interface LinePoint {
  readonly step: number
  readonly value: number
  readonly slope: number
}

export interface WolfeOptions {
  /** Slope of sufficient decrease, 0 < c₁ < c₂. Default 1e-4. */
  readonly decrease?: number
  /** Factor by which the slope must shrink, c₂ < 1. Default 0.9. */
  readonly curvature?: number
  /** Evaluations at most. Default 25. */
  readonly maxEvaluations?: number
}

/** A step length t along a descent direction with
 *
 *     φ(t) ≤ φ(0) + c₁ t φ′(0) ,   |φ′(t)| ≤ c₂ |φ′(0)|
 *
 * by bracketing and cubic interpolation. A value that is not finite counts as too large.
 * @param phi    evaluates φ and φ′; whatever else it returns is handed back with the accepted point.
 * @param start  φ at 0, slope negative.
 * @returns the accepted point; after `maxEvaluations` the lowest point of sufficient decrease; null where there is none.
 * Source: Nocedal & Wright, Numerical Optimization (2006), Algorithms 3.5 and 3.6. */
export async function strongWolfe<P extends LinePoint>(
  phi: (step: number) => Promise<P>,
  start: LinePoint,
  firstStep: number,
  options: WolfeOptions = {},
): Promise<P | null> {
  const { decrease = 1e-4, curvature = 0.9, maxEvaluations = 25 } = options
  const falls = (p: LinePoint): boolean => p.value <= start.value + decrease * p.step * start.slope
  const flat = (p: LinePoint): boolean => Math.abs(p.slope) <= -curvature * start.slope
  let best: P | null = null
  let low: LinePoint = start
  let high: LinePoint | null = null
  let step = firstStep
  for (let evaluation = 0; evaluation < maxEvaluations; evaluation++) {
    const at = await phi(step)
    if (falls(at) && (best === null || at.value < best.value)) best = at
    if (!falls(at) || at.value >= low.value) {
      // Rounding can hide the decrease close to a minimum; a flat slope within the noise of the value is good enough.
      if (Number.isFinite(at.value) && flat(at) && isNoise(at.value - start.value, start.value)) return at
      high = at
    } else {
      if (flat(at)) return at
      if (high ? at.slope * (high.step - low.step) >= 0 : at.slope >= 0) high = low
      low = at
    }
    const next: number = high ? between(low, high) : 2 * at.step
    if (!Number.isFinite(next) || next === step) break
    step = next
  }
  return best
}

function isNoise(difference: number, value: number): boolean {
  return Math.abs(difference) <= 10 * Number.EPSILON * Math.abs(value)
}

/** The minimiser of the cubic through two points and their slopes (Nocedal & Wright 3.59), kept a tenth of the interval
 * away from its ends; the middle where the cubic has none. */
function between(low: LinePoint, high: LinePoint): number {
  const width = high.step - low.step
  const d1 = low.slope + high.slope - (3 * (low.value - high.value)) / (low.step - high.step)
  const discriminant = d1 * d1 - low.slope * high.slope
  const d2 = Math.sign(width) * Math.sqrt(discriminant)
  const cubic = high.step - (width * (high.slope + d2 - d1)) / (high.slope - low.slope + 2 * d2)
  const margin = 0.1 * Math.abs(width)
  const [from, to] = [Math.min(low.step, high.step) + margin, Math.max(low.step, high.step) - margin]
  return Number.isFinite(cubic) ? Math.min(Math.max(cubic, from), to) : (low.step + high.step) / 2
}
