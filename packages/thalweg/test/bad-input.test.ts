import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { encodeNpz } from '../src/formats/npz.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

const experiment = `name: tiny
data: { name: xor }
model: { kind: mlp, widths: [2, 4, 2] }
loss: { name: cross-entropy }
training: { optimizer: { name: gradient-descent }, learningRate: 0.1, steps: 5 }
`

/** A refusal: status 2, one line on standard error that matches, nothing on standard output, no run folder. */
function expectRefusal(args: string[], message: RegExp): void {
  const reply = thalweg(...args)
  expect(reply.stderr).toMatch(message)
  expect(reply.stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(reply.stderr).not.toMatch(/\n\s+at /)
  expect(reply).toMatchObject({ status: 2, stdout: '' })
  expect(readdirSync(folder())).not.toContain('runs')
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder(), name)
  writeFileSync(path, content)
  return path
}

const yamlCases: readonly [string, string, RegExp][] = [
  [
    'a misspelt key',
    experiment.replace('learningRate', 'learningrate'),
    /bad\.yaml:5:\d+: unknown key "learningrate" in training\. Did you mean learningRate\?/,
  ],
  [
    'a key at another place',
    experiment.replace('gradient-descent }', 'gradient-descent, learningRate: 0.1 }'),
    /bad\.yaml:5:\d+: unknown key "learningRate" in training\.optimizer\. It belongs to training or \S+\./,
  ],
  [
    'an unknown loss',
    experiment.replace('cross-entropy', 'cross-entropie'),
    /bad\.yaml:4:15: loss\.name: .*cross-entropy.*, got "cross-entropie"\./,
  ],
  [
    'a wrong type',
    experiment.replace('steps: 5', 'steps: five'),
    /bad\.yaml:5:\d+: training\.steps: .*number.*, got "five"\./,
  ],
  ['a missing part', experiment.replace(/^loss.*\n/m, ''), /bad\.yaml:1:1: loss: expected object, got nothing\./],
  ['broken YAML', `${experiment}\nname: [1, 2`, /bad\.yaml:\d+:\d+: .*Mend the YAML\./],
  ['a duplicate key', `${experiment}name: again\n`, /bad\.yaml:6:1: .*unique.*Mend the YAML\./],
  [
    'both epochs and steps',
    experiment.replace('steps: 5', 'steps: 5, epochs: 3'),
    /bad\.yaml:5:\d+: training: needs either epochs or steps/,
  ],
  [
    'widths that do not fit the data',
    experiment.replace('[2, 4, 2]', '[3, 4, 2]'),
    /input x takes \[3\] per sample, got \[2\] from x/,
  ],
  [
    'an unknown data set',
    experiment.replace('name: xor', 'name: xro'),
    /data 'xro': neither a file nor a built-in data set\. Built in are: /,
  ],
]

describe('experiments', () => {
  test.each(yamlCases)('%s', (_, text, message) => {
    expectRefusal(['run', file('bad.yaml', text)], message)
  })

  test('a file that is not there', () => expectRefusal(['run', 'nowhere.yaml'], /nowhere\.yaml: there is no such file/))

  test('labels beyond the scores', () => {
    const npz = encodeNpz({ x: tensorOf('float64', [3, 2], [1, 2, 3, 4, 5, 6]), y: tensorOf('int64', [3], [0, 1, 7]) })
    file('labels.npz', npz)
    const text = experiment.replace('name: xor', 'file: labels.npz')
    expectRefusal(['run', file('bad.yaml', text)], /needs labels in 0…1, got 7 at sample 2/)
  })

  test('an output folder that is in use', () => {
    expectRefusal(['run', file('good.yaml', experiment), '--out', folder()], /--out .*: the folder is not empty/)
  })
})

