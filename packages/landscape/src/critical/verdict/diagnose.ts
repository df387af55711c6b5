import { DomainError, ShapeError, TaskError } from '@thalweg/graph'
import { firstNonFinite, norm } from '../../linalg/vector.ts'
import { Loss } from '../../loss/loss.ts'
import { isAffineModel, isConvexLoss, nearInfimum, strongConvexityGap } from '../evidence/certificates.ts'
import type { NearInfimum } from '../evidence/certificates.ts'
import { denseFlatness } from '../finders/dense-newton.ts'
import type { Diagnosis, Evidence, EigenvalueReport, Message, PolishedPoint, VerdictKind } from './diagnosis.ts'
import type { Examination } from './examination.ts'
import { examineCritical, globalMinimum, interpolationEvidence, kinkEvidence } from './examine.ts'
import type { ExamineOptions } from './examine.ts'
import type { HessianInertia } from '../evidence/inertia.ts'
import { interpolationCertificate } from '../evidence/interpolation.ts'
import { krylovFlatness } from '../finders/newton-mr.ts'
import { objectiveOf } from '../finders/objective.ts'
import type { Objective, ObjectivePoint } from '../finders/objective.ts'
import { oneSidedTest } from './one-sided-test.ts'
import { analyzePoint } from './point-analysis.ts'
import type { AnalysisContext, AnalyzedPair, PointAnalysis } from './point-analysis.ts'
import { polish } from '../finders/polish.ts'
import { flatnessLimit, floorFactor } from '../finders/search.ts'
import type { SearchResult } from '../finders/search.ts'
import { hasKinks } from '../evidence/subgradient.ts'
import { stallReport } from './stall.ts'
import type { OptimizerFacts } from './stall.ts'
import type { InvariantField } from '../evidence/symmetry-orbit.ts'

export interface DiagnoseOptions extends ExamineOptions {
  /** Largest p for which all eigenvalues are computed; default 3000. */
  readonly denseLimit?: number
  /** Eigenvalues reported at each end; default 5. */
  readonly top?: number
  readonly bottom?: number
  /** Whether to go on to the critical point nearby where θ is none; default: where p ≤ denseLimit. */
  readonly polish?: boolean
  /** θ counts as critical where the polish moves it by less than this, relative to max(1, ‖θ‖); default 1e-6 (float32
   * rounding of a critical point is about 6e-8). */
  readonly criticalDistance?: number
  /** Gap to an infimum that is not attained, relative to the loss of a constant guess, below which the verdict is
   * near-infimum; default 1e-3. */
  readonly nearInfimumGap?: number
  /** Products for matrix-free eigenvalues; default 1000. A search of the kernel, where there may be one, takes up to three
   * times as many. */
  readonly maxProducts?: number
  readonly optimizer?: OptimizerFacts
  /** Continuous symmetries of a network that is known by its graph only (`invariantFields`). */
  readonly fields?: readonly InvariantField[]
  /** Default 0. */
  readonly seed?: number
  readonly timeLimitMs?: number
  /** Counts milliseconds. */
  readonly now?: () => number
  readonly onProgress?: (stage: string, done: number, total: number) => void
  readonly signal?: { readonly aborted: boolean }
}

/** Where did training stop? The verdict on θ with evidence that a reader can check.
 *
 *     not-critical       ‖∇L‖ above its noise floor, and the polish moves θ visibly: says why training stalls, and what
 *                        kind of critical point is near
 *     strict-saddle      an eigenpair with λ < 0, and the loss lower on both sides by ½λt²
 *     non-strict-saddle  H ⪰ 0 and a measured descent of higher order
 *     local-minimum      all eigenvalues counted, none negative, and dim ker H is that of the symmetry orbit,
 *                        or what constant rank of the outputs leaves
 *     global-minimum     a certificate
 *     near-infimum       within ε of an infimum that no θ attains
 *     undecided          the evidence ends here; says what is missing
 *
 * A point within `criticalDistance` of a critical point is judged as that point, and the distance is said.
 * @throws {ShapeError} if θ has the wrong length; {DomainError} if it, the loss or the gradient is not finite.
 * Cost: dense, p products and 3p³ operations for each point examined (θ and the polished one) and each polishing step;
 * else `maxProducts` products per point. */
