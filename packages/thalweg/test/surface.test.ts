import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { numbersOf, tensor } from '@thalweg/graph'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeNpz } from '../src/formats/npz.ts'
import { decodeSafetensors, encodeSafetensors } from '../src/formats/safetensors.ts'
import { encodeVtp } from '../src/formats/vtp.ts'
import type { PlacedPoint } from '../src/analyses/surface/surface-results.ts'
import { program } from './run-thalweg.ts'
import type { Reply } from './run-thalweg.ts'

const { folder, thalweg } = program()

const experiment = `name: moons
seed: 3
data: { name: 'two-moons:samples=80,noise=0.15' }
model: { kind: mlp, widths: [2, 16, 2], activation: tanh }
loss: { name: cross-entropy }
training: { optimizer: { name: adam }, learningRate: 0.03, steps: 200, checkpoints: 10, dtype: float64 }
`

beforeAll(() => {
  writeFileSync(join(folder(), 'moons.yaml'), experiment)
  for (const [name, seed] of [
    ['a', '3'],
    ['b', '4'],
  ])
    thalweg('run', 'moons.yaml', '--seed', seed, '--out', name, '--quiet')
})

interface Barrier {
  readonly overMean: number
}

/** The parts of the documents that are looked at. */
interface Document {
  readonly axes: readonly { start: number; end: number; count: number; nodes: number[]; eigenvalue: number }[]
  readonly normalization: string
  readonly loss: { readonly value: number }
  readonly values: number[][]
  readonly heldOutValues: number[][]
  readonly orthogonality: { readonly cosines: number[]; readonly worst: number }
  readonly offPlaneDistance: number[]
  readonly trajectories: readonly { readonly points: readonly PlacedPoint[] }[]
  readonly pca: { readonly explained: number[]; readonly randomWalk: number[] }
  readonly curvature: { readonly samples: number; readonly convexity: number[][] }
  readonly symmetry: unknown
  readonly matchings: readonly { readonly distance: { readonly before: number; readonly after: number } }[]
  readonly paths: readonly { readonly name: string; readonly losses: number[]; readonly barrier: Barrier }[]
  readonly files: string[]
  readonly warnings: string[]
}

function parsed(reply: Reply): Document {
  expect(reply.stderr).toBe('')
  expect(reply.status).toBe(0)
  return JSON.parse(reply.stdout) as Document
}

const surface = (...args: string[]): Document => parsed(thalweg('surface', ...args, '--json'))
const arrays = (out: string, name = 'surface'): Map<string, Float64Array> =>
  new Map(
    [...decodeNpz(readFileSync(join(folder(), out, `results/${name}.npz`)), { file: name })].map(([key, value]) => [
      key,
      numbersOf(value),
    ]),
  )

/** The named array of a .vtp file. */
function vtpArray(text: string, name: string): Float64Array {
  const [, base64] = new RegExp(`Name="${name}"[^>]*>([^<]*)<`).exec(text)!
  const bytes = Buffer.from(base64, 'base64')
  expect(Number(bytes.readBigUInt64LE(0))).toBe(bytes.length - 8)
  return Float64Array.from({ length: (bytes.length - 8) / 8 }, (_, i) => bytes.readDoubleLE(8 + 8 * i))
}

