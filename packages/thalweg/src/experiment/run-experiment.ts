import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import { TaskError } from '@thalweg/graph'
import {
  Loss,
  diagnose,
  lossPlane,
  norm,
  optimizerFromSpec,
  randomDirection,
  sampleCount,
  train,
  valuesAt,
} from '@thalweg/landscape'
import type { Diagnosis, LossPlane, Model, TrainResult } from '@thalweg/landscape'
import { diagnosisJson } from '../analyses/diagnosis-document.ts'
import { linearTheory, optimumOf } from '../analyses/linear-theory.ts'
import { optimizerFacts } from '../analyses/optimizer-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { RunDirectory, float64Tensor } from '../runs/run-directory.ts'
import { manifestOf } from '../runs/manifest.ts'
import { loadExperimentData, loadExperimentModel, readExperiment } from './load-experiment.ts'
import type { ExperimentData } from './load-experiment.ts'
import type { EndPoint, RunArgument, RunOutcome, RunResults } from './run-results.ts'
import type { Experiment } from './schema.ts'
import { writeReport } from './write-report.ts'

/** Trains what an experiment file describes, examines the end of training in float64, and writes the run directory. */
export async function runExperiment(argument: RunArgument, context: JobContext): Promise<RunOutcome> {
  const started = context.now()
  const read = await readExperiment(argument.file)
  const experiment = argument.seed === undefined ? read : { ...read, seed: argument.seed }
  const data = await loadExperimentData(experiment, argument.file)
  const model = loadExperimentModel(experiment.model, argument.file, data.train, experiment.loss.name)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    const lossIn = (dtype: 'float32' | 'float64', part: 'train' | 'test'): Loss =>
      new Loss({
        engine,
        model,
        dataset: data[part]!,
        spec: experiment.loss,
        weightDecay: experiment.loss.weightDecay,
        dtype,
      })
    const exact = lossIn('float64', 'train')
    const directory = await RunDirectory.create(`${argument.runRoot}/${fileName(experiment.name)}`, argument.out)
    const manifest = (status: string): Promise<void> =>
      directory.writeJson('manifest.json', manifestOf({ experiment, file: argument.file, model, data, engine, status }))
    await manifest('running')
    const training = experiment.training
      ? await runTraining(experiment, data, lossIn, context, argument, (step, theta) =>
          writePoint(directory, experiment, model, step, theta),
        )
      : null
    const theta = training?.theta ?? model.initialize(experiment.seed)
    await writePoint(directory, experiment, model, training?.steps ?? 0, theta, 'final')
    const end = await measureEnd(exact, data.test ? lossIn('float64', 'test') : undefined, theta)
    const diagnosis = await runDiagnosis(experiment, exact, theta, context)
    const plane = await runSurface(experiment, lossIn('float32', 'train'), theta, context)
    const results: RunResults = {
      experiment,
      model,
      data,
      training,
      end,
      diagnosis,
      plane,
      elapsedMs: context.now() - started,
    }
    await writeResults(directory, results)
    const verdict = await writeReport(directory, results, {
      lang: argument.lang,
      file: argument.file,
      fingerprint: engine.fingerprint,
      png: argument.png === true,
    })
    const status = context.signal.aborted ? 'aborted' : (training?.status ?? 'finished')
    await manifest(status)
    if (training?.status === 'diverged')
      throw new TaskError(`${argument.file}: ${training.message} What was reached is in ${directory.path}.`)
    return {
      directory: directory.path,
      report: directory.file('report.html'),
      verdict: verdict?.kind ?? 'undecided',
      summary: verdict?.summary ?? 'The experiment asks for no diagnosis.',
      status,
      loss: end.loss,
      gradientNorm: end.gradientNorm,
      elapsedMs: context.now() - started,
    }
  } finally {
    await engine.dispose()
  }
}

/** A name that is safe as a folder. */
function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || 'run'
}

type LossIn = (dtype: 'float32' | 'float64', part: 'train' | 'test') => Loss

