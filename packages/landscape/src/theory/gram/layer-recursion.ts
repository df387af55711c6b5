import { TaskError } from '@thalweg/graph'
import type { CancelSignal } from '../../linalg/cancel-signal.ts'
import type { Matrix } from '../../linalg/matrix.ts'
import { zeros } from '../../linalg/matrix.ts'
import { gapOf } from './dual-activation.ts'
import type { DualActivation, DualLayer, PairRow } from './dual-activation.ts'
import { mirrorLower } from './mirror-lower.ts'

/** How one layer changes the kernels, with Π the kernel of the layer's outputs, K that of its patches (K = Π without
 * convolution), and T the tangent kernel of all layers so far:
 *
 *     Π ← [Π] + mean (b_a e_b + e_a b_b) + gain E σ(u)σ(v) + shift ,   T ← [T] + gain E σ'(u)σ'(v) (K + patches of T)
 *
 * [·] is there in residual layers; e = E σ(u), and b sums what the layers before have added to the mean. */
export interface LayerRule {
  readonly residual: boolean
  /** √gain, where the mean of σ matters (residual networks); 0 elsewhere. */
  readonly mean: number
  readonly gain: number
  readonly shift: number
}

export interface RecursionOptions {
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
  readonly signal?: CancelSignal
}

interface AdvanceOptions extends RecursionOptions {
  /** Zeros [n × n], to which the Gram matrix of this layer is written, Σ_l gain K[l, l] E σ'(u_l)σ'(v_l): K⁽ᴴ⁾ if the
   * network ended here. */
  readonly gram?: Matrix | null
}

/** The kernels of n samples with p pixels each (1 without convolution) as they pass through the layers; row (i, l) of
 * the [np × np] matrices is pixel l of sample i.
 *
 * Beside the covariances go half the squared distances D_ab = ½(K_aa + K_bb) − K_ab: angles between nearly parallel
 * samples come from them, since a correlation near 1 has lost their digits. */
export class LayerRecursion {
  readonly size: number
  /** By estimate, the largest error of an entry of Π, and of K⁽ᴴ⁾ as `advance` returned it. */
  error: number
  gramError = 0
  readonly #pixels: number
  readonly #offsets: readonly number[]
  readonly #outputs: Matrix
  readonly #tangent: Matrix
  readonly #distances: Matrix
  /** Whether only the lower triangles of the three matrices are up to date. */
  #lowerOnly = false
  readonly #bias: Float64Array
  readonly #dual: DualActivation

  /** @param outputs    Π of the inputs, kept and changed.
   *  @param distances  half squared distances of the inputs, likewise.
   *  @param patch      pixels of a patch. */
  constructor(dual: DualActivation, outputs: Matrix, distances: Matrix, pixels: number = 1, patch: number = 1) {
    this.size = outputs.rows
    this.#outputs = outputs
    this.#tangent = zeros(this.size, this.size)
    this.#distances = distances
    this.#bias = new Float64Array(this.size)
    this.#dual = dual
    this.#pixels = pixels
    this.#offsets = Array.from({ length: patch }, (_, i) => i - ((patch - 1) >> 1))
    this.error = 2 ** -52 * this.#largestVariance(outputs)
  }

  /** Π. */
  get outputs(): Matrix {
    this.#complete()
    return this.#outputs
  }

  /** T. */
  get tangent(): Matrix {
    this.#complete()
    return this.#tangent
  }

  /** K of the layer to come: the patch kernel of Π, itself without convolution. */
  patches(): Matrix {
    return this.#patchSum(this.outputs)
  }

  #complete(): void {
    if (this.#lowerOnly) for (const part of [this.#outputs, this.#tangent, this.#distances]) mirrorLower(part)
    this.#lowerOnly = false
  }

