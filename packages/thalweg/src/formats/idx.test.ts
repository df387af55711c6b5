import { FormatError, numbersOf } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { cutsWithoutFormatError, damageWithForeignError } from './fixtures/reading.ts'
import { decodeIdx, isIdx } from './idx.ts'

const source = { file: 'test.idx', maxBytes: 2 ** 20 }

/** An IDX file; axes big-endian as the format wants. */
function idx(type: number, shape: number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length)
  bytes.set([0, 0, type, shape.length])
  shape.forEach((d, axis) => new DataView(bytes.buffer).setUint32(4 + 4 * axis, d))
  bytes.set(data, 4 + 4 * shape.length)
  return bytes
}

function bigEndian(width: number, write: (view: DataView, offset: number, i: number) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * width))
  for (let i = 0; i < 4; i++) write(view, i * width, i)
  return new Uint8Array(view.buffer)
}

const images = idx(
  8,
  [2, 2, 3],
  Uint8Array.from({ length: 12 }, (_, i) => i * 23),
)

describe('idx', () => {
  it('reads every element type', () => {
    const values = [-2, -1, 0, 1]
    const cases: [number, string, Uint8Array][] = [
      [0x08, 'int64', Uint8Array.of(254, 255, 0, 1)],
      [0x09, 'int64', Uint8Array.of(254, 255, 0, 1)],
      [0x0b, 'int64', bigEndian(2, (view, at, i) => view.setInt16(at, values[i]))],
      [0x0c, 'int64', bigEndian(4, (view, at, i) => view.setInt32(at, values[i]))],
      [0x0d, 'float32', bigEndian(4, (view, at, i) => view.setFloat32(at, values[i]))],
      [0x0e, 'float64', bigEndian(8, (view, at, i) => view.setFloat64(at, values[i]))],
    ]
    for (const [type, dtype, data] of cases) {
      const value = decodeIdx(idx(type, [2, 2], data), source)
      expect([value.dtype, value.shape]).toEqual([dtype, [2, 2]])
      expect(Array.from(numbersOf(value))).toEqual(type === 8 ? [254, 255, 0, 1] : values)
    }
  })

  it('scales images and gives them a channel', () => {
    const value = decodeIdx(images, source, { asImages: true })
    expect([value.dtype, value.shape]).toEqual(['float32', [2, 1, 2, 3]])
    expect(value.data[11]).toBe(Math.fround(253 / 255))
    expect(decodeIdx(images, source).dtype).toBe('int64')
    expect(decodeIdx(idx(8, [2], Uint8Array.of(7, 9)), source, { asImages: true }).dtype).toBe('int64')
  })

  it('refuses what is not one, and axes that do not fit', () => {
    const huge = idx(8, [0xffffffff, 0xffffffff, 0xffffffff], new Uint8Array(3))
    for (const asImages of [true, false]) {
      expect(() => decodeIdx(huge, source, { asImages })).toThrow('an array may take 1048576 bytes')
      const long = idx(8, [2, 2], new Uint8Array(5))
      expect(() => decodeIdx(long, source, { asImages })).toThrow('needs 4 bytes of data, got 5')
    }
    for (const bytes of [
      idx(7, [1], new Uint8Array(1)),
      idx(8, [], new Uint8Array(1)),
      idx(8, Array(9).fill(1), images),
    ]) {
      expect(isIdx(bytes)).toBe(false)
      expect(() => decodeIdx(bytes, source)).toThrow(FormatError)
    }
  })

  it('ends in a FormatError wherever the file is cut, and never in a foreign error', async () => {
    for (const asImages of [true, false]) {
      const decode = (bytes: Uint8Array): unknown => decodeIdx(bytes, source, { asImages })
      expect(await cutsWithoutFormatError(images, decode)).toEqual([])
      expect(await damageWithForeignError(images, decode)).toEqual([])
    }
  })
})
