import { DomainError, TaskError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'
import { applyRows } from './linear-operator.ts'
import type { LinearOperator } from './linear-operator.ts'
import { rowProduct } from './matrix.ts'
import { orthogonalize } from './orthogonalize.ts'
import { exactTrace, meanAndError } from './trace-estimators.ts'
import type { Estimate } from './trace-estimators.ts'
import { norm, scale } from './vector.ts'

export interface TraceToAccuracyOptions {
  /** Wanted standard error over |tr A|, above 0. */
  readonly accuracy: number
  /** Default 1000. Where they run out, the standard error says what was reached. */
  readonly maxProducts?: number
  /** Default 0. */
  readonly seed?: number
  /** Ends early with what there is: `TaskError` where that is nothing. */
  readonly signal?: { readonly aborted: boolean }
}

const block = 8
/** A standard error from fewer samples is no ground to stop on. */
const samplesMin = 16
/** Growing ends after so many blocks that made the foreseen total no smaller. */
const patience = 2
/** Fewest products that can give an estimate with its error. */
export const traceToAccuracyProductsMin: number = 3 * block + samplesMin
/** A new row of so little beside the first images is rounding: the range of A is captured. */
const rounding = 1e-12

/** Trace of a symmetric operator to a standard error, by Hutch++ whose two parts are sized as it goes.
 *
 *      tr A = tr(Q A Qᵀ) + tr((I − QᵀQ) A (I − QᵀQ))
 *
 * Q grows by the images of random signs z as long as that makes the total smaller which is foreseen: the products spent,
 * and v / ε² more with the variance v ≤ 2 ‖(I − QᵀQ) A (I − QᵀQ)‖_F², estimated from the same images. Then samples of the
 * second term are drawn until their standard error is ε = accuracy · |estimate|. Where p more products or above are
 * foreseen, after p/2 at the latest, the trace is computed from all unit vectors instead.
 *
 * Given Q, unbiased up to the choice of when to stop, which hangs on the samples.
 * Cost: 2 numbers of memory per parameter and row of Q, O(p · rows²) beside the products.
 * @throws {DomainError} if an option is out of range or a product not finite.
 * Source: the adaptive form of Hutch++ of Persson, Cortinovis, Kressner, SIAM J. Matrix Anal. Appl. 43 (2022). */
export async function traceToAccuracy(operator: LinearOperator, options: TraceToAccuracyOptions): Promise<Estimate> {
  const where = 'traceToAccuracy'
  const { accuracy, maxProducts = 1000, signal } = options
  if (!(accuracy > 0)) throw new DomainError(`${where}: accuracy must be above 0, got ${accuracy}.`)
  const least = traceToAccuracyProductsMin
  if (!(Number.isInteger(maxProducts) && maxProducts >= least))
    throw new DomainError(`${where}: maxProducts must be an integer of at least ${least}, got ${maxProducts}.`)
  const { size } = operator
  const stream = randomStream(options.seed ?? 0, where)
  const captured = new CapturedRange(operator)
  let products = 0
  const draw = async (): Promise<{ z: Float64Array; images: Float64Array }> => {
    const z = stream.rademacher(block * size)
    captured.projectAway(z)
    const images = await applyRows(where, operator, z, block)
    products += block
    return { z, images }
  }
  const exactly = async (): Promise<Estimate> => {
    const exact = await exactTrace(where, operator)
    return { ...exact, products: products + exact.products }
  }
  if (size <= least) return exactly()

  let best = Number.POSITIVE_INFINITY
  let worse = 0
  while (!captured.complete && !signal?.aborted) {
    const { z, images } = await draw()
    const quadratic = samplesOf(z, images, size)
    captured.scaleBy(images)
    captured.projectAway(images)
    const variance = (2 * rowProduct(images, 0, images, 0, images.length)) / block
    const wanted = accuracy * Math.abs(captured.trace + meanAndError(quadratic).mean)
    const more = Math.max(samplesMin, wanted > 0 ? variance / wanted ** 2 : Number.POSITIVE_INFINITY)
    worse = products + more < best ? 0 : worse + 1
    best = Math.min(best, products + more)
    const affordable = products + 2 * block + samplesMin <= maxProducts
    const unitVectorsPay = more >= size && products + size <= maxProducts
    if (worse >= patience || more <= samplesMin || !affordable || (unitVectorsPay && 2 * products >= size)) {
      if (unitVectorsPay) return exactly()
      break
    }
    products += await captured.grow(images)
  }
  if (captured.complete) return { value: captured.trace, standardError: 0, products, method: 'hutch++' }

  const samples: number[] = []
  for (;;) {
    const { mean, standardError } = meanAndError(samples)
    const value = captured.trace + mean
    const enough = samples.length >= samplesMin && standardError <= accuracy * Math.abs(value)
    if (enough || (samples.length > 0 && (signal?.aborted || products + block > maxProducts)))
      return { value, standardError, products, method: 'hutch++' }
    if (signal?.aborted)
      throw new TaskError(`${where}: stopped after ${products} products, too few for an estimate. Allow more time.`)
    const { z, images } = await draw()
    samples.push(...samplesOf(z, images, size))
  }
}

/** zᵀ A z of each row. */
function samplesOf(z: Float64Array, images: Float64Array, size: number): number[] {
  return Array.from({ length: z.length / size }, (_, i) => rowProduct(z, i * size, images, i * size, size))
}

/** Orthonormal rows Q and the trace of Q A Qᵀ. */
class CapturedRange {
  readonly #operator: LinearOperator
  #rows = new Float64Array(0)
  #count = 0
  #scale = 0
  trace = 0
  /** Whether the range of A lies in Q, so that nothing of the trace is left. */
  complete = false

  constructor(operator: LinearOperator) {
    this.#operator = operator
  }

  /** Images of the whole operator tell what is small. */
  scaleBy(images: Float64Array): void {
    if (this.#count === 0) this.#scale = norm(images)
  }

  /** Each row v ← (I − QᵀQ) v. */
  projectAway(rows: Float64Array): void {
    const { size } = this.#operator
    for (let at = 0; at < rows.length; at += size) orthogonalize(this.#rows, this.#count, rows.subarray(at, at + size))
  }

  /** Adds what is new in the rows; how many products that took. */
  async grow(rows: Float64Array): Promise<number> {
    const { size } = this.#operator
    const before = this.#count
    const grown = new Float64Array(before * size + rows.length)
    grown.set(this.#rows)
    this.#rows = grown
    for (let at = 0; at < rows.length; at += size) {
      const v = rows.slice(at, at + size)
      orthogonalize(this.#rows, this.#count, v)
      const left = norm(v)
      if (!(left > rounding * this.#scale)) continue
      scale(1 / left, v)
      this.#rows.set(v, this.#count * size)
      this.#count++
    }
    const added = this.#count - before
    this.complete = added < rows.length / size || this.#count === size
    if (added === 0) return 0
    const fresh = this.#rows.slice(before * size, this.#count * size)
    const images = await applyRows('traceToAccuracy', this.#operator, fresh, added)
    for (const value of samplesOf(fresh, images, size)) this.trace += value
    return added
  }
}
