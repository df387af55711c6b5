import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { outputSchema } from '../src/cli/output-schema.ts'
import { encodeNpz } from '../src/formats/npz.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder(), name)
  writeFileSync(path, content)
  return path
}

/** f(x; θ) = sin(θ x) with θ = 5.4, as a file of someone else's. */
function sineFile(theta: number): string {
  const bytes = encodeModel({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 1] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 1] }],
    initializers: new Map([['theta', tensorOf('float32', [1, 1], [theta])]]),
    nodes: [
      { op: 'MatMul', name: 'product', inputs: ['x', 'theta'], outputs: ['u'] },
      { op: 'Sin', name: 'sine', inputs: ['u'], outputs: ['y'] },
    ],
  })
  return file(`sine-${theta}.onnx`, bytes)
}

function sineData(): string {
  const x = [-1.7, -0.6, 0.4, 1.1, 2.3]
  return file(
    'sine.npz',
    encodeNpz({ x: tensorOf('float64', [5, 1], x), y: tensorOf('float64', [5, 1], x.map(Math.sin)) }),
  )
}

test('a file stuck at a bad minimum: failure mode with the infimum; the figure is written', () => {
  const svg = join(folder(), 'figure.svg')
  const reply = thalweg(
    'eliminate',
    sineFile(5.4),
    '--data',
    sineData(),
    '--loss',
    'squared',
    '--minimize',
    '--json',
    '--figure',
    svg,
  )
  expect(reply.stderr).toBe('')
  const d = JSON.parse(reply.stdout)
  outputSchema.parse(d)
  expect(d).toMatchObject({ command: 'eliminate', outcome: 'failure-mode', functionOptimum: 0, dtype: 'float64' })
  expect(d.lossBefore).toBeCloseTo(0.632994877, 8)
  expect(d.divergence).toMatchObject({ type: 'A', fakeConvergence: false })
  expect(d.divergence.amplitudeLaw).toBeCloseTo(0.25, 1)
  expect(d.certificate.accepted).toBe(false)
  expect(d.certificate.witness.decrease).toBeGreaterThan(0)
  expect(d.neuron.w[0]).toHaveLength(1)
  expect(d.frozenInfimum.value).toBeLessThan(d.modifiedLoss)
  expect(d.tangentModel.centeredGap).toBeCloseTo(0, 12)
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg/)
})

test('a file in the good basin: certified, θ saved', () => {
  const out = join(folder(), 'out.safetensors')
  const reply = thalweg('eliminate', sineFile(1.4), '--data', sineData(), '--loss', 'squared', '--json', '--save', out)
  const d = JSON.parse(reply.stdout)
  expect(d).toMatchObject({ outcome: 'certified', divergence: { type: null } })
  expect(d.lossAfter).toBeLessThan(1e-16)
  expect(d.groupGradientMax).toBeLessThan(1e-8)
  expect(existsSync(out)).toBe(true)
})

const xor = `name: xor
data: { name: xor }
model: { kind: mlp, widths: [2, 4, 2] }
loss: { name: cross-entropy }
training: { optimizer: { name: gradient-descent }, learningRate: 0.1, steps: 5 }
`

test('cross-entropy on consistent labels: vacuous, said beforehand, with advice', () => {
  const reply = thalweg('eliminate', file('xor.yaml', xor), '--json')
  const d = JSON.parse(reply.stdout)
  expect(d).toMatchObject({
    outcome: 'vacuous',
    vacuity: { vacuous: true, reason: 'infimum-not-attained' },
    method: null,
  })
  expect(d.vacuity.advice.length).toBeGreaterThan(0)
  expect(d.lossAfter).toBe(d.lossBefore)
  const words = thalweg('eliminate', file('xor.yaml', xor))
  expect(words.stdout).toMatch(/^With cross-entropy .* no local minimum/)
})

