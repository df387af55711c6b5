import { join } from 'node:path'
import type { LossName } from '@thalweg/landscape'
import type { ConnectArgument } from '../analyses/surface/connect-job.ts'
import type { CriticalArgument } from '../analyses/critical/critical-job.ts'
import type { DiagnoseArgument } from '../analyses/diagnose/diagnose-job.ts'
import type { LineArgument, LineDirection } from '../analyses/surface/line-job.ts'
import type { PlaneGraphArgument } from '../analyses/surface/plane-graph-job.ts'
import type { SpectrumArgument } from '../analyses/spectrum/spectrum-argument.ts'
import type { SurfaceArgument } from '../analyses/surface/surface-results.ts'
import type { RunArgument } from '../experiment/run-results.ts'
import type { SubjectArgument } from '../subject/subject.ts'
import type {
  ConnectRequest,
  CriticalRequest,
  DataReference,
  DiagnoseRequest,
  LineRequest,
  LossChoice,
  ModelReference,
  PlaneGraphRequest,
  RunRequest,
  SpectrumRequest,
  SubjectRequest,
  SurfaceRequest,
  WorkRequest,
} from './protocol.ts'
import { requireBuiltin } from './own-experiment.ts'
import { Refusal } from './refusal.ts'

/** Where names of a page become paths. Every one of them throws a {Refusal} for what does not exist or lies outside. */
export interface Places {
  /** A file of an upload. */
  readonly upload: (upload: string, file: string) => Promise<string>
  /** Something inside a run. */
  readonly run: (run: string, ...inside: readonly string[]) => Promise<string>
  /** The request that a run of the lab was started with. */
  readonly requestOf: (run: string) => WorkRequest | undefined
}

/** A job for a process of its own. */
export interface Plan {
  readonly job: string
  readonly argument: unknown
  /** `results/NAME.json` that the job leaves to whoever started it. */
  readonly document?: string
}

export interface PlanOptions {
  readonly places: Places
  /** The run's folder, an absolute path. */
  readonly out: string
  readonly threads: number
  /** `out` holds what an earlier process reached. */
  readonly resume: boolean
  /** Of an experiment. */
  readonly experimentPath?: string
}

const chaseMax = 8

/** The job that a request asks for.
 * @throws {Refusal} for references to what does not exist, or cannot be what they are used as. */
export async function planOf(request: WorkRequest, options: PlanOptions): Promise<Plan> {
  switch (request.command) {
    case 'run':
      return { job: 'run-experiment', argument: runArgument(request, options) }
    case 'diagnose':
      return { job: 'diagnose', argument: await diagnoseArgument(request, options), document: 'diagnosis' }
    case 'spectrum':
      return { job: 'spectrum', argument: await spectrumArgument(request, options), document: 'spectrum' }
    case 'surface':
      return { job: 'surface', argument: await surfaceArgument(request, options) }
    case 'critical':
      return { job: 'critical', argument: await criticalArgument(request, options), document: 'critical' }
    case 'connect':
      return { job: 'connect', argument: await connectArgument(request, options) }
    case 'line':
      return { job: 'line', argument: await lineArgument(request, options) }
    case 'plane-graph':
      return { job: 'plane-graph', argument: await planeGraphArgument(request, options) }
  }
}

/** A run that is an analysis has no point of its own: what it looked at is meant. */
function subjectBehind(subject: SubjectRequest, places: Places): SubjectRequest {
  let found = subject
  for (let i = 0; i < chaseMax && found.model.kind === 'run' && found.model.checkpoint === undefined; i++) {
    const request = places.requestOf(found.model.run)
    if (!request || request.command === 'run') return found
    found = { ...request.subject, ...subject, model: request.subject.model }
  }
  return found
}

async function modelPath(reference: ModelReference, places: Places): Promise<string> {
  if (reference.kind === 'upload') {
    if (!/\.onnx$/i.test(reference.file))
      throw new Refusal('bad-request', `subject.model: must be an .onnx file, got ${reference.file}.`)
    return places.upload(reference.upload, reference.file)
  }
  const { run, checkpoint } = reference
  return checkpoint === undefined ? places.run(run) : places.run(run, 'checkpoints', `${checkpoint}.safetensors`)
}

function dataPaths(reference: DataReference, places: Places): Promise<string[]> | string[] {
  if (reference.kind === 'built-in') return [requireBuiltin(reference.name)]
  return Promise.all(reference.files.map((file) => places.upload(reference.upload, file)))
}

async function subjectArgument(
  request: { readonly subject: SubjectRequest; readonly seed?: number },
  places: Places,
): Promise<SubjectArgument> {
  const { model, data, loss, ...selection } = subjectBehind(request.subject, places)
  return {
    model: await modelPath(model, places),
    ...(data && { data: await dataPaths(data, places) }),
    ...selection,
    ...(loss && lossArgument(loss)),
    seed: request.seed ?? 0,
  }
}

function lossArgument({ name, ...options }: LossChoice): Partial<SubjectArgument> {
  return { ...options, loss: name as LossName }
}

function runArgument(request: RunRequest, { out, threads, resume, experimentPath }: PlanOptions): RunArgument {
  return {
    file: experimentPath ?? '',
    runRoot: join(out, '..'),
    out,
    resume,
    seed: request.seed,
    threads: request.threads ?? threads,
    timeLimitMs: request.timeLimitMs,
    lang: request.lang ?? 'en',
  }
}

