import { FormatError, UnsupportedError } from '../core/errors.ts'
import { allocate, bytesOf, tensor } from '../core/tensor.ts'
import { type ElementFormat, formatOfCode, nameOfCode } from './element-type.ts'
import { halfToNumber } from './float16.ts'
import type { TensorProto } from './generated/onnx_pb.js'
import type { OnnxInitializer } from './model.ts'

/** Bytes `offset … offset + length − 1` of the file `location`, a path relative to the model's folder. */
export type ExternalReader = (location: string, offset: number, length: number) => Uint8Array

/** Bytes of tensor memory, as widened: how many a model may take, and how many are left of them. */
export interface TensorBudget {
  readonly bytesMax: number
  bytesLeft: number
}

export interface TensorReading {
  readonly readExternal?: ExternalReader
  /** Shared by all tensors of a file. */
  readonly budget: TensorBudget
}

const largestDimension = 2 ** 40
const external = 1

/** Reads a tensor of a file: `raw_data`, a typed field or external data, widened to one of our dtypes.
 *
 * The number of elements is compared with the bytes at hand before anything is allocated.
 * @throws {FormatError} for sizes that do not agree or exceed the budget; {UnsupportedError} for element types not read. */
export function readTensor(proto: TensorProto, where: string, reading: TensorReading): OnnxInitializer {
  const format = formatOfCode(proto.dataType)
  if (format === undefined)
    throw new UnsupportedError(
      `${where}: tensors of type ${nameOfCode(proto.dataType)} are not read. Export the model with float32 or float64 weights.`,
    )
  if (proto.segment !== undefined)
    throw new UnsupportedError(`${where}: segmented tensors are not read. Export the model again.`)
  const { shape, size } = readShape(proto.dims, where)
  reserve(size * bytesOf(format.dtype), where, reading.budget)
  const data = allocateAfterCheck(proto, format, size, where, reading)
  return { tensor: tensor(format.dtype, shape, data), elementType: format.name }
}

function readShape(dims: readonly bigint[], where: string): { shape: number[]; size: number } {
  const shape: number[] = []
  let size = 1
  for (const dim of dims) {
    if (dim < 0n || dim > largestDimension)
      throw new FormatError(`${where}: a dimension must be in 0…2^40, got ${dim}. The file is damaged or hostile.`)
    shape.push(Number(dim))
    size *= Number(dim)
    if (size > Number.MAX_SAFE_INTEGER)
      throw new FormatError(`${where}: shape [${dims.join(',')}] is absurdly large. The file is damaged or hostile.`)
  }
  return { shape, size }
}

function reserve(bytes: number, where: string, budget: TensorBudget): void {
  if (bytes > budget.bytesLeft)
    throw new FormatError(
      `${where}: the model's tensors need more than the limit of ${budget.bytesMax} bytes. Raise maxBytes if the file is trusted.`,
    )
  budget.bytesLeft -= bytes
}

type Data = Float64Array | Float32Array | BigInt64Array | Uint8Array

function allocateAfterCheck(
  proto: TensorProto,
  format: ElementFormat,
  size: number,
  where: string,
  reading: TensorReading,
): Data {
  if (proto.dataLocation === external)
    return decodeRaw(readExternalBytes(proto, size * format.bytes, where, reading), format, size, where)
  if (proto.externalData.length > 0)
    throw new FormatError(
      `${where}: external data is listed but its location is not marked external. Export the model again.`,
    )
  const typed = proto[format.field]
  if (proto.rawData.length > 0 || (size === 0 && typed.length === 0))
    return decodeRaw(proto.rawData, format, size, where)
  if (typed.length !== size) throw sizeMismatch(proto, `${typed.length} values`, where)
  return decodeTyped(typed, format, size, where)
}

function sizeMismatch(proto: TensorProto, got: string, where: string): FormatError {
  return new FormatError(
    `${where}: shape [${proto.dims.join(',')}] of ${nameOfCode(proto.dataType)} does not fit its data, got ${got}. The file is damaged or truncated.`,
  )
}