test('label smoothing makes it attainable, and the net is certified; other ways are compared', () => {
  const smooth = xor
    .replace('{ name: cross-entropy }', '{ name: cross-entropy, labelSmoothing: 0.1 }')
    .replace('2, 4, 2', '2, 8, 2')
  const reply = thalweg(
    'eliminate',
    file('smooth.yaml', smooth),
    '--json',
    '--compare',
    '--attempts',
    '2',
    '--tolerance',
    '1e-7',
  )
  const d = JSON.parse(reply.stdout)
  outputSchema.parse(d)
  expect(d.vacuity.vacuous).toBe(false)
  expect(d).toMatchObject({ outcome: 'certified', method: 'quasi-newton' })
  expect(d.lossAfter - d.functionOptimum).toBeLessThan(1e-9)
  expect(d.comparison.rows.map((r: { way: string }) => r.way)).toContain('restarts')
})

test.each([
  [['--loss', 'squared', '--variant', 'liang'], /hinge --power 3/],
  [['--loss', 'squared', '--lambda', '0'], /lambda must be a positive number, got 0/],
  [['--loss', 'squared', '--method', 'gradient-descent'], /needs a positive learning rate/],
  [['--loss', 'squared', '--variant', 'per-layer'], /hinge --power 3/],
] as [string[], RegExp][])('refuses %j', (more, message) => {
  const reply = thalweg('eliminate', sineFile(1.4), '--data', sineData(), ...more)
  expect(reply.stderr).toMatch(message)
  expect(reply).toMatchObject({ status: 2, stdout: '' })
})

