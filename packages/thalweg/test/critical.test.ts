import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tensorOf } from '@thalweg/graph'
import { describe, expect, test } from 'vitest'
import { outputSchema } from '../src/cli/output-schema.ts'
import { encodeNpz } from '../src/formats/npz.ts'
import { decodeSafetensors } from '../src/formats/safetensors.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

function json<T>(...args: string[]): T {
  const reply = thalweg(...args, '--json')
  expect(reply.stderr).toBe('')
  expect(reply.status).toBe(0)
  const document: unknown = JSON.parse(reply.stdout)
  expect(outputSchema.safeParse(document).error?.issues ?? []).toEqual([])
  return document as T
}

const lambda = [4, 3, 2, 1]

/** The linear autoencoder 4-2-4 on data with covariance diag(4, 3, 2, 1): L = (10 − Σ_S λ)/2. */
function autoencoder(name: string): string {
  const rows = tensorOf(
    'float64',
    [4, 4],
    lambda.flatMap((l, i) => lambda.map((_, j) => (i === j ? Math.sqrt(l) : 0))),
  )
  writeFileSync(join(folder(), 'rows.npz'), encodeNpz({ x: rows, y: rows }))
  const path = join(folder(), name)
  writeFileSync(
    path,
    `name: autoencoder
data: { file: rows.npz }
model: { kind: linear-network, widths: [4, 2, 4] }
loss: { name: half-sum-squares }
training: { optimizer: { name: gradient-descent }, learningRate: 0.05, steps: 60, dtype: float64, checkpoints: 6 }
analyses: {}
`,
  )
  return path
}

interface Critical {
  readonly status: string
  readonly starts: { readonly count: number; readonly source: string; readonly done: number }
  readonly outcomes: Readonly<Record<string, number>>
  readonly points: readonly {
    loss: number
    gradientNorm: number
    noiseFloor: number
    verdict: string
    index: number
    multiplicity: number
    starts: number[]
    inertia: { negative: number; zero: number; positive: number; exact: boolean }
  }[]
  readonly table: readonly { loss: number; negative: number; found: number }[]
  readonly searches: readonly { start: number; status: string; point: number | null }[]
  readonly warnings: readonly string[]
}

/** Values of the classes S with their negative eigenvalues. */
function closedForm(): { loss: number; negative: number }[] {
  const subsets = Array.from({ length: 16 }, (_, mask) => lambda.flatMap((_l, i) => (mask & (1 << i) ? [i] : [])))
  return subsets
    .filter((s) => s.length <= 2)
    .map((s) => ({
      loss: (10 - s.reduce((sum, i) => sum + lambda[i], 0)) / 2,
      negative:
        (2 - s.length) * (4 - s.length) +
        s.reduce((sum, i) => sum + lambda.filter((_, j) => j < i && !s.includes(j)).length, 0),
    }))
}

