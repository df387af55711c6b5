import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import type { OnnxAttribute, OnnxModelToWrite, OnnxNodeToWrite, Tensor } from '@thalweg/graph'
import { afterAll, describe, expect, it } from 'vitest'
import { errorText, exitStatusOf } from '../../src/cli/errors.ts'
import { openAnyModel } from '../../src/experiment/open-any-model.ts'
import { fixturePath } from './fixtures.ts'

const root = mkdtempSync(join(tmpdir(), 'thalweg-refusals-'))
const folder = join(root, 'model')
mkdirSync(folder)
writeFileSync(join(root, 'outside.bin'), new Uint8Array(24))
afterAll(() => rmSync(root, { recursive: true }))

function call(
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, OnnxAttribute> = {},
  domain = '',
): OnnxNodeToWrite {
  return { op, domain, name: `the ${op}`, inputs, outputs, attributes: new Map(Object.entries(attributes)) }
}

/** A model x → y of these nodes and a weight W. */
function file(nodes: OnnxNodeToWrite[], more: Partial<OnnxModelToWrite> = {}): Uint8Array {
  return encodeModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: undefined }],
    initializers: new Map([['W', tensorOf('float32', [2, 3], [1, 2, 3, 4, 5, 6])]]),
    nodes,
    ...more,
  })
}

/** What the command line would print and return. */
async function outcomeOf(bytes: Uint8Array, name = 'model.onnx'): Promise<{ text: string; status: number }> {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  try {
    await openAnyModel(path)
    return { text: '', status: 0 }
  } catch (error) {
    return { text: errorText(error), status: exitStatusOf(error) }
  }
}

const product = call('MatMul', ['x', 'W'], ['h'])
const graph: OnnxAttribute = {
  kind: 'graph',
  value: {
    name: 'body',
    inputs: [],
    outputs: [{ name: 'h', dtype: 'float32', elementType: 'float32', shape: undefined }],
    initializers: new Map(),
    nodes: [],
  },
}
const ints = (...value: number[]): OnnxAttribute => ({ kind: 'ints', value })

/** A protobuf field: tag, length, bytes. */
function field(number: number, content: Uint8Array): number[] {
  const length = content.length < 128 ? [content.length] : [(content.length & 127) | 128, content.length >> 7]
  return [(number << 3) | 2, ...length, ...content]
}
const text = (s: string): Uint8Array => new TextEncoder().encode(s)

/** The model with an initializer V of these protobuf bytes. */
function withInitializer(tensor: readonly number[]): Uint8Array {
  const node = field(
    1,
    Uint8Array.from([
      ...field(1, text('x')),
      ...field(1, text('V')),
      ...field(2, text('y')),
      ...field(4, text('MatMul')),
    ]),
  )
  const x = field(
    11,
    Uint8Array.from([...field(1, text('x')), ...field(2, Uint8Array.from(field(1, Uint8Array.of(8, 1))))]),
  )
  const y = field(
    12,
    Uint8Array.from([...field(1, text('y')), ...field(2, Uint8Array.from(field(1, Uint8Array.of(8, 1))))]),
  )
  const graphBytes = field(7, Uint8Array.from([...node, ...field(5, Uint8Array.from(tensor)), ...x, ...y]))
  return Uint8Array.from([8, 8, ...graphBytes, ...field(8, Uint8Array.of(16, 17))])
}

const external = (location: string): number[] => [
  8,
  2,
  8,
  3,
  16,
  1,
  ...field(8, text('V')),
  ...field(13, Uint8Array.from([...field(1, text('location')), ...field(2, text(location))])),
  112,
  1,
]
/** dims 2^40 × 2^20, float32, and four bytes of data. */
const absurd = [
  8,
  128,
  128,
  128,
  128,
  128,
  32,
  8,
  128,
  128,
  64,
  16,
  1,
  ...field(8, text('V')),
  ...field(9, Uint8Array.of(0, 0, 0, 0)),
]