async function diagnoseArgument(request: DiagnoseRequest, options: PlanOptions): Promise<DiagnoseArgument> {
  const { denseLimit, polish, maxProducts, learningRate, batchSize, samples, timeLimitMs } = request
  return {
    subject: await subjectArgument(request, options.places),
    lang: request.lang ?? 'en',
    top: request.top ?? 5,
    bottom: request.bottom ?? 5,
    ...{ denseLimit, polish, maxProducts, learningRate, batchSize, samples, timeLimitMs },
    threads: request.threads ?? options.threads,
    saveEscape: join(options.out, 'checkpoints', 'escape.safetensors'),
    savePolished: join(options.out, 'checkpoints', 'polished.safetensors'),
    report: join(options.out, 'report.html'),
  }
}

async function spectrumArgument(request: SpectrumRequest, options: PlanOptions): Promise<SpectrumArgument> {
  const { exact, maxProducts, samples, timeLimitMs } = request
  return {
    subject: await subjectArgument(request, options.places),
    operator: request.operator ?? 'hessian',
    top: request.top ?? 10,
    bottom: request.bottom ?? 10,
    exact,
    trace: request.trace ?? false,
    density: request.density ?? false,
    logDet: false,
    layers: request.layers ?? false,
    dtype: 'float64',
    ...{ maxProducts, samples, timeLimitMs },
    threads: request.threads ?? options.threads,
  }
}

async function surfaceArgument(request: SurfaceRequest, options: PlanOptions): Promise<SurfaceArgument> {
  const { places, out, resume, threads } = options
  const { to = [], x, y, seed = 0, trajectory = false } = request
  const kind = request.directions ?? (to.length > 0 ? 'interpolation' : trajectory ? 'trajectory' : 'random')
  const made = kind === 'random' || kind === 'gradient'
  const subject = await subjectArgument(request, places)
  const axis = (a: typeof x): string | undefined => a && `${a.start}:${a.end}:${a.count}`
  return {
    subject,
    request: {
      kind,
      dimensions: 2,
      normalization: request.normalization ?? (made ? 'filter' : 'none'),
      moveVectors: request.moveVectors ?? false,
      orthogonalize: request.orthogonalize ?? false,
      eigenvectors: request.eigenvectors ?? 'top',
      seed,
    },
    axes: [axis(x), axis(y)],
    count: request.points ?? 25,
    to: await Promise.all(to.map((reference) => modelPath(reference, places))),
    trajectory: [
      ...(trajectory ? [runOf(request.subject.model, subject.model)] : []),
      ...(await Promise.all((request.critical ?? []).map(async (run) => places.run(run)))),
    ],
    heldOut: request.heldOut && (await dataPaths(request.heldOut, places)),
    perClass: false,
    sharpness: false,
    dtype: request.dtype ?? 'float32',
    refine: request.refine ?? 0,
    curvature: request.curvatureGrid ?? 0,
    curvatureSamples: request.curvatureSamples,
    trajectoryCurvature: false,
    scale: 'auto',
    out,
    resume,
    png: false,
    threads: request.threads ?? threads,
    timeLimitMs: request.timeLimitMs,
  }
}

/** The folder whose checkpoints are the trajectory. */
function runOf(reference: ModelReference, path: string): string {
  if (reference.kind === 'upload')
    throw new Refusal('bad-request', 'trajectory: a file has no checkpoints. Choose a run, or leave it out.')
  return reference.checkpoint === undefined ? path : join(path, '..', '..')
}

async function criticalArgument(request: CriticalRequest, options: PlanOptions): Promise<CriticalArgument> {
  const { random, maxIterations, denseLimit, samples, timeLimitMs } = request
  return {
    subject: await subjectArgument(request, options.places),
    // the job refuses a name that is not one of its finders
    method: (request.method ?? 'polish') as CriticalArgument['method'],
    starts: request.starts ?? 20,
    noise: request.noise ?? [0, 0.1, 0.5],
    ...{ random, maxIterations, denseLimit, samples, timeLimitMs },
    threads: request.threads ?? options.threads,
    lang: request.lang ?? 'en',
    out: join(options.out, 'checkpoints'),
    figure: join(options.out, 'figures', 'critical.svg'),
  }
}

async function connectArgument(request: ConnectRequest, options: PlanOptions): Promise<ConnectArgument> {
  return {
    subject: await subjectArgument(request, options.places),
    other: await modelPath(request.other, options.places),
    match: request.match ?? ['weights'],
    points: request.points ?? 25,
    curve: request.curve ?? 'none',
    bends: request.bends ?? 1,
    steps: request.steps ?? 200,
    dtype: 'float32',
    out: options.out,
    png: false,
    threads: request.threads ?? options.threads,
  }
}

async function lineArgument(request: LineRequest, options: PlanOptions): Promise<LineArgument> {
  const { direction } = request
  const asked: LineDirection =
    direction.kind === 'saved'
      ? { kind: 'saved', file: await options.places.run(direction.run, 'results', 'line.npz') }
      : direction
  return {
    subject: await subjectArgument(request, options.places),
    direction: asked,
    t: request.t,
    out: options.out,
    threads: request.threads ?? options.threads,
  }
}

async function planeGraphArgument(request: PlaneGraphRequest, options: PlanOptions): Promise<PlaneGraphArgument> {
  const { surface } = request
  return {
    subject: await subjectArgument(request, options.places),
    ...(surface !== undefined && {
      directions: await options.places.run(surface, 'results', 'directions.npz'),
    }),
    out: options.out,
    threads: request.threads ?? options.threads,
  }
}
