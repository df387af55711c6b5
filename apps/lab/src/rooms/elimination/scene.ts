import {
  Loss,
  eliminate,
  findMany,
  gridMinima,
  linearNetwork,
  makeDataset,
  pointEvaluator,
  sineLoss,
  vacuityOf,
} from '@thalweg/landscape'
import type { Divergence, Elimination, EliminationOutcome, VerdictKind, Vacuity } from '@thalweg/landscape'
import { numbersOf, tensorOf } from '@thalweg/graph'
import type { Engine } from '@thalweg/engine'

/** `sine`: sin(θx) fitted to sin x, six minima and one good. `logistic`: a line through consistent labels, where no θ attains
 * the infimum and theory says beforehand that the modified loss has no local minimum. */
export type EliminationProblem = 'sine' | 'logistic'

/** Where θ is looked at. */
export const thetaRange: Readonly<Record<EliminationProblem, readonly [number, number]>> = {
  sine: [-6.6, 6.6],
  logistic: [-1.5, 6],
}

function problemLoss(engine: Engine, problem: EliminationProblem): Loss {
  return problem === 'sine' ? sineLoss(engine) : logisticLoss(engine)
}

function logisticLoss(engine: Engine): Loss {
  const x = [-1.7, -0.6, 0.4, 1.1, 2.3]
  const dataset = makeDataset({
    name: 'signs',
    inputs: { x: tensorOf('float64', [x.length, 1], x) },
    targets: tensorOf(
      'float64',
      [x.length, 1],
      x.map((v) => (v > 0 ? 1 : 0)),
    ),
    task: 'regression',
    origin: 'the sign of x at five points',
  })
  const model = linearNetwork([1, 1])
  return new Loss({ engine, model, dataset, spec: { name: 'binary-cross-entropy', reduction: 'mean' } })
}

export interface CurveScene {
  readonly theta: Float64Array
  readonly loss: Float64Array
  readonly minima: readonly { readonly theta: number; readonly loss: number; readonly verdict: VerdictKind }[]
  readonly data: { readonly x: readonly number[]; readonly y: readonly number[] }
  readonly vacuity: Pick<Vacuity, 'vacuous' | 'reason' | 'statement'>
}

const nodes = 601

/** L over θ with its local minima, each judged. */
export async function curveScene(engine: Engine, problem: EliminationProblem): Promise<CurveScene> {
  const loss = problemLoss(engine, problem)
  const [low, high] = thetaRange[problem]
  const theta = Float64Array.from({ length: nodes }, (_, i) => low + ((high - low) * i) / (nodes - 1))
  const { values } = await pointEvaluator(loss, 'batched').valuesAt(theta, nodes)
  const starts = gridMinima(values, [nodes])
    .filter(({ node }) => node > 0 && node < nodes - 1)
    .map(({ node }) => Float64Array.of(theta[node]))
  const found = starts.length > 0 ? (await findMany(loss, starts)).points : []
  const { vacuous, reason, statement } = await vacuityOf(loss)
  return {
    theta,
    loss: values,
    minima: found
      .map((p) => ({ theta: p.theta[0], loss: p.loss, verdict: p.verdict }))
      .sort((a, b) => a.theta - b.theta),
    data: { x: [...numbersOf(loss.dataset.inputs.x)], y: [...numbersOf(loss.dataset.targets)] },
    vacuity: { vacuous, reason, statement },
  }
}

/** The gradient flow of the modified loss at one time. */
export interface FlowMoment {
  readonly time: number
  readonly theta: number
  readonly a: number
  readonly b: number
  readonly w: number
  readonly loss: number
  readonly modifiedLoss: number
  readonly gradientNorm: number
  readonly neuronRms: number
  readonly amplitudeLaw: number
}

