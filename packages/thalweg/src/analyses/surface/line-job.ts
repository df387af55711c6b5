import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import { DomainError, ShapeError, numbersOf } from '@thalweg/graph'
import {
  Loss,
  LossPoint,
  dot,
  eigenDirections,
  gradientDirection,
  norm,
  pointEvaluator,
  randomDirection,
  unflattenParameters,
} from '@thalweg/landscape'
import type { Direction } from '@thalweg/landscape'
import { decodeNpz } from '../../formats/npz.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { RunDirectory, float64Tensor } from '../../runs/run-directory.ts'
import { openSubject, subjectJson } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'

/** Which way to move from θ. */
export type LineDirection =
  /** `number` 1 is the extreme eigenvalue of that end of the Hessian. */
  | { readonly kind: 'eigenvector'; readonly end: 'top' | 'bottom'; readonly number: number }
  /** Downhill. */
  | { readonly kind: 'gradient' }
  /** Normalized filter by filter. */
  | { readonly kind: 'random'; readonly number: number }
  /** The direction that an earlier line wrote. */
  | { readonly kind: 'saved'; readonly file: string }

export interface LineArgument {
  readonly subject: SubjectArgument
  readonly direction: LineDirection
  readonly t: readonly number[]
  readonly out: string
  readonly threads?: number
}

/** `results/line.json`. */
export type LineDocument = Readonly<Record<string, unknown>>

/** The loss along one direction, measured at each t asked for, in float64 over the full data, with the parabola to hold it
 * against:
 *
 *     L(θ + t v)   beside   L(θ) + t ∇L·v + ½ t² vᵀHv
 *
 * Writes `results/line.json` and `results/line.npz` with v, whole and by parameter. */
export async function lineJob(argument: LineArgument, context: JobContext): Promise<LineDocument> {
  const subject = await openSubject(argument.subject)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    const { model, dataset, spec, weightDecay, theta } = subject
    const loss = new Loss({ engine, model, dataset, spec, weightDecay })
    const direction = await directionOf(argument, subject, loss, context)
    const { value, gradient } = await loss.valueAndGradient(theta)
    const curved = await new LossPoint(loss, theta).operator('hessian').apply(direction.vector)
    const along = await valuesAlong(loss, theta, direction.vector, argument.t, context)
    const document: LineDocument = {
      ...subjectJson(subject, value, 'float64'),
      direction: {
        kind: argument.direction.kind,
        label: direction.label,
        eigenvalue: direction.eigenvalue ?? null,
        residualNorm: direction.residualNorm ?? null,
      },
      norm: norm(direction.vector),
      t: argument.t,
      losses: Array.from(along.values),
      accuracies: along.accuracies && Array.from(along.accuracies),
      parabola: { loss: value, slope: dot(gradient, direction.vector), curvature: dot(direction.vector, curved) },
      gradientNorm: norm(gradient),
      warnings: subject.warnings,
    }
    await writeLine(new RunDirectory(argument.out), subject, direction.vector, document, along)
    return document
  } finally {
    await engine.dispose()
  }
}

interface Along {
  readonly values: Float64Array
  readonly accuracies: Float64Array | null
}

async function valuesAlong(
  loss: Loss,
  theta: Float64Array,
  direction: Float64Array,
  t: readonly number[],
  { onProgress, signal }: JobContext,
): Promise<Along> {
  const { valuesAt, group } = pointEvaluator(loss)
  const values = new Float64Array(t.length).fill(Number.NaN)
  const accuracies = values.slice()
  let classes = false
  for (let first = 0; first < t.length && !signal.aborted; first += group) {
    const part = t.slice(first, first + group)
    const rows = new Float64Array(part.length * theta.length)
    part.forEach((step, row) => {
      for (let i = 0; i < theta.length; i++) rows[row * theta.length + i] = theta[i] + step * direction[i]
    })
    const measured = await valuesAt(rows, part.length)
    values.set(measured.values, first)
    if (measured.accuracies) accuracies.set(measured.accuracies, first)
    classes ||= measured.accuracies !== null
    onProgress({ stage: 'line', done: first + part.length, total: t.length })
  }
  return { values, accuracies: classes ? accuracies : null }
}

async function directionOf(
  { direction, subject: { seed } }: LineArgument,
  { model, theta }: Subject,
  loss: Loss,
  { onProgress, signal }: JobContext,
): Promise<Direction> {
  switch (direction.kind) {
    case 'eigenvector': {
      const { end, number } = direction
      const [count, which, at] =
        end === 'top' ? [number, 'top' as const, number - 1] : [2 * number, 'ends' as const, 2 * number - 1]
      const onProducts = (done: number, total: number): void => onProgress({ stage: 'eigenvectors', done, total })
      const found = await eigenDirections(loss, theta, count, { which, seed, signal, onProgress: onProducts })
      return found[at]
    }
    case 'gradient': {
      const { vector, label } = await gradientDirection(loss, theta)
      const length = norm(vector)
      return { vector: vector.map((v) => v / length), label: `${label}, unit length` }
    }
    case 'random': {
      const { number } = direction
      const vector = randomDirection(model, theta, seed, number - 1, { normalization: 'filter', ignoreVectors: true })
      return { vector, label: `random direction ${number}` }
    }
    case 'saved':
      return savedDirection(direction.file, theta.length)
  }
}

async function savedDirection(file: string, size: number): Promise<Direction> {
  const bytes = await readFile(file).catch(() => undefined)
  if (!bytes) throw new DomainError('line: the earlier line has no direction. Start a new one.')
  const arrays = decodeNpz(bytes, { file: 'line.npz' })
  const value = arrays.get('direction')
  if (!value) throw new DomainError('line: the earlier line has no direction. Start a new one.')
  const vector = numbersOf(value)
  if (vector.length !== size)
    throw new ShapeError(`line: the direction must have ${size} entries, one per parameter, got ${vector.length}.`)
  const [eigenvalue, residualNorm] = numbersOf(arrays.get('eigenvalue') ?? float64Tensor([2], new Float64Array(2)))
  const known = Number.isFinite(eigenvalue) && arrays.has('eigenvalue')
  return { vector: vector.slice(), label: 'saved direction', ...(known && { eigenvalue, residualNorm }) }
}

async function writeLine(
  directory: RunDirectory,
  { model }: Subject,
  vector: Float64Array,
  document: LineDocument,
  { values, accuracies }: Along,
): Promise<void> {
  const parts = Object.entries(unflattenParameters(model, vector))
  const { t, direction } = document as { t: readonly number[]; direction: Record<string, number | null> }
  const pair = [direction['eigenvalue'] ?? Number.NaN, direction['residualNorm'] ?? Number.NaN]
  await directory.writeArrays('results/line.npz', {
    t: float64Tensor([t.length], Float64Array.from(t)),
    loss: float64Tensor([values.length], values),
    ...(accuracies && { accuracy: float64Tensor([accuracies.length], accuracies) }),
    direction: float64Tensor([vector.length], vector),
    eigenvalue: float64Tensor([2], Float64Array.from(pair)),
    ...Object.fromEntries(parts.map(([name, part]) => [`direction.${name}`, part])),
  })
  await directory.writeJson('results/line.json', document)
}
