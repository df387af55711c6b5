import { FormatError, UnsupportedError, numbersOf, tensor } from '@thalweg/graph'
import type { Tensor } from '@thalweg/graph'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutsWithoutFormatError, damageWithForeignError, fixture, sampleValues } from './fixtures/reading.ts'
import { decodeNpy, encodeNpy } from './npy.ts'

const source = { file: 'test.npy', maxBytes: 2 ** 20 }

/** An .npy file with this header text and data. */
function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12
  const bytes = new Uint8Array(start + header.length + data.length)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0])
  new DataView(bytes.buffer).setUint16(8, header.length, true)
  bytes.set(new TextEncoder().encode(header), start)
  bytes.set(data, start + header.length)
  return bytes
}

const dictionary = (shape: string, descr = "'<f8'", order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`

const tensors: fc.Arbitrary<Tensor> = fc
  .record({
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    dtype: fc.constantFrom('float64', 'float32', 'int64', 'bool'),
    bits: fc.bigUint64Array({ minLength: 256, maxLength: 256 }),
  })
  .map(({ shape, dtype, bits }) => {
    const size = shape.reduce((product, d) => product * d, 1)
    if (dtype === 'float64') return tensor('float64', shape, new Float64Array(bits.buffer).slice(0, size))
    if (dtype === 'float32') return tensor('float32', shape, new Float32Array(bits.buffer).slice(0, size))
    if (dtype === 'int64') return tensor('int64', shape, new BigInt64Array(bits.buffer).slice(0, size))
    return tensor(
      'bool',
      shape,
      new Uint8Array(bits.buffer).slice(0, size).map((byte) => byte & 1),
    )
  })

describe('npy', () => {
  it('round-trips every dtype and shape to the bit', () => {
    fc.assert(
      fc.property(tensors, (value) => {
        const bytes = encodeNpy(value)
        const back = decodeNpy(bytes, source)
        expect([back.dtype, back.shape]).toEqual([value.dtype, value.shape])
        const raw = (t: Tensor): Uint8Array => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)
        expect(raw(back)).toEqual(raw(value))
        expect((bytes.length - value.data.byteLength) % 64).toBe(0)
      }),
      { seed: 7, numRuns: 200 },
    )
  })

  it.each([1, 2, 3])('reads version %i as NumPy writes it', (version) => {
    const value = decodeNpy(fixture(`version-${version}.npy`), source)
    expect([value.dtype, value.shape]).toEqual(['float32', [5, 2]])
    expect(Array.from(numbersOf(value))).toEqual(sampleValues(10))
  })

  it('writes the bytes that NumPy writes', () => {
    const bytes = fixture('version-1.npy')
    expect(encodeNpy(decodeNpy(bytes, source))).toEqual(bytes)
  })

  it('does not copy aligned data, and copies other data', () => {
    const bytes = fixture('version-1.npy')
    expect(decodeNpy(bytes, source).data.buffer).toBe(bytes.buffer)
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    expect(Array.from(numbersOf(decodeNpy(shifted.subarray(1), source)))).toEqual(sampleValues(10))
  })

  it('accepts the spellings of other writers', () => {
    const one = new Uint8Array(Float64Array.of(1).buffer)
    for (const header of [
      `{"descr": "<f8", "fortran_order": False, "shape": (1L,)}`,
      `{'shape': (1, 1), 'fortran_order': True, 'descr': '<f8'}   \n`,
      `  { 'shape' : ( ) , 'fortran_order' : False , 'descr' : '=f8' , } `,
    ])
      expect(Array.from(numbersOf(decodeNpy(npy(header, one), source)))).toEqual([1])
    expect(decodeNpy(npy(dictionary('(3, 0)')), source).shape).toEqual([3, 0])
  })

  it('refuses other dtypes by name', () => {
    for (const [file, what] of [
      ['objects', "dtype '|O'"],
      ['strings', "dtype '<U2'"],
      ['complex', "dtype '<c16'"],
      ['records', 'records'],
      ['dates', "dtype '<M8[D]'"],
    ]) {
      expect(() => decodeNpy(fixture(`${file}.npy`), source), file).toThrow(UnsupportedError)
      expect(() => decodeNpy(fixture(`${file}.npy`), source), file).toThrow(what)
    }
    for (const descr of ["'<f1'", "'<i3'", "'<f16'", "'|b8'", "'__proto__'", "'<toString'"])
      expect(() => decodeNpy(npy(dictionary('()', descr)), source), descr).toThrow(UnsupportedError)
  })

  it('refuses hostile and broken headers before allocating', () => {
    const cases: [Uint8Array, string][] = [
      [npy(dictionary('(1000000000000000,)')), 'an array may take 1048576 bytes, got shape [1000000000000000]'],
      [npy(dictionary('(9007199254740993, 9007199254740993)')), 'must be a count'],
      [npy(dictionary('(99999999, 99999999, 99999999)')), 'an array may take'],
      [npy(dictionary('(-1,)')), 'shape must be a tuple of counts'],
      [npy(dictionary('(1.5,)')), 'shape must be a tuple of counts'],
      [npy(dictionary('(12345678901234567890,)')), 'shape must be a tuple of counts'],
      [npy(dictionary('[1]')), 'shape must be a tuple'],
      [npy(dictionary('(131073,)', "'|i1'")), 'with 8 bytes an element'],
      [npy(dictionary('(2,)', "'<f8'"), new Uint8Array(15)), 'needs 16 bytes of data, got 15'],
      [npy(dictionary('(2,)', "'<f8'"), new Uint8Array(17)), 'needs 16 bytes of data, got 17'],
      [npy(dictionary('(1,)', "'<f8'", '1')), 'fortran_order must be True or False'],
      [npy("{'descr': '<f8', 'shape': ()}"), 'must all be there'],
      [npy("{'descr': '<f8', 'descr': '<f8', 'shape': ()}"), 'each once'],
      [npy("{'descr': '<f8', 'evil': 1}"), "the keys must be 'descr'"],
      [npy("{'descr': '<f8' 'shape': ()}"), 'go on with a comma'],
      [npy('[1, 2]'), 'must be a dictionary'],
      [npy(''), 'must be a dictionary'],
      [npy(dictionary('()'), undefined, 4), 'version must be 1, 2 or 3, got 4'],
      [new Uint8Array([1, 2, 3]), 'must start with'],
    ]
    for (const [bytes, message] of cases) {
      expect(() => decodeNpy(bytes, source), message).toThrow(FormatError)
      expect(() => decodeNpy(bytes, source), message).toThrow(message)
      expect(() => decodeNpy(bytes, source), message).toThrow(/^test\.npy, (header, )?byte \d+: /)
    }
    const long = npy(dictionary('()'), undefined, 2)
    new DataView(long.buffer).setUint32(8, 0xffffffff, true)
    expect(() => decodeNpy(long, source)).toThrow('the header may have 65536 bytes, got 4294967295')
  })

  it('takes linear time for headers full of blanks', () => {
    const blanks = ' '.repeat(60_000)
    for (const header of [
      `{'descr': '<f8'${blanks}`,
      `{'descr': '<f8'${blanks},${blanks.slice(0, 3000)}`,
      `{'shape': (1${blanks}`,
      `{'shape': (1,${blanks}`,
      `{'shape': (${'1,'.repeat(30_000)}`,
    ]) {
      // Quadratic matching would run into the time limit of the test.
      expect(() => decodeNpy(npy(header), source)).toThrow(FormatError)
    }
  })

  it('refuses integers beyond int64 with their position', () => {
    const data = new Uint8Array(BigUint64Array.of(1n, 2n ** 63n).buffer)
    const bytes = npy(dictionary('(2,)', "'<u8'"), data)
    expect(() => decodeNpy(bytes, source)).toThrow('element 1: integers must be below 2^63, got 9223372036854775808')
  })

  it('ends in a FormatError wherever the file is cut, and never in a foreign error', async () => {
    for (const name of ['version-1.npy', 'version-2.npy']) {
      expect(await cutsWithoutFormatError(fixture(name), (bytes) => decodeNpy(bytes, source))).toEqual([])
      expect(await damageWithForeignError(fixture(name), (bytes) => decodeNpy(bytes, source))).toEqual([])
    }
  })
})
