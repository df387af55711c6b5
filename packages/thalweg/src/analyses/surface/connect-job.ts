import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import { ShapeError } from '@thalweg/graph'
import type { FloatDType } from '@thalweg/graph'
import {
  Loss,
  activationMatching,
  barrierOf,
  batchNormNotes,
  curvePoint,
  findCurve,
  linearPath,
  norm,
  nudgedElasticBand,
  permutationSymmetry,
  pointEvaluator,
  sampleCount,
  symmetricCopies,
  weightMatching,
} from '@thalweg/landscape'
import type { Barrier, Curve, LossLine, Matching, PermutationSymmetry } from '@thalweg/landscape'
import { encodeNpz } from '../../formats/npz.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { renderSvg } from '../../report/render-svg.ts'
import type { Figure } from '../../report/scene.ts'
import { float64Tensor } from '../../runs/run-directory.ts'
import type { RunDirectory } from '../../runs/run-directory.ts'
import { dataName, openSubject, subjectJson } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'
import { foreignLossWarnings } from '../foreign-loss.ts'
import { openOutput } from './surface-files.ts'

type MatchingName = 'weights' | 'activations' | 'none'
type CurveName = 'bezier' | 'polygon' | 'band' | 'none'

export interface ConnectArgument {
  readonly subject: SubjectArgument
  readonly other: string
  readonly points: number
  readonly match: readonly MatchingName[]
  readonly curve: CurveName
  readonly bends: number
  readonly steps: number
  readonly dtype: FloatDType
  readonly out?: string
  readonly png: boolean
  readonly threads?: number
}

/** The document that `thalweg connect --json` prints, without the common head. */
export type ConnectDocument = Readonly<Record<string, unknown>>

const nothingToMatch =
  'No hidden units whose order is free were recognized: nothing to match. Batch-norm statistics that are constants fix ' +
  'their channels; make them parameters: --batch-norm included.'

/** Losses along one path between the two models. */
interface Path {
  readonly name: string
  readonly label: string
  readonly line: LossLine
  readonly barrier: Barrier
}

/** Barriers between two models: on the line, after bringing their units into one order, and along a curve. */
export async function connectJob(argument: ConnectArgument, context: JobContext): Promise<ConnectDocument> {
  const first = await withStatistics(argument.subject)
  const { batchNorm } = first.source.kind === 'onnx' ? first.source.choice : argument.subject
  const file = argument.other.toLowerCase().endsWith('.onnx')
  const second = await openSubject({ ...argument.subject, model: argument.other, ...(file && { batchNorm }) })
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    return await connect(argument, first, second, engine, context)
  } finally {
    await engine.dispose()
  }
}

/** The first model; statistics of batch normalization move along with the weights unless the caller says otherwise: each
 * model belongs with its own, and channels are in their order, too. */
async function withStatistics(argument: SubjectArgument): Promise<Subject> {
  const subject = await openSubject(argument)
  const chosen = argument.batchNorm !== undefined || argument.train !== undefined || argument.freeze !== undefined
  if (chosen || subject.source.kind !== 'onnx' || !subject.model.notes.includes(batchNormNotes.kept)) return subject
  return openSubject({ ...argument, batchNorm: 'included' })
}

