/** What takes the plane rotations of a QL iteration, sweep by sweep. */
export interface Rotations {
  /** Begins a sweep at column `start` that moves against `direction`. */
  open(start: number, direction: number): void
  /** The next rotation: of column i + direction and column i = i − direction, with i counted from the start. */
  push(cosine: number, sine: number): void
  /** No more will come. */
  flush(): void
}

/** Sweeps of plane rotations that wait to be applied to the columns of z [rows × n, row-major].
 *
 * A rotation of the QL iteration mixes columns i and i ± 1, and a sweep runs through neighbouring columns, so along
 * one row of z it is a recurrence over contiguous memory. Sixteen sweeps are collected and then run over four rows at
 * a time: the rows stay in the first-level cache, and the four recurrences hide each other's latency. */
export class RotationQueue implements Rotations {
  readonly #z: Float64Array
  readonly #rows: number
  readonly #n: number
  readonly #cosines: Float64Array
  readonly #sines: Float64Array
  /** Column at which each waiting sweep starts, its direction, and where its rotations begin. */
  readonly #starts: number[] = []
  readonly #directions: number[] = []
  readonly #offsets: number[] = []
  #used = 0

  constructor(z: Float64Array, rows: number, n: number) {
    const capacity = rows === 0 ? 0 : 16 * n
    this.#z = z
    this.#rows = rows
    this.#n = n
    this.#cosines = new Float64Array(capacity)
    this.#sines = new Float64Array(capacity)
  }

  open(start: number, direction: number): void {
    if (this.#rows === 0) return
    if (this.#used + this.#n > this.#cosines.length) this.flush()
    this.#starts.push(start)
    this.#directions.push(direction)
    this.#offsets.push(this.#used)
  }

  push(cosine: number, sine: number): void {
    if (this.#rows === 0) return
    this.#cosines[this.#used] = cosine
    this.#sines[this.#used] = sine
    this.#used++
  }

  /** Applies all waiting sweeps, in order. */
  flush(): void {
    const sweeps = this.#starts.length
    if (sweeps === 0) return
    this.#offsets.push(this.#used)
    let row = 0
    for (; row + 3 < this.#rows; row += 4) for (let k = 0; k < sweeps; k++) this.#applyToFour(row * this.#n, k)
    for (; row < this.#rows; row++) for (let k = 0; k < sweeps; k++) this.#applyToOne(row * this.#n, k)
    this.#starts.length = 0
    this.#directions.length = 0
    this.#offsets.length = 0
    this.#used = 0
  }

  #applyToFour(base: number, sweep: number): void {
    const z = this.#z
    const n = this.#n
    const cosines = this.#cosines
    const sines = this.#sines
    const direction = this.#directions[sweep]
    const end = this.#offsets[sweep + 1]
    let j = base + this.#starts[sweep]
    let carry0 = z[j]
    let carry1 = z[j + n]
    let carry2 = z[j + 2 * n]
    let carry3 = z[j + 3 * n]
    for (let k = this.#offsets[sweep]; k < end; k++) {
      const c = cosines[k]
      const s = sines[k]
      const to = j
      j -= direction
      const x0 = z[j]
      const x1 = z[j + n]
      const x2 = z[j + 2 * n]
      const x3 = z[j + 3 * n]
      z[to] = s * x0 + c * carry0
      z[to + n] = s * x1 + c * carry1
      z[to + 2 * n] = s * x2 + c * carry2
      z[to + 3 * n] = s * x3 + c * carry3
      carry0 = c * x0 - s * carry0
      carry1 = c * x1 - s * carry1
      carry2 = c * x2 - s * carry2
      carry3 = c * x3 - s * carry3
    }
    z[j] = carry0
    z[j + n] = carry1
    z[j + 2 * n] = carry2
    z[j + 3 * n] = carry3
  }

  #applyToOne(base: number, sweep: number): void {
    const z = this.#z
    const direction = this.#directions[sweep]
    const end = this.#offsets[sweep + 1]
    let j = base + this.#starts[sweep]
    let carry = z[j]
    for (let k = this.#offsets[sweep]; k < end; k++) {
      const c = this.#cosines[k]
      const s = this.#sines[k]
      const to = j
      j -= direction
      const x = z[j]
      z[to] = s * x + c * carry
      carry = c * x - s * carry
    }
    z[j] = carry
  }
}
