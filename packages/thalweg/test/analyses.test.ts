import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tensorOf } from '@thalweg/graph'
import { randomStream } from '@thalweg/landscape'
import { describe, expect, test } from 'vitest'
import { encodeNpz } from '../src/formats/npz.ts'
import { packageFile } from '../src/files/package-file.ts'
import { outputSchema } from '../src/cli/output-schema.ts'
import { program } from './run-thalweg.ts'

const { folder, thalweg } = program()

function json(...args: string[]): Record<string, never> {
  const reply = thalweg(...args, '--json')
  expect(reply.stderr).toBe('')
  expect(reply.status).toBe(0)
  const document: unknown = JSON.parse(reply.stdout)
  expect(outputSchema.safeParse(document).error?.issues ?? []).toEqual([])
  return document as Record<string, never>
}

/** Rows of x and y as an .npz file. */
function data(name: string, n: number, x: number[], y: number[]): string {
  const path = join(folder(), name)
  const rows = (values: number[]) => tensorOf('float64', [n, values.length / n], values)
  writeFileSync(path, encodeNpz({ x: rows(x), y: rows(y) }))
  return path
}

function experiment(name: string, text: string): string {
  const path = join(folder(), name)
  writeFileSync(path, text)
  return path
}

describe('thalweg spectrum', () => {
  // a linear model with one layer and the half-sum loss: the Hessian is XᵀX = diag(1, 4, 25)
  const quadratic = (): string =>
    experiment(
      'quadratic.yaml',
      `name: quadratic
data: { file: ${data('quadratic.npz', 3, [1, 0, 0, 0, 2, 0, 0, 0, 5], [1, 2, 3])} }
model: { kind: linear-network, widths: [3, 1], initialization: zeros }
loss: { name: half-sum-squares }
`,
    )

  test('gives exact spectra exactly, dense and by Lanczos', () => {
    for (const extra of [[], ['--top', '3', '--bottom', '3', '--trace']]) {
      const d = json('spectrum', quadratic(), ...extra) as unknown as {
        eigenvalues: { top: { value: number; residualNorm: number; converged: boolean }[]; bottom: { value: number }[] }
        morseIndex: object
        trace: { value: number }
        gradientNorm: number
        loss: { value: number }
      }
      const values = d.eigenvalues.top.map((p) => p.value)
      ;[25, 4, 1].forEach((exact, i) => expect(Math.abs(values[i] - exact)).toBeLessThan(1e-13))
      expect(d.eigenvalues.top.every((p) => p.converged && p.residualNorm < 1e-13)).toBe(true)
      expect(d.morseIndex).toMatchObject({ value: 0, exact: true })
      expect(d.loss.value).toBe(7)
      expect(d.gradientNorm).toBeCloseTo(Math.hypot(1, 4, 15), 12)
    }
  })

  test('weight decay shifts the spectrum; GGN, Fisher and Hessian agree on a linear model', () => {
    const top = (...extra: string[]): number => {
      const d = json('spectrum', quadratic(), ...extra) as unknown as { eigenvalues: { top: { value: number }[] } }
      return d.eigenvalues.top[0].value
    }
    expect(top('--weight-decay', '0.5')).toBeCloseTo(25.5, 12)
    expect(top('--operator', 'ggn')).toBeCloseTo(25, 12)
    expect(top('--operator', 'gram')).toBeCloseTo(25, 12)
  })

  test('a search in float32 ends with the values and residuals of float64', () => {
    const wide = experiment(
      'wide.yaml',
      `name: wide
data: { name: digits }
model: { kind: mlp, widths: [64, 40, 10], activation: tanh }
loss: { name: cross-entropy }
`,
    )
    interface Found {
      eigenvalues: { top: Pair[]; bottom: Pair[]; products: number; searchProducts: number; operatorNorm: number }
      searchDtype?: string
      warnings: string[]
    }
    interface Pair {
      value: number
      residualNorm: number
      converged: boolean
    }
    const common = ['--samples', '60', '--top', '2', '--bottom', '2']
    const narrow = json('spectrum', wide, ...common, '--search-dtype', 'float32') as unknown as Found
    const plain = json('spectrum', wide, ...common) as unknown as Found
    expect(narrow.searchDtype).toBe('float32')
    expect(narrow.warnings.join()).toMatch(
      /search for eigenvalues ran in float32; values and residuals are those of float64/,
    )
    expect(plain.searchDtype).toBeUndefined()
    expect(plain.eigenvalues.searchProducts).toBe(0)
    const { products, searchProducts, operatorNorm } = narrow.eigenvalues
    expect(searchProducts).toBeGreaterThan(0)
    expect(products - searchProducts).toBeLessThanOrEqual(40)
    for (const end of ['top', 'bottom'] as const)
      narrow.eigenvalues[end].forEach(({ value, residualNorm, converged }, i) => {
        const other = plain.eigenvalues[end][i]
        expect(converged && other.converged).toBe(true)
        expect(residualNorm).toBeLessThan(1e-6 * operatorNorm)
        expect(Math.abs(value - other.value)).toBeLessThan(1e-8 * operatorNorm)
      })
    const dense = json('spectrum', quadratic(), '--search-dtype', 'float32') as unknown as Found
    expect(dense.warnings.join()).toMatch(/--search-dtype float32 had nothing to do/)
  })

  test('a search in float32 that overflows says what to leave out', () => {
    const huge = experiment(
      'huge.yaml',
      `name: huge
data: { file: ${data('huge.npz', 3, [1e20, 0, 0, 0, 2, 0, 0, 0, 5], [1, 2, 3])} }
model: { kind: linear-network, widths: [3, 1], initialization: zeros }
loss: { name: half-sum-squares }
`,
    )
    // Too few products for the dense matrix.
    const common = ['spectrum', huge, '--top', '1', '--bottom', '1', '--max-products', '4']
    const reply = thalweg(...common, '--search-dtype', 'float32')
    expect(reply.status).toBe(2)
    expect(reply.stderr).toMatch(
      /--search-dtype float32: products with the matrix overflow at this point\. Leave it out/,
    )
    expect(thalweg(...common).status).toBe(0)
  })

  test('log-determinant and norms, exact; what does not exist or vanishes by definition is said', () => {
    interface Extra {
      logDeterminant: { value: number | null; obstacle: number | null }
      frobeniusNorm: { value: number }
      effectiveRank: number
      warnings: string[]
    }
    const d = json('spectrum', quadratic(), '--log-det') as unknown as Extra
    expect(d.logDeterminant.value).toBeCloseTo(Math.log(100), 12)
    expect(d.frobeniusNorm.value).toBeCloseTo(Math.hypot(1, 4, 25), 12)
    expect(d.effectiveRank).toBeCloseTo(900 / 642, 12)
    const below = json('spectrum', quadratic(), '--log-det', '--shift', '-2') as unknown as Extra
    expect(below.logDeterminant.value).toBeNull()
    expect(below.logDeterminant.obstacle).toBeCloseTo(1, 12)
    expect(below.warnings.join()).toMatch(/does not exist: the spectrum of A reaches down to 1/)
  })

  test('a limit of products holds for small matrices too, and what has not converged is warned of', () => {
    const random = randomStream(3, 'inputs')
    const wide = experiment(
      'wide.yaml',
      `name: wide
data: { file: ${data('wide.npz', 60, Array.from(random.normals(60 * 40)), Array.from(random.normals(60)))} }
model: { kind: linear-network, widths: [40, 1], initialization: zeros }
loss: { name: half-sum-squares }
`,
    )
    const d = json('spectrum', wide, '--top', '3', '--bottom', '3', '--max-products', '12') as unknown as {
      eigenvalues: { method: string; status: string; products: number }
      warnings: string[]
    }
    expect(d.eigenvalues).toMatchObject({ method: 'lanczos', status: 'max-products' })
    expect(d.eigenvalues.products).toBeLessThanOrEqual(12)
    expect(d.warnings.join()).toMatch(/of 6 eigenvalues have not converged, after \d+ products/)
    // XᵀX with five eigenvalues 81 above ninety-five others
    const multiple = Array.from({ length: 100 * 100 }, (_, i) => (i % 101 === 0 ? (i < 505 ? 9 : 1 + i / 10_000) : 0))
    const copies = experiment(
      'copies.yaml',
      `name: copies
data: { file: ${data('copies.npz', 100, multiple, new Array<number>(100).fill(1))} }
model: { kind: linear-network, widths: [100, 1], initialization: zeros }
loss: { name: half-sum-squares }
`,
    )
    const short = json('spectrum', copies, '--top', '5', '--bottom', '0', '--max-products', '36') as unknown as {
      eigenvalues: { top: { value: number; converged: boolean }[]; multiplicityVerified: boolean }
      warnings: string[]
    }
    expect(short.eigenvalues.multiplicityVerified).toBe(false)
    expect(short.warnings).toHaveLength(1)
    const refused = (...extra: string[]): string => {
      const reply = thalweg('spectrum', wide, ...extra)
      expect(reply.status).toBe(2)
      return reply.stderr
    }
    expect(refused('--max-products', '10')).toMatch(/--max-products: 5 largest and 5 smallest .* at least 11, got 10/)
    expect(refused('--max-products', '30', '--exact')).toMatch(/--exact: it takes 50 products, got --max-products 30/)
    expect(refused('--shift', '1')).toMatch(/--shift: it belongs to --log-det/)
    expect(refused('--learning-rate', '0.1')).toMatch(/belong to --trajectory/)
  })

  test('the trace to a standard error; what the products did not reach is warned of', () => {
    const inputs = Array.from(randomStream(4, 'inputs').normals(60 * 2100))
    const wide = experiment(
      'traced.yaml',
      `name: traced
data: { file: ${data('traced.npz', 60, inputs, new Array<number>(60).fill(1))} }
model: { kind: linear-network, widths: [2100, 1], initialization: zeros }
loss: { name: half-sum-squares }
`,
    )
    interface Traced {
      trace: { value: number; standardError: number; products: number; method: string }
      warnings: string[]
    }
    const ends = ['--top', '0', '--bottom', '0', '--trace', '--trace-accuracy']
    const { trace, warnings } = json('spectrum', wide, ...ends, '0.05') as unknown as Traced
    const exact = inputs.reduce((sum, x) => sum + x * x, 0)
    expect(trace.method).toBe('hutch++')
    expect(trace.standardError).toBeLessThanOrEqual(0.05 * trace.value)
    expect(trace.products).toBeLessThan(100)
    expect(Math.abs(trace.value - exact)).toBeLessThan(4 * trace.standardError)
    expect(warnings).toEqual([])
    const short = json('spectrum', wide, ...ends, '1e-4', '--max-products', '45') as unknown as Traced
    expect(short.trace.products).toBeLessThanOrEqual(45)
    expect(short.warnings.join()).toMatch(/After \d+ products the standard error of the trace is \S+ of it, not 0.0001/)
    for (const [extra, message] of [
      [['--trace-accuracy', '0.1'], /--trace-accuracy: it belongs to --trace/],
      [['--trace', '--trace-accuracy', '0'], /--trace-accuracy: it must be above 0, got 0/],
      [['--trace', '--trace-accuracy', '0.1', '--max-products', '20'], /--trace-accuracy takes at least 40, got 20/],
    ] as const) {
      const reply = thalweg('spectrum', wide, ...extra)
      expect(reply.status).toBe(2)
      expect(reply.stderr).toMatch(message)
    }
  })

  describe('--near', () => {
    interface Near {
      target: number
      method: string
      status: string
      products: number
      equal?: number
      floor?: { value: number; count: number }
      pairs: { value: number; residualNorm: number; converged: boolean }[]
    }
    interface WithNear {
      eigenvalues: { near: Near; products: number }
      warnings: string[]
    }
    // XᵀX = diag: 1 … 51 in steps of a third, 200, 210, and 552 … 699 in steps of one
    const roots = Array.from({ length: 300 * 300 }, (_, at) => {
      const i = Math.floor(at / 301)
      return at % 301 === 0 ? Math.sqrt(i < 150 ? 1 + i / 3 : i === 150 ? 200 : i === 151 ? 210 : 400 + i) : 0
    })
    const islands = (): string =>
      experiment(
        'islands.yaml',
        `name: islands
data: { file: ${data('islands.npz', 300, roots, new Array<number>(300).fill(1))} }
model: { kind: linear-network, widths: [300, 1], initialization: zeros }
loss: { name: half-sum-squares }
`,
      )

    test('the closest of all eigenvalues where the matrix is dense', () => {
      const { near, products } = (json('spectrum', quadratic(), '--near', '3.5') as unknown as WithNear).eigenvalues
      expect(near).toMatchObject({ target: 3.5, method: 'dense', status: 'exact', equal: 0, products: 3 })
      expect(products).toBe(12)
      expect(near.pairs.map(({ value }) => Math.round(value * 1e9) / 1e9)).toEqual([4, 1, 25])
      const four = json('spectrum', quadratic(), '--near', '4', '--near-count', '1') as unknown as WithNear
      expect(four.eigenvalues.near).toMatchObject({ equal: 1, pairs: [{ converged: true }] })
      const shown = thalweg('spectrum', quadratic(), '--near', '-2', '--near-count', '2').stdout
      expect(shown).toMatch(/closest to -2, of all eigenvalues\nnear 1 +1\.0{10}e\+0 .*\nnear 2 +4\.0{10}e\+0 /)
    })

    test('matrix-free with its products and residuals, alone and beside the ends', () => {
      const limit = ['--max-products', '120']
      const alone = ['--near', '205', '--near-count', '2', '--top', '0', '--bottom', '0']
      for (const extra of [alone, ['--near', '205', '--near-count', '2', '--search-dtype', 'float32']]) {
        const { eigenvalues, warnings } = json('spectrum', islands(), ...extra, ...limit) as unknown as WithNear
        expect(eigenvalues.near).toMatchObject({ method: 'lanczos', status: 'converged' })
        expect(eigenvalues.near.products).toBeLessThanOrEqual(120)
        const found = eigenvalues.near.pairs.map(({ value }) => value).toSorted((a, b) => a - b)
        ;[200, 210].forEach((exact, i) => expect(Math.abs(found[i] - exact)).toBeLessThan(1e-4))
        expect(warnings.join()).not.toMatch(/near 205/)
      }
      const shown = thalweg('spectrum', islands(), ...alone, ...limit).stdout
      expect(shown).toMatch(
        /closest to 205, found with \d+ products: an eigenvalue lies within ± of each; that none is/,
      )
    })

    test('in a dense cluster it says that it has not converged', () => {
      const extra = ['--near', '20', '--top', '1', '--bottom', '0', '--max-products', '40']
      const { eigenvalues, warnings } = json('spectrum', islands(), ...extra) as unknown as WithNear
      expect(eigenvalues.near.status).toBe('max-products')
      expect(eigenvalues.near.pairs.every(({ converged }) => converged)).toBe(false)
      expect(warnings.join()).toMatch(
        /of 5 eigenvalues near 20 have not converged, after \d+ products: within its residual/,
      )
    })

    test('zeros by rank are stated', () => {
      const few = experiment(
        'few.yaml',
        `name: few
data: { file: ${data('few.npz', 2, [1, 0, 0, 1, 2, 0], [1, 2])} }
model: { kind: mlp, widths: [3, 9, 1], activation: tanh }
loss: { name: mse }
`,
      )
      const extra = ['--operator', 'ggn', '--near', '0', '--max-products', '20', '--top', '1', '--bottom', '1']
      const { near } = (json('spectrum', few, ...extra) as unknown as WithNear).eigenvalues
      expect(near).toMatchObject({ floor: { value: 0, count: 44 }, products: 0, status: 'exact' })
      expect(near.pairs).toHaveLength(5)
      expect(thalweg('spectrum', few, ...extra).stdout).toMatch(/closest to 0: 0, at least 44 times, by the form/)
    })

    test.each([
      [['--near', 'abc'], /--near <sigma>.*must be a number, got abc/],
      [['--near', 'Infinity'], /--near <sigma>.*must be a number, got Infinity/],
      [['--near', '0', '--near-count', '0'], /--near-count: must be a whole number of at least 1, got 0/],
      [['--near', '0', '--near-count', '2.5'], /--near-count: must be a whole number of at least 1, got 2.5/],
      [['--near-count', '2'], /--near-count: it belongs to --near/],
      [
        ['--near', '0', '--top', '0', '--bottom', '0', '--max-products', '2'],
        /5 eigenvalues near 0 take at least 4, got 2/,
      ],
      [['--near', '0', '--exact', '--max-products', '9'], /--exact: it takes 12 products, got --max-products 9/],
    ] as [string[], RegExp][])('refused: %j', (extra, message) => {
      const reply = thalweg('spectrum', quadratic(), ...extra)
      expect(reply).toMatchObject({ status: 2, stdout: '' })
      expect(reply.stderr).toMatch(message)
    })
  })
})

