import { tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import { extremeCurvature, nodeAt, pointAt, pointEvaluator } from '@thalweg/landscape'
import type { EvaluationMethod, Loss, PointEvaluator } from '@thalweg/landscape'
import { z } from 'zod'
import { decodeNpz, encodeNpz } from '../../formats/npz.ts'
import { lossInputs, methodInput, openPortableLoss } from '../../subject/portable-loss.ts'
import type { LossInputs } from '../../subject/portable-loss.ts'
import { canonicalJson } from '../../tasks/canonical-json.ts'
import type { TaskContext, TaskKind } from '../../tasks/task-kind.ts'

/* Parts of a surface as tasks: losses, or extreme eigenvalues, at some nodes of a grid. */

/** A grid through parameter space. */
export interface Grid {
  readonly center: Float64Array
  readonly directions: readonly Float64Array[]
  /** Nodes of each axis. */
  readonly axes: readonly Float64Array[]
}

const float64 = (data: Float64Array): Tensor => tensor('float64', [data.length], data)

export function gridBlob({ center, directions, axes }: Grid): Uint8Array {
  const numbered = (name: string, list: readonly Float64Array[]): [string, Tensor][] =>
    list.map((values, i) => [`${name}${i}`, float64(values)])
  return encodeNpz({
    center: float64(center),
    ...Object.fromEntries([...numbered('direction', directions), ...numbered('axis', axes)]),
  })
}

function openGridBlob(bytes: Uint8Array): Grid {
  const arrays = decodeNpz(bytes, { file: 'grid blob' })
  const values = (name: string): Float64Array | undefined => arrays.get(name)?.data as Float64Array | undefined
  const numbered = (name: string): Float64Array[] => {
    const list: Float64Array[] = []
    for (let at = values(`${name}0`); at; at = values(`${name}${list.length}`)) list.push(at)
    return list
  }
  return { center: values('center')!, directions: numbered('direction'), axes: numbered('axis') }
}

/** Names of the blobs of both kinds. */
const gridBlobs: readonly string[] = ['model', 'data', 'grid']

const range = { first: z.int().nonnegative(), count: z.int().positive() }

interface ValuesInputs {
  readonly loss: LossInputs
  readonly method: EvaluationMethod
  readonly first: number
  readonly count: number
}

const valuesInputs: z.ZodType<ValuesInputs> = z.strictObject({ loss: lossInputs, method: methodInput, ...range })

interface OpenSurface {
  readonly grid: Grid
  readonly loss: Loss
  readonly evaluator: PointEvaluator
}

/** Losses, and accuracies where there are classes, at the nodes `first` … `first + count − 1`. Whole groups of the evaluator but for the
 * last nodes of the grid; a value hangs on its node alone. */
export const surfaceValues: TaskKind<ValuesInputs> = {
  version: 1,
  inputs: valuesInputs,
  blobs: gridBlobs,
  async run({ loss: inputs, method, first, count }, context) {
    const open = async (): Promise<OpenSurface> => {
      const loss = await openPortableLoss(inputs, context)
      return { grid: openGridBlob(await context.blob('grid')), loss, evaluator: pointEvaluator(loss, method) }
    }
    const { grid, evaluator } = await context.kept(keptAs('values', { ...inputs }, method, context), open)
    const p = grid.center.length
    const values = new Float64Array(count)
    const accuracies = new Float64Array(count)
    let classes = false
    // one group of θ in memory at a time
    for (let at = 0; at < count; at += evaluator.group) {
      const rows = Math.min(evaluator.group, count - at)
      const thetas = new Float64Array(rows * p)
      for (let row = 0; row < rows; row++) thetas.set(nodeOf(grid, first + at + row), row * p)
      const found = await evaluator.valuesAt(thetas, rows)
      values.set(found.values, at)
      if (found.accuracies) accuracies.set(found.accuracies, at)
      classes ||= found.accuracies !== null
    }
    return encodeNpz({ values: float64(values), ...(classes && { accuracies: float64(accuracies) }) })
  },
}

interface CurvatureInputs {
  readonly loss: LossInputs
  readonly seed: number
  readonly first: number
  readonly count: number
}

const curvatureInputs: z.ZodType<CurvatureInputs> = z.strictObject({
  loss: lossInputs,
  seed: z.int().nonnegative(),
  ...range,
})

/** Numbers of a node in the result of `surfaceCurvature`. */
export const curvatureFields: readonly string[] = ['largest', 'smallest', 'residual', 'products', 'converged']

/** Extreme eigenvalues of the Hessian at some nodes. */
export const surfaceCurvature: TaskKind<CurvatureInputs> = {
  version: 1,
  inputs: curvatureInputs,
  blobs: gridBlobs,
  async run({ loss: inputs, seed, first, count }, context) {
    const open = async (): Promise<Pick<OpenSurface, 'grid' | 'loss'>> => ({
      loss: await openPortableLoss(inputs, context),
      grid: openGridBlob(await context.blob('grid')),
    })
    const { grid, loss } = await context.kept(keptAs('curvature', { ...inputs }, '', context), open)
    const rows = new Float64Array(count * curvatureFields.length)
    for (let i = 0; i < count; i++) {
      const at = await extremeCurvature(loss, nodeOf(grid, first + i), { seed })
      const residual = Math.max(at.largestResidual, at.smallestResidual)
      rows.set([at.largest, at.smallest, residual, at.products, Number(at.converged)], i * curvatureFields.length)
    }
    return encodeNpz({ rows: float64(rows) })
  },
}

function keptAs(what: string, loss: object, method: string, { blobs }: TaskContext): string {
  return canonicalJson({ what, loss: { ...loss }, method, blobs })
}

function nodeOf({ center, directions, axes }: Grid, node: number): Float64Array {
  return pointAt(center, directions, nodeAt(axes, node))
}
