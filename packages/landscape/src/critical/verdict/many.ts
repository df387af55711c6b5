import { linearAssignment } from '../../linalg/linear-assignment.ts'
import { matmul, matrix } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { svd } from '../../linalg/svd.ts'
import { norm } from '../../linalg/vector.ts'
import { Loss } from '../../loss/loss.ts'
import type { Model } from '../../model/model.ts'
import { judgeCritical } from './diagnose.ts'
import type { DiagnoseOptions } from './diagnose.ts'
import type { Message, VerdictKind } from './diagnosis.ts'
import { finders } from '../finders/finders.ts'
import type { FinderName } from '../finders/finders.ts'
import { fullyConnected, weightEntry } from '../evidence/fully-connected.ts'
import type { FullyConnected } from '../evidence/fully-connected.ts'
import type { HessianInertia } from '../evidence/inertia.ts'
import { objectiveOf } from '../finders/objective.ts'
import type { Objective } from '../finders/objective.ts'
import { distanceBetween } from '../finders/search.ts'
import type { SearchOptions, SearchResult, SearchStatus } from '../finders/search.ts'
import { searchTogether } from '../finders/search-together.ts'

/** A critical point that was found, perhaps many times. */
export interface FoundCriticalPoint {
  readonly theta: Float64Array
  readonly loss: number
  readonly gradientNorm: number
  readonly noiseFloor: number
  readonly verdict: VerdictKind
  readonly summary: Message
  readonly inertia: HessianInertia
  /** negative / p, the index of Dauphin et al. */
  readonly indexFraction: number
  /** Dimension of the orbit of the continuous symmetries through the point; null for analytic functions. */
  readonly symmetryDimension: number | null
  /** The starts that led here, modulo symmetry. */
  readonly starts: readonly number[]
  readonly method: FinderName
}

export interface FindManyOptions extends SearchOptions {
  readonly method?: FinderName
  /** When two points are one; default: modulo the symmetries of the network (`sameCriticalPoint`) for a loss, equality
   * for an analytic function. */
  readonly same?: (a: Float64Array, b: Float64Array) => boolean
  /** Searches that run in lockstep, their derivatives in one graph; losses only. Default: 64 up to 300 parameters, else 1. */
  readonly together?: number
  /** Searches from these starts that were made before, by `searchMany` with the same options; only merged and judged. */
  readonly searches?: readonly SearchResult[]
  /** What the verdicts may spend and know. */
  readonly judge?: DiagnoseOptions
  readonly onFound?: (done: number, total: number) => void
  readonly onJudged?: (done: number, total: number) => void
}

export interface FindManyResult {
  /** By loss, ascending. */
  readonly points: readonly FoundCriticalPoint[]
  /** How the searches ended, gradient-flat ones told apart from critical ones. */
  readonly outcomes: Readonly<Partial<Record<SearchStatus, number>>>
  /** In the order of the starts; those that were not begun before an abort are missing at the end. */
  readonly searches: readonly SearchResult[]
}

/** Networks up to this size search together: beyond, a graph for one θ keeps the processor busy by itself. */
const togetherSizeMax = 300
const togetherDefault = 64

/** Searches from many starts, merges the critical points that are one, and judges each: its inertia and its verdict.
 * Small losses search in lockstep (`searchTogether`); the results are those of single searches up to rounding.
 * Cost: one search per start, a diagnosis per distinct point. */
export async function findMany(
  target: Loss | Objective,
  starts: readonly Float64Array[],
  options: FindManyOptions = {},
): Promise<FindManyResult> {
  const method = options.method ?? 'polish'
  const searches = options.searches ?? (await searchMany(target, starts, options))
  const outcomes: Partial<Record<SearchStatus, number>> = {}
  for (const { status } of searches) outcomes[status] = (outcomes[status] ?? 0) + 1
  const groups = merged(searches, options.same ?? defaultSameness(target))
  const points: FoundCriticalPoint[] = []
  for (const [i, { result, starts: from }] of groups.entries()) {
    const { theta, value, gradientNorm, noiseFloor } = result
    const { seed, signal } = options
    const judged = await judgeCritical(target, theta, { seed, signal, ...options.judge })
    const { verdict, summary, inertia, symmetryDimension } = judged
    options.onJudged?.(i + 1, groups.length)
    points.push({
      ...{ theta, loss: value, gradientNorm, noiseFloor, verdict, summary, inertia, symmetryDimension },
      indexFraction: inertia.negative / target.size,
      starts: from,
      method,
    })
  }
  return { points: points.sort((a, b) => a.loss - b.loss), outcomes, searches }
}