async function connect(
  argument: ConnectArgument,
  first: Subject,
  second: Subject,
  engine: ReturnType<typeof nativeEngine>,
  context: JobContext,
): Promise<ConnectDocument> {
  requireSameShapes(first, second, argument)
  const lossOf = ({ model }: Subject): Loss => {
    const { dataset, spec, weightDecay } = first
    return new Loss({ engine, model, dataset, spec, weightDecay, dtype: argument.dtype })
  }
  const loss = lossOf(first)
  const { valuesAt, method } = pointEvaluator(loss)
  const warnings = [...first.warnings, ...(await foreignLossWarnings(loss, second, argument.other, lossOf))]
  const symmetry = permutationSymmetry(first.model)
  const matched = argument.match.filter((name) => name !== 'none')
  if (matched.length > 0 && symmetry.groups.length === 0) warnings.push(nothingToMatch)
  const path = async (name: string, label: string, end: Float64Array): Promise<Path> => {
    const onProgress = (done: number, total: number): void => context.onProgress({ stage: label, done, total })
    const line = await linearPath(valuesAt, first.theta, end, argument.points, onProgress)
    return { name, label, line, barrier: barrierOf(line.t, line.values) }
  }
  const paths = [await path('linear', 'straight line', second.theta)]
  const matches: NamedMatching[] = []
  for (const name of symmetry.groups.length === 0 ? [] : matched) {
    const matching =
      name === 'weights'
        ? weightMatching(first.model, first.theta, second.theta, { symmetry, seed: argument.subject.seed })
        : await activationMatching(loss, first.theta, second.theta)
    matches.push({ name, matching })
    paths.push(await path(name, `after matching ${name}`, matching.theta))
  }
  const end = bestEnd(paths, matches, second.theta)
  const curve = await curveBetween(argument, loss, first.theta, end.theta, context)
  if (curve) {
    const t = paths[0].line.t
    const along = await evaluateAll(
      valuesAt,
      Array.from(t, (at) => curvePoint(curve, at)),
    )
    const line = { t, ...along, done: t.length }
    const label = `${curveLabels[argument.curve]}${end.name === 'linear' ? '' : `, after matching ${end.name}`}`
    paths.push({ name: argument.curve, label, line, barrier: barrierOf(t, line.values) })
  }
  const directory = await openOutput(first.path, argument.out, false, 'connect')
  const files = await writeFiles(argument, first, directory, paths, matches, curve, symmetry)
  const document = {
    ...subjectJson(first, paths[0].line.values[0], argument.dtype),
    other: { path: second.path, loss: paths[0].line.values.at(-1) },
    samples: sampleCount(first.dataset),
    distance: norm(first.theta.map((v, i) => v - second.theta[i])),
    symmetry: { groups: symmetry.groups, copies: String(symmetricCopies(first.model, symmetry)) },
    matchings: matches.map(matchingJson),
    paths: paths.map(pathJson),
    evaluation: { method },
    directory: directory.path,
    files: [...files, 'results/connect.json'],
    warnings,
  }
  await directory.writeJson('results/connect.json', document)
  return document
}

const curveLabels: Readonly<Record<CurveName, string>> = {
  bezier: 'Bézier curve',
  polygon: 'polygonal chain',
  band: 'nudged elastic band',
  none: '',
}

interface NamedMatching {
  readonly name: MatchingName
  readonly matching: Matching
}

function matchingJson({ name, matching }: NamedMatching): object {
  const { permutation, objective, distance, sweeps, status } = matching
  return { name, objective, distance, sweeps, status, permutation: permutation.map((order) => Array.from(order)) }
}

function pathJson({ name, label, line, barrier }: Path): object {
  const { t, values, accuracies } = line
  const lists = { t: Array.from(t), losses: Array.from(values), accuracies: accuracies && Array.from(accuracies) }
  return { name, label, barrier, ...lists }
}

function requireSameShapes(first: Subject, second: Subject, { other }: ConnectArgument): void {
  const shapes = ({ model }: Subject): string => model.parameters.map((p) => `[${p.shape}]`).join(' ')
  if (shapes(first) !== shapes(second))
    throw new ShapeError(
      `${other}: both models need parameters of the same shapes, got ${shapes(second)} beside ${shapes(first)}.`,
    )
}

/** Where a curve should end: at the copy of the second model with the lowest barrier. */
function bestEnd(
  paths: readonly Path[],
  matches: readonly NamedMatching[],
  theta: Float64Array,
): { readonly name: string; readonly theta: Float64Array } {
  const best = paths.reduce((least, p) => (p.barrier.overMean < least.barrier.overMean ? p : least))
  return { name: best.name, theta: matches.find((m) => m.name === best.name)?.matching.theta ?? theta }
}

async function curveBetween(
  { curve, bends, steps, subject: { seed } }: ConnectArgument,
  loss: Loss,
  a: Float64Array,
  b: Float64Array,
  { signal, onProgress }: JobContext,
): Promise<Curve | null> {
  if (curve === 'none') return null
  const stage = curveLabels[curve]
  const progress = (done: number, total: number, value: number): void =>
    onProgress({ stage, done, total, detail: `loss ${value.toPrecision(4)}` })
  if (curve === 'band')
    return (await nudgedElasticBand(loss, a, b, { pivots: Math.max(3, bends), steps, signal, onProgress: progress }))
      .curve
  return (await findCurve(loss, a, b, { kind: curve, bends, steps, seed, signal, onProgress: progress })).curve
}

