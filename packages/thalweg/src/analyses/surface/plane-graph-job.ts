import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { nativeEngine } from '@thalweg/engine/node'
import {
  DomainError,
  UnsupportedError,
  add,
  constant,
  exportOnnx,
  graphOf,
  input,
  matmul,
  mul,
  numbersOf,
  reduceSum,
  reshape,
  simplify,
  sizeOf,
  substitute,
} from '@thalweg/graph'
import type { Expr, Graph } from '@thalweg/graph'
import { Loss, randomDirection } from '@thalweg/landscape'
import { decodeNpz } from '../../formats/npz.ts'
import type { JobContext } from '../../jobs/job-context.ts'
import { RunDirectory, float64Tensor } from '../../runs/run-directory.ts'
import { openSubject, subjectJson } from '../../subject/subject.ts'
import type { Subject, SubjectArgument } from '../../subject/subject.ts'

export interface PlaneGraphArgument {
  readonly subject: SubjectArgument
  /** `directions.npz` of a surface; left out: two random directions, as `thalweg surface` draws them. */
  readonly directions?: string
  readonly out: string
  readonly threads?: number
}

export type PlaneGraphDocument = Readonly<Record<string, unknown>>

/** What a page can evaluate many times a second. */
const parametersMax = 50_000
const dataNumbersMax = 1_000_000

/** The loss on a plane as an ONNX model of its two coordinates, float64, with data and parameters inside:
 *
 *     f(α, β) = L(θ + α δ + β η)
 *
 * in operators that can be differentiated again. Writes `results/plane.onnx` and `results/plane-graph.json`.
 * @throws {UnsupportedError} where model or data are too large for that. */
export async function planeGraphJob(argument: PlaneGraphArgument, context: JobContext): Promise<PlaneGraphDocument> {
  const subject = await openSubject(argument.subject)
  const { model, dataset, spec, weightDecay } = subject
  const numbers = Object.values(dataset.inputs).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  requireSmall('parameters', subject.theta.length, parametersMax)
  requireSmall('numbers in the data', numbers, dataNumbersMax)
  const engine = nativeEngine({ threads: argument.threads ?? availableParallelism() })
  try {
    const samples = dataset.targets.shape[0]
    const loss = new Loss({ engine, model, dataset, spec, weightDecay, chunkSize: samples })
    const plane = await planeOf(argument, subject)
    context.onProgress({ stage: 'graph', done: 0, total: 1 })
    const graph = planeGraph(loss, plane)
    const bytes = exportOnnx(graph, { name: `${model.name}, loss on a plane` })
    const value = await loss.value(plane.center)
    const directory = new RunDirectory(argument.out)
    await directory.writeBytes('results/plane.onnx', bytes)
    const document: PlaneGraphDocument = {
      ...subjectJson(subject, value, 'float64'),
      input: 'coordinates',
      output: 'loss',
      bytes: bytes.length,
      warnings: subject.warnings,
    }
    await directory.writeJson('results/plane-graph.json', document)
    context.onProgress({ stage: 'graph', done: 1, total: 1 })
    return document
  } finally {
    await engine.dispose()
  }
}

function requireSmall(what: string, got: number, most: number): void {
  if (got > most)
    throw new UnsupportedError(
      `plane graph: a page evaluates at most ${most} ${what}, got ${got}. Look at the measured surface instead.`,
    )
}

interface Plane {
  readonly center: Float64Array
  readonly directions: readonly [Float64Array, Float64Array]
}

async function planeOf({ directions: file }: PlaneGraphArgument, { model, theta }: Subject): Promise<Plane> {
  if (file === undefined) {
    const random = (index: number): Float64Array =>
      randomDirection(model, theta, 0, index, { normalization: 'filter', ignoreVectors: true })
    return { center: theta, directions: [random(0), random(1)] }
  }
  const arrays = decodeNpz(await readFile(file), { file: 'directions.npz' })
  const [center, x, y] = ['center', 'x', 'y'].map((name) => {
    const value = arrays.get(name)
    if (!value || value.data.length !== theta.length)
      throw new DomainError(`plane graph: the surface has no direction ${name} for this model. Draw it again.`)
    return numbersOf(value)
  })
  return { center, directions: [x, y] }
}

/** @param loss  with all samples in one chunk. */
function planeGraph(loss: Loss, { center, directions }: Plane): Graph {
  const p = center.length
  const [chunk] = loss.chunks
  const g = loss.graph(chunk.size)
  const coordinates = input('coordinates', 'float64', [2])
  const rows = new Float64Array(2 * p)
  directions.forEach((direction, row) => rows.set(direction, row * p))
  const moved = matmul(reshape(coordinates, [1, 2]), constant(float64Tensor([2, p], rows)))
  const theta = add(constant(float64Tensor([p], center)), reshape(moved, [p]))
  const known = new Map<Expr, Expr>([[g.theta, theta]])
  for (const each of [...g.inputs, g.targets, ...(g.weights ? [g.weights] : [])])
    known.set(each, constant(chunk.values[each.attributes.name]))
  const [sum] = substitute([g.sum], known)
  const fit = mul(sum, 1 / loss.normalizer)
  const value = loss.weightDecay === 0 ? fit : add(fit, mul(reduceSum(mul(theta, theta)), loss.weightDecay / 2))
  return simplify(graphOf({ loss: value }))
}
