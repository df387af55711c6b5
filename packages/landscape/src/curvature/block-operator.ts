import { DomainError } from '@thalweg/graph'
import type { LinearOperator } from '../linalg/linear-operator.ts'
import { parameterRanges } from '../model/model.ts'
import type { Model } from '../model/model.ts'

/** Positions [start, end) of θ that belong together. */
export interface ParameterGroup {
  readonly name: string
  readonly ranges: readonly (readonly [start: number, end: number])[]
}

/** One group per parameter tensor, in the order of θ. */
export function parameterGroups(model: Pick<Model, 'parameters'>): ParameterGroup[] {
  return parameterRanges(model).map(({ parameter, start, end }) => ({ name: parameter.name, ranges: [[start, end]] }))
}

/** One group per layer: parameters whose names agree up to the last dot (`layers.0.weight` and `layers.0.bias`). */
export function layerGroups(model: Pick<Model, 'parameters'>): ParameterGroup[] {
  const groups = new Map<string, [number, number][]>()
  for (const { parameter, start, end } of parameterRanges(model)) {
    const name = parameter.name.includes('.')
      ? parameter.name.slice(0, parameter.name.lastIndexOf('.'))
      : parameter.name
    groups.set(name, [...(groups.get(name) ?? []), [start, end]])
  }
  return [...groups].map(([name, ranges]) => ({ name, ranges }))
}

/** The diagonal block of an operator that belongs to a group: Pᵀ A P with P the inclusion of the group in θ.
 * @throws {DomainError} if the group is empty or reaches outside. */
export function blockOperator(operator: LinearOperator, { name, ranges }: ParameterGroup): LinearOperator {
  const size = ranges.reduce((sum, [start, end]) => sum + end - start, 0)
  if (size === 0 || ranges.some(([start, end]) => start < 0 || end > operator.size || end < start))
    throw new DomainError(
      `blockOperator: group ${name} must lie in 0…${operator.size} and not be empty, got ${JSON.stringify(ranges)}.`,
    )
  const include = (vectors: Float64Array, count: number): Float64Array => {
    const out = new Float64Array(count * operator.size)
    for (let i = 0; i < count; i++) {
      let at = i * size
      for (const [start, end] of ranges) {
        out.set(vectors.subarray(at, at + end - start), i * operator.size + start)
        at += end - start
      }
    }
    return out
  }
  const restrict = (vectors: Float64Array, count: number): Float64Array => {
    const out = new Float64Array(count * size)
    for (let i = 0; i < count; i++) {
      let at = i * size
      for (const [start, end] of ranges) {
        out.set(vectors.subarray(i * operator.size + start, i * operator.size + end), at)
        at += end - start
      }
    }
    return out
  }
  const batch = operator.applyBatch?.bind(operator)
  return {
    size,
    apply: async (v) => restrict(await operator.apply(include(v, 1)), 1),
    ...(batch && { applyBatch: async (v, count) => restrict(await batch(include(v, count), count), count) }),
  }
}