describe('data', () => {
  test('NaN, with its place', () => {
    const npz = encodeNpz({
      x: tensorOf('float64', [3, 2], [1, 2, 3, Number.NaN, 5, 6]),
      y: tensorOf('int64', [3], [0, 1, 0]),
    })
    expectRefusal(['data', 'info', file('nan.npz', npz)], /NaN.*sample 1.*feature 1|sample 1.*NaN/)
  })

  test('a truncated archive', () => {
    const npz = encodeNpz({ x: tensorOf('float64', [3, 2], [1, 2, 3, 4, 5, 6]), y: tensorOf('int64', [3], [0, 1, 0]) })
    expectRefusal(['data', 'info', file('cut.npz', npz.subarray(0, npz.length - 30))], /cut\.npz/)
  })

  test('an unknown array', () => {
    const npz = encodeNpz({ a: tensorOf('float64', [3, 2], [1, 2, 3, 4, 5, 6]), y: tensorOf('int64', [3], [0, 1, 0]) })
    expectRefusal(['data', 'info', file('names.npz', npz)], /'?x'?.*\ba\b/)
  })
})

describe('models', () => {
  const float = (
    name: string,
    shape: (number | string)[],
  ): { name: string; dtype: 'float32'; shape: (number | string)[] } => ({ name, dtype: 'float32', shape })

  test('an unknown operator', () => {
    const bytes = encodeModel({
      inputs: [float('x', ['n', 2])],
      outputs: [float('y', ['n', 2])],
      initializers: new Map(),
      nodes: [{ op: 'Frobnicate', name: 'odd', inputs: ['x'], outputs: ['y'] }],
    })
    expectRefusal(['model', 'info', file('odd.onnx', bytes)], /node 'odd' \(Frobnicate\)/)
  })

  test('shapes that do not fit', () => {
    const bytes = encodeModel({
      inputs: [float('x', ['n', 2])],
      outputs: [float('y', ['n', 4])],
      initializers: new Map([['w', tensorOf('float32', [3, 4], new Array(12).fill(1))]]),
      nodes: [{ op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['y'] }],
    })
    expectRefusal(['model', 'info', file('shapes.onnx', bytes)], /node 'product' \(MatMul\).*inner axes must be equal/)
  })

  test('a truncated file, rubbish, and a file that is not there', () => {
    const bytes = encodeModel({
      inputs: [float('x', ['n', 2])],
      outputs: [float('y', ['n', 2])],
      initializers: new Map(),
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
    })
    expectRefusal(['model', 'info', file('cut.onnx', bytes.subarray(0, bytes.length - 9))], /.+/)
    expectRefusal(
      ['model', 'info', file('rubbish.onnx', readFileSync(resolve(import.meta.dirname, '../package.json')))],
      /.+/,
    )
    expectRefusal(['model', 'info', 'nowhere.onnx'], /nowhere\.onnx: there is no such file/)
  })
})

test.each([
  [['--freeze', 'w'], /--freeze: belongs to an \.onnx file, got .*own\.yaml/],
  [['--sample-weights', 'w'], /--sample-weights: belongs to an \.onnx file/],
  [['--target', 'z'], /--target: belongs to an \.onnx file or to --data/],
] as [string[], RegExp][])('an option that says nothing about an experiment is not ignored: %j', (options, message) => {
  expectRefusal(['spectrum', file('own.yaml', experiment), ...options], message)
})

describe('the call', () => {
  test.each([
    [['rnu'], /unknown command 'rnu'/],
    [['run'], /missing required argument 'experiment'/],
    [['run', 'x.yaml', '--sed', '1'], /unknown option '--sed'/],
    [['run', 'x.yaml', '--seed', 'one'], /--seed: must be a whole number of at least 0, got one/],
    [['run', 'x.yaml', '--time-limit', 'soon'], /--time-limit: must be a duration such as 90s, 5m or 2h, got soon/],
  ] as [string[], RegExp][])('thalweg %j', (args, message) => {
    const reply = thalweg(...args)
    expect(reply.stderr).toMatch(message)
    expect(reply).toMatchObject({ status: 2, stdout: '' })
  })
})
