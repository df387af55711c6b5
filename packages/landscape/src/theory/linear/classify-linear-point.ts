import { frobenius, maxNorm } from '../../linalg/index.ts'
import { classLoss, criticalClass } from './critical-classes.ts'
import type { LinearKind } from './critical-classes.ts'
import { keptSignal } from './escape-path.ts'
import { linearGradient, linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearSpectrum } from './linear-spectrum.ts'
import { linearSpectrum } from './linear-spectrum.ts'
import type { LinearWeights } from './linear-weights.ts'
import { endToEndMap, flattenWeights, linearScales, requireWeights } from './linear-weights.ts'
import type { PolishedLinearPoint } from './polish-linear-point.ts'
import { polishLinearPoint } from './polish-linear-point.ts'
import type { RankRule } from './strictness-rule.ts'
import { rankRule } from './strictness-rule.ts'

export interface LinearClassification {
  /** `undecided` where rank rule and spectrum disagree or the ranks are doubtful; `flags` says which. */
  readonly kind: LinearKind | 'not-critical' | 'undecided'
  /** S and its rank; absent where the point is not critical. */
  readonly subset?: readonly number[]
  readonly rank?: number
  /** L̄ at the given weights, and L̄ − L*. */
  readonly loss: number
  readonly gap: number
  /** L_S. */
  readonly classLoss?: number
  /** ‖∇L̄‖_∞ at the given weights, and in units of its terms. */
  readonly gradientNorm: number
  readonly relativeGradient: number
  readonly polished?: PolishedLinearPoint
  readonly rankRule?: RankRule
  readonly spectrum?: LinearSpectrum
  readonly flags: readonly string[]
}

export interface ClassifyOptions {
  /** Gradients above this share of their terms are not near a critical point. Default 1e-3. */
  readonly gradientTolerance?: number
  /** Above this many parameters neither polish nor spectrum are computed. Default 400. */
  readonly parametersMax?: number
  /** How far polishing may move the weights, relative to their size. Default 0.1. */
  readonly distanceMax?: number
}

/** Which class of critical points a network is at, and of which kind.
 *
 * The weights are first polished to the nearest critical point. S are the eigenvectors that the map W_L ⋯ W_1 keeps; then
 * the rank rule decides, with ranks taken at a tolerance that the remaining gradient g allows (blocks below g^(1/(L−1))
 * cannot be told from zero), and the spectrum has to agree. Strict saddles lie arbitrarily close to every non-strict one: the
 * answer is about the polished point.
 *
 * @throws {ShapeError} if the weights do not fit; {DomainError} if they hold NaN.
 * Cost: up to 60 dense eigenvalue problems of size p. */
export function classifyLinearPoint(
  problem: LinearProblem,
  weights: LinearWeights,
  options: ClassifyOptions = {},
): LinearClassification {
  requireWeights('classifyLinearPoint', problem.widths, weights)
  const { gradientTolerance = 1e-3, parametersMax = 400, distanceMax = 0.1 } = options
  const loss = linearLoss(problem, weights)
  const gradientNorm = maxNorm(flattenWeights(linearGradient(problem, weights)))
  const scales = linearScales(problem, weights)
  const relativeGradient = gradientNorm / scales.gradient
  const found = { loss, gap: loss - problem.globalMinimum, gradientNorm, relativeGradient }
  if (!(relativeGradient <= gradientTolerance)) {
    return { ...found, kind: 'not-critical', flags: [`gradient ${relativeGradient.toExponential(1)} of its terms`] }
  }
  const small = problem.parameterCount <= parametersMax
  const polished = small ? polishLinearPoint(problem, weights) : undefined
  if (polished && polished.distance > distanceMax * Math.hypot(scales.weight, ...weights.map(frobenius))) {
    const flags = [`the nearest critical point found is ${polished.distance.toExponential(1)} away`]
    return { ...found, polished, kind: 'not-critical', flags }
  }
  const at = polished?.weights ?? weights
  return { ...found, polished, ...decide(problem, at, polished?.relativeGradient ?? relativeGradient, small) }
}

type Decision = Pick<LinearClassification, 'kind' | 'subset' | 'rank' | 'classLoss' | 'rankRule' | 'spectrum' | 'flags'>

function decide(problem: LinearProblem, weights: LinearWeights, gradient: number, withSpectrum: boolean): Decision {
  const flags: string[] = []
  const { subset, deviation } = nearestSubset(problem, weights)
  if (subset.length > problem.rankMax) {
    return {
      kind: 'undecided',
      flags: [`the map keeps ${subset.length} eigenvectors, more than rank ${problem.rankMax}`],
    }
  }
  const value = classLoss(problem, subset)
  const lossError = Math.abs(linearLoss(problem, weights) - value)
  if (deviation > 0.05) flags.push(`the map is ${deviation.toFixed(2)} away from the projection of class {${subset}}`)
  if (lossError > 1e-6 * linearScales(problem, weights).loss) {
    flags.push(`loss and L_S differ by ${lossError.toExponential(1)}`)
  }
  // Where j ≤ L blocks should vanish and have size δ, the gradient is δ^(j−1) only and eigenvalues move by δ^(j−2): the
  // gradient g allows δ up to g^(1/(L−1)) and shifts up to √g.
  const { layers } = problem
  const blur = layers < 2 ? 0 : 10 * Math.max(gradient, 2 ** -52) ** (1 / (layers - 1))
  const normFloor = linearScales(problem, weights).natural
  const ranks = rankRule(problem, weights, subset, { tolerance: Math.max(1e-8, blur), normFloor })
  if (ranks.margin < 3)
    flags.push(`ranks are doubtful: a singular value lies within ${ranks.margin.toFixed(1)} of the threshold`)
  const spectrum = withSpectrum
    ? linearSpectrum(problem, weights, { noise: spectralNoise(problem, weights, gradient) })
    : undefined
  if (!withSpectrum) flags.push('too many parameters to polish and to check the spectrum: decided by ranks alone')
  const strict = ranks.kind === 'strict-saddle'
  const agreed = !spectrum || strict === spectrum.inertia.negative > 0
  if (!agreed) {
    flags.push(`rank rule says ${ranks.kind}, the smallest eigenvalue is ${spectrum.minEigenvalue.toExponential(2)}`)
  }
  const sure = agreed && deviation <= 0.05 && ranks.margin >= 3
  const { rank } = criticalClass(problem, subset)
  return { kind: sure ? ranks.kind : 'undecided', subset, rank, classLoss: value, rankRule: ranks, spectrum, flags }
}

function spectralNoise(problem: LinearProblem, weights: LinearWeights, gradient: number): number {
  const shift = problem.layers < 3 ? gradient : Math.sqrt(Math.max(gradient, 2 ** -52))
  return 10 * linearScales(problem, weights).hessian * shift
}

/** S by the share of each eigenspace that the map keeps (equal eigenvalues together, rounded to whole dimensions), and the
 * largest distance of a share from a whole number. */
function nearestSubset(problem: LinearProblem, weights: LinearWeights): { subset: number[]; deviation: number } {
  const kept = keptSignal(problem, endToEndMap(weights))
  const { eigenvalueGroups: groups } = problem
  const subset: number[] = []
  let deviation = 0
  for (let start = 0; start < kept.length; ) {
    let end = start
    let share = 0
    while (end < kept.length && groups[end] === groups[start]) share += kept[end++]
    const count = Math.min(end - start, Math.max(0, Math.round(share)))
    deviation = Math.max(deviation, Math.abs(share - count))
    for (let i = 0; i < count; i++) subset.push(start + i + 1)
    start = end
  }
  return { subset, deviation }
}
