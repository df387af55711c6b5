import { FormatError } from '@thalweg/graph'
import fc from 'fast-check'
import { snappyCompress } from 'hyparquet-writer/src/snappy.js'
import { describe, expect, it } from 'vitest'
import { snappyDecompress } from './snappy.ts'

const block = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

describe('snappyDecompress', () => {
  it('unpacks what another implementation packs', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 300 }))), (runs) => {
        const content = Uint8Array.from(runs.flatMap(([value, length]) => new Array<number>(length).fill(value)))
        expect(snappyDecompress(Uint8Array.from(snappyCompress(content)), content.length)).toEqual(content)
      }),
      { seed: 3, numRuns: 100 },
    )
    const noise = Uint8Array.from({ length: 70000 }, (_, i) => (i * i * 31) >> 5)
    expect(snappyDecompress(Uint8Array.from(snappyCompress(noise)), noise.length)).toEqual(noise)
  })

  it('reads every kind of element', () => {
    // Literal 'ab'; copy of 4 at distance 2 (one byte); of 3 at 1 (two bytes); of 1 at 9 (four bytes).
    const packed = block(10, 0x04, 97, 98, 0x01, 2, 0x0a, 1, 0, 0x03, 9, 0, 0, 0)
    expect(new TextDecoder().decode(snappyDecompress(packed, 10))).toBe('abababbbba')
    // A literal whose length takes one further byte.
    expect(snappyDecompress(block(2, 60 << 2, 1, 7, 8), 2)).toEqual(block(7, 8))
  })

  it('refuses damage', () => {
    for (const [packed, length] of [
      [block(), 0],
      [block(3, 0x04, 97), 3],
      [block(2, 0x04, 97, 98), 3],
      [block(3, 0x04, 97, 98), 3],
      [block(1, 0x04, 97, 98), 1],
      [block(4, 0x00, 97, 0x0a, 2, 0), 4],
      [block(4, 0x00, 97, 0x0a, 0, 0), 4],
      [block(2, 0x00, 97, 0x0a, 1, 0), 2],
      [block(4, 0xfc, 0xff, 0xff, 0xff, 0xff), 4],
      [block(0xff, 0xff, 0xff, 0xff, 0xff, 1), 2 ** 35],
    ] as [Uint8Array, number][])
      expect(() => snappyDecompress(packed, length), packed.join(' ')).toThrow(FormatError)
  })
})
