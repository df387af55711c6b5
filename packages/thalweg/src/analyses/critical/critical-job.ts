import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '@thalweg/engine'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError } from '@thalweg/graph'
import {
  Loss,
  LossPoint,
  finders,
  findMany,
  floorFactor,
  indexTable,
  invariantFields,
  sameModuloUnits,
  noisyStarts,
  norm,
  sentence,
  unflattenParameters,
} from '@thalweg/landscape'
import type { FinderName, FindManyResult, FoundCriticalPoint, Model, SearchResult } from '@thalweg/landscape'
import { writeFileAtomic } from '../../files/write-atomic.ts'
import { encodeSafetensors } from '../../formats/safetensors.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { loadTrajectory } from '../../models/load-trajectory.ts'
import type { QueueAddress } from '../../queue/redis/queue-address.ts'
import { openSubject } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'
import { estimateCost } from '../cost-estimate.ts'
import { indexFigure } from './critical-section.ts'
import { searchesByTasks } from './critical-searches.ts'
import { deadlineOf } from '../deadline.ts'
import type { Language } from '../../report/scene.ts'
import { linearTheory, optimumOf } from '../linear/linear-theory.ts'
import { sampledJson, sampledSubject } from '../sampled-subject.ts'
import { threadsOf } from '../task-work.ts'
import type { TaskWork } from '../task-work.ts'

export interface CriticalArgument {
  readonly subject: SubjectArgument
  readonly method: FinderName
  readonly starts: number
  /** Standard deviations of the noise on the starts, relative to the root mean square of θ. */
  readonly noise: readonly number[]
  /** Folder of checkpoints to start from; default those of the run, where MODEL is one. */
  readonly trajectory?: string
  /** Start from fresh initializations even where there are checkpoints. */
  readonly random?: boolean
  readonly maxIterations?: number
  /** Largest ‖∇L‖ that counts as critical; default ten times the float64 noise floor. */
  readonly gradientTolerance?: number
  readonly denseLimit?: number
  readonly samples?: number
  readonly timeLimitMs?: number
  /** Processes that search; 0: the job's own. With them, or a queue, `workFolder` keeps what is done until all is. */
  readonly workers?: number
  readonly queue?: QueueAddress
  readonly threads?: number
  readonly lang: Language
  /** Files to write: the points as `.safetensors` in a folder, the scatter plot of index against loss. */
  readonly out?: string
  readonly figure?: string
  /** Default `out`. */
  readonly workFolder?: string
}

export type CriticalDocument = Readonly<Record<string, unknown>>

const denseLimitDefault = 3000

/** Searches for critical points from many starts, merges those that are one modulo symmetry or lie on one flat set, and judges each. */
export async function criticalJob(argument: CriticalArgument, context: JobContext): Promise<CriticalDocument> {
  if (!Object.hasOwn(finders, argument.method))
    throw new DomainError(`--method: must be one of ${Object.keys(finders).join(', ')}, got ${argument.method}.`)
  const { gradientTolerance } = argument
  if (gradientTolerance !== undefined && !(gradientTolerance > 0))
    throw new DomainError(`--gradient-tolerance: must be positive, got ${gradientTolerance}.`)
  const subject = await openSubject(argument.subject)
  const engine = nativeEngine({ threads: threadsOf(argument) })
  try {
    return await criticalDocument(subject, argument, engine, context)
  } finally {
    await engine.dispose()
  }
}

