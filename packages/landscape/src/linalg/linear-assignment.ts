import { DomainError, ShapeError } from '@thalweg/graph'
import type { Matrix } from './matrix.ts'
import { firstNonFinite } from './vector.ts'

export interface AssignmentOptions {
  /** Whether to maximize the sum instead of minimizing it; default false. */
  readonly maximize?: boolean
}

export interface Assignment {
  /** Column of each row, [rows]; no column twice. */
  readonly columnOfRow: Uint32Array
  /** Σ_i a_{i, columnOfRow[i]}. */
  readonly total: number
  /** Dual potentials that prove optimality: u_i + v_j ≤ a_ij for all i and j (≥ where maximizing) with equality on
   * the assignment, and v_j = 0 for columns that stay free. */
  readonly rowPotentials: Float64Array
  readonly columnPotentials: Float64Array
}

/** Linear assignment: gives each row its own column such that the sum of the chosen entries is least (or greatest).
 * Among several optimal assignments the same input always gives the same one.
 *
 * @param a  [rows × cols], rows ≤ cols.
 * @throws {ShapeError} if there are more rows than columns; {DomainError} if an entry is not finite.
 * Cost: O(rows² cols). Source: Jonker and Volgenant, Computing 38 (1987), shortest augmenting paths. */
export function linearAssignment(a: Matrix, options: AssignmentOptions = {}): Assignment {
  const { rows, cols } = a
  if (rows > cols) {
    throw new ShapeError(`linearAssignment: rows must not exceed columns, got ${rows} × ${cols}. Transpose the matrix.`)
  }
  if (firstNonFinite(a.data) >= 0) {
    throw new DomainError('linearAssignment: entries must be finite, got NaN or infinity. Use a large finite cost.')
  }
  const sign = options.maximize === true ? -1 : 1
  const u = new Float64Array(rows)
  const v = new Float64Array(cols)
  const rowOfColumn = new Int32Array(cols).fill(-1)
  for (let i = 0; i < rows; i++) augment(a, sign, i, u, v, rowOfColumn)
  const columnOfRow = new Uint32Array(rows)
  let total = 0
  for (let j = 0; j < cols; j++) if (rowOfColumn[j] >= 0) columnOfRow[rowOfColumn[j]] = j
  for (let i = 0; i < rows; i++) total += a.data[i * cols + columnOfRow[i]]
  return { columnOfRow, total, rowPotentials: u.map((x) => sign * x), columnPotentials: v.map((x) => sign * x) }
}

/** Assigns row `source` along a shortest alternating path to a free column (Dijkstra on reduced costs). */
function augment(
  a: Matrix,
  sign: number,
  source: number,
  u: Float64Array,
  v: Float64Array,
  rowOfColumn: Int32Array,
): void {
  const { cols, data } = a
  const distance = new Float64Array(cols).fill(Number.POSITIVE_INFINITY)
  const previous = new Int32Array(cols).fill(-1)
  const done = new Uint8Array(cols)
  let column = -1
  let row = source
  let reached = 0
  do {
    const offset = reached - u[row]
    let nearest = -1
    let least = Number.POSITIVE_INFINITY
    for (let j = 0; j < cols; j++) {
      if (done[j] === 1) continue
      const length = sign * data[row * cols + j] + offset - v[j]
      if (length < distance[j]) {
        distance[j] = length
        previous[j] = column
      }
      // On ties a free column ends the search at once.
      if (distance[j] < least || (distance[j] === least && rowOfColumn[j] < 0 && rowOfColumn[nearest] >= 0)) {
        least = distance[j]
        nearest = j
      }
    }
    column = nearest
    reached = least
    done[column] = 1
    row = rowOfColumn[column]
  } while (row >= 0)
  u[source] += reached
  for (let j = 0; j < cols; j++) {
    if (done[j] === 0 || j === column) continue
    u[rowOfColumn[j]] += reached - distance[j]
    v[j] -= reached - distance[j]
  }
  while (column >= 0) {
    const before = previous[column]
    rowOfColumn[column] = before < 0 ? source : rowOfColumn[before]
    column = before
  }
}
