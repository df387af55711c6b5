import { create, toBinary } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { FormatError, UnsupportedError } from '../core/errors.ts'
import { tensorOf } from '../core/tensor.ts'
import { evaluate } from '../interpret/evaluate.ts'
import { decodeModel } from './decode.ts'
import { encodeModel, type OnnxModelToWrite, type OnnxNodeToWrite } from './encode.ts'
import { type ModelProto, ModelProtoSchema } from './generated/onnx_pb.js'
import { importOnnx } from './import-onnx.ts'
import { parametersOf } from './parameters-of.ts'

const call = (
  op: string,
  inputs: string[],
  outputs: string[],
  more: Partial<OnnxNodeToWrite> = {},
): OnnxNodeToWrite => ({
  op,
  inputs,
  outputs,
  ...more,
})

/** y = relu(x w + b), with a dynamic batch axis. */
const small: OnnxModelToWrite = {
  inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 3] }],
  initializers: new Map([
    ['w', tensorOf('float32', [2, 3], [1, 2, 3, 4, 5, 6])],
    ['b', tensorOf('float32', [3], [-10, 0, 10])],
  ]),
  nodes: [
    call('MatMul', ['x', 'w'], ['xw'], { name: 'first' }),
    call('Add', ['xw', 'b'], ['z']),
    call('Relu', ['z'], ['y']),
  ],
}

type Init = Parameters<typeof create<typeof ModelProtoSchema>>[1]

/** Bytes of a raw protobuf model: what no encoder of ours would write. */
function raw(init: Init): Uint8Array {
  const defaults = { irVersion: 8n, opsetImport: [{ domain: '', version: 17n }] }
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { ...defaults, ...(init as Partial<ModelProto>) } as Init))
}

const float = {
  value: {
    case: 'tensorType' as const,
    value: { elemType: 1, shape: { dim: [{ value: { case: 'dimValue' as const, value: 2n } }] } },
  },
}
const vector = (name: string) => ({ name, type: float })

/** A model over x [2] → y [2]. */
const over = (nodes: object[], more: object = {}, graph: object = {}): Uint8Array =>
  raw({ graph: { name: 'g', input: [vector('x')], output: [vector('y')], node: nodes, ...graph }, ...more })

function withTensor(proto: object, options = {}) {
  const bytes = over(
    [{ opType: 'Add', input: ['x', 'c'], output: ['y'] }],
    {},
    { initializer: [{ name: 'c', ...proto }] },
  )
  return decodeModel(bytes, options).initializers.get('c')
}

describe('decodeModel', () => {
  it('reads what encodeModel writes, the same bytes for the same model', () => {
    const bytes = encodeModel(small)
    expect(encodeModel(small)).toEqual(bytes)
    const model = decodeModel(bytes)
    expect(model.opset).toBe(17)
    expect(model.inputs).toEqual([{ name: 'x', dtype: 'float32', elementType: 'float32', shape: ['N', 2] }])
    expect(model.initializers.get('w')?.tensor).toEqual(small.initializers.get('w'))
    expect(model.nodes.map((n) => n.op)).toEqual(['MatMul', 'Add', 'Relu'])
    expect(encodeModel({ ...model, name: model.name })).toEqual(bytes)
  })

  it('refuses every truncation with a FormatError', () => {
    const bytes = encodeModel(small)
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeModel(bytes.subarray(0, length)), `length ${length}`).toThrow(FormatError)
  })

  it('turns every flipped byte into a model or a clean error', () => {
    const bytes = encodeModel(small)
    const codes = new Map<string, number>()
    const outcome = (damaged: Uint8Array): string => {
      try {
        importOnnx(decodeModel(damaged), { inputs: { x: [1, 2] }, dtype: 'float32' })
        return 'model'
      } catch (error) {
        return String((error as { code?: string }).code)
      }
    }
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0xff, 0x80, 0x01]) {
        const code = outcome(bytes.with(at, bytes[at] ^ flip))
        codes.set(code, (codes.get(code) ?? 0) + 1)
      }
    }
    expect([...codes.keys()].sort()).toEqual(['format', 'model', 'shape', 'unsupported'])
    expect(codes.get('format')).toBeGreaterThan(bytes.length)
  })

  it.each([
    ['empty', new Uint8Array(0)],
    ['text', new TextEncoder().encode('this is not a model')],
    ['a length far beyond the end', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07)],
    ['deep nesting', nested(5000)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeModel(bytes)).toThrow(FormatError)
  })

  it.each([
    [10, /operator sets 11…22.*got 10.*opset_version=17/],
    [23, /got 23/],
  ])('refuses operator set %i', (opset, message) => {
    expect(() => decodeModel(encodeModel({ ...small, opset }))).toThrow(message)
  })
})

