import { DomainError, ShapeError, graphOf, numbersOf, tensor, castTensor } from '@thalweg/graph'
import { linearAssignment } from '../linalg/linear-assignment.ts'
import { zeros } from '../linalg/matrix.ts'
import type { Matrix } from '../linalg/matrix.ts'
import { feedsFor } from '../loss/loss.ts'
import type { Loss } from '../loss/loss.ts'
import { parameterRanges, unflatten } from '../model/model.ts'
import type { Model } from '../model/model.ts'
import { randomStream } from '../random/index.ts'
import { identityPermutation, permuteUnits, permutationSymmetry, symmetryGraph } from './permutation-symmetry.ts'
import type { Permutation, PermutationSymmetry, UnitAxis } from './permutation-symmetry.ts'

/** Units of one network brought into the order of another. */
export interface Matching {
  /** What to apply to B: `permuteUnits(model, symmetry, b, permutation)` is `theta`. */
  readonly permutation: Permutation
  /** B in the order of A, [p]. */
  readonly theta: Float64Array
  /** Σ ⟨A, πB⟩ over all parameters, before and after. */
  readonly objective: { readonly before: number; readonly after: number }
  /** ‖A − B‖ before and after. */
  readonly distance: { readonly before: number; readonly after: number }
  /** Passes over all groups until nothing improved. */
  readonly sweeps: number
  readonly status: 'converged' | 'max-sweeps'
}

export interface WeightMatchingOptions {
  /** Of the order in which groups are visited. Default 0. */
  readonly seed?: number
  /** Default 100. */
  readonly maxSweeps?: number
  /** Default: that of the model. */
  readonly symmetry?: PermutationSymmetry
  /** Orders to start from. Default: none changed. */
  readonly start?: Permutation
}

/** A sweep that improves the objective by less than this, relative to its size, ends the search. */
const improvement = 1e-12

/** Weight matching: orders π that make Σ ⟨A, πB⟩ large, hence ‖A − πB‖ small, by coordinate ascent: one group after the other,
 * each by an exact linear assignment with the others held.
 *
 *      C_g[i, j] = Σ over axes of g ⟨slice i of A, slice j of the otherwise reordered B⟩
 *
 * For one hidden layer this is the optimum; for more a local one (the problem is NP-hard). The objective never falls, so it
 * ends. A group that stands on two axes of one parameter makes the step's model inexact: such a step counts only if it improves.
 * @throws {ShapeError} if the two differ in size.
 * Cost per sweep: O(Σ n_g · p_g) for the products and O(n_g³) per assignment. Source: Ainsworth, Hayase & Srinivasa 2023, alg. 1. */
export function weightMatching(
  model: Model,
  a: Float64Array,
  b: Float64Array,
  options: WeightMatchingOptions = {},
): Matching {
  const { symmetry = permutationSymmetry(model), seed = 0, maxSweeps = 100 } = options
  if (a.length !== b.length)
    throw new ShapeError(`weightMatching: both models need the same parameters, got ${a.length} and ${b.length}.`)
  const permutation = (options.start ?? identityPermutation(symmetry)).map((order) => order.slice())
  let theta = permuteUnits(model, symmetry, b, permutation)
  let objective = inner(a, theta)
  let sweeps = 0
  let status: Matching['status'] = 'max-sweeps'
  while (sweeps < maxSweeps) {
    const order = randomStream(seed, 'weight matching', sweeps).permutation(symmetry.groups.length)
    const before = objective
    sweeps++
    for (const group of order) {
      const { columnOfRow } = linearAssignment(unitProducts(model, symmetry, group, a, theta), { maximize: true })
      const next = permutation.map((units, g) => (g === group ? columnOfRow.map((j) => units[j]) : units))
      const moved = permuteUnits(model, symmetry, b, next)
      const value = inner(a, moved)
      if (!(value > objective)) continue
      permutation[group] = next[group]
      theta = moved
      objective = value
    }
    if (objective - before <= improvement * Math.abs(objective)) {
      status = 'converged'
      break
    }
  }
  return result(a, b, theta, permutation, sweeps, status)
}

