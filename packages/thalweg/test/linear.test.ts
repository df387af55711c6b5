import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeModel, tensorOf } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { outputSchema } from '../src/cli/output-schema.ts'
import { encodeNpz } from '../src/formats/npz.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

interface Document {
  readonly globalMinimum: number
  readonly sigmaEigenvalues: readonly number[]
  readonly warnings: readonly string[]
  readonly classes: readonly {
    readonly subset: readonly number[]
    readonly loss: number
    readonly representatives: readonly { readonly inertia: object; readonly canonical: boolean }[]
  }[]
  readonly verification: { readonly disagreements: readonly string[]; readonly rescaled: number }
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder(), name)
  writeFileSync(path, content)
  return path
}

function npz(
  name: string,
  n: number,
  x: readonly number[],
  y: readonly number[],
  dtype: 'float64' | 'float32' = 'float64',
): string {
  return file(
    name,
    encodeNpz({ x: tensorOf(dtype, [n, x.length / n], [...x]), y: tensorOf(dtype, [n, y.length / n], [...y]) }),
  )
}

/** Data without chance, the same in the NumPy script that gave the numbers below. */
function waves(n: number, inputs: number, outputs: number): { x: number[]; y: number[] } {
  const grid = (columns: number, value: (i: number, j: number) => number): number[] =>
    Array.from({ length: n * columns }, (_, k) => value(Math.floor(k / columns), k % columns))
  return {
    x: grid(inputs, (i, j) => Math.sin(1 + 3 * i + 1.7 * j + 0.3 * i * j)),
    y: grid(outputs, (i, j) => Math.cos(2 + 1.3 * i - 2.1 * j + 0.7 * i * j)),
  }
}

function linear(path: string, widths: string): Document {
  const reply = thalweg('linear', '--data', path, '--widths', widths, '--json')
  expect(reply.stderr).toBe('')
  outputSchema.parse(JSON.parse(reply.stdout))
  return JSON.parse(reply.stdout)
}

describe('against NumPy (pinv, eigh, differences of the gradient)', () => {
  // samples, widths, global minimum, λ_1, S, L_S, inertia of the canonical point
  test.each([
    [9, [3, 2, 2], 2.4711892145053, 4.5264843220447, [2], 4.7344313755277, [2, 4, 4]],
    [9, [2, 3, 4], 4.9926905526494, 7.0545778339569, [2], 8.5199794696279, [3, 9, 6]],
    [2, [5, 3, 3], 0, 2.1394872864481, [2], 1.0697436432241, [3, 16, 5]],
    [9, [3, 2, 1, 2, 3], 4.7604659366474, 4.5610960678674, [2], 5.0684267199476, [1, 11, 4]],
    [1, [3, 2, 2], 0, 1.1632114784888, [], 0.58160573924441, [2, 6, 2]],
    [9, [3, 1, 1, 1, 1, 2, 2], 2.4937245565954, 4.5264843220447, [2], 4.7344313755277, [1, 8, 3]],
  ] as const)('%i samples, widths %j', (n, widths, minimum, top, subset, loss, inertia) => {
    const { x, y } = waves(n, widths[0], widths[widths.length - 1])
    const d = linear(npz(`waves-${n}-${widths.join('-')}.npz`, n, x, y), widths.join(','))
    expect(d.globalMinimum).toBeCloseTo(minimum, 11)
    expect(d.sigmaEigenvalues[0]).toBeCloseTo(top, 11)
    const found = d.classes.find((c) => String(c.subset) === String(subset))!
    expect(found.loss).toBeCloseTo(loss, 11)
    const [negative, zero, positive] = inertia
    expect(found.representatives.find((r) => r.canonical)!.inertia).toEqual({ negative, zero, positive })
    expect(d.verification.disagreements).toEqual([])
  })

  test.each([1e-6, 1e6])('the same data times %d: losses scale, inertia stays', (factor) => {
    const { x, y } = waves(9, 3, 2)
    const scaled = linear(
      npz(
        `scaled-${factor}.npz`,
        9,
        x.map((v) => v * factor),
        y.map((v) => v * factor),
      ),
      '3,2,2',
    )
    expect(scaled.globalMinimum / factor ** 2).toBeCloseTo(2.4711892145053, 11)
    expect(scaled.classes[2].representatives[0].inertia).toEqual({ negative: 2, zero: 4, positive: 4 })
    expect(scaled.verification.disagreements).toEqual([])
  })

  test('units that differ by twelve powers of ten: the inertia is taken in balanced units, and that is said', () => {
    const { x, y } = waves(9, 3, 2)
    const d = linear(
      npz(
        'mixed.npz',
        9,
        x.map((v) => v * 1e6),
        y.map((v) => v * 1e-6),
      ),
      '3,2,2,2',
    )
    expect(d.verification.disagreements).toEqual([])
    expect(d.verification.rescaled).toBeGreaterThan(0)
    expect(d.warnings.join()).toMatch(/badly scaled/)
    const plain = linear(npz('unmixed.npz', 9, x, y), '3,2,2,2')
    const inertia = ({ classes }: Document): object[] => classes.flatMap((c) => c.representatives.map((r) => r.inertia))
    expect(inertia(d)).toEqual(inertia(plain))
  })
})

