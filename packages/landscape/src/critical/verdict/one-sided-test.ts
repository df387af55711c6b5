import { norm, scale as rescale } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'
import { orderOf } from '../evidence/degenerate.ts'
import type { CurvePoint } from '../evidence/degenerate.ts'
import type { Evidence } from './diagnosis.ts'
import { escapeAdvice, plain, undecided } from './examination.ts'
import type { Examination } from './examination.ts'
import type { AnalysisContext, PointAnalysis } from './point-analysis.ts'
import { escapeAlong } from '../evidence/saddle-evidence.ts'

/** On a kink only one-sided slopes mean something: a downward one, measured to be linear, shows that θ is no minimum and
 * not stationary. Tried along `first` (minus the gradient that the derivative rules chose) and in random directions. */
export async function oneSidedTest(
  context: AnalysisContext,
  at: PointAnalysis,
  first?: Float64Array,
): Promise<Examination> {
  const { objective } = context
  const stream = randomStream(context.seed, 'one-sided test')
  const step = 1e-4 * Math.max(1, norm(at.theta))
  for (let i = 0; i < 32; i++) {
    const v = i === 0 && first ? first : stream.normals(objective.size)
    const length = norm(v)
    const decreases: number[] = []
    for (const scale of [1, 0.25, 0.0625]) {
      const loss = await objective.value(at.theta.map((t, j) => t + (scale * step * v[j]) / length))
      decreases.push(at.value - loss)
    }
    const orders = [decreases[0] / decreases[1], decreases[1] / decreases[2]].map((ratio) => Math.log2(ratio) / 2)
    if (!(decreases[2] > 100 * at.noise.value && orders.every((order) => Math.abs(order - 1) < 0.1))) continue
    const slope = decreases[2] / (0.0625 * step)
    return {
      verdict: 'not-critical',
      summary: { id: 'summary.not-critical-kink', values: { slope, onKink: at.kinks!.onKink } },
      advice: [{ id: 'advice.leave-kink', values: { slope } }],
      evidence: [
        {
          kind: 'one-sided-descent',
          claim: { id: 'evidence.one-sided-descent', values: { slope } },
          value: slope,
          bound: at.noise.value,
          method: 'loss along a ray at three distances; linear decrease',
        },
      ],
      ...plain,
    }
  }
  const falling = await fallingRay(context, at)
  if (!falling)
    return undecided('summary.undecided-kink', { onKink: at.kinks!.onKink }, [], [{ id: 'advice.kink', values: {} }])
  const { direction, curve, order } = falling
  const escape = await escapeAlong(objective, at.theta, direction, curve[0].t)
  const numbers = { onKink: at.kinks!.onKink, order, t: curve[0].t, decrease: curve[0].decrease }
  const evidence: Evidence = {
    kind: 'one-sided-descent',
    claim: { id: 'evidence.falling-ray', values: numbers },
    value: curve[0].decrease,
    bound: at.noise.value,
    method: 'loss along a ray at t, t/2, t/4, …',
  }
  const found = undecided('summary.undecided-kink-falling', numbers, [evidence], [escapeAdvice(escape)])
  return { ...found, escape, curve }
}

/** A ray from a kink along which the loss falls like tᵠ, q ≥ 2: no minimum, though nothing falls to first order. */
async function fallingRay(
  { objective, seed }: AnalysisContext,
  at: PointAnalysis,
): Promise<{ direction: Float64Array; curve: CurvePoint[]; order: number } | null> {
  const stream = randomStream(seed, 'falling ray')
  const lengths = Array.from({ length: 8 }, (_, i) => (0.2 * Math.max(1, norm(at.theta))) / 2 ** i)
  for (let i = 0; i < 32; i++) {
    const direction = stream.normals(objective.size)
    rescale(1 / norm(direction), direction)
    const curve: CurvePoint[] = []
    for (const t of lengths)
      curve.push({ t, decrease: at.value - (await objective.value(at.theta.map((x, j) => x + t * direction[j]))) })
    const order = orderOf(curve, at.noise.value, 2)
    if (order !== null) return { direction, curve, order }
  }
  return null
}