export async function diagnose(
  target: Loss | Objective,
  theta: Float64Array,
  options: DiagnoseOptions = {},
): Promise<Diagnosis> {
  const context = makeContext(target, options)
  await requireFinite(context.objective, theta)
  const at = await analyzePoint(context, theta)
  const warnings = modelWarnings(context, at)
  const infimum = await nearInfimumAt(context, at, options)
  if (infimum) return report({ context, at, shown: at, examination: infimum, polished: null, distance: null, warnings })
  // On the kink of a convex loss the gradient that the derivative rules choose need not vanish at a minimum.
  const certified = context.loss && hasKinks(context.loss) && (await globalMinimum(context, at, options)) !== null
  if (certified || at.gradientNorm <= floorFactor * at.noise.gradient) {
    const examination = await examineCritical(context, at, options)
    return report({ context, at, shown: at, examination, polished: null, distance: 0, warnings })
  }
  const wanted = options.polish ?? theta.length <= context.denseLimit
  const found = wanted ? await polish(context.objective, theta, { ...searchOptions(context, options) }) : null
  const reached = found !== null && isCritical(found) ? await analyzePoint(context, found.theta, true) : null
  const examination =
    reached && ((await nearInfimumAt(context, reached, options)) ?? (await examineCritical(context, reached, options)))
  const polished = found && polishedPoint(found, reached, examination)
  const tolerance = (options.criticalDistance ?? 1e-6) * Math.max(1, norm(theta))
  if (found && reached && examination && found.distance <= tolerance) {
    const evidence = [gradientEvidence(at), polishEvidence(found), ...examination.evidence]
    return report({
      context,
      at,
      shown: reached,
      examination: { ...examination, evidence },
      polished,
      distance: found.distance,
      warnings,
    })
  }
  return notCritical(context, at, options, found, polished, warnings)
}

/** What kind of critical point a search has reached. */
export interface CriticalVerdict {
  readonly verdict: VerdictKind
  readonly summary: Message
  readonly inertia: HessianInertia
  /** Dimension of the orbit of the continuous symmetries through the point; null for analytic functions. */
  readonly symmetryDimension: number | null
  readonly products: number
}

/** The verdict on a point that a search has found to be critical, so that its gradient is not asked about again.
 * Cost: as `diagnose` for one point. */
export async function judgeCritical(
  target: Loss | Objective,
  theta: Float64Array,
  options: DiagnoseOptions = {},
): Promise<CriticalVerdict> {
  const context = makeContext(target, options)
  const at = await analyzePoint(context, theta, true)
  const { verdict, summary } =
    (await nearInfimumAt(context, at, options)) ?? (await examineCritical(context, at, options))
  const symmetryDimension = at.orbit?.dimension ?? null
  return { verdict, summary, inertia: plainInertia(at), symmetryDimension, products: at.products }
}

function atLeastOne(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new DomainError(`diagnose: ${name} must be an integer of at least 1, got ${value}.`)
}

function makeContext(target: Loss | Objective, options: DiagnoseOptions): AnalysisContext {
  const loss = target instanceof Loss ? target : null
  const begun = options.now?.() ?? 0
  const { now, timeLimitMs, signal } = options
  return {
    objective: target instanceof Loss ? objectiveOf(target) : target,
    loss,
    denseLimit: options.denseLimit ?? 3000,
    top: atLeastOne('top', options.top ?? 5),
    bottom: atLeastOne('bottom', options.bottom ?? 5),
    maxProducts: options.maxProducts ?? 1000,
    seed: options.seed ?? 0,
    fields: options.fields ?? [],
    signal: {
      get aborted(): boolean {
        if (signal?.aborted) return true
        return now !== undefined && timeLimitMs !== undefined && now() - begun > timeLimitMs
      },
    },
    onProgress: options.onProgress ?? (() => {}),
  }
}

