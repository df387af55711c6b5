import { dependents, isFloat, numbersOf, sizeOf, sub, topologicalOrder } from '@thalweg/graph'
import type { Expr, OperatorName, Tensor } from '@thalweg/graph'
import type { Chunk } from '../../loss/chunks.ts'
import type { Loss } from '../../loss/loss.ts'
import { norm } from '../../linalg/vector.ts'
import { randomStream } from '../../random/random-stream.ts'
import { fullyConnected } from './fully-connected.ts'
import { nodeValues } from './node-values.ts'

/** The kinks of one operator of the loss's graph, over all data. */
export interface OperatorKinks {
  /** Position among the operators with kinks, in order of evaluation. */
  readonly position: number
  readonly operator: OperatorName
  /** Elements over all samples. */
  readonly elements: number
  /** Smallest distance to the kink, in units of the operator's argument. */
  readonly distance: number
  /** The same relative to the root mean square of the argument. */
  readonly relativeDistance: number
  /** Elements on the kink to rounding of the argument that a small move of θ moves off it. */
  readonly onKink: number
}

/** A hidden unit of a fully connected network. */
export interface HiddenUnit {
  /** 0 is the first hidden layer. */
  readonly layer: number
  readonly unit: number
}

export interface KinkReport {
  readonly operators: readonly OperatorKinks[]
  /** The smallest distance of all; Infinity for smooth losses. */
  readonly distance: number
  readonly relativeDistance: number
  /** Elements on a kink to rounding (ties included) that θ moves. */
  readonly onKink: number
  /** ReLU units that are off on every sample. */
  readonly deadUnits: readonly HiddenUnit[]
  /** ReLU units that are on on every sample, and so linear there. */
  readonly linearUnits: readonly HiddenUnit[]
  /** How many ReLU units, or channels of convolutions at all their places, are off or on for every sample, in any network. */
  readonly constantUnits: { readonly off: number; readonly on: number }
}

interface KinkNode {
  readonly operator: OperatorName
  /** What becomes zero at the kink; for windows, what they choose from. */
  readonly argument: Expr
  /** Smallest distances from the values of the argument, one per element. */
  readonly gaps: (value: Tensor) => Float64Array
  /** On which side of the kink each element lies. */
  readonly side: (value: Tensor) => Float64Array
}

/** Arguments this small, relative to their root mean square, are zero to rounding. */
const roundingGap = 2 ** -46

const signs = (value: Tensor): Float64Array => numbersOf(value).map(Math.sign)
const moduli = (value: Tensor): Float64Array => numbersOf(value).map(Math.abs)
const stepOf = (offset: number) => (value: Tensor) => numbersOf(value).map((x) => Math.floor(x - offset))
/** Distance to the nearest point where a rounding function jumps. */
const toJump = (offset: number) => (value: Tensor) =>
  numbersOf(value).map((x) => Math.abs(x - offset - Math.round(x - offset)))

/** Kinks of the loss at θ over all data: how far the arguments of every operator that is not smooth lie from where it
 * is not, and ReLU units that never fire. Within that distance in activation space the loss is a smooth function and
 * verdicts are about it. Elements that stay on the kink wherever θ moves (a bias-free unit at x = 0, ties of constants)
 * do not count.
 * Cost: one forward pass, another where an argument is exactly on its kink. */
export async function kinksOf(loss: Loss, theta: Float64Array): Promise<KinkReport> {
  const first = kinkNodes(loss, loss.chunks[0].size)
  const stats = first.map(() => ({ elements: 0, distance: Number.POSITIVE_INFINITY, squares: 0, values: 0, onKink: 0 }))
  const ranges = first.map(() => new Map<number, UnitRange>())
  const sampleAxes = sampleAxesOf(loss, first)
  const step = 1e-6 * Math.max(1e-3, norm(theta) / Math.sqrt(theta.length))
  const moved = theta.map((t, i) => t + step * randomStream(0, 'kink probe', i).normal())
  for (const chunk of first.length === 0 ? [] : loss.chunks) {
    const values = await argumentsAt(loss, theta, chunk)
    let others: Tensor[] | null = null
    for (const [i, node] of first.entries()) {
      const gaps = node.gaps(values[i])
      const stat = stats[i]
      stat.elements += gaps.length
      const numbers = numbersOf(values[i])
      const squares = numbers.reduce((s, x) => s + x * x, 0)
      stat.squares += squares
      stat.values += numbers.length
      const least = roundingGap * Math.sqrt(squares / numbers.length)
      if (gaps.includes(0)) others ??= await argumentsAt(loss, moved, chunk)
      const otherGaps = others && gaps.includes(0) ? node.gaps(others[i]) : null
      for (let j = 0; j < gaps.length; j++) {
        if (gaps[j] === 0 && otherGaps !== null && otherGaps[j] === 0) continue
        if (gaps[j] <= least) stat.onKink++
        if (gaps[j] < stat.distance) stat.distance = gaps[j]
      }
      if (node.operator === 'Relu') noteRange(values[i], unitAxisOf(node.argument, sampleAxes[i]), ranges[i])
    }
  }
  const operators = stats.map(({ elements, distance, squares, values, onKink }, position): OperatorKinks => {
    const typical = Math.sqrt(squares / Math.max(1, values))
    const relativeDistance = typical > 0 ? distance / typical : distance
    return { position, operator: first[position].operator, elements, distance, relativeDistance, onKink }
  })
  return {
    operators,
    distance: Math.min(Number.POSITIVE_INFINITY, ...operators.map((o) => o.distance)),
    relativeDistance: Math.min(Number.POSITIVE_INFINITY, ...operators.map((o) => o.relativeDistance)),
    onKink: operators.reduce((sum, o) => sum + o.onKink, 0),
    deadUnits: unitsOf(loss, first, ranges, ({ largest }) => largest < 0),
    linearUnits: unitsOf(loss, first, ranges, ({ smallest }) => smallest > 0),
    constantUnits: {
      off: countUnits(ranges, ({ largest }) => largest < 0),
      on: countUnits(ranges, ({ smallest }) => smallest > 0),
    },
  }
}

