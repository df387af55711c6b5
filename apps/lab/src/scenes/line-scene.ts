/** A measured loss along a line beside the parabola that derivatives at its middle foretell. */
export interface LinePoint {
  readonly t: number
  readonly measured: number
  readonly foretold: number
}

interface LineModel {
  readonly t: readonly number[]
  readonly losses: readonly (number | null)[]
  readonly model: { readonly loss: number | null; readonly slope: number | null; readonly curvature: number | null }
}

/** L + t·slope + ½ t²·curvature, NaN where one of them is not known. Ascending in t. */
export function linePoints({ t, losses, model }: LineModel): LinePoint[] {
  const [loss, slope, curvature] = [model.loss ?? Number.NaN, model.slope ?? Number.NaN, model.curvature ?? Number.NaN]
  return t
    .map((at, k) => ({
      t: at,
      measured: losses[k] ?? Number.NaN,
      foretold: loss + slope * at + 0.5 * curvature * at * at,
    }))
    .toSorted((a, b) => a.t - b.t)
}

/** Norms of a direction by parameter tensor. */
export interface PartNorm {
  readonly name: string
  readonly shape: readonly number[]
  /** Of ‖v‖². */
  readonly share: number
  readonly largest: number
}

export function partNorms(
  parts: readonly { readonly name: string; readonly shape: readonly number[]; readonly values: ArrayLike<number> }[],
): PartNorm[] {
  const squares = parts.map(({ values }) => Array.from(values).reduce((sum, x) => sum + x * x, 0))
  const total = squares.reduce((sum, x) => sum + x, 0) || 1
  return parts.map(({ name, shape, values }, k) => ({
    name,
    shape,
    share: squares[k] / total,
    largest: Array.from(values).reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0),
  }))
}

/** A tensor as rows to be drawn: the first axis down, the others side by side. */
export function asRows(shape: readonly number[], values: ArrayLike<number>): number[][] {
  const rows = shape.length > 1 ? shape[0] : 1
  const columns = values.length / Math.max(1, rows)
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_unused, j) => values[i * columns + j]),
  )
}
