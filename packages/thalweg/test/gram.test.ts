import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tensorOf } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { decodeNpz, encodeNpz } from '../src/formats/npz.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

function data(name: string, rows: readonly (readonly number[])[], y?: readonly number[]): string {
  const path = join(folder(), name)
  const x = tensorOf('float64', [rows.length, rows[0].length], rows.flat())
  writeFileSync(path, encodeNpz({ x, ...(y && { y: tensorOf('float64', [y.length, 1], y) }) }))
  return path
}

const sixty = [
  [1, 0],
  [0.5, Math.sqrt(0.75)],
]

interface Document {
  readonly kernels: { readonly gram: number[][]; readonly layers: number[][][]; readonly file?: string }
  readonly lambdaMin: { readonly value: number; readonly bound: number }
  readonly constants: { readonly cSigma: number; readonly cRes: number | null }
  readonly advice: string[]
  readonly warnings: string[]
  readonly [key: string]: unknown
}

function json(...args: string[]): Document {
  const reply = thalweg('gram', ...args, '--json')
  expect(reply.stderr).toBe('')
  expect(reply.status).toBe(0)
  return JSON.parse(reply.stdout) as Document
}

describe('--infinite', () => {
  test('the printed values of ReLU', () => {
    const file = data('sixty.npz', sixty, [1, -1])
    const args = ['--infinite', '--architecture', 'fc', '--activation', 'relu', '--data', file]
    const shallow = json(...args, '--depth', '1')
    expect(shallow.kernels.gram[0][1]).toBeCloseTo(0.333333333333333, 14)
    expect(shallow.lambdaMin.value).toBeCloseTo(2 / 3, 14)
    expect(shallow.lambdaMin.bound).toBeLessThan(1e-13)
    expect(shallow.constants).toMatchObject({ cSigma: 2, cRes: null })
    const deep = json(...args, '--depth', '2')
    expect(deep.kernels.gram[0][1]).toBeCloseTo(0.431431185712729, 14)
    expect(deep.kernels.layers).toHaveLength(2)
    expect(deep.kernels.layers[0][0][1]).toBeCloseTo(0.5, 15)
    expect(deep.kernels.layers[1][0][1]).toBeCloseTo(0.6089977810442294, 14)
    expect(deep).toMatchObject({ command: 'gram', data: { samples: 2 }, dtype: 'float64', seed: 0 })
  })

  test('residual and convolutional nets, with the constants used', () => {
    const file = data('three.npz', [
      [1, 0],
      [0.6, 0.8],
      [0, 1],
    ])
    const residual = json('--infinite', '--architecture', 'resnet', '--depth', '2', '--data', file)
    expect((residual.lambdaMin.value * 4) / 0.25).toBeCloseTo(0.0069, 4)
    expect(residual.constants).toMatchObject({ cRes: 0.5 })
    expect(residual.constants.cSigma).toBeCloseTo(1.0854865029883434, 14)
    const pixel = ['--infinite', '--architecture', 'conv-resnet', '--depth', '2', '--data', file, '--image']
    expect(json(...pixel, '2,1', '--patch', '1').kernels.gram).toEqual(
      residual.kernels.gram.map((row) => row.map((value) => expect.closeTo(value, 14))),
    )
    const conv = json(...pixel, '1,2', '--patch', '2', '--c-res', '0.25')
    expect(conv.kernels.layers[0]).toHaveLength(6)
    expect(conv.constants.cRes).toBe(0.25)
  })

  test('matrices in a file', () => {
    const file = data('sixty2.npz', sixty)
    const out = join(folder(), 'kernels.npz')
    const { kernels } = json('--infinite', '--depth', '2', '--data', file, '--out', out)
    const arrays = decodeNpz(readFileSync(out), { file: out })
    expect([...arrays.keys()].sort()).toEqual(['gram', 'layer_0', 'layer_1', 'tangent'])
    expect([...(arrays.get('gram')!.data as Float64Array)]).toEqual(kernels.gram.flat())
  })
})

test('--standard ntk and nngp', () => {
  const file = data('any.npz', [
    [1, 2],
    [3, -1],
  ])
  const args = [
    '--data',
    file,
    '--depth',
    '1',
    '--activation',
    'erf',
    '--weight-variance',
    '1.5',
    '--bias-variance',
    '0.1',
  ]
  const { kernels } = json('--standard', 'ntk', ...args)
  const [s, t, c] = [1.5 * 2.5 + 0.1, 1.5 * 5 + 0.1, 1.5 * 0.5 + 0.1]
  const product = (1.5 * 2 * Math.asin((2 * c) / Math.sqrt((1 + 2 * s) * (1 + 2 * t)))) / Math.PI + 0.1
  const slope = 4 / Math.PI / Math.sqrt((1 + 2 * s) * (1 + 2 * t) - 4 * c * c)
  expect(kernels.gram[0][1]).toBeCloseTo(product + 1.5 * slope * c, 13)
  expect(json('--standard', 'nngp', ...args).kernels.gram[0][1]).toBeCloseTo(product, 13)
})