/** Searches from every start, by which `findMany` begins. Those that share a graph agree with single ones up to rounding, so the bits
 * hang on `together` and on which starts are given at once. */
export async function searchMany(
  target: Loss | Objective,
  starts: readonly Float64Array[],
  options: Omit<FindManyOptions, 'searches' | 'judge' | 'same' | 'onJudged'> = {},
): Promise<SearchResult[]> {
  const { method = 'polish' } = options
  const together = options.together ?? (target.size <= togetherSizeMax ? togetherDefault : 1)
  let done = 0
  const found = <T>(result: T): T => {
    options.onFound?.(++done, starts.length)
    return result
  }
  if (target instanceof Loss && together > 1 && starts.length > 1)
    return searchTogether(target, starts, async (each, start) => found(await finders[method](each, start, options)), {
      together,
      signal: options.signal,
    })
  const objective = target instanceof Loss ? objectiveOf(target) : target
  const searches: SearchResult[] = []
  for (const start of starts) {
    if (options.signal?.aborted) break
    searches.push(found(await finders[method](objective, start, options)))
  }
  return searches
}

type Sameness = (a: Float64Array, b: Float64Array) => boolean

function defaultSameness(target: Loss | Objective): Sameness {
  if (target instanceof Loss) return sameCriticalPoint(target.model)
  return (a, b) => distanceBetween(a, b) <= 1e-6 * Math.max(1, norm(a))
}

interface Group {
  readonly result: SearchResult
  readonly starts: number[]
}

/** The converged searches, those that ended at one point together. */
function merged(searches: readonly SearchResult[], same: Sameness): Group[] {
  const groups: Group[] = []
  for (const [i, result] of searches.entries()) {
    if (result.status !== 'converged') continue
    const known = groups.find(
      (g) =>
        Math.abs(g.result.value - result.value) <= 1e-8 * Math.max(1e-8, Math.abs(result.value)) &&
        same(g.result.theta, result.theta),
    )
    if (known) known.starts.push(i)
    else groups.push({ result, starts: [i] })
  }
  return groups
}

/** Whether two points of a fully connected network, in a file or not, are one modulo its symmetries: hidden units permuted; for
 * odd activations signs of units; for ReLU positive scalings of units; for linear units any change of basis (then the
 * affine maps from input to output are compared, and the ranks of all partial products, which tell saddles with one map apart). For other architectures: whether they are equal.
 *
 * Units are brought to a standard scale and sign, then matched layer by layer from the inputs on by an assignment; exact
 * where no two units of a layer receive the same.
 * @returns a test for points of this model. */
export function sameCriticalPoint(
  model: Model,
  tolerance: number = 1e-6,
): (a: Float64Array, b: Float64Array) => boolean {
  const close = (a: Float64Array, b: Float64Array): boolean => distanceBetween(a, b) <= tolerance * Math.max(1, norm(a))
  const network = fullyConnected(model)
  if (!network || network.skip) return close
  const { activation } = network
  if (activation === 'linear')
    return (a, b) => {
      const [left, right] = [partialProducts(network, a), partialProducts(network, b)]
      // Entries of degenerate points are known to less than those of others.
      const ranks = (products: readonly Matrix[]): string =>
        products.map((m) => svd(m).values.filter((s) => s > rankTolerance * Math.max(1, norm(a))).length).join()
      return close(left[0].data, right[0].data) && ranks(left) === ranks(right)
    }
  return (a, b) => {
    const [left, right] = [layersOf(network, a), layersOf(network, b)]
    for (const layers of [left, right]) standardize(layers, activation)
    for (let h = 0; h + 1 < left.length; h++) matchUnits(left[h], right[h], right[h + 1])
    return left.every((layer, h) => close(layer.incoming.data, right[h].incoming.data))
  }
}

/** Singular values below this count as zero. */
const rankTolerance = 1e-4

