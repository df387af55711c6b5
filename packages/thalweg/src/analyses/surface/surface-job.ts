import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError, TaskError } from '@thalweg/graph'
import type { FloatDType } from '@thalweg/graph'
import {
  Loss,
  coordinates,
  evaluationChunkSize,
  extremeCurvature,
  gridMinima,
  nodeAt,
  orthogonality,
  pointAt,
  pointEvaluator,
  projectPoints,
  refinePlane,
  sampleCount,
  subset,
} from '@thalweg/landscape'
import type { Axis, CurvatureGrid, GridState, PointEvaluator } from '@thalweg/landscape'
import type { JobContext } from '../../jobs/job-context.ts'
import { loadTrajectory } from '../../models/load-trajectory.ts'
import type { Trajectory } from '../../models/load-trajectory.ts'
import { LiveRun } from '../../runs/live-run.ts'
import type { RunDirectory } from '../../runs/run-directory.ts'
import { openSubject, subjectJson } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'
import { foreignLossWarnings } from '../foreign-loss.ts'
import { axisOf, chooseDirections } from './surface-directions.ts'
import type { ChosenDirections } from './surface-directions.ts'
import { curvatureJson, nested, openOutput, writeSurface } from './surface-files.ts'
import { gridOfCurvature, gridOfLosses } from './surface-grid.ts'
import { threadsOf } from '../task-work.ts'
import type { TaskWork } from '../task-work.ts'
import { sharpnessCaveat, sharpnessOf } from './surface-sharpness.ts'
import type { Sharpness } from './surface-sharpness.ts'
import type { ClassSurface, PlacedPoint, PlacedTrajectory, SurfaceArgument, SurfaceResults } from './surface-results.ts'

/** The document that `thalweg surface --json` prints, without the common head. */
export type SurfaceDocument = Readonly<Record<string, unknown>>

/** Values of a grid with more nodes than this are in the file only. */
const inlineNodesMax = 10_000

/** Loss values on a line, plane or volume through parameter space, with what says how true the picture is. */
export async function surfaceJob(argument: SurfaceArgument, context: JobContext): Promise<SurfaceDocument> {
  const subject = await openSubject(argument.subject)
  const engine = nativeEngine({ threads: threadsOf(argument) })
  const deadline = context.now() + (argument.timeLimitMs ?? Number.POSITIVE_INFINITY)
  const signal = {
    get aborted(): boolean {
      return context.signal.aborted || context.now() > deadline
    },
  }
  const run = new SurfaceRun(argument, subject, engine, { ...context, signal })
  try {
    return await run.run()
  } catch (error) {
    run.leave(error)
    throw error
  } finally {
    await engine.dispose()
  }
}

class SurfaceRun {
  readonly #argument: SurfaceArgument
  readonly #subject: Subject
  readonly #engine: ReturnType<typeof nativeEngine>
  #context: JobContext
  #live: LiveRun | undefined
  readonly #loss: Loss
  readonly #evaluator: PointEvaluator
  readonly #warnings: string[]
  #directory!: RunDirectory

  constructor(
    argument: SurfaceArgument,
    subject: Subject,
    engine: ReturnType<typeof nativeEngine>,
    context: JobContext,
  ) {
    this.#argument = argument
    this.#subject = subject
    this.#engine = engine
    this.#context = context
    this.#loss = this.#valuesOn(subject.dataset)
    this.#evaluator = pointEvaluator(this.#loss, argument.evaluation)
    this.#warnings = [...subject.warnings]
  }