const experiment = (model: string): string => `name: wide
data: { name: "unit-sphere:samples=6,dimension=4" }
model: ${model}
loss: { name: half-sum-squares, reduction: sum }
training: { optimizer: { name: gradient-descent }, learningRate: 0.05, steps: 5 }
`

describe('a network', () => {
  function file(name: string, model: string): string {
    const path = join(folder(), name)
    writeFileSync(path, experiment(model))
    return path
  }

  test('layers add up; the bound, the prediction and the advice of a run', () => {
    const path = file('scaled.yaml', '{ kind: scaled-mlp, inputs: 4, depth: 2, width: 64 }')
    const document = json(path, '--steps', '40')
    const { kernels, convergence } = document as Document & {
      convergence: { losses: number[]; check: { violations: number }; points: { bound: number; loss: number }[] }
    }
    expect(document.layerNames).toEqual(['layers.0', 'layers.1', 'output'])
    kernels.gram.forEach((row, i) =>
      row.forEach((value, j) => expect(kernels.layers.reduce((sum, g) => sum + g[i][j], 0)).toBeCloseTo(value, 12)),
    )
    expect(convergence.losses).toHaveLength(41)
    expect(convergence.check.violations).toBe(0)
    expect(convergence.points.every(({ bound, loss }) => loss <= bound * (1 + 1e-12))).toBe(true)
    expect(document.advice.join(' ')).toMatch(/Theorem 5\.1.*this net has 64/)
    const limit = json(path, '--infinite')
    expect(limit.kernels.gram).toHaveLength(6)
    expect(limit.theorem).toMatchObject({ name: expect.stringContaining('5.1') })
  })

  test('along training: the checkpoints of a run', () => {
    const path = file('run.yaml', '{ kind: scaled-mlp, inputs: 4, depth: 1, width: 32 }')
    expect(thalweg('run', path, '--out', 'along', '--quiet').status).toBe(0)
    const { checkpoints } = json('along', '--checkpoints') as Document & {
      checkpoints: { drift: number; loss: number; movement: number }[]
    }
    expect(checkpoints.length).toBeGreaterThan(1)
    expect(checkpoints[0]).toMatchObject({ drift: 0, movement: 0 })
    const last = checkpoints[checkpoints.length - 1]
    expect(last.loss).toBeLessThan(checkpoints[0].loss)
    expect(last.drift).toBeGreaterThan(0)
    expect(last.movement).toBeGreaterThan(0)
  })

  test('widths', () => {
    const path = file('sweep.yaml', '{ kind: residual-mlp, inputs: 4, depth: 2, width: 64 }')
    const { sweep } = json(path, '--widths', '32,128', '--steps', '20', '--seeds', '2') as Document & {
      sweep: { runs: object[]; exponents: { movement: { exponent: number } } }
    }
    expect(sweep.runs).toHaveLength(4)
    expect(Math.abs(sweep.exponents.movement.exponent)).toBeLessThan(0.4)
  })

  test('any model, several outputs, in words', () => {
    const path = file('mlp.yaml', '{ kind: mlp, widths: [4, 5, 1], activation: tanh }')
    const reply = thalweg('gram', path, '--steps', '5', '--quiet')
    expect(reply.stderr).toBe('')
    expect(reply.stdout).toMatch(/^Gram matrix, network, 6 samples/)
    expect(reply.stdout).toMatch(/λ_min .* ± /)
  })
})

test.each<[string, string[], RegExp]>([
  ['nothing', [], /give a MODEL, or ask for a limit/],
  [
    'inputs of another norm',
    ['--infinite', '--depth', '1', '--data', 'long.npz'],
    /norm 1, got 2\.00000 in sample 0.*--normalize/,
  ],
  [
    'an unknown activation',
    ['--infinite', '--depth', '1', '--activation', 'rleu', '--normalize', '--data', 'long.npz'],
    /activation must be one of/,
  ],
  [
    'variances without --standard',
    ['--infinite', '--depth', '1', '--weight-variance', '2', '--data', 'long.npz'],
    /belong to --standard/,
  ],
])('refuses %s', (_, args, message) => {
  data('long.npz', [
    [2, 0],
    [0, 1],
  ])
  const reply = thalweg('gram', ...args)
  expect(reply.stderr).toMatch(message)
  expect(reply).toMatchObject({ status: 2, stdout: '' })
})
