import { DomainError } from '@thalweg/graph'
import { randomStream } from '../random/random-stream.ts'

/** Which samples each step sees.
 *
 * Every epoch is a permutation of all samples from its own random stream (seed, 'order', epoch), cut into mini-batches of
 * `batchSize`. A last, shorter one is kept, or dropped where `dropLast` says so. */
export class SampleOrder {
  readonly samples: number
  readonly batchSize: number
  /** Samples of the last step of an epoch where it is shorter, else 0. */
  readonly ragged: number
  readonly stepsPerEpoch: number
  readonly #seed: number
  #epoch = -1
  #permutation: Uint32Array = new Uint32Array(0)

  /** @throws {DomainError} unless 1 ≤ batchSize ≤ samples. */
  constructor(options: { samples: number; batchSize: number | 'full'; dropLast?: boolean; seed: number }) {
    const { samples, seed } = options
    const batchSize = options.batchSize === 'full' ? samples : options.batchSize
    if (!(Number.isInteger(batchSize) && batchSize >= 1 && batchSize <= samples))
      throw new DomainError(`train: batchSize must be an integer in 1…${samples} or 'full', got ${batchSize}.`)
    this.samples = samples
    this.batchSize = batchSize
    this.ragged = options.dropLast ? 0 : samples % batchSize
    this.stepsPerEpoch = Math.floor(samples / batchSize) + (this.ragged > 0 ? 1 : 0)
    this.#seed = seed
  }

  /** Whether every step sees all samples, in their own order. */
  get full(): boolean {
    return this.batchSize === this.samples
  }

  epochOf(step: number): number {
    return Math.floor(step / this.stepsPerEpoch)
  }

  /** Samples that step t sees. */
  sizeAt(step: number): number {
    return this.ragged > 0 && step % this.stepsPerEpoch === this.stepsPerEpoch - 1 ? this.ragged : this.batchSize
  }

  /** Steps from t on that all see equally many samples, at most `most`. */
  runFrom(step: number, most: number): number {
    if (this.ragged === 0) return most
    const position = step % this.stepsPerEpoch
    return position === this.stepsPerEpoch - 1 ? 1 : Math.min(most, this.stepsPerEpoch - 1 - position)
  }

  /** Writes the samples of steps t … t + count − 1, all of one size, into the rows of `target` [rows × size]. */
  writeRows(target: BigInt64Array, step: number, count: number): void {
    const size = this.sizeAt(step)
    for (let i = 0; i < count; i++) {
      const permutation = this.#permutationOf(this.epochOf(step + i))
      const start = ((step + i) % this.stepsPerEpoch) * this.batchSize
      for (let j = 0; j < size; j++) target[i * size + j] = BigInt(permutation[start + j])
    }
  }

  #permutationOf(epoch: number): Uint32Array {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch
      this.#permutation = randomStream(this.#seed, 'order', epoch).permutation(this.samples)
    }
    return this.#permutation
  }
}
