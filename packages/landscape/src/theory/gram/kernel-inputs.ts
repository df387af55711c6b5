import { DomainError, ShapeError, numbersOf, sizeOf } from '@thalweg/graph'
import type { Dataset } from '../../data/dataset.ts'
import { matrix, row, zeros } from '../../linalg/matrix.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { norm } from '../../linalg/vector.ts'
import { angleOf } from './dual-activation.ts'
import { mirrorLower } from './mirror-lower.ts'

/** Norms may miss 1 by this much, as those of float32 data do; such rows are divided by their norm. */
const normTolerance = 1e-6

/** The samples of a data set with one input as rows [n × d].
 * @throws {ShapeError} if there are several inputs. */
export function inputRows(dataset: Dataset): Matrix {
  const names = Object.keys(dataset.inputs)
  if (names.length !== 1)
    throw new ShapeError(`gram: kernels need data with one input, got ${names.join(', ')}. Choose one with --input.`)
  const value = dataset.inputs[names[0]]
  const n = value.shape[0]
  return matrix(n, sizeOf(value.shape.slice(1)), numbersOf(value).slice())
}

/** Rows of norm 1: those of the theory of Du et al.
 * @param normalize  divides each row by its norm; otherwise only deviations up to 1e-6 are mended.
 * @throws {DomainError} naming the first row that has another norm, or is zero. */
export function unitRows(x: Matrix, normalize: boolean): Matrix {
  const result = zeros(x.rows, x.cols)
  for (let i = 0; i < x.rows; i++) {
    const length = norm(row(x, i))
    if (!(length > 0) || !Number.isFinite(length))
      throw new DomainError(`gram: inputs must not be zero or infinite, got norm ${length} in sample ${i}. Remove it.`)
    if (!normalize && Math.abs(length - 1) > normTolerance)
      throw new DomainError(
        `gram: inputs must have norm 1, got ${length.toPrecision(6)} in sample ${i}. Pass --normalize, or use --standard.`,
      )
    for (let j = 0; j < x.cols; j++) result.data[i * x.cols + j] = x.data[i * x.cols + j] / length
  }
  return result
}

/** Inner products and half squared distances of rows, the latter from differences, so that those of nearly equal rows
 * keep their digits. Cost: 5/2 n² d operations. */
export function rowKernels(x: Matrix): { readonly products: Matrix; readonly distances: Matrix } {
  const { rows } = x
  const products = zeros(rows, rows)
  const distances = zeros(rows, rows)
  for (let i = 0; i < rows; i++) {
    // two columns at a time: their sums do not wait for each other
    for (let j = 0; j <= i; j += 2) rowPair(x, i, j, Math.min(j + 1, i), products.data, distances.data)
  }
  mirrorLower(products)
  mirrorLower(distances)
  return { products, distances }
}

/** Entries (i, j) and (i, l). */
function rowPair(
  { rows, cols, data }: Matrix,
  i: number,
  j: number,
  l: number,
  products: Float64Array,
  distances: Float64Array,
): void {
  const p = i * cols
  const q = j * cols
  const r = l * cols
  let [productJ, productL, distanceJ, distanceL] = [0, 0, 0, 0]
  for (let k = 0; k < cols; k++) {
    const a = data[p + k]
    const b = data[q + k]
    const c = data[r + k]
    productJ += a * b
    productL += a * c
    distanceJ += (a - b) * (a - b)
    distanceL += (a - c) * (a - c)
  }
  products[i * rows + j] = productJ
  products[i * rows + l] = productL
  distances[i * rows + j] = distanceJ / 2
  distances[i * rows + l] = distanceL / 2
}

/** Two samples and the angle between them in degrees; `opposite` where it is x and −x that nearly agree. */
export interface NearPair {
  readonly samples: readonly [number, number]
  readonly angle: number
  readonly opposite: boolean
}

/** The pairs of samples closest to parallel, up to sign, ascending in the angle. A sample of zeros has no direction and is
 * in no pair.
 * Cost: O(n² d). */
export function nearlyParallelPairs(x: Matrix, count: number = 5): NearPair[] {
  const directed = Array.from({ length: x.rows }, (_, i) => i).filter((i) => norm(row(x, i)) > 0)
  const kept = zeros(directed.length, x.cols)
  directed.forEach((i, k) => kept.data.set(row(x, i), k * x.cols))
  return pairsOf(unitRows(kept, true), count).map(({ samples, ...rest }) => ({
    samples: [directed[samples[0]], directed[samples[1]]],
    ...rest,
  }))
}

function pairsOf(unit: Matrix, count: number): NearPair[] {
  const { products, distances } = rowKernels(unit)
  const found: NearPair[] = []
  for (let i = 0; i < unit.rows; i++)
    for (let j = 0; j < i; j++) {
      const at = i * unit.rows + j
      const opposite = products.data[at] < 0
      // half of ‖x + y‖², from the sum: 2 − D would cancel where it matters
      const gap = opposite ? halfSquaredSum(unit, i, j) : distances.data[at]
      const worst = found[count - 1]
      if (worst && gap >= worst.angle) continue
      // `angle` holds the gap while sorting
      found.push({ samples: [j, i], angle: gap, opposite })
      found.sort((a, b) => a.angle - b.angle)
      found.length = Math.min(found.length, count)
    }
  return found.map((pair) => ({ ...pair, angle: (angleOf(Math.min(2, pair.angle)) * 180) / Math.PI }))
}

function halfSquaredSum(x: Matrix, i: number, j: number): number {
  let sum = 0
  for (let k = 0; k < x.cols; k++) sum += (x.data[i * x.cols + k] + x.data[j * x.cols + k]) ** 2
  return sum / 2
}