/** The affine maps from each layer's input to each later output of a linear network, [W b; 0 1]; the whole network's first. */
function partialProducts(network: FullyConnected, theta: Float64Array): Matrix[] {
  const augmented = layersOf(network, theta).map(({ incoming, inputs }) => {
    const { rows, cols, data } = incoming
    const square = new Float64Array((rows + 1) * (inputs + 1))
    for (let r = 0; r < rows; r++) square.set(data.subarray(r * cols, (r + 1) * cols), r * (inputs + 1))
    square[square.length - 1] = 1
    return matrix(rows + 1, inputs + 1, square)
  })
  return augmented.flatMap((first, from) => {
    const products = [first]
    for (const w of augmented.slice(from + 1)) products.push(matmul(w, products[products.length - 1]))
    return products.toReversed()
  })
}

/** A layer's weights, the bias as last column; rows are units. */
interface LayerWeights {
  incoming: Matrix
  readonly inputs: number
}

function layersOf({ layers }: FullyConnected, theta: Float64Array): LayerWeights[] {
  return layers.map((layer) => {
    const { inputs, outputs, bias } = layer
    const cols = inputs + (bias === null ? 0 : 1)
    const data = new Float64Array(outputs * cols)
    for (let r = 0; r < outputs; r++) {
      for (let i = 0; i < inputs; i++) data[r * cols + i] = theta[weightEntry(layer, r, i)]
      if (bias !== null) data[r * cols + inputs] = theta[bias + r]
    }
    return { incoming: matrix(outputs, cols, data), inputs }
  })
}

const oddActivations = new Set(['tanh', 'linear', 'erf', 'sin', 'softsign', 'hard-tanh'])
const scalableActivations = new Set(['relu', 'leaky-relu'])

/** Divides each unit's incoming row by a number and multiplies what it sends on by the same. */
function standardize(layers: readonly LayerWeights[], activation: string): void {
  for (let h = 0; h + 1 < layers.length; h++) {
    const { incoming } = layers[h]
    const next = layers[h + 1].incoming
    for (let unit = 0; unit < incoming.rows; unit++) {
      const row = incoming.data.subarray(unit * incoming.cols, (unit + 1) * incoming.cols)
      const largest = row.reduce((best, x) => (Math.abs(x) > Math.abs(best) * (1 + 1e-9) ? x : best), 0)
      const sign = oddActivations.has(activation) && largest < 0 ? -1 : 1
      const factor = sign * (scalableActivations.has(activation) && norm(row) > 0 ? norm(row) : 1)
      for (let i = 0; i < row.length; i++) row[i] /= factor
      for (let r = 0; r < next.rows; r++) next.data[r * next.cols + unit] *= factor
    }
  }
}

/** Permutes the units of `right` to the nearest units of `left`, and the columns of the layer after. */
function matchUnits(left: LayerWeights, right: LayerWeights, after: LayerWeights): void {
  const { rows, cols } = left.incoming
  const cost = matrix(rows, rows, new Float64Array(rows * rows))
  const rowOf = (layer: LayerWeights, i: number): Float64Array => layer.incoming.data.subarray(i * cols, (i + 1) * cols)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) cost.data[i * rows + j] = distanceBetween(rowOf(left, i), rowOf(right, j)) ** 2
  const { columnOfRow } = linearAssignment(cost)
  const permuted = new Float64Array(rows * cols)
  for (let i = 0; i < rows; i++) permuted.set(rowOf(right, columnOfRow[i]), i * cols)
  right.incoming = matrix(rows, cols, permuted)
  const next = after.incoming
  const data = next.data.slice()
  for (let r = 0; r < next.rows; r++)
    for (let i = 0; i < rows; i++) data[r * next.cols + i] = next.data[r * next.cols + columnOfRow[i]]
  after.incoming = matrix(next.rows, next.cols, data)
}

/** One row of the table of index against loss (Dauphin et al. 2014, Fig. 1). */
export interface IndexRow {
  readonly loss: number
  readonly verdict: VerdictKind
  readonly negative: number
  readonly zero: number
  readonly positive: number
  readonly indexFraction: number
  /** Starts that ended here. */
  readonly found: number
}

/** Index against loss, one row per distinct critical point, by loss. */
export function indexTable({ points }: FindManyResult): IndexRow[] {
  return points.map(({ loss, verdict, inertia, indexFraction, starts }) => ({
    loss,
    verdict,
    negative: inertia.negative,
    zero: inertia.zero,
    positive: inertia.positive,
    indexFraction,
    found: starts.length,
  }))
}
