import { allocate, tensor } from '@thalweg/graph'
import type { DataOf, DType, Shape, Tensor } from '@thalweg/graph'
import { boundedSize, formatError } from './source.ts'
import type { Source } from './source.ts'

/** How one number lies in a file. */
export interface ElementType {
  readonly kind: 'float' | 'bfloat' | 'int' | 'uint' | 'bool'
  readonly bytes: 1 | 2 | 4 | 8
  readonly bigEndian?: boolean
}

/** The dtype that holds every value of the element type exactly: half precision widens to float32, integers to int64. */
function dtypeOf({ kind, bytes }: ElementType): DType {
  if (kind === 'bool') return 'bool'
  if (kind === 'int' || kind === 'uint') return 'int64'
  return kind === 'float' && bytes === 8 ? 'float64' : 'float32'
}

/** A tensor from raw row-major elements. Little-endian float32, float64 and int64 alias `bytes` where they are aligned.
 * @param place  where in the file the elements start, for messages.
 * @throws {FormatError} if the array is too large, the bytes are not exactly its elements, or a value exceeds int64. */
export function decodeElements(
  bytes: Uint8Array,
  type: ElementType,
  shape: Shape,
  source: Source,
  place: string,
): Tensor {
  const dtype = dtypeOf(type)
  const size = boundedSize(shape, Math.max(type.bytes, bytesInMemory[dtype]), source, place)
  if (bytes.length !== size * type.bytes)
    throw formatError(
      source,
      place,
      `shape [${shape}] needs ${size * type.bytes} bytes of data, got ${bytes.length}`,
      bytes.length < size * type.bytes ? 'The file is cut short: copy or write it again.' : 'Write the file again.',
    )
  return tensor(dtype, shape, aliased(bytes, type, dtype) ?? converted(bytes, type, dtype, size, source, place))
}

const bytesInMemory: Record<DType, number> = { float64: 8, float32: 4, int64: 8, bool: 1 }

const littleEndianHost = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function aliased(bytes: Uint8Array, type: ElementType, dtype: DType): DataOf[DType] | undefined {
  const same = littleEndianHost && type.bigEndian !== true && type.bytes === bytesInMemory[dtype]
  if (!same || type.kind === 'uint' || type.kind === 'bool' || bytes.byteOffset % type.bytes !== 0) return undefined
  const length = bytes.length / type.bytes
  if (dtype === 'float64') return new Float64Array(bytes.buffer, bytes.byteOffset, length)
  if (dtype === 'float32') return new Float32Array(bytes.buffer, bytes.byteOffset, length)
  return new BigInt64Array(bytes.buffer, bytes.byteOffset, length)
}

function converted(
  bytes: Uint8Array,
  type: ElementType,
  dtype: DType,
  size: number,
  source: Source,
  place: string,
): DataOf[DType] {
  const data = allocate(dtype, size)
  const read = readerOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), type)
  for (let i = 0; i < size; i++) {
    const value = read(i * type.bytes)
    if (typeof value === 'bigint' && value > int64Max)
      throw formatError(
        source,
        `${place}, element ${i}`,
        `integers must be below 2^63, got ${value}`,
        'Save the array as int64 or float64.',
      )
    data[i] = value
  }
  return data
}

const int64Max = 2n ** 63n - 1n

/** A function from byte offset to value: bigint for integers, number otherwise. */
function readerOf(view: DataView, { kind, bytes, bigEndian }: ElementType): (offset: number) => number | bigint {
  const little = bigEndian !== true
  if (kind === 'bool') return (offset) => (view.getUint8(offset) === 0 ? 0 : 1)
  if (kind === 'bfloat') return (offset) => bfloat16(view.getUint16(offset, little))
  if (kind === 'float') {
    if (bytes === 8) return (offset) => view.getFloat64(offset, little)
    return bytes === 4
      ? (offset) => view.getFloat32(offset, little)
      : (offset) => float16(view.getUint16(offset, little))
  }
  if (bytes === 8) return kind === 'int' ? (o) => view.getBigInt64(o, little) : (o) => view.getBigUint64(o, little)
  const read = {
    int: { 1: view.getInt8, 2: view.getInt16, 4: view.getInt32 },
    uint: { 1: view.getUint8, 2: view.getUint16, 4: view.getUint32 },
  }[kind][bytes]
  return (offset) => BigInt(read.call(view, offset, little))
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

const word = new DataView(new ArrayBuffer(4))

/** bfloat16: the upper half of a float32. */
function bfloat16(bits: number): number {
  word.setUint32(0, bits << 16)
  return word.getFloat32(0)
}

/** The bytes of a tensor's elements, little-endian. Aliases the data on little-endian hosts. */
export function encodeElements({ dtype, data }: Tensor): Uint8Array {
  if (littleEndianHost || dtype === 'bool') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const swapped = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) as ArrayBuffer)
  const width = data.BYTES_PER_ELEMENT
  for (let i = 0; i < swapped.length; i += width) swapped.subarray(i, i + width).reverse()
  return swapped
}