describe('thalweg diagnose', () => {
  const linear = (name: string, widths: string): string =>
    experiment(
      name,
      `name: linear
data: { file: ${data('worked.npz', 2, [1, 0, 0, 1], [2, 1, 1, 1])} }
model: { kind: linear-network, widths: ${widths}, initialization: zeros }
loss: { name: half-sum-squares }
`,
    )

  test('the origin of a linear net is a strict saddle with one hidden layer', () => {
    const escaped = join(folder(), 'escaped.safetensors')
    const d = json('diagnose', linear('shallow.yaml', '[2, 2, 2]'), '--save-escape', escaped)
    expect(d).toMatchObject({
      verdict: 'strict-saddle',
      inertia: { negative: 4, zero: 0, positive: 4, exact: true },
      linear: { kind: 'strict-saddle', subset: [], globalMinimum: 0 },
    })
    const { escape } = d as unknown as { escape: { lossBefore: number; lossAfter: number } }
    expect(escape.lossBefore).toBe(3.5)
    expect(escape.lossAfter).toBeLessThan(3.5)
    expect(existsSync(escaped)).toBe(true)
  })

  test('and a non-strict one with two: its Hessian is zero, it is no minimum', () => {
    expect(json('diagnose', linear('deep.yaml', '[2, 2, 2, 2]'))).toMatchObject({
      verdict: 'non-strict-saddle',
      inertia: { negative: 0, zero: 12, positive: 0, exact: true },
    })
  })

  test('training of a linear net ends at a global minimum, by the closed form', () => {
    const path = experiment(
      'trained.yaml',
      `name: trained
data: { name: 'linear-regression:samples=30,inputs=3,outputs=2,noise=0.3' }
model: { kind: linear-network, widths: [3, 2, 2, 2] }
loss: { name: mse }
training: { optimizer: { name: lbfgs, gradientTolerance: 1e-10 }, steps: 500, dtype: float64 }
analyses: { diagnose: {} }
`,
    )
    const run = join(folder(), 'trained')
    expect(json('run', path, '--out', run)).toMatchObject({
      status: 'finished',
      verdict: 'global-minimum',
    })
    const report = join(folder(), 'page.html')
    expect(json('diagnose', run, '--report', report, '--lang', 'zh')).toMatchObject({ verdict: 'global-minimum' })
    expect(existsSync(report)).toBe(true)
  })

  test('a start is not critical, and says what can still be gained', () => {
    const path = experiment(
      'start.yaml',
      `name: start
data: { name: xor }
model: { kind: mlp, widths: [2, 4, 2], activation: tanh }
loss: { name: cross-entropy }
`,
    )
    const d = json('diagnose', path)
    expect(d).toMatchObject({ command: 'diagnose', verdict: 'not-critical', dtype: 'float64' })
    const { evidence } = d as unknown as { evidence: { kind: string; value: number }[] }
    expect(evidence.map((e) => e.kind)).toEqual(expect.arrayContaining(['gradient', 'attainable-decrease']))
  })

  test.each([
    [['diagnose', 'nowhere.onnx'], /nowhere\.onnx: there is no such file or folder/],
    [['diagnose', '.'], /not a run directory: it has no manifest\.json/],
  ] as [string[], RegExp][])('%j is refused', (args, message) => {
    const reply = thalweg(...args)
    expect(reply.stderr).toMatch(message)
    expect(reply).toMatchObject({ status: 2, stdout: '' })
  })
})