  /** One layer. */
  advance(rule: LayerRule, { signal, onProgress, gram = null }: AdvanceOptions = {}): void {
    if (this.#offsets.length > 1) this.#complete()
    const kernel = this.#patchSum(this.#outputs)
    const distances = this.#patchDistances()
    const tangent = this.#patchSum(this.#tangent)
    const { size } = this
    const variances = Float64Array.from({ length: size }, (_, a) => Math.max(0, kernel.data[a * size + a]))
    const dual = this.#dual.layer(variances)
    const roots = variances.map(Math.sqrt)
    const work: PairWork = {
      ...{ rule, dual, roots, kernel, distances, tangent, gram, gapMin: 2 },
      ...segmentBuffers(),
    }
    for (let a = 0; a < size; a++) {
      if (a % reportEvery === 0) {
        if (signal?.aborted) throw new TaskError('gram: cancelled before the kernels were complete. Run it again.')
        onProgress?.({ done: a, total: size })
      }
      for (let start = 0; start <= a; start += segment) this.#segment(a, start, Math.min(segment, a + 1 - start), work)
    }
    onProgress?.({ done: size, total: size })
    this.#lowerOnly = true
    if (gram) mirrorLower(gram)
    this.#updateErrors(rule, dual, variances, work.gapMin)
    if (rule.mean > 0) for (let a = 0; a < size; a++) this.#bias[a] += rule.mean * dual.means[a]
  }

  /** Pairs (a, start + k), k < count: lower triangles only. */
  #segment(a: number, start: number, count: number, work: PairWork): void {
    const { dual, roots, distances, gaps, row } = work
    const { products, slopes, spreads } = row
    const from = a * this.size + start
    let least = work.gapMin
    for (let k = 0; k < count; k++) {
      const gap = gapOf(roots[a], roots[start + k], distances.data[from + k])
      gaps[k] = gap
      if (gap < least && start + k !== a && roots[a] * roots[start + k] > 0) least = gap
    }
    work.gapMin = least
    if (start + count > a) gaps[a - start] = 0
    if (dual.pairs) dual.pairs(a, start, count, gaps, row)
    else
      for (let k = 0; k < count; k++) {
        dual.pair(a, start + k, gaps[k], work.one)
        products[k] = work.one[0]
        slopes[k] = work.one[1]
        spreads[k] = work.one[2]
      }
    if (work.rule.residual || work.rule.mean > 0 || this.#pixels > 1) this.#store(a, start, count, work)
    else this.#storePlain(a, start, count, work)
  }

  /** The update of a plain layer without convolution: the terms of the others vanish. */
  #storePlain(a: number, start: number, count: number, { rule, row, gram }: PairWork): void {
    const { gain, shift } = rule
    const { products, slopes, spreads } = row
    const [product, spread, tangents, grams] = [
      this.#outputs.data,
      this.#distances.data,
      this.#tangent.data,
      gram?.data,
    ]
    const from = a * this.size + start
    for (let k = 0; k < count; k++) {
      const at = from + k
      // the kernel of the inputs of this layer is that of the outputs before: read it before it is written
      const incoming = product[at]
      const slope = gain * slopes[k]
      tangents[at] = slope * (incoming + tangents[at])
      if (grams) grams[at] = slope * incoming
      product[at] = gain * products[k] + shift
      spread[at] = gain * spreads[k]
    }
    if (start + count > a) spread[a * this.size + a] = 0
  }

  #store(a: number, start: number, count: number, work: PairWork): void {
    const { rule, dual, kernel, tangent, gram, row } = work
    const { size } = this
    const pixels = this.#pixels
    const n = size / pixels
    const pixel = a % pixels
    const gramRow = ((a - pixel) / pixels) * n
    const { means } = dual
    const bias = this.#bias
    const [product, spread, tangents] = [this.#outputs.data, this.#distances.data, this.#tangent.data]
    const keep = rule.residual ? 1 : 0
    const { mean, gain, shift } = rule
    for (let k = 0; k < count; k++) {
      const b = start + k
      const at = a * size + b
      const incoming = kernel.data[at]
      const slope = gain * row.slopes[k]
      const cross = mean * (bias[a] * means[b] + means[a] * bias[b])
      const crossSpread = mean * (bias[a] - bias[b]) * (means[a] - means[b])
      tangents[at] = keep * tangents[at] + slope * (incoming + tangent.data[at])
      product[at] = keep * product[at] + cross + gain * row.products[k] + shift
      spread[at] = a === b ? 0 : keep * spread[at] + crossSpread + gain * row.spreads[k]
      if (!gram) continue
      if (pixels === 1) gram.data[at] = slope * incoming
      else if (b % pixels === pixel) gram.data[gramRow + (b - pixel) / pixels] += slope * incoming
    }
  }

