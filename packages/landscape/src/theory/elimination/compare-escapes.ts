import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import { norm } from '../../linalg/vector.ts'
import { Loss } from '../../loss/loss.ts'
import { LossPoint } from '../../loss/loss-point.ts'
import { activationNames } from '../../model/activation.ts'
import type { ActivationName } from '../../model/activation.ts'
import { mlp } from '../../model/mlp.ts'
import { parameterRanges } from '../../model/model.ts'
import type { Model } from '../../model/model.ts'
import { randomStream } from '../../random/random-stream.ts'
import { perturbedGradientDescent } from '../../train/perturbed-gradient-descent.ts'
import { train } from '../../train/train.ts'
import { eliminate } from './eliminate.ts'
import type { EliminateOptions, EliminationOutcome } from './eliminate.ts'
import { functionOptimum } from './function-optimum.ts'
import { quasiNewton } from './quasi-newton.ts'

export type EscapeWay = 'again' | 'restarts' | 'perturbed-gradient-descent' | 'wider' | 'elimination'

/** What one way out of a stuck point achieved. */
export interface EscapeRow {
  readonly way: EscapeWay
  /** What exactly was run. */
  readonly detail: string
  readonly attempts: number
  readonly best: number
  readonly median: number
  /** Attempts that ended at least 1 % of the gap below the stuck point (none where the gap is below 1e-9). */
  readonly escaped: number
  /** Attempts that closed 99.9 % of the gap to the best of all functions, or came within 1e-9 of it. */
  readonly solved: number
  /** Gradients computed over all attempts. */
  readonly gradients: number
  /** Of the elimination. */
  readonly outcome?: EliminationOutcome
}

export interface EscapeComparison {
  readonly stuckLoss: number
  /** L_func where it has a closed form, else 0 (a lower bound of all losses here). */
  readonly target: number
  readonly rows: readonly EscapeRow[]
}

export interface CompareEscapesOptions {
  /** Of restarts, perturbations and wider nets. Default 8. */
  readonly attempts?: number
  /** Of L-BFGS, per attempt. Default 500. */
  readonly maxSteps?: number
  /** Of perturbed gradient descent, per attempt. Default 4000. */
  readonly descentSteps?: number
  readonly elimination?: EliminateOptions
  readonly seed?: number
  readonly signal?: CancelSignal
  readonly onProgress?: (way: EscapeWay, done: number, total: number) => void
}

interface Attempt {
  readonly value: number
  readonly gradients: number
}

/** Several ways out of a point where training is stuck, side by side with their cost: going on as before, starting anew,
 * perturbed gradient descent, a network twice as wide, and elimination (followed by going on without the neurons). */
export async function compareEscapes(
  loss: Loss,
  theta: Float64Array,
  options: CompareEscapesOptions = {},
): Promise<EscapeComparison> {
  const { attempts = 8, maxSteps = 500, descentSteps = 4000, seed = 0, signal } = options
  const stuckLoss = await loss.value(theta)
  const target = functionOptimum(loss).value ?? 0
  const rows: EscapeRow[] = []
  const minimized = (on: Loss, start: Float64Array): Promise<Attempt> => minimize(on, start, maxSteps, signal)
  const add = async (
    way: EscapeWay,
    detail: string,
    count: number,
    run: (index: number) => Promise<Attempt>,
  ): Promise<void> => {
    const ends: Attempt[] = []
    for (let i = 0; i < count && !signal?.aborted; i++) {
      ends.push(await run(i))
      options.onProgress?.(way, i + 1, count)
    }
    if (ends.length > 0) rows.push(rowOf(way, detail, ends, stuckLoss, target))
  }
  await add('again', 'L-BFGS from the stuck point', 1, () => minimized(loss, theta))
  const drawn = startsOf(loss.model, theta, seed)
  await add('restarts', `L-BFGS from ${drawn.detail}`, attempts, (i) => minimized(loss, drawn.start(i)))
  // A stuck point may be flat; the perturbed path also meets the curvature of ordinary points.
  const curvatures = [await largestCurvature(loss, theta), await largestCurvature(loss, drawn.start(0))]
  const learningRate = Math.min(1, 1 / Math.max(1e-6, ...curvatures))
  await add(
    'perturbed-gradient-descent',
    `from the stuck point, step ${learningRate.toPrecision(3)} ≈ 1/λ_max, radius 0.1, then L-BFGS`,
    attempts,
    async (i) => {
      const optimizer = perturbedGradientDescent({ radius: 0.1, interval: 200, seed: seed + i })
      const ran = await train({ loss, optimizer, learningRate, steps: descentSteps, theta, seed: seed + i, signal })
      const end = await minimized(loss, ran.status === 'diverged' ? theta : ran.theta)
      return { value: end.value, gradients: ran.steps + end.gradients }
    },
  )
  const wide = widerLoss(loss)
  if (wide) {
    await add('wider', `${wide.model.name}, L-BFGS from its own starts`, attempts, (i) =>
      minimized(wide, wide.model.initialize(seed + i)),
    )
    await wide.dispose()
  }
  let outcome: EliminationOutcome | undefined
  await add('elimination', 'neurons added and trained, then L-BFGS without them', 1, async () => {
    const result = await eliminate(loss, theta, { seed, signal, ...options.elimination, evenIfVacuous: true })
    outcome = result.outcome
    const end = await minimized(loss, result.theta)
    return { value: Math.min(end.value, result.lossAfter), gradients: result.evaluations + end.gradients }
  })
  return { stuckLoss, target, rows: rows.map((row) => (row.way === 'elimination' ? { ...row, outcome } : row)) }
}

