/** A strided view of a matrix inside a Float64Array: entry (i, j) is `data[offset + i * rowStride + j * columnStride]`.
 * A transpose is a swap of the strides, a block an offset. */
export interface MatrixView {
  readonly data: Float64Array
  readonly offset: number
  readonly rowStride: number
  readonly columnStride: number
}

/** Tile of B that stays in the cache: 64 rows by 512 columns, 256 KiB. */
const depthTile = 64
const columnTile = 512

/** C ← C + α A B, with A [rows × depth] under any strides, B [depth × columns] and C [rows × columns] with contiguous
 * rows (column stride 1). C must not overlap A or B. This is the one product kernel of the folder: two rows of C and
 * four of B at a time, so that sixteen operations share eight memory accesses.
 *
 * Cost: 2 · rows · depth · columns operations, no memory. */
export function gemm(
  rows: number,
  columns: number,
  depth: number,
  alpha: number,
  a: MatrixView,
  b: MatrixView,
  c: MatrixView,
): void {
  for (let l0 = 0; l0 < depth; l0 += depthTile) {
    const l1 = Math.min(depth, l0 + depthTile)
    for (let j0 = 0; j0 < columns; j0 += columnTile) {
      const width = Math.min(columns, j0 + columnTile) - j0
      let i = 0
      for (; i + 1 < rows; i += 2) rowPair(i, j0, width, l0, l1, alpha, a, b, c)
      if (i < rows) singleRow(i, j0, width, l0, l1, alpha, a, b, c)
    }
  }
}

function rowPair(
  i: number,
  j0: number,
  width: number,
  l0: number,
  l1: number,
  alpha: number,
  aView: MatrixView,
  bView: MatrixView,
  cView: MatrixView,
): void {
  const a = aView.data
  const b = bView.data
  const c = cView.data
  const step = aView.columnStride
  let p = aView.offset + i * aView.rowStride + l0 * step
  let q = p + aView.rowStride
  const r = cView.offset + i * cView.rowStride + j0
  const s = r + cView.rowStride
  const bStride = bView.rowStride
  let b0 = bView.offset + l0 * bStride + j0
  let l = l0
  for (; l + 3 < l1; l += 4) {
    const p0 = alpha * a[p]
    const p1 = alpha * a[p + step]
    const p2 = alpha * a[p + 2 * step]
    const p3 = alpha * a[p + 3 * step]
    const q0 = alpha * a[q]
    const q1 = alpha * a[q + step]
    const q2 = alpha * a[q + 2 * step]
    const q3 = alpha * a[q + 3 * step]
    const b1 = b0 + bStride
    const b2 = b1 + bStride
    const b3 = b2 + bStride
    for (let j = 0; j < width; j++) {
      const x0 = b[b0 + j]
      const x1 = b[b1 + j]
      const x2 = b[b2 + j]
      const x3 = b[b3 + j]
      c[r + j] += p0 * x0 + p1 * x1 + (p2 * x2 + p3 * x3)
      c[s + j] += q0 * x0 + q1 * x1 + (q2 * x2 + q3 * x3)
    }
    p += 4 * step
    q += 4 * step
    b0 += 4 * bStride
  }
  for (; l < l1; l++) {
    const p0 = alpha * a[p]
    const q0 = alpha * a[q]
    for (let j = 0; j < width; j++) {
      const x0 = b[b0 + j]
      c[r + j] += p0 * x0
      c[s + j] += q0 * x0
    }
    p += step
    q += step
    b0 += bStride
  }
}

function singleRow(
  i: number,
  j0: number,
  width: number,
  l0: number,
  l1: number,
  alpha: number,
  aView: MatrixView,
  bView: MatrixView,
  cView: MatrixView,
): void {
  const a = aView.data
  const b = bView.data
  const c = cView.data
  const step = aView.columnStride
  let p = aView.offset + i * aView.rowStride + l0 * step
  const r = cView.offset + i * cView.rowStride + j0
  const bStride = bView.rowStride
  let b0 = bView.offset + l0 * bStride + j0
  let l = l0
  for (; l + 3 < l1; l += 4) {
    const p0 = alpha * a[p]
    const p1 = alpha * a[p + step]
    const p2 = alpha * a[p + 2 * step]
    const p3 = alpha * a[p + 3 * step]
    const b1 = b0 + bStride
    const b2 = b1 + bStride
    const b3 = b2 + bStride
    for (let j = 0; j < width; j++) c[r + j] += p0 * b[b0 + j] + p1 * b[b1 + j] + (p2 * b[b2 + j] + p3 * b[b3 + j])
    p += 4 * step
    b0 += 4 * bStride
  }
  for (; l < l1; l++) {
    const p0 = alpha * a[p]
    for (let j = 0; j < width; j++) c[r + j] += p0 * b[b0 + j]
    p += step
    b0 += bStride
  }
}
