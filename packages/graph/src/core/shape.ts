import { ShapeError } from './errors.ts'
import type { Shape } from './tensor.ts'

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i])
}

/** The shape two operands broadcast to, by NumPy's rule: trailing axes aligned, 1 stretches.
 * @throws {ShapeError} naming `where` and both shapes. */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const out = new Array<number>(rank)
  for (let i = 0; i < rank; i++) {
    const da = a[a.length - rank + i] ?? 1
    const db = b[b.length - rank + i] ?? 1
    if (da !== db && da !== 1 && db !== 1)
      throw new ShapeError(
        `${where}: trailing axes must be equal or 1 to broadcast, got [${a}] and [${b}]. Reshape or expand one of them.`,
        { shapes: [a, b] },
      )
    out[i] = da === 1 ? db : da
  }
  return out
}

/** An axis in 0 … rank−1 from one that may count from the end. */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  const a = axis < 0 ? axis + rank : axis
  if (!Number.isInteger(a) || a < 0 || a >= rank)
    throw new ShapeError(`${where}: axis must be in ${-rank}…${rank - 1} for rank ${rank}, got ${axis}.`)
  return a
}

/** Distinct normalised axes in ascending order. */
export function normalizeAxes(where: string, axes: readonly number[], rank: number): number[] {
  const out = axes.map((a) => normalizeAxis(where, a, rank)).sort((x, y) => x - y)
  for (let i = 1; i < out.length; i++)
    if (out[i] === out[i - 1]) throw new ShapeError(`${where}: axes must be distinct, got [${axes}].`)
  return out
}

/** 0 … n−1 */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i)
}
