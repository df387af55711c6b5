import { numbersOf } from '@thalweg/graph'
import type {
  ArrayReference,
  Line,
  Surface,
  SurfaceAxis,
  SurfaceField,
  SurfaceFieldKind,
  SurfaceMarker,
  SurfacePoint,
  VerdictKind,
} from './protocol.ts'
import { listOf, numberOf, objectOf, textOf } from './plain-json.ts'
import type { JsonObject } from './plain-json.ts'
import { Refusal } from './refusal.ts'
import type { RunArrays } from './run-arrays.ts'
import { objectsOf } from './run-detail.ts'
import type { RunFolder } from './run-folder.ts'
import { runUrl, verdictKindOf, warningsOf } from './run-summary.ts'

/** Arrays of `surface.npz` and what they hold. */
const fields = {
  loss: 'loss',
  accuracy: 'accuracy',
  heldOutLoss: 'held-out-loss',
  heldOutAccuracy: 'held-out-accuracy',
  convexity: 'convexity',
  largestEigenvalue: 'largest-eigenvalue',
  smallestEigenvalue: 'smallest-eigenvalue',
  gradientNorm: 'gradient-norm',
} as const satisfies Readonly<Record<string, SurfaceFieldKind>>

const markersMax = 500

/** A run whose points are marked on a surface, as its folder was named when they were. */
export interface MarkedRun {
  readonly name: string
  readonly run: RunFolder
}

/** The surface of a run: that of `thalweg surface`, or the plane that `thalweg run` writes beside its report.
 * @param marked  runs among its trajectories whose points are no path but critical points.
 * @throws {Refusal} 404 if it has none, or one that is not a plane. */
export async function surfaceView(run: RunFolder, arrays: RunArrays, marked: readonly MarkedRun[]): Promise<Surface> {
  const references = (await arrays.list(run)).filter(({ file }) => file === 'surface')
  const byName = new Map(references.map((reference) => [reference.array, reference]))
  const loss = byName.get('loss')
  if (loss?.shape.length !== 2) throw new Refusal('not-found', 'This run has no surface over a plane.')
  const nodes = async (array: string): Promise<number[]> =>
    byName.has(array) ? Array.from(numbersOf(await arrays.read(run, 'surface', array))) : []
  const [x, y, curvatureX, curvatureY] = await Promise.all(['x', 'y', 'curvatureX', 'curvatureY'].map(nodes))
  if (x.length !== loss.shape[1] || y.length !== loss.shape[0])
    throw new Refusal('not-found', 'The surface of this run does not fit its axes.')
  const document = objectOf(await run.json('results', 'surface.json'))
  const shown: SurfaceField[] = []
  for (const [array, kind] of Object.entries(fields)) {
    const reference = byName.get(array)
    if (reference?.shape.length !== 2) continue
    const [rows, columns] = reference.shape
    const coarse = rows !== y.length || columns !== x.length
    if (coarse && (rows !== curvatureY.length || columns !== curvatureX.length)) continue
    const range = rangeOf(numbersOf(await arrays.read(run, 'surface', array)))
    shown.push({ kind, values: reference, ...(coarse && { x: curvatureX, y: curvatureY }), ...range })
  }
  const axes = objectsOf(document['axes'])
  const all = trajectoriesOf(document)
  const trajectories = all.filter(({ name }) => !marked.some((each) => each.name === name))
  return {
    run: run.id,
    x: axisOf(axes[0], x, 'random direction 1'),
    y: axisOf(axes[1], y, 'random direction 2'),
    fields: shown,
    trajectories,
    markers: [...markersOf(document, trajectories), ...(await criticalMarkers(all, marked))].slice(0, markersMax),
    normalization: textOf(document['normalization']) ?? (await ownNormalization(run)),
    cosine: numberOf(listOf(objectOf(document['orthogonality'])['cosines'])[0]),
    directions: textOf(document['directions']) ?? 'random',
    warnings: warningsOf(document),
    planeGraphUrl: (await run.exists('results', 'plane.onnx')) ? runUrl(run.id, 'plane-graph') : null,
  }
}

/** Of the plane beside a report: the experiment says it. */
async function ownNormalization(run: RunFolder): Promise<string> {
  const experiment = objectOf(objectOf(await run.json('manifest.json'))['experiment'])
  return textOf(objectOf(objectOf(experiment['analyses'])['surface'])['normalization']) ?? 'unknown'
}

function rangeOf(values: Float64Array): Pick<SurfaceField, 'minimum' | 'maximum' | 'notFinite'> {
  let [minimum, maximum, notFinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const value of values)
    if (Number.isFinite(value)) {
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
    } else notFinite++
  const any = notFinite < values.length
  return { minimum: any ? minimum : null, maximum: any ? maximum : null, notFinite }
}

function axisOf(axis: JsonObject | undefined, nodes: readonly number[], label: string): SurfaceAxis {
  return {
    label: textOf(axis?.['label']) ?? label,
    nodes,
    eigenvalue: numberOf(axis?.['eigenvalue']),
    explained: numberOf(axis?.['explained']),
  }
}