describe('thalweg linear', () => {
  test('prints every class of the worked example with its printed digits', () => {
    const path = data('worked.npz', 2, [1, 0, 0, 1], [2, 1, 1, 1])
    const figure = join(folder(), 'ladder.svg')
    const d = json('linear', '--data', path, '--widths', '2,2,2,2', '--figure', figure) as unknown as {
      sigmaEigenvalues: number[]
      classes: {
        subset: number[]
        loss: number
        kinds: string[]
        representatives: { inertia: object; canonical: boolean }[]
      }[]
    }
    expect(d.sigmaEigenvalues[0]).toBeCloseTo(6.854101966249685, 13)
    const bySet = Object.fromEntries(d.classes.map((c) => [`{${c.subset}}`, c]))
    expect(bySet['{}'].loss).toBeCloseTo(3.5, 14)
    expect(bySet['{1}'].loss).toBeCloseTo(0.07294901687515773, 14)
    expect(bySet['{2}'].loss).toBeCloseTo(3.427050983124842, 14)
    expect(bySet['{1,2}'].loss).toBeCloseTo(0, 14)
    expect(bySet['{}'].kinds.toSorted()).toEqual(['non-strict-saddle', 'strict-saddle'])
    expect(bySet['{2}'].kinds).toEqual(['strict-saddle'])
    expect(bySet['{1,2}'].representatives[0].inertia).toMatchObject({ negative: 0, zero: 8, positive: 4 })
    expect(existsSync(figure)).toBe(true)
  })

  test('refuses widths that are none', () => {
    const reply = thalweg('linear', '--data', 'iris', '--widths', '4,x')
    expect(reply.stderr).toMatch(/--widths: must list all widths/)
    expect(reply.status).toBe(2)
  })
})

test('every other document of --json fits its schema too, and the shipped schemas are these', () => {
  expect(json('data', 'info', 'iris')).toMatchObject({ command: 'data info' })
  const path = experiment(
    'model.yaml',
    'name: m\ndata: { name: xor }\nmodel: { kind: mlp, widths: [2, 3, 2] }\nloss: { name: cross-entropy }\n',
  )
  expect(json('model', 'info', path)).toMatchObject({ command: 'model info' })
  const shipped = (name: string): unknown => JSON.parse(readFileSync(packageFile('assets', name), 'utf8'))
  expect(shipped('output.schema.json')).toEqual(JSON.parse(thalweg('schema', '--output').stdout))
})
