import {
  coordinates,
  cosine,
  diagnose,
  invariantFields,
  norm,
  optimizerFromSpec,
  pointEvaluator,
  randomDirection,
  sampleCount,
  train,
} from '@thalweg/landscape'
import type { Diagnosis, Loss, LossPlane, Model, TrainResult } from '@thalweg/landscape'
import { linearTheory, optimumOf } from '../analyses/linear/linear-theory.ts'
import { optimizerFacts } from '../analyses/diagnose/optimizer-facts.ts'
import { gridOfLosses } from '../analyses/surface/surface-grid.ts'
import type { TaskWork } from '../analyses/task-work.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { RunDirectory } from '../runs/run-directory.ts'
import type { ExperimentData } from './load-experiment.ts'
import { keptResult } from './kept-result.ts'
import { endedTraining, joinedRecord, readTraining, saveTraining } from './resumable-training.ts'
import type { EndPoint } from './run-results.ts'
import type { AxisSpec } from './analyses-schema.ts'
import type { Experiment } from './schema.ts'

/* The stages of a run. Each can be stopped, and is gone on with where it was. */

export type LossIn = (dtype: 'float32' | 'float64', part: 'train' | 'test') => Loss

/** What a stage is about. */
export interface StageParts {
  readonly experiment: Experiment
  readonly data: ExperimentData
  readonly model: Model
  readonly directory: RunDirectory
}

/** Trains, from the saved point where there is one. The point that training reached is saved at every checkpoint and at its end. */
export async function runTraining(
  { experiment, data, model, directory }: StageParts,
  lossIn: LossIn,
  timeLimitMs: number | undefined,
  { now, onProgress, signal }: JobContext,
): Promise<TrainResult> {
  const spec = experiment.training!
  const batch = spec.batchSize === 'full' ? sampleCount(data.train) : spec.batchSize
  const steps = spec.steps ?? spec.epochs! * Math.ceil(sampleCount(data.train) / batch)
  const evaluateEvery = Math.max(1, Math.round(steps / 60))
  const checkpointEvery = Math.max(1, Math.ceil(steps / spec.checkpoints))
  const saved = await readTraining(directory)
  if (saved?.ended) return endedTraining(saved, saved.ended)
  const rest = await train({
    loss: lossIn(spec.dtype, 'train'),
    ...(data.test && { testLoss: lossIn(spec.dtype, 'test') }),
    optimizer: optimizerFromSpec(spec.optimizer),
    learningRate: spec.learningRate,
    schedule: spec.schedule,
    steps: spec.steps,
    epochs: spec.epochs,
    batchSize: spec.batchSize,
    seed: experiment.seed,
    from: saved?.checkpoint,
    evaluateEvery,
    checkpointEvery,
    onCheckpoint: async (checkpoint, recorded) => {
      const { step, theta } = checkpoint
      // where training was stopped in between, it goes on without leaving a mark
      if (step % checkpointEvery === 0 || step === steps) await writePoint(directory, experiment, model, step, theta)
      await saveTraining(directory, checkpoint, joinedRecord(saved, recorded, evaluateEvery))
    },
    onProgress: (p) =>
      onProgress({ stage: 'training', done: p.step, total: p.steps, detail: `loss ${p.loss.toPrecision(4)}` }),
    signal,
    now,
    timeLimitMs,
  })
  const whole = { ...rest, ...joinedRecord(saved, rest, evaluateEvery) }
  const final = rest.status === 'finished' || rest.status === 'diverged'
  const ended = final ? { status: rest.status, message: rest.message } : undefined
  await saveTraining(directory, rest.last, whole, ended)
  return whole
}

/** Writes one point of the trajectory; `final` is where the run ended. */
export function writePoint(
  directory: RunDirectory,
  experiment: Experiment,
  model: Model,
  step: number,
  theta: Float64Array,
  name?: string,
): Promise<void> {
  return directory.writeCheckpoint(name ?? `step-${String(step).padStart(7, '0')}`, model, theta, {
    experiment: experiment.name,
    seed: String(experiment.seed),
    step: String(step),
  })
}

export async function measureEnd(loss: Loss, test: Loss | undefined, theta: Float64Array): Promise<EndPoint> {
  const { value, gradient } = await loss.valueAndGradient(theta)
  const accuracy = await loss.accuracy(theta)
  const held = test ? { testLoss: await test.value(theta), testAccuracy: await test.accuracy(theta) } : {}
  return { loss: value, gradientNorm: norm(gradient), accuracy, ...held }
}

/** Null where none is asked for. A diagnosis that was made before the run was stopped is read again. */
export async function runDiagnosis(
  { analyses, training, seed }: Experiment,
  loss: Loss,
  theta: Float64Array,
  directory: RunDirectory,
  { onProgress, signal, now }: JobContext,
): Promise<Diagnosis | null> {
  if (!analyses.diagnose) return null
  return keptResult({ directory, name: 'diagnosis', theta, signal }, async () => {
    const { model, dataset, spec, weightDecay } = loss
    const theory = await linearTheory({ model, dataset, spec, weightDecay, theta }, loss)
    return diagnose(loss, theta, {
      ...optimumOf(theory),
      fields: await invariantFields(loss),
      ...analyses.diagnose,
      seed,
      signal,
      now,
      optimizer: optimizerFacts(training, {}),
      onProgress: (stage, done, total) => onProgress({ stage, done, total }),
    })
  })
}

/** Null where none is asked for, or it was stopped before it was whole. */
export async function runSurface(
  experiment: Experiment,
  loss: Loss,
  theta: Float64Array,
  work: TaskWork,
): Promise<LossPlane | null> {
  const spec = experiment.analyses.surface
  if (!spec || work.context.signal.aborted) return null
  const direction = (index: number): Float64Array => randomDirection(loss.model, theta, experiment.seed, index, spec)
  const directions = [direction(0), direction(1)] as const
  const axisOf = ({ from, to, points }: AxisSpec): Float64Array => coordinates({ start: from, end: to, count: points })
  const [x, y] = [axisOf(spec.x), axisOf(spec.y)]
  const grid = { center: theta, directions, axes: [x, y] }
  const state = await gridOfLosses(work, 'surface', grid, loss, pointEvaluator(loss))
  return state.done < state.values.length ? null : { x, y, ...state, cosine: cosine(...directions) }
}
