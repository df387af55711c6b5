import {
  Loss,
  adam,
  convexityOf,
  extremeCurvature,
  gridMinima,
  lossPlane,
  mlp,
  nodeAt,
  nonConvexShare,
  parameterCount,
  pointAt,
  pointEvaluator,
  randomDirection,
  train,
  twoMoons,
  xor,
  concentricCircles,
} from '@thalweg/landscape'
import type { Dataset, HistoryPoint, Model } from '@thalweg/landscape'
import type { Engine } from '@thalweg/engine'

export const surfaceData = ['moons', 'circles', 'xor'] as const
export type SurfaceData = (typeof surfaceData)[number]
export const surfaceActivations = ['relu', 'tanh', 'softplus'] as const
export type SurfaceActivation = (typeof surfaceActivations)[number]

/** How weights begin: `suited` gives each network the start under which its signal neither dies nor explodes over depth. */
export const surfaceStarts = ['suited', 'he-normal', 'pytorch-default'] as const
export type SurfaceStart = (typeof surfaceStarts)[number]

export interface SurfaceInput {
  /** Hidden layers. */
  readonly depth: number
  readonly width: number
  readonly activation: SurfaceActivation
  readonly data: SurfaceData
  readonly start: SurfaceStart
  /** The plane reaches from −this to this. */
  readonly reach: number
  readonly steps: number
  readonly seed: number
}

export interface NetworkSurface {
  readonly skip: boolean
  readonly parameters: number
  readonly history: readonly HistoryPoint[]
  readonly trainedLoss: number
  readonly accuracy: number
  /** Coordinates of the plane, and the loss at its nodes, row-major [y × x]. */
  readonly x: Float64Array
  readonly y: Float64Array
  readonly values: Float64Array
  readonly cosine: number
  /** Minima inside the plane that lie at least `basinDepth` below their pass to a deeper one. */
  readonly basins: readonly { readonly x: number; readonly y: number; readonly value: number }[]
  /** A coarser grid on the same plane: max(0, −λ_min)/|λ_max|. */
  readonly curvature: {
    readonly x: Float64Array
    readonly y: Float64Array
    readonly convexity: Float64Array
    /** Share of nodes whose negative curvature exceeds a tenth of the positive. */
    readonly share: number
    readonly converged: number
  }
}

const samples = 80
const planeNodes = 41
const curvatureNodes = 7
/** Loss by which a basin must be deep to be counted. */
const basinDepth = 0.02
/** As Li et al. 2018 train; without it the loss of separable data falls to nothing and its plane has no scale. */
const weightDecay = 5e-4
const learningRate = 0.005

function surfaceDataset(name: SurfaceData, seed: number): Dataset {
  if (name === 'moons') return twoMoons({ samples, noise: 0.12, seed })
  if (name === 'circles') return concentricCircles({ samples, noise: 0.08, seed })
  return xor({ samples, noise: 0.18, signed: true, seed })
}

/** A network whose hidden layers have one width, with or without skips around each of them but the first. */
export function surfaceModel({ depth, width, activation, start }: SurfaceInput, skip: boolean): Model {
  const widths = [2, ...Array.from({ length: depth }, () => width), 2]
  const initialization = start === 'suited' ? (skip ? 'pytorch-default' : 'he-normal') : start
  return mlp({ widths, activation, skip, initialization })
}

export interface SurfaceWatch {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
  readonly onStage?: (known: Partial<NetworkSurface>) => void
}

/** Trains one of the two networks and cuts a filter-normalized plane through the loss around where it ended. */
export async function networkSurface(
  engine: Engine,
  input: SurfaceInput,
  skip: boolean,
  { signal, onProgress, onStage }: SurfaceWatch = {},
): Promise<NetworkSurface> {
  const model = surfaceModel(input, skip)
  const dataset = surfaceDataset(input.data, input.seed)
  const spec = { name: 'cross-entropy', reduction: 'mean' } as const
  const loss = new Loss({ engine, model, dataset, spec, weightDecay })
  const report = (from: number, to: number) => (done: number, all: number) =>
    onProgress?.(from + ((to - from) * done) / all, 100)
  const trained = await train({
    loss,
    optimizer: adam(),
    learningRate,
    steps: input.steps,
    seed: input.seed,
    evaluateEvery: Math.max(1, Math.ceil(input.steps / 40)),
    signal,
    onProgress: ({ step, steps }) => report(0, 35)(step, steps),
  })
  signal?.throwIfAborted()
  const last = trained.history[trained.history.length - 1]
  const known = {
    skip,
    parameters: parameterCount(model),
    history: trained.history,
    trainedLoss: last.loss,
    accuracy: last.accuracy ?? Number.NaN,
  }
  onStage?.(known)
  const directions = [0, 1].map((index) =>
    randomDirection(model, trained.theta, input.seed, index, { normalization: 'filter' }),
  ) as [Float64Array, Float64Array]
  const axis = { start: -input.reach, end: input.reach, count: planeNodes }
  const evaluator = pointEvaluator(loss)
  const { x, y, values, cosine } = await lossPlane({
    center: trained.theta,
    directions,
    x: axis,
    y: axis,
    valuesAt: evaluator.valuesAt,
    batch: evaluator.group,
    signal,
    onProgress: report(35, 70),
  })
  signal?.throwIfAborted()
  const basins = gridMinima(values, [x.length, y.length])
    .filter(({ persistence, node }) => persistence > basinDepth && !onRim(node, x.length, y.length))
    .map(({ node, value }) => ({ x: x[node % x.length], y: y[Math.floor(node / x.length)], value }))
  const plane = { ...known, x, y, values, cosine, basins }
  onStage?.(plane)
  const curvature = await curvatureOn(loss, trained.theta, directions, input.reach, {
    signal,
    onProgress: report(70, 100),
  })
  await loss.dispose()
  return { ...plane, curvature }
}

/** Nobody knows whether a lowest value at the rim is a minimum. */
function onRim(node: number, columns: number, rows: number): boolean {
  const [i, j] = [node % columns, Math.floor(node / columns)]
  return i === 0 || j === 0 || i === columns - 1 || j === rows - 1
}

async function curvatureOn(
  loss: Loss,
  center: Float64Array,
  directions: readonly [Float64Array, Float64Array],
  reach: number,
  { signal, onProgress }: SurfaceWatch,
): Promise<NetworkSurface['curvature']> {
  const axis = Float64Array.from(
    { length: curvatureNodes },
    (_, i) => reach * ((2 * i) / (curvatureNodes - 1) - 1) || 0,
  )
  const convexity = new Float64Array(curvatureNodes ** 2)
  let converged = 0
  for (let k = 0; k < convexity.length; k++) {
    signal?.throwIfAborted()
    const at = pointAt(center, directions, nodeAt([axis, axis], k))
    const ends = await extremeCurvature(loss, at, { tolerance: 1e-2, maxProducts: 60 })
    convexity[k] = convexityOf(ends.largest, ends.smallest)
    if (ends.converged) converged++
    onProgress?.(k + 1, convexity.length)
  }
  return { x: axis, y: axis, convexity, share: nonConvexShare({ convexity }), converged }
}
