import { nativeEngine } from '@thalweg/engine/node'
import { afterAll, describe, expect, test } from 'vitest'
import { gaussianMixture } from '../data/index.ts'
import { denseOf, denseOperator, diagonalOperator, matrixFromRows } from '../linalg/index.ts'
import { Loss, LossPoint } from '../loss/index.ts'
import { mlp } from '../model/index.ts'
import { blockOperator, layerGroups, parameterGroups } from './block-operator.ts'
import { gramOperator } from './gram-operator.ts'
import { spectrum } from './spectrum.ts'

const engine = nativeEngine({ threads: 1 })
afterAll(() => engine.dispose())

const dataset = gaussianMixture({ samples: 70, classes: 3, dimension: 4 })
const loss = new Loss({
  engine,
  model: mlp({ widths: [4, 5, 3], activation: 'tanh' }),
  dataset,
  spec: { name: 'cross-entropy', reduction: 'mean' },
  chunkSize: 32,
})
const point = new LossPoint(loss, loss.model.initialize(1))

describe('spectrum', () => {
  test('dense and Lanczos agree, with residuals that prove it', async () => {
    const dense = await spectrum(point.operator('hessian'), { top: 4, bottom: 4 })
    const krylov = await spectrum(point.operator('hessian'), { top: 4, bottom: 4, exact: false, tolerance: 1e-9 })
    expect(dense.method).toBe('dense')
    expect(krylov.method).toBe('lanczos')
    for (const end of ['top', 'bottom'] as const)
      dense[end].forEach((pair, i) => {
        expect(pair.residualNorm).toBeLessThan(1e-13 * dense.operatorNorm * loss.size)
        expect(Math.abs(pair.value - krylov[end][i].value)).toBeLessThan(1e-10)
        expect(pair.converged && krylov[end][i].converged).toBe(true)
      })
    expect(dense.symmetryDefect).toBeLessThan(1e-12)
  })

  test('the index counts all negative eigenvalues when dense and only proven ones otherwise', async () => {
    const values = Float64Array.of(-3, -2, -1, 0, 0, 1e-18, 1, 5, 6, 7)
    const dense = await spectrum(diagonalOperator(values))
    expect(dense.morseIndex).toMatchObject({ value: 3, exact: true })
    const big = diagonalOperator(Float64Array.from({ length: 300 }, (_, i) => i - 20.5))
    const krylov = await spectrum(big, { exact: false, bottom: 3, top: 1 })
    expect(krylov.morseIndex).toMatchObject({ value: 3, exact: false })
  })

  test('a zero operator has index 0 and norm 0', async () => {
    const result = await spectrum(diagonalOperator(new Float64Array(12)))
    expect(result.morseIndex).toEqual({ value: 0, threshold: 0, exact: true })
    expect(result).toMatchObject({ operatorNorm: 0, effectiveRank: null })
  })

  test('trace, Frobenius norm, effective rank and density of a known spectrum', async () => {
    const values = Float64Array.from({ length: 60 }, (_, i) => 1 + i / 10)
    const sum = values.reduce((s, v) => s + v, 0)
    const squares = values.reduce((s, v) => s + v * v, 0)
    const dense = await spectrum(diagonalOperator(values), { density: { probes: 4, steps: 30 } })
    expect(dense.trace?.value).toBeCloseTo(sum, 10)
    expect(dense.effectiveRank).toBeCloseTo((sum * sum) / squares, 8)
    expect(dense.density!.support[0]).toBeGreaterThanOrEqual(1 - 1e-12)
    expect(dense.density!.support[1]).toBeLessThanOrEqual(6.9 + 1e-12)
    const krylov = await spectrum(diagonalOperator(values), { exact: false, traceProducts: 30, seed: 1 })
    expect(Math.abs(krylov.trace!.value - sum)).toBeLessThan(4 * krylov.trace!.standardError + 1e-9)
  })

  test('effective rank does not overflow, and trace alone needs no pairs', async () => {
    for (const unit of [1e-300, 1e160]) {
      const result = await spectrum(diagonalOperator(Float64Array.of(3, 2, 1).map((v) => v * unit)))
      expect(result.effectiveRank).toBeCloseTo(36 / 14, 10)
    }
    const operator = diagonalOperator(Float64Array.from({ length: 50 }, (_, i) => i))
    const alone = await spectrum(operator, { exact: false, top: 0, bottom: 0, traceProducts: 60 })
    expect(alone).toMatchObject({ top: [], bottom: [], morseIndex: { value: 0, exact: false }, products: 100 })
    expect(alone.trace!.value).toBeCloseTo(1225, 8)
  })

  test('a floor that covers the pairs wanted from the bottom stands for them', async () => {
    const operator = diagonalOperator(Float64Array.from({ length: 400 }, (_, i) => (i < 30 ? 30 - i : 0) + 0.5))
    const options = { exact: false, top: 2, bottom: 3 }
    const found = await spectrum(operator, { ...options, floor: { value: 0.5, rank: 30 } })
    expect(found).toMatchObject({
      bottom: [],
      floor: { value: 0.5, count: 370 },
      morseIndex: { value: 0, exact: true },
    })
    expect(found.top.map(({ value }) => Math.round(1e9 * value) / 1e9)).toEqual([30.5, 29.5])
    const short = await spectrum(operator, { ...options, floor: { value: 0.5, rank: 399 } })
    expect(short).toMatchObject({ floor: null, morseIndex: { exact: false } })
    expect(short.bottom).toHaveLength(3)
  })

  test('copies of a multiple eigenvalue that a limit leaves unsearched are said to be unverified', async () => {
    const values = Float64Array.from({ length: 600 }, (_, i) => (i < 8 ? 9 : Math.sin(i)))
    const wanted = { exact: false, top: 5, bottom: 0 }
    const whole = await spectrum(diagonalOperator(values), wanted)
    expect(whole.multiplicityVerified).toBe(true)
    for (const { value } of whole.top) expect(value).toBeCloseTo(9, 10)
    let wrong = 0
    for (let maxProducts = 20; maxProducts < whole.products; maxProducts += 5) {
      const short = await spectrum(diagonalOperator(values), { ...wanted, maxProducts })
      if (short.top.every(({ value }) => Math.abs(value - 9) < 1e-6)) continue
      wrong++
      expect(short.multiplicityVerified).toBe(false)
    }
    expect(wrong).toBeGreaterThan(0)
  })

  test('a signal stops the search with what it has, and gives a matrix up by name', async () => {
    const operator = diagonalOperator(Float64Array.from({ length: 3000 }, (_, i) => Math.sin(i)))
    const signal = { aborted: false }
    const options = {
      signal,
      top: 3,
      bottom: 3,
      density: {},
      traceProducts: 20,
      onProgress: (_: string, done: number) => void (signal.aborted = done > 20),
    }
    const stopped = await spectrum(operator, options)
    expect(stopped).toMatchObject({ status: 'aborted', density: null, trace: null, morseIndex: { exact: false } })
    expect(stopped.top).toHaveLength(3)
    expect(stopped.products).toBeLessThan(60)
    signal.aborted = true
    await expect(spectrum(operator, { exact: true, signal })).rejects.toThrow(/stopped after 128 of 3000 columns/)
  })

  test('log det is exact from all eigenvalues, within its error by quadrature, and refused where it does not exist', async () => {
    const values = Float64Array.from({ length: 400 }, (_, i) => 0.1 + (i % 40) ** 2 / 100)
    const exact = values.reduce((sum, v) => sum + Math.log(v + 0.5), 0)
    const wanted = { logDeterminant: { shift: 0.5, probes: 20, steps: 60 }, seed: 3 }
    const dense = (await spectrum(diagonalOperator(values), wanted)).logDeterminant!
    expect(dense).toMatchObject({ method: 'exact', standardError: 0, obstacle: null })
    expect(dense.value!).toBeCloseTo(exact, 8)
    // signs make the quadrature of a diagonal matrix exact: rotate it by a reflection
    const u = Float64Array.from({ length: 400 }, (_, i) => Math.cos(i * i) / Math.sqrt(200))
    const scale = 2 / u.reduce((sum, x) => sum + x * x, 0)
    const reflect = (v: Float64Array): Float64Array => {
      const along = scale * v.reduce((sum, x, i) => sum + x * u[i], 0)
      return v.map((x, i) => x - along * u[i])
    }
    const rotated = { size: 400, apply: async (v: Float64Array) => reflect(reflect(v).map((x, i) => x * values[i])) }
    const found = (await spectrum(rotated, { ...wanted, exact: false })).logDeterminant!
    expect(found.standardError!).toBeGreaterThan(0)
    expect(Math.abs(found.value! - exact)).toBeLessThan(4 * found.standardError!)
    const negative = { logDeterminant: { shift: -0.5 }, exact: false }
    expect((await spectrum(rotated, negative)).logDeterminant).toMatchObject({ value: null, standardError: null })
    expect((await spectrum(rotated, negative)).logDeterminant!.obstacle!).toBeLessThan(0.5)
  })

  test('a signal acts inside trace, density and log det, and keeps what was reached', async () => {
    const values = Float64Array.from({ length: 3000 }, (_, i) => 1 + Math.sin(i) ** 2)
    for (const limit of [30, 60, 90, 110, 500]) {
      let products = 0
      const signal = {
        get aborted(): boolean {
          return products > limit
        },
      }
      const inner = diagonalOperator(values)
      const counted = {
        size: 3000,
        apply: (v: Float64Array) => {
          products++
          return inner.apply(v)
        },
      }
      const done = await spectrum(counted, {
        top: 1,
        bottom: 0,
        tolerance: 0.5,
        traceProducts: 60,
        density: {},
        logDeterminant: {},
        signal,
      })
      expect(products).toBeLessThan(limit + 40)
      if (done.trace) expect(Math.abs(done.trace.value - values.reduce((a, b) => a + b))).toBeLessThan(60)
      if (done.density) expect(done.density.complete).toBe(false)
      expect(done.logDeterminant).toBeNull()
    }
  })

  test('a non-finite product is an error, not an eigenvalue', async () => {
    const bad = { size: 5, apply: async (v: Float64Array) => v.map((x, i) => (i === 3 ? Number.NaN : x)) }
    await expect(spectrum(bad)).rejects.toThrow(/must return finite numbers, got NaN at entry 3/)
  })
})