function searchOptions(context: AnalysisContext, options: DiagnoseOptions) {
  return {
    seed: context.seed,
    denseLimit: context.denseLimit,
    signal: context.signal,
    ...(context.objective.size > context.denseLimit && { maxIterations: 20 }),
    onProgress: ({ iteration }: { iteration: number }) => options.onProgress?.('polish', iteration, 60),
  }
}

async function requireFinite(objective: Objective, theta: Float64Array): Promise<void> {
  if (theta.length !== objective.size)
    throw new ShapeError(`diagnose: θ must have ${objective.size} entries, got ${theta.length}.`)
  const bad = firstNonFinite(theta)
  if (bad >= 0) throw new DomainError(`diagnose: θ must be finite, got ${theta[bad]} at entry ${bad}.`)
  const { value, gradient } = await objective.valueAndGradient(theta)
  const worst = firstNonFinite(gradient)
  if (!Number.isFinite(value) || worst >= 0)
    throw new DomainError(
      `diagnose: loss and gradient must be finite, got loss ${value}${worst >= 0 ? ` and gradient ${gradient[worst]} at entry ${worst}` : ''}. Training has diverged; take an earlier checkpoint.`,
    )
}

/** A polish that ended within rounding of zero, or cannot get closer for rounding. */
function isCritical({ status, gradientNorm, noiseFloor: floor }: SearchResult): boolean {
  return status === 'converged' || (status === 'stalled' && gradientNorm <= 10 * floorFactor * floor)
}

function constantGuess(loss: Loss): number {
  const classes = loss.spec.name === 'cross-entropy' ? loss.model.outputShape[0] : 2
  const perSample = Math.log(Math.max(2, classes))
  return loss.spec.reduction === 'sum' ? perSample * loss.samples : perSample
}

/** The verdict where the loss is close enough to an infimum that is not attained, else null. */
async function nearInfimumAt(
  { loss }: AnalysisContext,
  at: PointAnalysis,
  options: DiagnoseOptions,
): Promise<Examination | null> {
  const near = loss && (await nearInfimum(loss, at.theta, at.value))
  if (!loss || !near || near.gap > (options.nearInfimumGap ?? 1e-3) * constantGuess(loss)) return null
  return nearInfimumFound(at, near)
}

function nearInfimumFound(at: PointAnalysis, near: NearInfimum): Examination {
  const { gap, infimum, consistent, marginMin: margin, lossDoubled } = near
  const values = { loss: at.value, gap, infimum, margin, doubled: lossDoubled ?? Number.NaN }
  const id = !consistent
    ? 'evidence.near-infimum-entropy'
    : lossDoubled === null
      ? 'evidence.near-infimum'
      : 'evidence.near-infimum-doubled'
  return {
    verdict: 'near-infimum',
    summary: { id: consistent ? 'summary.near-infimum' : 'summary.near-infimum-entropy', values: finite(values) },
    advice: [{ id: 'advice.near-infimum', values: {} }],
    evidence: [
      {
        kind: 'near-infimum',
        claim: { id, values: finite(values) },
        value: gap,
        bound: 0,
        method: consistent
          ? 'cross-entropy is positive at every finite θ; labels are consistent'
          : 'entropy of the labels at equal inputs; attained by infinite scores only, as some class is missing there',
      },
      gradientEvidence(at),
    ],
    escape: null,
    gap,
    curve: [],
  }
}

function finite(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)))
}

function gradientEvidence(at: PointAnalysis): Evidence {
  return {
    kind: 'gradient',
    claim: { id: 'evidence.gradient', values: { gradientNorm: at.gradientNorm, floor: at.noise.gradient } },
    value: at.gradientNorm,
    bound: floorFactor * at.noise.gradient,
    method: 'full data, float64; noise floor from perturbations by a few units in the last place',
  }
}

function polishEvidence(found: SearchResult): Evidence {
  const { distance, gradientNorm, value, method } = found
  return {
    kind: 'polish',
    claim: {
      id: isCritical(found) ? 'evidence.polish' : 'evidence.polish-failed',
      values: { distance, gradientNorm, loss: value },
    },
    value: distance,
    bound: gradientNorm,
    method,
  }
}