export interface FlowScene {
  readonly start: number
  readonly lambda: number
  readonly outcome: EliminationOutcome
  readonly divergence: Divergence
  readonly moments: readonly FlowMoment[]
  readonly certificate: {
    readonly accepted: boolean
    readonly groupGradientMax: number
    readonly groups: number
    readonly gap: number | null
    readonly witnessDecrease: number | null
  } | null
  readonly lossBefore: number
  readonly lossAfter: number
  readonly modifiedLoss: number
  readonly steps: number
}

export interface FlowInput {
  readonly problem: EliminationProblem
  readonly start: number
  readonly lambda: number
}

/** Follows the gradient flow of the modified loss from θ and silent neurons, and says what came of it. */
export async function flowScene(engine: Engine, { problem, start, lambda }: FlowInput): Promise<FlowScene> {
  const loss = problemLoss(engine, problem)
  const moments: FlowMoment[] = []
  const result = await eliminate(loss, Float64Array.of(start), {
    lambda,
    start: { w: Float64Array.of(0) },
    evenIfVacuous: true,
    method: 'flow',
    onPoint: (point, z) => {
      const [theta, a, b, w] = z
      const { time, loss: value, modifiedLoss, gradientNorm, neuronRms, amplitudeLaw } = point
      moments.push({ time, theta, a, b, w, loss: value, modifiedLoss, gradientNorm, neuronRms, amplitudeLaw })
    },
  })
  return { start, lambda, moments, ...summaryOf(result) }
}

function summaryOf({
  outcome,
  divergence,
  certificate,
  lossBefore,
  lossAfter,
  modifiedLoss,
  steps,
}: Elimination): Omit<FlowScene, 'start' | 'lambda' | 'moments'> {
  return {
    outcome,
    divergence,
    certificate: certificate && {
      accepted: certificate.accepted,
      groupGradientMax: certificate.groupGradientMax,
      groups: certificate.groups,
      gap: certificate.gap,
      witnessDecrease: certificate.witness?.decrease ?? null,
    },
    lossBefore,
    lossAfter,
    modifiedLoss,
    steps,
  }
}

/** What became of one start. */
export interface StartOutcome {
  readonly start: number
  readonly end: number
  readonly outcome: EliminationOutcome
  readonly type: 'A' | 'B' | null
}

/** The outcome of starts all over the axis.
 * @param onOutcome  told of each as it is known. */
export async function startsScene(
  engine: Engine,
  { problem, lambda, count }: { problem: EliminationProblem; lambda: number; count: number },
  onOutcome: (known: readonly StartOutcome[]) => void,
  signal?: AbortSignal,
): Promise<readonly StartOutcome[]> {
  const loss = problemLoss(engine, problem)
  const [low, high] = problem === 'sine' ? [-6, 6] : thetaRange[problem]
  const known: StartOutcome[] = []
  for (let i = 0; i < count; i++) {
    signal?.throwIfAborted()
    const start = low + ((high - low) * i) / (count - 1)
    const { outcome, theta, divergence } = await eliminate(loss, Float64Array.of(start), {
      lambda,
      start: { w: Float64Array.of(0) },
      evenIfVacuous: true,
      method: 'flow',
      signal,
    })
    known.push({ start, end: theta[0], outcome, type: divergence.type })
    onOutcome([...known])
  }
  return known
}

/** f(x; θ) and f + g at many x, to draw: g without overflow, exponents shifted by their largest value. */
export function fitCurve(
  problem: EliminationProblem,
  { theta, a, b, w }: Pick<FlowMoment, 'theta' | 'a' | 'b' | 'w'>,
  xs: readonly number[],
): { readonly plain: readonly number[]; readonly modified: readonly number[] } {
  const f = (x: number): number => (problem === 'sine' ? Math.sin(theta * x) : theta * x)
  const plain = xs.map(f)
  return { plain, modified: xs.map((x, i) => plain[i] + Math.sign(a) * Math.exp(Math.log(Math.abs(a)) + w * x + b)) }
}
