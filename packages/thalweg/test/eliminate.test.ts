import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import { expect, test } from 'vitest'
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