/** The arguments of one unit over all samples. */
interface UnitRange {
  readonly smallest: number
  readonly largest: number
}

/** The axis of each argument that counts samples: the one that grows with the batch. Layers may keep samples in rows or
 * in columns. */
function sampleAxesOf(loss: Loss, nodes: readonly KinkNode[]): number[] {
  const larger = kinkNodes(loss, loss.chunks[0].size + 1)
  return nodes.map(({ argument }, i) => argument.shape.findIndex((d, axis) => larger[i].argument.shape[axis] !== d))
}

/** The axis of an argument that counts units: channels where a convolution made it, features elsewhere. */
function unitAxisOf(argument: Expr, sampleAxis: number): number {
  const axes = argument.shape.length
  if (axes === 2) return 1 - sampleAxis
  let maker = argument
  while (maker.op !== 'Conv' && maker.op !== 'MatMul' && maker.inputs.length > 0) maker = maker.inputs[0]
  return maker.op === 'Conv' ? 1 : axes - 1
}

/** Extends the ranges of the units of a layer, over samples and places. */
function noteRange(value: Tensor, unitAxis: number, ranges: Map<number, UnitRange>): void {
  const width = value.shape[unitAxis]
  const after = sizeOf(value.shape.slice(unitAxis + 1))
  const numbers = numbersOf(value)
  for (let j = 0; j < numbers.length; j++) {
    const unit = Math.floor(j / after) % width
    const known = ranges.get(unit)
    const smallest = Math.min(known?.smallest ?? Number.POSITIVE_INFINITY, numbers[j])
    const largest = Math.max(known?.largest ?? Number.NEGATIVE_INFINITY, numbers[j])
    ranges.set(unit, { smallest, largest })
  }
}

function countUnits(ranges: readonly Map<number, UnitRange>[], holds: (range: UnitRange) => boolean): number {
  return ranges.reduce((sum, units) => sum + [...units.values()].filter(holds).length, 0)
}

/** In a fully connected network the k-th Relu is hidden layer k. */
function unitsOf(
  loss: Loss,
  nodes: readonly KinkNode[],
  ranges: readonly Map<number, UnitRange>[],
  holds: (range: UnitRange) => boolean,
): HiddenUnit[] {
  if (fullyConnected(loss.model) === null) return []
  const relus = nodes.flatMap(({ operator }, i) => (operator === 'Relu' ? [i] : []))
  return relus.flatMap((i, layer) =>
    [...ranges[i].entries()].flatMap(([unit, range]) => (holds(range) ? [{ layer, unit }] : [])),
  )
}

function argumentsAt(loss: Loss, theta: Float64Array, chunk: Chunk): Promise<Tensor[]> {
  return nodeValues(loss, theta, chunk, 'kinks', () => kinkNodes(loss, chunk.size).map(({ argument }) => argument))
}

/** Whether every operator of the loss that is not smooth is on the same side of its kinks at both points.
 * Cost: two forward passes. */
export async function onSamePiece(loss: Loss, a: Float64Array, b: Float64Array): Promise<boolean> {
  const nodes = kinkNodes(loss, loss.chunks[0].size)
  for (const chunk of nodes.length === 0 ? [] : loss.chunks) {
    const [here, there] = [await argumentsAt(loss, a, chunk), await argumentsAt(loss, b, chunk)]
    for (const [i, { side }] of nodes.entries()) {
      const [first, second] = [side(here[i]), side(there[i])]
      if (first.some((x, j) => x !== second[j])) return false
    }
  }
  return true
}

