import type { Surface, SurfaceMarker, SurfacePoint } from 'thalweg/protocol'
import type { MarkerKind, PlaneData, PlaneField, PlaneMarker, PlanePoint } from '../scenes/plane-data.ts'
import { isExample, loadExample } from './examples.ts'
import type { ExampleSurface } from './examples.ts'
import type { Language } from './preferences.ts'
import { server } from './server.ts'

/** A plane by its name in the address:
 *
 *     example:digits     an embedded example, its first plane; `example:digits:1` the second
 *     function:beale     an analytic function, computed here
 *     run:ID             a run of the server */
export async function loadPlane(id: string, language: Language): Promise<PlaneData> {
  const [kind, name, number] = splitId(id)
  if (kind === 'function') return (await import('../scenes/analytic-plane.ts')).analyticPlane(name)
  if (kind === 'run') return fromServer(id, name)
  if (!isExample(name)) throw new RangeError(`There is no example ${name}.`)
  const example = await loadExample(name)
  const surface = example.surfaces[Number(number ?? 0)] ?? example.surfaces[0]
  return fromExample(id, example.name[language], surface)
}

function splitId(id: string): [kind: string, name: string, number: string | undefined] {
  const colon = id.indexOf(':')
  const kind = id.slice(0, colon)
  const rest = id.slice(colon + 1)
  if (kind === 'run') return [kind, rest, undefined]
  const [name, number] = rest.split(':')
  return [kind, name, number]
}

function fromExample(id: string, name: string, surface: ExampleSurface): PlaneData {
  const fields = surface.fields.map(
    ({ kind, values, x, y }): PlaneField => ({
      kind,
      grid: { xs: x ?? surface.x.nodes, ys: y ?? surface.y.nodes, values: numbers(values) },
    }),
  )
  return planeOf(id, name, surface, fields)
}

async function fromServer(id: string, run: string): Promise<PlaneData> {
  const [surface, { summary }] = await Promise.all([server.surface(run), server.run(run)])
  const fields = await Promise.all(
    surface.fields.map(
      async ({ kind, values, x, y }): Promise<PlaneField> => ({
        kind,
        grid: { xs: x ?? surface.x.nodes, ys: y ?? surface.y.nodes, values: await server.array(values.url) },
      }),
    ),
  )
  return planeOf(id, summary.name, surface, fields)
}

/** What surface and example have in common, as the scenes want it. */
function planeOf(id: string, name: string, surface: Omit<Surface, 'fields'>, fields: readonly PlaneField[]): PlaneData {
  const { x, y, trajectories, normalization, cosine, warnings } = surface
  return {
    id,
    name,
    x,
    y,
    fields,
    trajectories: trajectories.map((t) => ({ name: t.name, points: t.points.map(pointOf) })),
    markers: markersOf(surface),
    normalization,
    cosine,
    warnings,
    analytic: null,
  }
}

const markerKinds: Readonly<Record<SurfaceMarker['kind'], MarkerKind>> = {
  center: 'center',
  end: 'end',
  'grid-minimum': 'minimum',
  'grid-saddle': 'saddle',
  critical: 'critical',
}

/** The end of a path stands at the center as a rule: one mark of a place is enough. The lowest node of a rim is no minimum: the loss
 *  may fall on beyond it. */
function markersOf({ x, y, markers, trajectories }: Omit<Surface, 'fields'>): PlaneMarker[] {
  const hasPath = trajectories.length > 0
  const onRim = (nodes: readonly number[], at: number): boolean => at === nodes[0] || at === nodes[nodes.length - 1]
  const kept = markers.filter((marker) => {
    if (marker.kind === 'center') return !markers.some((m) => m !== marker && m.x === marker.x && m.y === marker.y)
    return marker.kind !== 'grid-minimum' || !(onRim(x.nodes, marker.x) || onRim(y.nodes, marker.y))
  })
  return kept.map((marker) => ({
    ...pointOf(marker),
    kind: marker.kind === 'center' && hasPath ? 'end' : markerKinds[marker.kind],
    name: marker.label || marker.name,
    verdict: marker.verdict,
  }))
}

function pointOf(point: SurfacePoint): PlanePoint {
  const known = (value: number | null): number => value ?? Number.NaN
  return {
    name: point.name,
    x: point.x,
    y: point.y,
    offPlaneDistance: point.offPlaneDistance ?? 0,
    loss: known(point.loss),
    planeLoss: known(point.planeLoss),
  }
}

/** JSON has `null` for what is not finite. */
function numbers(values: readonly (number | null)[]): Float64Array {
  return Float64Array.from(values, (value) => value ?? Number.NaN)
}
