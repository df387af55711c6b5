import { deflateRawSync, crc32, gzipSync } from 'node:zlib'
import {
  FormatError,
  ThalwegError,
  UnsupportedError,
  constant,
  decodeModel,
  exportOnnx,
  graphOf,
  input,
  mul,
  tensor,
} from '@thalweg/graph'
import { describe, expect, it } from 'vitest'
import { parseExperiment } from '../src/experiment/read-experiment.ts'
import { decodeCsv } from '../src/formats/csv.ts'
import { decodeHdf5, encodeHdf5 } from '../src/formats/hdf5.ts'
import { decodeIdx } from '../src/formats/idx.ts'
import { decodeNpy } from '../src/formats/npy.ts'
import { decodeNpz, encodeNpz } from '../src/formats/npz.ts'
import { decodeParquet } from '../src/formats/parquet.ts'
import { decodeSafetensors, encodeSafetensors } from '../src/formats/safetensors.ts'
import { gunzipBounded } from '../src/formats/source.ts'
import { parsePlainJson } from '../src/server/plain-json.ts'
import { Refusal } from '../src/server/refusal.ts'

/* Attacks by files. What a hostile file may do is be refused, in little time and memory. */

const source = (file: string) => ({ file, maxBytes: 2 ** 26 })

/** Runs the reader; whatever it throws must be one of our errors, and it must not take much memory. */
async function expectRefused(read: () => unknown, pattern?: RegExp): Promise<void> {
  const before = process.memoryUsage().rss
  let error: unknown
  try {
    await read()
  } catch (caught) {
    error = caught
  }
  expect(error).toBeInstanceOf(ThalwegError)
  if (pattern) expect((error as Error).message).toMatch(pattern)
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20)
}

/** A zip archive of deflated zeros that need not be true about themselves. */
function zeros(sizes: readonly number[], declared: (size: number) => number = (size) => size): Uint8Array {
  const pieces: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  const packings = new Map(
    [...new Set(sizes)].map((size) => {
      const content = new Uint8Array(size)
      return [size, { packed: deflateRawSync(content), crc: crc32(content) }]
    }),
  )
  for (const [i, size] of sizes.entries()) {
    const { packed, crc } = packings.get(size)!
    const name = new TextEncoder().encode(`${i}.npy`)
    const local = new DataView(new ArrayBuffer(30))
    const central = new DataView(new ArrayBuffer(46))
    local.setUint32(0, 0x04034b50, true)
    central.setUint32(0, 0x02014b50, true)
    for (const [view, at] of [
      [local, 8],
      [central, 10],
    ] as const) {
      view.setUint16(at, 8, true)
      view.setUint32(at + 6, crc, true)
      view.setUint32(at + 10, packed.length, true)
      view.setUint32(at + 14, declared(size), true)
      view.setUint16(at + 18, name.length, true)
    }
    central.setUint32(42, offset, true)
    pieces.push(new Uint8Array(local.buffer), name, packed)
    directory.push(new Uint8Array(central.buffer), name)
    offset += 30 + name.length + packed.length
  }
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, 0x06054b50, true)
  end.setUint16(8, sizes.length, true)
  end.setUint16(10, sizes.length, true)
  end.setUint32(
    12,
    directory.reduce((sum, d) => sum + d.length, 0),
    true,
  )
  end.setUint32(16, offset, true)
  return Buffer.concat([...pieces, ...directory, new Uint8Array(end.buffer)])
}

describe('zip bombs', () => {
  it('one entry that unpacks to far more than it says', () =>
    expectRefused(() =>
      decodeNpz(
        zeros([2 ** 26], () => 1000),
        source('a.npz'),
      ),
    ))

  it('one entry beyond the limit', () =>
    expectRefused(() => decodeNpz(zeros([2 ** 27]), source('a.npz')), /may unpack/))

  it('many entries, each within the limit, far beyond it together', () =>
    expectRefused(() => decodeNpz(zeros(Array(64).fill(2 ** 25)), source('a.npz')), /together/))

  it('gzip', () => expectRefused(() => gunzipBounded(gzipSync(new Uint8Array(2 ** 27)), source('a.csv.gz'))))
})

/** A protobuf field of bytes. */
function field(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let v = value; ; v = Math.floor(v / 128)) {
    if (v < 128) {
      bytes.push(v)
      return Uint8Array.from(bytes)
    }
    bytes.push((v % 128) + 128)
  }
}

