/** Packs what the commands printed and wrote into one example of the lab, in the shapes of the server's protocol with the
 *  arrays inside and numbers to six digits:
 *
 *      node apps/lab/tools/pack-example.ts OUT.json example.json
 *
 *  `example.json` names the pieces: {id, name, description, run, surface, eigenplane, diagnosis, spectrum, critical,
 *  checkpoint}, each a file that a command printed by --json, or a run folder. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

// Documents of the commands, read by the names that they have there.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = Record<string, any>

interface Pieces {
  readonly id: string
  readonly name: Json
  readonly description: Json
  readonly run: string
  readonly checkpoint: string
  /** Whether the point is where the training of `run` ended. */
  readonly trained: boolean
  readonly surface: string
  readonly eigenplane: string
  readonly diagnosis: Json
  readonly spectrum: string
  readonly critical?: string
}

const readJson = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json

/** Float64 arrays of an NPZ that the laboratory wrote. */
function readNpz(file: string): Map<string, Float64Array> {
  const bytes = readFileSync(file)
  const arrays = new Map<string, Float64Array>()
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50; ) {
    const [method, packed, name, extra] = [at + 8, at + 18, at + 26, at + 28].map((place, k) =>
      k === 1 ? bytes.readUInt32LE(place) : bytes.readUInt16LE(place),
    )
    const start = at + 30 + name + extra
    const content = bytes.subarray(start, start + packed)
    const npy = method === 0 ? content : inflateRawSync(content)
    const body = npy.subarray(10 + npy.readUInt16LE(8))
    const key = bytes.toString('utf8', at + 30, at + 30 + name).replace(/\.npy$/, '')
    arrays.set(key, new Float64Array(new Uint8Array(body).buffer))
    at = start + packed
  }
  return arrays
}

interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float64Array
}

function readTensors(file: string): Tensor[] {
  const bytes = readFileSync(file)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Json
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => ({
        name,
        shape,
        values: new Float64Array(new Uint8Array(bytes.subarray(8 + length + from, 8 + length + to)).buffer),
      }),
    )
}

/** Parts of a flat vector by tensor; where a tensor lies is found by its values at the center. */
function components(vector: Float64Array, center: Float64Array, tensors: readonly Tensor[]): Json[] {
  return tensors
    .map(({ name, shape, values }) => {
      let start = 0
      while (start < center.length && !values.every((v, i) => center[start + i] === v)) start++
      if (start === center.length) throw new RangeError(`${name} is not in the center`)
      return { start, name, shape, values: Array.from(vector.subarray(start, start + values.length), rounded) }
    })
    .toSorted((a, b) => a.start - b.start)
    .map(({ name, shape, values }) => ({ name, shape, values }))
}

function rounded(x: number): number | null {
  return Number.isFinite(x) ? Number(x.toPrecision(6)) : null
}

function roundedAll(value: unknown): unknown {
  if (typeof value === 'number') return rounded(value)
  if (Array.isArray(value)) return value.map(roundedAll)
  if (value && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, roundedAll(inner)]))
  return value
}

function surfaceOf(id: string, document: Json): Json {
  const [x, y] = document.axes as Json[]
  const fields: Json[] = [{ kind: 'loss', values: document.values.flat() }]
  if (document.accuracies) fields.push({ kind: 'accuracy', values: document.accuracies.flat() })
  if (document.curvature) {
    const { x: cx, y: cy, largest, smallest, convexity } = document.curvature
    for (const [kind, values] of Object.entries({
      convexity,
      'largest-eigenvalue': largest,
      'smallest-eigenvalue': smallest,
    }))
      fields.push({ kind, x: cx, y: cy, values: values.flat() })
  }
  const axis = (a: Json): Json => ({
    label: a.label,
    nodes: a.nodes,
    eigenvalue: a.eigenvalue ?? null,
    explained: a.explained ?? null,
  })
  return {
    run: id,
    x: axis(x),
    y: axis(y),
    fields,
    trajectories: (document.trajectories ?? []).map(({ name, points }: Json) => ({
      name,
      points: points.map((p: Json) => ({
        name: p.name,
        step: p.step ?? null,
        x: p.coordinates[0],
        y: p.coordinates[1],
        offPlaneDistance: p.offPlaneDistance,
        loss: p.loss,
        planeLoss: p.planeLoss,
      })),
    })),
    markers: [
      marker('center', [0, 0], document.loss.value),
      ...(document.minima as Json[]).map(({ at, value }) => marker('grid-minimum', at, value)),
      ...(document.minima as Json[]).flatMap(({ saddle }) =>
        saddle ? [marker('grid-saddle', saddle.at, saddle.value)] : [],
      ),
    ],
    normalization: document.normalization,
    cosine: document.orthogonality.cosines[0] ?? null,
    directions: document.directions,
    warnings: document.warnings,
    planeGraphUrl: null,
  }
}

