import { UnsupportedError, allocate, stridesOf, tensor } from '@thalweg/graph'
import type { DType, Tensor } from '@thalweg/graph'
import { decodeElements, encodeElements } from './elements.ts'
import type { ElementType } from './elements.ts'
import { formatError } from './source.ts'
import type { Source } from './source.ts'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** NumPy itself writes a few hundred bytes and refuses to read more than 10,000. */
const headerBytesMax = 65536

interface Header {
  readonly type: ElementType
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
  /** Where the elements start. */
  readonly dataOffset: number
}

/** The array of an `.npy` file, versions 1 to 3: floats, integers and booleans of any width and byte order, C or
 * Fortran order. Half precision widens to float32, integers to int64.
 *
 * @throws {FormatError} if the bytes are not such a file, cut short, or larger than the limit.
 * @throws {UnsupportedError} for objects, strings, complex numbers, dates and records.
 * Source: numpy.lib.format. */
export function decodeNpy(bytes: Uint8Array, source: Source): Tensor {
  const { type, fortranOrder, shape, dataOffset } = parseHeader(bytes, source)
  const place = `byte ${dataOffset}`
  const value = decodeElements(bytes.subarray(dataOffset), type, shape, source, place)
  return fortranOrder ? fromFortranOrder(value) : value
}

function parseHeader(bytes: Uint8Array, source: Source): Header {
  const broken = (place: string, rule: string): Error =>
    formatError(source, place, rule, 'Write the file with numpy.save, or copy it again.')
  if (magic.some((byte, i) => bytes[i] !== byte)) throw broken('byte 0', 'an .npy file must start with \\x93NUMPY')
  const version = bytes[6]
  if (!(version >= 1 && version <= 3)) throw broken('byte 6', `the version must be 1, 2 or 3, got ${version}`)
  const start = version === 1 ? 10 : 12
  if (bytes.length < start) throw broken(`byte ${bytes.length}`, 'the file ends inside the header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > headerBytesMax) throw broken('byte 8', `the header may have ${headerBytesMax} bytes, got ${length}`)
  if (start + length > bytes.length)
    throw broken(`byte ${bytes.length}`, `the file ends inside a header of ${length} bytes`)
  const text = new TextDecoder('latin1').decode(bytes.subarray(start, start + length))
  return { ...parseDictionary(text, start, source), dataOffset: start + length }
}

/** The header is a Python dictionary with exactly the keys descr, fortran_order and shape. */
function parseDictionary(text: string, start: number, source: Source): Omit<Header, 'dataOffset'> {
  let position = 0
  const fail = (rule: string): never => {
    throw formatError(source, `header, byte ${start + position}`, rule, 'Write the file with numpy.save.')
  }
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const found = pattern.exec(text)
    if (found) position = pattern.lastIndex
    return found
  }
  const found: { type?: ElementType; fortranOrder?: boolean; shape?: number[] } = {}
  if (!take(/\s*\{\s*/y)) fail('the header must be a dictionary')
  for (;;) {
    const key = take(/(['"])(descr|fortran_order|shape)\1\s*:\s*/y)?.[2]
    if (key === 'descr' && found.type === undefined) {
      if (text[position] === '[') throw unsupported(source, 'records')
      const descr = take(/(['"])([^'"]*)\1/y) ?? fail('descr must be a string')
      found.type = elementTypeOf(descr[2], source)
    } else if (key === 'fortran_order' && found.fortranOrder === undefined) {
      found.fortranOrder = (take(/True|False/y) ?? fail('fortran_order must be True or False'))[0] === 'True'
    } else if (key === 'shape' && found.shape === undefined) {
      // A tuple such as (), (3,) or (3, 4); Python 2 wrote 3L.
      const tuple =
        take(/\(\s*((?:\d{1,16}L?\s*,\s*)*(?:\d{1,16}L?\s*)?)\)/y) ?? fail('shape must be a tuple of counts')
      found.shape = Array.from(tuple[1].matchAll(/\d+/g), (digits) => Number(digits[0]))
    } else fail("the keys must be 'descr', 'fortran_order' and 'shape', each once")
    if (take(/\s*(?:,\s*)?\}\s*$/y)) break
    if (!take(/\s*,\s*/y)) fail('the dictionary must go on with a comma or end')
  }
  const { type, fortranOrder, shape } = found
  if (type === undefined || fortranOrder === undefined || shape === undefined)
    return fail("the keys 'descr', 'fortran_order' and 'shape' must all be there")
  return { type, fortranOrder, shape }
}

const kinds: Readonly<Record<string, ElementType['kind']>> = { f: 'float', i: 'int', u: 'uint', b: 'bool' }

const widths: Partial<Record<ElementType['kind'], readonly number[]>> = {
  float: [2, 4, 8],
  int: [1, 2, 4, 8],
  uint: [1, 2, 4, 8],
  bool: [1],
}

function elementTypeOf(descr: string, source: Source): ElementType {
  const found = /^([<>|=])([a-zA-Z?])(\d{1,4})?$/.exec(descr)
  if (!found) throw unsupported(source, `dtype '${descr}'`)
  const kind = found[2] === '?' ? 'bool' : kinds[found[2]]
  const bytes = Number(found[3] ?? 1)
  if (kind === undefined || !widths[kind]?.some((width) => width === bytes))
    throw unsupported(source, `dtype '${descr}'`)
  return { kind, bytes: bytes as ElementType['bytes'], bigEndian: found[1] === '>' }
}

function unsupported(source: Source, what: string): UnsupportedError {
  return new UnsupportedError(
    `${source.file}, header: arrays must be of floats, integers or booleans, got ${what}. ` +
      'Convert with numpy: array.astype(float) or integer class indices.',
    { file: source.file },
  )
}

/** The elements of a column-major array in row-major order. */
function fromFortranOrder(value: Tensor): Tensor {
  const { dtype, shape, data } = value
  if (shape.length < 2 || data.length === 0) return value
  const reordered = allocate(dtype, data.length)
  const strides = stridesOf(shape)
  const index = new Array<number>(shape.length).fill(0)
  let target = 0
  for (let i = 0; i < data.length; i++) {
    reordered[target] = data[i]
    // The first index runs fastest in the file.
    for (let axis = 0; axis < shape.length; axis++) {
      target += strides[axis]
      if (++index[axis] < shape[axis]) break
      target -= strides[axis] * shape[axis]
      index[axis] = 0
    }
  }
  return tensor(dtype, shape, reordered)
}

const descrOf: Record<DType, string> = { float64: '<f8', float32: '<f4', int64: '<i8', bool: '|b1' }

/** An `.npy` file, version 1, little-endian, C order, data aligned to 64 bytes as NumPy writes it. */
export function encodeNpy(value: Tensor): Uint8Array {
  const { dtype, shape } = value
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dictionary = `{'descr': '${descrOf[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10
  const data = encodeElements(value)
  const bytes = new Uint8Array(10 + length + data.length)
  bytes.set([...magic, 1, 0, length & 255, length >> 8])
  new TextEncoder().encodeInto(`${dictionary.padEnd(length - 1)}\n`, bytes.subarray(10))
  bytes.set(data, 10 + length)
  return bytes
}