  /** First-order propagation: an entry of Π moves by at most E σ'² times its argument, K⁽ᴴ⁾ by what its two factors do. */
  #updateErrors(rule: LayerRule, dual: DualLayer, variances: Float64Array, gapMin: number): void {
    const patch = this.#offsets.length
    const incoming = patch * this.error
    const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, value), 0)
    const slope = largest(dual.slopeSquares)
    const variance = largest(variances)
    const sine = Math.max(Math.sqrt(gapMin * (2 - gapMin)), Math.sqrt(incoming / Math.max(variance, 1e-300)))
    // angles of a kinked activation stay exact to rounding where half distances have closed forms
    const angular =
      this.#dual.method === 'closed-form' ? incoming / Math.max(variance, 1e-300) : incoming / (variance * sine)
    const slopeMoved = variance > 0 ? this.#dual.kink * angular + this.#slopeSensitivity(dual, variances) * incoming : 0
    this.gramError = rule.gain * this.#pixels * (variance * (dual.slopeError + slopeMoved) + slope * incoming)
    const carried = rule.residual ? this.error : 0
    this.error =
      carried + rule.gain * (dual.error + slope * incoming) + 2 * rule.mean * dual.error + 2 ** -52 * variance
  }

  /** |∂E σ'σ'/∂ρ| / s near ρ = 1, where it is largest for smooth activations; by a difference. */
  #slopeSensitivity(dual: DualLayer, variances: Float64Array): number {
    if (this.#dual.kink > 0) return 0
    const top = variances.indexOf(variances.reduce((most, value) => Math.max(most, value), 0))
    const out = new Float64Array(3)
    const step = 1e-4
    dual.pair(top, top, step, out)
    return Math.abs(dual.slopeSquares[top] - out[1]) / (step * variances[top])
  }

  #largestVariance(kernel: Matrix): number {
    let largest = 0
    for (let a = 0; a < this.size; a++) largest = Math.max(largest, kernel.data[a * this.size + a])
    return largest
  }

  /** Σ_δ M[(i, l + δ), (j, r + δ)], terms outside the image left out; M itself without convolution. */
  #patchSum(source: Matrix): Matrix {
    if (this.#offsets.length === 1) return source
    return this.#summed(
      (a, b) => source.data[a * this.size + b],
      () => 0,
    )
  }

  /** Half squared distances of patches: where only one of the two pixels lies inside, the other is 0. */
  #patchDistances(): Matrix {
    if (this.#offsets.length === 1) return this.#distances
    const { size } = this
    return this.#summed(
      (a, b) => this.#distances.data[a * size + b],
      (inside) => this.#outputs.data[inside * size + inside] / 2,
    )
  }

  #summed(both: (a: number, b: number) => number, one: (inside: number) => number): Matrix {
    const { size } = this
    const pixels = this.#pixels
    const result = zeros(size, size)
    for (let a = 0; a < size; a++)
      for (let b = 0; b < size; b++) {
        let sum = 0
        for (const offset of this.#offsets) {
          const insideA = inImage((a % pixels) + offset, pixels)
          const insideB = inImage((b % pixels) + offset, pixels)
          if (insideA && insideB) sum += both(a + offset, b + offset)
          else if (insideA) sum += one(a + offset)
          else if (insideB) sum += one(b + offset)
        }
        result.data[a * size + b] = sum
      }
    return result
  }
}

/** Pairs handled together: their buffers stay in the first cache. */
const segment = 256
/** Rows between reports of progress. */
const reportEvery = 64

interface PairWork {
  readonly rule: LayerRule
  readonly dual: DualLayer
  /** Deviations √s_a. */
  readonly roots: Float64Array
  readonly kernel: Matrix
  readonly distances: Matrix
  readonly tangent: Matrix
  readonly gram: Matrix | null
  /** The smallest gap of two different rows. */
  gapMin: number
  /** Of one segment. */
  readonly gaps: Float64Array
  readonly row: PairRow
  /** Of one pair. */
  readonly one: Float64Array
}

function segmentBuffers(): Pick<PairWork, 'gaps' | 'row' | 'one'> {
  const buffer = (): Float64Array => new Float64Array(segment)
  const row = { products: buffer(), slopes: buffer(), spreads: buffer() }
  return { gaps: buffer(), row, one: new Float64Array(3) }
}

function inImage(pixel: number, pixels: number): boolean {
  return pixel >= 0 && pixel < pixels
}