test('blocks are the diagonal blocks of the dense matrix', async () => {
  const whole = (await denseOf(point.operator('hessian'))).matrix
  const groups = layerGroups(loss.model)
  expect(groups.map((g) => g.name)).toEqual(['layers.0', 'layers.1'])
  expect(parameterGroups(loss.model)).toHaveLength(4)
  const [, second] = groups
  const block = (await denseOf(blockOperator(point.operator('hessian'), second))).matrix
  const start = second.ranges[0][0]
  for (let i = 0; i < block.rows; i++)
    for (let j = 0; j < block.cols; j++)
      expect(block.data[i * block.cols + j]).toBeCloseTo(whole.data[(start + i) * whole.cols + start + j], 13)
  expect(() => blockOperator(denseOperator(matrixFromRows([[1]])), { name: 'far', ranges: [[0, 2]] })).toThrow(
    /group far/,
  )
})

test('the Gram operator is symmetric positive semidefinite with the nonzero spectrum of JᵀJ', async () => {
  const small = new Loss({
    engine,
    model: mlp({ widths: [4, 3, 1], activation: 'tanh' }),
    dataset: gaussianMixture({ samples: 12, classes: 2, dimension: 4 }),
    spec: { name: 'binary-cross-entropy', reduction: 'mean' },
  })
  const at = new LossPoint(small, small.model.initialize(2))
  const { matrix, symmetryDefect } = await denseOf(gramOperator(at))
  expect(matrix.rows).toBe(12)
  expect(symmetryDefect).toBeLessThan(1e-13)
  const jacobian = await at.jacobian(identityRows(small.size), small.size)
  for (let a = 0; a < 12; a++)
    for (let b = 0; b < 12; b++) {
      let sum = 0
      for (let i = 0; i < small.size; i++) sum += jacobian[i * 12 + a] * jacobian[i * 12 + b]
      expect(matrix.data[a * 12 + b]).toBeCloseTo(sum, 12)
    }
})

function identityRows(size: number): Float64Array {
  const out = new Float64Array(size * size)
  for (let i = 0; i < size; i++) out[i * size + i] = 1
  return out
}
