import { FormatError } from '@thalweg/graph'
import { convexityOf } from '@thalweg/landscape'
import type { CurvatureGrid, GridState, Loss, PointEvaluator } from '@thalweg/landscape'
import { decodeNpz } from '../../formats/npz.ts'
import { roughTime } from '../cost-estimate.ts'
import { runLossTasks } from '../task-work.ts'
import type { TaskWork } from '../task-work.ts'
import { curvatureFields, gridBlob } from './surface-tasks.ts'
import type { Grid } from './surface-tasks.ts'

/* Grids as tasks: killed at any instant, they go on where they were, with any number of workers. */

/** A grid is cut into about so many tasks: fewer cost less, more lose less when a process is killed. */
const tasksWanted = 256

/** Losses at all nodes, or at as many as were reached when the signal came. */
export async function gridOfLosses(
  work: TaskWork,
  stage: string,
  grid: Grid,
  loss: Loss,
  evaluator: PointEvaluator,
): Promise<GridState> {
  const { method, group } = evaluator
  const total = nodeCount(grid)
  await announceCost(work, stage, grid, evaluator)
  const values = new Float64Array(total).fill(Number.NaN)
  let accuracies: Float64Array | null = null
  const take = (first: number, arrays: Arrays): void => {
    values.set(arrayOf(arrays, 'values'), first)
    if (!arrays.has('accuracies')) return
    accuracies ??= new Float64Array(total).fill(Number.NaN)
    accuracies.set(arrayOf(arrays, 'accuracies'), first)
  }
  const done = await runGrid(work, { stage, kind: 'surface-values', grid, loss, inputs: { method }, group, take })
  return { done, values, accuracies }
}

/** Beyond this an estimate is said before the work begins. */
const longMs = 5_000
/** Fewer groups are not worth timing one. */
const timedGroupsMin = 20

/** Times one group of θ (the second: the first also compiles), and says what the whole grid will take where that is long. */
async function announceCost(
  { context: { now, onProgress }, workers }: TaskWork,
  stage: string,
  grid: Grid,
  { group, valuesAt }: PointEvaluator,
): Promise<void> {
  const total = nodeCount(grid)
  const groups = Math.ceil(total / group)
  if (groups < timedGroupsMin) return
  const p = grid.center.length
  const thetas = new Float64Array(group * p)
  for (let row = 0; row < group; row++) thetas.set(grid.center, row * p)
  await valuesAt(thetas, group)
  const begun = now()
  await valuesAt(thetas, group)
  const processes = Math.max(1, workers)
  const elapsedMs = ((now() - begun) * groups) / processes
  if (elapsedMs <= longMs) return
  const gigabytes = ((processes * process.memoryUsage.rss()) / 2 ** 30).toPrecision(2)
  const note = `${stage}: ${total} points, about ${roughTime(elapsedMs)} and ${gigabytes} GiB with ${processes} processes.`
  onProgress({ stage: 'estimate', done: 0, total: 0, note })
}

/** Extreme eigenvalues at all nodes of a plane, or at as many as were reached. */
export async function gridOfCurvature(work: TaskWork, grid: Grid, loss: Loss, seed: number): Promise<CurvatureGrid> {
  const total = nodeCount(grid)
  const empty = (): Float64Array => new Float64Array(total).fill(Number.NaN)
  const [largest, smallest, residuals, convexity] = [empty(), empty(), empty(), empty()]
  let products = 0
  let converged = 0
  const take = (first: number, arrays: Arrays): void => {
    const rows = arrayOf(arrays, 'rows')
    for (let at = 0, node = first; at < rows.length; at += curvatureFields.length, node++) {
      largest[node] = rows[at]
      smallest[node] = rows[at + 1]
      residuals[node] = rows[at + 2]
      convexity[node] = convexityOf(rows[at], rows[at + 1])
      products += rows[at + 3]
      converged += rows[at + 4]
    }
  }
  const part = { stage: 'curvature', kind: 'surface-curvature', grid, loss, inputs: { seed }, group: 1, take }
  const done = await runGrid(work, part)
  return { x: grid.axes[0], y: grid.axes[1], largest, smallest, residuals, convexity, products, converged, done }
}

type Arrays = ReturnType<typeof decodeNpz>

interface GridPart {
  readonly stage: string
  readonly kind: string
  readonly grid: Grid
  readonly loss: Loss
  /** Beside the loss and the range of nodes. */
  readonly inputs: Readonly<Record<string, string | number>>
  /** Nodes that belong together. */
  readonly group: number
  readonly take: (first: number, arrays: Arrays) => void
}

/** Runs the tasks of a grid; returns how many of its nodes are done. */
async function runGrid(work: TaskWork, { stage, kind, grid, loss, inputs, group, take }: GridPart): Promise<number> {
  const ranges = rangesOf(nodeCount(grid), group)
  let done = 0
  await runLossTasks(work, loss, {
    kind,
    files: { grid: gridBlob(grid) },
    inputs: ranges.map((range) => ({ ...inputs, ...range })),
    onProgress: () => work.context.onProgress({ stage, done, total: nodeCount(grid) }),
    onResult: (index, bytes) => {
      take(ranges[index].first, decodeNpz(bytes, { file: stage }))
      done += ranges[index].count
    },
  })
  return done
}

/** Whole groups, in as many parts as are wanted. */
function rangesOf(total: number, group: number): { readonly first: number; readonly count: number }[] {
  const size = group * Math.max(1, Math.ceil(total / group / tasksWanted))
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => ({
    first: i * size,
    count: Math.min(size, total - i * size),
  }))
}

function nodeCount({ axes }: Grid): number {
  return axes.reduce((product, axis) => product * axis.length, 1)
}

function arrayOf(arrays: Arrays, name: string): Float64Array {
  const value = arrays.get(name)
  if (value?.dtype !== 'float64') throw new FormatError(`surface: a task gave no array '${name}'. Use one release.`)
  return value.data as Float64Array
}
