import { crc32, inflateRawSync } from 'node:zlib'
import { formatError, maxBytesOf, plainBytes } from './source.ts'
import type { Source } from './source.ts'

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string
  /** Unpacks it and checks its length and CRC-32.
   * @throws {FormatError} if it is damaged or larger than the limit. */
  readonly read: () => Uint8Array
}

interface Record {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly packedSize: number
  readonly size: number
  readonly headerOffset: number
}

const cure = 'Write the archive again, or copy it again.'
/** Deflate cannot shrink by more than this. */
const deflateRatioMax = 1032

/** The entries of a zip archive by its central directory, with zip64; nothing is unpacked yet. Stricter than most
 * readers, for archives from strangers: no duplicate names, no overlapping entries (the trick of dense zip bombs), no
 * encryption, no methods but stored and deflated, and local headers must agree with the directory.
 *
 * @throws {FormatError} naming the byte. Source: PKWARE APPNOTE 6.3.10. */
export function openZip(bytes: Uint8Array, source: Source): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const directory = findDirectory(view, source)
  const records = parseDirectory(bytes, view, directory, source)
  const names = new Set<string>()
  const spans: { readonly start: number; readonly end: number; readonly name: string }[] = []
  const entries = records.map((record) => {
    if (names.has(record.name)) throw formatError(source, 'zip', `names must differ, got '${record.name}' twice`, cure)
    names.add(record.name)
    const start = dataOffset(bytes, view, record, source)
    const end = start + record.packedSize
    if (end > directory.offset)
      throw formatError(source, `byte ${start}`, `entry '${record.name}' runs into the directory`, cure)
    spans.push({ start: record.headerOffset, end, name: record.name })
    return { name: record.name, read: () => unpack(bytes.subarray(start, end), record, source) }
  })
  // Each entry has a limit of its own; what is read of an archive is mostly read whole.
  const total = records.reduce((sum, { size }) => sum + size, 0)
  const limit = 4 * maxBytesOf(source)
  if (total > limit)
    throw formatError(
      source,
      'zip',
      `its entries together may unpack to ${limit} bytes, got ${total}`,
      'Split it, or raise the limit (maxBytes).',
    )
  spans.sort((a, b) => a.start - b.start)
  for (let i = 1; i < spans.length; i++)
    if (spans[i].start < spans[i - 1].end)
      throw formatError(
        source,
        `byte ${spans[i].start}`,
        `entries '${spans[i - 1].name}' and '${spans[i].name}' overlap`,
        cure,
      )
  return entries
}

interface Directory {
  readonly offset: number
  readonly end: number
  readonly count: number
}

/** The central directory, from the end record that closes the file. */
function findDirectory(view: DataView, source: Source): Directory {
  const lowest = Math.max(0, view.byteLength - 22 - 65535)
  let end = view.byteLength - 22
  while (
    end >= lowest &&
    !(view.getUint32(end, true) === 0x06054b50 && end + 22 + view.getUint16(end + 20, true) === view.byteLength)
  )
    end--
  if (end < lowest)
    throw formatError(source, `byte ${view.byteLength}`, 'a zip archive must end with its directory, got none', cure)
  let [count, size, offset] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ]
  let directoryEnd = end
  const disks = [view.getUint16(end + 4, true), view.getUint16(end + 6, true)]
  if (end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) {
    const at = safeUint64(view, end - 12)
    if (!(at <= end - 20 - 56) || view.getUint32(at, true) !== 0x06064b50)
      throw formatError(source, `byte ${end - 12}`, `the zip64 end record must be in the file, got offset ${at}`, cure)
    count = safeUint64(view, at + 32)
    size = safeUint64(view, at + 40)
    offset = safeUint64(view, at + 48)
    directoryEnd = at
  } else if (disks.some((disk) => disk !== 0))
    throw formatError(source, `byte ${end + 4}`, 'archives in several parts cannot be read', 'Join the parts.')
  if (!(offset + size <= directoryEnd) || count * 46 > size)
    throw formatError(
      source,
      `byte ${end}`,
      `the directory must lie in the file, got ${count} entries in ${size} bytes at ${offset}`,
      cure,
    )
  return { offset, end: offset + size, count }
}