function marker(kind: string, [x, y]: readonly number[], loss: number): Json {
  const place = { name: '', step: null, x, y, offPlaneDistance: 0, loss, planeLoss: loss }
  return { kind, ...place, verdict: null, label: '' }
}

/** The two lines through the center of a plane along its axes. */
function linesOf(id: string, document: Json, tensors: readonly Tensor[], folder: string): Json[] {
  const arrays = readNpz(join(folder, 'results/directions.npz'))
  const center = arrays.get('center')!
  return (document.axes as Json[]).map((axis, k) => {
    const t = axis.nodes as number[]
    const [zx, zy] = (document.axes as Json[]).map((a) => a.nodes.findIndex((node: number) => Math.abs(node) < 1e-12))
    const losses = t.map((_, i) => (k === 0 ? document.values[zy][i] : document.values[i][zx]))
    const vector = arrays.get(axis.name as string)!
    return {
      run: id,
      direction: { label: axis.label, eigenvalue: axis.eigenvalue, residualNorm: axis.residualNorm },
      norm: 1,
      t,
      losses,
      accuracies: null,
      model: { loss: document.values[zy][zx], slope: slopeOf(t, losses), curvature: axis.eigenvalue },
      components: components(vector, center, tensors),
    }
  })
}

/** ∇L·v by the central difference of fourth order at t = 0; the plane is computed in float64. */
function slopeOf(t: readonly number[], losses: readonly number[]): number {
  const k = t.findIndex((at) => Math.abs(at) < 1e-12)
  const h = t[k + 1] - t[k]
  return (8 * (losses[k + 1] - losses[k - 1]) - (losses[k + 2] - losses[k - 2])) / (12 * h)
}

/** Every other point of a density. */
function thinned(density: Json): Json {
  const every = (values: number[]): unknown => roundedAll(values.filter((_, i) => i % 2 === 0))
  return Object.fromEntries(['grid', 'values', 'standardErrors'].map((key) => [key, every(density[key])]))
}

const [out, list] = process.argv.slice(2)
const pieces = readJson(list) as unknown as Pieces
const { id, run } = pieces
const tensors = readTensors(pieces.checkpoint)
const eigenplane = readJson(`${pieces.eigenplane}.json`)
const spectrum = readJson(pieces.spectrum)
const diagnosis = Object.fromEntries(
  Object.entries(pieces.diagnosis).map(([language, file]) => [language, readJson(file as string)]),
)
const density = spectrum.density as Json
const example = {
  id,
  name: pieces.name,
  description: pieces.description,
  training: pieces.trained ? roundedAll(readJson(join(run, 'results/training.json'))) : null,
  end: pieces.trained ? roundedAll(readJson(join(run, 'results/end.json'))) : null,
  diagnosis,
  spectrum: {
    ...(roundedAll({ ...spectrum, density: undefined }) as Json),
    density: density && thinned(density),
  },
  critical: pieces.critical
    ? ((document: Json) => ({
        ...document,
        points: document.points.map((point: Json) => ({ ...point, starts: undefined })),
        searches: undefined,
      }))(readJson(pieces.critical))
    : null,
  surfaces: [
    roundedAll(surfaceOf(id, readJson(`${pieces.surface}.json`))),
    ...(pieces.surface === pieces.eigenplane ? [] : [roundedAll(surfaceOf(id, eigenplane))]),
  ],
  lines: roundedAll(linesOf(id, eigenplane, tensors, pieces.eigenplane)),
}
writeFileSync(out, `${JSON.stringify(example)}\n`)