function readExternalBytes(proto: TensorProto, length: number, where: string, reading: TensorReading): Uint8Array {
  const entries = new Map(proto.externalData.map((entry) => [entry.key, entry.value]))
  const location = entries.get('location') ?? ''
  requireInnerPath(location, where)
  const offset = readCount(entries.get('offset'), 0, `${where}: external offset`)
  const stated = readCount(entries.get('length'), length, `${where}: external length`)
  if (stated !== length) throw sizeMismatch(proto, `${stated} bytes in '${location}'`, where)
  if (length === 0) return new Uint8Array(0)
  if (reading.readExternal === undefined)
    throw new FormatError(
      `${where}: its data is in the file '${location}', which is not at hand. Open the model from its folder.`,
    )
  const bytes = reading.readExternal(location, offset, length)
  if (bytes.length !== length) throw sizeMismatch(proto, `${bytes.length} bytes in '${location}'`, where)
  return bytes
}

/** A first barrier that needs no file system: the path is relative and never climbs. Links are the reader's to resolve. */
function requireInnerPath(location: string, where: string): void {
  const parts = location.split(/[\\/]/)
  const climbs = parts.includes('..') || parts[0] === '' || /^[A-Za-z]:/.test(location) || location.includes('\0')
  if (climbs)
    throw new FormatError(
      `${where}: external data must lie in the model's folder, got location '${location}'. Refused: the file may be hostile.`,
    )
}

function readCount(text: string | undefined, fallback: number, where: string): number {
  if (text === undefined || text === '') return fallback
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value))
    throw new FormatError(`${where}: must be a count of bytes, got '${text.slice(0, 40)}'. The file is damaged.`)
  return value
}

/** Little-endian bytes, as the standard demands on every machine. Copies, so that the result never aliases the file. */
function decodeRaw(bytes: Uint8Array, format: ElementFormat, size: number, where: string): Data {
  if (bytes.length !== size * format.bytes)
    throw new FormatError(
      `${where}: ${size} elements of ${format.name} need ${size * format.bytes} bytes, got ${bytes.length}. The file is damaged or truncated.`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { name } = format
  switch (name) {
    case 'float64':
      return fill(new Float64Array(size), (i) => view.getFloat64(8 * i, true))
    case 'float32':
      return fill(new Float32Array(size), (i) => view.getFloat32(4 * i, true))
    case 'float16':
    case 'bfloat16':
      return fill(new Float32Array(size), (i) => halfToNumber(view.getUint16(2 * i, true), name))
    case 'bool':
      return fill(new Uint8Array(size), (i) => (bytes[i] === 0 ? 0 : 1))
    default:
      return decodeRawIntegers(view, format, size, where)
  }
}

function fill<A extends Float32Array | Float64Array | Uint8Array>(out: A, valueAt: (i: number) => number): A {
  for (let i = 0; i < out.length; i++) out[i] = valueAt(i)
  return out
}

function decodeRawIntegers(view: DataView, format: ElementFormat, size: number, where: string): BigInt64Array {
  const out = new BigInt64Array(size)
  for (let i = 0; i < size; i++) out[i] = checkedInteger(rawIntegerAt(view, format, i), where)
  return out
}

function rawIntegerAt(view: DataView, format: ElementFormat, i: number): bigint {
  switch (format.name) {
    case 'int8':
      return BigInt(view.getInt8(i))
    case 'uint8':
      return BigInt(view.getUint8(i))
    case 'int16':
      return BigInt(view.getInt16(2 * i, true))
    case 'uint16':
      return BigInt(view.getUint16(2 * i, true))
    case 'int32':
      return BigInt(view.getInt32(4 * i, true))
    case 'uint32':
      return BigInt(view.getUint32(4 * i, true))
    case 'uint64':
      return view.getBigUint64(8 * i, true)
    default:
      return view.getBigInt64(8 * i, true)
  }
}

function checkedInteger(value: bigint, where: string): bigint {
  if (value > 0x7fff_ffff_ffff_ffffn)
    throw new UnsupportedError(
      `${where}: integers above 2^63 − 1 are not read, got ${value}. Export the model with int64.`,
    )
  return value
}

function decodeTyped(values: readonly (number | bigint)[], format: ElementFormat, size: number, where: string): Data {
  const data: Data = allocate(format.dtype, size)
  if (data instanceof BigInt64Array) {
    for (let i = 0; i < size; i++) data[i] = checkedInteger(BigInt(values[i]), where)
  } else if (format.name === 'float16' || format.name === 'bfloat16') {
    for (let i = 0; i < size; i++) data[i] = halfToNumber(Number(values[i]) & 0xffff, format.name)
  } else if (format.name === 'bool') {
    for (let i = 0; i < size; i++) data[i] = values[i] ? 1 : 0
  } else {
    for (let i = 0; i < size; i++) data[i] = Number(values[i])
  }
  return data
}
