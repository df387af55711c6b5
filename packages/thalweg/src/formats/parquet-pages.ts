import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { ColumnMetaData, CompressionCodec, Compressors, PageHeader, SchemaElement } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { FormatError } from '@thalweg/graph'
import { snappyDecompress } from './snappy.ts'
import { formatError, maxBytesOf } from './source.ts'
import type { Source } from './source.ts'
import { checkThriftStruct } from './thrift-check.ts'

const cure = 'Write the file again, or copy it again.'
/** Page headers hold sizes and statistics of one page. */
const pageHeaderBytesMax = 65536

/** Decompressors of the common codecs, bounded by the length that the page header declares (checked by `checkPages`). */
export const boundedCompressors: Compressors = {
  SNAPPY: snappyDecompress,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
}

/** Walks a column chunk's pages before hyparquet decodes them. hyparquet believes every count it reads: a run of 2³⁰
 * repetitions in a 20-byte page would end the process, a block of no values would never end. So every size, run and
 * block is compared with the number of rows here.
 *
 * @param bytes  the column chunk: `total_compressed_size` bytes of the file.
 * @throws {FormatError} naming the column and the byte. Cost: unpacks every page once more. */
export function checkPages(
  bytes: Uint8Array,
  metadata: ColumnMetaData,
  element: SchemaElement,
  rows: number,
  source: Source,
): void {
  const name = metadata.path_in_schema.join('.')
  const broken = (at: number, rule: string): Error => formatError(source, `column '${name}', byte ${at}`, rule, cure)
  let offset = 0
  let seen = 0
  while (offset < bytes.length && seen < rows) {
    try {
      const { header, start } = readPageHeader(bytes, offset, broken)
      const { compressed_page_size: packed, uncompressed_page_size: length } = header
      if (!(packed >= 0 && start + packed <= bytes.length))
        throw broken(offset, `a page of ${packed} bytes leaves the column`)
      if (!(length >= 0 && length <= maxBytesOf(source))) throw broken(offset, `a page of ${length} bytes is too large`)
      const content = bytes.subarray(start, start + packed)
      const page = { header, content, codec: metadata.codec, element, broken: (rule: string) => broken(offset, rule) }
      if (header.type === 'DICTIONARY_PAGE') checkDictionary(page, rows)
      else if (header.type === 'DATA_PAGE') seen += checkDataPage(page, rows - seen)
      else if (header.type === 'DATA_PAGE_V2') seen += checkDataPageV2(page, rows - seen)
      else throw broken(offset, `unknown page type ${header.type}`)
      offset = start + packed
    } catch (error) {
      // A 64-bit integer where the format has a 32-bit one is a TypeError in the arithmetic above.
      throw error instanceof FormatError ? error : broken(offset, `a page cannot be read, ${(error as Error).message}`)
    }
  }
  if (seen !== rows) throw broken(offset, `the pages hold ${seen} values for ${rows} rows`)
}

interface Page {
  readonly header: PageHeader
  readonly content: Uint8Array
  readonly codec: CompressionCodec
  readonly element: SchemaElement
  readonly broken: (rule: string) => Error
}

function readPageHeader(
  bytes: Uint8Array,
  offset: number,
  broken: (at: number, rule: string) => Error,
): { header: PageHeader; start: number } {
  const window = bytes.subarray(offset, offset + pageHeaderBytesMax)
  try {
    const length = checkThriftStruct(window, 0)
    const reader = { view: new DataView(window.buffer, window.byteOffset, length), offset: 0 }
    return { header: parquetHeader(reader), start: offset + length }
  } catch (error) {
    throw broken(offset, `a page header cannot be read, ${(error as Error).message}`)
  }
}

function unpack({ codec, broken }: Page, content: Uint8Array, length: number): Uint8Array {
  if (codec === 'UNCOMPRESSED') {
    if (content.length !== length) throw broken(`a page must have ${length} bytes, got ${content.length}`)
    return content
  }
  const decompress = boundedCompressors[codec]
  if (!decompress) throw broken(`pages packed with ${codec} cannot be read`)
  // Snappy allocates its output before it looks at the input, and cannot pack better than 1 : 24.
  if (codec === 'SNAPPY' && length > 64 * content.length) throw broken(`${content.length} bytes cannot hold ${length}`)
  try {
    const page = decompress(content, length)
    if (page.length !== length) throw new FormatError(`expected ${length} bytes, got ${page.length}`)
    return page
  } catch (error) {
    throw broken(`a page cannot be unpacked, ${(error as Error).message}`)
  }
}

function checkDictionary(page: Page, rows: number): void {
  const { header, broken } = page
  const count = header.dictionary_page_header?.num_values ?? -1
  if (!(count >= 0 && count <= rows)) throw broken(`a dictionary of ${count} values for ${rows} rows`)
  unpack(page, page.content, header.uncompressed_page_size)
}

/** Definition levels, then values, packed together. Returns the number of rows. */
function checkDataPage(page: Page, rows: number): number {
  const { header, element, broken } = page
  const data = header.data_page_header
  if (!data || !(data.num_values >= 0 && data.num_values <= rows)) throw broken(`a page of ${data?.num_values} values`)
  const bytes = unpack(page, page.content, header.uncompressed_page_size)
  if (element.repetition_type !== 'OPTIONAL') {
    checkValues(page, bytes, data.encoding, data.num_values)
    return data.num_values
  }
  const levels = lengthAt(page, bytes)
  const present = checkRuns(page, bytes.subarray(4, 4 + levels), 1, data.num_values)
  checkValues(page, bytes.subarray(4 + levels), data.encoding, present)
  return data.num_values
}

