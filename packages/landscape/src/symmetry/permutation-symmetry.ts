import { DomainError, ShapeError, input } from '@thalweg/graph'
import type { Expr, InputExpr } from '@thalweg/graph'
import { parameterCount, parameterRanges } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import { randomStream } from '../random/index.ts'
import type { AxisLayout } from './axis-labels.ts'
import { propagateAxes } from './propagate-axes.ts'
import type { Contraction, PropagatedAxes } from './propagate-axes.ts'

/** A set of hidden units (neurons, channels) whose order does not change the function. */
export interface UnitGroup {
  /** After the first parameter that has an output axis of these units. */
  readonly name: string
  readonly size: number
}

/** How a parameter's axis holds units: outer × units × inner; null where order matters. */
export type UnitAxis = { readonly group: number; readonly outer: number; readonly inner: number } | null

/** Every reordering of hidden units that leaves a network's function unchanged, as far as its graph shows. */
export interface PermutationSymmetry {
  readonly groups: readonly UnitGroup[]
  /** Per parameter, in the model's order, one entry per axis. */
  readonly axes: readonly (readonly UnitAxis[])[]
}

/** One order per group: position i of the result takes unit `order[i]`. */
export type Permutation = readonly Uint32Array[]

/** The permutation symmetries of a model, read off its graph: units of a parameter's axis may be reordered together with
 * every other axis that holds the same units, layer after layer, through convolutions, flattening and residual sums.
 *
 * Works for any model, of ours or from a file. What an operator does to an axis that is not understood fixes the order there
 * (group normalisation and padded shortcuts do), so each group found is exact and some may be missing. Batch-norm statistics
 * that are constants of a file fix their channels: make them parameters to move them along.
 * @returns no groups for a model without hidden units. Cost: one pass over the graph. */
export function permutationSymmetry(model: Model): PermutationSymmetry {
  return symmetryGraph(model, 2).symmetry
}

/** The symmetry with the graph it was read from, for a number of samples. */
export interface SymmetryGraph {
  readonly symmetry: PermutationSymmetry
  readonly parameters: readonly InputExpr[]
  readonly inputs: readonly InputExpr[]
  /** For each group a value of the network in which its units stand on an axis: what the next layer reads. */
  readonly activations: readonly ({ readonly value: Expr; readonly axis: number; readonly layout: UnitAxis } | null)[]
}

export function symmetryGraph(model: Model, samples: number): SymmetryGraph {
  const parameters = model.parameters.map(({ name, shape }) => input(`parameter_${name}`, 'float64', shape))
  const inputs = model.inputs.map((i) =>
    input(`input_${i.name}`, i.dtype === 'float' ? 'float64' : i.dtype, [samples, ...i.shape]),
  )
  const output = model.forward(parameters, inputs)
  const found = propagateAxes([output], new Set(parameters))
  const numbers = new Map<number, number>()
  const groups: UnitGroup[] = []
  const unitAxis = (layout: AxisLayout, name: string): UnitAxis => {
    const at = found.labels.resolve(layout)
    if (at === 'fixed') return null
    if (!numbers.has(at.label)) {
      numbers.set(at.label, groups.length)
      groups.push({ name, size: found.labels.sizeOf(at.label) })
    }
    return { group: numbers.get(at.label)!, outer: at.outer, inner: at.inner }
  }
  const reached = new Set(found.layouts.keys())
  const axes = model.parameters.map(({ name, shape }, i) => {
    // a parameter that the output does not depend on has no order to keep, and none to match
    if (!reached.has(parameters[i])) return shape.map(() => null)
    return found.layouts.get(parameters[i])!.map((layout) => unitAxis(layout, name))
  })
  const activations = groups.map((_, group) => activationOf(found, inputs, (layout) => unitAxis(layout, ''), group))
  return { symmetry: { groups, axes }, parameters, inputs, activations }
}

/** The first contraction over a group's units whose operand depends on the data. */
function activationOf(
  { contractions, layouts }: PropagatedAxes,
  inputs: readonly Expr[],
  unitAxis: (layout: AxisLayout) => UnitAxis,
  group: number,
): SymmetryGraph['activations'][number] {
  const onData = new Map<Expr, boolean>()
  for (const node of layouts.keys()) onData.set(node, inputs.includes(node) || node.inputs.some((x) => onData.get(x)))
  const reads = ({ operand, axis }: Contraction): boolean =>
    onData.get(operand) === true && unitAxis(layouts.get(operand)![axis])?.group === group
  const first = contractions.find(reads)
  if (!first) return null
  return { value: first.operand, axis: first.axis, layout: unitAxis(layouts.get(first.operand)![first.axis]) }
}