function parseDirectory(bytes: Uint8Array, view: DataView, directory: Directory, source: Source): Record[] {
  const records: Record[] = []
  let at = directory.offset
  for (let i = 0; i < directory.count; i++) {
    if (at + 46 > directory.end || view.getUint32(at, true) !== 0x02014b50)
      throw formatError(source, `byte ${at}`, `directory entry ${i} is not one`, cure)
    const nameEnd = at + 46 + view.getUint16(at + 28, true)
    const extraEnd = nameEnd + view.getUint16(at + 30, true)
    const next = extraEnd + view.getUint16(at + 32, true)
    if (next > directory.end)
      throw formatError(source, `byte ${at}`, `directory entry ${i} runs out of the directory`, cure)
    const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd))
    const sizes = zip64Sizes(view, at, nameEnd, extraEnd)
    if (!sizes) throw formatError(source, `byte ${nameEnd}`, `entry '${name}' has no valid zip64 sizes`, cure)
    const [size, packedSize, headerOffset] = sizes
    records.push({
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedSize,
      size,
      headerOffset,
    })
    at = next
  }
  return records
}

/** Size, packed size and header offset; those that read 2³²−1 are in the zip64 extra field, in this order. */
function zip64Sizes(view: DataView, at: number, extraStart: number, extraEnd: number): number[] | undefined {
  const sizes = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)]
  if (!sizes.includes(0xffffffff)) return sizes
  let field = extraStart
  while (field + 4 <= extraEnd && view.getUint16(field, true) !== 1) field += 4 + view.getUint16(field + 2, true)
  let position = field + 4
  const fieldEnd = position <= extraEnd ? Math.min(extraEnd, position + view.getUint16(field + 2, true)) : 0
  for (let i = 0; i < 3; i++) {
    if (sizes[i] !== 0xffffffff) continue
    if (position + 8 > fieldEnd) return undefined
    sizes[i] = safeUint64(view, position)
    position += 8
  }
  return sizes
}

/** Where an entry's data starts, by its local header. */
function dataOffset(bytes: Uint8Array, view: DataView, record: Record, source: Source): number {
  const { name, headerOffset } = record
  const place = `byte ${headerOffset}`
  if (record.flags & 1) throw formatError(source, place, `entry '${name}' is encrypted`, 'Write it without a password.')
  if (record.method !== 0 && record.method !== 8)
    throw formatError(
      source,
      place,
      `entries must be stored or deflated, got method ${record.method} for '${name}'`,
      'Use numpy.savez or numpy.savez_compressed.',
    )
  if (!(headerOffset + 30 <= bytes.length) || view.getUint32(headerOffset, true) !== 0x04034b50)
    throw formatError(source, place, `entry '${name}' has no local header there`, cure)
  const nameEnd = headerOffset + 30 + view.getUint16(headerOffset + 26, true)
  const localName = new TextDecoder().decode(bytes.subarray(headerOffset + 30, nameEnd))
  if (localName !== name)
    throw formatError(source, place, `the directory says '${name}' and the local header '${localName}'`, cure)
  return nameEnd + view.getUint16(headerOffset + 28, true)
}

function unpack(packed: Uint8Array, record: Record, source: Source): Uint8Array {
  const { name, method, size, crc } = record
  const inside: Source = { ...source, file: `${source.file}/${name}` }
  const limit = maxBytesOf(source) + 2 ** 20
  if (size > limit)
    throw formatError(
      inside,
      'zip',
      `may unpack to ${limit} bytes, got ${size}`,
      'Split it, or raise the limit (maxBytes).',
    )
  const possible = method === 0 ? packed.length === size : size <= packed.length * deflateRatioMax
  if (!possible) throw formatError(inside, 'zip', `${packed.length} packed bytes cannot hold ${size}`, cure)
  let content = packed
  if (method === 8)
    try {
      // One output chunk with room for a byte more than declared: nothing is copied, and that byte is an error.
      const chunkSize = Math.min(2 ** 31, Math.max(64, size + 1))
      content = plainBytes(inflateRawSync(packed, { maxOutputLength: Math.max(1, size), chunkSize }))
    } catch (error) {
      throw formatError(inside, 'zip', `cannot be unpacked to ${size} bytes, ${(error as Error).message}`, cure, error)
    }
  if (content.length !== size)
    throw formatError(inside, 'zip', `must unpack to ${size} bytes, got ${content.length}`, cure)
  if (crc32(content) !== crc) throw formatError(inside, 'zip', 'its CRC-32 does not match, so it is damaged', cure)
  return content
}

/** A 64-bit count; anything too large for exact arithmetic becomes Infinity and fails the checks on it. */
function safeUint64(view: DataView, offset: number): number {
  const value = Number(view.getBigUint64(offset, true))
  return Number.isSafeInteger(value) ? value : Infinity
}
