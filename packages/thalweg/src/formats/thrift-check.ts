import { FormatError } from '@thalweg/graph'
/** Thrift's compact protocol nests at most this deep in Parquet: footer, row group, column, metadata, statistics. */
const depthMax = 12

/** Walks one struct in thrift's compact protocol without building it, so that a reader that trusts every length
 * (hyparquet allocates what a list claims) can be given it afterwards.
 *
 * @returns the offset after the struct.
 * @throws {FormatError} if a length leaves the bytes, an integer is overlong, or the nesting is too deep. */
export function checkThriftStruct(bytes: Uint8Array, offset: number): number {
  return new ThriftWalk(bytes, offset).struct(0)
}

class ThriftWalk {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes
    this.#offset = offset
  }

  struct(depth: number): number {
    if (depth > depthMax) throw new FormatError(`structs nest deeper than ${depthMax} at byte ${this.#offset}`)
    for (;;) {
      const byte = this.#byte()
      if ((byte & 15) === 0) return this.#offset
      if (byte >> 4 === 0) this.#integer()
      this.#value(byte & 15, depth)
    }
  }

  #value(type: number, depth: number): void {
    if (type === 1 || type === 2) return
    if (type === 3) this.#skip(1)
    else if (type >= 4 && type <= 6) this.#integer()
    else if (type === 7) this.#skip(8)
    else if (type === 8) this.#skip(this.#length())
    else if (type === 9) this.#list(depth)
    else if (type === 12) this.struct(depth + 1)
    else throw new FormatError(`unknown type ${type} at byte ${this.#offset}`)
  }

  #list(depth: number): void {
    const byte = this.#byte()
    const type = byte & 15
    const count = byte >> 4 === 15 ? this.#length() : byte >> 4
    if (count > this.#bytes.length - this.#offset) throw new FormatError(`a list of ${count} at byte ${this.#offset}`)
    if (depth > depthMax) throw new FormatError(`lists nest deeper than ${depthMax} at byte ${this.#offset}`)
    // In a list a truth value takes a byte; in a struct it is part of the field's type.
    for (let i = 0; i < count; i++) this.#value(type === 1 || type === 2 ? 3 : type, depth + 1)
  }

  #byte(): number {
    if (this.#offset >= this.#bytes.length) throw new FormatError(`ends inside a struct at byte ${this.#offset}`)
    return this.#bytes[this.#offset++]
  }

  #skip(count: number): void {
    if (count > this.#bytes.length - this.#offset) throw new FormatError(`${count} bytes at byte ${this.#offset}`)
    this.#offset += count
  }

  #integer(): void {
    for (let i = 0; i < 10; i++) if (this.#byte() < 128) return
    throw new FormatError(`an integer of more than 10 bytes at byte ${this.#offset}`)
  }

  /** A non-negative 31-bit count. */
  #length(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      value += (byte & 127) * 2 ** shift
      if (byte < 128 && value < 2 ** 31) return value
    }
    throw new FormatError(`a length beyond 2^31 at byte ${this.#offset}`)
  }
}
