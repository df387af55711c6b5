import { sizeOf } from '@thalweg/graph'
import { norm } from '../../linalg/vector.ts'
import type { Loss } from '../../loss/loss.ts'
import {
  certificateFactor,
  equalsBound,
  functionSpaceCertificate,
  isAffineModel,
  isConvexLoss,
  outputGradients,
} from '../evidence/certificates.ts'
import { constantRank } from '../evidence/constant-rank.ts'
import type { ConstantRank } from '../evidence/constant-rank.ts'
import { degenerateDescent } from '../evidence/degenerate.ts'
import type { DegenerateDescent, DegenerateOptions } from '../evidence/degenerate.ts'
import type { Evidence, Message } from './diagnosis.ts'
import { escapeAdvice, plain, undecided } from './examination.ts'
import type { Examination } from './examination.ts'
import { analyzePoint } from './point-analysis.ts'
import type { AnalysisContext, PointAnalysis } from './point-analysis.ts'
import { interpolationCertificate } from '../evidence/interpolation.ts'
import type { InterpolationCertificate } from '../evidence/interpolation.ts'
import { denseKernel, krylovKernel } from '../evidence/kernel-geometry.ts'
import { oneSidedTest } from './one-sided-test.ts'
import { hasKinks, outputSubgradient, shortestSubgradient } from '../evidence/subgradient.ts'
import { saturationOf } from '../evidence/saturation.ts'
import { escapeAlong, twoSidedDecrease } from '../evidence/saddle-evidence.ts'

/** A value that is known to be the smallest there is, from a theorem or a search of its own. */
export interface KnownOptimum {
  readonly value: number
  /** How exactly it is known. */
  readonly error: number
  readonly source: string
}

export interface ExamineOptions {
  /** A lower bound of the objective, where one is known beside the loss's own. */
  readonly optimum?: KnownOptimum
  /** A better value that was reached elsewhere: local minima above it are called suboptimal. */
  readonly better?: { readonly value: number; readonly source: string }
  /** Further evidence about a critical point, from theories that this module does not know. */
  readonly theory?: (theta: Float64Array) => Promise<readonly Evidence[]>
}

/** The verdict on a critical point, by the strongest statement that the evidence reaches: a certificate of global
 * optimality, a saddle that was measured, a minimum that was counted, or undecided with what is missing. */
export async function examineCritical(
  context: AnalysisContext,
  at: PointAnalysis,
  options: ExamineOptions,
): Promise<Examination> {
  const common = kinkEvidence(at)
  const global = await globalMinimum(context, at, options)
  if (global) {
    const near = context.loss ? interpolationEvidence(await interpolationCertificate(context.loss, at.theta)) : []
    const proved = near.filter(({ claim }) => claim.id === 'evidence.interpolation-proved')
    return { ...global, evidence: [...common, ...global.evidence, ...proved] }
  }
  const further = (await options.theory?.(at.theta)) ?? []
  const found =
    at.kinks !== null && at.kinks.onKink > 0 ? await oneSidedTest(context, at) : await smooth(context, at, options)
  return { ...found, evidence: [...common, ...found.evidence, ...further] }
}

/** Where the kinks are; none for smooth losses. */
export function kinkEvidence({ kinks }: PointAnalysis): Evidence[] {
  if (!kinks || kinks.operators.length === 0) return []
  const values = { distance: kinks.distance, onKink: kinks.onKink }
  return [
    {
      kind: 'kink-distance',
      claim: { id: kinks.onKink > 0 ? 'evidence.on-kink' : 'evidence.kink-distance', values },
      value: kinks.distance,
      bound: 0,
      method: 'arguments of all operators that are not smooth, over all data',
    },
  ]
}

