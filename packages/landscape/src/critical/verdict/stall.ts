import { stabilityLimit } from '../../curvature/edge-of-stability.ts'
import { extremeEigenpairs } from '../../linalg/extreme-eigenpairs.ts'
import { dot, norm } from '../../linalg/vector.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import type { Loss } from '../../loss/loss.ts'
import type { Evidence, Message } from './diagnosis.ts'
import type { AnalysisContext, PointAnalysis } from './point-analysis.ts'

/** What is known of the training that ended here. */
export interface OptimizerFacts {
  readonly learningRate?: number
  readonly batchSize?: number
  /** Of SGD's velocity, which moves the edge of stability (`stabilityLimit`). */
  readonly momentum?: number
  readonly nesterov?: boolean
}

export interface StallReport {
  readonly evidence: readonly Evidence[]
  readonly advice: readonly Message[]
  readonly warnings: readonly Message[]
  /** Largest measured decrease along −∇L. */
  readonly decrease: number
}

/** The lowest loss measured along a ray. */
interface RayMinimum {
  readonly step: number
  readonly loss: number
}

/** Why training stalls at a point that is not critical: gradient signal against mini-batch noise, λ_max·η against 2, and
 * what could still be gained along −∇L and along negative curvature, all measured.
 * Cost: about 40 losses and a few products. */
export async function stallReport(
  context: AnalysisContext,
  at: PointAnalysis,
  facts: OptimizerFacts,
): Promise<StallReport> {
  const evidence: Evidence[] = []
  const advice: Message[] = []
  const termScale = (await context.objective.gradientTermScale?.(at.theta)) ?? null
  if (termScale !== null && context.loss) noiseEvidence(context.loss, at, termScale, facts, evidence, advice)
  stabilityEvidence(at, facts, evidence, advice)
  const decrease = await attainable(context, at, evidence, advice)
  return { evidence, advice, warnings: await gradientWarnings(context, at, termScale), decrease }
}

/** n · (second moment of the terms of ∇L) over the second moment that `gradientTermScale` is of: 1 for means. */
function meanFactor(loss: Loss): number {
  return loss.normalizer === 1 ? loss.samples : 1
}

function noiseEvidence(
  loss: Loss,
  at: PointAnalysis,
  termScale: number,
  facts: OptimizerFacts,
  evidence: Evidence[],
  advice: Message[],
): void {
  const { samples } = loss
  const batch = Math.min(samples, facts.batchSize ?? samples)
  // Of the gradient as a mean over samples; a sum is n times that.
  const count = meanFactor(loss)
  const variance = Math.max(0, count * termScale ** 2 - at.gradientNorm ** 2)
  // Batches drawn without replacement: the factor (n − B)/(n − 1) vanishes for the full batch.
  const noise = samples > 1 ? Math.sqrt((variance / batch) * ((samples - batch) / (samples - 1))) : 0
  if (noise === 0) return
  const ratio = at.gradientNorm / noise
  evidence.push({
    kind: 'gradient-noise',
    claim: { id: 'evidence.gradient-noise', values: { signal: at.gradientNorm, noise, batch, ratio } },
    value: ratio,
    bound: 1,
    method: 'trace of the empirical Fisher matrix, 4 random probes',
  })
  if (ratio < 1) advice.push({ id: 'advice.larger-batch', values: { batch, ratio } })
}

function stabilityEvidence(
  at: PointAnalysis,
  { learningRate, momentum = 0, nesterov = false }: OptimizerFacts,
  evidence: Evidence[],
  advice: Message[],
): void {
  if (learningRate === undefined || at.top.length === 0) return
  const product = learningRate * at.top[0].value
  const limit = stabilityLimit({ name: nesterov ? 'nesterov' : 'momentum', momentum })
  evidence.push({
    kind: 'edge-of-stability',
    claim: { id: 'evidence.edge-of-stability', values: { product, limit, eigenvalue: at.top[0].value, learningRate } },
    value: product,
    bound: limit,
    method: 'top eigenvalue of the Hessian times the learning rate',
  })
  if (product > limit)
    advice.push({ id: 'advice.smaller-steps', values: { learningRate, stable: limit / at.top[0].value } })
  else if (product < limit / 20)
    advice.push({ id: 'advice.larger-steps', values: { learningRate, stable: limit / at.top[0].value } })
}