function kinkNodes(loss: Loss, batch: number): KinkNode[] {
  const { sum, theta } = loss.graph(batch)
  const order = topologicalOrder([sum])
  const moving = dependents(order, [theta])
  const nodes: KinkNode[] = []
  for (const node of order) {
    if (!moving.has(node)) continue
    const found = kinkOf(node)
    if (found && !nodes.some((k) => k.argument === found.argument && k.gaps === found.gaps)) nodes.push(found)
  }
  return nodes
}

function kinkOf(node: Expr): KinkNode | null {
  const [a, b] = node.inputs as readonly Expr[]
  const at = (argument: Expr, gaps: KinkNode['gaps'] = moduli, side: KinkNode['side'] = signs): KinkNode | null =>
    isFloat(argument.dtype) ? { operator: node.op as OperatorName, argument, gaps, side } : null
  const choice = (groups: (shape: readonly number[]) => Iterable<readonly number[]>, sign: number): KinkNode | null =>
    at(
      a,
      (value) => topGaps(value, groups(value.shape), sign),
      (value) => topPositions(value, groups(value.shape), sign),
    )
  switch (node.op) {
    case 'Relu':
    case 'Abs':
    case 'Sign':
    case 'Sqrt':
      return at(a)
    case 'Floor':
    case 'Ceil':
      return at(a, toJump(0), stepOf(0))
    case 'Round':
      return at(a, toJump(0.5), stepOf(0.5))
    case 'Greater':
    case 'Less':
    case 'GreaterOrEqual':
    case 'LessOrEqual':
    case 'Max':
    case 'Min':
      return isFloat(a.dtype) ? at(sub(a, b)) : null
    case 'ReduceMax':
    case 'ReduceMin': {
      const { axes } = node.attributes
      return choice((shape) => groupsOverAxes(shape, axes), node.op === 'ReduceMax' ? 1 : -1)
    }
    case 'MaxPool': {
      const { shape, attributes } = node
      return choice(() => windowGroups(a.shape, shape, attributes), 1)
    }
    default:
      return null
  }
}

/** The position of the largest of each group (the smallest for sign −1). */
function topPositions(value: Tensor, groups: Iterable<readonly number[]>, sign: number): Float64Array {
  const numbers = numbersOf(value)
  const best: number[] = []
  for (const group of groups)
    best.push(group.reduce((a, b) => (sign * numbers[b] > sign * numbers[a] ? b : a), group[0]))
  return Float64Array.from(best)
}

/** Largest minus second largest of each group of positions (smallest ones for sign −1). */
function topGaps(value: Tensor, groups: Iterable<readonly number[]>, sign: number): Float64Array {
  const numbers = numbersOf(value)
  const gaps: number[] = []
  for (const group of groups) {
    let [best, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const position of group) {
      const x = sign * numbers[position]
      if (x > best) [best, second] = [x, best]
      else if (x > second) second = x
    }
    gaps.push(best - second)
  }
  return Float64Array.from(gaps)
}

function groupsOverAxes(shape: readonly number[], axes: readonly number[]): number[][] {
  const groups = new Map<number, number[]>()
  for (let position = 0; position < sizeOf(shape); position++) {
    let [rest, key, stride] = [position, 0, 1]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const index = rest % shape[axis]
      rest = Math.floor(rest / shape[axis])
      if (axes.includes(axis)) continue
      key += index * stride
      stride *= shape[axis]
    }
    const group = groups.get(key)
    if (group) group.push(position)
    else groups.set(key, [position])
  }
  return [...groups.values()]
}

interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padsBegin: readonly number[]
}

/** Positions of each pooling window in the operand [n, channels, …]; padding is left out. */
function* windowGroups(shape: readonly number[], output: readonly number[], window: Window): Iterable<number[]> {
  const spatial = shape.slice(2)
  const outputs = output.slice(2)
  const plane = sizeOf(spatial)
  const offsets = positions(window.kernel)
  for (let p = 0; p < shape[0] * shape[1]; p++)
    for (const place of positions(outputs)) {
      const group: number[] = []
      for (const offset of offsets) {
        const at = place.map((o, i) => o * window.strides[i] + offset[i] * window.dilations[i] - window.padsBegin[i])
        if (at.some((x, i) => x < 0 || x >= spatial[i])) continue
        group.push(p * plane + at.reduce((sum, x, i) => sum * spatial[i] + x, 0))
      }
      yield group
    }
}

/** All multi-indices below a shape, row-major. */
function positions(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, length) => all.flatMap((head) => Array.from({ length }, (_, i) => [...head, i])),
    [[]],
  )
}