describe('bad data have clear answers', () => {
  const { x, y } = waves(9, 3, 2)
  test.each([
    ['one sample', 1, x.slice(0, 3), y.slice(0, 2), /A1 fails: 1 sample of 3 features\. Only the 1 direction that/],
    ['fewer samples than features', 2, x.slice(0, 6), y.slice(0, 4), /A1 fails: 2 samples of 3 features/],
    ['constant targets', 9, x, y.map(() => 1), /A1 fails: X Yᵀ has rank 1 of 2 \(constant, repeated/],
    ['targets zero', 9, x, y.map(() => 0), /no linear relation to the inputs \(Σ = 0\)/],
    ['equal eigenvalues', 2, [1, 0, 0, 0, 1, 0], [2, 0, 0, 2], /A3 fails: eigenvalues of Σ coincide/],
  ] as const)('%s', (name, n, inputs, targets, warning) => {
    const d = linear(npz(`${name.replaceAll(' ', '-')}.npz`, n, inputs, targets), '3,2,2')
    expect(d.warnings.join('\n')).toMatch(warning)
    expect(d.verification.disagreements).toEqual([])
  })

  test('duplicates with different labels are data like others: the optimum is that of their means', () => {
    const twice = npz('twice.npz', 4, [1, 0, 1, 0, 0, 1, 0, 1], [1, 3, 5, 5])
    expect(linear(twice, '2,2,1').globalMinimum).toBeCloseTo(1, 12)
  })

  test.each([
    ['NaN', [Number.NaN, ...x.slice(1)], y, /input 'x' must be finite, got NaN at sample 0, feature 0/],
    ['zeros', x.map(() => 0), y, /X must not be zero/],
  ] as const)('%s inputs are refused', (name, inputs, targets, message) => {
    const reply = thalweg('linear', '--data', npz(`refused-${name}.npz`, 9, inputs, targets), '--widths', '3,2,2')
    expect(reply).toMatchObject({ status: 2, stdout: '' })
    expect(reply.stderr).toMatch(message)
  })

  test('one column of integers is one-hot where the network has an output for each class, else it is numbers', () => {
    const labels = [0, 1, 2, 0, 1, 2, 0, 1, 1]
    const data = file(
      'labels.npz',
      encodeNpz({ x: tensorOf('float64', [9, 3], [...x]), y: tensorOf('int64', [9], labels) }),
    )
    const hot = labels.flatMap((label) => [0, 1, 2].map((c) => (c === label ? 1 : 0)))
    expect(linear(data, '3,2,3').globalMinimum).toBe(linear(npz('hot.npz', 9, x, hot), '3,2,3').globalMinimum)
    expect(linear(data, '3,2,1').globalMinimum).toBe(linear(npz('floats.npz', 9, x, labels), '3,2,1').globalMinimum)
  })

  test('a built-in classification has one-hot targets; float32 data are exact in float64', () => {
    const d = linear('iris', '4,2,3')
    expect(d.warnings).toContain('Class labels are one-hot targets here.')
    expect(d.classes[0].loss).toBeCloseTo(75, 10)
    const single = linear(npz('single.npz', 9, x, y, 'float32'), '3,2,2')
    expect(single.globalMinimum).toBeCloseTo(2.4711892145053, 5)
  })
})

describe('which models diagnose takes for linear networks', () => {
  const { x, y } = waves(9, 3, 2)
  const experiment = (model: string): string =>
    `name: m\ndata: { file: waves.npz }\nmodel: ${model}\nloss: { name: squared }\nanalyses: { diagnose: {} }\n`
  const diagnosis = (path: string, ...more: string[]): { linear?: { globalMinimum: number } } => {
    npz('waves.npz', 9, x, y)
    return JSON.parse(thalweg('diagnose', path, ...more, '--json').stdout)
  }

  test('without output activation', () => {
    const path = file('plain.yaml', experiment('{ kind: mlp, widths: [3, 2, 2], activation: linear, bias: false }'))
    expect(diagnosis(path).linear!.globalMinimum).toBeCloseTo((2 * 2.4711892145053) / 9, 10)
  })

  test('an output activation makes it another model', () => {
    const path = file(
      'tanh.yaml',
      experiment('{ kind: mlp, widths: [3, 2, 2], activation: linear, bias: false, outputActivation: tanh }'),
    )
    expect(diagnosis(path).linear ?? null).toBeNull()
  })

  const net = (name: string, activation: boolean): string =>
    file(
      name,
      encodeModel({
        inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 3] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 2] }],
        initializers: new Map([
          ['first', tensorOf('float32', [3, 2], [0.3, -0.2, 0.1, 0.5, -0.4, 0.2])],
          ['second', tensorOf('float32', [2, 2], [1, 0.5, -0.5, 0.25])],
        ]),
        nodes: [
          { op: 'MatMul', name: 'm1', inputs: ['x', 'first'], outputs: ['u'] },
          ...(activation ? [{ op: 'Relu', name: 'r', inputs: ['u'], outputs: ['v'] }] : []),
          { op: 'MatMul', name: 'm2', inputs: [activation ? 'v' : 'u', 'second'], outputs: ['y'] },
        ],
      }),
    )

  test('a file of two matrices is one, read off its graph; with a ReLU between them it is not', () => {
    const options = ['--data', npz('waves.npz', 9, x, y), '--loss', 'squared']
    const found = diagnosis(net('linear.onnx', false), ...options)
    expect(found.linear!.globalMinimum).toBeCloseTo((2 * 2.4711892145053) / 9, 10)
    expect(diagnosis(net('relu.onnx', true), ...options).linear ?? null).toBeNull()
  })
})
