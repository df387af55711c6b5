import { ShapeError } from '@thalweg/graph'

/** A minimum of values on a grid and where its basin meets a deeper one. */
export interface GridMinimum {
  /** Position in `values`. */
  readonly node: number
  readonly value: number
  /** The node at which the basin joins that of a deeper minimum; null for the deepest of its component. */
  readonly saddle: { readonly node: number; readonly value: number } | null
  /** saddle − value: how much the loss must rise to leave the basin. Infinity for the deepest. */
  readonly persistence: number
  /** Node of the minimum whose basin it joins; null for the deepest. */
  readonly parent: number | null
}

/** The merge tree of the sublevel sets of values on a rectangular grid: which basins there are and at what loss they meet.
 *
 * Nodes neighbor each other along axes and diagonals. Of equal values the earlier node counts as lower, so a plateau is one
 * minimum. Nodes that are not finite belong to no basin.
 * @param shape  lengths of the axes, the fastest first, as `LossPlane` lies: [x.length, y.length].
 * @returns minima by descending persistence, so the deepest comes first.
 * Cost: O(n log n). Source: Edelsbrunner, Letscher & Zomorodian 2002; the elder rule. */
export function gridMinima(values: Float64Array, shape: readonly number[]): GridMinimum[] {
  const total = shape.reduce((product, length) => product * length, 1)
  if (total !== values.length)
    throw new ShapeError(`gridMinima: values must fill the grid [${shape}], got ${values.length}.`)
  const order = Array.from(values.keys())
    .filter((k) => Number.isFinite(values[k]))
    .sort((a, b) => values[a] - values[b] || a - b)
  const basins = new Int32Array(total).fill(-1)
  const root = (k: number): number => {
    let at = k
    while (basins[at] !== at) {
      basins[at] = basins[basins[at]]
      at = basins[at]
    }
    return at
  }
  const older = (a: number, b: number): boolean => values[a] < values[b] || (values[a] === values[b] && a < b)
  const minima: GridMinimum[] = []
  for (const node of order) {
    basins[node] = node
    for (const neighbor of neighborsOf(node, shape)) {
      if (basins[neighbor] < 0) continue
      const [a, b] = [root(node), root(neighbor)]
      if (a === b) continue
      // the root of a basin is its minimum; the younger basin ends here
      const [elder, younger] = older(a, b) ? [a, b] : [b, a]
      basins[younger] = elder
      if (younger !== node)
        minima.push({
          node: younger,
          value: values[younger],
          saddle: { node, value: values[node] },
          persistence: values[node] - values[younger],
          parent: elder,
        })
    }
  }
  const deepest = order
    .filter((k) => root(k) === k)
    .map((node) => ({ node, value: values[node], saddle: null, persistence: Number.POSITIVE_INFINITY, parent: null }))
  return [...deepest, ...minima].sort((a, b) =>
    a.persistence === b.persistence ? a.node - b.node : b.persistence - a.persistence,
  )
}

function neighborsOf(node: number, shape: readonly number[]): number[] {
  let around = [{ node: 0, stride: 1, rest: node }]
  for (const length of shape)
    around = around.flatMap(({ node: at, stride, rest }) => {
      const here = rest % length
      return [here - 1, here, here + 1]
        .filter((i) => i >= 0 && i < length)
        .map((i) => ({ node: at + i * stride, stride: stride * length, rest: Math.floor(rest / length) }))
    })
  return around.map((n) => n.node).filter((n) => n !== node)
}
