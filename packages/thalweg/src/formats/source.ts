import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { FormatError } from '@thalweg/graph'

/** What a reader needs to know besides the bytes. */
export interface Source {
  /** The file's name, for messages. */
  readonly file: string
  /** No array, and nothing unpacked, may take more bytes in memory than this. Default: 4 GiB. */
  readonly maxBytes?: number
}

const defaultMaxBytes = 4 * 2 ** 30

/** The limit of a source. */
export function maxBytesOf(source: Source): number {
  return source.maxBytes ?? defaultMaxBytes
}

/** `FILE, PLACE: rule, got value. Cure.` */
export function formatError(source: Source, place: string, rule: string, cure: string, cause?: unknown): FormatError {
  const where = place === '' ? source.file : `${source.file}, ${place}`
  return new FormatError(`${where}: ${rule}. ${cure}`, { file: source.file, place }, cause)
}

/** Number of elements of a shape, once every axis is a count and the array fits the limit.
 * @param elementBytes  bytes of one element in memory.
 * @throws {FormatError} before anything is allocated. */
export function boundedSize(shape: readonly number[], elementBytes: number, source: Source, place: string): number {
  let size = 1
  for (const d of shape) {
    if (!(Number.isSafeInteger(d) && d >= 0))
      throw formatError(source, place, `every axis must be a count, got shape [${shape}]`, 'Write the file again.')
    size *= d
  }
  if (!(size * elementBytes <= maxBytesOf(source)))
    throw formatError(
      source,
      place,
      `an array may take ${maxBytesOf(source)} bytes, got shape [${shape}] with ${elementBytes} bytes an element`,
      'Split it, or raise the limit (maxBytes).',
    )
  return size
}

/** All bytes of a regular file, at most four times `maxBytes` (an archive holds several arrays).
 * @throws {FormatError} if it is missing, unreadable, not a regular file, or too large. */
export async function readSource(source: Source): Promise<Uint8Array> {
  const { file } = source
  try {
    // Non-blocking, so that opening a pipe nobody writes to does not hang.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const status = await handle.stat()
      if (!status.isFile()) throw formatError(source, '', 'must be a regular file', 'Give the path of a data file.')
      const limit = 4 * maxBytesOf(source)
      if (status.size > limit)
        throw formatError(
          source,
          '',
          `a file may have ${limit} bytes, got ${status.size}`,
          'Split it, or raise the limit (maxBytes).',
        )
      const bytes = new Uint8Array(status.size)
      for (let offset = 0; offset < bytes.length; ) {
        const length = Math.min(bytes.length - offset, 2 ** 28)
        const { bytesRead } = await handle.read(bytes, offset, length, offset)
        if (bytesRead === 0)
          throw formatError(source, `byte ${offset}`, 'the file shrank while it was read', 'Try again.')
        offset += bytesRead
      }
      return bytes
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof FormatError) throw error
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw formatError(source, '', `cannot be read, ${reason}`, 'Check the path and its permissions.', error)
  }
}

/** The content of gzip bytes, at most `maxBytes` and a header; other bytes are returned as they are.
 * @throws {FormatError} if it is damaged, cut short or unpacks to more. */
export function gunzipBounded(bytes: Uint8Array, source: Source): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return plainBytes(gunzipSync(bytes, { maxOutputLength: maxBytesOf(source) + 2 ** 20, chunkSize: 2 ** 20 }))
  } catch (error) {
    const cure = 'Fetch the file again, or unpack it with gunzip to see what is wrong.'
    throw formatError(source, 'gzip', `cannot be unpacked, ${(error as Error).message}`, cure, error)
  }
}

/** The same memory as a Uint8Array: a Buffer's `slice` would not copy. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