/** What the interpolation certificate says, where it says anything. */
export function interpolationEvidence(certificate: InterpolationCertificate | null): Evidence[] {
  if (!certificate || certificate.outcome === 'singular') return []
  const { outcome, lambdaMin, residualNorm: residual, radius, mu, lipschitz, residualMax } = certificate
  const known = Object.entries({ radius, mu, lipschitz, residualMax }).filter((entry) => entry[1] !== null)
  const values = { lambdaMin, residual, ...(Object.fromEntries(known) as Record<string, number>) }
  return [
    {
      kind: 'interpolation',
      claim: { id: `evidence.interpolation-${outcome}`, values },
      value: outcome === 'proved' ? mu : lambdaMin,
      bound: outcome === 'proved' ? (2 * residual) / Math.sqrt(mu!) : null,
      method:
        outcome === 'proved'
          ? 'λ_min(J Jᵀ) at θ less the largest turn of J on the ball, bounded layer by layer by norms; value μ, bound the radius it needs'
          : 'eigenvalues of J Jᵀ at θ alone',
    },
  ]
}

/** A certificate of global optimality, if one holds. */
export async function globalMinimum(
  context: AnalysisContext,
  at: PointAnalysis,
  { optimum }: ExamineOptions,
): Promise<Examination | null> {
  const { loss } = context
  const result = (id: 'function-space' | 'convex' | 'known', gap: number, evidence: Evidence): Examination => ({
    verdict: 'global-minimum',
    summary: { id: `summary.global-minimum-${id}`, values: { loss: at.value, gap, source: optimum?.source ?? '' } },
    advice: [{ id: id === 'convex' ? 'advice.global-convex' : 'advice.global', values: {} }],
    evidence: [evidence],
    ...plain,
    gap,
  })
  const certificate = loss ? await functionSpaceCertificate(loss, at.theta, at.value) : null
  if (certificate?.holds) {
    const { groupGradientMax, noise, groups } = certificate
    return result('function-space', Math.max(0, certificate.gap ?? 0), {
      kind: 'function-space-optimum',
      claim: {
        id: 'evidence.function-space',
        values: { groups, groupGradientMax, optimum: certificate.optimum ?? at.value },
      },
      value: groupGradientMax,
      bound: certificateFactor * noise,
      method: 'summed output gradients of distinct inputs; convex loss, no regulariser',
    })
  }
  const convex = loss && isConvexLoss(loss) && isAffineModel(loss.model) ? await convexModel(context, loss, at) : null
  if (convex) return result('convex', 0, convex)
  if (optimum && equalsBound(at.value - optimum.error, optimum.value, at.noise))
    return result('known', Math.max(0, at.value - optimum.value), {
      kind: 'lower-bound',
      claim: { id: 'evidence.known-optimum', values: { optimum: optimum.value, source: optimum.source } },
      value: at.value,
      bound: optimum.value,
      method: optimum.source,
    })
  return null
}

/** The first order condition of a convex objective, where it holds: of losses with kinks a subgradient must vanish, and those
 * are asked before θ is known to be critical. */
async function convexModel(context: AnalysisContext, loss: Loss, at: PointAnalysis): Promise<Evidence | null> {
  const convex = { id: 'evidence.convex', values: { gradientNorm: at.gradientNorm } } as const
  if (!hasKinks(loss)) {
    if (await saturated(context, loss, at)) return null
    return {
      kind: 'convex-model',
      claim: convex,
      value: at.gradientNorm,
      bound: at.noise.gradient,
      method: 'outputs affine in the parameters (read off the graph), loss convex: first order condition',
    }
  }
  const outputs = await loss.outputs(at.theta)
  const set = outputSubgradient(loss, outputs, await outputGradients(loss, outputs))
  const shortest = await shortestSubgradient(loss, at.theta, set)
  if (!shortest || shortest.norm > certificateFactor * shortest.rounding) return null
  const values = { onKink: set.onKink, subgradient: shortest.norm }
  return {
    kind: 'convex-model',
    claim: set.onKink > 0 ? { id: 'evidence.subgradient', values } : convex,
    value: shortest.norm,
    bound: certificateFactor * shortest.rounding,
    method: 'outputs affine in the parameters (read off the graph), loss convex: the shortest subgradient is zero',
  }
}