describe('unusual data and inputs', () => {
  const x = [0.3, -1.2, 1.1, 0.4, -0.7, 0.9, 0.2, -0.5]
  const data = (name: string, inputs: readonly number[], y: readonly number[]): string =>
    file(
      name,
      encodeNpz({
        x: tensorOf('float64', [y.length, inputs.length / y.length], [...inputs]),
        y: tensorOf('float64', [y.length, 1], [...y]),
      }),
    )
  const tanh = (widths: string): string =>
    file(
      `net-${widths.replaceAll(/\D/g, '-')}.yaml`,
      `name: n\ndata: { name: xor }\nmodel: { kind: mlp, widths: ${widths}, activation: tanh }\nloss: { name: squared }\n`,
    )
  const run = (...args: string[]): Record<string, never> => {
    const reply = thalweg('eliminate', ...args, '--json')
    expect(reply.stderr).toBe('')
    outputSchema.parse(JSON.parse(reply.stdout))
    return JSON.parse(reply.stdout)
  }

  test('duplicates with different targets: the group means are the optimum and are certified', () => {
    const path = data('twins.npz', [...x, ...x], [1, -1, 0.5, 2, 3, 1, 0.5, 0])
    expect(run(tanh('[2, 12, 1]'), '--data', path)).toMatchObject({
      outcome: 'certified',
      functionOptimum: expect.closeTo((2 * (1 + 1 + 1 + 1 + 1 + 1)) / 16, 1),
      certificate: { groups: 4 },
    })
  })

  test('fewer samples than features, one sample, constant targets: certified', () => {
    expect(run(tanh('[4, 6, 1]'), '--data', data('few.npz', x, [1, -1]))).toMatchObject({ outcome: 'certified' })
    expect(run(tanh('[8, 4, 1]'), '--data', data('one.npz', x, [2]))).toMatchObject({ outcome: 'certified' })
    const constant = run(tanh('[2, 6, 1]'), '--data', data('constant.npz', x, [1, 1, 1, 1]))
    expect(constant).toMatchObject({ outcome: 'certified', functionOptimum: 0 })
  })

  test('inputs of a million do not overflow', () => {
    const path = data(
      'large.npz',
      x.map((v) => v * 1e6),
      [1, -1, 0.5, 2],
    )
    expect(run(tanh('[2, 8, 1]'), '--data', path)).toMatchObject({ method: 'quasi-newton', status: expect.any(String) })
  })

  test('a linear network with an output activation is not judged by least squares', () => {
    const yaml = (more: string): string =>
      `name: n\ndata: { file: sat.npz }\nmodel: { kind: mlp, widths: [2, 2, 1], activation: linear${more} }\nloss: { name: squared }\n`
    data('sat.npz', x, [0.9, -0.9, 0.1, 0.5])
    const reason = (d: Record<string, never>): unknown =>
      (d as unknown as { vacuity: { reason: unknown } }).vacuity.reason
    expect(reason(run(file('linear.yaml', yaml(''))))).toBe('cannot-interpolate')
    expect(reason(run(file('tanh.yaml', yaml(', outputActivation: tanh'))))).not.toBe('cannot-interpolate')
  })

  test('NaN is refused, with its place', () => {
    const reply = thalweg(
      'eliminate',
      tanh('[2, 4, 1]'),
      '--data',
      data('nan.npz', [Number.NaN, ...x.slice(1)], [1, 2, 3, 4]),
    )
    expect(reply.stderr).toMatch(/must be finite, got NaN at sample 0, feature 0/)
    expect(reply).toMatchObject({ status: 2, stdout: '' })
  })

  test('class indices into an embedding are refused with the reason', () => {
    const bytes = encodeModel({
      inputs: [{ name: 'tokens', dtype: 'int64', shape: ['n', 2] }],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 2] }],
      initializers: new Map([
        ['table', tensorOf('float32', [3, 1], [0.1, 0.2, 0.3])],
        ['weight', tensorOf('float32', [2, 2], [1, 2, 3, 4])],
        ['shape', tensorOf('int64', [2], [-1, 2]) as never],
      ]),
      nodes: [
        { op: 'Gather', name: 'g', inputs: ['table', 'tokens'], outputs: ['e'] },
        { op: 'Reshape', name: 'r', inputs: ['e', 'shape'], outputs: ['f'] },
        { op: 'MatMul', name: 'm', inputs: ['f', 'weight'], outputs: ['y'] },
      ],
    })
    const tokens = file(
      'tokens.npz',
      encodeNpz({
        tokens: tensorOf('int64', [3, 2], [0, 1, 2, 0, 1, 1]),
        y: tensorOf('float64', [3, 2], [1, 2, 3, 4, 5, 6]),
      }),
    )
    const model = file('tokens.onnx', bytes)
    const reply = thalweg(
      'eliminate',
      model,
      '--data',
      tokens,
      '--input',
      'tokens=tokens',
      '--target',
      'y',
      '--loss',
      'squared',
    )
    expect(reply.stderr).toMatch(/needs real inputs, got int64 for input tokens.*embedded vectors/)
    expect(reply).toMatchObject({ status: 2, stdout: '' })
  })

  test('several inputs are joined: one weight per number', () => {
    const bytes = encodeModel({
      inputs: [
        { name: 'u', dtype: 'float32', shape: ['n', 2] },
        { name: 'v', dtype: 'float32', shape: ['n', 1] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 1] }],
      initializers: new Map([
        ['a', tensorOf('float32', [2, 1], [0.4, -0.3])],
        ['b', tensorOf('float32', [1, 1], [0.2])],
      ]),
      nodes: [
        { op: 'MatMul', name: 'm1', inputs: ['u', 'a'], outputs: ['p'] },
        { op: 'MatMul', name: 'm2', inputs: ['v', 'b'], outputs: ['q'] },
        { op: 'Add', name: 's', inputs: ['p', 'q'], outputs: ['t'] },
        { op: 'Tanh', name: 'h', inputs: ['t'], outputs: ['y'] },
      ],
    })
    const path = file(
      'two.npz',
      encodeNpz({
        u: tensorOf('float64', [3, 2], x.slice(0, 6)),
        v: tensorOf('float64', [3, 1], [1, 2, -1]),
        y: tensorOf('float64', [3, 1], [0.1, 0.5, -0.2]),
      }),
    )
    const d = run(
      file('two.onnx', bytes),
      '--data',
      path,
      '--input',
      'u=u',
      'v=v',
      '--target',
      'y',
      '--loss',
      'squared',
    )
    expect((d as unknown as { neuron: { w: number[][] } }).neuron.w[0]).toHaveLength(3)
  })

  test('Chinese sentences', () => {
    const d = run(file('xor.yaml', xor), '--lang', 'zh')
    expect(d).toMatchObject({ outcome: 'vacuous', summary: expect.stringMatching(/没有局部极小值/) })
    expect(
      thalweg('eliminate', sineFile(1.4), '--data', sineData(), '--loss', 'squared', '--lang', 'zh').stdout,
    ).toMatch(/附加神经元已消失/)
  })
})
