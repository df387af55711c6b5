import { readFile } from 'node:fs/promises'
import { DomainError, ShapeError, numbersOf } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import {
  eigenDirections,
  flattenParameters,
  gradientDirection,
  interpolationDirections,
  norm,
  normalizeDirection,
  orthogonalized,
  projectPoints,
  randomDirection,
  trajectoryPlane,
} from '@thalweg/landscape'
import type { Axis, Direction, Loss, Model, Normalization, TrajectoryPlane } from '@thalweg/landscape'
import { decodeNpz } from '../../formats/npz.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import type { Trajectory } from '../../models/load-trajectory.ts'
import { readReferenceDirections } from './reference-directions.ts'

type DirectionKind = 'random' | 'eigenvectors' | 'gradient' | 'trajectory' | 'interpolation' | 'file'

/** How the command line asks for directions. */
export interface DirectionRequest {
  readonly kind: DirectionKind
  /** 1: a line, 2: a plane, 3: a volume. */
  readonly dimensions: number
  readonly normalization: Normalization
  /** Move biases, scales and shifts too. */
  readonly moveVectors: boolean
  readonly orthogonalize: boolean
  /** Eigenvectors: the largest eigenvalues, or both ends in turn. */
  readonly eigenvectors: 'top' | 'ends'
  /** NPZ with `x`, `y`, `z`, each [p] or as `x.PARAMETER`; or HDF5 of the reference tool. */
  readonly file?: string
  readonly seed: number
}

export interface DirectionSources {
  readonly model: Model
  readonly theta: Float64Array
  /** float64, for the gradient. */
  readonly loss: () => Loss
  /** float64, for eigenvectors; may be on fewer samples. */
  readonly curvatureLoss: () => Loss
  /** Points of the other models to interpolate to. */
  readonly others: readonly Float64Array[]
  readonly trajectories: readonly Trajectory[]
}

export interface ChosenDirections {
  readonly center: Float64Array
  readonly directions: readonly Direction[]
  /** What was done to them. */
  readonly normalization: Normalization
  /** Ranges that suit the directions, where the caller gave none. */
  readonly ranges: readonly (readonly [start: number, end: number])[]
  readonly pca?: TrajectoryPlane
}

const unitRange = [-1, 1] as const
/** Room around a trajectory, as a share of its extent. */
const trajectoryMargin = 0.15

/** Center and directions of a surface.
 * @throws {DomainError} where what the directions need is missing. */
export async function chooseDirections(
  request: DirectionRequest,
  sources: DirectionSources,
  context: JobContext,
): Promise<ChosenDirections> {
  const chosen = await unorthogonalized(request, sources, context)
  if (!request.orthogonalize) return chosen
  const vectors = orthogonalized(chosen.directions.map((d) => d.vector))
  return { ...chosen, directions: chosen.directions.map((d, i) => ({ ...d, vector: vectors[i] })) }
}