  #lossOn(dataset: Subject['dataset'], dtype: FloatDType): Loss {
    const { model, spec, weightDecay } = this.#subject
    return new Loss({ engine: this.#engine, model, dataset, spec, weightDecay, dtype })
  }

  /** For values only: larger chunks, of one size. */
  #valuesOn(dataset: Subject['dataset']): Loss {
    const { model, spec, weightDecay } = this.#subject
    const options = { engine: this.#engine, model, dataset, spec, weightDecay, dtype: this.#argument.dtype }
    return new Loss({ ...options, chunkSize: evaluationChunkSize(new Loss(options)) })
  }

  /** What cannot be asked of these data is refused before anything is computed or written. */
  #requireClasses(): void {
    if (!this.#argument.perClass) return
    const { dataset, model } = this.#subject
    if (dataset.targets.dtype !== 'int64')
      throw new DomainError('--per-class: targets must be classes, got numbers. Leave it out for regression.')
    if (model.couplesSamples)
      throw new DomainError(
        '--per-class: with --batch-norm re-estimated the samples of a class would have statistics of their own. Use kept.',
      )
  }

  async run(): Promise<SurfaceDocument> {
    this.#requireClasses()
    const { request, resume, out } = this.#argument
    const trajectories = await this.#loadTrajectories()
    const chosen = await this.#directions(trajectories)
    const options = ['--x', '--y', '--z']
    const axes = chosen.directions.map((_, i) =>
      axisOf(this.#argument.axes[i], chosen.ranges[i], this.#argument.count, options[i]),
    )
    let nodes: readonly Float64Array[] = axes.map(coordinates)
    const center = await this.#loss.value(chosen.center)
    this.#directory = await openOutput(this.#subject.path, out, resume)
    await this.#goLive()
    await this.#checkRequest({ axes, center, request, dtype: this.#argument.dtype, method: this.#evaluator.method })
    const started = this.#context.now()
    let training = await this.#grid('training', chosen, nodes, this.#loss, this.#evaluator)
    const points = training.done
    const msPerPoint = (this.#context.now() - started) / Math.max(1, points)
    this.#requireDone(training)
    const placed = await this.#place(trajectories, chosen)
    for (let round = 0; round < this.#argument.refine && nodes.length === 2; round++)
      [nodes, training] = await this.#refine(chosen, nodes, training, placed)
    const heldOut = await this.#heldOut(chosen, nodes)
    const classes = await this.#classes(chosen, nodes)
    const curvature = await this.#curvature(chosen, axes)
    const sharpness = await this.#sharpness(chosen.center)
    const results: SurfaceResults = {
      argument: this.#argument,
      subject: this.#subject,
      chosen,
      axes,
      nodes,
      training,
      heldOut,
      classes,
      minima: gridMinima(
        training.values,
        nodes.map((n) => n.length),
      ),
      trajectories: placed,
      curvature,
      sharpness,
      cosines: orthogonality(chosen.directions.map((d) => d.vector)).cosines,
    }
    const files = await writeSurface(this.#directory, results)
    const document = this.#document(results, files, center, { method: this.#evaluator.method, points, msPerPoint })
    await this.#directory.writeJson('results/surface.json', document)
    this.#live?.finish()
    return document
  }

  async #goLive(): Promise<void> {
    // where the queue is, with its password, is not for the disk
    const { queue: _, ...argument } = this.#argument
    this.#live = await LiveRun.open(this.#directory.path, { job: 'surface', argument }, this.#context)
    this.#context = this.#live.context
  }

  /** Ends in the middle, to be gone on with. */
  leave(error: unknown): void {
    const status = this.#live?.stopStatus ?? 'failed'
    if (status === 'cancelled') this.#live?.finish()
    else this.#live?.leave(status, error)
  }

  async #loadTrajectories(): Promise<readonly Trajectory[]> {
    const { trajectory, request, subject } = this.#argument
    // a run directory brings its own checkpoints
    const own = trajectory.length === 0 && request.kind === 'trajectory' && extname(subject.model) === ''
    const folders = own ? [subject.model] : trajectory
    const loaded = await Promise.all(folders.map((folder) => loadTrajectory(folder, this.#subject.model)))
    for (const { notes } of loaded) this.#warnings.push(...notes)
    return loaded
  }

  async #directions(trajectories: readonly Trajectory[]): Promise<ChosenDirections> {
    const { request, subject, to } = this.#argument
    const others: Float64Array[] = []
    for (const model of to) others.push(await this.#other(model, subject))
    const { model, theta, dataset } = this.#subject
    const loss = (): Loss => this.#lossOn(dataset, 'float64')
    const curvatureLoss = (): Loss => this.#curvatureLoss()
    const chosen = await chooseDirections(
      request,
      { model, theta, loss, curvatureLoss, others, trajectories },
      this.#context,
    )
    if (request.kind === 'eigenvectors' && this.#curvatureLoss().samples < sampleCount(dataset))
      this.#warnings.push(`Eigenvectors are those of the first ${this.#curvatureLoss().samples} samples.`)
    return chosen
  }

  /** θ of another model, with a warning where the first model's constants make it another function. */
  async #other(path: string, argument: SubjectArgument): Promise<Float64Array> {
    const other = await openSubject({ ...argument, model: path })
    const warnings = await foreignLossWarnings(
      this.#loss,
      other,
      path,
      (o) =>
        new Loss({
          engine: this.#engine,
          model: o.model,
          dataset: this.#subject.dataset,
          spec: this.#subject.spec,
          weightDecay: this.#subject.weightDecay,
          dtype: this.#argument.dtype,
        }),
    )
    this.#warnings.push(...warnings)
    return other.theta
  }

  /** What decides the values: a surface can only be gone on with when it is the same. */
  async #checkRequest(request: object): Promise<void> {
    const name = 'results/request.json'
    const text = `${JSON.stringify(request, null, 2)}\n`
    if (this.#argument.resume) {
      const known = await readFile(this.#directory.file(name), 'utf8').catch(() => undefined)
      if (known !== undefined && known !== text)
        throw new DomainError(
          `--resume: ${this.#directory.path} holds another surface (model, data, axes or options differ). Name another --out.`,
        )
    }
    await this.#directory.writeText(name, text)
  }

  #grid(
    part: string,
    { center, directions }: ChosenDirections,
    axes: readonly Float64Array[],
    loss: Loss,
    evaluator: PointEvaluator,
  ): Promise<GridState> {
    const grid = { center, directions: directions.map((d) => d.vector), axes }
    return gridOfLosses(this.#work(), `surface, ${part} data`, grid, loss, evaluator)
  }

  #work(): TaskWork {
    const { workers = 0, queue } = this.#argument
    const threads = threadsOf(this.#argument)
    const { source } = this.#subject
    return { directory: this.#directory.path, source, context: this.#context, workers, threads, queue }
  }

  #requireDone({ done, values }: Pick<GridState, 'done' | 'values'>): void {
    if (done === values.length) return
    throw new TaskError(
      `surface: stopped after ${done} of ${values.length} points. They are saved: go on with --out ${this.#directory.path} --resume.`,
    )
  }

  async #refine(
    chosen: ChosenDirections,
    [x, y]: readonly Float64Array[],
    state: GridState,
    placed: readonly PlacedTrajectory[],
  ): Promise<[readonly Float64Array[], GridState]> {
    const [d, e] = chosen.directions.map((c) => c.vector)
    const path = placed.flatMap((t) => t.points.map((p): [number, number] => [p.coordinates[0], p.coordinates[1]]))
    const lowest = gridMinima(state.values, [x.length, y.length])[0]
    const minimum = lowest ? nodeAt([x, y], lowest.node) : [0, 0]
    const plane = await refinePlane({
      plane: { x, y, ...state, cosine: 0 },
      center: chosen.center,
      directions: [d, e],
      valuesAt: this.#evaluator.valuesAt,
      batch: this.#evaluator.group,
      around: [[minimum[0], minimum[1]], ...path],
      onProgress: (done, total) => this.#context.onProgress({ stage: 'refinement', done, total }),
      signal: this.#context.signal,
    })
    this.#requireDone(plane)
    return [[plane.x, plane.y], plane]
  }

  async #heldOut(chosen: ChosenDirections, nodes: readonly Float64Array[]): Promise<GridState | null> {
    const { heldOut, subject, evaluation } = this.#argument
    if (!heldOut) return null
    const { dataset } = await openSubject({ ...subject, data: heldOut })
    const loss = this.#valuesOn(dataset)
    const state = await this.#grid('held-out', chosen, nodes, loss, pointEvaluator(loss, evaluation))
    this.#requireDone(state)
    return state
  }

  /** One surface a class that has samples, on the nodes of the whole. */
  async #classes(chosen: ChosenDirections, nodes: readonly Float64Array[]): Promise<ClassSurface[]> {
    if (!this.#argument.perClass) return []
    const { dataset } = this.#subject
    const labels = Array.from(dataset.targets.data as BigInt64Array, Number)
    const surfaces: ClassSurface[] = []
    for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
      const rows = labels.flatMap((value, row) => (value === label ? [row] : []))
      const loss = this.#valuesOn(subset(dataset, rows))
      const evaluator = pointEvaluator(loss, this.#argument.evaluation)
      const state = await this.#grid(`class-${label}`, chosen, nodes, loss, evaluator)
      this.#requireDone(state)
      surfaces.push({ label, samples: rows.length, state })
    }
    return surfaces
  }

  async #place(trajectories: readonly Trajectory[], chosen: ChosenDirections): Promise<PlacedTrajectory[]> {
    const directions = chosen.directions.map((d) => d.vector)
    const { trajectory, trajectoryCurvature } = this.#argument
    const placed: PlacedTrajectory[] = []
    for (const [t, { points }] of trajectories.entries()) {
      const places = projectPoints(
        chosen.center,
        directions,
        points.map((p) => p.theta),
      )
      const own = await this.#valuesOf(points.map((p) => p.theta))
      const drawn = await this.#valuesOf(places.map((p) => pointAt(chosen.center, directions, p.coordinates)))
      const list: PlacedPoint[] = []
      for (const [i, place] of places.entries()) {
        const { name, step } = points[i]
        const ends = trajectoryCurvature ? await this.#ends(points[i].theta, i, points.length) : {}
        list.push({ name, ...(step !== undefined && { step }), ...place, loss: own[i], planeLoss: drawn[i], ...ends })
      }
      placed.push({ name: basename(trajectory[t] ?? 'training'), points: list })
    }
    return placed
  }

  async #ends(theta: Float64Array, done: number, total: number): Promise<Partial<PlacedPoint>> {
    const { signal, onProgress } = this.#context
    const at = await extremeCurvature(this.#curvatureLoss(), theta, { signal, seed: this.#argument.request.seed })
    onProgress({ stage: 'curvature of the trajectory', done: done + 1, total })
    return { topEigenvalue: at.largest, bottomEigenvalue: at.smallest }
  }

  async #valuesOf(thetas: readonly Float64Array[]): Promise<Float64Array> {
    const p = this.#loss.size
    const out = new Float64Array(thetas.length)
    const { group, valuesAt } = this.#evaluator
    for (let first = 0; first < thetas.length; first += group) {
      const part = thetas.slice(first, first + group)
      const rows = new Float64Array(part.length * p)
      part.forEach((theta, i) => rows.set(theta, i * p))
      out.set((await valuesAt(rows, part.length)).values, first)
    }
    return out
  }

  #curvatureData: Loss | undefined

  /** float64, on the first samples where a number is given. */
  #curvatureLoss(): Loss {
    const { dataset } = this.#subject
    const { curvatureSamples } = this.#argument
    const count = Math.min(curvatureSamples ?? Number.POSITIVE_INFINITY, sampleCount(dataset))
    const part =
      count < sampleCount(dataset)
        ? subset(
            dataset,
            Array.from({ length: count }, (_, i) => i),
          )
        : dataset
    this.#curvatureData ??= this.#lossOn(part, 'float64')
    return this.#curvatureData
  }

  async #curvature(chosen: ChosenDirections, axes: readonly Axis[]): Promise<CurvatureGrid | null> {
    const { curvature, request } = this.#argument
    if (curvature === 0 || axes.length !== 2) return null
    const [x, y] = axes.map(({ start, end }) => ({ start, end, count: curvature }))
    const loss = this.#curvatureLoss()
    const directions = chosen.directions.map((d) => d.vector)
    const plane = { center: chosen.center, directions, axes: [coordinates(x), coordinates(y)] }
    const grid = await gridOfCurvature(this.#work(), plane, loss, request.seed)
    this.#requireDone({ done: grid.done, values: grid.largest })
    if (grid.converged < grid.done)
      this.#warnings.push(
        `Curvature: at ${grid.done - grid.converged} of ${grid.done} nodes the eigenvalues did not converge or are not finite.`,
      )
    if (loss.samples < sampleCount(this.#subject.dataset))
      this.#warnings.push(`Curvature is that of the first ${loss.samples} samples.`)
    return grid
  }

  async #sharpness(center: Float64Array): Promise<Sharpness | null> {
    if (!this.#argument.sharpness) return null
    this.#warnings.push(sharpnessCaveat)
    return sharpnessOf(this.#curvatureLoss(), center, this.#argument.request.seed, this.#context)
  }

  #document(results: SurfaceResults, files: readonly string[], center: number, evaluation: object): SurfaceDocument {
    const { chosen, axes, nodes, training, heldOut, classes, minima, trajectories, curvature, sharpness } = results
    const { request } = this.#argument
    const inline = training.values.length <= inlineNodesMax
    const listed = (values: Float64Array | null | undefined): unknown =>
      values ? (inline ? nested(values, nodes) : { file: 'results/surface.npz' }) : undefined
    return {
      ...subjectJson(this.#subject, center, this.#argument.dtype),
      samples: sampleCount(this.#subject.dataset),
      directions: request.kind,
      axes: chosen.directions.map(({ label, eigenvalue, residualNorm, explained }, i) => ({
        name: 'xyz'[i],
        label,
        eigenvalue,
        residualNorm,
        explained,
        ...axes[i],
        nodes: Array.from(nodes[i]),
      })),
      normalization: chosen.normalization,
      vectorsMoved: request.moveVectors,
      orthogonality: orthogonality(chosen.directions.map((d) => d.vector)),
      values: listed(training.values),
      accuracies: listed(training.accuracies),
      heldOutValues: listed(heldOut?.values),
      heldOutAccuracies: listed(heldOut?.accuracies),
      ...(classes.length > 0 && {
        classes: classes.map(({ label, samples, state }) => ({
          label,
          samples,
          values: listed(state.values),
          accuracies: listed(state.accuracies),
        })),
      }),
      notFinite: training.values.filter((v) => !Number.isFinite(v)).length,
      minima: minima.slice(0, 20).map((m) => ({
        at: nodeAt(nodes, m.node),
        value: m.value,
        persistence: m.persistence,
        saddle: m.saddle && { at: nodeAt(nodes, m.saddle.node), value: m.saddle.value },
        parent: m.parent === null ? null : nodeAt(nodes, m.parent),
      })),
      ...(trajectories.length > 0 && {
        offPlaneDistance: trajectories.flatMap((t) => t.points.map((p) => p.offPlaneDistance)),
        trajectories,
      }),
      ...(chosen.pca && {
        pca: { explained: Array.from(chosen.pca.explained), randomWalk: Array.from(chosen.pca.randomWalk) },
      }),
      ...(curvature && { curvature: curvatureJson(curvature, this.#curvatureLoss().samples) }),
      ...(sharpness && { sharpness }),
      evaluation,
      directory: this.#directory.path,
      files: [...files, 'results/surface.json'],
      warnings: [...new Set(this.#warnings)],
    }
  }
}
