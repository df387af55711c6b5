import { topologicalOrder } from '@thalweg/graph'
import type { Expr, InputExpr, Shape } from '@thalweg/graph'
import { AxisLabels, isUniformAlong } from './axis-labels.ts'
import type { AxisLayout } from './axis-labels.ts'

/** An operator that sums over an axis of units: what the next layer sees of them. */
export interface Contraction {
  readonly operand: Expr
  readonly axis: number
}

export interface PropagatedAxes {
  readonly labels: AxisLabels
  /** Layouts of every value's axes, in graph order. */
  readonly layouts: ReadonlyMap<Expr, readonly AxisLayout[]>
  readonly contractions: readonly Contraction[]
}

/** Elementwise operators: every axis means the same in operands and result. */
const elementwise: ReadonlySet<string> = new Set(
  (
    'Neg Abs Sign Reciprocal Sqrt Exp Log Sin Cos Atan Tanh Sigmoid Softplus Erf Relu Floor Ceil Round Not IsNaN IsInf ' +
    'Cast Add Sub Mul Div Pow Min Max Mod Equal Greater Less GreaterOrEqual LessOrEqual And Or Xor Where Expand ' +
    'Softmax LogSoftmax'
  ).split(' '),
)
/** Reductions that do not care for the order of what they reduce. */
const reductions: ReadonlySet<string> = new Set(['ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceLogSumExp'])

export interface PropagateOptions {
  /** Follow units through constants that differ from unit to unit, as stored batch-norm statistics do: then the axes are
   * the same units, but reordering them is no symmetry. Default false. */
  readonly constantsMove?: boolean
}

/** Follows which axes hold the same units through a network, operator by operator.
 *
 * Axes of `parameters` start as units that may be reordered; those of other inputs and of `outputs` are fixed. Whatever an
 * operator not known here touches is fixed too, so what remains reorderable is exact and the rest may be incomplete. */
export function propagateAxes(
  outputs: readonly Expr[],
  parameters: ReadonlySet<InputExpr>,
  options: PropagateOptions = {},
): PropagatedAxes {
  const state = new Propagation(parameters, options.constantsMove ?? false)
  for (const node of topologicalOrder(outputs)) state.visit(node)
  for (const output of outputs) for (const layout of state.layouts.get(output)!) state.labels.pin(layout)
  return state
}

class Propagation implements PropagatedAxes {
  readonly labels: AxisLabels = new AxisLabels()
  readonly layouts: Map<Expr, readonly AxisLayout[]> = new Map()
  readonly contractions: Contraction[] = []
  readonly #parameters: ReadonlySet<InputExpr>
  readonly #constantsMove: boolean

  constructor(parameters: ReadonlySet<InputExpr>, constantsMove: boolean) {
    this.#parameters = parameters
    this.#constantsMove = constantsMove
  }

  visit(node: Expr): void {
    this.layouts.set(node, this.#layoutsOf(node))
  }

  #of(node: Expr): readonly AxisLayout[] {
    return this.layouts.get(node)!
  }

  #layoutsOf(node: Expr): readonly AxisLayout[] {
    if (node.op === 'Input')
      return node.shape.map((size) => (this.#parameters.has(node) && size > 1 ? this.labels.fresh(size) : 'fixed'))
    if (node.op === 'Constant')
      // along an axis on which it is the same everywhere, a constant goes with any order
      return node.shape.map((size, axis) =>
        size > 1 && (this.#constantsMove || isUniformAlong(node.attributes.value, axis))
          ? this.labels.fresh(size)
          : 'fixed',
      )
    if (elementwise.has(node.op)) return this.#broadcast(node)
    if (reductions.has(node.op)) return this.#reduce(node)
    switch (node.op) {
      case 'MatMul':
        return this.#matmul(node)
      case 'Conv':
        return this.#convolution(node, node.attributes.groups)
      case 'MaxPool':
        return this.#of(node.inputs[0]).map((layout, axis) => (axis < 2 ? layout : this.#pinned(layout)))
      case 'Transpose':
        return node.attributes.perm.map((axis) => this.#of(node.inputs[0])[axis])
      case 'Reshape':
        return this.#reshape(node.inputs[0], node.shape)
      case 'Slice':
      case 'Pad':
        return this.#of(node.inputs[0]).map((layout, axis) =>
          node.shape[axis] === node.inputs[0].shape[axis] && !reverses(node, axis) ? layout : this.#pinned(layout),
        )
      case 'Concat':
        return this.#concat(node, node.attributes.axis)
      default:
        return this.#unknown(node)
    }
  }

  #pinned(layout: AxisLayout): AxisLayout {
    this.labels.pin(layout)
    return 'fixed'
  }

  /** An operator whose axes are not followed. */
  #unknown(node: Expr): readonly AxisLayout[] {
    for (const operand of node.inputs) for (const layout of this.#of(operand)) this.labels.pin(layout)
    return node.shape.map(() => 'fixed')
  }

  #broadcast(node: Expr): readonly AxisLayout[] {
    return node.shape.map((size, axis) => {
      let out: AxisLayout | undefined
      for (const operand of node.inputs) {
        const at = axis - (node.shape.length - operand.shape.length)
        // an axis of length 1 is repeated: the same for every unit
        if (at < 0 || operand.shape[at] !== size || size === 1) continue
        const layout = this.#of(operand)[at]
        if (out === undefined) out = layout
        else this.labels.unify(out, layout)
      }
      return out ?? (size > 1 ? this.labels.fresh(size) : 'fixed')
    })
  }

