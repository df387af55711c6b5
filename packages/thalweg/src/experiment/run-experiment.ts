import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import { TaskError } from '@thalweg/graph'
import { Loss } from '@thalweg/landscape'
import type { Model, TrainResult } from '@thalweg/landscape'
import { threadsOf } from '../analyses/task-work.ts'
import type { TaskWork } from '../analyses/task-work.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { LiveRun } from '../runs/live-run.ts'
import { manifestOf } from '../runs/manifest.ts'
import { RunDirectory } from '../runs/run-directory.ts'
import type { RunStatus } from '../runs/run-state.ts'
import type { Subject } from '../subject/subject.ts'
import { problemsOf } from './analysis-results.ts'
import type { AnalysisResults } from './analysis-results.ts'
import { runAnalyses } from './analysis-stages.ts'
import { experimentModelSource, loadExperimentData, loadExperimentModel, readExperiment } from './load-experiment.ts'
import type { ExperimentData } from './load-experiment.ts'
import { resumedDirectory } from './resumed-directory.ts'
import type { RunArgument, RunOutcome, RunResults } from './run-results.ts'
import { measureEnd, runDiagnosis, runSurface, runTraining, writePoint } from './run-stages.ts'
import type { LossIn } from './run-stages.ts'
import type { Experiment } from './schema.ts'
import { writeReport } from './write-report.ts'
import { writeResults } from './write-results.ts'

/** Trains what an experiment file describes, examines the end of training in float64, and writes the run directory. Killed at
 * any instant it can be gone on with: training from its last checkpoint, each later stage from where it was.
 * @throws {TaskError} if it was stopped; {DomainError} if the run to go on with was another. */
export async function runExperiment(argument: RunArgument, context: JobContext): Promise<RunOutcome> {
  const read = await readExperiment(argument.file)
  const experiment = argument.seed === undefined ? read : { ...read, seed: argument.seed }
  const data = await loadExperimentData(experiment, argument.file)
  const model = loadExperimentModel(experiment.model, argument.file, data.train, experiment.loss.name)
  await requireFit(experiment, model, data)
  const base = `${argument.runRoot}/${fileName(experiment.name)}`
  const directory = argument.resume
    ? await resumedDirectory(base, argument.out, experiment, data)
    : await RunDirectory.create(base, argument.out)
  // where the queue is, with its password, is not for the disk
  const { queue: _, ...kept } = argument
  const live = await LiveRun.open(directory.path, { job: 'run-experiment', argument: kept }, context)
  const run = new ExperimentRun({ argument, experiment, data, model, directory, context: live.context })
  try {
    const outcome = await run.result(() => live.stopStatus)
    if (outcome.status === 'time-limit') live.leave('time-limit')
    else live.finish()
    return outcome
  } catch (error) {
    const status = live.stopStatus ?? run.endStatus(error)
    await run.writeManifest(status).catch(() => undefined)
    if (status === 'cancelled' || status === 'diverged') live.finish()
    else live.leave(status, error)
    throw error
  } finally {
    await run.dispose()
  }
}

/** Model, data and loss must fit each other before a folder is made.
 * @throws {ShapeError}, {DomainError} as losses do. */
async function requireFit(experiment: Experiment, model: Model, data: ExperimentData): Promise<void> {
  const { weightDecay, ...spec } = experiment.loss
  const engine = nativeEngine({ threads: 1 })
  try {
    const datasets = data.test ? [data.train, data.test] : [data.train]
    for (const dataset of datasets) void new Loss({ engine, model, dataset, spec, weightDecay })
  } finally {
    await engine.dispose()
  }
}

interface RunParts {
  readonly argument: RunArgument
  readonly experiment: Experiment
  readonly data: ExperimentData
  readonly model: Model
  readonly directory: RunDirectory
  readonly context: JobContext
}

type Found = Pick<RunResults, 'end' | 'diagnosis' | 'plane' | 'analyses'>

class ExperimentRun {
  readonly #parts: RunParts
  readonly #engine: ReturnType<typeof nativeEngine>
  readonly #startedMs: number
  #training: TrainResult | null = null

  constructor(parts: RunParts) {
    this.#parts = parts
    this.#startedMs = parts.context.now()
    this.#engine = nativeEngine({ threads: parts.argument.threads ?? availableParallelism() })
  }

  dispose(): Promise<void> {
    return this.#engine.dispose()
  }