describe('thalweg critical', () => {
  test('a loose tolerance is warned of; one that nothing can meet, and an infinite loss, are refused', () => {
    const filled = (value: number) => tensorOf('float64', [4, 4], new Array<number>(16).fill(value))
    const path = autoencoder('loose.yaml')
    const loose = json<Critical>('critical', path, '--starts', '4', '--gradient-tolerance', '0.5')
    expect(loose.points.length).toBeGreaterThan(0)
    expect(loose.warnings.join()).toMatch(/points were accepted by --gradient-tolerance with a gradient far above/)
    writeFileSync(join(folder(), 'huge.npz'), encodeNpz({ x: filled(1e200), y: filled(1) }))
    const overflowing = thalweg('critical', path, '--data', join(folder(), 'huge.npz'))
    expect(overflowing.status).toBe(2)
    expect(overflowing.stderr).toMatch(/the loss must be finite at its parameters, got Infinity/)
    const reply = thalweg('critical', path, '--gradient-tolerance', '-1')
    expect(reply.status).toBe(2)
    expect(reply.stderr).toMatch(/--gradient-tolerance: must be positive, got -1/)
  })

  test('of tiny targets and a large loss at the parameters, only the optimum is called global', () => {
    const unit = 1e-8
    const diagonal = (scale: number) =>
      tensorOf(
        'float64',
        [4, 4],
        lambda.flatMap((l, i) => lambda.map((_, j) => (i === j ? scale * Math.sqrt(l) : 0))),
      )
    writeFileSync(join(folder(), 'tiny.npz'), encodeNpz({ x: diagonal(1), y: diagonal(unit) }))
    const path = join(folder(), 'tiny.yaml')
    writeFileSync(
      path,
      `name: tiny
data: { file: tiny.npz }
model: { kind: linear-network, widths: [4, 2, 4] }
loss: { name: half-sum-squares }
`,
    )
    const { points } = json<Critical>('critical', path, '--starts', '12')
    expect(points.length).toBeGreaterThan(1)
    // Σ of all λ less that of the two largest, halved.
    for (const { loss, verdict } of points)
      expect(verdict).toBe(loss / unit ** 2 < 1.5 + 1e-9 ? 'global-minimum' : 'strict-saddle')
  })

  test('every point of the linear autoencoder has a value and an index of the closed form', () => {
    const out = join(folder(), 'points')
    const figure = join(folder(), 'index.svg')
    const path = autoencoder('lae.yaml')
    const d = json<Critical>('critical', path, '--starts', '24', '--noise', '0,0.5', '--out', out, '--figure', figure)
    expect(d).toMatchObject({ status: 'finished', starts: { source: 'initializations', count: 24, done: 24 } })
    expect(d.outcomes['converged']).toBeGreaterThan(18)
    expect(d.points.length).toBeGreaterThan(5)
    for (const { loss, inertia, gradientNorm, noiseFloor, index, verdict } of d.points) {
      const classes = closedForm().filter((each) => Math.abs(each.loss - loss) < 1e-12)
      expect(classes.map((each) => each.negative)).toContain(inertia.negative)
      expect(gradientNorm).toBeLessThanOrEqual(10 * noiseFloor)
      expect(inertia.exact).toBe(true)
      expect(index).toBe(inertia.negative / 16)
      expect(verdict).toBe(Math.abs(loss - 1.5) < 1e-12 ? 'global-minimum' : 'strict-saddle')
    }
    const counted = d.points.reduce((sum, { multiplicity }) => sum + multiplicity, 0)
    expect(counted).toBe(d.outcomes['converged'])
    for (const { start, status, point } of d.searches) {
      if (status !== 'converged') expect(point).toBe(null)
      else expect(d.points[point!].starts).toContain(start)
    }
    expect(d.table.map(({ loss }) => loss)).toEqual(d.points.map(({ loss }) => loss))
    expect(readdirSync(out)).toHaveLength(d.points.length)
    const { metadata, tensors } = decodeSafetensors(readFileSync(join(out, 'point-0001.safetensors')), {
      file: 'point',
    })
    expect(Number(metadata['loss'])).toBe(d.points[0].loss)
    expect([...tensors.values()].map((t) => t.shape.join('×')).sort()).toEqual(['2×4', '4×2'])
    expect(readFileSync(figure, 'utf8')).toContain('strict saddle')
  })

  test('starts from the checkpoints of a run, or from fresh initializations where asked', () => {
    const run = join(folder(), 'run')
    json('run', autoencoder('run.yaml'), '--out', run)
    const d = json<Critical>('critical', run, '--starts', '8', '--method', 'damped-newton', '--seed', '3')
    expect(d.starts.source).toBe('trajectory')
    expect(json<Critical>('critical', run, '--starts', '2', '--random').starts.source).toBe('initializations')
    const lines = thalweg('critical', run, '--starts', '4', '--lang', 'zh')
    expect(lines.status).toBe(0)
    expect(lines.stdout).toMatch(/4 starts \(trajectory\), polish: \d converged/)
  })

  test('gradient-flat ends are counted apart and never listed', () => {
    const path = join(folder(), 'tanh.yaml')
    writeFileSync(
      path,
      `name: tanh
data: { name: 'gaussian-mixture:samples=40,classes=3' }
model: { kind: mlp, widths: [2, 4, 3], activation: tanh }
loss: { name: cross-entropy, weightDecay: 0.001 }
`,
    )
    const d = json<Critical>('critical', path, '--starts', '12', '--noise', '0.1,1')
    expect(d.outcomes['gradient-flat']).toBeGreaterThan(0)
    const listed = d.points.reduce((sum, { multiplicity }) => sum + multiplicity, 0)
    expect(listed).toBe(d.outcomes['converged'] ?? 0)
    expect(d.warnings.join(' ')).toMatch(/\d+ searches ended at gradient-flat points.* not listed/)
    // Saddle-free Newton descends to minima of the ridged loss, whose Hessians are counted in full.
    const descent = json<Critical>('critical', path, '--starts', '4', '--method', 'saddle-free-newton')
    expect(descent.outcomes['converged']).toBeGreaterThan(2)
    for (const { inertia, verdict } of descent.points) {
      expect(inertia).toMatchObject({ negative: 0, exact: true })
      expect(['local-minimum', 'undecided']).toContain(verdict)
    }
  })

  test('a time limit stops it with what was found, and status 3', () => {
    const reply = thalweg('critical', autoencoder('limit.yaml'), '--starts', '200000', '--time-limit', '1s', '--json')
    expect(reply.status).toBe(3)
    const d = JSON.parse(reply.stdout) as Critical
    expect(d.status).toBe('time-limit')
    expect(d.starts.done).toBeLessThan(200000)
    expect(d.warnings.join(' ')).toMatch(/starts were not searched from/)
  })

  test.each([
    [['critical', 'nowhere.yaml'], /nowhere\.yaml: there is no such file/],
    [['critical', 'lae.yaml', '--method', 'magic'], /Allowed choices are polish/],
    [['critical', 'lae.yaml', '--noise', '0.1,x'], /must list amplitudes/],
    [['critical', 'lae.yaml', '--starts', '0'], /--starts: must be a whole number of at least 1/],
  ] as [string[], RegExp][])('%j is refused', (args, message) => {
    autoencoder('lae.yaml')
    const reply = thalweg(...args)
    expect(reply.stderr).toMatch(message)
    expect(reply).toMatchObject({ status: 2, stdout: '' })
  })
})

