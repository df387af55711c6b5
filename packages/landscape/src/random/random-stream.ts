import { DomainError } from '@thalweg/graph'
import { philox4x32 } from './philox.ts'

const twoTo32 = 4294967296
const twoTo53 = 9007199254740992

/** A reproducible sequence of random numbers that belongs to one (seed, purpose, index).
 *
 * Two streams with different keys are independent; a stream's numbers depend on nothing but its key and the order of
 * the calls on it, so neither the number of workers nor what other streams do can change them. Arrays are filled from
 * index 0 upwards with exactly the numbers that single calls would give, except `rademacher`, which takes 32 signs
 * from each word. */
export interface RandomStream {
  /** Uniform on [0, 1), a multiple of 2⁻⁵³; takes two words. */
  uniform(): number
  /** Standard normal by Box and Muller: the first of a pair is √(−2 log(1 − u₁)) cos 2πu₂, the second, kept for the
   * next call, has the sine. At most 8.6 in modulus. */
  normal(): number
  /** Uniform on {0, …, count − 1}, without bias (by rejection); 1 ≤ count ≤ 2⁵³. */
  integer(count: number): number
  /** A uniformly random order of 0 … count − 1 (Fisher–Yates, from the last position down). */
  permutation(count: number): Uint32Array
  uniforms(length: number): Float64Array
  normals(length: number): Float64Array
  /** Independent signs, −1 or +1 with probability ½ each. */
  rademacher(length: number): Float64Array
  fillUniform(target: Float64Array): void
  fillNormal(target: Float64Array): void
  fillRademacher(target: Float64Array): void
}

function requireCount(where: string, name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new DomainError(`${where}: ${name} must be an integer in ${least}…${most}, got ${value}.`, { [name]: value })
  }
}

/** 64-bit digest of a string: Philox chained over its UTF-16 code units, two per block, the length in the last. */
function digest(text: string): [number, number] {
  const key = new Uint32Array(2)
  const block = new Uint32Array(4)
  const output = new Uint32Array(4)
  for (let position = 0; position <= text.length; position += 2) {
    const ended = position + 2 > text.length
    block[0] = position < text.length ? text.charCodeAt(position) : 0
    block[1] = position + 1 < text.length ? text.charCodeAt(position + 1) : 0
    block[2] = ended ? text.length : 0
    block[3] = ended ? 1 : 0
    philox4x32(block, key, output)
    key[0] ^= output[0]
    key[1] ^= output[1]
  }
  return [key[0], key[1]]
}

/** The stream of random numbers that belongs to (seed, purpose, index).
 *
 * The Philox key is the seed (64 bits) exclusive-or a digest of the purpose, so different seeds never share a stream of
 * one purpose; the counter is (block, index), so different indices never overlap.
 *
 * @param seed     an integer in 0 … 2⁵³ − 1.
 * @param purpose  what the numbers are for, such as `'lanczos start'`; any string.
 * @param index    which of many streams of that purpose (a sample, a probe, an epoch), 0 … 2⁵³ − 1.
 * @throws {DomainError} if `seed` or `index` is not such an integer. */
export function randomStream(seed: number, purpose: string, index: number = 0): RandomStream {
  requireCount('randomStream', 'seed', seed, 0, Number.MAX_SAFE_INTEGER)
  requireCount('randomStream', 'index', index, 0, Number.MAX_SAFE_INTEGER)
  const [digest0, digest1] = digest(purpose)
  const key = new Uint32Array([(seed % twoTo32) ^ digest0, Math.floor(seed / twoTo32) ^ digest1])
  return new PhiloxStream(key, index)
}

class PhiloxStream implements RandomStream {
  readonly #key: Uint32Array
  /** (block low, block high, index low, index high). */
  readonly #counter: Uint32Array
  readonly #words: Uint32Array = new Uint32Array(4)
  #position = 4
  #pendingNormal = Number.NaN

  constructor(key: Uint32Array, index: number) {
    this.#key = key
    this.#counter = new Uint32Array([0, 0, index % twoTo32, Math.floor(index / twoTo32)])
  }

  #word(): number {
    if (this.#position === 4) {
      philox4x32(this.#counter, this.#key, this.#words)
      this.#counter[0]++
      if (this.#counter[0] === 0) this.#counter[1]++
      this.#position = 0
    }
    return this.#words[this.#position++]
  }

  /** 53 random bits as an integer: 27 from one word, 26 from the next. */
  #bits53(): number {
    const high = this.#word() >>> 5
    return high * 67108864 + (this.#word() >>> 6)
  }

  uniform(): number {
    return this.#bits53() / twoTo53
  }

  normal(): number {
    const pending = this.#pendingNormal
    if (!Number.isNaN(pending)) {
      this.#pendingNormal = Number.NaN
      return pending
    }
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.#pendingNormal = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  integer(count: number): number {
    requireCount('integer', 'count', count, 1, twoTo53)
    if (count <= twoTo32) {
      const limit = twoTo32 - (twoTo32 % count)
      let word = this.#word()
      while (word >= limit) word = this.#word()
      return word % count
    }
    const limit = twoTo53 - (twoTo53 % count)
    let bits = this.#bits53()
    while (bits >= limit) bits = this.#bits53()
    return bits % count
  }

  permutation(count: number): Uint32Array {
    requireCount('permutation', 'count', count, 0, twoTo32 - 1)
    const order = new Uint32Array(count)
    for (let i = 0; i < count; i++) order[i] = i
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      const swapped = order[i]
      order[i] = order[j]
      order[j] = swapped
    }
    return order
  }

  uniforms(length: number): Float64Array {
    const target = new Float64Array(length)
    this.fillUniform(target)
    return target
  }

  normals(length: number): Float64Array {
    const target = new Float64Array(length)
    this.fillNormal(target)
    return target
  }

  rademacher(length: number): Float64Array {
    const target = new Float64Array(length)
    this.fillRademacher(target)
    return target
  }

  fillUniform(target: Float64Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.uniform()
  }

  fillNormal(target: Float64Array): void {
    for (let i = 0; i < target.length; i++) target[i] = this.normal()
  }

  fillRademacher(target: Float64Array): void {
    let bits = 0
    for (let i = 0; i < target.length; i++) {
      if ((i & 31) === 0) bits = this.#word()
      target[i] = (bits & 1) * 2 - 1
      bits >>>= 1
    }
  }
}
