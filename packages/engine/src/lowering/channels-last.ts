import { concat, expand, make, range, reduceSum, reshape, sizeOf, transpose, withOperands } from '@thalweg/graph'
import type { Expr, Operation, OperatorName, Shape } from '@thalweg/graph'

const elementwise: ReadonlySet<OperatorName> = new Set<OperatorName>([
  ...(['Neg', 'Abs', 'Sign', 'Reciprocal', 'Sqrt', 'Exp', 'Log', 'Sin', 'Cos', 'Atan', 'Tanh', 'Sigmoid'] as const),
  ...(['Softplus', 'Erf', 'Relu', 'Floor', 'Ceil', 'Round', 'Not', 'IsNaN', 'IsInf', 'Cast'] as const),
  ...(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Mod', 'Where', 'And', 'Or', 'Xor'] as const),
  ...(['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual'] as const),
])

/** Values [N,C,…] that are also known as rows [N, positions, C], the layout in which float64 convolutions are computed.
 *
 * What follows a convolution one entry at a time is computed on its rows, so that between two convolutions nothing is
 * transposed. The [N,C,…] form stands beside it for whoever needs it, and is not computed where nobody does. */
export class ChannelsLast {
  readonly #rows = new Map<Expr, Expr>()

  /** The value whose rows these are. */
  keep(rows: Expr, shape: Shape): Expr {
    const [n, c, ...spatial] = shape
    const value = reshape(transpose(reshape(rows, [n, sizeOf(spatial), c]), [0, 2, 1]), shape)
    this.#rows.set(value, reshape(rows, [n, sizeOf(spatial), c]))
    return value
  }

  /** [N,C,…] → [N, positions, C] */
  rows(x: Expr): Expr {
    const known = this.#rows.get(x)
    if (known) return known
    const [n, c, ...spatial] = x.shape
    const narrow = x.op === 'Expand' ? broadcastRows(x.inputs[0], x.shape) : undefined
    if (narrow) return expand(narrow, [n, sizeOf(spatial), c])
    return transpose(reshape(x, [n, c, sizeOf(spatial)]), [0, 2, 1])
  }

  /** A node over rows where an operand has them and its operator allows it; undefined elsewhere. */
  follow(node: Expr, lower: (node: Expr) => Expr): Expr | undefined {
    if (!node.inputs.some((x) => this.#rows.has(x))) return undefined
    switch (node.op) {
      case 'ReduceSum':
        return this.#sum(node)
      case 'Slice':
        return this.#sliced(node)
      case 'Pad':
        return this.#padded(node)
      case 'Concat':
        return this.#joined(node)
      default:
        return elementwise.has(node.op as OperatorName) ? this.#entrywise(node, lower) : undefined
    }
  }

  #entrywise(node: Expr, lower: (node: Expr) => Expr): Expr | undefined {
    const operands = node.inputs.map((x) =>
      sameShape(x.shape, node.shape) ? this.rows(x) : broadcastRows(x, node.shape),
    )
    if (!operands.every((x) => x !== undefined)) return undefined
    return this.keep(lower(withOperands(node, operands)), node.shape)
  }

  /** Sums over all positions, with or without the samples. */
  #sum(node: Operation<'ReduceSum'>): Expr | undefined {
    const [x] = node.inputs
    const { axes } = node.attributes
    const positions = range(x.shape.length - 2).map((i) => i + 2)
    if (sameShape(axes, positions)) return reshape(reduceSum(this.rows(x), [1]), node.shape)
    if (sameShape(axes, [0, ...positions])) return reshape(reduceSum(this.rows(x), [0, 1]), node.shape)
    return undefined
  }

  /** Rows with the spatial axes apart: [N, …, C]. */
  #grid(x: Expr): Expr {
    const [n, c, ...spatial] = x.shape
    return reshape(this.rows(x), [n, ...spatial, c])
  }

  #sliced(node: Operation<'Slice'>): Expr {
    const { starts, ends, steps } = node.attributes
    const attributes = { starts: moved(starts), ends: moved(ends), steps: moved(steps) }
    return this.keep(make('Slice', [this.#grid(node.inputs[0])], attributes), node.shape)
  }

  #padded(node: Operation<'Pad'>): Expr {
    const { before, after, value } = node.attributes
    const attributes = { before: moved(before), after: moved(after), value }
    return this.keep(make('Pad', [this.#grid(node.inputs[0])], attributes), node.shape)
  }

  #joined(node: Operation<'Concat'>): Expr {
    const axes = moved(range(node.shape.length))
    const grids = node.inputs.map((x) => this.#grid(x))
    return this.keep(concat(grids, axes.indexOf(node.attributes.axis)), node.shape)
  }
}

/** Entries per axis of [N,C,…] in the order [N,…,C]. */
function moved([n, c, ...spatial]: readonly number[]): number[] {
  return [n, ...spatial, c]
}

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i])

/** A value that is broadcast to [N,C,…], as one that is broadcast to [N, positions, C]; undefined where it varies along
 * some spatial axes only, or along channels and positions. */
function broadcastRows(x: Expr, shape: Shape): Expr | undefined {
  const [n, c, ...spatial] = [...shape.map(() => 1).slice(x.shape.length), ...x.shape]
  if (spatial.every((d) => d === 1)) return reshape(x, [n, 1, c])
  if (c === 1 && sameShape(spatial, shape.slice(2))) return reshape(x, [n, sizeOf(spatial), 1])
  return undefined
}