/** Definition levels plain, values packed. Returns the number of rows. */
function checkDataPageV2(page: Page, rows: number): number {
  const { header, content, element, broken } = page
  const data = header.data_page_header_v2
  if (!data || !(data.num_values >= 0 && data.num_values <= rows)) throw broken(`a page of ${data?.num_values} values`)
  const length = header.uncompressed_page_size
  const levels = data.definition_levels_byte_length
  const fits = data.repetition_levels_byte_length === 0 && levels >= 0 && levels <= Math.min(content.length, length)
  const optional = element.repetition_type === 'OPTIONAL'
  const present = optional && fits ? checkRuns(page, content.subarray(0, levels), 1, data.num_values) : data.num_values
  if (!fits || present !== data.num_values - data.num_nulls) throw broken('the levels do not fit the page')
  const rest = content.subarray(levels)
  const bytes = data.is_compressed === false ? rest : unpack(page, rest, length - levels)
  checkValues(page, bytes, data.encoding, present)
  return data.num_values
}

/** Values in the encodings that hide counts; the others run into the end of the page by themselves. */
function checkValues(page: Page, bytes: Uint8Array, encoding: string, count: number): void {
  const { element, broken } = page
  const boolean = element.type === 'BOOLEAN'
  const dictionary = encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY'
  if (encoding === 'PLAIN' || encoding === 'BYTE_STREAM_SPLIT') return
  if (encoding === 'RLE' && boolean) checkRuns(page, bytes.subarray(4, 4 + lengthAt(page, bytes)), 1, count)
  else if (dictionary && !boolean) {
    if (count === 0) return
    if (bytes.length === 0 || bytes[0] > 32) throw broken(`indices of ${bytes[0]} bits`)
    if (bytes[0] > 0) checkRuns(page, bytes.subarray(1), bytes[0], count)
    else if (page.header.type === 'DATA_PAGE_V2') checkRuns(page, bytes.subarray(1), 0, count)
  } else if (encoding === 'DELTA_BINARY_PACKED' && (element.type === 'INT32' || element.type === 'INT64'))
    checkDeltas(page, bytes, count)
  else throw broken(`values of type ${element.type} encoded as ${encoding} cannot be read; use the plain encoding`)
}

function lengthAt({ broken }: Page, bytes: Uint8Array): number {
  const length = bytes.length < 4 ? Infinity : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  if (length > bytes.length - 4) throw broken(`runs of ${length} bytes leave the page`)
  return length
}

/** Runs of the hybrid encoding: repetitions of one value (header even), or groups of eight packed values (odd, the last
 * group padded). Returns how many of the values are 1, for a width of one bit. */
function checkRuns({ broken }: Page, runs: Uint8Array, bitWidth: number, count: number): number {
  const cursor = { bytes: runs, offset: 0 }
  let seen = 0
  let ones = 0
  while (seen < count) {
    const header = varint(cursor)
    const packed = header % 2 === 1
    const groups = Math.floor(header / 2)
    const length = packed ? 8 * groups : groups
    if (!(length > 0 && seen + length <= count + (packed ? 7 : 0)))
      throw broken(`a run of ${length} values where ${count - seen} are left`)
    const width = packed ? groups * bitWidth : Math.ceil(bitWidth / 8)
    if (cursor.offset + width > runs.length) throw broken('a run leaves the page')
    if (bitWidth === 1)
      for (let i = 0; i < length && seen + i < count; i++)
        if (packed ? (runs[cursor.offset + (i >> 3)] >> (i & 7)) & 1 : runs[cursor.offset] === 1) ones++
    cursor.offset += width
    seen += length
  }
  return ones
}

/** Blocks of bit-packed differences: the block size must be positive and every block must lie in the page. */
function checkDeltas({ broken }: Page, bytes: Uint8Array, count: number): void {
  const cursor = { bytes, offset: 0 }
  const blockSize = varint(cursor)
  const miniblocks = varint(cursor)
  varint(cursor)
  varint(cursor)
  const perMiniblock = blockSize / miniblocks
  if (
    !(miniblocks > 0 && miniblocks <= bytes.length && perMiniblock > 0 && perMiniblock % 8 === 0 && blockSize < 2 ** 24)
  )
    throw broken(`blocks of ${blockSize} values in ${miniblocks} parts`)
  for (let seen = 1; seen < count; ) {
    varint(cursor)
    const widths = bytes.subarray(cursor.offset, cursor.offset + miniblocks)
    cursor.offset += miniblocks
    for (const width of widths) {
      if (seen >= count) break
      cursor.offset += (width * perMiniblock) / 8
      seen += perMiniblock
    }
    if (widths.length < miniblocks || widths.some((width) => width > 64)) throw broken('a block leaves the page')
  }
}

/** An unsigned variable-length integer of at most 10 bytes; NaN, which fails every check, where there is none. */
function varint(cursor: { readonly bytes: Uint8Array; offset: number }): number {
  let value = 0
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = cursor.bytes[cursor.offset++]
    value += (byte & 127) * 2 ** shift
    if (byte === undefined) return Number.NaN
    if (byte < 128) return value
  }
  cursor.offset = Infinity
  return Number.NaN
}