/** The same of a subject that is open. */
export async function criticalDocument(
  whole: Subject,
  argument: CriticalArgument,
  engine: Engine,
  context: JobContext,
): Promise<CriticalDocument> {
  const { seed } = argument.subject
  const sampled = sampledSubject(whole, argument.samples, seed)
  const { subject } = sampled
  const { model, dataset, spec, weightDecay, theta } = subject
  const loss = new Loss({ engine, model, dataset, spec, weightDecay })
  const value = await loss.value(theta)
  if (!Number.isFinite(value))
    throw new DomainError(
      `${argument.subject.model}: the loss must be finite at its parameters, got ${value}. Check weights and data.`,
    )
  const deadline = deadlineOf(context, argument.timeLimitMs)
  const starts = await startsOf(argument, subject)
  const estimate = await searchCost(argument, new LossPoint(loss, theta), context)
  const theory = await linearTheory(subject, loss)
  const { method, maxIterations, gradientTolerance } = argument
  const search = { method, maxIterations, gradientTolerance, seed }
  const work = searchWork(argument, subject, { ...context, signal: deadline.signal })
  const found = await findMany(loss, starts.points, {
    ...search,
    ...(work && { searches: await searchesByTasks(work, loss, starts.points, search) }),
    signal: deadline.signal,
    same: sameModuloUnits(model),
    judge: {
      ...optimumOf(theory),
      denseLimit: argument.denseLimit ?? denseLimitDefault,
      fields: await invariantFields(loss),
    },
    onFound: (done, total) => context.onProgress({ stage: 'searches', done, total }),
    onJudged: (done, total) => context.onProgress({ stage: 'verdicts', done, total }),
  })
  const files = await writeFiles(argument, subject, found)
  if (work && !deadline.signal.aborted) await rm(join(work.directory, 'live'), { recursive: true, force: true })
  return {
    ...sampledJson(sampled, value, 'float64'),
    status: deadline.expired() ? 'time-limit' : context.signal.aborted ? 'interrupted' : 'finished',
    method: argument.method,
    starts: {
      count: starts.points.length,
      source: starts.source,
      noise: argument.noise,
      done: found.searches.length,
    },
    outcomes: found.outcomes,
    points: found.points.map((point) => pointJson(point, argument.lang)),
    table: indexTable(found),
    searches: searchesJson(found),
    products: found.searches.reduce((sum, { products }) => sum + products, 0),
    estimate,
    ...(Object.keys(files).length > 0 && { files }),
    warnings: [...subject.warnings, ...starts.notes, ...outcomeWarnings(found, starts.points.length)],
  }
}

/** Undefined where this process searches itself.
 * @throws {DomainError} if there is no folder for what is done. */
function searchWork(argument: CriticalArgument, { source }: Subject, context: JobContext): TaskWork | undefined {
  const { workers = 0, queue, out, workFolder = out } = argument
  if (workers === 0 && !queue) return undefined
  if (workFolder === undefined)
    throw new DomainError('--workers, --queue: what is done is kept in a folder. Name it by --out.')
  return { directory: workFolder, source, context, workers, threads: threadsOf(argument), queue }
}

interface Starts {
  readonly points: readonly Float64Array[]
  readonly source: 'trajectory' | 'initializations' | 'parameters'
  readonly notes: readonly string[]
}

/** Checkpoints of the run, or fresh initializations, or (for a file that has none) its parameters, plus noise. */
async function startsOf(argument: CriticalArgument, subject: Subject): Promise<Starts> {
  const {
    starts: count,
    noise,
    subject: { seed },
  } = argument
  const { model, theta } = subject
  const noisy = (bases: readonly Float64Array[]): Float64Array[] => noisyStarts(bases, { noise, count, seed })
  const folder = argument.random
    ? undefined
    : (argument.trajectory ?? (subject.training ? runFolder(argument) : undefined))
  if (folder !== undefined) {
    const { points, notes } = await loadTrajectory(folder, model)
    return { points: noisy(points.map((point) => point.theta)), source: 'trajectory', notes }
  }
  const fresh = Array.from({ length: count }, (_, i) => model.initialize(seed + i))
  const varies = fresh.some((each) => each.some((x, i) => x !== fresh[0][i]))
  if (varies) return { points: noisy(fresh), source: 'initializations', notes: [] }
  return { points: noisy([theta]), source: 'parameters', notes: [] }
}

/** MODEL where it is a run directory. */
function runFolder({ subject: { model } }: CriticalArgument): string | undefined {
  return /\.(ya?ml|onnx|safetensors)$/i.test(model) ? undefined : model
}