/** Graph attributes inside graph attributes, `depth` levels. */
function nested(depth: number): Uint8Array {
  let inner = new Uint8Array(0)
  const wrap = (field: number, body: Uint8Array): Uint8Array => {
    const length: number[] = []
    for (let n = body.length; ; n >>>= 7) {
      length.push(n > 127 ? (n & 127) | 128 : n)
      if (n <= 127) break
    }
    return Uint8Array.from([(field << 3) | 2, ...length, ...body])
  }
  for (let i = 0; i < depth / 3; i++) inner = wrap(1, wrap(5, wrap(6, inner))) as Uint8Array<ArrayBuffer>
  return wrap(7, inner)
}

describe('tensors', () => {
  it('widens every element type from raw data and from typed fields', () => {
    const cases: [object, unknown][] = [
      [{ dataType: 11, dims: [2n], doubleData: [1, 2] }, Float64Array.of(1, 2)],
      [{ dataType: 7, dims: [2n], int64Data: [1n, -2n] }, BigInt64Array.of(1n, -2n)],
      [{ dataType: 6, dims: [2n], rawData: Uint8Array.of(1, 0, 0, 0, 254, 255, 255, 255) }, BigInt64Array.of(1n, -2n)],
      [{ dataType: 2, dims: [2n], rawData: Uint8Array.of(1, 255) }, BigInt64Array.of(1n, 255n)],
      [{ dataType: 3, dims: [2n], rawData: Uint8Array.of(1, 255) }, BigInt64Array.of(1n, -1n)],
      [{ dataType: 9, dims: [2n], int32Data: [0, 1] }, Uint8Array.of(0, 1)],
      [{ dataType: 10, dims: [3n], int32Data: [0x3c00, 0x0001, 0xfc00] }, Float32Array.of(1, 2 ** -24, -Infinity)],
      [{ dataType: 16, dims: [2n], rawData: Uint8Array.of(0x80, 0x3f, 0x40, 0xc0) }, Float32Array.of(1, -3)],
      [{ dataType: 1, dims: [0n] }, new Float32Array(0)],
    ]
    for (const [proto, data] of cases) expect(withTensor(proto)?.tensor.data).toEqual(data)
  })

  it.each([
    ['too few values', { dataType: 1, dims: [3n], floatData: [1, 2] }, FormatError, /shape \[3\].*got 2 values/],
    ['too few bytes', { dataType: 1, dims: [3n], rawData: new Uint8Array(8) }, FormatError, /need 12 bytes, got 8/],
    ['no data at all', { dataType: 1, dims: [3n] }, FormatError, /got 0 values/],
    ['an absurd size', { dataType: 1, dims: [1_000_000n, 1_000_000n, 1_000_000n] }, FormatError, /absurdly large/],
    ['a size beyond memory', { dataType: 1, dims: [1_000_000n, 1_000_000n] }, FormatError, /limit of 4294967296 bytes/],
    ['an absurd dimension', { dataType: 1, dims: [2n ** 60n] }, FormatError, /dimension/],
    ['a negative dimension', { dataType: 1, dims: [-1n] }, FormatError, /dimension/],
    ['strings', { dataType: 8, dims: [1n] }, UnsupportedError, /string/],
    ['four-bit integers', { dataType: 22, dims: [1n] }, UnsupportedError, /int4/],
    ['integers beyond int64', { dataType: 13, dims: [1n], uint64Data: [2n ** 63n] }, UnsupportedError, /2\^63/],
  ])('refuses %s, naming the tensor', (_, proto, kind, message) => {
    expect(() => withTensor(proto)).toThrow(kind)
    expect(() => withTensor(proto)).toThrow(message)
    expect(() => withTensor(proto)).toThrow(/'c'/)
  })

  it('reads external data through the callback, inside the folder only', () => {
    const at = (location: string, more: object[] = []) => ({
      dataType: 1,
      dims: [2n],
      dataLocation: 1,
      externalData: [{ key: 'location', value: location }, { key: 'offset', value: '4' }, ...more],
    })
    const asked: unknown[] = []
    const readExternal = (...request: [string, number, number]): Uint8Array => {
      asked.push(request)
      return new Uint8Array(Float32Array.of(7, 8).buffer)
    }
    expect(withTensor(at('w.bin'), { readExternal })?.tensor.data).toEqual(Float32Array.of(7, 8))
    expect(asked).toEqual([['w.bin', 4, 8]])
    for (const location of ['../w.bin', '/etc/passwd', 'a/../../w', 'C:\\w', '\\\\host\\w', 'a\\..\\..\\b', ''])
      expect(() => withTensor(at(location), { readExternal })).toThrow(/model's folder/)
    expect(() => withTensor(at('w.bin'))).toThrow(/not at hand/)
    expect(() => withTensor(at('w.bin', [{ key: 'length', value: '9' }]), { readExternal })).toThrow(/does not fit/)
    expect(() => withTensor(at('w.bin'), { readExternal: () => new Uint8Array(3) })).toThrow(/got 3 bytes/)
  })

  it('counts all tensors against one limit', () => {
    const tensor = { dataType: 1, dims: [2n], floatData: [1, 2] }
    expect(withTensor(tensor, { maxBytes: 8 })?.tensor.data).toEqual(Float32Array.of(1, 2))
    expect(() => withTensor(tensor, { maxBytes: 7 })).toThrow(/limit of 7 bytes/)
  })

  it('notes float16 weights', () => {
    const bytes = over(
      [{ opType: 'Add', input: ['x', 'c'], output: ['y'] }],
      {},
      { initializer: [{ name: 'c', dataType: 10, dims: [1n], int32Data: [0] }] },
    )
    expect(decodeModel(bytes).notes.join()).toMatch(/float16.*widened/)
  })
})

describe('graphs', () => {
  it('sorts unsorted nodes and drops dead ones', () => {
    const model = decodeModel(
      over([
        { opType: 'Relu', input: ['h'], output: ['y'] },
        { opType: 'NoSuchOperator', domain: 'nowhere', input: ['x'], output: ['unused'] },
        { opType: 'Neg', input: ['x'], output: ['h'] },
      ]),
    )
    expect(model.nodes.map((n) => n.op)).toEqual(['Neg', 'Relu'])
    expect(model.notes.join()).toMatch(/1 nodes that no output needs/)
  })

  const relu = { opType: 'Relu', name: 'r', input: ['x'], output: ['y'] }
  it.each([
    [
      'a cycle',
      over([
        { ...relu, input: ['z'] },
        { opType: 'Neg', name: 'n', input: ['y'], output: ['z'] },
      ]),
      /cycle.*'r'.*'n'|cycle.*'n'.*'r'/,
    ],
    ['a node that needs itself', over([{ ...relu, input: ['y'] }]), /cycle/],
    ['an undefined input', over([{ ...relu, input: ['q'] }]), /node 'r' \(Relu\).*'q'/],
    ['an undefined output', over([{ ...relu, output: ['w'] }]), /nothing computes the output 'y'/],
    ['a name defined twice', over([relu, { ...relu, name: 's' }]), /node 's' \(Relu\).*'y' is defined twice/],
    ['a node that redefines an input', over([{ ...relu, output: ['x'] }]), /'x' is defined twice/],
    ['a graph without outputs', over([relu], {}, { output: [] }), /no output/],
    ['a node without operator', over([{ ...relu, opType: '' }]), /no operator/],
    ['no operator sets', over([relu], { opsetImport: [] }), /version of the standard operator set/],
    [
      'an attribute given twice',
      over([
        {
          ...relu,
          attribute: [
            { name: 'a', type: 2 },
            { name: 'a', type: 2 },
          ],
        },
      ]),
      /given twice/,
    ],
    [
      'a reference outside a function',
      over([{ ...relu, attribute: [{ name: 'a', refAttrName: 'b' }] }]),
      /outside a function/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeModel(bytes)).toThrow(FormatError)
    expect(() => decodeModel(bytes)).toThrow(message)
  })

  const branch = {
    name: 'b',
    output: [vector('inner')],
    node: [{ opType: 'Identity', input: ['x'], output: ['inner'] }],
  }
  it.each([
    [
      'loops',
      over([
        {
          opType: 'Loop',
          name: 'l',
          input: ['', '', 'x'],
          output: ['y'],
          attribute: [{ name: 'body', type: 5, g: branch }],
        },
      ]),
      /node 'l' \(Loop\): control flow.*unroll/,
    ],
    [
      'quantized operators',
      over([{ opType: 'DequantizeLinear', name: 'q', input: ['x', 'x'], output: ['y'] }]),
      /node 'q'.*quantized.*before quantization/,
    ],
    [
      'custom domains',
      over([{ opType: 'Swish', domain: 'com.example', name: 's', input: ['x'], output: ['y'] }]),
      /node 's' \(com.example.Swish\).*'com.example'.*standard ONNX operators/,
    ],
    [
      'quantized operators of other domains',
      over([{ opType: 'MatMulNBits', domain: 'com.microsoft', name: 's', input: ['x'], output: ['y'] }]),
      /quantized/,
    ],
    ['sequences', over([{ opType: 'SequenceConstruct', name: 'q', input: ['x'], output: ['y'] }]), /sequence/],
    ['sparse initializers', over([relu], {}, { sparseInitializer: [{ values: { name: 'sp' } }] }), /sparse/],
    [
      'sequence inputs',
      over([relu], {}, { input: [{ name: 'x', type: { value: { case: 'sequenceType', value: {} } } }] }),
      /only tensors.*sequence/,
    ],
    [
      'string inputs',
      over([relu], {}, { input: [{ name: 'x', type: { value: { case: 'tensorType', value: { elemType: 8 } } } }] }),
      /string/,
    ],
  ])('refuses %s, naming the node and the cure', (_, bytes, message) => {
    expect(() => decodeModel(bytes)).toThrow(UnsupportedError)
    expect(() => decodeModel(bytes)).toThrow(message)
  })

  it('resolves names of an If from the graph around it', () => {
    const model = decodeModel(
      over(
        [
          {
            opType: 'If',
            input: ['c'],
            output: ['y'],
            attribute: [
              { name: 'then_branch', type: 5, g: branch },
              { name: 'else_branch', type: 5, g: branch },
            ],
          },
        ],
        {},
        { initializer: [{ name: 'c', dataType: 9, dims: [], int32Data: [1] }] },
      ),
    )
    const { outputs } = importOnnx(model, { inputs: { x: [2] }, dtype: 'float64' })
    expect(outputs['y'].op).toBe('Input')
  })
})

describe('local functions', () => {
  const opsetImport = [
    { domain: '', version: 17n },
    { domain: 'f', version: 1n },
  ]
  const functionOf = (name: string, node: object[], more: object = {}) => ({
    name,
    domain: 'f',
    input: ['a'],
    output: ['r'],
    opsetImport,
    node,
    ...more,
  })
  const callOf = (opType: string, input: string, output: string, more: object = {}) => ({
    opType,
    domain: 'f',
    name: `call_${output}`,
    input: [input],
    output: [output],
    ...more,
  })
  const evaluateAt = (bytes: Uint8Array, x: number[]) => {
    const { outputs } = importOnnx(decodeModel(bytes), { inputs: { x: [2] }, dtype: 'float64' })
    return [...evaluate([outputs['y']], { x: tensorOf('float64', [2], x) })[0].data]
  }

  it('are inlined: nested, renamed, attributes passed on and defaulted', () => {
    const leaky = functionOf(
      'Leaky',
      [
        {
          opType: 'LeakyRelu',
          input: ['a'],
          output: ['r'],
          attribute: [{ name: 'alpha', refAttrName: 'slope', type: 1 }],
        },
      ],
      {
        attributeProto: [{ name: 'slope', type: 1, f: 0.5 }],
      },
    )
    const twice = functionOf(
      'Twice',
      [
        callOf('Leaky', 'a', 't', { attribute: [{ name: 'slope', refAttrName: 's', type: 1 }] }),
        { opType: 'Add', input: ['t', 't'], output: ['r'] },
      ],
      {
        attribute: ['s'],
      },
    )
    const bytes = over(
      [callOf('Twice', 'x', 't', { attribute: [{ name: 's', type: 1, f: 0.25 }] }), callOf('Leaky', 't', 'y')],
      {
        opsetImport,
        functions: [leaky, twice],
      },
    )
    expect(evaluateAt(bytes, [1, -8])).toEqual([2, -2])
    expect(decodeModel(bytes).nodes.map((n) => n.op)).toEqual(['LeakyRelu', 'Add', 'LeakyRelu'])
    expect(decodeModel(bytes).notes.join()).toMatch(/inlined/)
  })

  it('may return an input, or take a constant from an attribute', () => {
    const same = functionOf('Same', [], { output: ['a'] })
    const shift = functionOf('Shift', [
      { opType: 'Constant', output: ['c'], attribute: [{ name: 'value_float', refAttrName: 'by', type: 1 }] },
      { opType: 'Add', input: ['a', 'c'], output: ['r'] },
    ])
    const bytes = over(
      [callOf('Same', 'x', 't'), callOf('Shift', 't', 'y', { attribute: [{ name: 'by', type: 1, f: 3 }] })],
      { opsetImport, functions: [same, shift] },
    )
    expect(evaluateAt(bytes, [1, 2])).toEqual([4, 5])
  })

  it.each([
    ['calls itself', [functionOf('F', [callOf('F', 'a', 'r')])], /must not call itself/],
    [
      'calls itself through another',
      [functionOf('F', [callOf('G', 'a', 'r')]), functionOf('G', [callOf('F', 'a', 'r')])],
      /must not call itself/,
    ],
    ['is defined twice', [functionOf('F', []), functionOf('F', [])], /defined twice/],
    ['uses an undefined name', [functionOf('F', [{ opType: 'Neg', input: ['nowhere'], output: ['r'] }])], /nowhere/],
    ['has fewer inputs than the call', [functionOf('F', [], { input: [] })], /0 inputs/],
  ])('are refused where one %s', (_, functions, message) => {
    const bytes = over([callOf('F', 'x', 'y')], { opsetImport, functions })
    expect(() => decodeModel(bytes)).toThrow(FormatError)
    expect(() => decodeModel(bytes)).toThrow(message)
  })

  it('are refused where they grow exponentially', () => {
    const levels = Array.from({ length: 40 }, (_, i) =>
      functionOf(
        `F${i}`,
        i === 0 ? [] : [callOf(`F${i - 1}`, 'a', 't'), callOf(`F${i - 1}`, 't', 'r')],
        i === 0 ? { output: ['a'] } : {},
      ),
    )
    expect(() => decodeModel(over([callOf('F39', 'x', 'y')], { opsetImport, functions: levels }))).toThrow(
      /more than 250000 nodes/,
    )
  })
})

describe('equal tensors that an exporter stored once', () => {
  /** y = b2 + w2 (b1 + w1 x), elementwise; w2 and b2 are Identities of w1 and b1 as PyTorch writes them. */
  const merged = (producer: string): Uint8Array =>
    encodeModel({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 2] }],
      initializers: new Map([
        ['w1', tensorOf('float32', [2], [1, 1])],
        ['b1', tensorOf('float32', [2], [0, 0])],
      ]),
      nodes: [
        call('Identity', ['b1'], ['b2']),
        call('Identity', ['w1'], ['w2']),
        call('Mul', ['x', 'w1'], ['m1']),
        call('Add', ['m1', 'b1'], ['h']),
        call('Mul', ['h', 'w2'], ['m2']),
        call('Add', ['m2', 'b2'], ['y']),
      ],
      producer,
    })

  it('are tensors of their own again, in the order of the network', () => {
    const model = decodeModel(merged('pytorch'))
    expect([...model.initializers.keys()]).toEqual(['w1', 'b1', 'w2', 'b2'])
    expect(model.nodes.map((n) => n.op)).toEqual(['Mul', 'Add', 'Mul', 'Add'])
    expect(model.notes.join()).toMatch(/stored w2, b2 once/)
    const parameters = parametersOf(model).parameters.map(({ name }) => name)
    expect(parameters).toHaveLength(4)
  })

  it('stay one where the producer writes ties so', () => {
    const model = decodeModel(merged('other'))
    expect([...model.initializers.keys()]).toEqual(['w1', 'b1'])
    expect(model.notes).toEqual([])
  })
})