/** Whether a gradient that vanishes may be that of probabilities which have run into 0 or 1, as on (partly) separable data:
 * then the infimum of the convex loss is not attained, and no point is its minimum. For outputs affine in θ the kernel
 * of ∇²L is the same everywhere, so that it must not look larger here than at θ = 0, where no probability is small.
 * Where eigenvalues are not counted, all probabilities must be well away from 0. */
async function saturated(context: AnalysisContext, loss: Loss, at: PointAnalysis): Promise<boolean> {
  const { name, labelSmoothing } = loss.spec
  if (loss.weightDecay > 0 || (labelSmoothing ?? 0) > 0) return false
  if (name !== 'cross-entropy' && name !== 'binary-cross-entropy') return false
  if (!at.dense) return (await leastProbability(loss, at.theta)) < probabilityMin
  const { inertia } = await analyzePoint(context, new Float64Array(at.theta.length))
  return at.inertia.zero > inertia.zero
}

/** Below this a probability may be on its way to 0. */
const probabilityMin = 1e-6

async function leastProbability(loss: Loss, theta: Float64Array): Promise<number> {
  const outputs = await loss.outputs(theta)
  if (loss.spec.name === 'binary-cross-entropy')
    return outputs.reduce((least, z) => Math.min(least, 1 / (1 + Math.exp(Math.abs(z)))), 1)
  const k = sizeOf(loss.model.outputShape)
  let least = 1
  for (let start = 0; start < outputs.length; start += k) {
    const row = outputs.subarray(start, start + k)
    const most = row.reduce((a, b) => Math.max(a, b))
    const sum = row.reduce((total, z) => total + Math.exp(z - most), 0)
    least = row.reduce((a, z) => Math.min(a, Math.exp(z - most) / sum), least)
  }
  return least
}

async function smooth(context: AnalysisContext, at: PointAnalysis, options: ExamineOptions): Promise<Examination> {
  if (negativeCount(at) > 0) return saddle(context, at)
  if (!at.dense) return notCounted(context, at)
  const evidence = countEvidence(at)
  const { zero, positive } = at.inertia
  const orbit = at.orbit?.dimension ?? 0
  if (zero === orbit && positive > 0) return minimum(at, evidence, options)
  const rank = zero > 0 && context.loss ? await constantRank(context.loss, at.theta, positive, context.seed) : null
  if (rank) return minimum(at, [...evidence, rankEvidence(rank, at)], options)
  if (zero < orbit)
    return undecided('summary.undecided-threshold', { zero, orbit }, evidence, [{ id: 'advice.threshold', values: {} }])
  return degenerate(context, at, evidence)
}

function negativeCount({ inertia }: PointAnalysis): number {
  return inertia.negative
}

function countEvidence(at: PointAnalysis): Evidence[] {
  const { negative, zero, positive, threshold, zeroIfTighter, zeroIfWider } = at.inertia
  const evidence: Evidence[] = [
    {
      kind: 'full-count',
      claim: { id: 'evidence.full-count', values: { negative, zero, positive, zeroIfTighter, zeroIfWider } },
      value: at.bottom[0]?.value ?? null,
      bound: threshold,
      method: 'all eigenvalues of the dense Hessian',
    },
  ]
  if (at.orbit && at.orbit.dimension > 0) {
    const kinds = at.orbit.kinds.map(({ kind, dimension }) => `${kind} ${dimension}`).join(', ')
    evidence.push({
      kind: 'symmetry-orbit',
      claim: { id: 'evidence.symmetry-orbit', values: { dimension: at.orbit.dimension, zero, kinds } },
      value: at.orbit.dimension,
      bound: at.orbit.residual,
      method: 'tangents of the exact invariances of network, loss and data; bound: the largest ‖H t‖',
    })
  }
  return evidence
}

function rankEvidence(
  { rank, points, radius, kept, dropped }: ConstantRank,
  { inertia, kinks }: PointAnalysis,
): Evidence {
  const values = { rank, points, radius, dropped, zero: inertia.zero }
  const units = { off: kinks?.constantUnits.off ?? 0, on: kinks?.constantUnits.on ?? 0 }
  const known = units.off + units.on > 0
  return {
    kind: 'constant-rank',
    claim: { id: known ? 'evidence.constant-rank-units' : 'evidence.constant-rank', values: { ...values, ...units } },
    value: dropped,
    bound: kept,
    method:
      'pivoted QR of the Jacobian of the outputs over all data; value: the largest dropped, bound: the smallest kept',
  }
}