function polishedPoint(
  found: SearchResult,
  reached: PointAnalysis | null,
  examination: Examination | null,
): PolishedPoint {
  return {
    status: found.status,
    distance: found.distance,
    loss: found.value,
    gradientNorm: found.gradientNorm,
    noiseFloor: found.noiseFloor,
    verdict: examination?.verdict ?? null,
    inertia: reached ? plainInertia(reached) : null,
    theta: Array.from(found.theta),
  }
}

/** Gradient not zero: why it stalls, and what is near. */
async function notCritical(
  context: AnalysisContext,
  at: PointAnalysis,
  options: DiagnoseOptions,
  found: SearchResult | null,
  polished: PolishedPoint | null,
  warnings: readonly Message[],
): Promise<Diagnosis> {
  const stall = await stallReport(context, at, options.optimizer ?? {})
  const flatness = await flatnessAt(context, at)
  const gap = convexGap(context, at)
  const values: Record<string, number | string> = {
    gradientNorm: at.gradientNorm,
    floor: at.noise.gradient,
    decrease: Math.max(0, stall.decrease),
    flatness,
  }
  if (polished?.verdict)
    Object.assign(values, {
      distance: polished.distance,
      polishedLoss: polished.loss,
      polishedVerdict: polished.verdict,
    })
  if ((at.kinks?.onKink ?? 0) > 0) {
    const tested = await oneSidedTest(
      context,
      at,
      at.gradient.map((g) => -g),
    )
    const evidence = [gradientEvidence(at), ...kinkEvidence(at), ...tested.evidence]
    return report({ context, at, shown: at, examination: { ...tested, evidence }, polished, distance: null, warnings })
  }
  const id =
    flatness > flatnessLimit
      ? 'summary.gradient-flat'
      : polished?.verdict
        ? 'summary.not-critical-polished'
        : 'summary.not-critical'
  const certificate = context.loss ? await interpolationCertificate(context.loss, at.theta) : null
  const proved = certificate?.outcome === 'proved'
  const examination: Examination = {
    verdict: 'not-critical',
    summary: { id, values },
    advice: [
      ...(proved ? [{ id: 'advice.interpolation' as const, values: { radius: certificate.radius! } }] : []),
      ...stall.advice,
      ...(polished?.verdict ? [{ id: 'advice.polished' as const, values }] : []),
      ...(found === null ? [{ id: 'advice.polish-offer' as const, values: {} }] : []),
    ],
    evidence: [
      gradientEvidence(at),
      ...flatnessEvidence(flatness),
      ...(found ? [polishEvidence(found)] : []),
      ...interpolationEvidence(certificate),
      ...stall.evidence,
    ],
    escape: null,
    // Zero is a lower bound of squares, and proved to be reached.
    gap: proved ? at.value : gap,
    curve: [],
  }
  const all = [...warnings, ...stall.warnings]
  return report({ context, at, shown: at, examination, polished, distance: null, warnings: all, flatness })
}

/** r, where it was measured. */
function flatnessEvidence(flatness: number): Evidence[] {
  if (Number.isNaN(flatness)) return []
  return [
    {
      kind: 'gradient-flat',
      claim: {
        id: flatness > flatnessLimit ? 'evidence.gradient-flat' : 'evidence.not-gradient-flat',
        values: { flatness },
      },
      value: flatness,
      bound: flatnessLimit,
      method: 'r = ‖H p + g‖ / (‖H‖‖p‖ + ‖g‖), p the minimum-length Newton step',
    },
  ]
}

/** r at θ; NaN where time ran out before it was measured. */
async function flatnessAt(context: AnalysisContext, at: PointAnalysis): Promise<number> {
  if (at.dense) return denseFlatness(at.dense.spectrum, at.gradient)
  const { objective, signal } = context
  const stoppable = (theta: Float64Array): ObjectivePoint => {
    const point = objective.at(theta)
    const apply = (v: Float64Array): Promise<Float64Array> => {
      if (signal.aborted) throw new TaskError('diagnose: stopped while the gradient-flat measure was computed.')
      return point.hessian.apply(v)
    }
    return { ...point, hessian: { size: objective.size, apply } }
  }
  try {
    return (await krylovFlatness({ ...objective, at: stoppable }, at)).value
  } catch (error) {
    if (error instanceof TaskError && signal.aborted) return Number.NaN
    throw error
  }
}