describe('protobuf', () => {
  const good = exportOnnx(
    graphOf({ y: mul(input('x', 'float64', [2]), constant(tensor('float64', [2], Float64Array.of(1, 2)))) }),
  )

  it('graphs in attributes of nodes of graphs …, deeper than any stack', async () => {
    for (const depth of [100, 2000, 20_000]) {
      // GraphProto.node = 1, NodeProto.attribute = 5, AttributeProto.g = 6; written outwards with lengths that add up
      let graph: Uint8Array = new Uint8Array()
      const layers: Uint8Array[] = []
      let length = 0
      for (let i = 0; i < depth; i++) {
        for (const tag of [6, 5, 1]) {
          const head = Buffer.concat([varint((tag << 3) | 2), varint(length)])
          layers.push(head)
          length += head.length
        }
      }
      graph = Buffer.concat(layers.reverse())
      const model = Buffer.concat([Uint8Array.of(8, 8), field(8, Uint8Array.of(16, 17)), field(7, graph)])
      await expectRefused(() => decodeModel(model))
    }
  })

  it('lengths and numbers that never end', async () => {
    const ones = new Uint8Array(20).fill(0xff)
    for (const bytes of [
      Buffer.concat([Uint8Array.of(8), ones]),
      Buffer.concat([Uint8Array.of(0x3a), ones]),
      Buffer.concat([Uint8Array.of(0x3a), Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)]),
      Buffer.concat([good, Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)]),
      new Uint8Array(100_000).fill(0x0b), // a group in a group in a group …
    ])
      await expectRefused(() => decodeModel(bytes))
  })

  it('a tensor of giant dimensions takes no memory', async () => {
    // TensorProto: dims = 1 (packed or not), data_type = 2, name = 8
    const dims = (d: readonly number[]): Uint8Array =>
      Buffer.concat(d.map((n) => Buffer.concat([Uint8Array.of(8), varint(n)])))
    for (const shape of [[2 ** 40], [2 ** 20, 2 ** 20], [2 ** 31, 2 ** 31, 4], [Number.MAX_SAFE_INTEGER, 8]]) {
      const tensorProto = Buffer.concat([dims(shape), Uint8Array.of(16, 11), field(8, Buffer.from('w'))])
      const graph = Buffer.concat([field(5, tensorProto)])
      const model = Buffer.concat([Uint8Array.of(8, 8), field(8, Uint8Array.of(16, 17)), field(7, graph)])
      await expectRefused(() => decodeModel(model))
    }
  })

  it('bytes changed at random are a model or an error of ours', () => {
    for (const bytes of mutations(good, 3000))
      try {
        decodeModel(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(ThalwegError)
      }
  })
})

/** Seeded damage: some bytes changed, some cut, some repeated. */
function* mutations(good: Uint8Array, count: number): Generator<Uint8Array> {
  let state = 1
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % n
  }
  for (let i = 0; i < count; i++) {
    const bytes = good.slice()
    for (let k = next(4); k >= 0; k--) bytes[next(bytes.length)] = [0, 1, 0x7f, 0x80, 0xff, next(256)][next(6)]
    const what = next(5)
    if (what === 0) yield bytes.subarray(0, next(bytes.length))
    else if (what === 1) yield Buffer.concat([bytes, bytes.subarray(next(bytes.length))])
    else yield bytes
  }
}

describe('headers that lie', () => {
  const header = (text: string): Uint8Array => {
    const bytes = new TextEncoder().encode(text)
    const length = new Uint8Array(8)
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true)
    return Buffer.concat([length, bytes])
  }
  const npy = (dictionary: string): Uint8Array => {
    const text = new TextEncoder().encode(dictionary)
    return Buffer.concat([
      Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length % 256, text.length >> 8),
      text,
    ])
  }

  it('safetensors', async () => {
    for (const text of [
      '{"w":{"dtype":"F64","shape":[1e15],"data_offsets":[0,8e15]}}',
      '{"w":{"dtype":"F64","shape":[1048576,1048576,1048576],"data_offsets":[0,0]}}',
      '{"w":{"dtype":"F64","shape":[-1],"data_offsets":[0,-8]}}',
      '{"__proto__":{"dtype":"F64"}}',
      `{"w":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    ])
      await expectRefused(() => decodeSafetensors(header(text), source('a.safetensors')))
    await expectRefused(() => decodeSafetensors(new Uint8Array(8).fill(0xff), source('a.safetensors')))
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined()
  })

  it('npy', async () => {
    for (const shape of [
      '(1000000000000,)',
      '(4294967296, 4294967296)',
      '(-1,)',
      '(9007199254740993,)',
      `(${'1,'.repeat(30_000)})`,
    ])
      await expectRefused(() =>
        decodeNpy(npy(`{'descr': '<f8', 'fortran_order': False, 'shape': ${shape}, }`), source('a.npy')),
      )
    await expectRefused(() =>
      decodeNpy(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), source('a.npy')),
    )
  })

  it('idx', () =>
    expectRefused(() =>
      decodeIdx(
        Uint8Array.of(0, 0, 0x0e, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
        source('a'),
      ),
    ))

  it('csv: a million columns, an open quote, a row of nothing', async () => {
    const text = (t: string): Uint8Array => new TextEncoder().encode(t)
    await expectRefused(() => decodeCsv(text(`a,b\n"${'x'.repeat(2 ** 20)}`), source('a.csv')))
    await expectRefused(() => decodeCsv(text(`${'1,'.repeat(1e6)}1\n1,2\n`), source('a.csv')))
    await expectRefused(() => decodeCsv(text('\u0000'.repeat(1000)), source('a.csv')))
  })

  it.each([
    ['npz', () => encodeNpz({ x: tensor('float64', [3], Float64Array.of(1, 2, 3)) }), decodeNpz],
    [
      'safetensors',
      () => encodeSafetensors({ x: tensor('float64', [3], Float64Array.of(1, 2, 3)) }, { a: 'b' }),
      decodeSafetensors,
    ],
    [
      'parquet',
      () => Uint8Array.of(0x50, 0x41, 0x52, 0x31, 0x15, 4, 0x19, 0x1c, 8, 0, 0, 0, 0x50, 0x41, 0x52, 0x31),
      decodeParquet,
    ],
  ] as const)('%s changed at random: read, or an error of ours', async (name, make, read) => {
    for (const bytes of mutations(make(), 1500))
      try {
        await read(bytes, source(`a.${name}`))
      } catch (error) {
        expect(error).toBeInstanceOf(ThalwegError)
      }
  })

  const hdf5 = (): Promise<Uint8Array> =>
    encodeHdf5({ 'a/b': tensor('float64', [3], Float64Array.of(1, 2, 3)), c: 'text' })

  it('hdf5 changed at random: read, or an error of ours, in bounded time', async () => {
    for (const bytes of mutations(await hdf5(), 6))
      try {
        await decodeHdf5(bytes, source('a.h5'), { timeLimitMs: 20_000 })
      } catch (error) {
        expect(error).toBeInstanceOf(ThalwegError)
      }
  })

  it('hdf5 that leads its library round in circles is given up', async () => {
    const bytes = await hdf5()
    bytes[2113] = 1
    bytes[2136] = 127
    await expectRefused(() => decodeHdf5(bytes, source('a.h5'), { timeLimitMs: 3000 }), /within 3 s/)
  })
})

