import type { SurfaceScene } from './surface-scene.ts'

/** The surface as a solid for a 3-D printer (binary STL, z up, in millimeters with the longer side 100): the surface above,
 *  a flat base below, walls between. Holes become shafts. */
export function solidStl({ surface, floor }: Pick<SurfaceScene, 'surface' | 'floor'>): Uint8Array<ArrayBuffer> {
  const { positions, indices } = surface
  const at = (k: number): Point => [50 * positions[3 * k], 50 * positions[3 * k + 1], 50 * positions[3 * k + 2]]
  const below = (k: number): Point => [50 * positions[3 * k], 50 * positions[3 * k + 1], 25 * floor]
  const triangles: Triangle[] = []
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = indices.subarray(t, t + 3)
    triangles.push([at(a), at(b), at(c)], [below(a), below(c), below(b)])
  }
  for (const [a, b] of rim(indices)) triangles.push([at(a), below(a), below(b)], [at(a), below(b), at(b)])
  return encode(triangles)
}

type Point = readonly [number, number, number]
type Triangle = readonly [Point, Point, Point]

/** Edges that belong to one triangle only, in its direction. */
function rim(indices: Uint32Array): [number, number][] {
  const edges = new Map<string, [number, number]>()
  for (let t = 0; t < indices.length; t += 3)
    for (let side = 0; side < 3; side++) {
      const [a, b] = [indices[t + side], indices[t + ((side + 1) % 3)]]
      if (!edges.delete(`${b},${a}`)) edges.set(`${a},${b}`, [a, b])
    }
  return [...edges.values()]
}

function encode(triangles: readonly Triangle[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(84 + 50 * triangles.length)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode('Thalweg loss surface, millimeters'))
  view.setUint32(80, triangles.length, true)
  triangles.forEach((triangle, k) => {
    const numbers = [...normalOf(triangle), ...triangle.flat()]
    numbers.forEach((x, i) => view.setFloat32(84 + 50 * k + 4 * i, x, true))
  })
  return bytes
}

function normalOf([a, b, c]: Triangle): Point {
  const u = [0, 1, 2].map((axis) => b[axis] - a[axis])
  const v = [0, 1, 2].map((axis) => c[axis] - a[axis])
  const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
  const length = Math.hypot(...n) || 1
  return [n[0] / length, n[1] / length, n[2] / length]
}
