import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import { expect, test } from 'vitest'
import { decodeNpz, encodeNpz } from '../src/formats/npz.ts'
import { decodeSafetensors } from '../src/formats/safetensors.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

const experiment = (steps: number, rate: number): string => `name: moons
seed: 3
data: { name: 'two-moons:samples=60,noise=0.1', test: 0.25 }
model: { kind: mlp, widths: [2, 8, 2], activation: tanh }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: ${rate}, steps: ${steps}, checkpoints: 4, dtype: float64 }
analyses:
  diagnose: { top: 3, bottom: 2 }
  surface: { x: { points: 7 }, y: { from: -0.5, to: 0.5, points: 5 } }
`

interface Outcome {
  readonly directory: string
  readonly verdict: string
  readonly loss: number
  readonly gradientNorm: number
}

function run(name: string, text: string, ...args: string[]): Outcome {
  const path = join(folder(), `${name}.yaml`)
  writeFileSync(path, text)
  const reply = thalweg('run', path, '--json', '--out', join(folder(), name), ...args)
  expect(reply.stderr).toBe('')
  expect(reply.status).toBe(0)
  return JSON.parse(reply.stdout) as Outcome
}

test('a run leaves a whole directory whose numbers agree with each other', () => {
  const outcome = run('first', experiment(300, 0.05))
  expect(readdirSync(outcome.directory).sort()).toEqual([
    'checkpoints',
    'figures',
    'manifest.json',
    'report.html',
    'results',
  ])
  const read = (name: string): string => readFileSync(join(outcome.directory, name), 'utf8')
  expect(JSON.parse(read('manifest.json'))).toMatchObject({ status: 'finished', seed: 3, model: { parameters: 42 } })
  const end = JSON.parse(read('results/end.json')) as { loss: number; accuracy: number }
  expect(end.loss).toBe(outcome.loss)
  expect(end.loss).toBeLessThan(0.3)
  const surface = decodeNpz(readFileSync(join(outcome.directory, 'results/surface.npz')), { file: 'surface.npz' })
  expect(surface.get('loss')?.shape).toEqual([5, 7])
  const center = Number(surface.get('loss')?.data[2 * 7 + 3])
  expect(Math.abs(center - end.loss)).toBeLessThan(1e-5 * end.loss)
  const final = decodeSafetensors(readFileSync(join(outcome.directory, 'checkpoints/final.safetensors')), {
    file: 'final',
  })
  expect([...final.tensors.keys()]).toContain('layers.0.weight')
  expect(read('report.html')).toContain('moons')
  expect(read('report.html')).not.toMatch(/<script[^>]* src=|https?:\/\/(?!www\.w3\.org)/)
})

test('the same seed gives the same bytes, another seed others', () => {
  const bytes = (directory: string): Buffer => readFileSync(join(directory, 'checkpoints/final.safetensors'))
  const [a, b, c] = [
    run('a', experiment(20, 0.05)),
    run('b', experiment(20, 0.05)),
    run('c', experiment(20, 0.05), '--seed', '4'),
  ]
  expect(bytes(a.directory).equals(bytes(b.directory))).toBe(true)
  expect(bytes(a.directory).equals(bytes(c.directory))).toBe(false)
})

test('divergence ends with status 3, says so, and keeps what was reached', () => {
  const path = join(folder(), 'wild.yaml')
  const text = experiment(50, 1e200)
    .replace('name: adam', 'name: gradient-descent')
    .replace('cross-entropy', 'hinge, power: 2')
  writeFileSync(path, text.replace('[2, 8, 2]', '[2, 8, 1]'))
  const reply = thalweg('run', path, '--out', join(folder(), 'wild'))
  expect(reply.stderr).toMatch(/the last finite point.*is kept/)
  expect(reply.status).toBe(3)
  expect(existsSync(join(folder(), 'wild', 'report.html'))).toBe(true)
  expect(JSON.parse(readFileSync(join(folder(), 'wild', 'manifest.json'), 'utf8'))).toMatchObject({
    status: 'diverged',
  })
})

test('a run says so when its data have changed since', () => {
  const data = join(folder(), 'points.csv')
  const rows = (shift: number): string =>
    `a,b,y\n${Array.from({ length: 12 }, (_, i) => `${Math.sin(i) + shift},${Math.cos(i)},${i % 2}`).join('\n')}\n`
  writeFileSync(data, rows(0))
  const text = experiment(5, 0.05).replace(/data:.*/, 'data: { file: points.csv }')
  const { directory } = run('points', text)
  const warnings = (): string[] => {
    const reply = thalweg('spectrum', directory, '--top', '1', '--bottom', '0', '--json')
    expect(reply).toMatchObject({ status: 0, stderr: '' })
    return (JSON.parse(reply.stdout) as { warnings: string[] }).warnings
  }
  expect(warnings().join()).not.toMatch(/changed since/)
  writeFileSync(data, rows(0.1))
  expect(warnings().join()).toMatch(/changed since the run/)
})

test('a model file finds its data by input names, and reads targets as its loss does', () => {
  const float = (name: string, shape: (number | string)[]) => ({ name, dtype: 'float64' as const, shape })
  const bytes = encodeModel({
    inputs: [float('features', ['n', 2])],
    outputs: [float('out', ['n', 1])],
    initializers: new Map([['w', tensorOf('float64', [2, 1], [1, -1])]]),
    nodes: [{ op: 'MatMul', inputs: ['features', 'w'], outputs: ['out'] }],
  })
  writeFileSync(join(folder(), 'plane.onnx'), bytes)
  const x = tensorOf('float64', [3, 2], [1, 0, 0, 1, 2, 2])
  writeFileSync(join(folder(), 'plane.npz'), encodeNpz({ features: x, y: tensorOf('int64', [3], [3, 1, 2]) }))
  const text = `name: plane
data: { file: plane.npz }
model: { kind: onnx, file: plane.onnx }
loss: { name: mse }
analyses: { diagnose: {} }
`
  // residuals (1, −1, 0) − (3, 1, 2) = −2, −2, −2
  expect(run('plane', text).loss).toBeCloseTo(4, 14)
  const frozen = join(folder(), 'frozen.yaml')
  writeFileSync(frozen, text.replace('plane.onnx', "plane.onnx, freeze: ['w']"))
  expect(thalweg('run', frozen)).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/no parameters are left/) as string,
  })
})