async function attainable(
  context: AnalysisContext,
  at: PointAnalysis,
  evidence: Evidence[],
  advice: Message[],
): Promise<number> {
  const downhill = at.gradient.map((g) => -g / at.gradientNorm)
  const curvature = dot(downhill, await at.point.hessian.apply(downhill))
  const first = curvature > 0 ? at.gradientNorm / curvature : 0.1 * Math.max(1, norm(at.theta))
  const ray = await rayMinimum(context, at, downhill, first)
  const push = (along: 'gradient' | 'curvature', { step, loss }: RayMinimum): void => {
    evidence.push({
      kind: 'attainable-decrease',
      claim: { id: `evidence.attainable-${along}`, values: { step, before: at.value, after: loss } },
      value: at.value - loss,
      bound: at.noise.value,
      method: 'line search on the full data',
    })
  }
  push('gradient', ray)
  const lowest = at.bottom[0]
  if (lowest && lowest.value < -lowest.residualNorm - at.inertia.threshold) {
    const scale = 0.01 * Math.max(1, norm(at.theta))
    const sides = [lowest.vector, lowest.vector.map((x) => -x)]
    const both = await Promise.all(sides.map((v) => rayMinimum(context, at, v, scale)))
    const best = both[0].loss <= both[1].loss ? both[0] : both[1]
    if (best.step > 0) push('curvature', best)
    if (at.value - best.loss > 2 * (at.value - ray.loss))
      advice.push({ id: 'advice.negative-curvature', values: { step: best.step, eigenvalue: lowest.value } })
  }
  // Less than this is no progress to speak of, and near rounding.
  if (at.value - ray.loss > Math.max(10 * at.noise.value, 1e-10 * Math.abs(at.value)))
    advice.push({ id: 'advice.descend', values: { step: ray.step, after: ray.loss } })
  else advice.push({ id: 'advice.no-descent', values: {} })
  return at.value - ray.loss
}

/** Doubles or halves the step from `first` while the loss falls. */
async function rayMinimum(
  { objective }: AnalysisContext,
  at: PointAnalysis,
  direction: Float64Array,
  first: number,
): Promise<RayMinimum> {
  const lossAt = (step: number): Promise<number> => objective.value(at.theta.map((t, i) => t + step * direction[i]))
  let best: RayMinimum = { step: 0, loss: at.value }
  for (const factor of [2, 0.5]) {
    for (let step = factor === 2 ? first : first / 2, misses = 0; misses < (factor === 2 ? 1 : 6); step *= factor) {
      const loss = await lossAt(step)
      if (loss < best.loss) best = { step, loss }
      else misses++
      if (step > 1e3 * first || step < 1e-9 * first) break
    }
    if (best.step >= first) break
  }
  return best
}

/** Signs that θ was trained on another objective or other data. */
async function gradientWarnings(
  context: AnalysisContext,
  at: PointAnalysis,
  termScale: number | null,
): Promise<Message[]> {
  const warnings: Message[] = []
  const { loss } = context
  if (!loss) return warnings
  const size = norm(at.theta)
  const alignment = size > 0 ? -dot(at.gradient, at.theta) / (at.gradientNorm * size) : 0
  if (alignment > 0.9) {
    const weightDecay = (alignment * at.gradientNorm) / size
    warnings.push({ id: 'warning.weight-decay', values: { weightDecay, alignment } })
  }
  const sampling = termScale === null ? 0 : termScale * Math.sqrt(meanFactor(loss) / loss.samples)
  const ratio = sampling > 0 ? at.gradientNorm / sampling : 0
  // Of an independent sample E ratio² = 1; elsewhere the test below would say no, too, at a cost.
  if (loss.samples < 50 || ratio < 0.3 || ratio > 3 || context.signal.aborted) return warnings
  const { statistic, directions, consistent } = await heldOutTest(loss, at, context.seed)
  if (consistent) warnings.push({ id: 'warning.held-out', values: { statistic, directions } })
  return warnings
}

const testedDirections = 8
/** Of the standard normal distribution: 1 % on either side. */
const normalQuantile = 2.3263

/** Whether ∇L is what an independent sample of a population at its minimum would give: with the largest eigenpairs (λ_j, u_j)
 * of the second moment of the per-sample gradients,
 *
 *      T = n Σ_j ⟨∇L, u_j⟩² / λ_j  ~  χ²_k   under that hypothesis (n large)
 *
 * On training data the directions in which samples disagree most are stiff, and fitted first: T is then far below, or early
 * in training far above. T counts as consistent between the 1 % and 99 % quantiles (Wilson and Hilferty's formula).
 * Cost: some 50 products with the empirical Fisher matrix. */
export async function heldOutTest(
  loss: Loss,
  at: Pick<PointAnalysis, 'theta' | 'gradient'>,
  seed: number,
): Promise<{ statistic: number; directions: number; consistent: boolean }> {
  const point = new LossPoint(loss, at.theta)
  const { top } = await extremeEigenpairs(point.operator('empirical-fisher'), {
    ...{ top: Math.min(testedDirections, loss.size), tolerance: 1e-2, maxProducts: 60, seed },
    verifyMultiplicity: false,
  })
  const used = top.filter(({ value }) => value > 1e-10 * top[0].value)
  const k = used.length
  const statistic = used.reduce(
    (sum, { value, vector }) => sum + ((loss.samples / meanFactor(loss)) * dot(at.gradient, vector) ** 2) / value,
    0,
  )
  const quantile = (z: number): number => k * (1 - 2 / (9 * k) + z * Math.sqrt(2 / (9 * k))) ** 3
  const consistent = k > 0 && statistic > quantile(-normalQuantile) && statistic < quantile(normalQuantile)
  return { statistic, directions: k, consistent }
}
