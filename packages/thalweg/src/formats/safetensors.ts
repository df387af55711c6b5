import { DomainError, UnsupportedError, bytesOf, FormatError } from '@thalweg/graph'
import type { DType, Tensor } from '@thalweg/graph'
import { decodeElements, encodeElements } from './elements.ts'
import type { ElementType } from './elements.ts'
import { formatError } from './source.ts'
import type { Source } from './source.ts'

/** The limit of the reference implementation. */
const headerBytesMax = 100_000_000

const elementTypes: Readonly<Record<string, ElementType>> = {
  F64: { kind: 'float', bytes: 8 },
  F32: { kind: 'float', bytes: 4 },
  F16: { kind: 'float', bytes: 2 },
  BF16: { kind: 'bfloat', bytes: 2 },
  I64: { kind: 'int', bytes: 8 },
  I32: { kind: 'int', bytes: 4 },
  I16: { kind: 'int', bytes: 2 },
  I8: { kind: 'int', bytes: 1 },
  U64: { kind: 'uint', bytes: 8 },
  U32: { kind: 'uint', bytes: 4 },
  U16: { kind: 'uint', bytes: 2 },
  U8: { kind: 'uint', bytes: 1 },
  BOOL: { kind: 'bool', bytes: 1 },
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>
  readonly metadata: Readonly<Record<string, string>>
}

interface Entry {
  readonly name: string
  readonly type: ElementType
  readonly shape: readonly number[]
  readonly start: number
  readonly end: number
}

/** The tensors of a `.safetensors` file. Half precisions widen to float32, integers to int64.
 *
 *      8 bytes: header length N · N bytes: JSON · data, without gaps or overlaps
 *
 * @throws {FormatError} naming the tensor or the byte, if anything deviates from the format.
 * @throws {UnsupportedError} for other element types, such as F8_E4M3.
 * Source: github.com/huggingface/safetensors, README "Format". */
export function decodeSafetensors(bytes: Uint8Array, source: Source): Safetensors {
  const { header, dataOffset } = parseHeader(bytes, source)
  const { __metadata__: metadata = {}, ...rest } = header
  const strings = isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string')
  if (!strings) throw broken(source, 'header, __metadata__', 'metadata must map strings to strings')
  const entries = Object.entries(rest).map(([name, description]) => parseEntry(name, description, source))
  entries.sort((a, b) => a.start - b.start || a.end - b.end)
  let position = 0
  for (const { name, start, end } of entries) {
    if (start !== position)
      throw broken(
        source,
        `header, tensor '${name}'`,
        `data must follow on without gap or overlap at ${position}, got ${start}`,
      )
    position = end
  }
  if (dataOffset + position !== bytes.length)
    throw broken(source, `byte ${dataOffset}`, `the tensors need ${position} bytes, got ${bytes.length - dataOffset}`)
  const tensors = entries.map(({ name, type, shape, start, end }) => {
    const data = bytes.subarray(dataOffset + start, dataOffset + end)
    return [name, decodeElements(data, type, shape, source, `tensor '${name}'`)] as const
  })
  return { tensors: new Map(tensors), metadata: metadata as Record<string, string> }
}

function parseHeader(bytes: Uint8Array, source: Source): { header: Record<string, unknown>; dataOffset: number } {
  if (bytes.length < 8) throw broken(source, `byte ${bytes.length}`, 'the file ends inside the header length')
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(Math.min(headerBytesMax, bytes.length - 8)))
    throw broken(source, 'byte 0', `a header of ${length} bytes does not fit a file of ${bytes.length} bytes`)
  const dataOffset = 8 + Number(length)
  let header: unknown
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, dataOffset))
    if (!text.startsWith('{')) throw new FormatError(`the header must start with {, got ${JSON.stringify(text[0])}`)
    header = JSON.parse(text)
  } catch (error) {
    throw broken(source, 'byte 8', `the header must be JSON, got an error: ${(error as Error).message}`)
  }
  if (!isObject(header)) throw broken(source, 'byte 8', 'the header must be a JSON object')
  return { header, dataOffset }
}

function parseEntry(name: string, description: unknown, source: Source): Entry {
  const place = `header, tensor '${name}'`
  if (!isObject(description)) throw broken(source, place, 'a tensor must be described by an object')
  const { dtype, shape, data_offsets: offsets, ...unknown } = description
  if (Object.keys(unknown).length > 0)
    throw broken(source, place, `the keys must be dtype, shape and data_offsets, got '${Object.keys(unknown)[0]}'`)
  if (typeof dtype !== 'string') throw broken(source, place, 'dtype must be a string')
  if (!Object.hasOwn(elementTypes, dtype))
    throw new UnsupportedError(
      `${source.file}, tensor '${name}': dtype must be one of ${Object.keys(elementTypes).join(', ')}, got ${dtype}. ` +
        'Save it in another precision.',
    )
  const type = elementTypes[dtype]
  if (!isCounts(shape)) throw broken(source, place, `shape must be a list of counts, got ${JSON.stringify(shape)}`)
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1])
    throw broken(source, place, `data_offsets must be [begin, end], got ${JSON.stringify(offsets)}`)
  return { name, type, shape, start: offsets[0], end: offsets[1] }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0)
}

function broken(source: Source, place: string, rule: string): Error {
  return formatError(source, place, rule, 'Write the file again, or copy it again.')
}

const dtypeNames: Record<DType, string> = { float64: 'F64', float32: 'F32', int64: 'I64', bool: 'BOOL' }

/** A `.safetensors` file: widest elements first, then by name, so that every tensor is aligned and the same content
 * gives the same bytes.
 * @throws {DomainError} for a tensor named `__metadata__`. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors)
  entries.sort(([a, s], [b, t]) => bytesOf(t.dtype) - bytesOf(s.dtype) || (a < b ? -1 : 1))
  const header: Record<string, unknown> = Object.create(null)
  const keys = Object.keys(metadata).sort()
  if (keys.length > 0) header.__metadata__ = Object.fromEntries(keys.map((key) => [key, metadata[key]]))
  let position = 0
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === '__metadata__')
      throw new DomainError(`encodeSafetensors: the name '${name}' is taken. Rename the tensor.`)
    const end = position + data.byteLength
    header[name] = { dtype: dtypeNames[dtype], shape, data_offsets: [position, end] }
    position = end
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(8 + length + position)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(text, 8)
  bytes.fill(0x20, 8 + text.length, 8 + length)
  let offset = 8 + length
  for (const [, value] of entries) {
    bytes.set(encodeElements(value), offset)
    offset += value.data.byteLength
  }
  return bytes
}