const cases: [string, Uint8Array, RegExp][] = [
  [
    'a loop',
    file([product, call('Loop', ['', '', 'h'], ['y'], { body: graph })]),
    /'the Loop' \(Loop\): control flow.*fixed loop counts/,
  ],
  ['a scan', file([product, call('Scan', ['h'], ['y'], { body: graph })]), /'the Scan' \(Scan\): control flow/],
  [
    'an operator of another domain',
    file([product, call('FusedGemm', ['h'], ['y'], {}, 'com.microsoft')], { opsets: new Map([['com.microsoft', 1]]) }),
    /'the FusedGemm'.*domain 'com\.microsoft'.*standard ONNX operators/,
  ],
  [
    'quantized operators',
    file([product, call('QuantizeLinear', ['h', 'W'], ['y'])]),
    /'the QuantizeLinear'.*quantized.*before quantization/,
  ],
  [
    'an operator that nobody handles',
    file([product, call('Det', ['h'], ['y'])]),
    /'the Det' \(Det\): the operator Det .* is not handled/,
  ],
  [
    'random numbers',
    file([product, call('RandomNormalLike', ['h'], ['y'])]),
    /'the RandomNormalLike'.*model\.eval\(\)/,
  ],
  [
    'an unknown attribute',
    file([product, call('Relu', ['h'], ['y'], { slope: ints(1) })]),
    /'the Relu'.*'slope' is not known/,
  ],
  [
    'a cycle',
    file([call('Add', ['x', 'b'], ['a']), call('Relu', ['a'], ['b']), call('Add', ['a', 'b'], ['y'])]),
    /cycle: node 'the .* needs/,
  ],
  [
    'a missing tensor',
    file([call('Add', ['x', 'nowhere'], ['y'])]),
    /nothing computes its input 'nowhere'.*damaged or truncated/,
  ],
  [
    'an operator set of the future',
    file([call('Relu', ['x'], ['y'])], { opset: 99 }),
    /operator sets 11…\d+ are read, got 99/,
  ],
  [
    'shapes that hang on the data',
    file([product, call('NonZero', ['h'], ['i']), call('Cast', ['i'], ['y'], { to: { kind: 'int', value: 1 } })]),
    /'the NonZero'.*must not depend on the data/,
  ],
  [
    'a created tensor of absurd size',
    file([product, call('ConstantOfShape', ['s'], ['c']), call('Add', ['h', 'c'], ['y'])], {
      initializers: new Map<string, Tensor>([
        ['W', tensorOf('float32', [2, 3], [1, 2, 3, 4, 5, 6])],
        ['s', tensorOf('int64', [2], [2 ** 30, 2 ** 20])],
      ]),
    }),
    /'the ConstantOfShape'.*2\^28 elements.*hostile/,
  ],
  ['an initializer of absurd size', withInitializer(absurd), /'V': shape \[1099511627776,1048576\] is absurdly large/],
  [
    'external data outside the folder',
    withInitializer(external('../outside.bin')),
    /'V': external data must lie in the model's folder, got location '\.\.\/outside\.bin'/,
  ],
  [
    'external data at an absolute path',
    withInitializer(external('/etc/hostname')),
    /'V': external data must lie in the model's folder, got location '\/etc\/hostname'/,
  ],
  [
    'external data that are missing',
    withInitializer(external('weights.bin')),
    /weights\.bin: the model's external data is missing/,
  ],
  ['no model', text('not a model at all, only some text'), /damaged, truncated or not an \.onnx file/],
  ['an empty file', new Uint8Array(), /onnx/],
]

describe('what cannot be read is refused in one line with status 2', () => {
  it.each(cases)('%s', async (_, bytes, message) => {
    const { text: line, status } = await outcomeOf(bytes)
    expect(status).toBe(2)
    expect(line).toMatch(message)
    expect(line).toMatch(/^thalweg: \S*model\.onnx: [^\n]+\.$/)
  })

  it('every truncation of a real model', async () => {
    const whole = readFileSync(fixturePath('resnet.onnx'))
    for (const share of [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      const { status, text: line } = await outcomeOf(whole.subarray(0, Math.floor(whole.length * share)))
      expect([share, status]).toEqual([share, 2])
      expect(line).not.toContain('\n')
    }
  })

  it.each([
    ['weights.pt', /weights alone are no model.*torch\.onnx\.export/],
    ['model.keras', /tf2onnx/],
    ['model.txt', /an \.onnx file or an experiment/],
  ])('%s', async (name, message) => {
    const { text: line, status } = await outcomeOf(text('x'), name)
    expect([status, message.test(line)]).toEqual([2, true])
  })
})
