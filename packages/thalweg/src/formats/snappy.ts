import { FormatError } from '@thalweg/graph'
/** Unpacks a raw snappy block of exactly `length` bytes. (hyparquet's own trusts lengths: some blocks never end in it.)
 *
 * @throws {FormatError} if the block is damaged or holds another number of bytes.
 * Source: github.com/google/snappy, format_description.txt. */
export function snappyDecompress(block: Uint8Array, length: number): Uint8Array {
  let position = 0
  const byte = (): number => {
    if (position >= block.length) throw new FormatError('a snappy block ends inside an element')
    return block[position++]
  }
  const littleEndian = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++) value += byte() * 2 ** (8 * i)
    return value
  }
  let declared = 0
  for (let shift = 0, more = true; more; shift += 7) {
    const part = byte()
    declared += (part & 127) * 2 ** shift
    more = part >= 128
    if (shift > 28) throw new FormatError('a snappy block has an overlong length')
  }
  if (declared !== length) throw new FormatError(`a snappy block must hold ${length} bytes, got ${declared}`)
  const output = new Uint8Array(length)
  let filled = 0
  while (position < block.length) {
    const tag = byte()
    const upper = tag >> 2
    if ((tag & 3) === 0) {
      const count = 1 + (upper < 60 ? upper : littleEndian(upper - 59))
      if (count > block.length - position || count > length - filled)
        throw new FormatError('a snappy literal is too long')
      output.set(block.subarray(position, position + count), filled)
      position += count
      filled += count
    } else {
      const near = (tag & 3) === 1
      const count = near ? 4 + (upper & 7) : 1 + upper
      const distance = near ? (upper >> 3) * 256 + byte() : littleEndian((tag & 3) === 2 ? 2 : 4)
      if (distance === 0 || distance > filled || count > length - filled)
        throw new FormatError('a snappy copy leaves the block')
      // Byte by byte: a copy may overlap what it writes, which repeats a pattern.
      for (const end = filled + count; filled < end; filled++) output[filled] = output[filled - distance]
    }
  }
  if (filled !== length) throw new FormatError(`a snappy block must hold ${length} bytes, got ${filled}`)
  return output
}
