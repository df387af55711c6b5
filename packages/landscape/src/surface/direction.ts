import { DomainError, stridesOf } from '@thalweg/graph'
import { parameterCount, parameterRanges } from '../model/model.ts'
import type { Model, ParameterRange } from '../model/model.ts'
import { randomStream } from '../random/index.ts'
import { dot, norm } from '../linalg/index.ts'

/** How a random direction is scaled to the weights it will be added to (Li et al. 2018). */
export const normalizations = ['filter', 'layer', 'weight', 'none'] as const
export type Normalization = (typeof normalizations)[number]

export interface DirectionOptions {
  readonly normalization: Normalization
  /** Leave biases, shifts and scales where they are (direction 0), as the reference tool's `biasbn`. Default true. */
  readonly ignoreVectors?: boolean
}

/** Guards the division by a filter that is all zeros, as the reference implementation does. */
const filterFloor = 1e-10

/** Calls `each` with the flat positions in θ of every filter of a parameter: one output unit's incoming weights.
 * A parameter without an output axis is one filter. */
export function forEachFilter({ parameter, start, end }: ParameterRange, each: (positions: Int32Array) => void): void {
  const { shape, outputAxis } = parameter
  if (outputAxis === null) {
    each(Int32Array.from({ length: end - start }, (_, i) => start + i))
    return
  }
  const inner = stridesOf(shape)[outputAxis]
  const units = shape[outputAxis]
  const perUnit = (end - start) / units
  for (let unit = 0; unit < units; unit++)
    each(
      Int32Array.from(
        { length: perUnit },
        (_, i) => start + (Math.floor(i / inner) * units + unit) * inner + (i % inner),
      ),
    )
}

function normAt(values: Float64Array, positions: Int32Array): number {
  return norm(Float64Array.from(positions, (p) => values[p]))
}

/** Scales `direction` in place so that it is comparable with θ:
 *
 *     filter   each output unit's weights get the norm of the same weights in θ
 *     layer    each parameter gets the norm of the parameter in θ
 *     weight   each entry is multiplied by |θ| there
 *     none     nothing
 *
 * Vectors (biases, scales, shifts) are set to zero unless `ignoreVectors` is false.
 * Source: Li et al. 2018, §4, and its reference implementation. */
export function normalizeDirection(
  model: Model,
  theta: Float64Array,
  direction: Float64Array,
  options: DirectionOptions,
): void {
  const { normalization, ignoreVectors = true } = options
  if (!normalizations.includes(normalization))
    throw new DomainError(`direction: normalization must be one of ${normalizations.join(', ')}, got ${normalization}.`)
  for (const range of parameterRanges(model)) {
    if (ignoreVectors && range.parameter.shape.length <= 1) {
      direction.fill(0, range.start, range.end)
      continue
    }
    normalizeParameter(theta, direction, range, normalization)
  }
}

function normalizeParameter(
  theta: Float64Array,
  direction: Float64Array,
  range: ParameterRange,
  normalization: Normalization,
): void {
  const rescale = (positions: Int32Array): void => {
    const factor = normAt(theta, positions) / (normAt(direction, positions) + filterFloor)
    for (const p of positions) direction[p] *= factor
  }
  switch (normalization) {
    case 'filter':
      return forEachFilter(range, rescale)
    case 'layer':
      return rescale(Int32Array.from({ length: range.end - range.start }, (_, i) => range.start + i))
    case 'weight':
      for (let i = range.start; i < range.end; i++) direction[i] *= Math.abs(theta[i])
      return
    case 'none':
      return
  }
}

/** A Gaussian direction [p], normalised against θ. Direction number `index` of a seed is always the same draw. */
export function randomDirection(
  model: Model,
  theta: Float64Array,
  seed: number,
  index: number,
  options: DirectionOptions,
): Float64Array {
  const direction = randomStream(seed, 'surface direction', index).normals(parameterCount(model))
  normalizeDirection(model, theta, direction, options)
  return direction
}

/** cos of the angle between two directions; 0 when one vanishes. */
export function cosine(a: Float64Array, b: Float64Array): number {
  const scale = norm(a) * norm(b)
  return scale === 0 ? 0 : dot(a, b) / scale
}