async function evaluateAll(
  valuesAt: ReturnType<typeof pointEvaluator>['valuesAt'],
  points: readonly Float64Array[],
): ReturnType<typeof valuesAt> {
  const p = points[0].length
  const rows = new Float64Array(points.length * p)
  points.forEach((point, i) => rows.set(point, i * p))
  return valuesAt(rows, points.length)
}

async function writeFiles(
  { png, points, subject }: ConnectArgument,
  first: Subject,
  directory: RunDirectory,
  paths: readonly Path[],
  matches: readonly NamedMatching[],
  curve: Curve | null,
  symmetry: PermutationSymmetry,
): Promise<string[]> {
  const files = ['results/connect.npz']
  const bends = curve?.points.slice(1, -1) ?? []
  await directory.writeBytes(
    files[0],
    encodeNpz({
      t: float64Tensor([points], paths[0].line.t),
      ...Object.fromEntries(paths.map((p) => [`loss.${p.name}`, float64Tensor([points], p.line.values)])),
      ...Object.fromEntries(
        paths.flatMap((p) =>
          p.line.accuracies ? [[`accuracy.${p.name}`, float64Tensor([points], p.line.accuracies)]] : [],
        ),
      ),
      ...Object.fromEntries(bends.map((b, i) => [`bend.${i + 1}`, float64Tensor([b.length], b)])),
    }),
  )
  for (const { name, matching } of matches) {
    const metadata = { matching: name, groups: String(symmetry.groups.length), seed: String(subject.seed) }
    await directory.writeCheckpoint(`matched-${name}`, first.model, matching.theta, metadata)
    files.push(`checkpoints/matched-${name}.safetensors`)
  }
  for (const [name, figure] of Object.entries(connectFigures(first, paths))) {
    files.push(`figures/${name}.svg`)
    await directory.writeText(`figures/${name}.svg`, renderSvg(figure))
    if (!png) continue
    files.push(`figures/${name}.png`)
    await directory.writeBytes(`figures/${name}.png`, (await import('../../report/render-png.ts')).renderPng(figure))
  }
  return files
}

function connectFigures(subject: Subject, paths: readonly Path[]): Record<string, Figure> {
  const short = (value: number): string | number =>
    Number.isFinite(value) ? Number(value.toPrecision(3)) : 'not finite'
  const { model, spec } = subject
  const settings = [
    { name: 'model', value: model.name },
    { name: 'data', value: dataName(subject) },
    { name: 'points', value: paths[0].line.t.length },
    ...paths.map((p) => ({ name: `barrier, ${p.label}`, value: short(p.barrier.overMean) })),
  ]
  const x = { label: 't, from the first model to the second' }
  const series = (y: (line: LossLine) => ArrayLike<number>): Extract<Figure, { kind: 'line-chart' }>['series'] =>
    paths.map((p, i) => ({
      name: p.label,
      x: Array.from(p.line.t),
      y: Array.from(y(p.line)),
      style: i === 0 ? 'solid' : 'dashed',
      color: i,
      markers: false,
    }))
  const all = paths.flatMap((p) => Array.from(p.line.values)).filter(Number.isFinite)
  const log = all.every((v) => v > 0) && Math.max(...all) > 10 * Math.min(...all)
  const loss: Figure = {
    kind: 'line-chart',
    title: 'Loss between two models',
    caption: `The ${spec.name} loss along paths from one model to the other; a barrier is what the highest point adds to the mean of the ends.`,
    settings,
    x,
    y: { label: 'loss', scale: log ? 'log' : 'linear' },
    series: series((line) => line.values),
  }
  if (!paths.every((p) => p.line.accuracies)) return { barrier: loss }
  return {
    barrier: loss,
    accuracy: {
      kind: 'line-chart',
      title: 'Accuracy between two models',
      caption: 'Share of samples whose largest score is the right class, along the same paths.',
      settings,
      x,
      y: { label: 'accuracy', format: 'percent' },
      series: series((line) => line.accuracies ?? []),
    },
  }
}
