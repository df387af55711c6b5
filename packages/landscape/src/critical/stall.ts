import { dot, norm } from '../linalg/vector.ts'
import type { Evidence, Message } from './diagnosis.ts'
import type { AnalysisContext, PointAnalysis } from './point-analysis.ts'

/** What is known of the training that ended here. */
export interface OptimizerFacts {
  readonly learningRate?: number
  readonly batchSize?: number
  /** Of SGD's velocity; the edge of stability is then 2(1 + momentum)/η. */
  readonly momentum?: number
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
  if (termScale !== null && context.loss) noiseEvidence(context.loss.samples, at, termScale, facts, evidence, advice)
  stabilityEvidence(at, facts, evidence, advice)
  const decrease = await attainable(context, at, evidence, advice)
  return { evidence, advice, warnings: gradientWarnings(context, at, termScale), decrease }
}

function noiseEvidence(
  samples: number,
  at: PointAnalysis,
  termScale: number,
  facts: OptimizerFacts,
  evidence: Evidence[],
  advice: Message[],
): void {
  const batch = Math.min(samples, facts.batchSize ?? samples)
  const variance = Math.max(0, termScale ** 2 - at.gradientNorm ** 2)
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
  { learningRate, momentum = 0 }: OptimizerFacts,
  evidence: Evidence[],
  advice: Message[],
): void {
  if (learningRate === undefined || at.top.length === 0) return
  const product = learningRate * at.top[0].value
  const limit = 2 * (1 + momentum)
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
    push('curvature', best)
    if (at.value - best.loss > 2 * (at.value - ray.loss))
      advice.push({ id: 'advice.negative-curvature', values: { step: best.step, eigenvalue: lowest.value } })
  }
  if (at.value - ray.loss > at.noise.value)
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
function gradientWarnings({ loss }: AnalysisContext, at: PointAnalysis, termScale: number | null): Message[] {
  const warnings: Message[] = []
  if (!loss) return warnings
  const size = norm(at.theta)
  const alignment = size > 0 ? -dot(at.gradient, at.theta) / (at.gradientNorm * size) : 0
  if (alignment > 0.9) {
    const weightDecay = (alignment * at.gradientNorm) / size
    warnings.push({ id: 'warning.weight-decay', values: { weightDecay, alignment } })
  }
  const sampling = termScale === null ? 0 : termScale / Math.sqrt(loss.samples)
  const ratio = sampling > 0 ? at.gradientNorm / sampling : 0
  if (loss.samples >= 50 && ratio > 0.7 && ratio < 1.5) warnings.push({ id: 'warning.held-out', values: { ratio } })
  return warnings
}
