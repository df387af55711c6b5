/** Triangles with a normal at every corner, and a color (linear light) where the mesh has its own. */
export interface Mesh {
  readonly positions: Float32Array
  readonly normals: Float32Array
  readonly colors?: Float32Array
  readonly indices: Uint32Array
}

const sides = 12

/** A tube around a path (x₀ y₀ z₀ x₁ …) with a radius at every point and rounded ends. Its rings are turned as little as
 *  possible from one to the next, so that it does not twist. */
export function tubeMesh(path: readonly number[], radii: readonly number[]): Mesh {
  const count = path.length / 3
  if (count < 2) return { positions: new Float32Array(), normals: new Float32Array(), indices: new Uint32Array() }
  const positions: number[] = []
  const normals: number[] = []
  let side: Vector = [0, 0, 1]
  for (let k = 0; k < count; k++) {
    const along = tangent(path, k, count)
    side = perpendicular(side, along)
    const other = cross(along, side)
    const shares = k === 0 ? [-0.98, -0.7, 0] : k === count - 1 ? [0, 0.7, 0.98] : [0]
    for (const share of shares) addRing(path, k, radii[k], { side, other, along }, share, positions, normals)
  }
  const rings = positions.length / (3 * sides)
  const indices: number[] = []
  for (let ring = 0; ring + 1 < rings; ring++)
    for (let s = 0; s < sides; s++) {
      const [a, b] = [ring * sides + s, ring * sides + ((s + 1) % sides)]
      indices.push(a, b, b + sides, a, b + sides, a + sides)
    }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    indices: Uint32Array.from(indices),
  }
}

type Vector = [number, number, number]

function addRing(
  path: readonly number[],
  k: number,
  radius: number,
  { side, other, along }: { side: Vector; other: Vector; along: Vector },
  share: number,
  positions: number[],
  normals: number[],
): void {
  const narrow = Math.sqrt(1 - share * share)
  for (let s = 0; s < sides; s++) {
    const [c, d] = [Math.cos((2 * Math.PI * s) / sides), Math.sin((2 * Math.PI * s) / sides)]
    for (let axis = 0; axis < 3; axis++) {
      const normal = narrow * (c * side[axis] + d * other[axis]) + share * along[axis]
      normals.push(normal)
      positions.push(path[3 * k + axis] + radius * normal)
    }
  }
}

function tangent(path: readonly number[], k: number, count: number): Vector {
  const [a, b] = [3 * Math.max(0, k - 1), 3 * Math.min(count - 1, k + 1)]
  return unit([path[b] - path[a], path[b + 1] - path[a + 1], path[b + 2] - path[a + 2]])
}

/** The part of v across the tangent; any direction across where v points along it. */
function perpendicular(v: Vector, along: Vector): Vector {
  const dot = v[0] * along[0] + v[1] * along[1] + v[2] * along[2]
  const rest: Vector = [v[0] - dot * along[0], v[1] - dot * along[1], v[2] - dot * along[2]]
  if (Math.hypot(...rest) > 1e-6) return unit(rest)
  return unit(Math.abs(along[0]) < 0.9 ? cross(along, [1, 0, 0]) : cross(along, [0, 1, 0]))
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

function unit(v: Vector): Vector {
  const length = Math.hypot(...v) || 1
  return [v[0] / length, v[1] / length, v[2] / length]
}