async function unorthogonalized(
  request: DirectionRequest,
  { model, theta, loss, curvatureLoss, others, trajectories }: DirectionSources,
  { onProgress, signal }: JobContext,
): Promise<ChosenDirections> {
  const { dimensions, seed } = request
  const plain = { center: theta, normalization: 'none' as const }
  const unit = Array.from({ length: dimensions }, () => unitRange)
  const random = (index: number): Direction => ({
    vector: randomDirection(model, theta, seed, index, {
      normalization: request.normalization,
      ignoreVectors: !request.moveVectors,
    }),
    label: `random direction ${index + 1}`,
  })
  switch (request.kind) {
    case 'random':
      return { ...plain, normalization: request.normalization, directions: unit.map((_, i) => random(i)), ranges: unit }
    case 'eigenvectors': {
      const onProducts = (done: number, total: number): void => onProgress({ stage: 'eigenvectors', done, total })
      const { eigenvectors: which } = request
      const found = await eigenDirections(curvatureLoss(), theta, dimensions, {
        which,
        seed,
        signal,
        onProgress: onProducts,
      })
      return { ...plain, directions: found, ranges: unit }
    }
    case 'gradient': {
      const { vector, label } = await gradientDirection(loss(), theta)
      const length = norm(vector)
      const first = { vector: vector.map((v) => v / length), label: `${label}, unit length` }
      const rest = unit.slice(1).map((_, i) => random(i))
      return { ...plain, normalization: request.normalization, directions: [first, ...rest], ranges: unit }
    }
    case 'interpolation': {
      const directions = interpolationDirections([theta, ...others])
      requireCount('interpolation', directions.length, dimensions)
      return { ...plain, directions, ranges: unit.map(() => [-0.5, 1.5]) }
    }
    case 'trajectory': {
      if (trajectories.length === 0)
        throw new DomainError('--directions trajectory: needs the folder of checkpoints. Pass --trajectory FOLDER.')
      const paths = trajectories.map((t) => t.points.map((p) => p.theta))
      const pca = trajectoryPlane(paths, dimensions)
      const { center, directions } = pca
      const places = projectPoints(
        center,
        directions.map((d) => d.vector),
        paths.flat(),
      )
      const ranges = directions.map((_, i) => widened(places.map((p) => p.coordinates[i])))
      return { center, directions, normalization: 'none', ranges, pca }
    }
    case 'file': {
      const vectors = await readDirections(model, request.file)
      requireCount('the file', vectors.length, dimensions)
      const { normalization, moveVectors } = request
      // a direction that somebody made is taken as it is unless they ask for more
      if (normalization !== 'none')
        for (const v of vectors) normalizeDirection(model, theta, v, { normalization, ignoreVectors: !moveVectors })
      const directions = vectors.map((vector, i) => ({ vector, label: `direction ${'xyz'[i]} of the file` }))
      return { ...plain, normalization, directions, ranges: unit }
    }
  }
}

function requireCount(what: string, got: number, dimensions: number): void {
  if (got !== dimensions)
    throw new DomainError(`--dimensions ${dimensions}: ${what} gives ${got} directions. Ask for --dimensions ${got}.`)
}

function widened(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const room = trajectoryMargin * (high - low) || 1
  return [low - room, high + room]
}

async function readDirections(model: Model, file: string | undefined): Promise<Float64Array[]> {
  if (file === undefined)
    throw new DomainError('--directions file: which file? Pass --direction-file FILE.npz or FILE.h5.')
  const bytes = await readFile(file).catch(() => undefined)
  if (!bytes) throw new DomainError(`${file}: there is no such file. Check the path.`)
  if (/\.(h5|hdf5)$/i.test(file)) return readReferenceDirections(model, bytes, file)
  const arrays = decodeNpz(bytes, { file })
  const size = model.parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  const found: Float64Array[] = []
  for (const axis of ['x', 'y', 'z']) {
    const flat = arrays.get(axis)
    const parts = [...arrays].filter(([name]) => name.startsWith(`${axis}.`))
    if (flat) found.push(flatDirection(file, axis, flat, size))
    else if (parts.length > 0)
      found.push(flattenParameters(model, Object.fromEntries(parts.map(([name, value]) => [name.slice(2), value]))))
    else break
  }
  if (found.length === 0)
    throw new DomainError(`${file}: no directions. Name the arrays x, y (each [${size}]), or x.PARAMETER for each one.`)
  return found
}

function flatDirection(file: string, axis: string, value: Tensor, size: number): Float64Array {
  const vector = numbersOf(value)
  if (vector.length !== size)
    throw new ShapeError(
      `${file}: direction ${axis} must have ${size} entries, one per parameter, got ${vector.length}.`,
    )
  return vector.slice()
}

/** START:END:COUNT of the command line, with the ranges that suit the directions where it says only COUNT. */
export function axisOf(
  text: string | undefined,
  range: readonly [number, number],
  count: number,
  option: string,
): Axis {
  if (text === undefined) return { start: range[0], end: range[1], count }
  const parts = text.split(':').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  const bad = !parts.every(Number.isFinite) || (parts.length !== 1 && parts.length !== 3)
  const points = parts.at(-1)!
  if (bad || !Number.isInteger(points) || points < 1)
    throw new DomainError(`${option}: must be START:END:COUNT or COUNT, such as -1:1:51, got ${text}.`)
  if (parts.length === 1) return { start: range[0], end: range[1], count: points }
  if (points > 1 && !(parts[1] > parts[0]))
    throw new DomainError(`${option}: END must be greater than START, got ${text}.`)
  return { start: parts[0], end: parts[1], count: points }
}