describe('YAML', () => {
  const read = (text: string) => parseExperiment(text, 'a.yaml')
  const rest = 'data: { name: xor }\nmodel: { kind: mlp, widths: [2, 2] }\nloss: { name: mse }\n'

  it('aliases of aliases (a billion laughs)', async () => {
    const levels = Array.from(
      { length: 10 },
      (_, i) =>
        `x${i}: &a${i} [${
          i === 0
            ? '"lol"'
            : Array(10)
                .fill(`*a${i - 1}`)
                .join(', ')
        }]`,
    )
    await expectRefused(() => read(`${levels.join('\n')}\nname: *a9\n${rest}`))
    await expectRefused(() => read(`name: &a [*a]\n${rest}`))
  })

  it('brackets without end', async () => {
    for (const text of [
      '['.repeat(100_000),
      `name: ${'['.repeat(5000)}${']'.repeat(5000)}\n${rest}`,
      '{a: '.repeat(50_000),
      `${'- '.repeat(50_000)}a`,
      '? '.repeat(50_000),
    ])
      await expectRefused(() => read(text))
  })

  it('tags make nothing', async () => {
    for (const tag of [
      '!!js/function',
      '!!python/object/apply:os.system',
      '!<tag:yaml.org,2002:binary>',
      '!!set',
      '!custom',
    ])
      try {
        expect(read(`name: ${tag} "return 1"\n${rest}`).name).toBe('return 1')
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError)
      }
  })

  it('prototypes stay as they are', async () => {
    await expectRefused(() => read(`__proto__: { polluted: true }\nname: a\n${rest}`))
    await expectRefused(() => read(`name: a\nconstructor: { prototype: { polluted: true } }\n${rest}`))
    await expectRefused(() =>
      read(
        `name: a\ndata: { name: xor, __proto__: { file: /etc/passwd } }\nmodel: { kind: mlp, widths: [2, 2] }\nloss: { name: mse }\n`,
      ),
    )
    await expectRefused(() => read(`base: &b { name: polluted }\n<<: *b\n${rest}`))
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('a document of a megabyte, or of many documents', async () => {
    await expectRefused(() => read(`name: a\n# ${'x'.repeat(2 ** 20)}\n${rest}`), /at most/)
    await expectRefused(() => read(`name: a\n${rest}---\n`.repeat(5)))
  })
})

describe('JSON', () => {
  it('prototypes, depth and nonsense are refused', () => {
    for (const text of [
      '{"__proto__":1}',
      '{"a":[{"__proto__":{}}]}',
      '['.repeat(65),
      `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
      'NaN',
      '',
    ])
      expect(() => parsePlainJson(text), text.slice(0, 20)).toThrow(Refusal)
    expect(parsePlainJson('{"a":"[[[\\"[","b":[1]}')).toEqual({ a: '[[["[', b: [1] })
  })
})

it('an unsupported model is named as such, not as damaged', () => {
  // operator set 99
  const model = Buffer.concat([Uint8Array.of(8, 8), field(8, Uint8Array.of(16, 99)), field(7, new Uint8Array())])
  expect(() => decodeModel(model)).toThrow(UnsupportedError)
})