  #reduce(node: Expr): readonly AxisLayout[] {
    const { axes, keepDims } = node.attributes as { axes: readonly number[]; keepDims: boolean }
    const layouts = this.#of(node.inputs[0])
    if (keepDims) return layouts.map((layout, axis) => (axes.includes(axis) ? 'fixed' : layout))
    return layouts.filter((_, axis) => !axes.includes(axis))
  }

  #matmul(node: Expr): readonly AxisLayout[] {
    const [a, b] = node.inputs
    const [x, y] = [this.#of(a), this.#of(b)]
    this.labels.unify(x.at(-1)!, y.at(-2)!)
    this.#contracts(a, a.shape.length - 1)
    this.#contracts(b, b.shape.length - 2)
    const leading = node.shape.slice(0, -2).map((size, axis): AxisLayout => {
      const sides = [a, b].flatMap((operand) => {
        const at = axis - (node.shape.length - operand.shape.length)
        return at >= 0 && operand.shape[at] === size ? [this.#of(operand)[at]] : []
      })
      if (sides.length === 2) this.labels.unify(sides[0], sides[1])
      return sides[0] ?? 'fixed'
    })
    return [...leading, x.at(-2)!, y.at(-1)!]
  }

  #convolution(node: Expr, groups: number): readonly AxisLayout[] {
    const [x, w] = node.inputs
    const [data, weight] = [this.#of(x), this.#of(w)]
    for (const layout of [...data.slice(2), ...weight.slice(2)]) this.labels.pin(layout)
    const spatial = node.shape.slice(2).map((): AxisLayout => 'fixed')
    if (groups === 1) {
      this.labels.unify(data[1], weight[1])
      this.#contracts(x, 1)
      return [data[0], weight[0], ...spatial]
    }
    const depthwise = groups === x.shape[1] && groups === w.shape[0]
    if (depthwise) {
      this.labels.unify(data[1], weight[0])
      return [data[0], data[1], ...spatial]
    }
    for (const layout of [data[1], weight[0], weight[1]]) this.labels.pin(layout)
    return [data[0], 'fixed', ...spatial]
  }

  #contracts(operand: Expr, axis: number): void {
    if (operand.op !== 'Input' && operand.op !== 'Constant') this.contractions.push({ operand, axis })
  }

  #concat(node: Expr, along: number): readonly AxisLayout[] {
    return node.shape.map((_, axis) => {
      const parts = node.inputs.map((operand) => this.#of(operand)[axis])
      if (axis === along) {
        for (const layout of parts) this.labels.pin(layout)
        return 'fixed'
      }
      for (const layout of parts.slice(1)) this.labels.unify(parts[0], layout)
      return parts[0]
    })
  }

  #reshape(operand: Expr, shape: Shape): readonly AxisLayout[] {
    const out: AxisLayout[] = shape.map(() => 'fixed')
    for (const { from, to } of segmentsOf(operand.shape, shape)) {
      const layouts = from.map((axis) => this.#of(operand)[axis])
      const sizes = from.map((axis) => operand.shape[axis])
      const merged = this.#merge(layouts, sizes)
      this.#split(
        merged,
        to.map((axis) => shape[axis]),
      ).forEach((layout, i) => {
        out[to[i]] = layout
      })
    }
    return out
  }

  /** Several axes as one: at most one of them may hold units. */
  #merge(layouts: readonly AxisLayout[], sizes: readonly number[]): AxisLayout {
    const resolved = layouts.map((layout) => this.labels.resolve(layout))
    const movable = resolved.filter((layout) => layout !== 'fixed')
    if (movable.length !== 1) {
      for (const layout of movable) this.labels.pin(layout)
      return 'fixed'
    }
    const at = resolved.findIndex((layout) => layout !== 'fixed')
    const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1)
    const [layout] = movable
    return {
      label: layout.label,
      outer: layout.outer * product(sizes.slice(0, at)),
      inner: layout.inner * product(sizes.slice(at + 1)),
    }
  }

  /** One axis as several: the units must fall into one of them. */
  #split(layout: AxisLayout, sizes: readonly number[]): AxisLayout[] {
    const fixed = sizes.map((): AxisLayout => 'fixed')
    if (layout === 'fixed') return fixed
    let before = 1
    for (const [i, size] of sizes.entries()) {
      const inner = layout.inner / sizes.slice(i + 1).reduce((a, b) => a * b, 1)
      const outer = layout.outer / before
      if (
        Number.isInteger(inner) &&
        Number.isInteger(outer) &&
        outer * this.labels.sizeOf(layout.label) * inner === size
      ) {
        fixed[i] = { label: layout.label, outer, inner }
        return fixed
      }
      before *= size
    }
    this.labels.pin(layout)
    return fixed
  }
}

/** A slice with a negative step reorders without changing the length. */
function reverses(node: Expr, axis: number): boolean {
  if (node.op === 'Slice') return node.attributes.steps[axis] !== 1
  if (node.op === 'Pad') return node.attributes.before[axis] !== 0 || node.attributes.after[axis] !== 0
  return false
}

/** The shortest runs of axes with equal products; an axis of length 1 may stand alone. */
function segmentsOf(from: Shape, to: Shape): { from: number[]; to: number[] }[] {
  const segments: { from: number[]; to: number[] }[] = []
  let i = 0
  let j = 0
  while (i < from.length || j < to.length) {
    const segment = { from: [] as number[], to: [] as number[] }
    let a = 1
    let b = 1
    do {
      if (j >= to.length || (i < from.length && a <= b)) {
        segment.from.push(i)
        a *= from[i++]
      } else {
        segment.to.push(j)
        b *= to[j++]
      }
    } while (a !== b && (i < from.length || j < to.length))
    segments.push(segment)
  }
  return segments
}