async function runTraining(
  experiment: Experiment,
  data: ExperimentData,
  lossIn: LossIn,
  { now, onProgress, signal }: JobContext,
  { timeLimitMs }: RunArgument,
  write: (step: number, theta: Float64Array) => Promise<void>,
): Promise<TrainResult> {
  const spec = experiment.training!
  const batch = spec.batchSize === 'full' ? sampleCount(data.train) : spec.batchSize
  const steps = spec.steps ?? spec.epochs! * Math.ceil(sampleCount(data.train) / batch)
  return train({
    loss: lossIn(spec.dtype, 'train'),
    ...(data.test && { testLoss: lossIn(spec.dtype, 'test') }),
    optimizer: optimizerFromSpec(spec.optimizer),
    learningRate: spec.learningRate,
    schedule: spec.schedule,
    steps: spec.steps,
    epochs: spec.epochs,
    batchSize: spec.batchSize,
    seed: experiment.seed,
    evaluateEvery: Math.max(1, Math.round(steps / 60)),
    checkpointEvery: Math.max(1, Math.ceil(steps / spec.checkpoints)),
    onCheckpoint: ({ step, theta }) => write(step, theta),
    onProgress: (p) =>
      onProgress({ stage: 'training', done: p.step, total: p.steps, detail: `loss ${p.loss.toPrecision(4)}` }),
    signal,
    now,
    timeLimitMs,
  })
}

/** Writes one point of the trajectory; `final` is where the run ended. */
function writePoint(
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

async function measureEnd(loss: Loss, test: Loss | undefined, theta: Float64Array): Promise<EndPoint> {
  const { value, gradient } = await loss.valueAndGradient(theta)
  const accuracy = await loss.accuracy(theta)
  const held = test ? { testLoss: await test.value(theta), testAccuracy: await test.accuracy(theta) } : {}
  return { loss: value, gradientNorm: norm(gradient), accuracy, ...held }
}

async function runDiagnosis(
  { analyses, training, seed }: Experiment,
  loss: Loss,
  theta: Float64Array,
  { onProgress, signal, now }: JobContext,
): Promise<Diagnosis | null> {
  if (!analyses.diagnose) return null
  const { model, dataset, spec, weightDecay } = loss
  const theory = await linearTheory({ model, dataset, spec, weightDecay, theta }, loss)
  return diagnose(loss, theta, {
    ...optimumOf(theory),
    ...analyses.diagnose,
    seed,
    signal,
    now,
    optimizer: optimizerFacts(training, {}),
    onProgress: (stage, done, total) => onProgress({ stage, done, total }),
  })
}

/** Null where none is asked for, or Ctrl-C came before it was whole. */
async function runSurface(
  experiment: Experiment,
  loss: Loss,
  theta: Float64Array,
  { onProgress, signal }: JobContext,
): Promise<LossPlane | null> {
  const spec = experiment.analyses.surface
  if (!spec || signal.aborted) return null
  const direction = (index: number): Float64Array => randomDirection(loss.model, theta, experiment.seed, index, spec)
  const plane = await lossPlane({
    center: theta,
    directions: [direction(0), direction(1)],
    x: { start: spec.x.from, end: spec.x.to, count: spec.x.points },
    y: { start: spec.y.from, end: spec.y.to, count: spec.y.points },
    valuesAt: async (thetas, count) => (await valuesAt(loss, thetas, count)).values,
    batch: 256,
    onProgress: (done, total) => onProgress({ stage: 'surface', done, total }),
    signal,
  })
  return plane.done < plane.values.length ? null : plane
}

async function writeResults(directory: RunDirectory, { training, end, diagnosis, plane }: RunResults): Promise<void> {
  if (training) {
    const { status, message, steps, history } = training
    await directory.writeJson('results/training.json', { status, message, steps, history })
    await directory.writeArrays('results/training.npz', {
      losses: float64Tensor([training.losses.length], training.losses),
    })
  }
  await directory.writeJson('results/end.json', end)
  if (diagnosis) await directory.writeJson('results/diagnosis.json', diagnosisJson(diagnosis, 'en'))
  if (plane)
    await directory.writeArrays('results/surface.npz', {
      x: float64Tensor([plane.x.length], plane.x),
      y: float64Tensor([plane.y.length], plane.y),
      loss: float64Tensor([plane.y.length, plane.x.length], plane.values),
    })
}