function trajectoriesOf(document: JsonObject): Surface['trajectories'] {
  return objectsOf(document['trajectories']).map((trajectory) => ({
    name: textOf(trajectory['name']) ?? '',
    points: objectsOf(trajectory['points']).flatMap((point): SurfacePoint[] => {
      const [x, y] = listOf(point['coordinates']).map(numberOf)
      if (typeof x !== 'number' || typeof y !== 'number') return []
      return [
        {
          name: textOf(point['name']) ?? '',
          step: numberOf(point['step']),
          x,
          y,
          offPlaneDistance: numberOf(point['offPlaneDistance']),
          loss: numberOf(point['loss']),
          planeLoss: numberOf(point['planeLoss']),
        },
      ]
    }),
  }))
}

function markersOf(document: JsonObject, trajectories: Surface['trajectories']): SurfaceMarker[] {
  const centered = textOf(document['directions']) !== 'trajectory'
  const loss = numberOf(objectOf(document['loss'])['value'])
  const center: SurfaceMarker[] = centered ? [marker('center', 0, 0, loss, 'θ', { offPlaneDistance: 0, loss })] : []
  const ends = trajectories.flatMap(({ name, points }): SurfaceMarker[] => {
    const last = points.at(-1)
    return last ? [{ ...last, kind: 'end', verdict: null, label: name }] : []
  })
  const minima = objectsOf(document['minima']).flatMap((minimum, i): SurfaceMarker[] => [
    ...gridMarker('grid-minimum', minimum, `minimum ${i + 1} on the grid`),
    ...gridMarker('grid-saddle', objectOf(minimum['saddle']), `pass of minimum ${i + 1}`),
  ])
  return [...center, ...ends, ...minima]
}

/** Points that `critical` and `diagnose` wrote as checkpoints, with what these said of them. */
async function criticalMarkers(
  trajectories: Surface['trajectories'],
  marked: readonly MarkedRun[],
): Promise<SurfaceMarker[]> {
  const found: SurfaceMarker[] = []
  for (const { name, run } of marked) {
    const points = trajectories.find((each) => each.name === name)?.points ?? []
    const verdicts = await verdictsOf(run)
    for (const point of points) {
      const verdict = verdicts.get(point.name) ?? null
      found.push({ ...point, kind: 'critical', verdict, label: verdict ?? point.name })
    }
  }
  return found
}

/** By the name of the checkpoint. */
async function verdictsOf(run: RunFolder): Promise<ReadonlyMap<string, VerdictKind>> {
  const [critical, diagnosis] = await Promise.all([
    run.json('results', 'critical.json'),
    run.json('results', 'diagnosis.json'),
  ])
  const points = objectsOf(critical?.['points']).map(
    ({ verdict }, i) => [`point-${String(i + 1).padStart(4, '0')}`, verdict] as const,
  )
  const all = [...points, ['polished', objectOf(diagnosis?.['polished'])['verdict']] as const]
  return new Map(
    all.flatMap(([name, verdict]) => {
      const kind = verdictKindOf(verdict)
      return kind ? [[name, kind] as const] : []
    }),
  )
}

function gridMarker(kind: SurfaceMarker['kind'], at: JsonObject, label: string): SurfaceMarker[] {
  const [x, y] = listOf(at['at']).map(numberOf)
  if (typeof x !== 'number' || typeof y !== 'number') return []
  const value = numberOf(at['value'])
  return [marker(kind, x, y, value, label, { offPlaneDistance: 0, loss: value })]
}

function marker(
  kind: SurfaceMarker['kind'],
  x: number,
  y: number,
  planeLoss: number | null,
  label: string,
  own: Pick<SurfaceMarker, 'offPlaneDistance' | 'loss'>,
): SurfaceMarker {
  return { kind, name: label, label, step: null, x, y, planeLoss, verdict: null, ...own }
}

/** The line of a run that moved along a direction.
 * @throws {Refusal} 404 if it has none. */
export async function lineView(run: RunFolder, arrays: RunArrays): Promise<Line> {
  const document = await run.json('results', 'line.json')
  if (!document) throw new Refusal('not-found', 'This run has no line.')
  const { direction, parabola } = document
  const numbers = (value: unknown): (number | null)[] => listOf(value).map(numberOf)
  const references = (await arrays.list(run)).filter(({ file, array }) => file === 'line' && isComponent(array))
  return {
    run: run.id,
    direction: {
      label: textOf(objectOf(direction)['label']) ?? '',
      eigenvalue: numberOf(objectOf(direction)['eigenvalue']),
      residualNorm: numberOf(objectOf(direction)['residualNorm']),
    },
    norm: numberOf(document['norm']) ?? Number.NaN,
    t: numbers(document['t']).map((t) => t ?? Number.NaN),
    losses: numbers(document['losses']),
    accuracies: Array.isArray(document['accuracies']) ? numbers(document['accuracies']) : null,
    model: {
      loss: numberOf(objectOf(parabola)['loss']),
      slope: numberOf(objectOf(parabola)['slope']),
      curvature: numberOf(objectOf(parabola)['curvature']),
    },
    components: references satisfies readonly ArrayReference[],
  }
}

function isComponent(array: string): boolean {
  return array.startsWith('direction.')
}