  async writeManifest(status: RunStatus): Promise<void> {
    const { experiment, argument, model, data, directory } = this.#parts
    const { file } = argument
    await directory.writeJson(
      'manifest.json',
      manifestOf({ experiment, file, model, data, engine: this.#engine, status }),
    )
  }

  /** How a run ended that threw. */
  endStatus(error: unknown): RunStatus {
    if (this.#training?.status === 'diverged') return 'diverged'
    return error instanceof TaskError && this.#training?.status === 'time-limit' ? 'time-limit' : 'failed'
  }

  async result(stopped: () => string | undefined): Promise<RunOutcome> {
    const { argument, experiment, data, model, directory, context } = this.#parts
    await this.writeManifest('running')
    const exact = this.#lossIn('float64', 'train')
    this.#training = experiment.training
      ? await runTraining({ experiment, data, model, directory }, this.#lossIn, argument.timeLimitMs, context)
      : null
    const training = this.#training
    this.#requireGoing(stopped)
    const theta = training?.theta ?? model.initialize(experiment.seed)
    await writePoint(directory, experiment, model, training?.steps ?? 0, theta, 'final')
    const end = await measureEnd(exact, data.test ? this.#lossIn('float64', 'test') : undefined, theta)
    const diagnosis = await runDiagnosis(experiment, exact, theta, directory, context)
    this.#requireGoing(stopped)
    const plane = await runSurface(experiment, this.#lossIn('float32', 'train'), theta, this.#taskWork())
    this.#requireGoing(stopped)
    const analyses = await this.#analyses(theta)
    this.#requireGoing(stopped)
    return this.#finish({ end, diagnosis, plane, analyses })
  }

  async #finish(found: Found): Promise<RunOutcome> {
    const { argument, experiment, data, model, directory, context } = this.#parts
    const training = this.#training
    const elapsedMs = context.now() - this.#startedMs
    const results: RunResults = { experiment, model, data, training, ...found, elapsedMs }
    await writeResults(directory, results)
    const { lang, file, png } = argument
    const { fingerprint } = this.#engine
    const verdict = await writeReport(directory, results, { lang, file, fingerprint, png: png === true })
    if (training?.status === 'diverged')
      throw new TaskError(`${file}: ${training.message} What was reached is in ${directory.path}.`)
    const status = training?.status === 'time-limit' ? 'time-limit' : 'finished'
    await this.writeManifest(status)
    return {
      directory: directory.path,
      report: directory.file('report.html'),
      verdict: verdict?.kind ?? 'undecided',
      summary: verdict?.summary ?? 'The experiment asks for no diagnosis.',
      status,
      loss: found.end.loss,
      gradientNorm: found.end.gradientNorm,
      elapsedMs: context.now() - this.#startedMs,
      warnings: problemsOf(found.analyses).map(([name, problem]) => `analyses.${name} was not made: ${problem}`),
    }
  }

  readonly #lossIn: LossIn = (dtype, part) => {
    const { experiment, model, data } = this.#parts
    const { weightDecay, ...spec } = experiment.loss
    return new Loss({ engine: this.#engine, model, dataset: data[part]!, spec, weightDecay, dtype })
  }

  #analyses(theta: Float64Array): Promise<AnalysisResults> {
    const { experiment, data, model, directory, context } = this.#parts
    const { weightDecay, ...spec } = experiment.loss
    const tasks = this.#taskWork()
    const subject: Subject = {
      path: 'checkpoints/final.safetensors',
      ...{ model, theta, spec, weightDecay, source: tasks.source, dataset: data.train },
      dataPath: data.train.origin,
      training: experiment.training,
      warnings: model.notes,
    }
    return runAnalyses({ experiment, subject, directory, engine: this.#engine, tasks, context })
  }

  #taskWork(): TaskWork {
    const { argument, experiment, directory, context } = this.#parts
    const { workers = 0, queue, file } = argument
    return {
      directory: directory.path,
      source: experimentModelSource(experiment.model, file, experiment.loss.name),
      context,
      workers,
      threads: threadsOf(argument),
      queue,
    }
  }

  #requireGoing(stopped: () => string | undefined): void {
    const how = stopped()
    if (how === undefined) return
    const { argument, directory } = this.#parts
    const cure =
      how === 'cancelled' ? '' : ` Go on with: thalweg run ${argument.file} --out ${directory.path} --resume.`
    throw new TaskError(`${argument.file}: ${how}.${cure}`)
  }
}

/** A name that is safe as a folder. */
function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || 'run'
}
