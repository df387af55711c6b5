import type { Rotations } from './rotation-queue.ts'

/** The rotations of a QL iteration, kept: Z = G₁ G₂ … as its factors. With them a product with Z or Zᵀ costs O(n²)
 * operations, as it does with Z itself, and Z need not be formed for O(n³). */
export class RotationLog implements Rotations {
  #cosines: Float64Array
  #sines: Float64Array
  readonly #starts: number[] = []
  readonly #directions: number[] = []
  /** Where the rotations of each sweep begin, and last, where they end. */
  readonly #offsets: number[] = [0]
  #used = 0

  constructor(n: number) {
    // A sweep and a half per value, each over half of the matrix on average.
    const capacity = 16 + n * n
    this.#cosines = new Float64Array(capacity)
    this.#sines = new Float64Array(capacity)
  }

  open(start: number, direction: number): void {
    if (this.#starts.length > 0) this.#offsets.push(this.#used)
    this.#starts.push(start)
    this.#directions.push(direction)
  }

  push(cosine: number, sine: number): void {
    if (this.#used === this.#cosines.length) {
      this.#cosines = doubled(this.#cosines)
      this.#sines = doubled(this.#sines)
    }
    this.#cosines[this.#used] = cosine
    this.#sines[this.#used] = sine
    this.#used++
  }

  flush(): void {
    this.#offsets.push(this.#used)
  }

  /** x ← Zᵀ x, in place. */
  applyTransposed(x: Float64Array): void {
    for (let sweep = 0; sweep < this.#starts.length; sweep++) {
      const direction = this.#directions[sweep]
      const end = this.#offsets[sweep + 1]
      let j = this.#starts[sweep]
      let carry = x[j]
      for (let k = this.#offsets[sweep]; k < end; k++) {
        const c = this.#cosines[k]
        const s = this.#sines[k]
        const next = x[j - direction]
        x[j] = s * next + c * carry
        carry = c * next - s * carry
        j -= direction
      }
      x[j] = carry
    }
  }

  /** x ← Z x, in place. */
  apply(x: Float64Array): void {
    for (let sweep = this.#starts.length - 1; sweep >= 0; sweep--) {
      const direction = this.#directions[sweep]
      const begin = this.#offsets[sweep]
      const end = this.#offsets[sweep + 1]
      let j = this.#starts[sweep] - direction * (end - begin)
      let carry = x[j]
      for (let k = end - 1; k >= begin; k--) {
        const c = this.#cosines[k]
        const s = this.#sines[k]
        const next = x[j + direction]
        x[j] = c * carry + s * next
        carry = c * next - s * carry
        j += direction
      }
      x[j] = carry
    }
  }
}

function doubled(x: Float64Array): Float64Array {
  const result = new Float64Array(2 * x.length)
  result.set(x)
  return result
}
