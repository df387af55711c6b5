import type { Matrix } from '../../linalg/matrix.ts'

/** Rows and columns mirrored together, so that strided writes stay in the cache. */
const tile = 64

/** Copies the lower triangle to the upper one, by tiles. */
export function mirrorLower({ rows, data }: Matrix): void {
  for (let startA = 0; startA < rows; startA += tile)
    for (let startB = 0; startB <= startA; startB += tile)
      for (let a = startA; a < Math.min(rows, startA + tile); a++)
        for (let b = startB; b < Math.min(a, startB + tile); b++) data[b * rows + a] = data[a * rows + b]
}