function result(
  a: Float64Array,
  b: Float64Array,
  theta: Float64Array,
  permutation: Permutation,
  sweeps: number,
  status: Matching['status'],
): Matching {
  return {
    permutation,
    theta,
    objective: { before: inner(a, b), after: inner(a, theta) },
    distance: { before: distance(a, b), after: distance(a, theta) },
    sweeps,
    status,
  }
}

/** ⟨a, b⟩ in the plain order, so that equal sums compare equal. */
function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2
  return Math.sqrt(sum)
}

/** C[i, j] = Σ ⟨slice i of A, slice j of B⟩ over every axis that holds the group's units. */
function unitProducts(
  model: Model,
  { groups, axes }: PermutationSymmetry,
  group: number,
  a: Float64Array,
  b: Float64Array,
): Matrix {
  const { size } = groups[group]
  const products = zeros(size, size)
  parameterRanges(model).forEach(({ parameter, start, end }, index) => {
    axes[index].forEach((unit, axis) => {
      if (unit?.group !== group) return
      const inside = parameter.shape.slice(axis + 1).reduce((x, y) => x * y, 1) * unit.inner
      addUnitProducts(products, a.subarray(start, end), b.subarray(start, end), inside)
    })
  })
  return products
}

/** Adds the products of values laid out as [outside × units × inside]. */
function addUnitProducts({ rows: size, data }: Matrix, a: Float64Array, b: Float64Array, inside: number): void {
  const block = size * inside
  for (let base = 0; base < a.length; base += block)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) {
        let sum = 0
        const [x, y] = [base + i * inside, base + j * inside]
        for (let k = 0; k < inside; k++) sum += a[x + k] * b[y + k]
        data[i * size + j] += sum
      }
}

/** Activation matching: each group by one exact assignment of its units' activations on the data, Σ over samples of z^A z^B,
 * what the next layer reads, group by group independently. Needs data; sees what units do rather than how they are wired.
 * @throws {DomainError} for a group whose activations no layer reads from the data.
 * Cost: two forward passes and O(samples · n_g²) per group. Source: Ainsworth et al. 2023, §3.1; Li et al. 2015. */
export async function activationMatching(
  loss: Loss,
  a: Float64Array,
  b: Float64Array,
  options: { readonly samples?: number } = {},
): Promise<Matching> {
  const { model } = loss
  const samples = Math.min(options.samples ?? 512, loss.chunks[0].size)
  const found = symmetryGraph(model, samples)
  const { symmetry, activations } = found
  const outputs = Object.fromEntries(
    activations.map((at, g) => {
      if (!at)
        throw new DomainError(
          `activationMatching: no layer reads the units of ${symmetry.groups[g].name} from the data. Match by weights.`,
        )
      return [`group${g}`, at.value]
    }),
  )
  if (activations.length === 0) return result(a, b, b.slice(), [], 0, 'converged')
  const run = await loss.engine.compile(graphOf(outputs))
  try {
    const data = Object.fromEntries(
      found.inputs.map(({ attributes: { name }, dtype, shape }) => {
        const value = loss.chunks[0].values[name]
        const size = shape.reduce((x, y) => x * y, 1)
        return [name, castTensor(tensor(value.dtype, shape, value.data.subarray(0, size) as never), dtype)]
      }),
    )
    const at = async (theta: Float64Array): Promise<Record<string, Float64Array>> => {
      const named = unflatten(model, theta)
      const values = Object.fromEntries(model.parameters.map((p) => [`parameter_${p.name}`, named[p.name]]))
      const out = await run.run(feedsFor(run.graph, { ...data, ...values }))
      return Object.fromEntries(Object.entries(out).map(([name, value]) => [name, numbersOf(value)]))
    }
    const [left, right] = [await at(a), await at(b)]
    const permutation = activations.map((activation, g) => {
      const { value, axis, layout } = activation!
      const products = zeros(symmetry.groups[g].size, symmetry.groups[g].size)
      const inside = value.shape.slice(axis + 1).reduce((x, y) => x * y, 1) * (layout as NonNullable<UnitAxis>).inner
      addUnitProducts(products, left[`group${g}`], right[`group${g}`], inside)
      return linearAssignment(products, { maximize: true }).columnOfRow
    })
    return result(a, b, permuteUnits(model, symmetry, b, permutation), permutation, 1, 'converged')
  } finally {
    await run.dispose()
  }
}