describe('surface', () => {
  test('an 11 × 7 plane: axes, values and files agree, θ lies where the axes cross', () => {
    const d = surface('a', '--x', '-1:1:11', '--y', '-0.5:0.25:7', '--out', 'plane', '--dtype', 'float64')
    expect(d).toMatchObject({ command: 'surface', normalization: 'filter', dtype: 'float64', notFinite: 0 })
    expect(d.axes.map((a) => [a.start, a.end, a.count])).toEqual([
      [-1, 1, 11],
      [-0.5, 0.25, 7],
    ])
    expect([d.axes[0].nodes[5], d.axes[1].nodes[4]]).toEqual([0, 0])
    expect(d.values).toHaveLength(7)
    expect(d.values[0]).toHaveLength(11)
    expect(d.values[4][5]).toBeCloseTo(d.loss.value, 12)
    expect(d.orthogonality.cosines).toHaveLength(1)
    const stored = arrays('plane')
    expect(Array.from(stored.get('loss')!)).toEqual(d.values.flat())
    expect(Array.from(stored.get('x')!)).toEqual(d.axes[0].nodes)
    const text = readFileSync(join(folder(), 'plane/results/surface.vtp'), 'utf8')
    expect(Array.from(vtpArray(text, 'loss'))).toEqual(d.values.flat())
    const points = vtpArray(text, 'Points')
    expect(Array.from(points.subarray(3 * 49, 3 * 49 + 3))).toEqual([d.axes[0].nodes[5], 0, d.values[4][5]])
    for (const name of d.files) expect(existsSync(join(folder(), 'plane', name))).toBe(true)
    expect(existsSync(join(folder(), 'plane/live'))).toBe(false)
  })

  test('the directions that were written give the same surface again', () => {
    const again = surface(
      'a',
      '--directions',
      'file',
      '--direction-file',
      'plane/results/directions.npz',
      '--x',
      '-1:1:11',
      '--y',
      '-0.5:0.25:7',
      '--out',
      'again',
      '--dtype',
      'float64',
    )
    expect(again.normalization).toBe('none')
    expect(Array.from(arrays('again').get('loss')!)).toEqual(Array.from(arrays('plane').get('loss')!))
  })

  test('a surface that was stopped goes on from where it was, to the same bytes', () => {
    const args = ['surface', 'a', '--points', '9', '--out', 'resumed', '--evaluation', 'inputs']
    const stopped = thalweg(...args, '--time-limit', '0')
    expect(stopped.status).toBe(3)
    expect(stopped.stderr).toMatch(/stopped after \d+ of 81 points.*--resume/)
    expect(existsSync(join(folder(), 'resumed/live/tasks/queue.sqlite'))).toBe(true)
    expect(parsed(thalweg(...args, '--resume', '--json')).values).toHaveLength(9)
    surface('a', '--points', '9', '--out', 'whole', '--evaluation', 'inputs')
    const bytes = (out: string): Buffer => readFileSync(join(folder(), out, 'results/surface.npz'))
    expect(bytes('resumed')).toEqual(bytes('whole'))
    const other = thalweg(...args, '--resume', '--x', '-2:2:9')
    expect(other.status).toBe(2)
    expect(other.stderr).toContain('another surface')
  })

  test('a trajectory says how far it lies off the plane and how low the loss there is', () => {
    const d = surface('a', '--directions', 'trajectory', '--points', '7', '--trajectory-curvature', '--out', 'path')
    const [{ points }] = d.trajectories
    expect(points.length).toBeGreaterThan(9)
    expect(d.offPlaneDistance).toHaveLength(points.length)
    const last = points.at(-1)!
    expect(last).toMatchObject({ coordinates: [0, 0], offPlaneDistance: 0, step: 200 })
    expect(last.loss).toBeCloseTo(last.planeLoss, 6)
    expect(Math.max(...d.offPlaneDistance)).toBeGreaterThan(0)
    expect(points[0].topEigenvalue).toBeGreaterThan(points[0].bottomEigenvalue!)
    expect(d.pca.explained[0]).toBeGreaterThan(d.pca.randomWalk[0])
    expect(d.pca.randomWalk[0]).toBeCloseTo(6 / Math.PI ** 2, 1)
    expect(d.axes[0].start).toBeLessThan(Math.min(...points.map((p) => p.coordinates[0])))
  })

  test('interpolation, eigenvectors, gradient, curvature and refinement', () => {
    const line = surface('a', '--to', 'b', '--x', '0:1:5', '--out', 'line')
    const end = parsed(thalweg('surface', 'b', '--points', '2', '--out', 'end', '--json'))
    expect(line.values[4]).toBeCloseTo(end.loss.value, 5)
    const ends = surface(
      'a',
      '--directions',
      'eigenvectors',
      '--eigenvectors',
      'ends',
      '--points',
      '5',
      '--out',
      'eigen',
      '--curvature-grid',
      '3',
      '--curvature-samples',
      '30',
    )
    expect(ends.axes[0].eigenvalue).toBeGreaterThan(ends.axes[1].eigenvalue)
    expect(ends.orthogonality.worst).toBeLessThan(1e-8)
    expect(ends.curvature.samples).toBe(30)
    expect(ends.curvature.convexity[1][1]).toBeGreaterThanOrEqual(0)
    expect(ends.warnings.join()).toContain('first 30 samples')
    const fine = surface(
      'a',
      '--directions',
      'gradient',
      '--points',
      '5',
      '--refine',
      '1',
      '--orthogonalize',
      '--out',
      'fine',
    )
    expect(fine.axes[0].nodes.length).toBeGreaterThan(5)
    expect(fine.values[0]).toHaveLength(fine.axes[0].nodes.length)
    expect(fine.orthogonality.worst).toBeLessThan(1e-12)
  })

  test('a volume, and a second data set', () => {
    const d = surface(
      'a',
      '--dimensions',
      '3',
      '--points',
      '3',
      '--held-out',
      'two-moons:samples=20,seed=9',
      '--out',
      'volume',
    )
    const [values, heldOut] = [d.values, d.heldOutValues] as unknown as number[][][][]
    expect([values.length, values[0].length, values[0][0].length]).toEqual([3, 3, 3])
    expect(heldOut[1][1][1]).not.toBe(values[1][1][1])
  })

  test.each([
    [['--x', '1:-1:5'], 'END must be greater'],
    [['--to', 'b', '--dimensions', '2'], '--dimensions 1'],
    [['--resume'], '--out'],
  ])('%j is refused in one line', (args, message) => {
    const reply = thalweg('surface', 'a', '--points', '3', ...args)
    expect(reply.status).toBe(2)
    expect(reply.stderr.trim().split('\n')).toHaveLength(1)
    expect(reply.stderr).toContain(message)
  })
})

