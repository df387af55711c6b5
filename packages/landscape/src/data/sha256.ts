import { DomainError } from '@thalweg/graph'

// Fractional parts of the cube roots of the first 64 primes (FIPS 180-4, §4.2.2).
const roundConstants = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
])

/** SHA-256, streaming: feed bytes in pieces of any size, then take the digest once.
 *
 * Cost: O(bytes) time, constant memory. Source: FIPS 180-4, §6.2. */
export class Sha256 {
  readonly #state = new Int32Array([
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  ])
  readonly #block = new Uint8Array(64)
  #filled = 0
  #bytes = 0
  readonly #schedule = new Int32Array(64)
  #finished = false

  /** Appends bytes to the message.
   * @throws {DomainError} after `hex` was called. */
  update(bytes: Uint8Array): this {
    if (this.#finished) throw new DomainError('Sha256.update: the digest was already taken. Start a new Sha256.')
    this.#append(bytes)
    this.#bytes += bytes.length
    return this
  }

  /** Ends the message and returns its digest, 64 lower-case hexadecimal digits.
   * @throws {DomainError} if called twice. */
  hex(): string {
    if (this.#finished) throw new DomainError('Sha256.hex: the digest was already taken. Start a new Sha256.')
    this.#finished = true
    // Padding: one bit 1, zeros, and the message length in bits as a 64-bit big-endian number.
    const padding = new Uint8Array(((this.#filled < 56 ? 56 : 120) - this.#filled) | 0)
    padding[0] = 0x80
    this.#append(padding)
    const length = new DataView(new ArrayBuffer(8))
    length.setBigUint64(0, BigInt(this.#bytes) * 8n)
    this.#append(new Uint8Array(length.buffer))
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #append(bytes: Uint8Array): void {
    let offset = 0
    if (this.#filled > 0) {
      offset = Math.min(64 - this.#filled, bytes.length)
      this.#block.set(bytes.subarray(0, offset), this.#filled)
      this.#filled += offset
      if (this.#filled < 64) return
      this.#compress(this.#block, 0)
      this.#filled = 0
    }
    for (; offset + 64 <= bytes.length; offset += 64) this.#compress(bytes, offset)
    this.#block.set(bytes.subarray(offset))
    this.#filled = bytes.length - offset
  }

  /** One round over the 64 bytes at `offset`. */
  #compress(bytes: Uint8Array, offset: number): void {
    const w = this.#schedule
    for (let t = 0, i = offset; t < 16; t++, i += 4)
      w[t] = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3]
    for (let t = 16; t < 64; t++) {
      const x = w[t - 15]
      const y = w[t - 2]
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
      w[t] = (w[t - 16] + s0 + w[t - 7] + s1) | 0
    }
    const h = this.#state
    let a = h[0]
    let b = h[1]
    let c = h[2]
    let d = h[3]
    let e = h[4]
    let f = h[5]
    let g = h[6]
    let k = h[7]
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
      const t1 = (k + s1 + ((e & f) ^ (~e & g)) + roundConstants[t] + w[t]) | 0
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
      k = g
      g = f
      f = e
      e = (d + t1) | 0
      d = c
      c = b
      b = a
      a = (t1 + t2) | 0
    }
    h[0] += a
    h[1] += b
    h[2] += c
    h[3] += d
    h[4] += e
    h[5] += f
    h[6] += g
    h[7] += k
  }
}
