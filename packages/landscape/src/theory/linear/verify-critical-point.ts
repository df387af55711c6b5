import type { Inertia } from '../../linalg/index.ts'
import { maxNorm } from '../../linalg/index.ts'
import { classLoss, zeroBlockInertia } from './critical-classes.ts'
import type { LinearKind } from './critical-classes.ts'
import type { Representative } from './critical-point.ts'
import type { LemmaCheck } from './critical-lemmas.ts'
import { checkLemmas } from './critical-lemmas.ts'
import { linearGradient, linearLoss } from './linear-derivatives.ts'
import type { LinearProblem } from './linear-problem.ts'
import type { LinearSpectrum } from './linear-spectrum.ts'
import { linearSpectrum } from './linear-spectrum.ts'
import type { LinearWeights } from './linear-weights.ts'
import { flattenWeights, linearScales } from './linear-weights.ts'
import type { RankRule } from './strictness-rule.ts'
import { blockRule, rankRule } from './strictness-rule.ts'

/** What was measured at a point that theory calls critical. */
export interface CriticalPointCheck {
  /** ‖∇L̄‖_∞, and the same in units of the gradient's terms (verified: at most 1e-9). */
  readonly gradientNorm: number
  readonly relativeGradient: number
  /** |L̄(W) − L_S|, and relative to ‖Y‖² (verified: at most 1e-10). */
  readonly lossError: number
  readonly relativeLossError: number
  /** The spectrum by a dense eigenvalue solver; absent above `parametersMax`. */
  readonly spectrum?: LinearSpectrum
  /** The inertia of the formula; present where Z = 0. */
  readonly expectedInertia?: Inertia
  readonly rankRule: RankRule
  readonly kindBySpectrum?: LinearKind
  readonly lemmas: readonly LemmaCheck[]
  /** What does not agree, in words; empty when everything does. */
  readonly disagreements: readonly string[]
}

export interface VerifyOptions {
  /** Above this many parameters there is no eigenvalue solve. Default 600 (a matrix of 3 MB, about a second). */
  readonly parametersMax?: number
}

/** Verifies a point of class S: gradient, value, inertia, strictness by ranks against spectrum, and Kawaguchi's lemmas.
 * @param blocks  Z_1 … Z_L if the point was made from them: then the block rule is compared too, and the inertia formula
 *                where all are zero.
 * @throws {DomainError} if the subset names no class. Cost: one dense eigenvalue problem of size p. */
export function verifyCriticalPoint(
  problem: LinearProblem,
  point: Pick<Representative, 'subset' | 'weights'> & Partial<Pick<Representative, 'z' | 'kind'>>,
  options: VerifyOptions = {},
): CriticalPointCheck {
  const { subset, weights, z } = point
  const scales = linearScales(problem, weights)
  const gradientNorm = maxNorm(flattenWeights(linearGradient(problem, weights)))
  const lossError = Math.abs(linearLoss(problem, weights) - classLoss(problem, subset))
  const spectrum =
    problem.parameterCount <= (options.parametersMax ?? 600) ? linearSpectrum(problem, weights) : undefined
  const ranks = rankRule(problem, weights, subset)
  const kindBySpectrum = spectrum && spectralKind(problem, subset, spectrum)
  const zeroBlocks = z !== undefined && z.every((block) => maxNorm(block.data) === 0)
  const measured = {
    gradientNorm,
    relativeGradient: gradientNorm / scales.gradient,
    lossError,
    relativeLossError: lossError / scales.loss,
    ...(spectrum && { spectrum, kindBySpectrum }),
    ...(zeroBlocks && { expectedInertia: zeroBlockInertia(problem, subset) }),
    rankRule: ranks,
    lemmas: lemmasAt(problem, weights, spectrum),
  }
  const expected = [z && blockRule(problem, subset, z).kind, point.kind].filter((kind) => kind !== undefined)
  return { ...measured, disagreements: disagreementsOf(measured, expected) }
}

function lemmasAt(problem: LinearProblem, weights: LinearWeights, spectrum?: LinearSpectrum): LemmaCheck[] {
  return problem.layers < 2
    ? []
    : checkLemmas(problem, weights, {
        positiveSemidefinite: spectrum?.inertia.negative === 0,
        negativeSemidefinite: spectrum?.inertia.positive === 0,
      })
}

/** The kind that follows from L_S and the signs of the eigenvalues. */
function spectralKind(problem: LinearProblem, subset: readonly number[], { inertia }: LinearSpectrum): LinearKind {
  if (inertia.negative > 0) return 'strict-saddle'
  // Both are sums of the eigenvalues left out, so their difference is exact to rounding, however small the eigenvalue.
  const loss = classLoss(problem, subset)
  return loss - problem.globalMinimum <= 2 ** -48 * loss ? 'global-minimum' : 'non-strict-saddle'
}

function disagreementsOf(
  check: Omit<CriticalPointCheck, 'disagreements'>,
  expectedKinds: readonly LinearKind[],
): string[] {
  const found: string[] = []
  const note = (wrong: boolean, text: string): void => {
    if (wrong) found.push(text)
  }
  const { relativeGradient, relativeLossError, rankRule: ranks, kindBySpectrum, spectrum, expectedInertia } = check
  note(relativeGradient > 1e-9, `gradient ${relativeGradient.toExponential(1)} of its terms, should vanish`)
  note(relativeLossError > 1e-10, `loss differs from L_S by ${relativeLossError.toExponential(1)} relative`)
  note(
    kindBySpectrum !== undefined && kindBySpectrum !== ranks.kind,
    `rank rule says ${ranks.kind}, spectrum says ${kindBySpectrum} (smallest eigenvalue ${spectrum?.minEigenvalue})`,
  )
  for (const kind of expectedKinds) note(kind !== ranks.kind, `constructed as ${kind}, rank rule says ${ranks.kind}`)
  if (spectrum && expectedInertia) {
    const text = (i: Inertia): string => `(${i.negative}, ${i.zero}, ${i.positive})`
    note(
      text(spectrum.inertia) !== text(expectedInertia),
      `inertia ${text(spectrum.inertia)}, formula ${text(expectedInertia)}`,
    )
  }
  for (const lemma of check.lemmas) {
    note(!lemma.holds, `${lemma.name} fails by ${lemma.error.toExponential(1)}`)
  }
  return found
}
