import { FormatError, numbersOf, tensorOf } from '@thalweg/graph'
import { unzipSync, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { cutsWithoutFormatError, damageWithForeignError, fixture, sampleValues } from './fixtures/reading.ts'
import { encodeNpy } from './npy.ts'
import { decodeNpz, encodeNpz, openNpz } from './npz.ts'
import { openZip } from './zip.ts'

const source = { file: 'test.npz', maxBytes: 2 ** 20 }
const arrays = {
  x: tensorOf('float64', [2, 3], [1, 2, 3, 4, 5, 6]),
  y: tensorOf('int64', [2], [0, 1]),
}

describe('npz', () => {
  it.each(['stored.npz', 'compressed.npz'])('reads every dtype that NumPy writes: %s', (name) => {
    const found = decodeNpz(fixture(name), source)
    expect(found.size).toBe(28)
    for (const [key, value] of found) {
      const type = /^[<>]([fiu])(\d)$/.exec(key)
      if (!type) continue
      const dtype = type[1] === 'f' ? (type[2] === '8' ? 'float64' : 'float32') : 'int64'
      expect([key, value.dtype, value.shape]).toEqual([key, dtype, [3, 4]])
      expect(Array.from(numbersOf(value)), key).toEqual(sampleValues(12, type[1] === 'u' ? 'unsigned' : 'signed'))
    }
    const values = (key: string): number[] => Array.from(numbersOf(found.get(key) as never))
    expect(found.get('bool')?.dtype).toBe('bool')
    expect(values('bool')).toEqual(sampleValues(12, 'bool'))
    expect(found.get('fortran')?.shape).toEqual([2, 3, 4])
    expect(values('fortran')).toEqual(sampleValues(24))
    expect(values('fortran-big')).toEqual(sampleValues(12))
    expect([found.get('scalar')?.shape, values('scalar')]).toEqual([[], [2.5]])
    expect(found.get('empty')?.shape).toEqual([0, 3])
    // 1/3 in half precision is 0x3555 = 1365 / 4096.
    expect(values('half')).toEqual([
      0,
      -0,
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -14,
      1365 / 4096,
      Infinity,
      -Infinity,
      Number.NaN,
    ])
  })

  it('reads zip64', () => {
    const bytes = fixture('zip64.npz')
    const text = Buffer.from(bytes).toString('latin1')
    expect(text).toContain('PK\x06\x06')
    const found = decodeNpz(bytes, source)
    expect(Array.from(numbersOf(found.get('x') as never))).toEqual(sampleValues(24))
    expect(Array.from(numbersOf(found.get('y') as never))).toEqual(sampleValues(6, 'unsigned'))
  })

  it('round-trips, deterministically, and other readers agree', () => {
    for (const compress of [true, false]) {
      const bytes = encodeNpz(arrays, { compress })
      expect(encodeNpz(arrays, { compress })).toEqual(bytes)
      expect(decodeNpz(bytes, source)).toEqual(new Map(Object.entries(arrays)))
      expect(unzipSync(bytes)['x.npy']).toEqual(encodeNpy(arrays.x))
    }
    expect(() => encodeNpz({ '': arrays.x })).toThrow('needs a name')
    expect(decodeNpz(encodeNpz({}), source).size).toBe(0)
  })

  it('reads an array only when asked, and lists the names', () => {
    const opened = openNpz(encodeNpz(arrays), source)
    expect(opened.names).toEqual(['x', 'y'])
    expect(() => opened.read('z')).toThrow("no array 'z'. It has: x, y.")
    expect(() => openNpz(zipSync({ 'readme.txt': new Uint8Array(3) }), source)).toThrow("got 'readme.txt'")
  })

  it('names the array in its errors', () => {
    const bytes = zipSync({ 'x.npy': encodeNpy(arrays.x).subarray(0, 140) })
    expect(() => decodeNpz(bytes, source)).toThrow(/^test\.npz\/x\.npy, byte 128: shape \[2,3\] needs 48 bytes/)
  })

  it('ends in a FormatError wherever the file is cut, and never in a foreign error', async () => {
    const decode = (bytes: Uint8Array): unknown => decodeNpz(bytes, source)
    for (const bytes of [fixture('zip64.npz'), encodeNpz(arrays)]) {
      expect(await cutsWithoutFormatError(bytes, decode)).toEqual([])
      expect(await damageWithForeignError(bytes, decode)).toEqual([])
    }
  })

  it('notices damage in the data by its CRC', () => {
    const bytes = encodeNpz(arrays, { compress: false })
    const at = Buffer.from(bytes).indexOf(Buffer.from(Float64Array.of(5).buffer))
    bytes[at] ^= 1
    expect(() => decodeNpz(bytes, source)).toThrow('CRC-32')
  })
})

describe('openZip', () => {
  const zeros = zipSync({ 'a.npy': new Uint8Array(5000) })
  const directory = Buffer.from(zeros).indexOf('PK\x01\x02')
  const patched = (bytes: Uint8Array, offset: number, value: number, width: 2 | 4 = 4): Uint8Array => {
    const copy = bytes.slice()
    const view = new DataView(copy.buffer)
    if (width === 2) view.setUint16(offset, value, true)
    else view.setUint32(offset, value, true)
    return copy
  }
  const readAll = (bytes: Uint8Array, maxBytes = 2 ** 20): unknown =>
    openZip(bytes, { file: 'z', maxBytes }).map((entry) => entry.read())

  it('bounds what it unpacks by the declared and by the actual size', () => {
    expect(readAll(zeros)).toEqual([new Uint8Array(5000)])
    const bomb = zipSync({ 'a.npy': new Uint8Array(3 * 2 ** 20) })
    expect(() => readAll(bomb)).toThrow('may unpack to 2097152 bytes, got 3145728')
    const understated = patched(bomb, Buffer.from(bomb).indexOf('PK\x01\x02') + 24, 1000)
    expect(() => readAll(understated)).toThrow(/cannot be unpacked to 1000 bytes/)
    const overstated = patched(zeros, directory + 24, 6000)
    expect(() => readAll(overstated)).toThrow('must unpack to 6000 bytes, got 5000')
    expect(() => readAll(patched(zeros, directory + 24, 2 ** 31), 2 ** 32)).toThrow('cannot hold 2147483648')
  })

  it('refuses duplicate names and overlapping entries', () => {
    const two = zipSync({ 'a.npy': new Uint8Array(10), 'b.npy': new Uint8Array(10) }, { level: 0 })
    const text = Buffer.from(two)
    const second = text.lastIndexOf('PK\x01\x02')
    const duplicate = two.slice()
    for (const at of [text.indexOf('b.npy'), text.lastIndexOf('b.npy')]) duplicate[at] = 'a'.charCodeAt(0)
    expect(() => readAll(duplicate)).toThrow("names must differ, got 'a.npy' twice")
    // The second directory entry points at the first local header, which then carries its name.
    const overlapping = patched(duplicate, second + 42, 0)
    overlapping[text.indexOf('a.npy')] = 'c'.charCodeAt(0)
    overlapping[text.indexOf('PK\x01\x02') + 46] = 'c'.charCodeAt(0)
    overlapping[second + 46] = 'c'.charCodeAt(0)
    expect(() => readAll(overlapping)).toThrow(FormatError)
    // Entry 1 grown over the header of entry 2.
    const grown = patched(patched(two, text.indexOf('PK\x01\x02') + 20, 30), text.indexOf('PK\x01\x02') + 24, 30)
    expect(() => readAll(grown)).toThrow("entries 'a.npy' and 'b.npy' overlap")
  })

  it('refuses encryption, other methods, disagreeing names and impossible directories', () => {
    expect(() => readAll(patched(zeros, directory + 8, 1, 2))).toThrow('encrypted')
    expect(() => readAll(patched(zeros, directory + 10, 14, 2))).toThrow('got method 14')
    const renamed = zeros.slice()
    renamed[directory + 46] = 'b'.charCodeAt(0)
    expect(() => readAll(renamed)).toThrow("the directory says 'b.npy' and the local header 'a.npy'")
    expect(() => readAll(patched(zeros, directory + 20, 2 ** 31))).toThrow('runs into the directory')
    expect(() => readAll(patched(zeros, directory + 42, 2 ** 31))).toThrow('no local header')
    const end = zeros.length - 22
    expect(() => readAll(patched(zeros, end + 10, 60000, 2))).toThrow('got 60000 entries in')
    expect(() => readAll(patched(zeros, end + 16, 2 ** 31))).toThrow('the directory must lie in the file')
    expect(() => readAll(patched(zeros, end + 4, 1, 2))).toThrow('several parts')
    for (const field of [20, 24, 42])
      expect(() => readAll(patched(zeros, directory + field, 0xffffffff))).toThrow('no valid zip64 sizes')
  })
})