async function minimize(
  loss: Loss,
  start: Float64Array,
  maxSteps: number,
  signal: CancelSignal | undefined,
): Promise<Attempt> {
  let gradients = 0
  const result = await quasiNewton(
    (theta) => {
      gradients++
      return loss.valueAndGradient(theta)
    },
    start,
    { maxSteps, gradientTolerance: 1e-9, signal },
  )
  return { value: result.value, gradients }
}

const solvedGap = 1e-9

function rowOf(way: EscapeWay, detail: string, ends: readonly Attempt[], stuck: number, target: number): EscapeRow {
  const values = ends.map(({ value }) => value).sort((a, b) => a - b)
  const gap = stuck - target
  return {
    way,
    detail,
    attempts: ends.length,
    best: values[0],
    median: values[Math.floor((values.length - 1) / 2)],
    escaped: gap < solvedGap ? 0 : values.filter((v) => v < stuck - 0.01 * gap).length,
    solved: values.filter((v) => v <= target + Math.max(0.001 * gap, solvedGap)).length,
    gradients: ends.reduce((sum, { gradients }) => sum + gradients, 0),
  }
}

/** The model's own starts; for a file, whose start is always the same, normal numbers of each tensor's size. */
function startsOf(
  model: Model,
  theta: Float64Array,
  seed: number,
): { detail: string; start: (index: number) => Float64Array } {
  const [first, second] = [model.initialize(seed), model.initialize(seed + 1)]
  if (first.some((v, i) => v !== second[i]))
    return { detail: 'other starts', start: (i) => model.initialize(seed + 1 + i) }
  return {
    detail: 'normal numbers as large as each tensor',
    start: (index) => {
      const out = randomStream(seed, 'escape restart', index).normals(theta.length)
      for (const { start, end } of parameterRanges(model)) {
        const size = norm(theta.subarray(start, end)) / Math.sqrt(Math.max(1, end - start))
        for (let i = start; i < end; i++) out[i] *= size === 0 ? 0.1 : size
      }
      return out
    },
  }
}

/** |λ|_max of the Hessian at θ, by 30 steps of the power method: the length of a stable step needs no digits. */
async function largestCurvature(loss: Loss, theta: Float64Array): Promise<number> {
  const point = new LossPoint(loss, theta)
  let v = randomStream(0, 'largest curvature').normals(loss.size)
  let size = norm(v)
  for (let step = 0; step < 30 && size > 0; step++) {
    v = await point.hvp(v.map((x) => x / size))
    size = norm(v)
  }
  return size
}

/** The same loss of a fully connected network with hidden layers twice as wide; null for other models. */
function widerLoss(loss: Loss): Loss | null {
  const { architecture } = loss.model
  if (architecture.kind !== 'mlp' || !activationNames.includes(architecture.activation as ActivationName)) return null
  const { widths, bias, skip } = architecture
  if (widths.length < 3) return null
  const model = mlp({
    widths: widths.map((w, h) => (h > 0 && h < widths.length - 1 ? 2 * w : w)),
    activation: architecture.activation as ActivationName,
    bias,
    skip,
  })
  const { engine, dataset, spec, weightDecay } = loss
  return new Loss({ engine, model, dataset, spec, weightDecay })
}
