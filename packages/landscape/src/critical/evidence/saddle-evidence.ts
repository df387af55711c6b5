import { norm } from '../../linalg/vector.ts'
import type { Objective } from '../finders/objective.ts'

/** The loss at θ ± t v beside what curvature foretells. */
export interface TwoSidedDecrease {
  readonly distance: number
  readonly lossBefore: number
  readonly lossPlus: number
  readonly lossMinus: number
  /** ½ |λ| t². */
  readonly foretold: number
  /** (L(θ) − L(θ ± tv)) / foretold: 1 where the decrease is curvature and nothing else. */
  readonly ratioPlus: number
  readonly ratioMinus: number
}

export interface SaddleEvidence {
  /** Whether both sides were measured lower by an amount consistent with ½λt². */
  readonly measured: boolean
  /** The largest step at which they were; null if none. */
  readonly decrease: TwoSidedDecrease | null
  readonly evaluations: number
}

/** A decrease counts as curvature where its ratio to ½|λ|t² lies within this of 1. */
const ratioTolerance = 0.25
/** And where it exceeds rounding of the loss by this factor. */
const noiseFactor = 100
/** Doublings or halvings of the step, 18 orders of magnitude. */
const stepsMax = 60

/** Measures the loss on both sides of a critical point along a direction of negative curvature.
 *
 * The first step is the one at which ½|λ|t² is 10⁴ times the rounding of the loss; it is doubled while both sides stay
 * consistent with the curvature, and halved (down to 100 times rounding) where they are not consistent yet; where no
 * smaller step is, larger ones are tried. Cost: two losses per step, about 30 in all. */
export async function twoSidedDecrease(
  objective: Objective,
  theta: Float64Array,
  direction: Float64Array,
  curvature: number,
  valueNoise: number,
): Promise<SaddleEvidence> {
  const lossBefore = await objective.value(theta)
  const half = Math.abs(curvature) / 2
  const least = Math.sqrt((noiseFactor * valueNoise) / half)
  const most = 4 * Math.max(1, norm(theta))
  let evaluations = 1
  const measure = async (distance: number): Promise<TwoSidedDecrease> => {
    evaluations += 2
    const rows = new Float64Array(2 * theta.length)
    for (let i = 0; i < theta.length; i++) {
      rows[i] = theta[i] + distance * direction[i]
      rows[theta.length + i] = theta[i] - distance * direction[i]
    }
    const [lossPlus, lossMinus] = await objective.values(rows, 2)
    const foretold = half * distance ** 2
    const ratio = (loss: number): number => (lossBefore - loss) / foretold
    return {
      distance,
      lossBefore,
      lossPlus,
      lossMinus,
      foretold,
      ratioPlus: ratio(lossPlus),
      ratioMinus: ratio(lossMinus),
    }
  }
  let decrease: TwoSidedDecrease | null = null
  const first = Math.min(most, Math.max(10 * least, 1e-8 * Math.max(1, norm(theta))))
  // Where the loss is zero by cancellation, its noise is measured as zero: then larger steps have to show the decrease.
  for (const distance of [...stretch(first, 0.5, least), ...stretch(2 * first, 2, most)]) {
    const tried = await measure(distance)
    if (!consistent(tried)) continue
    decrease = tried
    break
  }
  if (decrease === null) return { measured: false, decrease: null, evaluations }
  for (let distance = 2 * decrease.distance; distance <= most; distance *= 2) {
    const tried = await measure(distance)
    if (!consistent(tried)) break
    decrease = tried
  }
  return { measured: true, decrease, evaluations }
}

/** From `start` on by `factor` until past `end`, and not forever. */
function stretch(start: number, factor: number, end: number): number[] {
  const steps: number[] = []
  for (let x = start; x > 0 && (factor < 1 ? x >= end : x <= end) && steps.length < stepsMax; x *= factor) steps.push(x)
  return steps
}

function consistent({ ratioPlus, ratioMinus }: TwoSidedDecrease): boolean {
  return Math.abs(ratioPlus - 1) <= ratioTolerance && Math.abs(ratioMinus - 1) <= ratioTolerance
}

/** A step out of a critical point that was performed and measured. */
export interface Escape {
  /** Unit vector. */
  readonly direction: number[]
  readonly distance: number
  readonly lossBefore: number
  readonly lossAfter: number
  /** Where it leads: train on from here. */
  readonly theta: number[]
}

/** Goes on along ±`direction` while the loss falls, doubling the step from `distance`, then refines the best step.
 * Cost: about 20 losses. */
export async function escapeAlong(
  objective: Objective,
  theta: Float64Array,
  direction: Float64Array,
  distance: number,
): Promise<Escape> {
  const lossBefore = await objective.value(theta)
  const lossAt = async (t: number): Promise<number> => {
    const value = await objective.value(theta.map((x, i) => x + t * direction[i]))
    return Number.isFinite(value) ? value : Number.POSITIVE_INFINITY
  }
  let best = { t: 0, loss: lossBefore }
  for (const sign of [1, -1]) {
    let last = Number.POSITIVE_INFINITY
    for (let t = distance; t < 1e6 * distance; t *= 2) {
      const loss = await lossAt(sign * t)
      if (loss < best.loss) best = { t: sign * t, loss }
      if (!(loss < last)) break
      last = loss
    }
  }
  for (const factor of [0.7, 0.85, 1.2, 1.5]) {
    const t = best.t * factor
    const loss = await lossAt(t)
    if (loss < best.loss) best = { t, loss }
  }
  const unit = direction.map((x) => Math.sign(best.t) * x)
  return {
    direction: Array.from(unit),
    distance: Math.abs(best.t),
    lossBefore,
    lossAfter: best.loss,
    theta: Array.from(theta, (x, i) => x + best.t * direction[i]),
  }
}