describe('connect', () => {
  test('two trainings: a barrier, shorter ways after matching, hardly a barrier along a curve', () => {
    const d = parsed(
      thalweg(
        'connect',
        'a',
        'b',
        '--match',
        'weights',
        'activations',
        '--curve',
        'bezier',
        '--out',
        'joined',
        '--json',
      ),
    )
    expect(d.symmetry).toEqual({ groups: [{ name: 'layers.0.weight', size: 16 }], copies: '1371195958099968000' })
    const barrier = Object.fromEntries(d.paths.map((p) => [p.name, p.barrier.overMean]))
    expect(barrier.linear).toBeGreaterThan(0.1)
    expect(barrier.bezier).toBeLessThan(0.5 * Math.min(barrier.linear, barrier.weights))
    for (const { distance } of d.matchings) expect(distance.after).toBeLessThan(distance.before)
    expect(d.warnings).toEqual([])
    expect(d.paths[0].losses[0]).toBeCloseTo(d.loss.value, 6)
    for (const { losses } of d.paths) expect(losses.at(-1)).toBeCloseTo(d.paths[0].losses.at(-1)!, 5)
    for (const name of d.files) expect(existsSync(join(folder(), 'joined', name))).toBe(true)
    const matched = decodeSafetensors(readFileSync(join(folder(), 'joined/checkpoints/matched-weights.safetensors')), {
      file: 'matched',
    })
    expect(matched.tensors.get('layers.0.weight')!.shape).toEqual([16, 2])
  })

  test('a planted permutation of the units is undone exactly', () => {
    const file = join(folder(), 'a/checkpoints/final.safetensors')
    const { tensors, metadata } = decodeSafetensors(readFileSync(file), { file })
    const order = [3, 1, 0, 2, 7, 6, 5, 4, 15, 9, 12, 11, 10, 13, 8, 14]
    const rows = (name: string, width: number): Float64Array => {
      const data = numbersOf(tensors.get(name)!)
      return Float64Array.from(
        { length: 16 * width },
        (_, i) => data[order[Math.floor(i / width)] * width + (i % width)],
      )
    }
    const out = numbersOf(tensors.get('layers.1.weight')!)
    const moved = {
      ...Object.fromEntries(tensors),
      'layers.0.weight': tensor('float64', [16, 2], rows('layers.0.weight', 2)),
      'layers.0.bias': tensor('float64', [16], rows('layers.0.bias', 1)),
      'layers.1.weight': tensor(
        'float64',
        [2, 16],
        Float64Array.from({ length: 32 }, (_, i) => out[16 * Math.floor(i / 16) + order[i % 16]]),
      ),
    }
    const planted = join(folder(), 'a/checkpoints/planted.safetensors')
    writeFileSync(planted, encodeSafetensors(moved, metadata))
    const d = parsed(thalweg('connect', 'a', planted, '--dtype', 'float64', '--out', 'planted', '--json'))
    expect(d.paths[0].barrier.overMean).toBeGreaterThan(0.01)
    expect(d.matchings[0].distance.after).toBe(0)
    expect(Math.abs(d.paths[1].barrier.overMean)).toBeLessThan(1e-12)
  })

  test('files with batch normalization: statistics move along, so that channels can be matched', () => {
    const golden = (file: string): string => join(import.meta.dirname, 'models/golden', file)
    const [model, data] = [golden('cnn-batch-norm.onnx'), golden('cnn-batch-norm.npz')]
    const call = (out: string, ...more: string[]) =>
      parsed(
        thalweg('connect', model, model, '--data', data, '--loss', 'cross-entropy', '--out', out, '--json', ...more),
      )
    const moving = call('moving')
    const groups = ({ symmetry }: Document): unknown[] => (symmetry as { readonly groups: unknown[] }).groups
    expect(groups(moving).length).toBeGreaterThan(0)
    expect(moving.matchings[0].distance.after).toBe(0)
    expect(moving.warnings.join()).toMatch(/move with the weights/)
    const kept = call('kept', '--batch-norm', 'kept')
    expect(groups(kept)).toEqual([])
    expect(kept.warnings.join()).toMatch(/--batch-norm included/)
  })

  test('models of different shapes are refused', () => {
    writeFileSync(join(folder(), 'wide.yaml'), experiment.replace('[2, 16, 2]', '[2, 9, 2]'))
    const reply = thalweg('connect', 'a', 'wide.yaml')
    expect(reply.status).toBe(2)
    expect(reply.stderr).toContain('same shapes')
  })
})

test('VTP files keep what is not finite and refuse what does not fit', () => {
  const text = encodeVtp({
    points: new Float64Array(6),
    lines: [[0, 1]],
    pointData: { 'a<b': Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY) },
  })
  expect(text).toContain('a&lt;b')
  expect(Array.from(vtpArray(text, 'a&lt;b'))).toEqual([Number.NaN, Number.POSITIVE_INFINITY])
  expect(() => encodeVtp({ points: new Float64Array(6), faces: [[0, 1, 2]], pointData: {} })).toThrow('0…1')
  expect(() => encodeVtp({ points: new Float64Array(5), pointData: {} })).toThrow('3 numbers')
})