/** Number of parameter vectors with the same function that reordering units alone makes: ∏ n_g!. */
export function permutationCopies({ groups }: PermutationSymmetry): bigint {
  return groups.reduce((product, { size }) => product * factorial(size), 1n)
}

/** Activations with σ(−z) = −σ(z): a unit's incoming and outgoing weights may change sign together. */
const oddActivations: ReadonlySet<string> = new Set(['linear', 'tanh', 'erf', 'sin', 'softsign', 'hard-tanh'])

/** The same with sign changes where they are known: ∏ 2ⁿ n! for fully connected networks with an odd activation and no
 * skips. Positive rescalings of ReLU units come on top as continuous families. */
export function symmetricCopies(model: Model, symmetry: PermutationSymmetry = permutationSymmetry(model)): bigint {
  const { architecture } = model
  const odd = architecture.kind === 'mlp' && !architecture.skip && oddActivations.has(architecture.activation)
  // layers of a single unit have no order, so they are no group, but they have a sign
  const units = odd ? architecture.widths.slice(1, -1).reduce((sum, width) => sum + width, 0) : 0
  return permutationCopies(symmetry) * 2n ** BigInt(units)
}

function factorial(n: number): bigint {
  let product = 1n
  for (let k = 2n; k <= BigInt(n); k++) product *= k
  return product
}

/** Orders that change nothing. */
export function identityPermutation({ groups }: PermutationSymmetry): Permutation {
  return groups.map(({ size }) => Uint32Array.from({ length: size }, (_, i) => i))
}

/** Uniformly random orders. */
export function randomPermutation({ groups }: PermutationSymmetry, seed: number): Permutation {
  return groups.map(({ size }, group) => randomStream(seed, 'unit permutation', group).permutation(size))
}

/** Orders that undo others: applying both changes nothing. */
export function invertPermutation(permutation: Permutation): Permutation {
  return permutation.map((order) => {
    const inverse = new Uint32Array(order.length)
    order.forEach((from, to) => {
      inverse[from] = to
    })
    return inverse
  })
}

/** θ with its hidden units reordered; the function is the same to the order of its sums.
 * @throws {ShapeError} if θ or an order has another size; {DomainError} if an order is none. */
export function permuteUnits(
  model: Model,
  symmetry: PermutationSymmetry,
  theta: Float64Array,
  permutation: Permutation,
): Float64Array {
  if (theta.length !== parameterCount(model))
    throw new ShapeError(`permuteUnits: θ must have ${parameterCount(model)} entries, got ${theta.length}.`)
  checkPermutation(symmetry, permutation)
  const out = new Float64Array(theta.length)
  parameterRanges(model).forEach(({ parameter, start, end }, i) => {
    const sources = sourcesOf(parameter.shape, symmetry.axes[i], permutation)
    for (let at = 0; at < end - start; at++) out[start + at] = theta[start + sources[at]]
  })
  return out
}

function checkPermutation({ groups }: PermutationSymmetry, permutation: Permutation): void {
  if (permutation.length !== groups.length)
    throw new ShapeError(`permuteUnits: one order per group of units, got ${permutation.length} for ${groups.length}.`)
  for (const [g, order] of permutation.entries())
    if (order.length !== groups[g].size || new Set(order).size !== order.length || order.some((u) => u >= order.length))
      throw new DomainError(
        `permuteUnits: group ${groups[g].name} needs each of 0…${groups[g].size - 1} once, got ${order.length} entries that are not that.`,
      )
}

/** For each element of a parameter, the element of the old one that stands there now. */
function sourcesOf(shape: readonly number[], axes: readonly UnitAxis[], permutation: Permutation): Int32Array {
  const total = shape.reduce((a, b) => a * b, 1)
  let sources = Int32Array.from({ length: total }, (_, i) => i)
  let inner = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis]
    const unit = axes[axis]
    if (unit) {
      const from = axisSources(length, unit, permutation[unit.group])
      const stride = inner
      sources = sources.map((_, at) => {
        const i = Math.floor(at / stride) % length
        return sources[at + (from[i] - i) * stride]
      })
    }
    inner *= length
  }
  return sources
}

/** For each position along an axis, the position it takes its entries from. */
function axisSources(length: number, unit: NonNullable<UnitAxis>, order: Uint32Array): Int32Array {
  const { inner } = unit
  const size = order.length
  return Int32Array.from({ length }, (_, i) => {
    const block = Math.floor(i / (size * inner))
    return (block * size + order[Math.floor(i / inner) % size]) * inner + (i % inner)
  })
}
