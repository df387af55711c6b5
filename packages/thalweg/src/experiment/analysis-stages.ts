import type { Engine } from '@thalweg/engine'
import { ConvergenceError, DomainError, ShapeError, ThalwegError, UnsupportedError } from '@thalweg/graph'
import type { LinearReport } from '@thalweg/landscape'
import { criticalDocument } from '../analyses/critical/critical-job.ts'
import { eliminationOf } from '../analyses/eliminate/eliminate-job.ts'
import { limitedSubject } from '../analyses/gram/gram-job.ts'
import { networkDocument } from '../analyses/gram/gram-network.ts'
import { linearDocument } from '../analyses/linear/linear-job.ts'
import { spectrumDocument } from '../analyses/spectrum/spectrum-job.ts'
import type { TaskWork } from '../analyses/task-work.ts'
import { makeFolder } from '../files/write-atomic.ts'
import type { JobContext } from '../jobs/job-context.ts'
import type { RunDirectory } from '../runs/run-directory.ts'
import type { Subject, SubjectArgument } from '../subject/subject.ts'
import { analysisNames } from './analysis-results.ts'
import type { AnalysisName, AnalysisResults, Examined } from './analysis-results.ts'
import { keptResult } from './kept-result.ts'
import type { Experiment } from './schema.ts'

/* The analyses of a run beside diagnosis and surface: the documents of the commands of the same names, at the end of
 * training, or, for the Gram matrix, at its start. */

export interface AnalysisWork {
  readonly experiment: Experiment
  /** The end of training. */
  readonly subject: Subject
  readonly directory: RunDirectory
  readonly engine: Engine
  /** Processes or queue for what is split into tasks. */
  readonly tasks: TaskWork
  readonly context: JobContext
}

/** What an analysis throws that says something about the model or the data, not about the machine. */
const refusals = [DomainError, UnsupportedError, ShapeError, ConvergenceError]

type Found = Exclude<Examined<unknown>, { readonly problem: string }>

/** Every analysis that is asked for, in their order; stops between two of them. One whose theory does not cover the model or
 * its data says so in its place, and the others go on. */
export async function runAnalyses(given: AnalysisWork): Promise<AnalysisResults> {
  const work = { ...given, context: withoutNotes(given.context) }
  const { experiment, directory, subject, context } = work
  const { signal } = context
  const results: Partial<Record<AnalysisName, Examined<unknown>>> = {}
  for (const name of analysisNames) {
    if (!experiment.analyses[name] || signal.aborted) continue
    context.onProgress({ stage: name, done: 0, total: 0 })
    results[name] = await keptResult({ directory, name, theta: subject.theta, signal }, () => examined(name, work))
  }
  return results as AnalysisResults
}

/** Estimates are those of single commands; here the stages tell how far the whole is. */
function withoutNotes(context: JobContext): JobContext {
  const onProgress: JobContext['onProgress'] = (progress) => {
    if (progress.note === undefined) context.onProgress(progress)
  }
  return { ...context, onProgress }
}

async function examined(name: AnalysisName, work: AnalysisWork): Promise<Examined<unknown>> {
  try {
    const { document, ...rest } = await analyses[name](work)
    return { document: withoutTimes(document as object), ...rest }
  } catch (error) {
    if (!(error instanceof ThalwegError) || work.context.signal.aborted) throw error
    // a file that the system refuses to write says nothing about the model
    const refused = refusals.some((kind) => error instanceof kind) && error.details['reason'] === undefined
    if (!refused) throw error
    return { problem: error.message }
  }
}

/** What a second run of the same experiment repeats. */
function withoutTimes(document: object): object {
  return Object.fromEntries(Object.entries(document).filter(([key]) => key !== 'estimate'))
}

const analyses: Readonly<Record<AnalysisName, (work: AnalysisWork) => Promise<Found>>> = {
  spectrum: spectrumOf,
  critical: criticalOf,
  linear: linearOf,
  eliminate: eliminateOf,
  gram: gramOf,
}

function argumentOf({ subject, experiment }: AnalysisWork): SubjectArgument {
  return { model: subject.path, seed: experiment.seed }
}

async function spectrumOf(work: AnalysisWork): Promise<Found> {
  const { experiment, subject, engine, context } = work
  const argument = { ...experiment.analyses.spectrum!, subject: argumentOf(work), dtype: 'float64' as const }
  return { document: await spectrumDocument(subject, argument, engine, context) }
}

async function criticalOf(work: AnalysisWork): Promise<Found> {
  const { experiment, subject, engine, directory, tasks, context } = work
  const spec = experiment.analyses.critical!
  const document = await criticalDocument(
    subject,
    {
      ...spec,
      subject: argumentOf(work),
      ...(!spec.random && { trajectory: directory.file('checkpoints') }),
      ...{ workers: tasks.workers, queue: tasks.queue, threads: tasks.threads, lang: 'en' },
      out: directory.file('points'),
      workFolder: directory.file('live', 'critical'),
    },
    engine,
    context,
  )
  return { document: { ...document, files: { points: 'points' } } }
}

async function linearOf({ experiment, subject }: AnalysisWork): Promise<Found> {
  const { widths, limit } = experiment.analyses.linear!
  const own = 'widths' in experiment.model ? experiment.model.widths : []
  const document: LinearReport = linearDocument(subject.dataset, subject.dataPath, { widths: widths ?? own, limit })
  return { document }
}

function eliminateOf(work: AnalysisWork): Promise<Found> {
  const { time, ...spec } = work.experiment.analyses.eliminate!
  const argument = { ...spec, subject: argumentOf(work), timeEnd: time, lang: 'en' as const }
  return eliminationOf(work.subject, argument, work.engine, work.context)
}

async function gramOf(work: AnalysisWork): Promise<Found> {
  const { experiment, subject, engine, directory, context } = work
  const spec = experiment.analyses.gram!
  const theta = subject.model.initialize(experiment.seed)
  await makeFolder(directory.file('results'))
  const start = limitedSubject({ ...subject, path: experiment.name, theta }, spec)
  const document = await networkDocument(
    {
      ...spec,
      // along training the points are those of the run
      subject: { model: directory.path, seed: experiment.seed },
      infinite: false,
      runToo: true,
      out: directory.file('results', 'gram.npz'),
    },
    start,
    engine,
    context,
  )
  // the matrices are in the file
  return { document: { ...document, kernels: { gram: null, layers: null, file: 'results/gram.npz' } } }
}