function searchCost(
  { method, starts, maxIterations, denseLimit = denseLimitDefault }: CriticalArgument,
  point: LossPoint,
  context: JobContext,
) {
  const operator = point.operator('hessian')
  const krylov =
    ['newton-mr', 'krylov-saddle-free-newton', 'gradient-norm'].includes(method) ||
    (method === 'polish' && operator.size > denseLimit)
  const iterations = starts * (maxIterations ?? (method === 'gradient-norm' ? 2000 : krylov ? 200 : 100))
  const perStep =
    method === 'gradient-norm' ? 2 : method === 'krylov-saddle-free-newton' ? Math.min(operator.size, 50) : 28
  const products = krylov ? { single: iterations * perStep } : { dense: iterations }
  return estimateCost(operator, { what: `Hessian, ${starts} starts, ${method}`, products }, context)
}

function pointJson(point: FoundCriticalPoint, lang: Language): object {
  const { theta: _, starts, indexFraction, summary, ...rest } = point
  return {
    ...rest,
    index: indexFraction,
    summary: sentence(summary, lang),
    multiplicity: starts.length,
    starts,
  }
}

/** One row per start: how its search ended and which point it reached. */
function searchesJson({ searches, points }: FindManyResult): object[] {
  return searches.map((search: SearchResult, start) => {
    const { status, value, gradientNorm, noiseFloor, flatness, iterations, products, gradients, distance } = search
    const point = points.findIndex(({ starts }) => starts.includes(start))
    return {
      ...{ start, status, loss: value, gradientNorm, noiseFloor, flatness, distance, iterations, products, gradients },
      point: point < 0 ? null : point,
    }
  })
}

function outcomeWarnings({ outcomes, searches, points }: FindManyResult, wanted: number): string[] {
  const flat = outcomes['gradient-flat'] ?? 0
  const other = searches.length - (outcomes.converged ?? 0) - flat
  const loose = points.filter(({ gradientNorm, noiseFloor }) => gradientNorm > floorFactor * noiseFloor)
  const wide = points.filter(({ spread, theta }) => spread > 1e-3 * Math.max(1, norm(theta)))
  return [
    ...(wide.length > 0
      ? [
          `${wide.length} of the points stand for flat sets of critical points: searches counted with them ended up to ${Math.max(...wide.map(({ spread }) => spread)).toPrecision(2)} away.`,
        ]
      : []),
    ...(loose.length > 0
      ? [
          `${loose.length} points were accepted by --gradient-tolerance with a gradient far above its noise floor (of up to ${Math.max(...loose.map((point) => point.gradientNorm)).toPrecision(2)}): they are near critical points at best, and their losses, indices and verdicts are not those of critical points.`,
        ]
      : []),
    ...(flat > 0
      ? [
          `${flat} searches ended at gradient-flat points, where the gradient is not zero but lies nearly in the kernel of the Hessian. They are no critical points and are not listed.`,
        ]
      : []),
    ...(other > 0 ? [`${other} searches stopped before they reached a critical point. They are not listed.`] : []),
    ...(searches.length < wanted ? [`${wanted - searches.length} starts were not searched from.`] : []),
  ]
}

async function writeFiles(
  { out, figure, lang }: CriticalArgument,
  subject: Subject,
  found: FindManyResult,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  if (out !== undefined) {
    await mkdir(out, { recursive: true })
    for (const [i, point] of found.points.entries())
      await writeFileAtomic(
        join(out, `point-${String(i + 1).padStart(4, '0')}.safetensors`),
        pointBytes(subject.model, point),
      )
    files['points'] = out
  }
  if (figure !== undefined) {
    const { renderSvg } = await import('../../report/render-svg.ts')
    await writeFileAtomic(
      figure,
      renderSvg(
        indexFigure({ table: indexTable(found), starts: found.searches.length, model: subject.model.name }, lang),
      ),
    )
    files['figure'] = figure
  }
  return files
}

function pointBytes(model: Model, { theta, loss, verdict, gradientNorm }: FoundCriticalPoint): Uint8Array {
  const metadata = { loss: String(loss), verdict, gradientNorm: String(gradientNorm) }
  return encodeSafetensors(unflattenParameters(model, theta), metadata)
}
