/** Regions and lines of one level of a gridded function, linear along the grid's edges, so that the nodes lie exactly where
 *  `xs` and `ys` say and steps may differ. A quad with a corner that is not finite belongs to no region and no line.
 *
 *  Each quad contributes the polygon of its part above the level; sides shared by two such polygons cancel and what is
 *  left are the rings. Where two opposite corners are above, the mean of the four decides whether they are joined. */
export interface Contours {
  /** Rings of {v ≥ level}; holes turn the other way, so a nonzero fill is right. */
  readonly rings: Point[][]
  /** The level itself; closed lines end where they began. */
  readonly lines: Point[][]
}

export type Point = [x: number, y: number]

/** @param values row-major [ys × xs]. @param level −Infinity gives the region where there are values at all. */
export function contoursAt(
  xs: readonly number[],
  ys: readonly number[],
  values: ArrayLike<number>,
  level: number,
): Contours {
  const sides = new Map<string, Edge>()
  const crossings: Edge[] = []
  const columns = xs.length
  for (let j = 0; j + 1 < ys.length; j++) {
    for (let i = 0; i + 1 < columns; i++) {
      const a = j * columns + i
      const corners = [a, a + 1, a + columns + 1, a + columns]
      if (corners.every((k) => Number.isFinite(values[k]))) addQuad(corners, columns, values, level, sides, crossings)
    }
  }
  const point = (key: number): Point => locate(key, xs, ys, values, level)
  return {
    rings: chain([...sides.values(), ...crossings]).map((keys) => keys.map(point)),
    lines: chain(crossings).map((keys) => keys.map(point)),
  }
}

type Edge = readonly [from: number, to: number]

// Keys: 3k is node k, 3k+1 the crossing between nodes k and k+1, 3k+2 the one between k and the node above it.
const SIDE_KEYS = [
  (a: number): number => 3 * a + 1,
  (a: number): number => 3 * (a + 1) + 2,
  (a: number, columns: number): number => 3 * (a + columns) + 1,
  (a: number): number => 3 * a + 2,
]

function addQuad(
  corners: readonly number[],
  columns: number,
  values: ArrayLike<number>,
  level: number,
  sides: Map<string, Edge>,
  crossings: Edge[],
): void {
  const above = corners.map((k) => values[k] >= level)
  const crossing = (side: number): number => SIDE_KEYS[side](corners[0], columns)
  for (let side = 0; side < 4; side++) {
    const next = (side + 1) % 4
    const from = above[side] ? 3 * corners[side] : crossing(side)
    const to = above[next] ? 3 * corners[next] : crossing(side)
    if (from !== to) addSide(sides, from, to)
  }
  // Walking with the inside on the left, the line leaves where a side goes below and returns where one comes above.
  const leaves = [0, 1, 2, 3].filter((side) => above[side] && !above[(side + 1) % 4])
  const joined = leaves.length < 2 || corners.reduce((sum, k) => sum + values[k] / 4, 0) >= level
  for (const side of leaves) {
    const steps = joined ? [1, 2, 3] : [3, 2, 1]
    const back = steps.map((step) => (side + step) % 4).find((s) => !above[s] && above[(s + 1) % 4])
    if (back !== undefined) crossings.push([crossing(side), crossing(back)])
  }
}

function addSide(sides: Map<string, Edge>, from: number, to: number): void {
  if (!sides.delete(`${to},${from}`)) sides.set(`${from},${to}`, [from, to])
}

function chain(edges: readonly Edge[]): number[][] {
  const next = new Map<number, number[]>()
  const entering = new Map<number, number>()
  for (const [from, to] of edges) {
    const list = next.get(from)
    if (list === undefined) next.set(from, [to])
    else list.push(to)
    entering.set(to, (entering.get(to) ?? 0) + 1)
  }
  const open = [...next.keys()].filter((key) => !entering.has(key))
  const paths: number[][] = []
  for (const start of [...open, ...next.keys()]) {
    while ((next.get(start)?.length ?? 0) > 0) {
      const path = [start]
      for (let to = next.get(start)?.pop(); to !== undefined; to = next.get(to)?.pop()) {
        path.push(to)
        if (to === start) break
      }
      paths.push(path)
    }
  }
  return paths
}

function locate(
  key: number,
  xs: readonly number[],
  ys: readonly number[],
  values: ArrayLike<number>,
  level: number,
): Point {
  const columns = xs.length
  const node = Math.floor(key / 3)
  const i = node % columns
  const j = (node - i) / columns
  const kind = key % 3
  if (kind === 0) return [xs[i], ys[j]]
  const other = kind === 1 ? node + 1 : node + columns
  const share = (level - values[node]) / (values[other] - values[node])
  return kind === 1 ? [xs[i] + share * (xs[i + 1] - xs[i]), ys[j]] : [xs[i], ys[j] + share * (ys[j + 1] - ys[j])]
}