/** Negative curvature: proved by the loss being lower on both sides by what curvature foretells. */
async function saddle(context: AnalysisContext, at: PointAnalysis): Promise<Examination> {
  const { objective } = context
  const negatives = at.bottom.slice(0, Math.min(3, at.inertia.negative))
  for (const { value, vector, residualNorm } of negatives) {
    const { decrease } = await twoSidedDecrease(objective, at.theta, vector, value, at.noise.value)
    if (!decrease) continue
    const escape = await escapeAlong(objective, at.theta, vector, decrease.distance)
    const { distance, lossBefore, lossPlus, lossMinus, ratioPlus, ratioMinus, foretold } = decrease
    const values = {
      eigenvalue: value,
      residual: residualNorm,
      distance,
      lossBefore,
      lossPlus,
      lossMinus,
      ratioPlus,
      ratioMinus,
      foretold,
    }
    const least = lossBefore - Math.max(lossPlus, lossMinus)
    return {
      verdict: 'strict-saddle',
      summary: { id: 'summary.strict-saddle', values: { ...values, decrease: least, gradientNorm: at.gradientNorm } },
      advice: [escapeAdvice(escape)],
      evidence: [
        {
          kind: 'negative-eigenvalue',
          claim: { id: 'evidence.negative-eigenvalue', values: { eigenvalue: value, residual: residualNorm } },
          value,
          bound: residualNorm,
          method: at.dense ? 'dense eigenvalues' : 'Lanczos; an eigenvalue lies within the residual',
        },
        {
          kind: 'two-sided-decrease',
          claim: { id: 'evidence.two-sided-decrease', values },
          value: least,
          bound: at.noise.value,
          method: 'loss at θ ± tv on the full data, beside ½λt²',
        },
      ],
      ...plain,
      escape,
    }
  }
  return undecided(
    'summary.undecided-saddle',
    { eigenvalue: at.bottom[0].value, residual: at.bottom[0].residualNorm, noise: at.noise.value },
    at.dense ? countEvidence(at) : [],
    [{ id: 'advice.unmeasured-saddle', values: {} }],
  )
}

function minimum(at: PointAnalysis, evidence: readonly Evidence[], { better }: ExamineOptions): Examination {
  const { zero, positive } = at.inertia
  const { spectrum, inertia } = at.dense!
  const smallest = positive > 0 ? spectrum.values[inertia.signs.findIndex((sign) => sign > 0)] : 0
  const dead = at.kinks?.constantUnits.off ?? 0
  const suboptimal = better !== undefined && better.value < at.value - at.noise.value
  const known: Record<string, number | string> = suboptimal ? { better: better.value, source: better.source } : {}
  const values = { zero, positive, smallest, loss: at.value, ...known }
  const id =
    zero === 0
      ? 'summary.local-minimum-definite'
      : positive === 0
        ? 'summary.local-minimum-flat'
        : 'summary.local-minimum'
  return {
    verdict: 'local-minimum',
    summary: { id: suboptimal ? 'summary.local-minimum-suboptimal' : id, values },
    advice: [
      { id: suboptimal ? 'advice.suboptimal' : 'advice.local-minimum', values },
      ...(dead > 0 ? [{ id: 'advice.dead-units' as const, values: { dead } }] : []),
    ],
    evidence,
    ...plain,
  }
}

/** What a search of the kernel by products may take, in terms of what the eigenvalues may take. */
export const kernelSearchFactor = 3

/** No negative curvature was found, and not all eigenvalues were counted: a way down from a degenerate saddle can still be
 * measured, a minimum not be proved. */