/** L(θ) − min L for convex problems: exact for squares (½ gᵀH⁺g), by strong convexity under weight decay. */
function convexGap({ loss }: AnalysisContext, at: PointAnalysis): number | null {
  if (!loss || !isConvexLoss(loss) || !isAffineModel(loss.model)) return null
  const squares = ['mse', 'squared', 'half-sum-squares'].includes(loss.spec.name)
  if (squares && at.dense) {
    const { spectrum, inertia } = at.dense
    const c = spectrum.basis.coordinates(at.gradient)
    return c.reduce((sum, x, i) => sum + (inertia.signs[i] > 0 ? x ** 2 / (2 * spectrum.values[i]) : 0), 0)
  }
  return loss.weightDecay > 0 ? strongConvexityGap(at.gradientNorm, loss.weightDecay) : null
}

function modelWarnings({ loss }: AnalysisContext, at: PointAnalysis): Message[] {
  const warnings: Message[] = []
  if (!loss) return warnings
  for (const note of loss.model.notes)
    if (/batch.?norm|dropout/i.test(note)) warnings.push({ id: 'warning.inference-layers', values: { note } })
  // Short numbers (0.5, 3) are exact in any format and tell nothing.
  const single = at.theta.every((t) => Math.fround(t) === t) && at.theta.some((t) => !isShort(t))
  if (single && at.gradientNorm > floorFactor * at.noise.gradient) warnings.push({ id: 'warning.float32', values: {} })
  if (loss.weightDecay > 0) warnings.push({ id: 'warning.regularizer', values: { weightDecay: loss.weightDecay } })
  return warnings
}

/** Whether a number has at most 12 significant bits. */
function isShort(x: number): boolean {
  const factor = 2 ** 41 + 1
  const high = factor * x - (factor * x - x)
  return high === x
}

interface Reported {
  readonly context: AnalysisContext
  /** θ itself. */
  readonly at: PointAnalysis
  /** The point that the verdict is about. */
  readonly shown: PointAnalysis
  readonly examination: Examination
  readonly polished: PolishedPoint | null
  readonly distance: number | null
  readonly warnings: readonly Message[]
  readonly flatness?: number
}

function report({ at, shown, examination, polished, distance, warnings, flatness }: Reported): Diagnosis {
  const { verdict, summary, advice, evidence, escape, gap, curve } = examination
  const eigenvalue = ({ value, residualNorm, converged }: AnalyzedPair): EigenvalueReport => ({
    value,
    residualNorm,
    converged,
  })
  const { orbit, kinks } = shown
  return {
    verdict,
    summary,
    advice,
    loss: at.value,
    gradientNorm: at.gradientNorm,
    noiseFloor: { gradient: at.noise.gradient, loss: at.noise.value },
    criticalDistance: distance,
    flatness: distance === null ? numberOrNull(flatness) : 0,
    inertia: plainInertia(shown),
    eigenvalues: {
      method: shown.dense ? 'dense' : 'lanczos',
      top: shown.top.map(eigenvalue),
      bottom: shown.bottom.map(eigenvalue),
    },
    evidence: evidence.some(({ kind }) => kind === 'gradient') ? evidence : [gradientEvidence(at), ...evidence],
    polished,
    escape,
    gap,
    symmetry: orbit && { dimension: orbit.dimension, kinds: orbit.kinds },
    kinks: kinks && {
      distance: Number.isFinite(kinks.distance) ? kinks.distance : null,
      onKink: kinks.onKink,
      deadUnits: kinks.constantUnits.off,
    },
    curve,
    warnings,
    cost: { products: at.products + (shown === at ? 0 : shown.products) },
  }
}

function numberOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value
}

function plainInertia({ inertia }: PointAnalysis): Diagnosis['inertia'] {
  const { negative, zero, positive, threshold, rounding, widening, exact, zeroIfTighter, zeroIfWider } = inertia
  return { negative, zero, positive, threshold, rounding, widening, exact, zeroIfTighter, zeroIfWider }
}
