/** Values on the nodes of a rectangular grid, row-major [ys × xs]; coordinates ascend, steps may differ. */
export interface Grid {
  readonly xs: readonly number[] | Float64Array
  readonly ys: readonly number[] | Float64Array
  readonly values: ArrayLike<number>
}

/** x₀ y₀ x₁ y₁ …; a closed line ends where it began. */
export type Polyline = number[]

/** The lines of one level, linear along the edges of the grid. A cell with a corner that is not finite has none, so that a
 *  line ends at the rim of a hole. Where two opposite corners are above, the mean of the four decides whether they are
 *  joined. */
export function contourLines(grid: Grid, level: number): Polyline[] {
  const links = new Map<number, number[]>()
  const { xs, ys, values } = grid
  const columns = xs.length
  for (let j = 0; j + 1 < ys.length; j++)
    for (let i = 0; i + 1 < columns; i++) linkCell(links, values, j * columns + i, columns, level)
  return chains(links).map((edges) => edges.flatMap((edge) => crossing(grid, edge, level)))
}

// An edge of the grid: 2k from node k to the right, 2k + 1 from node k upwards.
function linkCell(
  links: Map<number, number[]>,
  values: ArrayLike<number>,
  a: number,
  columns: number,
  level: number,
): void {
  const corners = [values[a], values[a + 1], values[a + columns + 1], values[a + columns]]
  if (!corners.every(Number.isFinite)) return
  const edges = [2 * a, 2 * (a + 1) + 1, 2 * (a + columns), 2 * a + 1]
  const above = corners.map((value) => value >= level)
  const cut = edges.filter((_, side) => above[side] !== above[(side + 1) % 4])
  if (cut.length === 2) return join(links, cut[0], cut[1])
  if (cut.length !== 4) return
  const joined = corners.reduce((sum, value) => sum + value / 4, 0) >= level
  // Lines run around the corners that are alone.
  const [first, second] = joined === above[0] ? [1, 3] : [0, 2]
  for (const corner of [first, second]) join(links, edges[corner], edges[(corner + 3) % 4])
}

function join(links: Map<number, number[]>, a: number, b: number): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ]) {
    const known = links.get(from)
    if (known) known.push(to)
    else links.set(from, [to])
  }
}

function chains(links: Map<number, number[]>): number[][] {
  const result: number[][] = []
  const ends = [...links.keys()].filter((key) => links.get(key)?.length === 1)
  for (const start of [...ends, ...links.keys()]) {
    if (!links.get(start)?.length) continue
    const chain = [start]
    for (let at = start; ; ) {
      const next = links.get(at)?.pop()
      if (next === undefined) break
      const back = links.get(next)
      back?.splice(back.indexOf(at), 1)
      chain.push(next)
      at = next
      if (at === start) break
    }
    result.push(chain)
  }
  return result
}

function crossing({ xs, ys, values }: Grid, edge: number, level: number): [number, number] {
  const node = edge >> 1
  const i = node % xs.length
  const j = (node - i) / xs.length
  const upwards = edge % 2 === 1
  const other = upwards ? node + xs.length : node + 1
  const share = (level - values[node]) / (values[other] - values[node])
  return upwards ? [xs[i], ys[j] + share * (ys[j + 1] - ys[j])] : [xs[i] + share * (xs[i + 1] - xs[i]), ys[j]]
}

/** Round numbers inside [low, high], steps of 1, 2 or 5 times a power of ten. */
export function roundLevels(low: number, high: number, count: number): number[] {
  if (!(high > low)) return []
  const rough = (high - low) / Math.max(1, count)
  const power = 10 ** Math.floor(Math.log10(rough))
  const lead = rough / power
  const step = (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10) * power
  const levels: number[] = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-12) + 1e-300 && levels.length < 400; k++)
    levels.push(Number((k * step).toPrecision(12)))
  return levels
}