async function notCounted(context: AnalysisContext, at: PointAnalysis): Promise<Examination> {
  const lowest = at.bottom[0]
  const size = context.objective.size
  const { threshold } = at.inertia
  const values = { eigenvalue: lowest.value, residual: lowest.residualNorm, size }
  const zeros = at.bottom.filter(({ value, residualNorm }) => Math.abs(value) <= Math.max(threshold, residualNorm))
  if (zeros.length > 0) {
    const kernel = krylovKernel(at.point.hessian, {
      known: zeros.map(({ vector }) => vector),
      threshold,
      maxProducts: kernelSearchFactor * context.maxProducts,
      signal: context.signal,
      onProgress: (done, total) => context.onProgress('kernel search', done, total),
    })
    const found = await degenerateDescent(context.objective, at.point, kernel, searchFrom(context, at))
    if (found.outcome === 'descent') return nonStrict(context, at, found, [], values)
  }
  return undecided(
    'summary.undecided-uncounted',
    values,
    [],
    [{ id: 'advice.dense-count', values: { products: size, gigabytes: (3 * 8 * size ** 2) / 2 ** 30 } }],
  )
}

function searchFrom({ seed, signal }: AnalysisContext, at: PointAnalysis): DegenerateOptions {
  return { seed, valueNoise: at.noise.value, signal }
}

/** H ⪰ 0 with more zero eigenvalues than symmetry explains: the reduced function on ker H decides, if anything does. */
async function degenerate(
  context: AnalysisContext,
  at: PointAnalysis,
  evidence: readonly Evidence[],
): Promise<Examination> {
  const { spectrum, inertia } = at.dense!
  const orbit = at.orbit?.dimension ?? 0
  const kernel = denseKernel(spectrum, inertia, at.orbit?.tangents)
  const found = await degenerateDescent(context.objective, at.point, kernel, searchFrom(context, at))
  const values = { zero: inertia.zero, orbit, unexplained: inertia.zero - orbit, directions: found.directionsTried }
  if (found.outcome === 'descent') return nonStrict(context, at, found, evidence, values)
  if (context.loss && isConvexLoss(context.loss) && isAffineModel(context.loss.model)) {
    const { gradientNorm } = at
    return undecided('summary.undecided-convex', { gradientNorm, zero: inertia.zero, loss: at.value }, evidence, [
      { id: 'advice.near-infimum', values: {} },
    ])
  }
  const saturation = context.loss && (await saturationOf(context.loss, at.theta))
  if (saturation && saturation.operator !== null) {
    const seen = { ...values, ...saturation, operator: saturation.operator }
    return undecided('summary.undecided-saturated', seen, evidence, [{ id: 'advice.saturated', values: {} }])
  }
  return undecided('summary.undecided-degenerate', values, evidence, [{ id: 'advice.degenerate', values }])
}

/** A descent that was measured along a curve out of ker H, and the escape along it. */
async function nonStrict(
  context: AnalysisContext,
  at: PointAnalysis,
  found: DegenerateDescent,
  evidence: readonly Evidence[],
  values: Message['values'],
): Promise<Examination> {
  const [first] = found.curve
  const displacement = found.theta!.map((t, i) => t - at.theta[i])
  const length = norm(displacement)
  const escape = await escapeAlong(
    context.objective,
    at.theta,
    displacement.map((d) => d / length),
    length,
  )
  const numbers = {
    order: found.order!,
    t: first.t,
    decrease: first.decrease,
    cubic: found.cubic!,
    quartic: found.quartic!.value,
  }
  const id = at.dense ? 'summary.non-strict-saddle' : 'summary.non-strict-saddle-uncounted'
  return {
    verdict: 'non-strict-saddle',
    summary: { id, values: { ...values, ...numbers } },
    advice: [escapeAdvice(escape)],
    evidence: [
      ...evidence,
      {
        kind: 'degenerate-descent',
        claim: { id: 'evidence.degenerate-descent', values: numbers },
        value: first.decrease,
        bound: at.noise.value,
        method: at.dense
          ? 'loss along a curve over ker H (splitting lemma), at t, t/2, t/4, …'
          : 'loss along a curve over ker H (splitting lemma), at t, t/2, t/4, …; ker H and H⁺ by products alone',
      },
    ],
    escape,
    gap: null,
    curve: found.curve,
  }
}
