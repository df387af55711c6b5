import { FormatError, UnsupportedError, numbersOf, tensorOf } from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { cutsWithoutFormatError, damageWithForeignError, fixture, sampleValues } from './fixtures/reading.ts'
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts'

const source = { file: 'test.safetensors', maxBytes: 2 ** 20 }

function file(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const payload = typeof data === 'number' ? new Uint8Array(data) : data
  const bytes = new Uint8Array(8 + text.length + payload.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(payload, 8 + text.length)
  return bytes
}

describe('safetensors', () => {
  const tensors = {
    'layer.weight': tensorOf('float64', [2, 2], [1, -2, 3.5, 1e-300]),
    'layer.bias': tensorOf('float32', [3], [0.5, 0.25, -1]),
    steps: tensorOf('int64', [], [12]),
    mask: tensorOf('bool', [3], [1, 0, 1]),
    empty: tensorOf('float64', [0, 4], []),
  }

  it('reads what the reference implementation writes', () => {
    const { tensors: found, metadata } = decodeSafetensors(fixture('reference.safetensors'), source)
    expect(metadata).toEqual({ origin: 'reference' })
    expect(found.size).toBe(13)
    for (const [key, value] of found) {
      if (key === 'half') continue
      const kind = key === 'bool' ? 'bool' : key.startsWith('<u') ? 'unsigned' : 'signed'
      expect(Array.from(numbersOf(value)), key).toEqual(sampleValues(12, kind))
      expect(value.shape).toEqual([3, 4])
    }
    expect(found.get('half')?.data[7]).toBe(1365 / 4096)
  })

  it('round-trips tensors and metadata, in whatever order they come', () => {
    const bytes = encodeSafetensors(tensors, { step: '12', author: 'x' })
    const { tensors: back, metadata } = decodeSafetensors(bytes, source)
    expect(Object.fromEntries(back)).toEqual(tensors)
    expect(metadata).toEqual({ author: 'x', step: '12' })
    const reversed = Object.fromEntries(Object.entries(tensors).reverse())
    expect(encodeSafetensors(reversed, { author: 'x', step: '12' })).toEqual(bytes)
    // The data of an 8-byte tensor can be used without a copy.
    const aligned = decodeSafetensors(bytes, source).tensors.get('layer.weight')
    expect(aligned?.data.buffer).toBe(bytes.buffer)
    expect(() => encodeSafetensors({ __metadata__: tensors.steps })).toThrow('is taken')
  })

  it('keeps names that mean something to JavaScript', () => {
    const odd = Object.fromEntries([
      ['__proto__', tensors.steps],
      ['constructor', tensors.mask],
      ['7', tensors.empty],
    ])
    const { tensors: back } = decodeSafetensors(encodeSafetensors(odd), source)
    expect([...back.keys()].sort()).toEqual(['7', '__proto__', 'constructor'])
  })

  it('widens bfloat16 and half precision', () => {
    const data = new Uint8Array(Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001).buffer)
    const header = { a: { dtype: 'BF16', shape: [4], data_offsets: [0, 8] } }
    const value = decodeSafetensors(file(header, data), source).tensors.get('a')
    expect([value?.dtype, Array.from(value?.data as Float32Array)]).toEqual([
      'float32',
      [1, -3.140625, Infinity, Math.fround(2 ** -133)],
    ])
  })

  it('refuses whatever deviates from the format', () => {
    const entry = (changes: object): unknown => ({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...changes } })
    const cases: [Uint8Array, string][] = [
      [file(entry({ shape: [1e15], data_offsets: [0, 8] }), 8), 'an array may take'],
      [file(entry({ shape: [-1] }), 8), 'shape must be a list of counts, got [-1]'],
      [file(entry({ shape: [1.5] }), 8), 'list of counts'],
      [file(entry({ shape: '2' }), 8), 'list of counts'],
      [file(entry({ shape: [3] }), 8), 'needs 12 bytes of data, got 8'],
      [file(entry({ data_offsets: [8, 0] }), 8), 'data_offsets must be [begin, end]'],
      [file(entry({ data_offsets: [0, 8, 9] }), 8), 'data_offsets must be'],
      [file(entry({ data_offsets: [4, 12] }), 12), 'without gap or overlap at 0, got 4'],
      [file(entry({}), 9), 'the tensors need 8 bytes, got 9'],
      [file(entry({}), 7), 'the tensors need 8 bytes, got 7'],
      [file(entry({ extra: 1 }), 8), "got 'extra'"],
      [file(entry({ dtype: 5 }), 8), 'dtype must be a string'],
      [file({ a: [] }), 'described by an object'],
      [file({ __metadata__: { a: 1 } }), 'metadata must map strings to strings'],
      [file({ __metadata__: 'x' }), 'metadata must map'],
      [file([1]), 'must start with {'],
      [file('{"a":'), 'the header must be JSON'],
      [file(' {}'), 'must start with {'],
      [file(`{"a":${'['.repeat(100000)}`), 'the header must be JSON'],
      [new Uint8Array(8).fill(255), 'does not fit a file of 8 bytes'],
      [new Uint8Array(3), 'ends inside the header length'],
    ]
    for (const [bytes, message] of cases) {
      expect(() => decodeSafetensors(bytes, source), message).toThrow(FormatError)
      expect(() => decodeSafetensors(bytes, source), message).toThrow(message)
    }
    const overlapping = {
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
    }
    expect(() => decodeSafetensors(file(overlapping, 8), source)).toThrow('without gap or overlap at 8, got 4')
    const float8 = file(entry({ dtype: 'F8_E4M3' }), 8)
    expect(() => decodeSafetensors(float8, source)).toThrow(UnsupportedError)
    expect(() => decodeSafetensors(file(entry({ dtype: 'constructor' }), 8), source)).toThrow(UnsupportedError)
  })

  it('ends in a FormatError wherever the file is cut, and never in a foreign error', async () => {
    const decode = (bytes: Uint8Array): unknown => decodeSafetensors(bytes, source)
    expect(await cutsWithoutFormatError(fixture('reference.safetensors'), decode)).toEqual([])
    expect(await damageWithForeignError(fixture('reference.safetensors'), decode)).toEqual([])
  })
})