describe('spectrum and diagnose on parts of the data, and in bounded time', () => {
  const experiment = (widths: string): string => {
    const path = join(folder(), 'mixture.yaml')
    writeFileSync(
      path,
      `name: mixture
data: { name: 'gaussian-mixture:samples=300,classes=3' }
model: { kind: mlp, widths: ${widths}, activation: tanh }
loss: { name: cross-entropy }
`,
    )
    return path
  }

  test('--samples names the part, and another seed draws another one', () => {
    const of = (...args: string[]) =>
      json<{ data: { samples: number; subset?: object }; loss: { value: number }; warnings: string[] }>(
        ...['spectrum', experiment('[2, 6, 3]'), ...args],
      )
    const part = of('--samples', '40')
    expect(part.data).toMatchObject({ samples: 40, subset: { samples: 40, of: 300, seed: 0 } })
    expect(part.warnings.join(' ')).toMatch(/on 40 of the 300 samples, drawn with seed 0/)
    const whole = of('--samples', '300')
    expect(whole.data).not.toHaveProperty('subset')
    expect(whole.loss.value).not.toBe(part.loss.value)
    const diagnosed = json<{ data: object; loss: { value: number } }>(
      ...['diagnose', experiment('[2, 6, 3]'), '--samples', '40', '--no-polish'],
    )
    expect(diagnosed.data).toMatchObject({ subset: { samples: 40, of: 300, seed: 0 } })
    expect(diagnosed.loss.value).toBe(part.loss.value)
  })

  test('--time-limit gives the best pairs so far, says so, and ends with status 3', () => {
    // 200 pairs take hundreds of products and as many orthogonalizations
    const reply = thalweg(
      'spectrum',
      experiment('[2, 900, 3]'),
      '--bottom',
      '100',
      '--top',
      '100',
      '--time-limit',
      '1s',
      '--json',
    )
    expect(reply.stderr).toBe('')
    const d = JSON.parse(reply.stdout) as {
      status: string
      eigenvalues: { status: string; method: string; top: { residualNorm: number }[] }
      estimate: { productsMax: number; elapsedMsMax: number }
      morseIndex: { exact: boolean }
      warnings: string[]
    }
    expect(reply.status).toBe(3)
    expect(d).toMatchObject({ status: 'time-limit', eigenvalues: { status: 'aborted', method: 'lanczos' } })
    expect(d.eigenvalues.top.length).toBeGreaterThan(0)
    expect(d.morseIndex.exact).toBe(false)
    expect(d.estimate.productsMax).toBe(1000)
    expect(d.warnings.join(' ')).toMatch(/Stopped by the time limit after \d+ products/)
  })

  test('a matrix too dear for the time limit is not formed', () => {
    // the decomposition of 1983 rows alone is put at 9 s, whatever the machine
    const limits = ['--time-limit', '3s', '--top', '1', '--bottom', '1', '--max-products', '2000']
    const reply = thalweg('spectrum', experiment('[2, 330, 3]'), ...limits, '--json')
    const d = JSON.parse(reply.stdout) as { eigenvalues: { method: string }; warnings: string[] }
    expect(d.eigenvalues.method).toBe('lanczos')
    expect(d.warnings.join(' ')).toMatch(/not fit the time limit/)
  })
})

test('dead units: points that differ in what nothing depends on are one row, and the warning says how far they lie apart', () => {
  const file = join(folder(), 'dead.yaml')
  writeFileSync(
    file,
    `name: dead
seed: 2
data: { name: 'linear-regression:samples=20,inputs=2,outputs=1' }
model: { kind: mlp, widths: [2, 2, 1], activation: relu }
loss: { name: mse }
training: { optimizer: { name: sgd }, learningRate: 0.01, steps: 50 }
`,
  )
  const reply = thalweg('critical', file, '--starts', '40', '--random', '--noise', '0.5,1,3', '--json')
  const d = JSON.parse(reply.stdout) as { points: { multiplicity: number; spread: number }[]; warnings: string[] }
  const wide = d.points.filter(({ spread }) => spread > 0.1)
  expect(wide.length).toBeGreaterThan(0)
  for (const { multiplicity } of wide) expect(multiplicity).toBeGreaterThan(1)
  expect(d.warnings.join(' ')).toMatch(/of the points stand for flat sets/)
})

test('batch normalization is warned about once', () => {
  const golden = (file: string): string => join(import.meta.dirname, 'models/golden', file)
  const d = json<{ warnings: string[] }>(
    ...['diagnose', golden('cnn-batch-norm.onnx'), '--data', golden('cnn-batch-norm.npz'), '--loss', 'cross-entropy'],
    ...['--no-polish'],
  )
  expect(d.warnings.filter((warning) => /batch normalization/i.test(warning))).toHaveLength(1)
})
